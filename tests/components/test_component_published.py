"""Components put together give the numbers that were published for them, or computed from their publications."""

from __future__ import annotations

import numpy as np
import pytest
from component_oracle import solve
from lineage_cases import BLOCK, HARROLD, NEUTROPHIL, build, with_site

from myelosim.components.contract import Values
from myelosim.components.effects import emax, linear, sigmoid_emax
from myelosim.components.pk import filgrastim, one_compartment, three_compartment, two_compartment

MYELOMA = BLOCK | {"gamma": 0.017, "reservoir_ratio": 2.5, "km_fraction": 0.45}
AVADOMIDE = Values(ka=5.5, cl=0.0708 * 48.7, vc=48.7, q=0.0265 * 48.7, vp=0.0265 * 48.7 / 0.0195)
LAG = 0.406
FIRST_ORDER = {"absorption": "first_order"}
BLOCKED_BY = Values(emax=0.9, ec50=15.0, hill=2.0)
DOCETAXEL = Values(cl=38.5, vc=7.4, q2=1.06 * 7.4, vp2=1.06 * 7.4 / 1.51, q3=1.26 * 7.4, vp3=1.26 * 7.4 / 0.084)
FILGRASTIM = Values(
    ksc=0.123, vd=3.12, cld=0.833, kd=0.0237, kint=0.113, sr=0.0590, f=1.0, tlag=0.0, bsld=0.00299, molar_mass=18.8
)


def after_doses(module, p, structure, channel, amount, times):
    """Return the concentration as a function of time after bolus doses, from the modes."""
    rates, weights = module.modes(p, structure)
    rates, weights, times = np.array(rates), amount * np.array(weights[channel]), np.array(times)

    def concentration(t):
        since = t - times[times <= t]
        return float(np.sum(weights * np.exp(-np.outer(since, rates))))

    return concentration


def after_infusion(module, p, amount, duration):
    """Return the concentration as a function of time during and after one infusion, from the modes."""
    rates, weights = module.modes(p, {"absorption": "none"})
    rates, weights = np.array(rates), amount / duration * np.array(weights["central"])

    def concentration(t):
        began, ended = np.exp(-rates * t), np.exp(-rates * max(t - duration, 0.0))
        return float(np.sum(weights / rates * (ended - began)))

    return concentration


def neutrophils(values, site_of, hours, breaks, method="DOP853", kind="friberg"):
    """Return the count at each hour under time-dependent site factors."""
    module, structure, p, _ = build(kind, {}, values)
    y = solve(
        lambda t, y: module.rhs(y, p, with_site(module, **site_of(t)), structure),
        module.start(p, structure), hours, method=method, tolerance=1e-8, breaks=breaks,
    )  # fmt: skip
    return np.array([module.observe(tuple(row), p, structure)[0] for row in y])


def lowest(hours, counts):
    """Return the nadir and its day, by a parabola through the three lowest points."""
    i = int(counts.argmin())
    a, b, c = np.polyfit(hours[i - 1 : i + 2] - hours[i], counts[i - 1 : i + 2], 2)
    return c - b * b / (4 * a), (hours[i] - b / (2 * a)) / 24


DAILY, FIVE_OF_SEVEN, FOURTEEN = range(28), [d for d in range(28) if d % 7 < 5], range(14)


@pytest.mark.parametrize(
    "values, days, nadir, nadir_day, weekly",
    [
        (BLOCK, DAILY, 2.11, 22.8, [4.32, 2.71, 2.12, 2.12, 4.27]),
        (BLOCK, FIVE_OF_SEVEN, 2.72, 26.3, [4.36, 4.13, 3.64, 3.45, 4.30]),
        (BLOCK, FOURTEEN, 2.66, 14.3, [4.32, 2.71, 4.27, 4.41, 4.34]),
        (MYELOMA, DAILY, 1.92, 20.8, [4.26, 2.14, 1.93, 1.94, 4.25]),
    ],
    ids=["glioblastoma daily", "glioblastoma 5/7", "glioblastoma 14/28", "myeloma daily"],
)
def test_avadomide_maturation_block(values, days, nadir, nadir_day, weekly):
    doses = np.array(days) * 24 + LAG
    c = after_doses(two_compartment, AVADOMIDE, FIRST_ORDER, "depot", 3.0, doses)
    hours = np.arange(0.0, 36 * 24 + 1, 1.0)
    counts = neutrophils(
        values,
        lambda t: {"maturation": 1 - sigmoid_emax.effect(1000 * c(t), BLOCKED_BY)},
        hours, doses, "BDF", "maturation_block",
    )  # fmt: skip
    assert counts.min() == pytest.approx(nadir, abs=0.006)
    assert hours[counts.argmin()] / 24 == pytest.approx(nadir_day, abs=0.1)
    np.testing.assert_allclose(counts[np.array([7, 14, 21, 28, 35]) * 24], weekly, atol=0.006)


