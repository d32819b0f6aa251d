"""Effects and delays: what they are without drug, at saturation and under lasting exposure."""

from __future__ import annotations

import numpy as np
import pytest
from component_oracle import solve, some_values

from myelosim.components.contract import Values
from myelosim.components.delays import KINDS as DELAYS
from myelosim.components.effects import KINDS as EFFECTS
from myelosim.components.effects import emax, linear, log_linear, sigmoid_emax, sustained

STATIC = [kind for kind in EFFECTS if not hasattr(EFFECTS[kind], "states")]
DAYS = np.linspace(0.0, 240.0, 11)


@pytest.mark.parametrize("c", [0.0, -1e-17, np.array([0.0, -1e-300])])
@pytest.mark.parametrize("kind", STATIC)
def test_no_drug_no_effect(kind, c):
    assert np.all(np.abs(EFFECTS[kind].effect(c, some_values(EFFECTS[kind].PARAMETERS, hill=2.0))) < 1e-15)


@pytest.mark.parametrize("kind", STATIC)
def test_effects_grow_with_concentration_and_take_arrays(kind):
    module, p = EFFECTS[kind], some_values(EFFECTS[kind].PARAMETERS)
    c = np.geomspace(1e-3, 1e3, 13)
    found = module.effect(c, p)
    assert np.all(np.diff(found) >= 0) and np.all(
        np.diff(found[c <= module.scale(p)]) > 0
    )  # in floating point it may saturate
    np.testing.assert_allclose(found, [module.effect(float(x), p) for x in c], rtol=1e-14)


@pytest.mark.parametrize("kind", STATIC)
def test_effects_are_of_order_one_at_their_scale(kind):
    module, p = EFFECTS[kind], some_values(EFFECTS[kind].PARAMETERS)
    largest = getattr(p, "emax", getattr(p, "slope", 1.0) if kind == "log_linear" else 1.0)
    assert 0.4 < module.effect(module.scale(p), p) / largest <= 1.0


@pytest.mark.parametrize("kind", STATIC)
def test_effects_have_exact_complex_derivatives(kind):
    module, p = EFFECTS[kind], some_values(EFFECTS[kind].PARAMETERS)
    slope = (module.effect(0.3 + 1e-20j, p)).imag / 1e-20
    assert slope == pytest.approx((module.effect(0.300001, p) - module.effect(0.299999, p)) / 2e-6, rel=1e-7)


def test_known_values():
    assert linear.effect(2.0, Values(slope=0.35)) == pytest.approx(0.7)
    assert emax.effect(7.17, Values(emax=83.9, ec50=7.17)) == pytest.approx(41.95)
    assert sigmoid_emax.effect(30.0, Values(emax=0.9, ec50=15.0, hill=2.0)) == pytest.approx(0.72)
    assert log_linear.effect(np.e - 1, Values(slope=0.2, c0=1.0)) == pytest.approx(0.2)


def test_log_linear_is_linear_at_low_concentrations():
    assert log_linear.effect(1e-6, Values(slope=0.2, c0=2.0)) == pytest.approx(1e-7, rel=1e-6)


def test_sustained_effect_builds_up_with_tau_whatever_the_dose():
    p = Values(level=0.4, tau=48.0, present=0.01)
    for c in (0.25, 1.0, 50.0):
        found = solve(lambda t, x, c=c: sustained.rhs(x, c, p), sustained.start(p), DAYS)[:, 0]
        np.testing.assert_allclose(found, 0.4 * (1 - np.exp(-DAYS / 48.0)), rtol=1e-8, atol=1e-12)
    assert sustained.rhs(sustained.start(p), 0.0, p) == (0.0,)


@pytest.mark.parametrize("kind", DELAYS)
def test_delays_rest_without_drug(kind):
    module = DELAYS[kind]
    p = some_values(module.PARAMETERS)

    def effect_of(c):
        return 3.0 * c

    x = module.start(p)
    assert len(x) == len(module.states()) == len(module.scale(p, 0.7))
    assert module.rhs(x, 0.0, p, effect_of) == (0.0,) * len(x)
    assert module.effect(x, 0.0, p, effect_of) == 0.0


def test_direct_passes_the_effect_on():
    assert DELAYS["direct"].effect((), 2.0, Values(), lambda c: 3.0 * c) == 6.0


def test_effect_compartment_follows_exponentially():
    module, p = DELAYS["effect_compartment"], Values(ke0=0.05)
    x = solve(lambda t, x: module.rhs(x, 2.0, p, np.sqrt), module.start(p), DAYS)
    found = [module.effect(row, 2.0, p, lambda c: 3.0 * c) for row in x]
    np.testing.assert_allclose(found, 6.0 * (1 - np.exp(-0.05 * DAYS)), rtol=1e-8, atol=1e-12)


def test_turnover_falls_fast_and_returns_with_kdeg():
    module, p = DELAYS["turnover"], Values(kdeg=0.1)
    on = solve(lambda t, x: module.rhs(x, 1.0, p, lambda c: 4.0 * c), module.start(p), DAYS)[:, 0]
    np.testing.assert_allclose(on, 0.2 + 0.8 * np.exp(-0.5 * DAYS), rtol=1e-8)
    assert module.effect((on[-1],), 1.0, p, None) == pytest.approx(0.8, rel=1e-6)
    off = solve(lambda t, x: module.rhs(x, 0.0, p, lambda c: 4.0 * c), (0.2,), DAYS)[:, 0]
    np.testing.assert_allclose(1 - off, 0.8 * np.exp(-0.1 * DAYS), rtol=1e-6, atol=1e-10)
