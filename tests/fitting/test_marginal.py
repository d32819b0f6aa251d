"""The exact marginal likelihood: published values and closed forms, gradients, and what is refused."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

import myelosim as ms
from myelosim.data.read import read
from myelosim.fitting.importance import Importance
from myelosim.fitting.marginal import Quadrature
from myelosim.fitting.nodes import draws, quadrature
from myelosim.fitting.problem import Problem
from myelosim.spec.estimate import estimation

AT_0 = (10.68, 10.402, 9.8814, 9.3408, 10.082, 9.8938, 9.8908, 10.234, 9.9882, 9.6736)
AT_1 = (3.6837, 6.454, 5.8565, 5.6209, 6.7583, 6.5049, 6.9557, 6.4488, 6.7112, 6.6402)
SPREAD, ERROR = 0.3, 0.2  # of the linear model


def rows(subject, hours, values, limit=None, **columns):
    """Return one subject's rows: 10 mg at the first hour, then what was seen."""
    dose = {"ID": subject, "TIME": hours[0], "AMT": 10.0, "EVID": 1, "DV": np.nan, "CENS": 0, **columns}
    seen = [
        {"ID": subject, "TIME": h, "AMT": 0.0, "EVID": 0, "DV": y if limit is None else max(y, limit),
         "CENS": int(limit is not None and y < limit), **columns}
        for h, y in zip(hours, values, strict=True)
    ]  # fmt: skip
    return pd.DataFrame([dose, *seen]).assign(DVID="drug")


def study(frames, model):
    return read(pd.concat(frames, ignore_index=True), model)


def problem(data, model, free, **settings):
    started, wanted = estimation(model, data.observables, free=free, **settings)
    return Problem(started, data, wanted, threads=1)


def value(objective):
    return objective.value(objective.problem.parameters.pack(objective.problem.parameters.start))


@pytest.fixture(scope="module")
def wang():
    model = ms.load_model("generic_iv_1cmt")
    data = study([rows(i, [0.0, 1.0], ys) for i, ys in enumerate(zip(AT_0, AT_1, strict=True))], model)
    return problem(data, model, ["drug.cl"], omega={"drug.cl": 0.04}, sigma={"drug.proportional": 0.1**0.5})


@pytest.fixture(scope="module")
def linear():
    """Logarithms of concentrations just after a dose: log 10 - log vc - eta + error, one value in three under a limit."""
    model = ms.load_model("generic_iv_1cmt")
    z = np.random.default_rng(3).normal(size=(12, 4))
    y = 10 * np.exp(SPREAD * z[:, :1] + ERROR * z[:, 1:])
    frames = [rows(i, [0.0] * 3, one, limit=8.0 if i % 2 else None) for i, one in enumerate(y)]
    return problem(study(frames, model), model, ["drug.vc"], omega={"drug.vc": SPREAD**2}, sigma={"drug.log_sd": ERROR})


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
    """Occasions, a block of etas, a fixed effect without one, a prior and two error terms."""
    model = ms.load_model("generic_oral_1cmt")
    rng = np.random.default_rng(5)
    frames = []
    for i in range(4):
        for occasion, start in enumerate((0.0, 200.0)):
            hours = start + np.array([1.0, 4.0, 12.0])
            y = 0.15 * np.exp(-0.1 * (hours - start) + 0.2 * rng.normal(size=3))
            frame = rows(i, [start, *hours], [0.0, *y], OCC=occasion + 1)
            frames.append(frame[(frame.EVID == 1) | (start < frame.TIME)])
    data = study(frames, model)
    names = [name for name in ("drug.cl", "drug.vc") if name in model.parameters]
    block = {names[0]: {names[0]: 0.05, names[1]: 0.02}, names[1]: {names[0]: 0.02, names[1]: 0.09}}
    return problem(
        data, model, [*names, "drug.ka"], omega=block, iov={names[0]: 0.04}, priors={"drug.ka": {"mean": 1.2, "sd_log": 0.3}},
        sigma={"drug.proportional": 0.2, "drug.additive": 0.01},
    )  # fmt: skip


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
