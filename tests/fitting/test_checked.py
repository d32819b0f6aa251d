"""Residuals, curves and simulations of a fit against what they must be."""

import numpy as np
import pandas as pd
import pytest
from fit_samples import OMEGA, SIGMA, fitted, model, study

from myelosim.fitting import checked
from myelosim.fitting.curves import curves
from myelosim.fitting.diagnostics import npde_tests


@pytest.fixture(scope="module")
def true():
    """The model with what it was simulated from."""
    return fitted(
        model(**{"neutrophil.baseline": 5.0}),
        study(model(), size=40),
        sigma={"neutrophil.proportional": 0.2},
        evaluate_only=True,
    )


def test_residuals_of_the_true_model_are_standard_normal(true):
    rows = true.residuals()
    assert len(rows) == len(true.study.observations) == 360
    np.testing.assert_allclose(rows["iwres"], (rows["value"] / rows["individual"] - 1.0) / 0.2, rtol=1e-6)
    assert abs(rows["cwres"].mean()) < 0.15 and abs(rows["cwres"].std() - 1.0) < 0.1
    typical = true.problem.predictor.predict(true.point.beta, np.zeros_like(true.b))
    np.testing.assert_allclose(rows["population"], typical)


def test_simulations_have_the_spread_of_the_model(true):
    first = true.simulate(400, seed=3)
    assert first.shape == (400, 360)
    at_start = true.study.observations.time == 0
    spread = np.log(first[:, at_start])
    assert spread.std() == pytest.approx(np.sqrt(OMEGA["neutrophil.baseline"] + np.log1p(0.2**2)), rel=0.02)
    assert np.exp(spread.mean()) == pytest.approx(5.0 / np.sqrt(1.04), rel=0.01)
    apart = np.corrcoef(spread[:, :2].T)[0, 1]
    assert abs(apart) < 0.15


def test_a_simulation_is_the_same_in_any_company(true, monkeypatch):
    whole = true.simulate(7, seed=5)
    monkeypatch.setattr(checked, "TOGETHER", 2 * 360)
    np.testing.assert_allclose(true.simulate(7, seed=5), whole, rtol=1e-5)
    np.testing.assert_allclose(true.simulate(3, seed=5), whole[:3], rtol=1e-5)
    assert not np.allclose(true.simulate(3, seed=6), whole[:3])


def test_checks_of_the_true_model_pass(true):
    check = true.visual_check(n=200, seed=1)
    observed, simulated = check["observed"].isel(group=0), check["simulated"].isel(group=0)
    inside = (observed >= simulated.sel(band="low")) & (observed <= simulated.sel(band="high"))
    assert inside.mean() > 0.75
    corrected = true.visual_check(n=200, seed=1, corrected=True)
    assert corrected.attrs["prediction_corrected"] == 1
    assert npde_tests(true.npde(n=300, seed=2)["npde"]).loc["global", "p"] > 0.01


def test_shrinkage_is_of_those_observed(true):
    table = true.shrinkage
    assert list(table.index) == list(OMEGA)
    assert table.loc["neutrophil.baseline", "sd"] < 0.3


def test_curves_go_through_the_predictions(true):
    found, rows = curves(true), true.residuals()
    both = rows.merge(found, on=["subject", "observable", "time"], suffixes=("", "_curve"))
    both = both[both["time"] > 0]
    assert len(both) == 320
    np.testing.assert_allclose(both["individual_curve"], both["individual"], rtol=1e-5)
    np.testing.assert_allclose(both["population_curve"], both["population"], rtol=1e-5)
    assert found.groupby("subject")["time"].max().tolist() == [22 * 24.0] * 40


def test_curves_reach_the_peaks_of_exposure():
    rows = pd.DataFrame({"ID": 1, "TIME": [0.0, 480.0], "AMT": [60, 0], "DV": [".", 5.0]})
    fit = fitted(model(), rows, omega={"neutrophil.baseline": 0.1}, sigma=SIGMA, evaluate_only=True)
    found = curves(fit, ["drug"])
    assert found["time"].iloc[found["individual"].argmax()] == pytest.approx(2.0)
    assert set(found["observable"]) == {"drug"}
