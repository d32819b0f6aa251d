"""What is written, where, and over what."""

import os

import pytest
import xarray as xr
from cli_samples import SMALL

import myelosim as ms
from myelosim.comparison import save

ORAL = "generic_oral_2cmt_friberg"
SIMULATE = ("simulate", ORAL, "40 mg QD", "--days", 3, "--out")
COMPARE = ("compare", "small", "--no-figure")


@pytest.fixture
def never(monkeypatch):
    """Whoever simulates fails: what is refused is refused before the work."""

    def run(*arguments, **options):
        raise AssertionError("simulated for nothing")

    monkeypatch.setattr("myelosim.simulation.simulate", run)
    monkeypatch.setattr("myelosim.comparison.compare", run)


def refused(done, *says):
    assert done.exit_code == 2, done.output
    assert done.stdout == ""
    for text in says:
        assert text in done.stderr


@pytest.mark.parametrize("command", [(*SIMULATE, "x.nc"), (*SIMULATE, "x.csv"), ("models", ORAL, "--save", "x.toml")])
def test_a_file_is_replaced_only_when_told(myelosim, samples, never, monkeypatch, command):
    file = samples / command[-1]
    file.write_text("mine")
    refused(myelosim(*command), f"{file.name} is there already", "--overwrite")
    assert file.read_text() == "mine"
    monkeypatch.undo()
    monkeypatch.chdir(samples)
    assert myelosim(*command, "--overwrite").exit_code == 0
    assert file.read_bytes() != b"mine"


def test_a_scenario_that_is_edited_replaces_its_own_result(myelosim, samples):
    file, folder = samples / "mine.toml", samples / "results" / "mine"
    file.write_text(SMALL)
    assert myelosim("compare", "mine.toml").exit_code == 0
    (folder / "notes.txt").write_text("keep")
    file.write_text(SMALL.replace("40 mg BID", "80 mg BID"))
    done = myelosim("compare", "mine.toml", "--no-figure")
    assert done.exit_code == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["notes.txt", "result.nc", "table.csv"]
    assert "notes.txt" not in done.stdout
    with xr.open_dataset(folder / "result.nc", engine="h5netcdf") as result:
        assert "80 mg BID" in result.attrs["regimen"]
        assert result.attrs["scenario_file"] == str(file)


def test_the_result_of_another_scenario_stays(myelosim, samples, monkeypatch, never):
    (samples / "deep").mkdir()
    (samples / "deep" / "small.toml").write_text(SMALL.replace("Small", "Another"))
    other = ("compare", "deep/small.toml", "--no-figure")
    monkeypatch.undo()
    monkeypatch.setenv("MYELOSIM_PATH", str(samples))
    monkeypatch.chdir(samples)
    assert myelosim(*COMPARE).exit_code == 0
    held = (samples / "results" / "small" / "result.nc").read_bytes()
    refused(myelosim(*other), "holds the result of", "scenarios/small.toml", "deep/small.toml", "--overwrite")
    assert (samples / "results" / "small" / "result.nc").read_bytes() == held
    assert "Another" in myelosim(*other, "--overwrite").stdout


@pytest.mark.parametrize("name", ["result.nc", "table.csv", "figure.png"])
def test_files_that_are_no_result_stay(myelosim, samples, never, name):
    (samples / "results" / "small").mkdir(parents=True)
    (samples / "results" / "small" / name).write_text("mine")
    refused(myelosim(*COMPARE), f"{name} of something else")
    assert (samples / "results" / "small" / name).read_text() == "mine"


@pytest.mark.parametrize("command", [(*COMPARE, "--out", "blocked/x"), (*COMPARE, "--out", "blocked"),
                                     (*SIMULATE, "blocked/x.nc"), ("models", ORAL, "--save", "blocked/x.toml")])  # fmt: skip
def test_something_in_the_way_is_seen_before_the_work(myelosim, samples, never, command):
    (samples / "blocked").write_text("a file")
    refused(myelosim(*command), "cannot be written (blocked is a file)", "choose another place with --")


@pytest.mark.parametrize("command", [(*COMPARE, "--out", "deep/x"), (*SIMULATE, "deep/x.nc")])
def test_no_permission_is_seen_before_the_work(myelosim, samples, never, monkeypatch, command):
    monkeypatch.setattr(os, "access", lambda place, mode: False)
    refused(myelosim(*command), "cannot be written (no permission to write in")
    assert not (samples / "deep").exists()


def test_a_figure_that_fails_costs_no_numbers(samples, monkeypatch):
    def fails(result):
        return result.nothing

    result = ms.compare(samples / "scenarios" / "small.toml")
    monkeypatch.setattr("myelosim.plots.plot_summary", fails)
    with pytest.warns(ms.MyelosimWarning, match=r"figure.png could not be drawn: AttributeError: .*'nothing'"):
        written = save(result, samples / "out")
    assert [path.name for path in written] == ["result.nc", "table.csv"] == sorted(os.listdir(samples / "out"))


def test_no_text_breaks_the_figure(myelosim, samples):
    strange = SMALL.replace('"Small"', '"$5 a day, \\\\alpha_{ $"').replace("[bold] 40 mg", "$x_{ \\\\frac 40 mg $")
    (samples / "strange.toml").write_text(strange)
    done = myelosim("compare", "strange.toml")
    assert done.exit_code == 0
    assert (samples / "results" / "strange" / "figure.png").stat().st_size > 10_000
