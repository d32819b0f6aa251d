"""Intervals of a model whose likelihood is known in closed form: repeated counts of animals without a drug.

The logarithm of a count is that of the baseline, plus an eta, plus an error: balanced one-way analysis of variance. With N
animals of m counts each, sums of squares B between and W within, L = sigma^2 + m omega^2,

    U = N (m - 1) log sigma^2 + N log L + W / sigma^2 + (B + m N (mean - mu)^2) / L.
"""

from __future__ import annotations

import warnings
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

import myelosim as ms
from myelosim.errors import ConvergenceError, SpecError
from myelosim.fitting.fit import METHODS
from myelosim.fitting.sir import sir

N, M = 10, 4
BASELINE, OMEGA, SIGMA = "neutrophil.baseline", "omega neutrophil.baseline", "neutrophil.log_sd"
Q = stats.chi2.ppf(0.9, 1)


def logs(seed=3):
    rng = np.random.default_rng(seed)
    return np.log(1.5) + rng.normal(0, 0.35, (N, 1)) + rng.normal(0, 0.3, (N, M))


def sums(y):
    means = y.mean(axis=1)
    return y.mean(), M * np.sum((means - y.mean()) ** 2), np.sum((y - means[:, None]) ** 2)


def fitted(y, **settings):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        model = ms.load_model("asciminib_illustrative_rodent", species="rat")
    frame = pd.DataFrame(
        {
            "ID": np.repeat(np.arange(N) + 1, M), "TIME": np.tile(np.arange(M) * 72.0, N), "DV": np.exp(y).ravel(),
            "DVID": "neutrophil", "EVID": 0,
        }
    )  # fmt: skip
    return ms.fit(model, frame, free=[BASELINE], omega={BASELINE: 0.1}, sigma={SIGMA: 0.3}, starts=1, **settings)


@pytest.fixture(scope="module")
def y():
    return logs()


@pytest.fixture(scope="module")
def fit(y):
    return fitted(y)


def test_the_optimum_and_its_information_are_those_of_the_analysis_of_variance(fit, y):
    mean, between, within = sums(y)
    sigma2, big = within / (N * (M - 1)), between / N
    assert np.log(fit.theta[BASELINE]) == pytest.approx(mean, abs=1e-4)
    assert fit.omega.loc[BASELINE, BASELINE] == pytest.approx((big - sigma2) / M, rel=2e-3)
    assert fit.sigma[SIGMA] ** 2 == pytest.approx(sigma2, rel=2e-3)
    # Of mu it is m N / L; of log omega and log sigma from L and sigma^2, about which it is N / 2 L^2 and N (m - 1) / 2 sigma^4.
    of_mu = M * N / big
    slopes = np.array([[2 * (big - sigma2), 2 * sigma2], [0.0, 2 * sigma2]])
    others = slopes.T @ np.diag([N / (2 * big**2), N * (M - 1) / (2 * sigma2**2)]) @ slopes
    np.testing.assert_allclose(fit.uncertainty.r[0, 0], of_mu, rtol=2e-3)
    np.testing.assert_allclose(fit.uncertainty.r[1:, 1:], others, rtol=5e-3, atol=0.05)
    np.testing.assert_allclose(fit.uncertainty.r[0, 1:], 0.0, atol=0.05)


def test_wald_is_what_the_covariance_says(fit):
    table = fit.intervals("wald", level=0.95)
    half = 1.959964 * np.sqrt(fit.cov.loc[BASELINE, BASELINE])
    assert np.log(table.loc[BASELINE, "high"] / fit.theta[BASELINE]) == pytest.approx(half, rel=1e-4)
    assert list(table.index) == [BASELINE, OMEGA, SIGMA]
    own = fit.table.set_index(["name", "scale"])
    assert fit.intervals("wald").loc[OMEGA, "low"] == pytest.approx(own.loc[(OMEGA, "variance"), "low"], rel=1e-6)


def test_profiles_end_where_the_objective_has_risen_to_the_quantile(fit, y):
    mean, between, within = sums(y)
    table = fit.intervals("profile")
    half = np.sqrt(between / (M * N) * (np.exp(Q / N) - 1))
    ends = np.log(table.loc[BASELINE, ["low", "high"]].astype(float))
    np.testing.assert_allclose(ends, mean + half * np.array([-1, 1]), atol=3e-3)

    def held(omega2):
        def u(log_s2):
            s2 = np.exp(log_s2)
            big = s2 + M * omega2
            return N * (M - 1) * log_s2 + N * np.log(big) + within / s2 + between / big

        return optimize.minimize_scalar(u, bracket=(-4, -2)).fun

    best = fit.omega.loc[BASELINE, BASELINE]
    for end, bracket in (("low", (1e-6, best)), ("high", (best, 40 * best))):
        edge = optimize.brentq(lambda w: held(w) - held(best) - Q, *bracket)
        assert table.loc[OMEGA, end] == pytest.approx(edge, rel=0.02)
    assert table.attrs["unbounded"] == [] and table.attrs["better"] == 0.0


def test_an_adjusted_profile_counts_one_animal_less(fit, y):
    """With the measure flat in omega the variance between animals is about that of restricted likelihood, B / (N - 1)."""
    mean, between, _ = sums(y)
    table = fit.intervals("profile", parameters=[BASELINE], adjusted=True)
    half = np.sqrt(between / (M * N) * (np.exp(Q / (N - 1)) - 1))
    ends = np.log(table.loc[BASELINE, ["low", "high"]].astype(float))
    np.testing.assert_allclose(ends, mean + half * np.array([-1, 1]), atol=3e-3)
    assert table.attrs["adjusted"]


