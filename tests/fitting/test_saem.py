"""SAEM reaches the optimum of the exact likelihood, its chains the distribution given the data, and both repeat their bits."""

from __future__ import annotations

import numpy as np
import pytest
from fitting_studies import ERROR, SPREAD, crowded_problem, linear_problem

import myelosim as ms
from myelosim.data.study import BELOW
from myelosim.fitting.exact import by_saem
from myelosim.fitting.importance import Importance
from myelosim.fitting.marginal import Quadrature
from myelosim.fitting.saem import Saem
from myelosim.fitting.search import begin, minimize
from myelosim.fitting.walk import Walk


def start(problem):
    return problem.parameters.pack(problem.parameters.start)


def test_chains_have_the_distribution_given_the_data():
    problem = linear_problem()
    seen, point = problem.study.observations, problem.parameters.start
    walk = Walk(problem, point, 8, 1)
    kept = []
    for iteration in range(1, 301):
        walk.go(point, iteration)
        if iteration > 50:
            kept.append(walk.b[:, 0])
    drawn = np.concatenate(kept, axis=1)
    for i in range(problem.subjects):
        own = seen.subject == i
        if np.any(seen.censored[own] == BELOW):
            continue
        variance = 1 / (1 / SPREAD**2 + np.count_nonzero(own) / ERROR**2)
        mean = variance * np.sum(np.log(10.0) - np.log(seen.value[own])) / ERROR**2
        assert drawn[i].mean() == pytest.approx(mean, abs=0.15 * variance**0.5)
        assert drawn[i].std() == pytest.approx(variance**0.5, rel=0.1)


def test_a_linear_model_is_brought_to_its_optimum():
    problem = linear_problem()
    x = start(problem) + np.array([0.5, 0.7, 0.7])
    exact = Quadrature(problem, points=9)
    best = minimize(exact, begin(exact, start(problem)))
    found = Saem(problem, x, burn_in=80, iterations=120).run()
    np.testing.assert_allclose(found, best.x, atol=0.03)
    assert exact.value(found).total == pytest.approx(best.value.total, abs=0.02)


def test_everything_at_once_is_brought_to_its_optimum():
    problem = crowded_problem(12)
    x = start(problem)
    exact = Importance(problem, samples=128)
    best = minimize(exact, begin(exact, x), iterations=25)
    fit = by_saem(problem, x + 0.2, {"burn_in": 120, "iterations": 60, "seed": 2}, 2)
    assert fit.objective < Importance(problem, seed=2).value(best.x).total + 0.5
    assert fit.converged, fit.why
    thetas = problem.parameters.parts[0]
    np.testing.assert_allclose(fit.x[thetas], best.x[thetas], atol=0.06)
    assert list(fit.history.columns[:-2]) == list(problem.parameters.names) and len(fit.history) == 180


def test_bits_are_the_seed_s_whatever_the_threads():
    settings = {"free": ["drug.vc"], "omega": {"drug.vc": 0.09}, "sigma": {"drug.log_sd": 0.2}, "covariance": "none"}
    model, data = ms.load_model("generic_iv_1cmt"), linear_problem().study
    short = {"burn_in": 6, "iterations": 4, "chains": 3}
    one, two, other = (
        ms.fit(model, data, method="saem", options=short, seed=seed, threads=threads, **settings)
        for seed, threads in ((3, 1), (3, 2), (4, 1))
    )
    assert np.array_equal(one.x, two.x) and one.objective == two.objective
    assert not np.array_equal(one.x, other.x)
    assert one.integration is not None and one.integration.error > 0
