"""Fits that are interrupted and go on, and fits that files describe."""

import numpy as np
import pandas as pd
import pytest
from fit_samples import FREE, OMEGA, SIGMA, fitted, model, study

import myelosim as ms
from myelosim.errors import SpecError
from myelosim.fitting.kept import Kept
from myelosim.fitting.run import intervals_of
from myelosim.spec.fits import load_fit


@pytest.fixture(scope="module")
def rows():
    return study(model(), size=6)


def poor():
    return model(**{"neutrophil.mtt": 70.0, "drug.neutrophil.slope": 0.3})


def stop_after(count):
    calls = []

    def tell(name, search):
        calls.append(name)
        if len(calls) >= count:
            raise KeyboardInterrupt

    return tell


@pytest.mark.parametrize("count", [3, 20])
def test_an_interrupted_fit_goes_on_to_the_same_optimum(rows, tmp_path, count):
    whole = fitted(poor(), rows, starts=2, covariance="none")
    kept = Kept(tmp_path / "so_far.npz")
    with pytest.raises(KeyboardInterrupt):
        fitted(poor(), rows, starts=2, covariance="none", kept=kept, tell=stop_after(count))
    kept.write()
    total, table = kept.best()
    assert total >= whole.objective - 1e-6 and set(table["name"]) >= set(FREE)
    again = Kept(tmp_path / "so_far.npz", resume=True)
    seen = []
    found = fitted(poor(), rows, starts=2, covariance="none", kept=again, tell=lambda name, search: seen.append(name))
    assert found.objective == pytest.approx(whole.objective, abs=1e-4)
    assert len(found.starts) == 2
    np.testing.assert_allclose(found.x, whole.x, atol=5e-3)
    assert len(seen) < len(whole.history)  # what was done is not done again


def test_what_is_there_must_be_of_the_same_fit(rows, tmp_path):
    path = tmp_path / "so_far.npz"
    with pytest.raises(SpecError, match="there is nothing to go on from; leave --resume out"):
        fitted(poor(), rows, kept=Kept(path, resume=True))
    with pytest.raises(KeyboardInterrupt):
        fitted(poor(), rows, kept=Kept(path), tell=stop_after(2))
    with pytest.raises(SpecError, match="is of other data, another model or other settings"):
        fitted(model(), rows, kept=Kept(path, resume=True))
    path.write_text("something else")
    with pytest.raises(SpecError, match="is no fit to go on from"):
        fitted(poor(), rows, kept=Kept(path, resume=True))


@pytest.fixture
def file(rows, tmp_path):
    rows.to_csv(tmp_path / "pilot.csv", index=False, na_rep=".")
    made = {
        "format": 1, "title": "A pilot", "model": "generic_oral_2cmt_friberg", "data": {"file": str(tmp_path / "pilot.csv")},
        "free": "listed", "options": {"starts": 1, "seed": 3},
        "estimate": {
            "neutrophil.baseline": {"omega": 0.1}, "neutrophil.mtt": {"omega": 0.04, "start": "100 h", "range": ["50 h", "200 h"]},
            "drug.neutrophil.slope": {"start": 0.5},
        },
        "residual": {"neutrophil": {"proportional": 0.15}}, "uncertainty": {"covariance": "r", "profile": ["neutrophil.mtt"]},
    }  # fmt: skip
    return made


def test_a_file_says_all_of_a_fit(file, rows):
    found = ms.run_fit(file)
    same = ms.fit(
        ms.load_model("generic_oral_2cmt_friberg").replace({"neutrophil.mtt": "100 h", "drug.neutrophil.slope": 0.5}), rows,
        omega=OMEGA, sigma=SIGMA, free=FREE, starts=1, seed=3, covariance="r",
    )  # fmt: skip
    assert found.objective == pytest.approx(same.objective, abs=1e-5)
    assert found.seed == 3 and found.uncertainty.kind == "r"
    theta = {one.name: one for one in found.problem.estimation.thetas}["neutrophil.mtt"]
    assert (theta.start, theta.low, theta.high) == (100.0, 50.0, 200.0)


def test_some_of_it_can_be_changed(file):
    point = ms.run_fit(file, evaluate_only=True, method="foce", seed=9)
    assert point.method == "foce" and point.seed == 9 and not len(point.starts)
    with pytest.raises(SpecError, match="free is what the file says; change it there"):
        ms.run_fit(file, free=["neutrophil.mtt"])


def test_profiles_that_a_file_asks_for(file):
    asked = load_fit(file)
    table = intervals_of(asked, ms.run_fit(asked))["profile"]
    assert isinstance(table, pd.DataFrame) and list(table.index) == ["neutrophil.mtt"]
    assert table["low"].iloc[0] < table["estimate"].iloc[0] < table["high"].iloc[0]
