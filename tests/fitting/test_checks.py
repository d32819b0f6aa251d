"""Prediction errors and visual checks of studies simulated from a Friberg model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import myelosim as ms
from myelosim.data.read import read
from myelosim.fitting.diagnostics import npde, npde_tests, visual_check
from myelosim.fitting.problem import Problem
from myelosim.spec.estimate import estimation

STUDIES = 100


@pytest.fixture(scope="module")
def simulated():
    """Twelve subjects at three doses, six visits: the study, and many like it."""
    model = ms.load_model("generic_oral_2cmt_friberg")
    rows = [
        row for i in range(12)
        for row in [(i, 0, (20, 40, 80)[i % 3], "."), *((i, 24 * day, ".", 4.0) for day in (0, 3, 5, 7, 10, 14))]
    ]  # fmt: skip
    study = read(pd.DataFrame(rows, columns=["ID", "TIME", "AMT", "DV"]), model)
    omega = {"neutrophil.baseline": 0.16, "neutrophil.mtt": 0.04, "drug.neutrophil.slope": 0.2}
    model, wanted = estimation(model, study.observables, omega=omega, sigma={"neutrophil.proportional": 0.2})
    problem = Problem(model, study, wanted)
    point, rng = problem.parameters.start, np.random.default_rng(3)
    z = rng.normal(size=(12, 3, 800 + STUDIES))
    f = problem.predictor.sample(point.beta, np.einsum("ef,nfk->nek", np.linalg.cholesky(point.omega), z)).T
    y = problem.likelihood.simulate(f, point.sigma, rng.normal(size=f.shape))
    return study.observations, y[STUDIES:], y[:STUDIES]


def test_npde_of_the_true_model_pass_for_normal_as_often_as_they_should(simulated):
    seen, reference, studies = simulated
    p = [npde_tests(npde(y, reference, seen.subject, seed=1)["npde"])["p"]["normality"] for y in studies]
    low, high = stats.binom.interval(0.999, STUDIES, 0.05)
    assert low <= np.sum(np.array(p) < 0.05) <= high


def test_bands_of_a_visual_check_cover(simulated):
    seen, reference, studies = simulated
    held = []
    for y in studies[:100]:
        check = visual_check(seen.time, y, reference[:500], quantiles=(0.1, 0.5, 0.9), interval=0.9)
        low, high = check.simulated.sel(band="low"), check.simulated.sel(band="high")
        held.append(float(((check.observed >= low) & (check.observed <= high)).mean()))
    assert np.mean(held) == pytest.approx(0.9, abs=4 * np.std(held) / 10)
