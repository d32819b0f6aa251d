"""``myelosim fit``."""

import json
import signal
import subprocess
import sys
import warnings

import pytest

import myelosim as ms
from myelosim.cli.fit import Watch
from myelosim.writing import IN_USE, alone

USUAL = ["--model", "generic_oral_2cmt_friberg", "--starts", "1", "--covariance", "none", "--no-figure"]
FREE = ["--free", "neutrophil.baseline", "--free", "neutrophil.mtt"]
FILE = """\
format = 1
title = "A [bold] pilot"
model = "generic_oral_2cmt_friberg"
data = { file = "pilot.csv" }
free = "listed"
[options]
starts = 1
[uncertainty]
covariance = "r"
[estimate]
"neutrophil.baseline" = { omega = 0.1 }
"neutrophil.mtt" = { start = "100 h" }
[residual]
neutrophil = { proportional = 0.2 }
"""


@pytest.fixture(scope="module")
def rows():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        ds = ms.simulate(
            ms.load_model("generic_oral_2cmt_friberg"), "drug 40 mg BID d1-4", days=28, population=ms.Population(5, seed=1),
            visits=[0, 5, 9, 13, 20],
        )  # fmt: skip
    return ms.to_events(ds).drop(columns=["CMT", "YTYPE"])


@pytest.fixture
def pilot(samples, rows):
    rows.to_csv(samples / "pilot.csv", index=False, na_rep=".")
    (samples / "pilot.toml").write_text(FILE)
    return samples


def test_data_and_a_model_are_enough(pilot, myelosim):
    done = myelosim("fit", "pilot.csv", *USUAL, *FREE)
    assert done.exit_code == 0, done.stderr
    for part in ("5 subjects", "25 of neutrophil", "Every row was taken as it stands", "Typical values", "Warnings", "one_start",
                 "written: results/pilot/", "Taken for granted"):  # fmt: skip
        assert part in done.stdout
    folder = pilot / "results" / "pilot"
    assert {path.name for path in folder.iterdir()} >= {"summary.txt", "model.toml", "fit.json", "fit.ext", "fit.phi"}
    assert not (folder / "so_far.npz").exists() and not (folder / "figures").exists()
    assert (folder / "summary.txt").read_text().splitlines()[0] in done.stdout


def test_a_file_says_it_all(pilot, myelosim):
    done = myelosim("fit", "pilot.toml", "--no-figure")
    assert done.exit_code == 0, done.stderr
    told = json.loads((pilot / "results" / "pilot" / "fit.json").read_text())
    assert told["fit_file"] == str(pilot / "pilot.toml") and told["method"] == "focei"
    assert myelosim("fit", "pilot.toml", "--no-figure", "--seed", 5).exit_code == 0  # its own is replaced


def test_evaluate_only(pilot, myelosim):
    done = myelosim("fit", "pilot.toml", "--evaluate-only", "--no-figure", "--out", "point")
    assert done.exit_code == 0 and "evaluated, not searched for" in done.stdout
    assert (pilot / "point" / "summary.txt").exists()


def test_interrupted_it_leaves_the_best_and_goes_on(pilot, myelosim, monkeypatch):
    calls = []

    def stop(self, name, search):
        calls.append(name)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Watch, "__call__", stop)
        ended = myelosim("fit", "pilot.csv", *USUAL, *FREE)
    assert ended.exit_code == 130 and "--resume goes on" in ended.stderr
    assert "neutrophil.mtt" in (pilot / "results" / "pilot" / "so_far.csv").read_text()
    assert not (pilot / "results" / "pilot" / "fit.json").exists()
    done = myelosim("fit", "pilot.csv", *USUAL, *FREE, "--resume")
    assert done.exit_code == 0, done.stderr
    assert not (pilot / "results" / "pilot" / "so_far.csv").exists()


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ((), "no iteration had ended yet, so there is nothing to go on from"),
        (("--method", "saem"), "a fit by saem keeps nothing on the way"),
        (("--evaluate-only",), "an evaluation keeps nothing on the way"),
    ],
)
def test_interrupted_too_early_it_says_so(pilot, myelosim, monkeypatch, how, said):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("myelosim.fitting.run.run_fit", stop)
    ended = myelosim("fit", "pilot.csv", *USUAL, *FREE, *how)
    assert ended.exit_code == 130 and f"interrupted; nothing was written: {said}" in ended.stderr
    assert not (pilot / "results").exists()