def test_avadomide_exposure():
    doses = np.array(FIVE_OF_SEVEN) * 24 + LAG
    c = after_doses(two_compartment, AVADOMIDE, FIRST_ORDER, "depot", 5.0, doses)
    hours = np.arange(0, 28 * 24, 0.05)
    profile = np.array([1000 * c(t) for t in hours])
    assert profile.max() == pytest.approx(119, abs=0.6)
    assert np.trapezoid(profile, hours) / 24 == pytest.approx(1181, rel=2e-3)


@pytest.mark.parametrize(
    "effect, parameters, dose, nadir, nadir_day",
    [
        (emax, Values(emax=83.9, ec50=7.17), 100.0, 0.87, 7.6),
        (linear, Values(slope=8.58), 100.0, 0.90, None),
        (emax, Values(emax=83.9, ec50=7.17), 75.0, 1.23, 7.4),
    ],
)
def test_docetaxel_nadir(effect, parameters, dose, nadir, nadir_day):
    c = after_infusion(three_compartment, DOCETAXEL, dose * 1.8 / 807.9 * 1000, 1.0)
    hours = np.arange(0.0, 22 * 24, 1.0)
    counts = neutrophils(NEUTROPHIL, lambda t: {"proliferation": 1 - effect.effect(c(t), parameters)}, hours, (1.0,))
    found, day = lowest(hours, counts)
    assert found == pytest.approx(nadir, abs=0.005)
    if nadir_day is not None:
        assert day == pytest.approx(nadir_day, abs=0.05)
    if dose == 100.0 and effect is emax:
        below = hours[counts < 1.0] / 24
        assert (below[0], below[-1]) == pytest.approx((6.4, 8.9), abs=0.06)
        assert counts.max() == pytest.approx(6.3, abs=0.05)
        assert hours[counts.argmax()] / 24 == pytest.approx(19.8, abs=0.1)
        assert counts[21 * 24] == pytest.approx(6.24, abs=0.006)


@pytest.mark.parametrize(
    "amount, vp, nadir, nadir_hour, rebound, tolerance",
    [
        (410.0, 1000.0, 2.65155, 223.88, 9.99083, 1e-5),
        (175 * 1.8 / 853.9 * 1000, 995.0, 2.92, 9.2 * 24, 9.7, 0.06),
    ],
)
def test_paclitaxel_leukocytes(amount, vp, nadir, nadir_hour, rebound, tolerance):
    c = after_infusion(two_compartment, Values(cl=285.0, vc=290.0, q=204.0, vp=vp), amount, 3.0)
    values = {"baseline": 7.21, "mtt": 124.0, "gamma": 0.239}
    hours = np.arange(0.0, 30 * 24, 2.0)
    counts = neutrophils(values, lambda t: {"proliferation": 1 - 28.9 * c(t)}, hours, (3.0,))
    found, day = lowest(hours, counts)
    assert found == pytest.approx(nadir, abs=max(tolerance, 1e-5))
    assert day * 24 == pytest.approx(nadir_hour, abs=max(0.05, 20 * tolerance))
    assert -lowest(hours, -counts)[0] == pytest.approx(rebound, abs=max(tolerance, 2e-5))
    if amount == 410.0:
        assert c(3.0) == pytest.approx(0.31512, abs=5e-6)


@pytest.mark.parametrize(
    "gamma, effects",
    [
        (0.146, [0.161, 0.209, 0.286]),
        (0.161, [0.176, 0.228, 0.310]),
        (0.17, [0.185, 0.239, 0.324]),
        (0.239, [0.250, 0.319, 0.423]),
    ],
)
def test_steady_effects_that_hold_a_count_down(gamma, effects):
    for effect, target in zip(effects, (1.5, 1.0, 0.5), strict=True):
        module, structure, p, _ = build("friberg", {}, {"baseline": 5.0, "mtt": 110.0, "gamma": gamma})
        e = 1 - (target / 5) ** gamma
        assert e == pytest.approx(effect, abs=6e-4)
        rest = (*module.carry((target,) * 5 + (1.0,), p, structure),)
        rates = module.rhs(rest, p, with_site(module, proliferation=1 - e), structure)
        assert np.max(np.abs(rates)) < 1e-15 * target


