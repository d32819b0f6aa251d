"""Platelets: megakaryocyte precursors, and circulating cells that die at random or of age.

The equations are those of :mod:`myelosim.components.lineages.chains`. Precursors are produced at a controlled rate,
or renew themselves as in Friberg's chain (n precursors are its proliferating pool and n - 1 transit compartments,
and ``lifespan`` = mtt/n its kcirc = ktr). ``lifespan`` is the mean time in the blood: with ``loss = "exponential"``
any platelet may be the next to go and counts fall at once when release stops; with ``loss = "lifespan"`` each passes
through ``n_ages`` ages, and the fall waits until the old ones are used up, two to four days in humans.

Reference: Harker et al., Blood 2000;95:2514-22, for loss by age; Friberg et al., J Clin Oncol 2002;20:4713-21.
"""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared, State
from myelosim.components.lineages import chains

STRUCTURE = {**chains.PRECURSORS, **chains.TRANSFUSED, "loss": ("exponential", "lifespan"), "n_ages": range(2, 41)}
DEFAULTS = {"transfused": "no", "precursors": "production", "n_precursors": 4, "loss": "exponential", "n_ages": 10}
SITES = chains.SITES
STIFF = False


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the lineage asks for."""
    transfused = (
        Declared("unit_rise", "10^9/L", "rise of the count by one unit transfused", setting=True),
        chains.DONOR_SURVIVAL,
    )
    return (
        Declared("baseline", "10^9/L", "circulating platelets before treatment"),
        chains.MTT,
        chains.GAMMA,
        Declared("lifespan", "h", "mean time that a platelet spends in the blood"),
        chains.CAP,
        *(transfused if structure["transfused"] == "yes" else ()),
    )


def outputs(structure: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return name and unit of what is observed, the count first."""
    return (("count", "10^9/L"),)


def states(structure: dict[str, Any]) -> tuple[State, ...]:
    """Return the precursors, the ages of circulating platelets and the carried feedback."""
    return chains.states(structure, _n_ages(structure), "10^9/L")


def circulating(structure: dict[str, Any]) -> tuple[int, ...]:
    """Return the states that make up the count: what a blood loss or a transfusion changes."""
    return chains.circulating(structure, _n_ages(structure))


def donors(structure: dict[str, Any]) -> int | None:
    """Return the state that a transfusion adds to, if there is one."""
    return chains.donors(structure, _n_ages(structure))


def transfusion(p: Any) -> Any:
    """Return what one unit adds to the donors' cells, 10^9/L."""
    return p.unit_rise


def start(p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the drug-free steady state."""
    return chains.start(p.baseline, p.lifespan, p, structure, _n_ages(structure))


def carry(y: tuple[Any, ...], p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the states with the feedback derived from the count."""
    return chains.carry(y, p.baseline, p, structure)


def rhs(y: tuple[Any, ...], p: Any, site: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the derivatives; ``site`` holds the factors that drug effects put on each process."""
    return chains.rhs(y, p.baseline, p.lifespan, p, site, structure)


def observe(y: tuple[Any, ...], p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the circulating count; linear in the states."""
    return (sum(y[structure["n_precursors"] : -1]),)


def problems(p: Any, structure: dict[str, Any]) -> list[str]:
    """Return why this parameter set cannot be trusted."""
    return chains.problems(p.lifespan, p, structure, _n_ages(structure))


def _n_ages(structure: dict[str, Any]) -> int:
    return 1 if structure["loss"] == "exponential" else int(structure["n_ages"])