def test_two_at_once_in_one_folder(pilot, myelosim):
    with alone(pilot / "results" / "pilot"):
        ended = myelosim("fit", "pilot.csv", *USUAL, *FREE, "--evaluate-only")
    assert ended.exit_code == 2 and "another process is at work there" in ended.stderr
    done = myelosim("fit", "pilot.csv", *USUAL, *FREE, "--evaluate-only")
    assert done.exit_code == 0, done.stderr
    assert not (pilot / "results" / "pilot" / IN_USE).exists()


@pytest.mark.skipif(sys.platform == "win32", reason="processes are ended by signals")
def test_a_process_that_dies_gives_its_folder_free(tmp_path):
    holds = (
        "import os, signal\nfrom pathlib import Path\nfrom myelosim.writing import alone\n"
        f"with alone(Path({str(tmp_path)!r})):\n    os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", holds], check=False).returncode == -signal.SIGKILL
    assert (tmp_path / IN_USE).exists()
    with alone(tmp_path):
        pass
    assert not (tmp_path / IN_USE).exists()


def test_what_a_user_can_mend(pilot, myelosim):
    (pilot / "zero.csv").write_text("ID,TIME,AMT,DV\n1,0,40,.\n1,120,.,3\n1,144,.,0\n1,148,.,3\n")
    zero = FILE.replace("pilot.csv", "zero.csv").replace("proportional = 0.2", "log_sd = 0.2")
    (pilot / "zero.toml").write_text(zero)
    cases = {
        ("fit", "pilot.csv"): "which model? Give --model NAME",
        ("fit", "none.csv", *USUAL): "none.csv: there is no such file, and no fit of that name",
        ("fit", "nothing.toml"): "nothing.toml: there is no such file",
        ("fit", "pilot.toml", "--free", "neutrophil.mtt"): "--free is what pilot.toml says; change it there",
        ("fit", "pilot.toml", "--method", "fcei"): "there is no method 'fcei'",
        ("fit", "pilot.toml", "--covariance", "x"): "covariance: 'x' is not known; allowed: auto, sandwich, r, s, none",
        ("fit", "pilot.csv", *USUAL, "--resume"): "there is nothing to go on from",
        ("fit", "pilot.csv", *USUAL, "--free", "neutrophil.mt"): "neutrophil.mtt",
        ("fit", "pilot.csv", *USUAL, "--column", "ID=animal"): "animal",
        ("fit", "pilot.csv", *USUAL, "--priors", "much"): "'much' is no prior",
        ("fit", "pilot.toml", "--starts", "0"): "must be 1 or more",
        ("fit", "zero.toml"): "row 3: neutrophil: a value of 0 has no chance at all",
        ("fit", "pilot.csv", *USUAL, "--column", "ID"): "write --column NAME=VALUE, e.g. ID=animal",
        ("fit", "pilot.csv", *USUAL, "--blq", "m2"): "'m2' is not known",
        ("fit", "pilot.toml", "--resume", "--evaluate-only"): "--evaluate-only contradicts; leave one of them out",
        ("fit", "pilot.toml", "--resume", "--overwrite"): "--overwrite contradicts; leave one of them out",
        ("fit", "pilot.toml", "--resume", "--method", "saem"): "a fit by saem keeps nothing to go on from",
    }
    for line, said in cases.items():
        ended = myelosim(*line)
        assert ended.exit_code == 2 and said in ended.stderr, (line, ended.stderr)
        assert "SHA-256" not in ended.stdout, (line, "the data are listed before it is said")
    assert not (pilot / "results").exists()


def test_another_fit_in_the_folder_is_not_replaced(pilot, myelosim):
    assert myelosim("fit", "pilot.toml", "--evaluate-only", "--no-figure").exit_code == 0
    ended = myelosim("fit", "pilot.csv", *USUAL, "--evaluate-only")
    assert ended.exit_code == 2 and "holds the fit of" in ended.stderr and "--overwrite" in ended.stderr


class Search:
    def __init__(self, left, total=100.0):
        self.left, self.value = left, type("Value", (), {"total": total})


def test_progress_says_how_far_and_how_long():
    told = []
    watch = Watch(lambda what, share: told.append((what, share)), None)
    watch("start 1", Search(1.0))
    watch("start 1", Search(1e-3))
    watch("start 1", Search(1e-2))  # what was gained stays gained
    watch("start 2", Search(1e-5))
    assert [share for _, share in told[:3]] == pytest.approx([0.0, 1 / 6, 1 / 6])
    assert told[1][0].startswith("start 1 of 3, objective 100.000, about 0 s left")
    watch("start 4", Search(1.0))
    assert told[-1][1] == pytest.approx(3 / 4)
    watch("agq", Search(1.0))
    assert told[-1] == ("agq, objective 100.000", 1.0)
