"""Friberg transit-chain myelosuppression.

    dProl/dt  = ktr * Prol * (proliferation * (baseline / Circ)**gamma - 1)
    dT_1/dt   = ktr * (Prol - maturation * T_1)    and so on down the chain
    dCirc/dt  = ktr * maturation * egress * T_n - kcirc * loss * Circ
    ktr       = (n_transits + 1) / mtt

With ``kcirc = "equal"`` the loss rate is ktr and all states start at baseline; with ``kcirc = "free"`` Prol and the
transit compartments start at kcirc * baseline / ktr. Both are the drug-free steady state. The feedback is carried as
a state w, dw/dt = -gamma * w * Circ' / Circ, which saves evaluating a power at every stage.

A constant effect on proliferation, of factor 1 - E, moves the count to baseline * (1 - E)^(1/gamma). One on
``maturation`` (every step after the proliferating pool) or ``egress`` (the last of them) gives a dip or a rise that the
chain then makes up for: the count comes back to baseline under the drug.

Reference: Friberg et al., J Clin Oncol 2002;20:4713-21.
"""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import power
from myelosim.components.contract import Declared, State

STRUCTURE = {"n_transits": range(1, 21), "kcirc": ("equal", "free")}
DEFAULTS = {"n_transits": 3, "kcirc": "equal"}
SITES = ("proliferation", "maturation", "egress", "loss")
STIFF = False


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the lineage asks for."""
    free = (Declared("kcirc", "1/h", "loss rate of circulating cells"),) if structure["kcirc"] == "free" else ()
    return (
        Declared("baseline", "10^9/L", "circulating cells before treatment"),
        Declared("mtt", "h", "mean transit time through the maturation chain"),
        Declared("gamma", "1", "feedback exponent"),
        *free,
    )


def outputs(structure: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return name and unit of what is observed, the count first."""
    return (("count", "10^9/L"),)


def states(structure: dict[str, Any]) -> tuple[State, ...]:
    """Return the proliferating pool, the transit chain, the circulating cells and the carried feedback."""
    transits = tuple(State(f"transit_{i + 1}", "10^9/L") for i in range(structure["n_transits"]))
    return (
        State("proliferating", "10^9/L"),
        *transits,
        State("circulating", "10^9/L"),
        State("feedback", "1", carried=True),
    )


def circulating(structure: dict[str, Any]) -> tuple[int, ...]:
    """Return the states that make up the count: what a blood loss or a transfusion changes."""
    return (structure["n_transits"] + 1,)


def start(p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the drug-free steady state."""
    n = structure["n_transits"]
    marrow = p.baseline if structure["kcirc"] == "equal" else p.kcirc * p.baseline * p.mtt / (n + 1)
    return (*(marrow for _ in range(n + 1)), p.baseline, p.baseline / p.baseline)


def carry(y: tuple[Any, ...], p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the states with the feedback derived from the count."""
    return (*y[:-1], power(p.baseline / y[-2], p.gamma))


def rhs(y: tuple[Any, ...], p: Any, site: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the derivatives; ``site`` holds the factors that drug effects put on each process."""
    n = structure["n_transits"]
    proliferating, *transits, circulating, feedback = y
    ktr = (n + 1) / p.mtt
    kcirc = ktr if structure["kcirc"] == "equal" else p.kcirc
    grown = ktr * proliferating * (site.proliferation * feedback) - ktr * proliferating
    step = ktr * site.maturation
    rates = [ktr, *(step for _ in range(n - 1)), step * site.egress]
    flows = [rate * pool for rate, pool in zip(rates, (proliferating, *transits), strict=True)]
    matured = [flows[i] - flows[i + 1] for i in range(n)]
    change = flows[-1] - kcirc * site.loss * circulating
    return (grown, *matured, change, -p.gamma * feedback * (change / circulating))


def observe(y: tuple[Any, ...], p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the circulating count; linear in the states."""
    return (y[-2],)


def problems(p: Any, structure: dict[str, Any]) -> list[str]:
    """Return why this parameter set cannot be trusted; see :mod:`myelosim.components.lineages.stability`."""
    from myelosim.components.lineages.stability import chain_limit, too_steep

    n = structure["n_transits"]
    ratio = 1.0 if structure["kcirc"] == "equal" else p.kcirc * p.mtt / (n + 1)
    return too_steep(p.gamma, chain_limit(n, ratio))
