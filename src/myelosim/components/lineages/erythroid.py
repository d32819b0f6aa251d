"""Red cells: erythroid precursors, red cells that die of age, and the measures a blood count gives of them.

The equations are those of :mod:`myelosim.components.lineages.chains`, counted in 10^12 red cells per litre:

    hemoglobin = rbc * mch / 10,  hematocrit = rbc * mcv / 10,  rbc = sum of the ages
    reticulocytes = ktr * R_n * reticulocyte_time

so the count proper, first among the outputs, is hemoglobin in g/dL, and the feedback runs on it with
erythropoietin's power and cap. Reticulocytes are the red cells released within the last ``reticulocyte_time``, one
to two days of the forty to a hundred and twenty they live. That is much less than one age of the chain, so they are
found from the release itself, as the last precursors at their undisturbed rate: right for drugs that act on
production, and for red cells lost, but a drug that acts on ``egress`` or ``maturation`` shows in them only through
the precursors.

A factor on ``loss`` is hemolysis: 1 + E shortens the lifespan to lifespan / (1 + E).

Reference: Krzyzanski et al., J Pharmacokinet Biopharm 1999;27:467-89, for loss by age. In phlebotomized sheep
erythropoiesis rose 5.4-fold (PMC2882108), whence a cap of about five.
"""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared, State
from myelosim.components.lineages import chains

STRUCTURE = {**chains.PRECURSORS, **chains.TRANSFUSED, "n_ages": range(1, 41)}
DEFAULTS = {"transfused": "no", "precursors": "production", "n_precursors": 3, "n_ages": 12}
SITES = chains.SITES
STIFF = False


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the lineage asks for."""
    transfused = (
        Declared("unit_rise", "g/dL", "rise of the count by one unit transfused", setting=True),
        chains.DONOR_SURVIVAL,
    )
    return (
        Declared("baseline", "g/dL", "hemoglobin before treatment"),
        chains.MTT,
        chains.GAMMA,
        Declared("lifespan", "h", "time that a red cell spends in the blood"),
        chains.CAP,
        Declared("mch", "pg", "hemoglobin per red cell", setting=True),
        Declared("mcv", "fL", "volume of a red cell", setting=True),
        Declared(
            "reticulocyte_time",
            "h",
            "time for which a released cell counts as a reticulocyte",
            default=24.0,
            setting=True,
        ),
        *(transfused if structure["transfused"] == "yes" else ()),
    )


def outputs(structure: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return name and unit of what is observed, hemoglobin first."""
    return (("count", "g/dL"), ("rbc", "10^12/L"), ("hematocrit", "%"), ("reticulocyte", "10^9/L"))


def states(structure: dict[str, Any]) -> tuple[State, ...]:
    """Return the precursors, the ages of circulating red cells and the carried feedback."""
    return chains.states(structure, structure["n_ages"], "10^12/L")


def circulating(structure: dict[str, Any]) -> tuple[int, ...]:
    """Return the states that make up the count: what a blood loss or a transfusion changes."""
    return chains.circulating(structure, structure["n_ages"])


def donors(structure: dict[str, Any]) -> int | None:
    """Return the state that a transfusion adds to, if there is one."""
    return chains.donors(structure, structure["n_ages"])


def transfusion(p: Any) -> Any:
    """Return what one unit adds to the donors' cells, 10^12/L."""
    return 10 * p.unit_rise / p.mch


def start(p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the drug-free steady state."""
    return chains.start(_cells(p), p.lifespan, p, structure, structure["n_ages"])


def carry(y: tuple[Any, ...], p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the states with the feedback derived from the red cells."""
    return chains.carry(y, _cells(p), p, structure)


def rhs(y: tuple[Any, ...], p: Any, site: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the derivatives; ``site`` holds the factors that drug effects put on each process."""
    return chains.rhs(y, _cells(p), p.lifespan, p, site, structure)


def observe(y: tuple[Any, ...], p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return hemoglobin, red cells, hematocrit and reticulocytes; linear in the states."""
    n = structure["n_precursors"]
    rbc = sum(y[n:-1])
    return (rbc * p.mch / 10, rbc, rbc * p.mcv / 10, 1000 * p.reticulocyte_time * n / p.mtt * y[n - 1])


def problems(p: Any, structure: dict[str, Any]) -> list[str]:
    """Return why this parameter set cannot be trusted."""
    return chains.problems(p.lifespan, p, structure, structure["n_ages"])


def _cells(p: Any) -> Any:
    """Return the red cells at baseline, 10^12/L."""
    return 10 * p.baseline / p.mch