def test_a_profiles_curve_can_be_drawn(fit):
    table = fit.intervals("profile", parameters=[BASELINE])
    curve = pd.DataFrame(table.attrs["curve"])
    assert list(curve.columns) == ["theta", "value", "difference", "unit"]
    assert curve["value"].is_monotonic_increasing and curve["difference"].min() == 0.0
    inside = curve[curve["difference"] < 0.9 * Q]
    assert table.loc[BASELINE, "low"] < inside["value"].min() and inside["value"].max() < table.loc[BASELINE, "high"]


def test_an_end_that_the_data_do_not_set_is_open():
    """Animals that differ little more than by their errors: the variance may as well be zero."""
    own = logs() - logs().mean(axis=1, keepdims=True)
    fit = fitted(own + 0.25 * np.linspace(-1, 1, N)[:, None])
    table = fit.intervals("profile", parameters=[OMEGA])
    assert table.loc[OMEGA, "low"] == 0.0 and np.isfinite(table.loc[OMEGA, "high"])
    assert table.attrs["unbounded"] == [f"{OMEGA} (low)"]


class Analytical:
    """The objective as the sums of squares give it, at (mu, log omega, log sigma)."""

    def __init__(self, y):
        self.mean, self.between, self.within = sums(y)

    def value(self, x):
        s2 = np.exp(2 * x[2])
        big = s2 + M * np.exp(2 * x[1])
        around = self.between + M * N * (self.mean - x[0]) ** 2
        return SimpleNamespace(total=N * (M - 1) * np.log(s2) + N * np.log(big) + self.within / s2 + around / big)


def test_the_objective_is_the_analytical_one(fit, y):
    ours, known = METHODS["focei"](fit.problem, b=fit.b), Analytical(y)
    for move in ([0.3, -1.0, 0.2], [-0.5, 0.7, -0.3], [0.0, -4.0, 0.0]):
        x = fit.x + np.array(move)
        rise, exact = (one.value(x).total - one.value(fit.x).total for one in (ours, known))
        assert rise == pytest.approx(exact, abs=1e-5)


def test_sir_agrees_with_the_integral(fit, y):
    """Posterior flat in mu, omega and log sigma, by quadrature over the last two; mu is then a mixture of normals."""
    mean, between, within = sums(y)
    log_w, log_s = np.meshgrid(np.linspace(-6.0, 1.5, 500), np.linspace(-2.0, -0.4, 300), indexing="ij")
    s2 = np.exp(2 * log_s)
    big = s2 + M * np.exp(2 * log_w)
    log_p = -(N * (M - 1) * np.log(s2) + (N - 1) * np.log(big) + within / s2 + between / big) / 2 + log_w
    p = np.exp(log_p - log_p.max())
    p /= p.sum()

    def above(x):
        return np.sum(p * stats.norm.sf((x - mean) / np.sqrt(big / (M * N)))) - 0.05

    def quantile(values, q):
        order = np.argsort(values, axis=None)
        return np.interp(q, np.cumsum(p.ravel()[order]), values.ravel()[order])

    far = optimize.brentq(above, mean, mean + 2.0) - mean
    exact = [[mean - far, *(quantile(one, 0.05) for one in (log_w, log_s))],
             [mean + far, *(quantile(one, 0.95) for one in (log_w, log_s))]]  # fmt: skip
    found = sir(Analytical(y), fit.x, np.linalg.inv(fit.uncertainty.r), fit.problem.parameters, 1, samples=8192)
    np.testing.assert_allclose(found.quantiles(lambda x: x, 0.9), exact, atol=0.03)
    assert found.effective[-1] > 4096 and found.degrees[-1] == pytest.approx(3.5, abs=0.3)
    table = fit.intervals("sir", samples=128, rounds=1, seed=4)
    rough = [np.exp(np.array(one) * [1, 2, 1]) for one in exact]
    np.testing.assert_allclose(table[["low", "high"]].to_numpy().T, rough, rtol=0.25)
    assert table.attrs["samples"] == 128 and len(table.attrs["effective"]) == 1
    pd.testing.assert_frame_equal(fit.intervals("sir", samples=128, rounds=1, seed=4), table)


def test_sir_goes_on_until_its_draws_fit(fit, y):
    """From far too narrow a proposal; one round is worth nothing, and says so."""
    narrow = np.linalg.inv(fit.uncertainty.r) / 400
    with pytest.raises(ConvergenceError, match="after 1 rounds of 64 draws the weights are worth"):
        sir(Analytical(y), fit.x, narrow / 400, fit.problem.parameters, 1, samples=64, rounds=1)
    found = sir(Analytical(y), fit.x, narrow, fit.problem.parameters, 1, samples=2048)
    assert len(found.effective) > 1 and found.effective[-1] > 1024 > found.effective[0]


def test_what_cannot_be_is_refused(fit):
    with pytest.raises(SpecError, match="allowed: wald, profile, sir, bootstrap"):
        fit.intervals("likelihood")
    with pytest.raises(SpecError, match="level is 90; it must be between 0 and 1"):
        fit.intervals(level=90)
    with pytest.raises(SpecError, match=f"'neutrophil.mtt' is not estimated; there are: {BASELINE}"):
        fit.intervals(parameters=["neutrophil.mtt"])
    bare = fitted(logs(), covariance="none")
    for method in ("wald", "profile"):
        with pytest.raises(SpecError, match="fit with covariance="):
            bare.intervals(method)