def test_sunitinib_holds_leukocytes_at_three_quarters():
    p = Values(emax=0.10, ec50=7.1)
    ratios = [(1 - emax.effect(c, p)) ** (1 / 0.28) for c in (30.0, 70.0)]
    assert ratios == pytest.approx([0.74, 0.71], abs=0.005)


def with_filgrastim(kind, values, site_of, dose, hours, begun=None, method="LSODA", breaks=()):
    """Return the counts under daily doses in micrograms at the times in ``breaks``, occupancy driving the sites."""
    module, structure, p, _ = build(kind, {}, values)
    start = module.start(p, structure) if begun is None else begun

    def rhs(t, y):
        a, cells = tuple(y[:2]), tuple(y[2:])
        count = module.observe(cells, p, structure)[0]
        site = with_site(module, **site_of(filgrastim.signal(a, FILGRASTIM, count, {}), t))
        return (*filgrastim.rhs(a, FILGRASTIM, count, {}), *module.rhs(cells, p, site, structure))

    y = np.array([0.0, 0.0, *start])
    counts = []
    for low, high in zip([*breaks], [*breaks[1:], hours[-1]], strict=True):
        y[0] += dose * filgrastim.dose(FILGRASTIM, {})["depot"]
        inside = hours[(hours >= low) & (hours < high)]
        states = solve(rhs, y, np.unique([low, *inside, high]), method=method, tolerance=1e-8)
        counts += [module.observe(tuple(row[2:]), p, structure)[0] for row in states[:-1]]
        y = states[-1]
    return np.array(counts)


def test_filgrastim_in_healthy_people():
    hours = np.arange(0.0, 97.0)

    def speeded(occupancy, t):
        return {"production": 1 + 7.53 * occupancy, "maturation": 1 + 3.89 * occupancy}

    counts = with_filgrastim("production", HARROLD, speeded, 350.0, hours, breaks=(0.0,))
    assert counts[0] == pytest.approx(3.90, abs=0.005)
    assert counts[24] == pytest.approx(18.5, abs=0.06)
    assert counts[24] / counts[0] == pytest.approx(4.8, abs=0.06)
    peak = counts.argmax()
    halved = peak + np.argmax(counts[peak:] < counts[peak] / 2)
    assert 12 < halved - peak < 48
    assert np.all(
        with_filgrastim("production", HARROLD, speeded, 0.0, hours, breaks=(0.0,)) == pytest.approx(3.898, abs=1e-3)
    )


def stirred_by_gcsf(occupancy):
    """Return how a growth factor acts on a maturation block that keeps its proliferating pool."""
    return {"amplification": 1 + 2 * occupancy, "maturation": 1 + 1.5 * occupancy, "setpoint": 1 + 4 * occupancy}


def test_filgrastim_on_a_maturation_block_mobilizes_the_reservoir():
    values = MYELOMA | {"baseline": 3.2, "egress_cap": 50.0}
    hours = np.arange(0.0, 49.0)
    counts = with_filgrastim("maturation_block", values, lambda o, t: stirred_by_gcsf(o), 350.0, hours, breaks=(0.0,))
    assert counts[24] / counts[0] == pytest.approx(2.7, abs=0.06)


def test_filgrastim_after_a_block_brings_the_count_back_in_days():
    values = MYELOMA | {"baseline": 3.2, "egress_cap": 50.0}
    k = np.log(2) / 48.0
    doses = np.arange(14) * 24.0
    c = after_doses(one_compartment, Values(ka=1.0, cl=1 / 24, vc=1 / 24 / k), FIRST_ORDER, "depot", 1.0, doses)
    blocked_by = Values(emax=0.9, ec50=0.45, hill=2.0)
    module, structure, p, _ = build("maturation_block", {}, values)

    def blocked(t):
        return 1 - sigmoid_emax.effect(c(t), blocked_by)

    def rhs(t, y):
        return module.rhs(y, p, with_site(module, maturation=blocked(t)), structure)

    begun = solve(rhs, module.start(p, structure), np.array([0.0, 336.0]), "BDF", 1e-7, breaks=doses)[-1]

    def rescued(occupancy, t):
        site = stirred_by_gcsf(occupancy)
        return {**site, "maturation": site["maturation"] * blocked(t + 336.0)}

    hours, days = np.arange(0.0, 73.0), (0.0, 24.0, 48.0)
    alone, helped = (
        with_filgrastim("maturation_block", values, rescued, dose, hours, begun, "BDF", days)[-1]
        for dose in (0.0, 350.0)
    )
    assert begun[-1] == pytest.approx(1.4, abs=0.1)
    assert alone == pytest.approx(1.8, abs=0.1)
    assert helped == pytest.approx(3.5, abs=0.15)
