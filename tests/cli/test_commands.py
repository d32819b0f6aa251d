"""Every command does its job and says what a reader needs."""

import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import myelosim as ms
from myelosim.cli import COMMANDS

HELD = """
format = 1
title = "Held or not"
model = "generic_oral_2cmt_friberg"
days = 42
visits = "d1 weekly"
population = { size = 4, seed = 1 }
[[arm]]
name = "fixed"
dose = "drug 40 mg QD d1-28"
[[arm]]
name = "held"
dose = "drug 40 mg QD d1-28"
rules = ["low"]
[rule.low]
when = "neutrophil < 6"
do = "hold drug"
until = "neutrophil >= 6"
"""
SIMULATE = ("simulate", "generic_oral_2cmt_friberg", "40 mg BID d1-14", "--days", 42)


def lines(text, start):
    return [line for line in text.splitlines() if line.strip().startswith(start)]


def test_help_loads_nothing_heavy():
    code = (
        "import sys, runpy; sys.argv = ['myelosim', '--help']\n"
        "try: runpy.run_module('myelosim', run_name='__main__')\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "assert not {'numpy', 'numba', 'pandas', 'xarray', 'matplotlib'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert all(command.__name__ in done.stdout for command in COMMANDS)


def test_version_and_no_command(myelosim):
    assert myelosim("--version").output == f"myelosim {ms.__version__}\n"
    assert "compare" in myelosim().output


@pytest.mark.parametrize("command", [command.__name__ for command in COMMANDS])
def test_every_command_has_help(myelosim, command):
    done = myelosim(command, "--help")
    assert done.exit_code == 0
    assert "Usage" in done.output


def test_compare_prints_and_writes_what_the_function_gives(myelosim, samples):
    done = myelosim("compare", "small", "--subjects", 24, "--seed", 5, "--no-figure")
    assert done.exit_code == 0
    assert sorted(path.name for path in (samples / "results" / "small").iterdir()) == ["result.nc", "table.csv"]
    with xr.open_dataset(samples / "results" / "small" / "result.nc", engine="h5netcdf") as result:
        assert (result.sizes["subject"], result.attrs["seed"]) == (24, 5)
        median = float(result["nadir"].isel(arm=0).median())
    assert "Small  (each arm: 24 subjects; 42 days, seed 5)" in done.output
    assert "[bold] 40 mg" in done.output
    row, _ = lines(done.output, "[bold] 40 mg")
    assert f"{median:.2f}" in row.split()
    assert "parameters are assumed" in done.output
    assert "elapsed days since time zero" in done.output
    assert "draw blood" in done.output
    assert "in all" in done.output


def test_a_grade_without_a_number_is_a_dash(myelosim, samples):
    table = 'format = 1\nkind = "grading"\ntitle = "T"\nsource = "S"\n'
    table += '[bounds.neutrophil]\nabsolute = [1.5, 1.4, 1.3, "-"]\n'
    (samples / "table.toml").write_text(table)
    done = myelosim(*SIMULATE, "--subjects", 8, "--grading", "table.toml")
    (row,) = lines(done.output, "drug 40 mg BID d1-14")
    days_grade4, p_grade4 = row.split("neutrophil")[1].split()[3], row.split("%")[1].split()[0]
    assert (days_grade4, p_grade4) == ("-", "-")


def test_simulate_is_the_function(myelosim, samples):
    done = myelosim(
        *SIMULATE, "--subjects", 9, "--seed", 3, "--visits", "3,5,7", "--set", "neutrophil.mtt=120 h", "--start",
        "neutrophil=3 10^9/L", "--out", "deep/x.nc",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    model = ms.load_model("generic_oral_2cmt_friberg").replace({"neutrophil.mtt": 120})
    own = ms.simulate(
        model, "drug 40 mg BID d1-14", days=42, population=ms.Population(9, seed=3), visits=[3, 5, 7],
        start={"neutrophil": 3.0},
    )  # fmt: skip
    with xr.open_dataset(samples / "deep" / "x.nc", engine="h5netcdf") as ds:
        xr.testing.assert_equal(ds.load(), own)
    assert [path.name for path in (samples / "deep").iterdir()] == ["x.nc"]
    assert f"{float(own.nadir.median()):.2f}" in done.output


def test_simulated_rows_give_the_same_doses_again(myelosim, samples):
    given = "docetaxel 100 mg/m2 over 1 h q21d x2"
    assert myelosim("simulate", "friberg_2002_docetaxel", given[10:], "--out", "rows.csv").exit_code == 0
    rows = pd.read_csv(samples / "rows.csv").query("EVID == 1")
    again = ms.Regimen.from_events(rows)
    model = ms.load_model("friberg_2002_docetaxel")
    np.testing.assert_allclose(
        ms.simulate(model, again, days=30)["count"], ms.simulate(model, given, days=30)["count"], rtol=1e-9
    )


def test_one_subject_has_no_shares(myelosim):
    done = myelosim(*SIMULATE)
    assert "typical subject" in done.output
    assert "P(grade" not in done.output
    assert "P(grade" in myelosim(*SIMULATE, "--subjects", 2).output


def test_no_dose_and_no_lineage(myelosim):
    done = myelosim("simulate", "generic_oral_2cmt_friberg", "none", "--days", 7)
    assert lines(done.output, "none")
    assert "only concentrations" in myelosim("simulate", "generic_iv_1cmt", "10 mg once", "--days", 7).output


def test_models_lists_and_names_the_evidence(myelosim, samples):
    listed = myelosim("models").output
    assert all(name in listed for name in ("sample", "abc", "monkey", "block, island", "ctcae_v5"))
    shown = myelosim("models", "abc", "--species", "monkey", "--save", "mine.toml")
    assert "BEFORE YOU USE THIS" in shown.output
    assert "monkeys respond half as well" in shown.output
    for name, one in ms.load_model("mine.toml").parameters.items():
        assert name in shown.output
        assert one.evidence in shown.output
    assert "by weight" in shown.output
    assert "neutrophil.baseline" in myelosim("models", "monkey", "--variant", "block").output
    assert "lower limit" in myelosim("models", "ctcae_v5").output


def test_scenarios(myelosim, samples, monkeypatch):
    monkeypatch.setenv("COLUMNS", "50")
    narrow = "".join("".join(line[30:].split()) for line in myelosim("scenarios").output.splitlines())
    assert "scenarios/small.toml" in narrow
    monkeypatch.setenv("COLUMNS", "220")
    assert "Small" in myelosim("scenarios").output
    shown = myelosim("scenarios", "small").output
    assert "drug 40 mg BID d1-14" in shown
    assert "0, 7, 14, 21, 28, 35, 42" in shown


def test_sensitivity_ranks(myelosim):
    done = myelosim("sensitivity", *SIMULATE[1:], "--top", 3)
    table = ms.sensitivity(ms.load_model("generic_oral_2cmt_friberg"), "drug 40 mg BID d1-14", days=42)
    names = [line.split()[0] for line in lines(done.output, ("drug.", "neutrophil."))]
    assert names == list(table.parameter.head(3))
    assert f"{table.elasticity[0]:+.3f}" in done.output


def test_potency_is_the_same_option_everywhere(myelosim):
    """A species that a drug is refused for: every command takes the factor that the message asks for, and by one name."""
    for command in (
        ("simulate", "abc", "dog", "10 mg QD"),
        ("sensitivity", "abc", "dog", "10 mg QD"),
        ("models", "abc", "--species", "dog"),
    ):
        done = myelosim(*command, "--sensitivity", 0.5)
        assert done.exit_code == 0, done.stderr


def test_compiling_is_said_while_it_is_done(tmp_path, monkeypatch):
    from rich.progress import Progress

    from myelosim.cli.console import progress
    from myelosim.engine import cache

    monkeypatch.setattr(cache, "folder", lambda: tmp_path)
    said = []
    monkeypatch.setattr(Progress, "update", lambda self, task, **fields: said.append(fields.get("logged")))
    with progress("simulating") as told:
        cache.program("NUMBER = 1\n")
        told("writing", 1.0)
        cache.program("NUMBER = 1\n")
    assert said == ["(compiling a new kind of model)", ""]


def test_without_a_terminal_there_are_lines(monkeypatch, capsys):
    from myelosim.cli import console

    monkeypatch.setattr(console, "SPARSE", 0.02)
    with console.progress("fitting") as told:
        told("start 1 of 3 [b]", 0.1)
        time.sleep(0.2)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) > 1 and lines[-1] == "0 s: start 1 of 3 [b]"
    with console.progress("fitting"):
        pass
    assert capsys.readouterr().err == ""


def test_a_cache_that_cannot_be_is_said(myelosim, tmp_path, monkeypatch):
    from myelosim.engine import cache

    (tmp_path / "file").touch()
    monkeypatch.setenv("MYELOSIM_CACHE", str(tmp_path / "file" / "nope"))
    cache.folder.cache_clear()
    done = myelosim("cache")
    cache.folder.cache_clear()
    assert f"warning: MYELOSIM_CACHE={tmp_path}/file/nope cannot be written" in done.stderr


def test_validate_passes_and_fails(myelosim, samples):
    good = myelosim("validate", "generic_iv_1cmt", "generic_oral_1cmt")
    assert good.exit_code == 0
    assert "2 of 2 published numbers" in good.output
    ms.load_model("generic_iv_1cmt").save("wrong.toml")
    text = (samples / "wrong.toml").read_text()
    assert "value = 20.0" in text
    (samples / "wrong.toml").write_text(text.replace("value = 20.0", "value = 21.0"))
    bad = myelosim("validate", "wrong.toml", "generic_iv_1cmt", "--missed")
    assert bad.exit_code == 1
    assert "MISSED" in bad.output
    assert "1 of 2 published numbers" in bad.output


def test_cache_is_shown_and_cleared(myelosim, tmp_path, monkeypatch):
    from myelosim.engine import cache

    folder = tmp_path / "programs"
    (folder / "__pycache__").mkdir(parents=True)
    for name in ("myelosim_program_a.py", "__pycache__/myelosim_program_a.nbi", "other.py"):
        (folder / name).write_text("x")
    monkeypatch.setattr(cache, "folder", lambda: folder)
    assert "1 programs" in myelosim("cache").output
    assert myelosim("cache", "--clear").exit_code == 0
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["other.py"]


@pytest.mark.parametrize("width", [60, 80, 110, 160])
def test_narrow_terminals_lose_nothing(myelosim, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))
    done = myelosim(*SIMULATE, "--subjects", 4)
    assert done.exit_code == 0
    assert "…" not in done.output
    for heading in ("nadir", "mean", "P(grade", "recovery"):
        assert heading in done.output


def test_days_prints_calendars_and_refuses_what_cannot_be_had(myelosim):
    done = myelosim("days", "small", "--draws", 3, "--within", 5, "--gap", 4)
    assert done.exit_code == 0
    for part in (
        "Days to draw blood: neutrophil",
        "5 days",
        "own visits",
        "weekly x4, then q2w",
        "3 draws chosen: exact",
    ):
        assert part in done.stdout
    refused = myelosim("days", "small", "--draws", 3, "--gap", 20)
    assert refused.exit_code == 2
    assert "3 draws beside the 1 drawn anyway cannot be had: draws are at least 20 days apart; 2 are" in " ".join(
        refused.stderr.split()
    )


def test_explain_prints_and_draws_a_subject(myelosim, samples):
    (samples / "scenarios" / "held.toml").write_text(HELD)
    myelosim("compare", "held", "--no-figure")
    done = myelosim("explain", "results/held", "--subject", 0, "--arm", "held")
    assert done.exit_code == 0
    assert "drug 40 mg x7" in lines(done.output, "0 ")[0]
    assert "hold drug" in done.output and "withheld" in done.output
    assert (samples / "results" / "held" / "subject_0.png").stat().st_size > 10_000
    again = myelosim("explain", "results/held/result.nc", "--subject", 0, "--arm", "held", "--figure", "mine.svg")
    assert again.exit_code == 0 and (samples / "mine.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nowhere", "--subject", 0), "nowhere: there is no such result"),
        (("scenarios/held.toml", "--subject", 0), "is no result"),
        (("results/held", "--subject", 0), "several arms; name one of 'fixed', 'held'"),
        (("results/held", "--subject", 99, "--arm", "held"), "no subject 99; the result has 0 to 3"),
        (("results/held", "--subject", 0, "--arm", "held", "--figure", "x.txt"), "write a file ending in .png"),
    ],
)
def test_explain_says_what_is_not_there(myelosim, samples, arguments, says):
    (samples / "scenarios" / "held.toml").write_text(HELD)
    myelosim("compare", "held", "--no-figure")
    done = myelosim("explain", *arguments)
    assert done.exit_code == 2 and says in done.stderr


def test_models_lists_and_prints_rules(myelosim):
    assert "asciminib_label" in myelosim("models").output
    done = myelosim("models", "asciminib_label").output
    assert "neutrophil < 1.0 or platelet < 50" in done and "Scemblix" in done
    assert "more blood than a mouse may give" in myelosim("models", "gcsf_animal").output
