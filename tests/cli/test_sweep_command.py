"""``myelosim sweep``: what it prints, writes, refuses, and how parts come together."""

import pytest
import xarray as xr

SWEEP = """\
format = 1
title = "Ranging"
scenario = "small"
[axis]
dose = ["10 mg", "40 mg", "160 mg"]
schedule = ["BID d1-7", "BID d1-14"]
[limit]
lineage = "neutrophil"
probability = 0.5
"""


@pytest.fixture
def sweep(samples, myelosim):
    """Run the sample sweep, its text changed if need be."""

    def run(*arguments, text=SWEEP):
        (samples / "ranging.toml").write_text(text)
        return myelosim("sweep", "ranging.toml", *arguments)

    return run


def test_tables_and_files(samples, sweep):
    done = sweep()
    assert done.exit_code == 0, done.stderr
    for said in ("Ranging", "P(grade >= 3)", "BID d1-14", "160 mg", "highest dose", "upper bound", "16 subjects"):
        assert said in done.stdout, said
    folder = samples / "results" / "ranging"
    names = ["figure.png", "result.nc", "subjects.zarr", "table.csv"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert (folder / "table.csv").read_text().count("\n") == 7
    with xr.open_dataset(folder / "result.nc", engine="h5netcdf") as ds:
        assert ds["p_grade3"].dims == ("dose", "schedule", "lineage")
        assert ds.attrs["limit"] == "P(neutrophil worst_grade >= 3) < 0.5"


def test_shards_come_together(samples, sweep):
    first = sweep("--shard", "1/2", "--no-figure")
    assert first.exit_code == 0 and "left to the other shards" in first.stdout
    result = samples / "results" / "ranging" / "result.nc"
    assert not result.exists()
    early = sweep("--collect", "--no-figure")
    assert early.exit_code == 2 and "blocks are missing" in early.stderr
    assert sweep("--shard", "2/2", "--no-figure").exit_code == 0 and result.exists()
    assert sweep("--collect", "--no-figure").exit_code == 0


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b"])
def test_no_such_shard(sweep, shard):
    done = sweep("--shard", shard)
    assert done.exit_code == 2 and "no part of a sweep" in done.stderr


def test_a_changed_sweep_is_not_mixed_with_the_old(sweep):
    assert sweep("--no-figure").exit_code == 0
    changed = SWEEP.replace("160 mg", "80 mg")
    done = sweep("--no-figure", text=changed)
    assert done.exit_code == 2 and "cannot be mixed" in done.stderr and done.stdout == ""
    assert sweep("--no-figure", "--overwrite", text=changed).exit_code == 0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('scenario = "small"', 'scenario = "smal"', "did you mean 'small'"),
        ("[axis]", "[axes]", "'axis' is missing"),
        ("BID d1-14", "BIDD d1-14", "arm 'dose 10 mg, schedule BIDD d1-14'"),
        ("probability", "probabilty", "probabil"),
    ],
)
def test_what_is_misspelled_is_refused_before_the_work(samples, sweep, old, new, says):
    assert old in SWEEP
    done = sweep(text=SWEEP.replace(old, new))
    assert done.exit_code == 2 and says in done.stderr and "error" in done.stderr
    assert not (samples / "results").exists()


def test_an_interrupted_sweep_says_how_to_go_on(samples, sweep, monkeypatch):
    def stop(path, task):
        raise KeyboardInterrupt

    monkeypatch.setattr("myelosim.sweeping.block.run", stop)
    done = sweep()
    assert done.exit_code == 130 and "goes on" in done.stderr


def test_listed_with_its_command(myelosim):
    before, _, after = myelosim("scenarios").stdout.partition('"myelosim compare NAME"')
    assert "cemsidomide_sweep" in after and "cemsidomide_sweep" not in before
