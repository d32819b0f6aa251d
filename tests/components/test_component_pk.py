"""Kinetics against matrix exponentials, ODE solutions and their own limits."""

from __future__ import annotations

import numpy as np
import pytest
from component_oracle import matrix_profile, mode_profile, solve, some_values

from myelosim.components.contract import Values
from myelosim.components.pk import (
    KINDS,
    filgrastim,
    michaelis_menten,
    one_compartment,
    pegfilgrastim,
    three_compartment,
    two_compartment,
)
from myelosim.components.pk.modes import cubic_rates

TIMES = np.array([0.0, 0.1, 0.5, 1.0, 3.0, 8.0, 24.0, 72.0, 200.0])
ORAL = {"absorption": "first_order"}
CLOSED = [kind for kind in KINDS if hasattr(KINDS[kind], "modes")]
SOLVED = [kind for kind in KINDS if hasattr(KINDS[kind], "states")]
ONE = {"cl": 6.3, "vc": 60.0}
TWO = {"cl": 6.3, "vc": 60.0, "q": 4.0, "vp": 50.0}
THREE = {"cl": 38.5, "vc": 7.4, "q2": 7.844, "vp2": 5.195, "q3": 9.324, "vp3": 111.0}
CASES = {"one_compartment": ONE, "two_compartment": TWO, "three_compartment": THREE}


def compartments(ka, cl, vc, *peripheral):
    """Return the rate matrix of a depot, a central and some peripheral compartments."""
    matrix = np.zeros((2 + len(peripheral), 2 + len(peripheral)))
    matrix[0, 0], matrix[1, 0], matrix[1, 1] = -ka, ka, -cl / vc
    for i, (q, vp) in enumerate(peripheral, start=2):
        matrix[1, 1] -= q / vc
        matrix[i, 1], matrix[1, i], matrix[i, i] = q / vc, q / vp, -q / vp
    return matrix


def matrix_of(kind, ka, values):
    pairs = {
        "one_compartment": [],
        "two_compartment": [("q", "vp")],
        "three_compartment": [("q2", "vp2"), ("q3", "vp3")],
    }
    return compartments(ka, values["cl"], values["vc"], *[(values[q], values[vp]) for q, vp in pairs[kind]])


def disagreement(kind, ka, values, channel):
    expected = matrix_profile(matrix_of(kind, ka, values), {"depot": 0, "central": 1}[channel], values["vc"], TIMES)
    found = mode_profile(KINDS[kind], Values(ka=ka, **values), ORAL, channel, TIMES)
    return np.max(np.abs(found - expected)) / np.max(expected)


@pytest.mark.parametrize("channel", ["depot", "central"])
@pytest.mark.parametrize("kind", CLOSED)
def test_modes_solve_the_compartments(kind, channel):
    assert disagreement(kind, 1.1, CASES[kind], channel) < 1e-12


