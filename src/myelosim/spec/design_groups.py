"""Groups and visits of a design file."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec.arms import MOST_SUBJECTS
from myelosim.spec.design import LONGEST, ORDERS, STRUCTURES, OpenGroup, OpenSampling
from myelosim.spec.document import Table, suggestion
from myelosim.spec.dosing import prescribed
from myelosim.spec.literal import found
from myelosim.spec.model import Model, observable
from myelosim.spec.parts import observables
from myelosim.spec.regimen import Regimen
from myelosim.spec.subjects import covariate
from myelosim.spec.visits import parse_visits

MOST = 1000  # candidate days
VISITS = ("candidate_days", "visits", "fixed_days", "sampling")


@dataclasses.dataclass(frozen=True)
class Usual:
    """What holds for every group that does not say otherwise."""

    observe: tuple[str, ...]
    draw: float | None
    order: str
    structure: str
    parts: int
    samplings: tuple[OpenSampling, ...] = ()


def read_usual(table: Table, model: Model | None, draw: float | None) -> Usual:
    """Read what holds for all groups: what is looked at, and on which days it could be."""
    usual = Usual(
        read_observe(table, model), draw, table.text("order", "before", allowed=ORDERS),
        table.text("structure", "together", allowed=STRUCTURES), table.integer("parts", 2, low=2, high=50),
    )  # fmt: skip
    return dataclasses.replace(usual, samplings=read_samplings(table, model, usual) or ())


def read_groups(table: Table, model: Model | None, usual: Usual) -> tuple[OpenGroup, ...]:
    """Read ``[[group]]``, each with a name of its own."""
    made: list[OpenGroup] = []
    entries = table.tables("group")
    if not entries:
        table.fail(None, "there is no [[group]]; give at least one, with name, dose and subjects")
    for entry in entries:
        group = _group(entry, model, usual)
        if any(one.name == group.name for one in made):
            entry.fail("name", f"two groups are called '{group.name}'; give each its own name")
        made.append(group)
    return tuple(made)


def _group(table: Table, model: Model | None, usual: Usual) -> OpenGroup:
    name = table.name("name")
    subjects = read_span(table, "subjects", MOST_SUBJECTS)
    usual = dataclasses.replace(
        usual, observe=read_observe(table, model) if "observe" in table.data else usual.observe,
        structure=table.text("structure", usual.structure, allowed=STRUCTURES),
        parts=table.integer("parts", usual.parts, low=2, high=50),
    )  # fmt: skip
    samplings = read_samplings(table, model, usual)
    if samplings is None:
        samplings = usual.samplings
        if not samplings:
            table.fail(None, "nothing says when it is bled; give candidate_days here or above all groups")
        if "observe" in table.data and len(samplings) == 1:
            samplings = (dataclasses.replace(samplings[0], observe=usual.observe),)
    if usual.structure == "alternating" and subjects[1] < usual.parts:
        table.fail("subjects", f"{subjects[1]} cannot be divided into {usual.parts} parts that alternate")
    group = OpenGroup(
        name, _doses(table, model), subjects, samplings, usual.structure, usual.parts, _covariates(table, model),
        read_elapsed(table, "occasions") or (0.0,),
    )  # fmt: skip
    table.finish(("occasions", "observe", "weight"))
    return group


def read_span(table: Table, key: str, most: int) -> tuple[int, int]:
    """Read a whole number, or ``{ from = 3, to = 7 }``."""
    value = table.raw(key, what="a whole number, or { from = ..., to = ... }")
    if isinstance(value, Mapping):
        held = table.table(key)
        assert held is not None
        low, high = held.integer("from", low=1, high=most), held.integer("to", low=1, high=most)
        held.finish()
        if low > high:
            table.fail(key, f"from {low} is more than to {high}")
        return low, max(low, high)
    if value is None:
        return 1, 1
    number = table.integer(key, low=1, high=most)
    return number, number


def read_observe(table: Table, model: Model | None) -> tuple[str, ...]:
    """Read what is looked at: lineages, and drugs for their concentrations. Default: every lineage."""
    names = table.texts("observe")
    if model is None:
        return names
    known = observables(model.lineages, model.drugs)
    for name in names:
        if observable(name) not in known:
            table.fail("observe", f"nothing is observed as '{name}'{suggestion(name, known)}")
    return tuple(dict.fromkeys(observable(name) for name in names or model.lineages))


def read_samplings(table: Table, model: Model | None, usual: Usual) -> tuple[OpenSampling, ...] | None:
    """Read the visits that could be made: ``[[sampling]]``, or the keys of the only one; None where nothing is said of them."""
    if not any(key in table.data for key in VISITS):
        table.known.extend(VISITS)
        return None
    entries = table.tables("sampling")
    if not entries:
        return (_sampling(table, model, usual, "candidate_days", "fixed_days"),)
    for key in VISITS[:3]:
        if key in table.data:
            table.fail(key, "is said by each [[sampling]]; leave it out here")
        table.known.append(key)
    made = []
    for entry in entries:
        own = dataclasses.replace(usual, order=entry.text("order", usual.order, allowed=ORDERS))
        if "observe" in entry.data:
            own = dataclasses.replace(own, observe=read_observe(entry, model))
        if "draw" in entry.data:
            own = dataclasses.replace(own, draw=entry.quantity("draw", "mL", low=0.0, high=1000.0, example="0.5 mL"))
        key = "hours" if "hours" in entry.data else "days"
        made.append(_sampling(entry, model, own, key, "fixed"))
        entry.finish(("observe", "draw", "hours", "days"))
    return tuple(made)


def _sampling(table: Table, model: Model | None, usual: Usual, key: str, also: str) -> OpenSampling:
    if key not in table.data:
        table.fail(None, f"'{key}' is missing; give the days on which blood could be drawn")
    days = read_elapsed(table, key)
    fixed = read_elapsed(table, also)
    for day in fixed:
        if days and day not in days:
            table.fail(also, f"day {day:g} is not among {key}; add it there")
    visits = read_span(table, "visits", MOST) if "visits" in table.data else (len(days), len(days))
    table.known.append("visits")
    if days and max(visits) > len(days):
        table.fail(
            "visits", f"{max(visits)} visits are more than the {len(days)} {key}; give more days or fewer visits"
        )
    if len(fixed) > max(visits):
        table.fail(also, f"{len(fixed)} fixed days are more than the {max(visits)} visits")
    return OpenSampling(usual.observe, days, visits, fixed, usual.draw, usual.order)


def read_elapsed(table: Table, key: str) -> tuple[float, ...]:
    """Read days as elapsed days, or under ``hours`` hours; nothing where the key is not there."""
    value = table.raw(key, None)
    if value is None:
        return ()
    if key == "hours" and isinstance(value, Sequence) and not isinstance(value, str):
        value = [one / 24.0 if isinstance(one, int | float) and not isinstance(one, bool) else one for one in value]
    if not isinstance(value, str) and not isinstance(value, list | tuple | range):
        table.fail(key, f'{found(value)} is not a list of days; write e.g. [3, 5, 7], or "d1 q3d until d28"')
        return ()
    try:
        days = parse_visits(value, LONGEST)
    except SpecError as error:
        table.fail(key, str(error).removeprefix("visits: "))
        return ()
    if len(days) > MOST:
        table.fail(key, f"{len(days)} days are more than {MOST}; say where they end, e.g. until d28")
        return ()
    return days


def _doses(table: Table, model: Model | None) -> tuple[Regimen, ...]:
    """Read ``dose``, or ``doses`` of which one is to be chosen."""
    several = "doses" in table.data
    if several and "dose" in table.data:
        table.fail("doses", "and dose say the same; give dose, or doses to choose from")
    table.known.extend(("dose", "doses"))
    key = "doses" if several else "dose"
    value: Any = table.data.get(key)
    if value is None or value == []:
        table.fail(None if value is None else key, f'give e.g. {key} = {_EXAMPLES[key]}, or "none"')
        return ()
    if several and not isinstance(value, list):
        table.fail(key, f"{found(value)} is not a list; write e.g. doses = {_EXAMPLES['doses']}")
        return ()
    made = []
    for one in value if several else [value]:
        try:
            if model is not None:
                made.append(Regimen(()) if one == "none" else prescribed(one, model))
        except SpecError as error:
            table.fail(key, str(error).removeprefix("dose "))
    return tuple(made)


_EXAMPLES = {"dose": '"drug 40 mg BID d1-28"', "doses": '["drug 20 mg BID d1-28", "drug 40 mg BID d1-28"]'}


def _covariates(table: Table, model: Model | None) -> dict[str, float | str]:
    """Read ``weight``, and other ``covariates`` that the group's subjects have in the place of the model's."""
    made: dict[str, float | str] = {}
    known = {} if model is None else model.subjects.covariates
    places = [(table, "weight")] if "weight" in table.data else []
    if (held := table.table("covariates")) is not None:
        places += [(held, key) for key in held.data]
    for where, key in places:
        if model is not None and key not in known:
            where.fail(key, f"the model has no covariate '{key}'{suggestion(key, known)}")
        elif (value := covariate(where, key)) is not None and not (isinstance(value, float) and math.isnan(value)):
            made[key] = value
    return made
