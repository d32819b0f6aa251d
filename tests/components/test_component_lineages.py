"""Every lineage meets its contract, and keeps the identities that make a feedback loop what it is."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from component_oracle import solve
from lineage_cases import CASES, IDS, NEUTROPHIL, PLATELET, RED_CELL, build, with_site
from scipy.stats import gamma as erlang

from myelosim.components.contract import Values
from myelosim.components.lineages import KINDS

every = pytest.mark.parametrize("kind, structure, values", CASES, ids=IDS)
DAYS = np.arange(0.0, 61.0) * 24


def test_every_lineage_is_tested():
    assert {kind for kind, _, _ in CASES} == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_structure_can_be_built(kind):
    module = KINDS[kind]
    assert set(module.DEFAULTS) == set(module.STRUCTURE)
    assert all(value in module.STRUCTURE[option] for option, value in module.DEFAULTS.items())
    options = [list(allowed)[:3] for allowed in module.STRUCTURE.values()]
    for choice in itertools.product(*options):
        structure = dict(zip(module.STRUCTURE, choice, strict=True))
        p = Values(**{d.name: 3.0 if d.default is None else d.default for d in module.parameters(structure)})
        drug_free = with_site(module)
        y = module.start(p, structure)
        assert len(y) == len(module.states(structure)) == len(module.rhs(y, p, drug_free, structure))
        assert len(module.observe(y, p, structure)) == len(module.outputs(structure))


@every
def test_the_start_is_at_rest_at_the_baseline(kind, structure, values):
    module, structure, p, drug_free = build(kind, structure, values)
    y = module.start(p, structure)
    rates = np.array(module.rhs(y, p, drug_free, structure))
    stirred = np.array(module.rhs(tuple(1.5 * x for x in y), p, with_site(module, loss=2.0), structure))
    assert np.all(np.abs(rates) <= 1e-12 * np.max(np.abs(stirred)) + 1e-13 * np.abs(y))
    assert module.observe(y, p, structure)[0] == pytest.approx(p.baseline, rel=1e-14)


@every
def test_parameters_are_declared_and_no_other_is_read(kind, structure, values):
    module, structure, _, _ = build(kind, structure, values)
    assert {d.name for d in module.parameters(structure)} == set(values)


@every
def test_all_are_stable_but_red_cells_that_renew_themselves_and_age(kind, structure, values):
    module, structure, p, _ = build(kind, structure, values)
    renewing_and_ageing = kind == "erythroid" and structure["precursors"] == "self_renewing"
    assert bool(module.problems(p, structure)) == renewing_and_ageing


@every
def test_circulating_states_make_up_the_count(kind, structure, values):
    module, structure, p, _ = build(kind, structure, values)
    y = list(module.start(p, structure))
    for index in module.circulating(structure):
        y[index] *= 0.5
    assert module.observe(tuple(y), p, structure)[0] == pytest.approx(p.baseline / 2, rel=1e-14)


@every
def test_observations_are_linear_in_the_states(kind, structure, values):
    module, structure, p, _ = build(kind, structure, values)
    y = np.array(module.start(p, structure))
    ramp = y * np.linspace(0.5, 2.0, len(y))
    mixed = module.observe(tuple(0.3 * y + 0.7 * ramp), p, structure)
    parts = zip(module.observe(tuple(y), p, structure), module.observe(tuple(ramp), p, structure), strict=True)
    np.testing.assert_allclose(mixed, [0.3 * a + 0.7 * b for a, b in parts], rtol=1e-13)


@every
def test_complex_steps_give_derivatives(kind, structure, values):
    module, structure, p, _ = build(kind, structure, values)
    site = with_site(module, **{name: 0.9 + 0.02 * i for i, name in enumerate(module.SITES)})
    y = np.array(module.start(p, structure)) * np.linspace(0.97, 1.02, len(module.states(structure)))
    direction = y * np.linspace(1.0, -1.0, len(y))
    exact = np.imag(
        module.rhs(tuple(complex(a, 1e-30 * b) for a, b in zip(y, direction, strict=True)), p, site, structure)
    )
    ahead, behind = (np.array(module.rhs(tuple(y + h * direction), p, site, structure)) for h in (1e-6, -1e-6))
    np.testing.assert_allclose(exact / 1e-30, (ahead - behind) / 2e-6, rtol=1e-5, atol=1e-6 * np.max(np.abs(ahead)))


@every
def test_arrays_are_many_subjects(kind, structure, values):
    module, structure, p, drug_free = build(kind, structure, values)
    y = module.start(p, structure)
    many = module.rhs(tuple(np.array([x, 1.1 * x]) for x in y), p, drug_free, structure)
    np.testing.assert_array_equal([d[0] for d in many], module.rhs(y, p, drug_free, structure))


@every
def test_every_site_moves_something(kind, structure, values):
    module, structure, p, drug_free = build(kind, structure, values)
    y = module.start(p, structure)
    for name in module.SITES:
        alone = structure.get("precursors") == "self_renewing" and structure["n_precursors"] == 1
        if name == "maturation" and alone:
            continue
        y_low = (*y[:-2], 0.9 * y[-2], y[-1])
        moved = np.subtract(
            module.rhs(y_low, p, with_site(module, **{name: 0.5}), structure),
            module.rhs(y_low, p, drug_free, structure),
        )
        assert np.max(np.abs(moved)) > 1e-6, name


@every
def test_the_carried_feedback_stays_what_it_stands_for(kind, structure, values):
    module, structure, p, _ = build(kind, structure, values)
    if not hasattr(module, "carry"):
        assert not any(state.carried for state in module.states(structure))
        return
    birth = "proliferation" if kind == "friberg" else "production"
    site = with_site(module, **{birth: 0.8})
    y = solve(lambda t, y: module.rhs(y, p, site, structure), module.start(p, structure), DAYS[:15])[-1]
    assert y[-1] == pytest.approx(module.carry(tuple(y), p, structure)[-1], rel=1e-8)
    assert module.states(structure)[-1].carried


def steady(kind, structure, values, hours, **factors):
    """Return the count after a long time under constant factors, over baseline."""
    module, structure, p, _ = build(kind, structure, values)
    site = with_site(module, **factors)
    y = solve(
        lambda t, y: module.rhs(y, p, site, structure),
        module.start(p, structure),
        np.array([0.0, hours]),
        method="LSODA",
        tolerance=1e-9,
    )[-1]
    return module.observe(tuple(y), p, structure)[0] / p.baseline


@pytest.mark.parametrize("effect", [0.1, 0.3])
def test_inhibited_proliferation_moves_the_fixed_point(effect):
    expected = (1 - effect) ** (1 / 0.161)
    assert steady("friberg", {}, NEUTROPHIL, 6e4, proliferation=1 - effect) == pytest.approx(expected, rel=1e-6)
    expected = (1 - effect) ** (1 / 0.22)
    renewing = {"precursors": "self_renewing"}
    assert steady("platelet", renewing, PLATELET, 6e4, production=1 - effect) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("site", ["maturation", "egress"])
def test_transit_effects_leave_the_fixed_point(site):
    assert steady("friberg", {}, NEUTROPHIL, 6e4, **{site: 0.6}) == pytest.approx(1.0, rel=1e-5)
    module, structure, p, _ = build("friberg", {}, NEUTROPHIL)
    factors = with_site(module, **{site: 0.6})
    y = solve(lambda t, y: module.rhs(y, p, factors, structure), module.start(p, structure), DAYS)
    assert y[:, -2].min() < 0.9 * p.baseline < p.baseline < y[:, -2].max()


@pytest.mark.parametrize("kind, values", [("platelet", PLATELET), ("erythroid", RED_CELL)])
def test_production_is_met_by_a_bounded_feedback(kind, values):
    g = values["gamma"]
    assert steady(kind, {}, values | {"cap": 1e30}, 4e5, production=0.5) == pytest.approx(
        0.5 ** (1 / (1 + g)), rel=1e-5
    )
    capped = values | {"cap": 1.05}
    assert steady(kind, {}, capped, 4e5, production=0.5) == pytest.approx(0.525, rel=1e-5)


def test_hemolysis_shortens_the_lifespan():
    without_feedback = RED_CELL | {"gamma": 0.0}
    assert steady("erythroid", {}, without_feedback, 3e5, loss=1.25) == pytest.approx(0.8, rel=1e-6)
    module, structure, p, _ = build("erythroid", {}, without_feedback)
    y = module.start(p, structure)
    lost = sum(module.rhs(y, p, with_site(module, loss=1.25), structure)[3:-1])
    assert lost == pytest.approx(-0.25 * sum(y[3:-1]) / 2760.0, rel=1e-9)


def test_cells_with_a_lifespan_die_when_their_time_is_up():
    module, structure, p, _ = build("platelet", {"loss": "lifespan", "n_ages": 12}, PLATELET)
    stopped = with_site(module, egress=0.0)
    y = solve(lambda t, y: module.rhs(y, p, stopped, structure), module.start(p, structure), DAYS[:15])
    counts = np.array([module.observe(tuple(row), p, structure)[0] for row in y])
    ages = np.linspace(0, 60 * 216.0, 200001)
    survival = erlang.sf(ages, 12, scale=216.0 / 12)
    rest = np.array([np.trapezoid(np.interp(ages + t, ages, survival, right=0.0), ages) for t in DAYS[:15]])
    np.testing.assert_allclose(counts / p.baseline, rest / 216.0, rtol=1e-4, atol=1e-7)


def test_exponential_loss_is_a_chain_of_one_age():
    module, structure, p, _ = build("platelet", {}, PLATELET)
    stopped = with_site(module, egress=0.0)
    y = solve(lambda t, y: module.rhs(y, p, stopped, structure), module.start(p, structure), DAYS[:15])
    np.testing.assert_allclose(y[:, -2], 240.0 * np.exp(-DAYS[:15] / 216.0), rtol=1e-8)


def test_a_self_renewing_platelet_chain_is_fribergs():
    equal = {"baseline": 250.0, "mtt": 130.0, "gamma": 0.2}
    friberg, f_structure, f_p, _ = build("friberg", {}, equal)
    chain, c_structure, c_p, _ = build(
        "platelet", {"precursors": "self_renewing"}, PLATELET | equal | {"lifespan": 32.5}
    )
    f_site, c_site = with_site(friberg, proliferation=0.7), with_site(chain, production=0.7)
    f_rates = friberg.rhs((250.0, 240.0, 230.0, 260.0, 180.0, 1.05), f_p, f_site, f_structure)
    c_rates = chain.rhs((250.0, 240.0, 230.0, 260.0, 180.0, 1.05), c_p, c_site, c_structure)
    np.testing.assert_allclose(c_rates, f_rates, rtol=1e-13)


def test_red_cells_of_the_benchmark_problem():
    module, structure, p, _ = build(
        "erythroid",
        {"precursors": "self_renewing", "n_precursors": 4, "n_ages": 8},
        RED_CELL | {"baseline": 15.0, "mch": 30.0, "mtt": 120.0, "lifespan": 2880.0, "gamma": 0.25, "cap": 1e30},
    )
    ktq, kag, cp = 4 / 120, 8 / 2880, 0.6
    start = [kag * (5 / 8) / ktq] * 4 + [5 / 8] * 8
    np.testing.assert_allclose(module.start(p, structure)[:-1], start, rtol=1e-14)
    r = np.array(start) * np.linspace(0.8, 1.1, 12)
    fr = (5 / r[4:].sum()) ** 0.25
    expected = np.empty(12)
    expected[0] = ktq * r[0] * (1 - 0.1 * cp) * fr - ktq * r[0]
    expected[1:4] = ktq * (r[:3] - r[1:4])
    expected[4] = ktq * r[3] - kag * r[4]
    expected[5:] = kag * (r[4:11] - r[5:])
    site = with_site(module, production=1 - 0.1 * cp)
    y = module.carry((*r, 1.0), p, structure)
    np.testing.assert_allclose(module.rhs(y, p, site, structure)[:-1], expected, rtol=1e-12, atol=1e-16)


def test_red_cell_measures_belong_together():
    module, structure, p, _ = build("erythroid", {}, RED_CELL)
    measures = dict(
        zip(
            (n for n, _ in module.outputs(structure)),
            module.observe(module.start(p, structure), p, structure),
            strict=True,
        )
    )
    assert measures["rbc"] == pytest.approx(14.0 * 10 / 29.0)
    assert measures["hematocrit"] == pytest.approx(measures["rbc"] * 8.8)
    assert measures["count"] / measures["hematocrit"] * 100 == pytest.approx(29.0 / 88.0 * 100)
    assert measures["reticulocyte"] == pytest.approx(1000 * measures["rbc"] * 24.0 / 2760.0)
    assert 40 <= measures["reticulocyte"] <= 115


def test_reticulocytes_follow_production_long_before_hemoglobin_does():
    module, structure, p, _ = build("erythroid", {}, RED_CELL)
    site = with_site(module, production=0.5)
    y = solve(lambda t, y: module.rhs(y, p, site, structure), module.start(p, structure), DAYS[:15])[-1]
    now, before = module.observe(tuple(y), p, structure), module.observe(module.start(p, structure), p, structure)
    assert now[3] / before[3] < 0.6
    assert now[0] / before[0] > 0.92


def test_without_feedback_a_production_chain_is_a_filter_of_its_drugs():
    module, structure, p, _ = build(
        "production",
        {"loss": "half_life"},
        {"baseline": 2.7, "mtt": 120.0, "gamma": 0.0, "half_life": 7.0, "cap": 1e30},
    )
    site = with_site(module, production=3.0)
    y = solve(
        lambda t, y: module.rhs(y, p, site, structure), module.start(p, structure), np.array([0.0, 100.0, 2000.0])
    )
    assert y[-1, -2] == pytest.approx(3 * 2.7, rel=1e-7)
    assert 2.7 < y[1, -2] < 3 * 2.7
    assert np.all(y[:, -1] == 1.0)


def test_gcsf_rises_where_neutrophils_fall_and_brings_them_back():
    _, _, values = next(case for case in CASES if case[0] == "gcsf_friberg")
    module, structure, p, drug_free = build("gcsf_friberg", {}, values)
    y0 = list(module.start(p, structure))
    y0[0] *= 0.3
    y = solve(lambda t, y: module.rhs(y, p, drug_free, structure), tuple(y0), DAYS, method="LSODA", tolerance=1e-9)
    counts, gcsf = np.array([module.observe(tuple(row), p, structure) for row in y]).T
    assert counts.min() < 0.8 * p.baseline
    assert gcsf[counts.argmin()] > 24.3 * 1.2
    assert counts[-1] == pytest.approx(p.baseline, rel=0.1)
    uptake = p.ke + p.kanc * counts
    np.testing.assert_allclose(gcsf[1:], (24.3 * (p.ke + p.kanc * p.baseline) / uptake)[1:], rtol=5e-3)
