"""Scenario files into :class:`~myelosim.spec.scenario.Scenario`."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from typing import Any

from myelosim.errors import SpecError
from myelosim.grading import Table as Grades
from myelosim.spec.arms import MOST_SUBJECTS, Rules, read_arms
from myelosim.spec.compose import SENSITIVITY
from myelosim.spec.conduct import read_conduct
from myelosim.spec.document import Findings, Table, read_toml, suggestion
from myelosim.spec.grading import load_grading, usual_grading
from myelosim.spec.library import files, find, load_model
from myelosim.spec.literal import found
from myelosim.spec.load import header
from myelosim.spec.model import Model
from myelosim.spec.parts import observables
from myelosim.spec.scenario import Recommend, Scenario
from myelosim.spec.visits import parse_visits

SHORTEST, LONGEST = 0.01, 3660


def load_scenario(source: str | os.PathLike[str] | Mapping[str, Any]) -> Scenario:
    """Load a scenario by name, by path, or from a mapping that says what a file would.

    Raises
    ------
    SpecError
        The file is not found, or something in it cannot be; all that is wrong with it is reported together.
    """
    if isinstance(source, Mapping):
        return read_scenario(Table(source, (), Findings("scenario")), "scenario")
    path = find(source, ("scenarios",))
    if path is None:
        raise SpecError(f"no scenario '{source}'{suggestion(str(source), files('scenarios'))}")
    return dataclasses.replace(read_scenario(read_toml(path), path.stem), path=str(path.resolve()))


def read_scenario(table: Table, name: str) -> Scenario:
    """Read a scenario; raise everything that is wrong with it at once."""
    header(table, "scenario")
    name, title, text = table.name("name", name), table.name("title"), table.text("text", "")
    days = table.quantity("days", "d")
    if days < SHORTEST:
        table.fail("days", f"{days:g} days is no horizon; it must be {SHORTEST} or more")
        days = math.nan
    elif days > LONGEST:
        table.fail("days", f"{days:g} days is longer than the {LONGEST} days (ten years) that a scenario may last")
        days = math.nan
    size, seed = _population(table)
    load, model = _model(table)
    grading, grades = _grading(table, usual_grading("" if model is None else model.subjects.species))
    visits = _visits(table, "visits", days)
    tolerance = table.number("tolerance", 1e-6, low=1e-12, high=1e-2)
    lineages = _lineages(table, model)
    recommend = _recommend(table, days, model)
    conduct, dlt = read_conduct(table, days), table.text("dlt", "hematologic")
    arms = read_arms(table, model, days, Rules(table.children("rule"), grades, conduct))
    table.finish()
    table.findings.check()
    assert model is not None
    return Scenario(
        name=name, title=title, load=load, model=model, days=days, arms=arms, visits=visits, grading=grading, size=size,
        seed=seed, lineages=lineages, tolerance=tolerance, recommend=recommend, conduct=conduct, dlt=dlt,
        text=text,
    )  # fmt: skip


def _population(table: Table) -> tuple[int, int]:
    held = table.table("population")
    if held is None:
        return 1000, 1
    size, seed = held.integer("size", 1000, low=1, high=MOST_SUBJECTS), held.integer("seed", 1)
    held.finish()
    return size, seed


def _model(table: Table) -> tuple[Mapping[str, Any], Model | None]:
    """Load the scenario's model: a name, a path (also relative to the scenario's file), or what to compose."""
    value = table.raw("model", what='a name, a path, or { drug = "...", species = "..." }')
    if value is None:
        return {}, None
    if isinstance(value, str):
        load: dict[str, Any] = {"model": value}
    elif isinstance(value, Mapping):
        load = _composition(table)
    else:
        table.fail("model", f'{found(value)} is neither a name nor a path nor {{ drug = "...", species = "..." }}')
        return {}, None
    if not load:
        return {}, None
    try:
        arguments = dict(load)
        what = arguments.pop("model" if "model" in arguments else "drug")
        return load, load_model(_near(table, what), **arguments)
    except SpecError as error:
        table.fail("model", str(error))
        return load, None


def _near(table: Table, what: Any) -> Any:
    """Return a path relative to the scenario's folder where the file is there."""
    if isinstance(what, str) and what.endswith(".toml") and (table.findings.folder / what).is_file():
        return table.findings.folder / what
    return what


def _composition(table: Table) -> dict[str, Any]:
    held = table.table("model")
    assert held is not None
    before = len(held.findings.messages)
    drugs = held.texts("drug")
    load: dict[str, Any] = {"drug": drugs[0] if len(drugs) == 1 else drugs}
    if "drug" not in held.data:
        held.fail(None, "'drug' is missing; give the name of one, or a list")
    for key in ("species", "variant", "gcsf"):
        if text := held.text(key, ""):
            load[key] = text
    if "sensitivity" in held.data:
        load["sensitivity"] = held.number("sensitivity", low=SENSITIVITY[0], high=SENSITIVITY[1])
    held.known.append("sensitivity")
    held.finish()
    return load if len(held.findings.messages) == before and drugs else {}


def _grading(table: Table, usual: str) -> tuple[str, Grades]:
    name = table.text("grading", usual)
    try:
        return name, load_grading(_near(table, name)) if name else Grades("", {})
    except SpecError as error:
        table.fail("grading", str(error))
    return name, Grades("", {})


def _visits(table: Table, key: str, days: float) -> tuple[float, ...]:
    value = table.raw(key, [])
    if not isinstance(value, str | list | tuple):
        table.fail(key, f'{found(value)} are no visits; write a list of elapsed days, or "d1 weekly"')
        return ()
    if not (math.isfinite(days) and days > 0):
        return ()
    try:
        return parse_visits(value, days)
    except SpecError as error:
        table.fail(key, str(error).removeprefix("visits: "))
        return ()


def _lineages(table: Table, model: Model | None) -> tuple[str, ...]:
    names = table.texts("lineages")
    if model is not None:
        known = observables(model.lineages, {})
        for name in names:
            if name not in known:
                table.fail("lineages", f"the model has no lineage '{name}'{suggestion(name, known)}")
    return names


def _recommend(table: Table, days: float, model: Model | None) -> Recommend | None:
    held = table.table("recommend")
    if held is None:
        return None
    draws = _draws(held)
    candidates, fixed = _visits(held, "candidates", days), _visits(held, "fixed", days)
    possible = len(candidates) or (int(days) + 1 if math.isfinite(days) and "candidates" not in held.data else math.inf)
    if draws and max(draws) > possible:
        key = "candidates" if candidates else "draws"
        held.fail(key, f"{possible} candidate days for {max(draws)} draws; give more days or fewer draws")
    nadir_weight = held.number("nadir_weight", 0.0, low=0.0, high=1.0)
    depth = held.number("depth", 0.25, low=0.0, high=10.0)
    draw = held.quantity("draw", "mL", low=0.0, high=1000.0) if "draw" in held.data else None
    blood = held.text("blood", "species", allowed=["species", "none"])
    lineages = _lineages(held, model)
    held.finish(["draw"])
    return Recommend(draws, candidates, fixed, nadir_weight, depth, draw, blood, lineages)


def _draws(table: Table) -> tuple[int, ...]:
    value = table.raw("draws", what="the number of draws, or a list of numbers")
    numbers = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(one, int) and not isinstance(one, bool) and one >= 1 for one in numbers):
        table.fail("draws", f"{found(value)} is not a number of draws; it must be 1 or more")
        return ()
    return tuple(numbers)
