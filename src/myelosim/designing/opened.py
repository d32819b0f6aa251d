"""Groups to be designed and their limits, from arguments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from myelosim.designing.asked import check_group, observed, volume_of
from myelosim.errors import SpecError
from myelosim.spec.design import LONGEST, STRUCTURES, WEEK, Group, Limits, OpenGroup, OpenSampling
from myelosim.spec.design_groups import MOST
from myelosim.spec.document import suggestion
from myelosim.spec.dosing import prescribed
from myelosim.spec.literal import found
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen
from myelosim.spec.visits import parse_visits


def opened(
    model: Model, regimen: Regimen | str | Sequence[str] | None, *, candidate_days: Any = None, visits: Any = None,
    subjects: Any = None, lineages: Sequence[str] | None = None, observe: Sequence[str] | None = None,
    fixed_days: Any = None, draw: float | str | None = None, structure: str | None = None, parts: int | None = None,
    doses: Sequence[Regimen | str] | None = None, groups: Sequence[OpenGroup] | None = None,
) -> tuple[OpenGroup, ...]:  # fmt: skip
    """Return the groups that are given, or the one that is described."""
    said = {"regimen": regimen, "candidate_days": candidate_days, "visits": visits, "subjects": subjects,
            "lineages": lineages, "observe": observe, "fixed_days": fixed_days, "draw": draw, "structure": structure,
            "parts": parts, "doses": doses}  # fmt: skip
    if groups is not None:
        if also := [name for name, value in said.items() if value is not None]:
            raise SpecError(f"groups: each says its own {also[0]}; leave {also[0]} out, or groups")
        made = tuple(groups)
    else:
        if regimen is not None and doses is not None:
            raise SpecError("doses: are those to choose from; leave regimen out, or doses")
        lacks = [name for name in ("candidate_days", "visits", "subjects") if said[name] is None]
        if regimen is None and not doses:
            lacks = ["regimen (or doses)", *lacks]
        if lacks:
            raise SpecError(f"design: give {lacks[0]}, or groups")
        choice: Sequence[Any] = doses or [regimen]
        sampling = OpenSampling(
            observed(model, lineages, observe), parse_visits(candidate_days, LONGEST), span("visits", visits),
            parse_visits(fixed_days if fixed_days is not None else [], LONGEST), volume_of(draw),
        )  # fmt: skip
        dosed = tuple(one if isinstance(one, Regimen) else prescribed(one, model) for one in choice)
        shape = structure or "together"
        made = (OpenGroup("all", dosed, span("subjects", subjects), (sampling,), shape, 2 if parts is None else parts),)
    if not made:
        raise SpecError("groups: there is none")
    for group in made:
        if not isinstance(group, OpenGroup):
            raise SpecError(f"groups: {found(group)} is no OpenGroup; optimize_design chooses days of open groups")
    if len({group.name for group in made}) < len(made):
        raise SpecError(f"groups: two have the same name; there are {', '.join(sorted({one.name for one in made}))}")
    for group in made:
        _check(model, group)
    return made


def limited(
    groups: Sequence[OpenGroup],
    limits: Limits | None = None,
    gap: float | None = None,
    weekdays: bool | None = None,
    first_day: str | None = None,
) -> Limits:
    """Return the limits that are given, or those described."""
    said = {"gap": gap, "weekdays": weekdays, "first_day": first_day}
    if limits is not None and (also := [name for name, value in said.items() if value is not None]):
        raise SpecError(f"limits: say {also[0]}; leave {also[0]} out, or limits")
    if weekdays is not None and not isinstance(weekdays, bool):
        raise SpecError(
            f"weekdays: {found(weekdays)} is neither True (no visit on a weekend) nor False; give candidate_days for others"
        )
    made = limits or Limits(gap=gap or 0.0, weekdays=bool(weekdays), first_day=(first_day or "monday").lower())
    if made.first_day not in WEEK:
        raise SpecError(f"first_day: '{made.first_day}' is no day{suggestion(made.first_day, WEEK)}")
    if made.blood not in ("species", "none"):
        raise SpecError(f"limits: blood '{made.blood}' is not known{suggestion(made.blood, ('species', 'none'))}")
    for name in ("gap", "per_subject", "per_draw", "per_day", "capacity", "budget", "subjects"):
        value = getattr(made, name)
        if value is not None and not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
            raise SpecError(f"limits: {name} = {found(value)} is not possible; give a number from 0 on")
    if made.budget is not None and not (made.per_subject or made.per_draw or made.per_day):
        raise SpecError("limits: a budget needs costs; give per_subject, per_draw or per_day, too")
    fewest = sum(group.subjects[0] for group in groups)
    if made.subjects is not None and made.subjects < fewest:
        raise SpecError(
            f"limits: subjects = {made.subjects}, and the groups have at least {fewest}; allow more, or fewer in a group"
        )
    return made


def span(name: str, value: Any) -> tuple[int, int]:
    """Return the fewest and the most of something: of a number, or of two.

    >>> span("visits", 5), span("visits", (3, 7))
    ((5, 5), (3, 7))
    """
    ends = (
        [value, value]
        if isinstance(value, int | np.integer)
        else list(value)
        if isinstance(value, list | tuple)
        else []
    )
    whole = [one for one in ends if isinstance(one, int | np.integer) and not isinstance(one, bool)]
    if len(whole) != 2 or len(ends) != 2 or not 1 <= whole[0] <= whole[1]:
        raise SpecError(f"{name}: {found(value)} is not possible; give a whole number from 1 on, or (fewest, most)")
    return int(whole[0]), int(whole[1])


def whole(group: OpenGroup, regimen: int = 0) -> Group:
    """Return a group that is looked at on all its candidate days."""
    days = [sorted({*one.days, *one.fixed}) for one in group.samplings]
    return group.at(days, group.subjects[1], group.regimens[regimen])


def _check(model: Model, group: OpenGroup) -> None:
    where = f"group {group.name}"
    if group.structure not in STRUCTURES:
        raise SpecError(f"{where}: structure '{group.structure}' is not known{suggestion(group.structure, STRUCTURES)}")
    if not group.regimens or not group.samplings:
        raise SpecError(f"{where}: has no {'dose' if group.samplings else 'visits'} to choose from")
    try:
        span("subjects", group.subjects)
        for one in group.samplings:
            span("visits", one.visits)
    except SpecError as error:
        raise SpecError(f"{where}: {error}") from None
    check_group(model, whole(group))
    if group.structure == "alternating" and not 2 <= group.parts <= group.subjects[0]:
        raise SpecError(
            f"{where}: {group.parts} parts of {group.subjects[0]} subjects cannot be; give 2 to as many as there are subjects"
        )
    if group.structure == "terminal":
        _check_terminal(where, group)
    for one in group.samplings:
        days = {*one.days, *one.fixed}
        if len(days) > MOST:
            raise SpecError(f"{where}: {len(days)} candidate days are more than {MOST}; give fewer, e.g. whole days")
        if one.visits[0] > len(days):
            raise SpecError(
                f"{where}: {one.visits[0]} visits cannot be chosen among {len(days)} candidate days; "
                "give fewer visits, or more days"
            )
        if len(set(one.fixed)) > one.visits[1]:
            raise SpecError(
                f"{where}: {len(set(one.fixed))} days are fixed, and there are at most {one.visits[1]} visits; "
                "fix fewer days, or allow more visits"
            )


def _check_terminal(where: str, group: OpenGroup) -> None:
    if len(group.samplings) > 1:
        raise SpecError(
            f"{where}: a terminal group has one sampling, as each subject is bled once; leave the others out"
        )
    if (days := group.samplings[0].visits[0]) > group.subjects[0]:
        raise SpecError(
            f"{where}: {days} terminal days need {days} subjects, and there may be {group.subjects[0]}; add subjects"
        )
