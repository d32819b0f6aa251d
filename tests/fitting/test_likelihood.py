"""The likelihood: derivatives are those of the loss, losses those of the densities, and no row breaks it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from myelosim.components.contract import Values
from myelosim.components.residuals import KINDS
from myelosim.data.study import ABOVE, BELOW, MEASURED
from myelosim.errors import DataError, SpecError
from myelosim.fitting import tail
from myelosim.fitting.likelihood import Likelihood
from myelosim.spec.estimation import Sigma
from myelosim.spec.model import Residual

TERMS = {
    "proportional": {"proportional": 0.25},
    "additive": {"additive": 0.4},
    "combined": {"additive": 0.2, "proportional": 0.25},
    "log_normal": {"log_sd": 0.3},
    "box_cox": {"sd": 0.25, "exponent": 0.2},
    "counting": {"cells": 100.0, "fraction": 0.15, "proportional": 0.05},
    "student": {"proportional": 0.2, "additive": 0.1, "df": 5.0},
}
SCALES = {"fraction": "logit", "exponent": "identity"}
MARKS = (MEASURED, BELOW, ABOVE)
PREDICTED = np.array([0.9, 2.3, 4.1])
OBSERVED = np.array([1.2, 1.7, 4.6])


def likelihood(kind, mark, y=OBSERVED, blq="m3"):
    sigmas = [Sigma(f"platelet.{term}", value, SCALES.get(term, "log")) for term, value in TERMS[kind].items()]
    residual = {"platelet": Residual(kind, {}), "other": Residual("additive", {"additive": 1.0})}
    sigmas.insert(0, Sigma("other.additive", 1.0, "log"))
    return (
        Likelihood(["platelet"] * len(y), y, [mark] * len(y), residual, sigmas, blq),
        np.array([1.0, *TERMS[kind].values()]),
    )


def moved(rows, sigma, place, by):
    """Return sigma with one term moved on its own scale."""
    out, value = sigma.astype(np.result_type(sigma, by)), sigma[place]
    scale = rows.sigmas[place].scale
    to = {
        "log": lambda: value * np.exp(by),
        "logit": lambda: 1 / (1 + (1 - value) / value * np.exp(-by)),
        "identity": lambda: value + by,
    }
    out[place] = to[scale]()
    return out


def estimated(rows, kind):
    """Return the places of terms that a derivative exists by."""
    chosen = getattr(KINDS[kind], "FIXED", ())
    return [i for i, one in enumerate(rows.sigmas) if one.name.split(".")[1] not in chosen]


def slope(function, kind):
    """Return a derivative at zero: by complex step, or by differences of fourth order where numbers must be real."""
    if KINDS[kind].DISTRIBUTION == "normal":
        return np.imag(function(1e-6j)) / 1e-6
    h = 1e-3
    return (8 * (function(h) - function(-h)) - function(2 * h) + function(-2 * h)) / (12 * h)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("kind", KINDS)
def test_derivatives_are_those_of_loss_and_weight(kind, mark, frozen):
    rows, sigma = likelihood(kind, mark)
    at = np.array([1.1, 2.0, 4.4]) if frozen else None
    found = rows.rows(PREDICTED, sigma, at=at)

    def check(got, function):
        np.testing.assert_allclose(got, slope(function, kind), rtol=1e-8, atol=1e-9)

    np.testing.assert_allclose(found.loss, rows.loss(PREDICTED, sigma, at=at), rtol=1e-15)
    check(found.loss_f, lambda h: rows.loss(PREDICTED + h, sigma, at=at))
    check(found.loss_ff, lambda h: rows.rows(PREDICTED + h, sigma, at=at).loss_f)
    check(found.weight_f, lambda h: rows.rows(PREDICTED + h, sigma, at=at).weight)
    for i in estimated(rows, kind):
        check(found.loss_s[:, i], lambda h, i=i: rows.loss(PREDICTED, moved(rows, sigma, i, h), at=at))
        check(found.loss_fs[:, i], lambda h, i=i: rows.rows(PREDICTED, moved(rows, sigma, i, h), at=at).loss_f)
        check(found.weight_s[:, i], lambda h, i=i: rows.rows(PREDICTED, moved(rows, sigma, i, h), at=at).weight)
    if frozen:
        check(found.loss_0, lambda h: rows.loss(PREDICTED, sigma, at=at + h))
        check(found.loss_f0, lambda h: rows.rows(PREDICTED, sigma, at=at + h).loss_f)
        check(found.weight_0, lambda h: rows.rows(PREDICTED, sigma, at=at + h).weight)
    else:
        assert not (found.loss_0.any() or found.loss_f0.any() or found.weight_0.any())


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_the_density_less_the_constant(kind):
    rows, sigma = likelihood(kind, MEASURED)
    expected = KINDS[kind].log_density(OBSERVED, PREDICTED, Values(**TERMS[kind])) + 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(rows.loss(PREDICTED, sigma), -expected, rtol=1e-13)


@pytest.mark.parametrize("kind", KINDS)
def test_a_censored_row_is_the_integral_of_the_density(kind):
    module, p = KINDS[kind], Values(**TERMS[kind])
    limit, f = 1.7, 2.3
    low, high = module.sample(f, np.array([-4.5 if kind == "box_cox" else -8.0, 8.0]), p)
    low = max(low, 0.0) if kind == "counting" else low

    def area(a, b):
        return integrate.quad(lambda y: np.exp(module.log_density(y, f, p)), a, b, epsabs=1e-12, limit=200)[0]

    for mark, chance in ((BELOW, area(low, limit)), (ABOVE, area(limit, high))):
        rows, sigma = likelihood(kind, mark, np.array([limit]))
        # counting none has a chance of its own, which the density leaves out
        assert rows.loss([f], sigma)[0] == pytest.approx(-np.log(chance), rel=2e-3 if kind == "counting" else 3e-5)


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_no_row_are_negative_and_m1_leaves_censored_ones_out(kind, mark):
    rows, sigma = likelihood(kind, mark)
    assert np.all(
        rows.rows(PREDICTED, sigma).weight > 0 if mark == MEASURED else rows.rows(PREDICTED, sigma).weight >= 0
    )
    rows, sigma = likelihood(kind, mark, blq="m1")
    found = rows.rows(PREDICTED, sigma)
    assert bool(found.loss.any()) == bool(found.weight.any()) == (mark == MEASURED)


def test_the_weight_of_a_measured_row_is_the_expected_curvature():
    z = np.linspace(-8, 8, 2001)
    for kind in ("proportional", "combined", "log_normal"):
        y = KINDS[kind].sample(2.0, z, Values(**TERMS[kind]))
        y = np.maximum(y, 1e-12) if kind == "log_normal" else y
        rows, sigma = likelihood(kind, MEASURED, y)
        found = rows.rows(np.full(len(z), 2.0), sigma)
        assert found.weight[0] == pytest.approx(integrate.trapezoid(found.loss_ff * stats.norm.pdf(z), z), rel=1e-9)


def test_the_weight_of_a_censored_row_is_its_curvature_where_scatter_is_constant():
    for mark in (BELOW, ABOVE):
        rows, sigma = likelihood("additive", mark)
        found = rows.rows(PREDICTED, sigma)
        np.testing.assert_allclose(found.weight, found.loss_ff, rtol=1e-13)


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("kind", KINDS)
def test_extreme_rows_stay_finite(kind, mark):
    f = np.array([1e-60, 0.0, 1e-8, 1e-3, 3.0, 3.0, 3.0, 1e4])
    y = np.array([0.1, 0.1, 0.1, 20.0, 1e-4, 60.0, 1e5, 0.05])
    rows, sigma = likelihood(kind, mark, y)
    for at in (None, np.full(len(f), 2.0)):
        found = rows.rows(f, sigma, at=at)
        for name, value in vars(found).items():
            assert np.all(np.isfinite(value)), name


def test_a_limit_far_above_costs_nothing_and_one_far_below_a_square():
    rows, sigma = likelihood("additive", BELOW, np.array([1e3, -1e3]))
    found = rows.rows([1.0, 1.0], sigma)
    assert found.loss[0] == 0 and found.loss_f[0] == 0
    z = 1001 / 0.4
    assert found.loss[1] == pytest.approx(0.5 * z * z + np.log(z * np.sqrt(2 * np.pi)), rel=1e-12)
    assert found.loss_ff[1] == pytest.approx((1 - z**-2) / 0.16, rel=1e-9)


def test_leading_dimensions_are_kept_and_rows_do_not_mix():
    residual = {"a": Residual("proportional", {}), "b": Residual("log_normal", {"log_sd": 0.3})}
    sigmas = [Sigma("a.proportional", 0.2, "log")]
    observables, y, marks = ["a", "b", "a", "b"], np.array([1.0, 2.0, 0.5, 0.5]), [0, 0, 1, 0]
    rows = Likelihood(observables, y, marks, residual, sigmas)
    f = np.exp(np.random.default_rng(1).normal(size=(3, 2, 4)))
    found = rows.rows(f, [0.2])
    assert found.loss_s.shape == (3, 2, 4, 1) and not found.loss_s[..., [1, 3], :].any()
    for r in range(4):
        one = Likelihood(observables[r : r + 1], y[r : r + 1], marks[r : r + 1], residual, sigmas)
        for name, value in vars(one.rows(f[..., r : r + 1], [0.2])).items():
            np.testing.assert_allclose(getattr(found, name)[:, :, r : r + 1], value, rtol=1e-14)
    lean = rows.rows(f, [0.2], terms=False)
    np.testing.assert_array_equal(lean.weight_f, found.weight_f)
    assert not lean.loss_s.any()


def test_terms_that_are_no_sigma_have_the_model_s_values():
    f, y = [2.0, 3.0], [2.5, 2.5]
    residual = {"a": Residual("combined", {"additive": 0.3, "proportional": 0.1})}
    both = Likelihood(
        ["a", "a"], y, [0, 1], residual, [Sigma("a.additive", 1, "log"), Sigma("a.proportional", 1, "log")]
    )
    one = Likelihood(["a", "a"], y, [0, 1], residual, [Sigma("a.proportional", 1, "log")])
    np.testing.assert_array_equal(one.rows(f, [0.2]).loss_s[:, 0], both.rows(f, [0.3, 0.2]).loss_s[:, 1])


def test_simulated_values_have_the_moments_of_their_distribution():
    expected = {
        "proportional": (PREDICTED, (0.25 * PREDICTED) ** 2),
        "additive": (PREDICTED, 0.16 + 0 * PREDICTED),
        "combined": (PREDICTED, 0.04 + (0.25 * PREDICTED) ** 2),
        "log_normal": (PREDICTED * np.exp(0.045), PREDICTED**2 * np.exp(0.09) * np.expm1(0.09)),
        "student": (PREDICTED, (0.01 + (0.2 * PREDICTED) ** 2) * 5 / 3),
    }
    z = stats.norm.ppf((np.arange(20000) + 0.5) / 20000)
    for kind, (mean, variance) in expected.items():
        rows, sigma = likelihood(kind, MEASURED)
        drawn = rows.simulate(PREDICTED, sigma, np.repeat(z[:, None], 3, axis=1))
        np.testing.assert_allclose(drawn.mean(0), mean, rtol=1e-3, err_msg=kind)
        np.testing.assert_allclose(drawn.var(0), variance, rtol=1e-2, err_msg=kind)


def test_standardized_values_are_those_drawn_and_censored_rows_have_none():
    rows, sigma = likelihood("combined", MEASURED)
    y = rows.simulate(PREDICTED, sigma, [-1.0, 0.5, 2.0])
    again, _ = likelihood("combined", MEASURED, y)
    np.testing.assert_allclose(again.standardized(PREDICTED, sigma), [-1.0, 0.5, 2.0], rtol=1e-12)
    censored, _ = likelihood("combined", BELOW)
    assert np.all(np.isnan(censored.standardized(PREDICTED, sigma)))


@pytest.mark.parametrize("kind", KINDS)
def test_working_values_scatter_by_the_working_variance(kind):
    _, sigma = likelihood(kind, MEASURED)
    chance = (np.arange(2000) + 0.5) / 2000
    y = KINDS[kind].sample(2.3, stats.norm.ppf(chance), Values(**TERMS[kind]))
    rows, _ = likelihood(kind, MEASURED, y)
    working, variance = rows.working(np.full(2000, 2.3), sigma)
    assert np.all(np.diff(variance) == 0)
    assert np.mean(working) == pytest.approx(2.3, abs=1e-3)
    assert np.var(working) == pytest.approx(variance[0], rel=0.04 if kind == "student" else 0.003)
    if kind in ("proportional", "additive", "combined"):
        np.testing.assert_allclose(working, y, rtol=1e-12)
    if kind == "log_normal":
        np.testing.assert_allclose(working, 2.3 * (1 + np.log(y / 2.3)), rtol=1e-12)


@pytest.mark.parametrize("z", [-1e4, -200.0, -30.001, -29.999, -5.0, 0.0, 3.0, 9.0])
def test_tails_are_smooth_and_accurate(z):
    h = 1e-4 * max(1.0, abs(z))
    for below in (tail.normal_below, lambda x: tail.student_below(x, 4.0)):
        middle, (up, down) = below(np.array(z)), (below(np.array(z + h)), below(np.array(z - h)))
        for order in range(3):
            difference = (up[order] - down[order]) / (2 * h)
            assert middle[order + 1] == pytest.approx(difference, rel=1e-4, abs=1e-12)
    assert tail.normal_below(np.array(z))[0] == pytest.approx(stats.norm.logcdf(z), rel=1e-12)


def test_student_s_tail_goes_on_where_its_chance_underflows():
    far = tail.log_student_below(np.array([-1e4, -1e9, -1e20]), 30.0)
    assert far[0] == pytest.approx(np.log(stats.t(30).cdf(-1e4)), rel=1e-12)
    np.testing.assert_allclose(np.diff(far) / np.log([1e5, 1e11]), -30.0, rtol=1e-6)


def test_what_cannot_be_is_refused():
    residual = {"a": Residual("log_normal", {"log_sd": 0.3})}
    with pytest.raises(DataError, match=r"row 2: a: a value of 0 has no chance at all .* log_normal"):
        Likelihood(["a", "a"], [1.0, 0.0], [0, 0], residual, [])
    with pytest.raises(DataError, match=r"observations of b have no residual error; add \[residual.b\]"):
        Likelihood(["b"], [1.0], [0], residual, [])
    with pytest.raises(SpecError, match=r"sigma 'a.sd' is no term .* there are: a.log_sd"):
        Likelihood(["a"], [1.0], [0], residual, [Sigma("a.sd", 0.3, "log")])
    with pytest.raises(SpecError, match="blq: 'm5' is not known; allowed: m3"):
        Likelihood(["a"], [1.0], [0], residual, [], "m5")


def test_impossible_values_are_named_by_their_rows():
    residual = {"a": Residual("log_normal", {"log_sd": 0.2})}
    with pytest.raises(DataError, match="rows 7, 11: a: a value of 0"):
        Likelihood(["a"] * 3, [0.0, 1.0, 0.0], [MEASURED] * 3, residual, [], numbers=[7, 9, 11])
