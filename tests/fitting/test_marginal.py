"""The exact marginal likelihood: published values and closed forms, gradients, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from fitting_studies import ERROR, SPREAD, crowded_problem, linear_problem, problem, rows, study
from scipy import integrate, stats

import myelosim as ms
from myelosim.fitting.importance import Importance
from myelosim.fitting.marginal import Quadrature
from myelosim.fitting.nodes import draws, quadrature

AT_0 = (10.68, 10.402, 9.8814, 9.3408, 10.082, 9.8938, 9.8908, 10.234, 9.9882, 9.6736)
AT_1 = (3.6837, 6.454, 5.8565, 5.6209, 6.7583, 6.5049, 6.9557, 6.4488, 6.7112, 6.6402)


def value(objective):
    return objective.value(objective.problem.parameters.pack(objective.problem.parameters.start))


@pytest.fixture(scope="module")
def wang():
    model = ms.load_model("generic_iv_1cmt")
    data = study([rows(i, [0.0, 1.0], ys) for i, ys in enumerate(zip(AT_0, AT_1, strict=True))], model)
    return problem(data, model, ["drug.cl"], omega={"drug.cl": 0.04}, sigma={"drug.proportional": 0.1**0.5})


@pytest.fixture(scope="module")
def linear():
    return linear_problem()


def closed(y, censored, center):
    """Return -2 log of a subject's likelihood by adaptive quadrature of the textbook density."""

    def density(eta):
        off = np.log(y) - (center - eta)
        seen = stats.norm.pdf(off / ERROR) / (ERROR * y) * np.sqrt(2 * np.pi)
        return np.prod(np.where(censored, stats.norm.cdf(off / ERROR), seen)) * stats.norm.pdf(eta, scale=SPREAD)

    return -2 * np.log(integrate.quad(density, -8 * SPREAD, 8 * SPREAD, epsrel=1e-10, epsabs=0, points=[0.0])[0])


def test_wang_2007_by_quadrature_laplace_and_importance_sampling(wang):
    assert value(Quadrature(wang, points=15)).total == pytest.approx(39.355, abs=5e-4)
    assert value(Quadrature(wang, points=5)).total == pytest.approx(39.355, abs=2e-3)
    assert value(Quadrature(wang, points=1)).total == pytest.approx(39.227, abs=5e-4)
    found = value(Importance(wang, samples=16_384))
    assert found.total == pytest.approx(39.355, abs=2e-3)
    assert 0 < found.error < 3e-3


def test_a_linear_model_with_censored_rows_has_its_closed_form(linear):
    seen = linear.study.observations
    expected = [
        closed(seen.value[seen.subject == i], seen.censored[seen.subject == i] == 1, np.log(10.0)) for i in range(12)
    ]
    assert np.count_nonzero(seen.censored) > 3
    exact = value(Quadrature(linear, points=12))
    np.testing.assert_allclose(exact.each, expected, rtol=0, atol=2e-5)
    sampled = value(Importance(linear, samples=4000))
    assert sampled.total == pytest.approx(sum(expected), abs=max(5 * sampled.error, 1e-6))
    assert sampled.error < 0.02
    assert np.all(sampled.effective > 0.4)


def test_the_standard_error_is_that_of_repeated_sampling(wang):
    found = [value(Importance(wang, samples=64, seed=seed)) for seed in range(24)]
    spread = np.std([one.total for one in found])
    assert np.sqrt(np.mean([one.error**2 for one in found])) == pytest.approx(spread, rel=0.6)


@pytest.fixture(scope="module")
def crowded():
    return crowded_problem(4)


@pytest.mark.parametrize("kind", [lambda p: Importance(p, samples=64), lambda p: Quadrature(p, points=2)])
def test_gradients_are_those_of_the_objective(crowded, kind):
    objective = kind(crowded)
    x = crowded.parameters.pack(crowded.parameters.start) + 0.05
    at = objective.value(x)
    objective.accept(at)
    found = objective.slope(at)[0]
    for k in range(len(x)):
        h = 5e-3 * np.eye(len(x))[k]
        ends = [objective.value(x + s * h).total for s in (-2, -1, 1, 2)]
        expected = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * 5e-3)
        assert found[k] == pytest.approx(expected, rel=2e-3, abs=2e-3), crowded.parameters.names[k]


def test_fits_by_both_methods_agree_and_repeat_their_bits(wang):
    model, settings = (
        ms.load_model("generic_iv_1cmt"),
        {"omega": {"drug.cl": 0.04}, "sigma": {"drug.proportional": 0.3}},
    )
    settings |= {"free": ["drug.cl"], "starts": 1, "covariance": "r"}
    agq = ms.fit(model, wang.study, method="agq", options={"points": 9}, **settings)
    imp = ms.fit(model, wang.study, method="importance", options={"samples": 512}, **settings)
    assert agq.converged and imp.converged
    assert imp.objective == pytest.approx(agq.objective, abs=0.01)
    assert imp.theta["drug.cl"] == pytest.approx(agq.theta["drug.cl"], rel=2e-3)
    np.testing.assert_allclose(np.diag(imp.cov), np.diag(agq.cov), rtol=0.1)
    again = ms.fit(model, wang.study, method="importance", options={"samples": 512}, threads=1, **settings)
    assert again.objective == imp.objective and np.array_equal(again.x, imp.x)
    assert imp.integration is not None and imp.integration.nodes == 4096


def test_nodes_integrate_polynomials_and_samples_have_unit_weight():
    z, log_weight = quadrature(2, 5)
    weight = np.exp(log_weight - 0.5 * np.sum(z * z, axis=0))
    for powers, moment in (((0, 0), 1), ((2, 0), 1), ((4, 2), 3), ((1, 3), 0)):
        assert weight @ (z[0] ** powers[0] * z[1] ** powers[1]) == pytest.approx(moment, abs=1e-6)
    z, log_weight = draws(2, 2, 4096, 1)
    weight = np.exp(log_weight - 0.5 * np.sum(z * z, axis=1))
    np.testing.assert_allclose(weight.sum(axis=1), 1.0, atol=5e-3)
    np.testing.assert_allclose(np.einsum("nk,nek->ne", weight, z * z), 1.0, atol=0.02)


def test_what_cannot_be_is_refused():
    with pytest.raises(ms.SpecError, match=r"agq: 5 points for each of 7 .* at most 4 points, or method 'importance'"):
        quadrature(7, 5)
    model = ms.load_model("generic_iv_1cmt")
    with pytest.raises(ms.SpecError, match="'point' is no option of method 'agq'; did you mean 'points'"):
        ms.fit(model, "never read", method="agq", options={"point": 3})
    with pytest.raises(ms.SpecError, match="samples is 0; it must be a whole number, at least 1"):
        ms.fit(model, "never read", method="importance", options={"samples": 0})
