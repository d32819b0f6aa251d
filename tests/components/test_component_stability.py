"""Stability limits against published values, eigenvalues and plain simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from component_oracle import solve
from lineage_cases import BLOCK, GCSF, NEUTROPHIL, PLATELET, RED_CELL, build, with_site

from myelosim.components.contract import Values
from myelosim.components.lineages.stability import chain_limit, production_limit


@pytest.mark.parametrize(
    "mtt, kcirc, limit",
    [
        (115.0, 4 / 115.0, 0.57),
        (115.0, 0.10, 0.72),
        (53.0, 0.17, 0.68),
        (134.0, 1 / (9 * 24), 0.39),
        (74.0, 0.010, 0.40),
        (58.0, 1 / (4.5 * 24), 0.38),
        (130.0, 1 / (113 * 24), 0.34),
        (75.0, 1 / (60 * 24), 0.34),
        (60.0, 1 / (40 * 24), 0.34),
    ],
)
def test_self_renewing_chains_have_the_limits_in_the_tables(mtt, kcirc, limit):
    assert chain_limit(3, kcirc * mtt / 4) == pytest.approx(limit, abs=0.005)


def test_four_equal_lags_and_an_integrator_have_a_closed_limit():
    w = math.tan(math.pi / 8)
    assert chain_limit(3, 1.0) == pytest.approx(w / math.cos(math.pi / 8) ** 4, rel=1e-12)


def growth(kind, structure, values):
    """Return the largest real part among the eigenvalues of the uncarried system at rest, by finite differences."""
    module, structure, p, drug_free = build(kind, structure, values)
    y = np.array(module.start(p, structure)[:-1])

    def f(y):
        return np.array(module.rhs(module.carry((*y, 1.0), p, structure), p, drug_free, structure)[:-1])

    columns = [(f(y + 1e-6 * y * e) - f(y - 1e-6 * y * e)) / (2e-6 * y[i]) for i, e in enumerate(np.eye(len(y)))]
    return np.linalg.eigvals(np.array(columns).T).real.max()


@pytest.mark.parametrize(
    "kind, structure, values",
    [
        ("friberg", {"n_transits": 5}, NEUTROPHIL),
        ("platelet", {}, PLATELET),
        ("platelet", {"loss": "lifespan"}, PLATELET),
        ("platelet", {"precursors": "self_renewing", "loss": "lifespan"}, PLATELET),
        ("erythroid", {}, RED_CELL | {"cap": 1e30}),
        ("erythroid", {"precursors": "self_renewing", "n_precursors": 4, "n_ages": 8}, RED_CELL | {"cap": 1e30}),
    ],
)
def test_limits_are_where_an_eigenvalue_crosses(kind, structure, values):
    module, complete, _, _ = build(kind, structure, values)
    if kind == "friberg":
        limit = chain_limit(complete["n_transits"], 1.0)
    else:
        ages = module.states(complete)
        n_ages = len(ages) - 1 - complete["n_precursors"]
        renewing = complete["precursors"] == "self_renewing"
        limit = production_limit(complete["n_precursors"], values["mtt"], n_ages, values["lifespan"], renewing)
    assert (
        growth(kind, structure, values | {"gamma": 0.99 * limit})
        < 0
        < growth(kind, structure, values | {"gamma": 1.01 * limit})
    )
    assert not module.problems(Values(**values | {"gamma": 0.99 * limit}), complete)
    (problem,) = module.problems(Values(**values | {"gamma": 1.01 * limit}), complete)
    assert f"{limit:.2f}" in problem


def test_past_the_limit_a_small_disturbance_grows():
    def swing(gamma):
        module, structure, p, drug_free = build("friberg", {}, NEUTROPHIL | {"gamma": gamma})
        y0 = list(module.start(p, structure))
        y0[0] *= 1.01
        times = np.linspace(0, 6000, 601)
        y = solve(lambda t, y: module.rhs(y, p, drug_free, structure), tuple(y0), times)[:, -2] / p.baseline - 1
        return np.ptp(y[-200:]) / np.ptp(y[200:400])

    assert swing(0.50) < 1 < swing(0.64)


def test_a_short_chain_has_no_limit():
    assert production_limit(1, 120.0, 1, 200.0, renewing=False) == math.inf


@pytest.mark.parametrize("kind, values, gamma", [("maturation_block", BLOCK, 1.6), ("gcsf_friberg", GCSF, 1.5)])
def test_loops_of_other_shapes_are_judged_by_their_eigenvalues(kind, values, gamma):
    module, structure, p, _ = build(kind, {}, values)
    assert module.problems(p, structure) == []
    steep = Values(**values | {"gamma": gamma})
    (problem,) = module.problems(steep, structure)
    assert "unstable" in problem and "smaller gamma" in problem
    rest = np.array(module.start(steep, structure))
    times = np.array([0.0, 500.0, 4000.0])

    def rhs(t, y):
        return module.rhs(y, steep, with_site(module), structure)

    y = solve(rhs, tuple(rest * (1.001, *[1.0] * (len(rest) - 1))), times, method="LSODA", tolerance=1e-8)
    assert np.max(np.abs(y[-1] / rest - 1)) > 0.01


def test_loss_by_age_makes_a_self_renewing_chain_much_less_stable():
    by_chance = production_limit(4, 120.0, 1, 2880.0, renewing=True)
    by_age = production_limit(4, 120.0, 8, 2880.0, renewing=True)
    always_at_once = math.pi * 120.0 / (2 * 4 * 2880.0)
    assert by_chance == pytest.approx(0.34, abs=0.01)
    assert always_at_once < by_age < 0.25
