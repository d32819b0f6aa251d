"""What is asked for, from arguments: groups, and the question they are to answer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from myelosim import units
from myelosim.designing.known import information
from myelosim.designing.question import Question
from myelosim.errors import SpecError
from myelosim.spec.design import FIMS, LINEARIZATIONS, LONGEST, ORDERS, Group, Sampling
from myelosim.spec.document import suggestion
from myelosim.spec.dosing import prescribed
from myelosim.spec.estimate import estimation
from myelosim.spec.literal import found
from myelosim.spec.model import Model, observable
from myelosim.spec.parts import observables
from myelosim.spec.regimen import Regimen
from myelosim.spec.scatter import observed_unit
from myelosim.spec.visits import parse_visits


def groups_of(
    model: Model, regimen: Regimen | str | Sequence[str] | None, *, days: Any = None, subjects: int | None = None,
    lineages: Sequence[str] | None = None, observe: Sequence[str] | None = None, times: Sequence[float] | None = None,
    groups: Sequence[Group] | None = None, draw: float | str | None = None,
) -> tuple[Group, ...]:  # fmt: skip
    """Return the groups that are given, or the one that is described."""
    if groups is not None:
        said = {"regimen": regimen, "days": days, "subjects": subjects, "times": times, "lineages": lineages,
                "observe": observe, "draw": draw}  # fmt: skip
        if also := [name for name, value in said.items() if value is not None]:
            raise SpecError(f"groups: each says its own {also[0]}; leave {also[0]} out, or groups")
        checked = tuple(groups)
    else:
        if regimen is None or subjects is None or (days is None) == (times is None):
            lacks = "regimen" if regimen is None else "subjects" if subjects is None else "either days or times"
            raise SpecError(f"design: give {lacks}, or groups")
        when = parse_visits(days, LONGEST) if times is None else _hours(times)
        sampling = Sampling(observed(model, lineages, observe), tuple(when), volume_of(draw))
        dosed = regimen if isinstance(regimen, Regimen) else prescribed(regimen, model)
        checked = (Group("all", dosed, subjects, (sampling,)),)
    for group in checked:
        check_group(model, group)
    if len(names := {group.name for group in checked}) < len(checked):
        raise SpecError(f"groups: two have the same name; there are {', '.join(sorted(names))}")
    if not checked:
        raise SpecError("groups: there is none")
    return checked


def _hours(times: Sequence[float]) -> tuple[float, ...]:
    """Return hours as elapsed days."""
    try:
        return tuple(float(hour) / 24.0 for hour in times)
    except (TypeError, ValueError):
        raise SpecError(f"times: {found(times)} is no list of hours; write e.g. [1, 4, 12.5]") from None


def observed(model: Model, lineages: Sequence[str] | None, observe: Sequence[str] | None) -> tuple[str, ...]:
    """Return what is looked at, as observables."""
    known = observables(model.lineages, model.drugs)
    if lineages is not None and observe is not None:
        raise SpecError("design: lineages and observe say the same; give one of them")
    asked = list(observe) if observe is not None else list(model.lineages) if lineages is None else list(lineages)
    if isinstance(observe or lineages, str):
        raise SpecError(f"observe: {found(observe or lineages)} is one text; give a list of names")
    names = [observable(name) for name in asked]
    for name in names:
        if name not in known:
            raise SpecError(
                f"observe: the model has nothing that is observed as '{name}'{suggestion(str(name), known)}"
            )
    if not names:
        raise SpecError(f"observe: nothing is looked at; there are {', '.join(known)}")
    return tuple(dict.fromkeys(names))


def volume_of(draw: float | str | None) -> float | None:
    """Return a volume of blood, mL."""
    if draw is None:
        return None
    try:
        value = units.parse(draw, "mL") if isinstance(draw, str) else float(draw)
    except (TypeError, ValueError) as error:
        raise SpecError(f"draw: {error}") from None
    if not (math.isfinite(value) and value >= 0):
        raise SpecError(f"draw: {value:g} mL is not a volume; it must be 0 or more")
    return value


def check_group(model: Model, group: Group) -> None:
    """Refuse a group that cannot be."""
    if not isinstance(group, Group):
        raise SpecError(f"groups: {found(group)} is no Group; give e.g. Group(name, regimen, subjects, samplings)")
    where = f"group {group.name}"
    count: Any = group.subjects
    if isinstance(count, bool) or not isinstance(count, int | np.integer) or count < 1:
        raise SpecError(
            f"{where}: subjects = {found(count)} is not possible; give a whole number from 1 on, or no such group"
        )
    if not group.days:
        raise SpecError(f"{where}: has no visit; give days, or leave the group out")
    known = observables(model.lineages, model.drugs)
    for sampling in group.samplings:
        for name in sampling.observe:
            if name not in known:
                raise SpecError(f"{where}: the model has nothing that is observed as '{name}'{suggestion(name, known)}")
        for day in sampling.days:
            if not (math.isfinite(day) and 0 <= day <= LONGEST):
                raise SpecError(f"{where}: day {day:g} is not possible; it must be between 0 and {LONGEST:g}")
        if len(set(sampling.days)) < len(sampling.days):
            raise SpecError(f"{where}: a day is given twice; leave one out")
        if sampling.order not in ORDERS:
            raise SpecError(
                f"{where}: order '{sampling.order}' is not known; allowed: before, after (a dose of the same hour)"
            )


def question_of(
    model: Model, groups: Sequence[Group], *, parameters: Sequence[str] | None = None, fim: str = "reduced",
    linearization: str = "fo", lloq: Mapping[str, Any] | None = None, prior: Any = None, blood_loss: bool = False,
    seed: int = 1, tolerance: float = 1e-8, threads: int | None = None, **arguments: Any,
) -> Question:  # fmt: skip
    """Return the question that groups are to answer; ``arguments`` are those of :func:`myelosim.spec.estimate.estimation`."""
    for name, value, allowed in (("fim", fim, FIMS), ("linearization", linearization, LINEARIZATIONS)):
        if value not in allowed:
            raise SpecError(f"{name}: '{value}' is not known{suggestion(str(value), allowed)}")
    looked = list(dict.fromkeys(name for group in groups for one in group.samplings for name in one.observe))
    dosed = {drug for group in groups for drug in group.regimen.dosed}
    started, wanted = estimation(model, looked, free=parameters, dosed=dosed, **arguments)
    question = Question(
        started, wanted, fim, linearization, limits(started, looked, lloq), None, blood_loss, seed, tolerance, threads
    )
    if not question.names:
        raise SpecError("design: nothing is estimated; give parameters, omega or sigma")
    return question if prior is None else information(question, prior)


def limits(model: Model, looked: Sequence[str], lloq: Mapping[str, Any] | None) -> dict[str, float]:
    """Return limits of quantification in the observables' units."""
    made = {}
    for name, value in (lloq or {}).items():
        if name not in looked:
            raise SpecError(f"lloq: '{name}' is not looked at{suggestion(str(name), looked)}")
        try:
            limit = units.parse(value, observed_unit(model, name)) if isinstance(value, str) else float(value)
        except (TypeError, ValueError) as error:
            raise SpecError(f"lloq: {name}: {error}") from None
        if not (math.isfinite(limit) and limit > 0):
            raise SpecError(f"lloq: {name}: {limit:g} is not a limit; it must be above 0")
        made[name] = limit
    return made