@pytest.mark.parametrize("distance", [0.0, 1e-9, 1e-7, 3e-6, 1e-4])
@pytest.mark.parametrize("channel", ["depot", "central"])
@pytest.mark.parametrize("kind, mode", [(kind, mode) for kind in CLOSED for mode in range(len(CASES[kind]) // 2)])
def test_absorption_as_fast_as_a_mode_takes_the_limit_form(kind, mode, channel, distance):
    rates, _ = KINDS[kind].modes(Values(**CASES[kind]), {"absorption": "none"})
    assert disagreement(kind, rates[mode] * (1 + distance), CASES[kind], channel) < 1e-9


def test_one_compartment_limit_is_the_gamma_density():
    found = mode_profile(one_compartment, Values(ka=0.105, **ONE), ORAL, "depot", TIMES)
    expected = 0.105 * TIMES * np.exp(-0.105 * TIMES) / 60.0
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * expected.max())


def test_a_second_compartment_that_is_not_reached_changes_nothing():
    times = TIMES[:-1]
    found = mode_profile(
        two_compartment, Values(cl=6.3, vc=60.0, q=1e-9, vp=1e-8), {"absorption": "none"}, "central", times
    )
    np.testing.assert_allclose(found, np.exp(-0.105 * times) / 60.0, rtol=1e-7)


def test_three_compartments_with_two_alike_are_two_compartments():
    alike = Values(cl=6.3, vc=60.0, q2=1.0, vp2=12.5, q3=3.0, vp3=37.5)
    found = mode_profile(three_compartment, alike, {"absorption": "none"}, "central", TIMES)
    expected = mode_profile(two_compartment, Values(**TWO), {"absorption": "none"}, "central", TIMES)
    np.testing.assert_allclose(found, expected, rtol=1e-11)


@pytest.mark.parametrize(
    "roots", [(9.0, 0.7, 1e-4), (1e3, 1.0, 1e-3), (2.0, 2.0 - 1e-3, 1.0), (5.0, 1.001, 1.0), (1e6, 1e-6, 1e-7)]
)
def test_cubic_rates_finds_every_root_to_its_own_precision(roots):
    a, b, c = roots
    conditioning = max(1.0, max(roots) / (a - b), max(roots[1:]) / (b - c))
    found = cubic_rates(a + b + c, a * b + b * c + a * c, a * b * c)
    np.testing.assert_allclose(found, roots, rtol=1e-13 * conditioning)


def test_cubic_rates_survives_a_threefold_root():
    np.testing.assert_allclose(cubic_rates(3.0, 3.0, 1.0), (1.0, 1.0, 1.0), rtol=1e-4)


@pytest.mark.parametrize("kind", CLOSED)
def test_modes_take_arrays_and_complex_numbers(kind):
    module, single = KINDS[kind], Values(ka=1.1, **CASES[kind])
    many = Values(**{name: np.full(3, value) for name, value in vars(single).items()})
    complex_step = Values(**{**vars(single), "cl": single.cl + 1e-20j})
    rates, weights = module.modes(single, ORAL)
    rates_many, weights_many = module.modes(many, ORAL)
    np.testing.assert_array_equal(np.array(rates_many)[:, 1], rates)
    np.testing.assert_array_equal(np.array(weights_many["depot"])[:, 2], weights["depot"])
    slope = np.imag(module.modes(complex_step, ORAL)[0]) / 1e-20
    ahead = module.modes(Values(**{**vars(single), "cl": single.cl * (1 + 1e-6)}), ORAL)[0]
    behind = module.modes(Values(**{**vars(single), "cl": single.cl * (1 - 1e-6)}), ORAL)[0]
    np.testing.assert_allclose(slope, (np.array(ahead) - behind) / (2e-6 * single.cl), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_every_pk_declares_what_it_reads_and_accepts_every_structure(kind):
    module = KINDS[kind]
    for absorption in module.STRUCTURE.get("absorption", ("only",)):
        structure = {"absorption": absorption}
        p = some_values(module.parameters(structure))
        assert {"f", "tlag"} <= vars(p).keys()
        if hasattr(module, "modes"):
            rates, weights = module.modes(p, structure)
            assert set(weights) >= set(module.channels(structure))
            assert all(len(w) == len(rates) for w in weights.values())
            continue
        sizes = {len(f(p, structure)) for f in (module.start, module.scale)} | {len(module.states(structure))}
        a = module.start(p, structure)
        assert sizes == {len(module.rhs(a, p, 5.0, structure))}
        assert module.rhs(a, p, 5.0, structure) == a
        assert module.signal(a, p, 5.0, structure) == 0
        assert set(module.entry(structure)) == set(module.dose(p, structure)) == set(module.channels(structure))


@pytest.mark.parametrize("kind", SOLVED)
def test_solved_kinetics_have_exact_complex_derivatives(kind):
    module, structure = KINDS[kind], KINDS[kind].DEFAULTS
    p = some_values(module.parameters(structure))
    a = [0.8] * len(module.states(structure))
    for i in range(len(a)):
        step = [x + (1e-20j if i == j else 0) for j, x in enumerate(a)]
        exact = np.imag(module.rhs(tuple(step), p, 2.0, structure)) / 1e-20
        ahead, behind = ([x + h * (i == j) for j, x in enumerate(a)] for h in (1e-6, -1e-6))
        central = np.subtract(module.rhs(tuple(ahead), p, 2.0, structure), module.rhs(tuple(behind), p, 2.0, structure))
        np.testing.assert_allclose(exact, central / 2e-6, rtol=1e-7, atol=1e-9)


def test_michaelis_menten_is_linear_far_below_km_and_keeps_its_mass_balance():
    p = Values(ka=1.1, vmax=6.3e6, km=1e6, v=60.0, f=1.0, tlag=0.0)
    found = solve(lambda t, a: michaelis_menten.rhs(a, p, 0.0, ORAL), (1.0, 0.0), TIMES)[:, 1] / 60.0
    np.testing.assert_allclose(
        found, mode_profile(one_compartment, Values(ka=1.1, **ONE), ORAL, "depot", TIMES), atol=1e-9
    )


def test_michaelis_menten_obeys_the_integrated_rate_law():
    p = Values(vmax=10.0, km=2.0, v=30.0)
    times = np.linspace(0.0, 40.0, 9)
    c = solve(lambda t, a: michaelis_menten.rhs(a, p, 0.0, {"absorption": "none"}), (600.0,), times)[:, 0] / 30.0
    np.testing.assert_allclose(20.0 - c + 2.0 * np.log(20.0 / c), 10.0 / 30.0 * times, atol=1e-7)


FILGRASTIM = some_values(filgrastim.parameters({}), ksc=0.123, vd=3.12, cld=0.833, kd=0.0237, kint=0.113, sr=0.0590)


@pytest.mark.parametrize("total", [1e-12, 1e-4, 0.01, 0.25, 5.0, 1e4])
def test_filgrastim_binding_is_at_equilibrium(total):
    free = filgrastim.concentration((0.0, total), FILGRASTIM, 4.0, {}) / 18.8
    receptors = 0.0590 * 4.0
    occupancy = filgrastim.signal((0.0, total), FILGRASTIM, 4.0, {})
    receptors = 0.0590 * 4.0
    assert free + occupancy * receptors == pytest.approx(total, rel=1e-14)
    assert free * (1 - occupancy) == pytest.approx(0.0237 * occupancy, rel=1e-10)


def test_filgrastim_without_receptors_is_linear():
    p = Values(**{**vars(FILGRASTIM), "sr": 1e-12})
    start = (300.0 * filgrastim.dose(p, {})["depot"], 0.0)
    states = solve(lambda t, a: filgrastim.rhs(a, p, 4.0, {}), start, TIMES)
    linear = mode_profile(one_compartment, Values(ka=0.123, cl=0.833, vc=3.12), ORAL, "depot", TIMES)
    found = [filgrastim.concentration(tuple(a), p, 4.0, {}) for a in states]
    np.testing.assert_allclose(found, 300.0 * linear, rtol=1e-6, atol=1e-7)


def test_endogenous_gcsf_shows_in_the_concentration_and_not_in_the_occupancy():
    p = Values(**{**vars(FILGRASTIM), "bsld": 0.00299})
    assert filgrastim.concentration((0.0, 0.0), p, 4.0, {}) == pytest.approx(0.00299 * 18.8)
    assert filgrastim.signal((0.0, 0.0), p, 4.0, {}) == 0.0


def test_pegfilgrastim_is_cleared_faster_at_higher_counts():
    p = some_values(
        pegfilgrastim.parameters({}),
        duration=2.11,
        ka=0.0114,
        vc=1.81,
        vmax=0.0467,
        km=0.00205,
        cl_anc=0.0028,
        kd=0.00924,
    )
    times = np.linspace(0.0, 500.0, 101)
    areas = {}
    for count in (1e-9, 3.0, 30.0):
        c = solve(lambda t, a, n=count: pegfilgrastim.rhs(a, p, n, {}), (6.0, 0.0), times)[:, 1] / p.vc
        areas[count] = np.trapezoid(c, times)
    assert areas[30.0] < areas[3.0] < areas[1e-9]
    assert 1.0 < areas[3.0] < 20.0
