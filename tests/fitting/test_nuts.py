"""The joint posterior beside finite differences, and NUTS beside a closed form."""

import importlib.util
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from benchmarks.forecast import DOSE
from benchmarks.forecast import model as own_model
from scipy.stats import norm

import myelosim as ms
from myelosim.data.read import read
from myelosim.fitting.density import Density, believed, determined
from myelosim.fitting.problem import Problem
from myelosim.spec.estimate import estimation
from myelosim.spec.model import Residual

needs_nutpie = pytest.mark.skipif(importlib.util.find_spec("nutpie") is None, reason="needs nutpie")
VARY = ("neutrophil.baseline", "neutrophil.mtt", "drug.neutrophil.slope")
THETA, OMEGA, SD = (
    (np.log(5.0), 0.3),
    0.3**2,
    0.2,
)  # prior of log baseline, variance between subjects, scatter of logarithms


def problem_of(model, data, **asked):
    study = read(data, model)
    started, wanted = estimation(model, study.observables, tuple(study.values), **asked)
    return Problem(started, study, wanted, 1e-8, 1)


@pytest.fixture(scope="module")
def dosed():
    """Two subjects, two occasions, a count below the limit: everything a gradient can go through."""
    days = [0, 5, 10, 14, 18, 24]
    ds = ms.simulate(own_model(), DOSE, days=28, population=ms.Population(2, seed=2), visits=days)
    rows = []
    for who in range(2):
        rows.append({"ID": who, "TIME": 0.0, "AMT": 40.0, "II": 12.0, "ADDL": 27, "OCC": 1})
        for day, seen in zip(days, ds["observed"][who, 0].to_numpy(), strict=True):
            rows.append({"ID": who, "TIME": 24.0 * day, "DV": f"{seen}", "OCC": 1 + (day > 12)})
    rows[3]["DV"] = "<2.0"
    return pd.DataFrame(rows).assign(DVID="neutrophil")


@pytest.mark.parametrize(
    "centered", [(), (True, True, False, False), (False, False, True, True), (False, False, False, True)]
)
def test_gradient_is_that_of_the_density(dosed, centered):
    names = ["neutrophil.baseline", "neutrophil.mtt"]
    problem = problem_of(
        own_model(), dosed, omega=(names, np.array([[0.1, 0.02], [0.02, 0.04]])), iov={"drug.neutrophil.slope": 0.05},
        priors={"neutrophil.mtt": {"mean": 110.0, "sd_log": 0.15}},
    )  # fmt: skip
    density = Density(problem, np.array(centered, bool))
    assert density.size == 4 + 3 + 1 + 1 + 2 * (2 + 2)
    rng = np.random.default_rng(4)
    q = np.concatenate([problem.parameters.pack(problem.parameters.start), np.zeros(8)]) + 0.2 * rng.normal(
        size=density.size
    )
    gradient = density.value(q)[1]
    for k, own in enumerate(gradient):
        step = 1e-4 * (np.arange(len(q)) == k)
        slope = (density.value(q + step)[0] - density.value(q - step)[0]) / 2e-4
        assert own == pytest.approx(slope, rel=1e-5, abs=1e-5), (k, density.problem.parameters.names)


@pytest.mark.parametrize("centered", [False, True])
def test_centered_or_not_the_density_is_the_same(straight, centered):
    """It is that of the data given the effects, times those of effects and priors; z brings the Jacobian of b = L z with it."""
    model, data, y = straight
    problem = problem_of(model, data, free=["neutrophil.baseline"], omega={"neutrophil.baseline": OMEGA})
    density = Density(problem, np.array([centered]))
    values = []
    for log_sd in (-1.5, -0.7):
        x, b = np.array([np.log(4.2), log_sd, np.log(SD)]), np.linspace(-0.3, 0.4, 4)[:, None]
        off = ((x - density.believed.mean) / density.believed.sd) ** 2
        wanted = norm.logpdf(y, x[0] + b, SD).sum() + norm.logpdf(b, 0.0, np.exp(log_sd)).sum() - off.sum() / 2
        values.append(density.value(density.join(x, b))[0] - wanted - (0.0 if centered else 4 * log_sd))
    assert values[0] == pytest.approx(values[1], abs=1e-6)


def test_what_the_data_determine_is_centered():
    covariance = np.array([[0.1, 0.02, 0.0], [0.02, 0.1, 0.0], [0.0, 0.0, 0.1]])
    said = np.linalg.inv(covariance) + np.diag([1000.0, 1000.0, 1.0])
    assert determined(covariance, said[None]).tolist() == [True, True, False]


@pytest.mark.parametrize("centered", [(), (True, True, True)])
def test_random_effects_come_back(dosed, centered):
    density = Density(problem_of(own_model(), dosed, omega=dict.fromkeys(VARY[:3], 0.1)), np.array(centered, bool))
    x = density.problem.parameters.pack(density.problem.parameters.start)
    b = np.random.default_rng(1).normal(size=(2, density.problem.predictor.mixed.random))
    assert np.allclose(density.state(density.join(x, b)).b, b)


