"""Maturation block: a saturable step between marrow stages, a reservoir, and feedback on proliferation and egress.

    Prol' = kprol * proliferation * (T2_0/T2)^gamma * Prol - k1 * Prol
    T1'   = k1 * amplification * Prol - (k2 + kd) * T1
    T2'   = k2 * T1 - flux - kd * T2,      flux = maturation * vmax * T2 / (km + T2)
    T3'   = flux - (k4 + kd) * T3
    Res'  = k4 * T3 - (kd + out) * Res,    out = kout * egress * min((setpoint * baseline / Circ)^beta, egress_cap)
    Circ' = out * Res - kelim * loss * Circ

Everything is at rest with Prol = T1 = T2 = T3 = Circ = baseline and Res = reservoir_ratio * baseline, which fixes
the rates:

    kelim = ln 2 / half_life,  kout = kelim / reservoir_ratio,  k4 = (kd + kout) * reservoir_ratio,
    k3 = kd + k4,  k2 = kd + k3,  k1 = kd + k2,  kprol = k1,  km = km_fraction * baseline,  vmax = k3 * (km + baseline)

``apoptosis`` is kd. A drug that arrests maturation acts on ``maturation``; the reservoir buffers the count for a
week. ``amplification`` is the number of cells that one proliferating cell gives, and ``setpoint`` moves the count at
which egress rests: where a growth factor acts. Published without ``egress_cap``; with beta = 20 the egress then spans
fourteen decades, hence stiff. A cap of 50 moves published trajectories by two percent at most, and says that egress has
a fastest rate.

Reference: Abbiati et al., AAPS J 2021;23:103, corrected 2022;24:29.
"""

from __future__ import annotations

import math
from typing import Any

from myelosim.arithmetic import minimum, power
from myelosim.components.contract import Declared, State

STRUCTURE: dict[str, tuple[str, ...]] = {}
DEFAULTS: dict[str, str] = {}
SITES = ("proliferation", "amplification", "maturation", "egress", "setpoint", "loss")
STIFF = True


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the lineage asks for."""
    return (
        Declared("baseline", "10^9/L", "circulating cells before treatment"),
        Declared("gamma", "1", "exponent of the feedback of crowding on proliferation"),
        Declared("beta", "1", "exponent of the feedback of the count on egress"),
        Declared("reservoir_ratio", "1", "marrow reservoir over circulating cells"),
        Declared("km_fraction", "1", "half-saturation of the maturation step over its resting pool"),
        Declared("half_life", "h", "half-life of circulating cells"),
        Declared("apoptosis", "1/h", "death rate of maturing cells", closed=True),
        Declared(
            "egress_cap",
            "1",
            "largest factor of the feedback on egress",
            lower=1.0,
            closed=True,
            default=1e30,
            setting=True,
        ),
    )


def outputs(structure: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return name and unit of what is observed, the count first."""
    return (("count", "10^9/L"),)


def states(structure: dict[str, Any]) -> tuple[State, ...]:
    """Return the marrow from the proliferating pool to the reservoir, and the circulating cells."""
    names = ("proliferating", "transit_1", "transit_2", "transit_3", "reservoir", "circulating")
    return tuple(State(name, "10^9/L") for name in names)


def circulating(structure: dict[str, Any]) -> tuple[int, ...]:
    """Return the states that make up the count: what a blood loss or a transfusion changes."""
    return (5,)


def start(p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the drug-free steady state."""
    return (p.baseline, p.baseline, p.baseline, p.baseline, p.reservoir_ratio * p.baseline, p.baseline)


def rhs(y: tuple[Any, ...], p: Any, site: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the derivatives; ``site`` holds the factors that drug effects put on each process."""
    proliferating, transit_1, transit_2, transit_3, reservoir, count = y
    kd = p.apoptosis
    kelim = math.log(2.0) / p.half_life
    kout = kelim / p.reservoir_ratio
    k4 = (kd + kout) * p.reservoir_ratio
    k3 = kd + k4
    k2 = kd + k3
    k1 = kd + k2
    km = p.km_fraction * p.baseline
    vmax = k3 * (km + p.baseline)
    crowding = power(p.baseline / transit_2, p.gamma)
    flux = site.maturation * vmax * transit_2 / (km + transit_2)
    demand = minimum(power(site.setpoint * p.baseline / count, p.beta), p.egress_cap)
    released = kout * site.egress * demand * reservoir
    return (
        k1 * site.proliferation * crowding * proliferating - k1 * proliferating,
        k1 * site.amplification * proliferating - (k2 + kd) * transit_1,
        k2 * transit_1 - flux - kd * transit_2,
        flux - (k4 + kd) * transit_3,
        k4 * transit_3 - kd * reservoir - released,
        released - kelim * site.loss * count,
    )


def observe(y: tuple[Any, ...], p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the circulating count; linear in the states."""
    return (y[5],)


def problems(p: Any, structure: dict[str, Any]) -> list[str]:
    """Return why this parameter set cannot be trusted."""
    from myelosim.components.lineages.stability import unstable

    return unstable(rhs, start(p, structure), p, SITES, structure, "a smaller gamma")
