"""Transit-chain myelosuppression with endogenous G-CSF as its feedback.

    Prol' = ktr * proliferation * Prol * g^gamma - ktr * g^beta * Prol
    T_1'  = ktr * g^beta * (Prol - maturation * T_1)                 and so on down the chain
    Circ' = ktr * g^beta * maturation * egress * T_n - kcirc * loss * Circ
    g'    = gcsf * (ke + kanc * baseline) - (ke + kanc * Circ) * g
    ktr   = (n_transits + 1) / mtt,  kcirc = ln 2 / half_life

g is G-CSF over its level before treatment, ``gcsf0``, which only scales what is reported. Neutrophils take G-CSF up, so
it rises when they fall, and speeds proliferation and transit. The uptake at a normal count is so fast, three minutes,
that the block is stiff. The factor on ``gcsf`` is for what raises or lowers its production; the published input that
follows dexamethasone's effect on cortisol is left out.

The neutrophil-dependent clearance multiplies G-CSF once, kin - (ke + kanc * Circ) * G; a transcript in circulation has
the bracket wrong.

Reference: Quartino et al., Pharm Res 2014;31:3390-403.
"""

from __future__ import annotations

import math
from typing import Any

from myelosim.arithmetic import power
from myelosim.components.contract import Declared, State

STRUCTURE = {"n_transits": range(1, 21)}
DEFAULTS = {"n_transits": 4}
SITES = ("proliferation", "maturation", "egress", "loss", "gcsf")
STIFF = True


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the lineage asks for."""
    return (
        Declared("baseline", "10^9/L", "circulating cells before treatment"),
        Declared("mtt", "h", "mean transit time through the maturation chain"),
        Declared("half_life", "h", "half-life of circulating cells"),
        Declared("gamma", "1", "exponent of G-CSF on proliferation"),
        Declared("beta", "1", "exponent of G-CSF on transit", closed=True),
        Declared("ke", "1/h", "elimination of G-CSF that does not depend on the count", closed=True),
        Declared("kanc", "1/h/(10^9/L)", "elimination of G-CSF per count"),
        Declared("gcsf0", "pg/mL", "G-CSF before treatment"),
    )


def outputs(structure: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return name and unit of what is observed, the count first."""
    return (("count", "10^9/L"), ("gcsf", "pg/mL"))


def states(structure: dict[str, Any]) -> tuple[State, ...]:
    """Return the proliferating pool, the transit chain, the circulating cells and G-CSF over its resting level."""
    transits = tuple(State(f"transit_{i + 1}", "10^9/L") for i in range(structure["n_transits"]))
    return (State("proliferating", "10^9/L"), *transits, State("circulating", "10^9/L"), State("gcsf", "1"))


def circulating(structure: dict[str, Any]) -> tuple[int, ...]:
    """Return the states that make up the count: what a blood loss or a transfusion changes."""
    return (structure["n_transits"] + 1,)


def start(p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the drug-free steady state."""
    n = structure["n_transits"]
    marrow = math.log(2.0) / p.half_life * p.baseline * p.mtt / (n + 1)
    return (*(marrow for _ in range(n + 1)), p.baseline, p.baseline / p.baseline)


def rhs(y: tuple[Any, ...], p: Any, site: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the derivatives; ``site`` holds the factors that drug effects put on each process."""
    n = structure["n_transits"]
    proliferating, *transits, count, gcsf = y
    ktr = (n + 1) / p.mtt
    exit_rate = ktr * power(gcsf, p.beta)
    step = exit_rate * site.maturation
    grown = ktr * proliferating * (site.proliferation * power(gcsf, p.gamma)) - exit_rate * proliferating
    rates = [exit_rate, *(step for _ in range(n - 1)), step * site.egress]
    flows = [rate * pool for rate, pool in zip(rates, (proliferating, *transits), strict=True)]
    matured = [flows[i] - flows[i + 1] for i in range(n)]
    change = flows[-1] - math.log(2.0) / p.half_life * site.loss * count
    made = site.gcsf * (p.ke + p.kanc * p.baseline)
    return (grown, *matured, change, made - (p.ke + p.kanc * count) * gcsf)


def observe(y: tuple[Any, ...], p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the circulating count and G-CSF; linear in the states."""
    return (y[-2], p.gcsf0 * y[-1])


def problems(p: Any, structure: dict[str, Any]) -> list[str]:
    """Return why this parameter set cannot be trusted."""
    from myelosim.components.lineages.stability import unstable

    return unstable(rhs, start(p, structure), p, SITES, structure, "a smaller gamma, and beta below it")