def test_where_nothing_can_be_predicted_the_density_is_zero(dosed):
    density = Density(problem_of(own_model(), dosed))
    value, gradient = density.value(np.full(density.size, np.nan))
    assert value == -np.inf and not gradient.any()


def test_thetas_without_a_prior_get_a_weak_one(dosed):
    problem = problem_of(own_model(), dosed, priors={"neutrophil.mtt": {"mean": 110.0, "sd_log": 0.15}})
    priors = believed(problem)
    k = problem.parameters.names.index("neutrophil.mtt")
    assert "neutrophil.mtt" not in priors.usual and "neutrophil.baseline" in priors.usual
    assert priors.mean[k] == pytest.approx(np.log(110.0)) and priors.sd[k] == pytest.approx(0.15)
    theta = problem.estimation.thetas[0]
    assert priors.sd[0] == pytest.approx(np.log(theta.high / theta.start) / 2, rel=0.01)


@pytest.fixture(scope="module")
def straight():
    """Without drug a count is the baseline: log y = theta + eta + error, all normal."""
    rng = np.random.default_rng(8)
    y = np.log(4.0) + 0.3 * rng.normal(size=(4, 1)) + SD * rng.normal(size=(4, 5))
    rows = [{"ID": i, "TIME": 24.0 * j, "DV": np.exp(y[i, j])} for i in range(4) for j in range(5)]
    model = replace(own_model(), residual={"neutrophil": Residual("log_normal", {"log_sd": SD})})
    return model, pd.DataFrame(rows).assign(DVID="neutrophil"), y


@needs_nutpie
def test_samples_are_those_of_the_closed_form(straight):
    model, data, y = straight
    fit = ms.fit(
        model, data, method="nuts", free=["neutrophil.baseline"], priors={"neutrophil.baseline": {"mean": 5.0, "sd_log": 0.3}},
        omega={"neutrophil.baseline": {"variance": OMEGA, "fixed": True}},
        sigma={"neutrophil.log_sd": {"start": SD, "fixed": True}}, options={"draws": 500, "tune": 200, "chains": 2}, seed=3,
    )  # fmt: skip
    each = 1.0 / (OMEGA + SD**2 / 5)  # precision of a subject's mean about theta
    precision = THETA[1] ** -2 + 4 * each
    mean = (THETA[0] * THETA[1] ** -2 + each * y.mean(axis=1).sum()) / precision
    theta = np.log(fit.posterior["posterior"]["theta"].sel(parameter="neutrophil.baseline"))
    assert float(theta.mean()) == pytest.approx(mean, abs=0.03)  # five standard errors
    assert float(theta.std()) == pytest.approx(precision**-0.5, rel=0.12)
    own = fit.posterior["posterior"]["b"].sel(eta="neutrophil.baseline", subject="2")
    share = OMEGA * each
    assert float(own.mean()) == pytest.approx(share * (y[2].mean() - mean), abs=0.03)
    assert float(np.sqrt(fit.cov.iloc[0, 0])) == pytest.approx(precision**-0.5, rel=0.12)
    assert fit.theta["neutrophil.baseline"] == pytest.approx(np.exp(mean), rel=0.03)
    assert set(fit.posterior.children) == {
        "posterior", "sample_stats", "observed_data", "log_likelihood", "posterior_predictive",
    }  # fmt: skip
    ahead = fit.posterior["posterior_predictive"]["observed"]
    assert float(np.log(ahead).std()) == pytest.approx(y.std(), rel=0.35)
    log = fit.posterior["log_likelihood"]["observed"]
    z = (y[0, 0] - theta - fit.posterior["posterior"]["b"].sel(eta="neutrophil.baseline", subject="0")) / SD
    first = -0.5 * z**2 - np.log(SD * np.sqrt(2 * np.pi)) - y[0, 0]
    assert np.allclose(log.isel(observation=0), first, atol=1e-6)
    assert "neutrophil.baseline: normal(1.609, 0.3)" in fit.posterior["posterior"].attrs["priors"]
    assert fit.posterior["sample_stats"].attrs["rhat"] < 1.05
    assert "usual prior" not in [one.code for one in fit.warnings] and fit.method == "nuts"


@needs_nutpie
def test_few_draws_are_said_to_be_few(straight):
    model, data, _ = straight
    fit = ms.fit(model, data, method="nuts", free=["neutrophil.baseline"], omega={"neutrophil.baseline": OMEGA},
                 options={"draws": 20, "tune": 30, "chains": 1})  # fmt: skip
    assert {"chains", "effective samples", "usual prior"} <= {one.code for one in fit.warnings}
    assert fit.posterior["posterior"]["omega"].std() > 0


def test_what_it_cannot_do_is_refused(straight, monkeypatch):
    model, data, _ = straight
    with pytest.raises(ms.SpecError, match="evaluate_only: nuts has no objective"):
        ms.fit(model, data, method="nuts", evaluate_only=True)
    monkeypatch.setitem(__import__("sys").modules, "nutpie", None)
    with pytest.raises(ms.SpecError, match=r"pip install \"myelosim\[bayes\]\""):
        ms.fit(model, data, method="nuts", free=["neutrophil.baseline"], omega={"neutrophil.baseline": OMEGA})
