"""Sweep files into :class:`~myelosim.spec.sweep.Sweep`."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec.document import Findings, Table, read_toml, suggestion
from myelosim.spec.grading import grade_limits, load_grading
from myelosim.spec.library import files, find
from myelosim.spec.literal import found
from myelosim.spec.load import header
from myelosim.spec.model import observable
from myelosim.spec.scenario import Arm, Scenario
from myelosim.spec.scenarios import read_scenario
from myelosim.spec.sweep import DOSING, Axis, Cell, Keep, Limit, Sweep
from myelosim.spec.sweep_axes import DOSE_AXES, parts_of, read_axes
from myelosim.spec.sweep_cells import MODEL, MOST_CELLS, read_cells

GRADED = ("worst_grade", "observed_grade")
LIMITABLE = (
    *GRADED, "treatment_emergent", "observed_treatment_emergent", "days_grade3", "longest_grade3", "days_grade4",
    "longest_grade4",
)  # fmt: skip
LANES = 8


def load_sweep(
    source: str | os.PathLike[str] | Mapping[str, Any], *, size: int | None = None, seed: int | None = None
) -> Sweep:
    """Load a sweep by name, by path, or from a mapping that says what a file would.

    Parameters
    ----------
    source : str, path or mapping
        What to load.
    size, seed : int, optional
        How many subjects, and which, in the place of what the file says.

    Raises
    ------
    SpecError
        The file is not found, or something in it cannot be; what is wrong in a cell names the cell.
    """
    population = {key: value for key, value in (("size", size), ("seed", seed)) if value is not None}
    if isinstance(source, Mapping):
        return read_sweep(Table(source, (), Findings("sweep")), "sweep", population)
    path = find(source, ("scenarios",))
    if path is None:
        raise SpecError(f"no sweep '{source}'{suggestion(str(source), files('scenarios'))}")
    return dataclasses.replace(read_sweep(read_toml(path), path.stem, population), path=str(path.resolve()))


def read_sweep(table: Table, name: str, instead: Mapping[str, int] | None = None) -> Sweep:
    """Read a sweep, with another population if there is one ``instead``; raise what is wrong with it."""
    header(table, "sweep")
    name, title, text = table.name("name", name), table.name("title", ""), table.text("text", "")
    base = _base(table)
    scenario = None if base is None else read_scenario(base, _named(table))
    if scenario is not None and not scenario.model.lineages:
        table.fail(
            "scenario",
            f"its model '{scenario.model.name}' has no lineage, so there is nothing to grade; choose another",
        )
    axes = read_axes(table)
    population = _population(table) | dict(instead or {})
    arm = _arm(table, scenario, axes)
    drug = _drug(table, scenario, arm, axes)
    limit = _limit(table, scenario)
    keep = _keep(table, axes)
    block = table.integer("block", 10_000, low=LANES)
    if block % LANES:
        table.fail("block", f"{block} is not a multiple of {LANES}, the number of subjects that are simulated at once")
    table.finish()
    count = math.prod(len(axis.values) for axis in axes)
    if count > MOST_CELLS:
        table.fail("axis", f"{count:,} cells are more than {MOST_CELLS:,}; give fewer values, or several sweeps")
    table.findings.check()
    assert base is not None and scenario is not None and arm is not None
    cells, undosed = _cells(table, base, scenario, arm, drug, axes, population)
    title = title or f"{scenario.title}: {', '.join(axis.name for axis in axes)}"
    return Sweep(name, title, drug, tuple(axes), cells, undosed, limit, keep, block, text)


def _cells(
    table: Table,
    base: Table,
    scenario: Scenario,
    arm: Arm,
    drug: str,
    axes: Mapping[Axis, tuple[Any, ...]],
    population: Any,
) -> tuple[tuple[Cell, ...], tuple[Cell, ...]]:
    place = next(i for i, one in enumerate(scenario.arms) if one.name == arm.name)
    written = base.data["arm"][place]
    cells = read_cells(table.findings, base, scenario, written, drug, axes, population)
    table.findings.check()
    ground = {axis: values for axis, values in axes.items() if axis.name not in DOSING}
    undosed = read_cells(table.findings, base, scenario, written, drug, ground, population, undosed=True)
    table.findings.check()
    return cells, undosed


def _base(table: Table) -> Table | None:
    """Return the scenario that is varied: a name, a path (also relative to the sweep's file), or what its file would say."""
    value = table.raw("scenario", what="the name or path of a scenario")
    if isinstance(value, Mapping):
        return Table(value, (), Findings(f"{table.findings.source}: scenario", folder=table.findings.folder))
    if not isinstance(value, str):
        if value is not None:
            table.fail("scenario", f"{found(value)} is neither a name nor a path")
        return None
    near = table.findings.folder / value
    try:
        path = near if value.endswith(".toml") and near.is_file() else find(value, ("scenarios",))
        if path is None:
            table.fail("scenario", f"no scenario '{value}'{suggestion(value, files('scenarios'))}")
        return None if path is None else read_toml(path)
    except SpecError as error:
        table.fail("scenario", str(error))
        return None


def _named(table: Table) -> str:
    value = table.data["scenario"]
    return os.path.basename(value).removesuffix(".toml") if isinstance(value, str) else "scenario"


def _population(table: Table) -> dict[str, int]:
    """Return what the sweep says of the population, in the place of the scenario."""
    held = table.table("population")
    if held is None:
        return {}
    out = {key: held.integer(key, low=low) for key, low in (("size", 1), ("seed", 0)) if key in held.data}
    held.finish(("size", "seed"))
    return out


def _arm(table: Table, scenario: Scenario | None, axes: Mapping[Axis, Any]) -> Arm | None:
    """Return the arm that says what no axis says: the one named, or the first with doses."""
    name = table.name("arm", "")
    if scenario is None:
        return None
    if name:
        arm = next((one for one in scenario.arms if one.name == name), None)
        if arm is None:
            table.fail(
                "arm", f"the scenario has no arm '{name}'{suggestion(name, [one.name for one in scenario.arms])}"
            )
        return arm
    arm = next((one for one in scenario.arms if one.regimen.events), scenario.arms[0])
    if not arm.regimen.events and any(axis.name in DOSE_AXES for axis in axes):
        table.fail(None, 'no arm of the scenario has a dose that could be varied; name one with a dose, arm = "..."')
    return arm


def _drug(table: Table, scenario: Scenario | None, arm: Arm | None, axes: Mapping[Axis, Any]) -> str:
    """Return the drug whose doses vary: the first that the arm doses, if the sweep does not say."""
    name = table.text("drug", "")
    if arm is None or scenario is None:
        return name
    _composed(table, scenario, axes)
    given = arm.regimen.drugs
    if name and name not in given:
        table.fail("drug", f"arm '{arm.name}' gives no '{name}'{suggestion(name, given)}")
    drug = name or next(iter(given), "")
    parts = [part.split()[0] for part in parts_of(arm.regimen.text)]
    if any(axis.name in DOSE_AXES for axis in axes) and parts.count(drug) > 1:
        table.fail(
            "axis", f"arm '{arm.name}' gives {drug} in {parts.count(drug)} parts, and it is not said which varies; name an "
            "arm that gives it in one",
        )  # fmt: skip
    return drug


def _composed(table: Table, scenario: Scenario, axes: Mapping[Axis, Any]) -> None:
    for axis in axes:
        if axis.name in MODEL and "drug" not in scenario.load:
            table.fail(
                "axis", f"{axis.name} cannot vary: the scenario's model '{scenario.model.name}' is a complete one, of one species; "
                'give the scenario model = { drug = "...", species = "..." }',
            )  # fmt: skip


def _limit(table: Table, scenario: Scenario | None) -> Limit | None:
    held = table.table("limit")
    if held is None:
        return None
    endpoint, lineage = held.text("endpoint", "worst_grade", allowed=LIMITABLE), held.text("lineage")
    least = held.number("at_least", 3.0 if endpoint in GRADED else 1.0, low=0.0)
    probability = held.number("probability", low=1e-9, high=1.0 - 1e-9)
    held.finish()
    if scenario is None:
        return None
    known = [observable(name) for name in scenario.model.lineages]
    if lineage and lineage not in known:
        held.fail("lineage", f"the model has no lineage '{lineage}'{suggestion(lineage, known)}")
    elif lineage and endpoint in GRADED:
        if least not in (1.0, 2.0, 3.0, 4.0):
            held.fail("at_least", f"{least:g} is no grade; grades are 1 to 4")
        elif math.isnan(grade_limits(scenario.model, load_grading(scenario.grading), lineage)[int(least) - 1]):
            held.fail("at_least", f"the table {scenario.grading} has no number for grade {least:g} of {lineage}")
    if endpoint.startswith("observed") and not scenario.visits:
        held.fail("endpoint", "nothing is observed: the scenario has no visits")
    return Limit(endpoint, lineage, least, probability)


def _keep(table: Table, axes: Mapping[Axis, Any]) -> Keep:
    """Read ``keep = [0, 17]``, or ``[keep]`` with ``subjects`` and ``cells``."""
    value = table.raw("keep", [])
    held = table.table("keep") if isinstance(value, Mapping) else None
    subjects = held.raw("subjects", what="a list of subjects") if held is not None else value
    if not isinstance(subjects, list) or not all(type(one) is int and one >= 0 for one in subjects):
        (held or table).fail(
            "subjects" if held else "keep", f"{found(subjects)} is no list of subjects; write e.g. [0, 17]"
        )
        return Keep()
    cells = []
    known = {axis.name: axis.values for axis in axes}
    for entry in held.tables("cells") if held is not None else ():
        cell = {key: entry.text(key) for key in entry.data}
        for key, one in cell.items():
            if one not in known.get(key, ()):
                entry.fail(key, f"no axis {key} has the value {found(one)}{suggestion(one, known.get(key, known))}")
        cells.append(cell)
    if held is not None:
        held.finish()
    return Keep(tuple(sorted(set(subjects))), tuple(cells))
