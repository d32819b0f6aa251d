"""Cells produced at a controlled rate, matured through a precursor chain and lost at random.

The equations are those of :mod:`myelosim.components.lineages.chains` with one age: production follows
min((baseline / count)^gamma, cap), and gamma may be zero, which leaves the count to the drugs. That is the chain of the
published G-CSF models: four precursors, the drug speeding production and every transit.

Reference: Melhem et al., Br J Clin Pharmacol 2018;84:911-25; Brekkan et al., AAPS J 2018;20:91.
"""

from __future__ import annotations

import math
from typing import Any

from myelosim.components.contract import Declared, State
from myelosim.components.lineages import chains

STRUCTURE = {**chains.PRECURSORS, "loss": ("rate", "half_life")}
DEFAULTS = {"precursors": "production", "n_precursors": 4, "loss": "rate"}
SITES = chains.SITES
STIFF = False


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the lineage asks for."""
    loss = {
        "rate": Declared("kcirc", "1/h", "loss rate of circulating cells"),
        "half_life": Declared("half_life", "h", "half-life of circulating cells"),
    }
    baseline = Declared("baseline", "10^9/L", "circulating cells before treatment")
    return (baseline, chains.MTT, chains.GAMMA, loss[structure["loss"]], chains.CAP)


def outputs(structure: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return name and unit of what is observed, the count first."""
    return (("count", "10^9/L"),)


def states(structure: dict[str, Any]) -> tuple[State, ...]:
    """Return the precursors, the circulating cells and the carried feedback."""
    return chains.states(structure, 1, "10^9/L")


def circulating(structure: dict[str, Any]) -> tuple[int, ...]:
    """Return the states that make up the count: what a blood loss or a transfusion changes."""
    return chains.circulating(structure, 1)


def start(p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the drug-free steady state."""
    return chains.start(p.baseline, _residence(p, structure), p, structure, 1)


def carry(y: tuple[Any, ...], p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the states with the feedback derived from the count."""
    return chains.carry(y, p.baseline, p, structure)


def rhs(y: tuple[Any, ...], p: Any, site: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the derivatives; ``site`` holds the factors that drug effects put on each process."""
    return chains.rhs(y, p.baseline, _residence(p, structure), p, site, structure)


def observe(y: tuple[Any, ...], p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the circulating count; linear in the states."""
    return (y[-2],)


def problems(p: Any, structure: dict[str, Any]) -> list[str]:
    """Return why this parameter set cannot be trusted."""
    return chains.problems(_residence(p, structure), p, structure, 1)


def _residence(p: Any, structure: dict[str, Any]) -> Any:
    return 1.0 / p.kcirc if structure["loss"] == "rate" else p.half_life / math.log(2.0)
