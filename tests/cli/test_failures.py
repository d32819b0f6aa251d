"""Whatever a user can get wrong ends with one message on standard error and a code, and leaves no file behind."""

import errno

import pytest
import test_spec_model_files
import test_spec_scenarios
from spec_samples import MODEL, SCENARIO

from myelosim.errors import SimulationError

ORAL = "generic_oral_2cmt_friberg"


def refused(done, says, code=2):
    assert done.exit_code == code, done.output
    assert says in done.stderr
    assert "error" in done.stderr.lower()
    assert done.stdout == ""


@pytest.mark.parametrize(("old", "new", "says"), test_spec_scenarios.CHANGES)
def test_scenario_files(myelosim, samples, old, new, says):
    folder = samples / "models" / "grading"
    folder.mkdir()
    (folder / "ctcae_v5.toml").write_text(test_spec_scenarios.GRADING)
    assert old in SCENARIO
    (samples / "bad.toml").write_text(SCENARIO.replace(old, new, 1))
    refused(myelosim("compare", "bad.toml"), says)
    assert not (samples / "results").exists()


@pytest.mark.parametrize(("old", "new", "says"), test_spec_model_files.CHANGES)
def test_model_files(myelosim, samples, old, new, says):
    assert old in MODEL
    (samples / "bad.toml").write_text(MODEL.replace(old, new, 1))
    refused(myelosim("models", "bad.toml", "--save", "out.toml"), says)
    refused(myelosim("simulate", "bad.toml", "10 mg once", "--out", "out.nc"), says)
    assert not (samples / "out.toml").exists() and not (samples / "out.nc").exists()


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"format = ", b"[[arm]\n", b"format = 1\nformat = 1\n", b"\x00" * 10]
)
@pytest.mark.parametrize("command", ["compare", "models", "scenarios", "validate"])
def test_files_that_are_not_toml(myelosim, samples, content, command):
    (samples / "bad.toml").write_bytes(content)
    refused(myelosim(command, "bad.toml"), "bad.toml")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["compare", "nosuch"], "no scenario 'nosuch'"),
        (["compare", "nosuch.toml"], "there is no such file"),
        (["compare", "scenarios"], "no scenario 'scenarios'"),
        (["compare", "./scenarios"], "scenarios"),
        (["compare", "small", "--subjects", "0"], "0 is too small; it must be 1 or more"),
        (["compare", "small", "--subjects", "many"], "'many' is not a whole number"),
        (["compare", "small", "--seed", "-1"], "-1 is too small; it must be 0 or more"),
        (["compare", "small", "--threads", "0"], "0 is too small; it must be 1 or more"),
        (["compare", "small", "--wrong"], "No such option"),
        (["compare"], "Missing argument"),
        (["compare", "outside.toml"], "say where to write with --out"),
        (["compare", "small", "--subjects", "9999999999"], "GB; ask for fewer"),
        (["simulate", ORAL, "40 mg QD", "--subjects", "9999999999"], "GB; ask for fewer"),
        (["simulate", ORAL, "40 mg QD", "--days", "1e7"], "1e7 is not a number above 0 and at most 36525"),
        (["simulate", "abc", "monkey", "10 mg QD", "--sensitivity", "-1"], "-1 is not a number above 0"),
        (["simulate", "abc", "10 mg QD"], "Name a species, e.g. abc human"),
        (["models", "models/drugs/abc.toml"], "e.g. --species human"),
        (["simulate", "abc", "dog", "10 mg QD"], "--sensitivity 0.5"),
        (["models", "nosuch.toml"], '"myelosim models"'),
        (["compare", "small", "--no-figure", "--out", "blocked/x"], "blocked"),
        (["wrong"], "No such command"),
        (["models", "nosuch"], "no model 'nosuch'"),
        (["models", "abc"], "Name a species"),
        (["models", "abc", "--species", "monky"], "did you mean 'monkey'?"),
        (["models", "abc", "--species", "monkey", "--variant", "iland"], "did you mean 'island'?"),
        (["models", "abc", "--species", "dog"], "nobody knows how dogs respond"),
        (["models", "sample", "--save", "model.txt"], "ending in .toml"),
        (["models", "sample", "--save", "blocked/m.toml"], "blocked"),
        (["scenarios", "nosuch"], "no scenario 'nosuch'"),
        (["validate", "nosuch"], "no model 'nosuch'"),
        (["validate", "sample"], "its file expects no number"),
        (["simulate"], "Missing argument"),
        (["simulate", ORAL], "there is no dose"),
        (["simulate", "abc", "10 mg QD"], "Name a species"),
        (["simulate", "abc", "martian", "10 mg QD"], "no species 'martian'"),
        (["simulate", "abc", "monkey"], "there is no dose"),
        (["simulate", "abc,helper", "monkey", "10 mg QD"], "say of which drug"),
        (["simulate", "abc", "monkey", "10 mg QD", "--gcsf", "help"], "did you mean 'helper'?"),
        (["simulate", ORAL, "40 mg BDI"], "'BDI' is not understood"),
        (["simulate", ORAL, "40 parsecs"], "parsecs"),
        (["simulate", ORAL, "other 40 mg QD"], "other"),
        (["simulate", ORAL, "-40 mg QD"], "dose '-40 mg QD': an amount is 0 or more"),
        (["simulate", ORAL, "7,5 mg QD"], "decimal point"),
        (["simulate", ORAL, "40 mg QD", "--days", "0"], "days"),
        (["simulate", ORAL, "40 mg QD", "--days", "nan"], "days"),
        (["simulate", ORAL, "40 mg QD", "--visits", "d1 wekly"], "did you mean 'weekly'?"),
        (["simulate", ORAL, "40 mg QD", "--visits", "90"], "after the horizon"),
        (["simulate", ORAL, "40 mg QD", "--grading", "ctcae_v9"], "no grading table 'ctcae_v9'"),
        (["simulate", ORAL, "40 mg QD", "--set", "neutrophil.mtt"], "write --set NAME=VALUE"),
        (["simulate", ORAL, "40 mg QD", "--set", "neutrophil.mt=3"], "did you mean 'neutrophil.mtt'?"),
        (["simulate", ORAL, "40 mg QD", "--set", "neutrophil.mtt=3 mg"], "unit 'mg' is not a time"),
        (["simulate", ORAL, "40 mg QD", "--set", "neutrophil.gamma=5"], "gamma"),
        (["simulate", ORAL, "40 mg QD", "--set", "neutrophil.mtt=-1"], "neutrophil.mtt"),
        (["simulate", ORAL, "40 mg QD", "--start", "platelet=3"], "no lineage 'platelet'"),
        (["simulate", ORAL, "40 mg QD", "--start", "neutrophil=0"], "positive count"),
        (["simulate", ORAL, "40 mg QD", "--start", "neutrophil=3 h"], "--start neutrophil"),
        (["simulate", ORAL, "40 mg QD", "--set", "drug.cl=90", "--set", "drug.cl=100"], "--set drug.cl is given twice"),
        (["simulate", ORAL, "40 mg QD", "--start", "neutrophil=1", "--start", "neutrophil=2"], "given twice"),
        (["models", "--save", "z.toml"], "--save needs the NAME of a model"),
        (["models", "--species", "human"], "--species needs the NAME of a model"),
        (["simulate", ORAL, "40 mg QD", "--out", "x.xlsx"], ".nc or .csv"),
        (["simulate", ORAL, "40 mg QD", "--days", "3", "--out", "blocked/x.nc"], "blocked"),
        (["simulate", ORAL, "40 mg QD", "--days", "3", "--out", "models.nc"], "models.nc"),
        (["sensitivity", ORAL, "40 mg QD", "--endpoint", "nadirs"], "'nadirs' is not an endpoint"),
        (["sensitivity", ORAL, "40 mg QD", "--lineage", "platelet"], "no lineage 'platelet'"),
    ],
)
def test_arguments(myelosim, samples, arguments, says):
    (samples / "blocked").write_text("a file where a folder would have to be")
    (samples / "models.nc").mkdir()
    (samples / "outside.toml").write_text('name = "../outside"\n' + (samples / "scenarios/small.toml").read_text())
    before = sorted(samples.rglob("*"))
    refused(myelosim(*arguments), says)
    assert sorted(samples.rglob("*")) == before


@pytest.mark.parametrize(
    ("error", "says", "code"),
    [
        (KeyboardInterrupt(), "interrupted", 130),
        (SimulationError("3 of 16 subjects failed"), "3 of 16 subjects failed", 2),
        (MemoryError(), "not enough memory", 2),
        (PermissionError(errno.EACCES, "Permission denied", "there"), "there: Permission denied", 2),
    ],
)
def test_what_happens_on_the_way(myelosim, monkeypatch, error, says, code):
    def fails(*arguments, **options):
        raise error

    monkeypatch.setattr("myelosim.comparison.compare", fails)
    refused(myelosim("compare", "small"), says, code)


def test_a_defect_keeps_its_traceback(myelosim, monkeypatch):
    def fails(*arguments, **options):
        raise ZeroDivisionError

    monkeypatch.setattr("myelosim.comparison.compare", fails)
    with pytest.raises(ZeroDivisionError):
        myelosim("compare", "small")
