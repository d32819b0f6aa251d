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
from myelosim.spec.chosen import chosen_model, near
from myelosim.spec.conduct import read_conduct
from myelosim.spec.document import Findings, Table, read_toml, suggestion
from myelosim.spec.grading import load_grading, usual_grading
from myelosim.spec.library import files, find
from myelosim.spec.load import header
from myelosim.spec.model import Model
from myelosim.spec.recommend import read_days, read_lineages, read_recommend
from myelosim.spec.scenario import TOLERANCES, Scenario, Uncertainty

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
    load, model = chosen_model(table)
    grading, grades = _grading(table, usual_grading("" if model is None else model.subjects.species))
    visits = read_days(table, "visits", days)
    tolerance = table.number("tolerance", 1e-6, low=TOLERANCES[0], high=TOLERANCES[1])
    lineages = read_lineages(table, model)
    recommend = read_recommend(table, days, model, visits)
    uncertainty, strict = _uncertainty(table, model), table.boolean("strict", False)
    conduct, dlt = read_conduct(table, days), table.text("dlt", "hematologic")
    arms = read_arms(table, model, days, Rules(table.children("rule"), grades, conduct))
    if any(arm.rules for arm in arms) and not visits:
        table.fail("visits", 'there are rules, and nothing is seen without visits; add e.g. visits = "d1 weekly"')
    most = max([size, *(arm.size for arm in arms if arm.size)])
    for sign, noted in conduct.signs.items():
        for subject in (one for one in noted if one >= most):
            path = ("conduct", "signs", sign, str(subject))
            table.findings.add(path, f"there is no subject {subject}; they are numbered from 0 to {most - 1}")
    table.finish()
    table.findings.check()
    assert model is not None
    return Scenario(
        name=name, title=title, load=load, model=model, days=days, arms=arms, visits=visits, grading=grading, size=size,
        seed=seed, lineages=lineages, tolerance=tolerance, recommend=recommend, conduct=conduct, dlt=dlt,
        uncertainty=uncertainty, strict=strict,
        text=text,
    )  # fmt: skip


def _population(table: Table) -> tuple[int, int]:
    held = table.table("population")
    if held is None:
        return 1000, 1
    size, seed = held.integer("size", 1000, low=1, high=MOST_SUBJECTS), held.integer("seed", 1)
    held.finish()
    return size, seed


def _uncertainty(table: Table, model: Model | None) -> Uncertainty:
    held = table.table("uncertainty")
    if held is None:
        return Uncertainty()
    draws, size = held.integer("draws", low=2, high=10_000), held.integer("size", 200, low=8, high=MOST_SUBJECTS)
    held.finish()
    if model is not None and not any(parameter.se for parameter in model.parameters.values()):
        held.fail(None, "no parameter of the model has a standard error; give some an se, or leave [uncertainty] out")
    return Uncertainty(draws, size)


def _grading(table: Table, usual: str) -> tuple[str, Grades]:
    name = table.text("grading", usual)
    try:
        return name, load_grading(near(table, name)) if name else Grades("", {})
    except SpecError as error:
        table.fail("grading", str(error))
    return name, Grades("", {})
