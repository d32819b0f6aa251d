"""The table ``[recommend]`` of a scenario: by what the days of draws are chosen, and with what they are compared."""

from __future__ import annotations

import math
from collections.abc import Sequence

from myelosim.errors import SpecError
from myelosim.spec.document import Table, suggestion
from myelosim.spec.literal import found
from myelosim.spec.model import Model
from myelosim.spec.parts import observables
from myelosim.spec.scenario import Calendar, Recommend
from myelosim.spec.visits import parse_visits

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNTIL_RECOVERY = "twice weekly until recovery"
DAILY = 400  # days of a study up to which every day is a candidate


def read_recommend(table: Table, days: float, model: Model | None, visits: Sequence[float]) -> Recommend:
    """Read ``[recommend]``; what is not there has its default."""
    usual = usual_calendars("" if model is None else model.subjects.species, days, visits)
    held = table.table("recommend")
    if held is None:
        return Recommend(calendars=usual)
    draws = _draws(held)
    candidates, fixed = read_days(held, "candidates", days), read_days(held, "fixed", days)
    weekdays = tuple(_weekday(held, "weekdays", name) for name in held.texts("weekdays"))
    first_day = _weekday(held, "first_day", held.text("first_day", "mon"))
    gap = held.quantity("gap", "d", 0.0, low=0.0, high=3660.0, example="2 d")
    within = held.quantity("within", "d", 7.0, low=0.0, high=3660.0, example="7 d")
    nadir_weight = held.number("nadir_weight", 0.0, low=0.0, high=1.0)
    draw = held.quantity("draw", "mL", low=0.0, high=1000.0) if "draw" in held.data else None
    blood = held.text("blood", "species", allowed=["species", "none"])
    calendars = _calendars(held, days) if "calendars" in held.data else usual
    lineages = read_lineages(held, model)
    held.finish(["draw", "calendars"])
    asked = Recommend(
        draws=draws, candidates=candidates, fixed=fixed, weekdays=weekdays, first_day=first_day, gap=gap, within=within,
        nadir_weight=nadir_weight, draw=draw, blood=blood, calendars=calendars, lineages=lineages,
    )  # fmt: skip
    possible = len(candidate_days(asked, days)) if math.isfinite(days) else math.inf
    if "draws" in held.data and max(draws, default=0) > possible:
        key = next(key for key in ("candidates", "weekdays", "draws") if key in held.data)
        held.fail(key, f"{possible} candidate days for {max(draws)} draws; give more days or fewer draws")
    return asked


def candidate_days(asked: Recommend, days: float) -> tuple[float, ...]:
    """Return the elapsed days, after time zero, among which days may be chosen in a study of so many days.

    Examples
    --------
    >>> candidate_days(Recommend(weekdays=(0, 2, 4), first_day=1), 12.0)
    (1.0, 3.0, 6.0, 8.0, 10.0)
    """
    every = asked.candidates or tuple(float(day) for day in range(1, int(days) + 1, 1 + int(days) // DAILY))
    of_week = asked.weekdays or range(7)
    return tuple(day for day in every if day > 0 and (asked.first_day + int(day)) % 7 in of_week)


def usual_calendars(species: str, days: float, visits: Sequence[float] = ()) -> dict[str, Calendar]:
    """Return the calendars that advice for these drugs names, as far as the horizon reaches.

    Animals: elapsed days 3, 5, 7, 10 and 14. People: weekly four times, then every second week. Both: weekly, and twice weekly
    from an observed grade 3 until recovery. What the protocol's own visits are is left out.
    """
    if not math.isfinite(days):
        return {}
    if species in ("", "human"):
        every = [*range(7, 29, 7), *range(42, int(days) + 1, 14)]
        fixed = {"weekly x4, then q2w": tuple(float(day) for day in every if day <= days)}
    else:
        fixed = {"days 3, 5, 7, 10, 14": tuple(day for day in (3.0, 5.0, 7.0, 10.0, 14.0) if day <= days)}
    usual = {
        name: Calendar(own) for name, own in fixed.items() if own and set(own) != {day for day in visits if day > 0}
    }
    if 7 <= days <= DAILY:
        weekly = tuple(float(day) for day in range(7, int(days) + 1, 7))
        usual["weekly, 2 a week at grade 3"] = Calendar(weekly, until_recovery=True)
    return usual


def read_days(table: Table, key: str, days: float) -> tuple[float, ...]:
    """Read elapsed days, or study days in words; none where the key is not there."""
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


def read_lineages(table: Table, model: Model | None) -> tuple[str, ...]:
    """Read names of observed lineages."""
    names = table.texts("lineages")
    if model is not None:
        known = observables(model.lineages, {})
        for name in names:
            if name not in known:
                table.fail("lineages", f"the model has no lineage '{name}'{suggestion(name, known)}")
    return names


def _calendars(table: Table, days: float) -> dict[str, Calendar]:
    held = table.table("calendars")
    if held is None:
        return {}
    out = {}
    for name, value in held.data.items():
        words = [part.strip() for part in value.split(";")] if isinstance(value, str) else []
        adapted = UNTIL_RECOVERY in words
        rest = "; ".join(word for word in words if word != UNTIL_RECOVERY) if adapted else value
        own = read_days(Table({name: rest}, held.path, held.findings), name, days)
        out[name] = Calendar(own, adapted)
    return out


def _weekday(table: Table, key: str, name: str) -> int:
    if name.lower() in WEEKDAYS:
        return WEEKDAYS.index(name.lower())
    table.fail(key, f"{found(name)} is no weekday; write {', '.join(WEEKDAYS)}")
    return 0


def _draws(table: Table) -> tuple[int, ...]:
    value = table.raw("draws", list(Recommend().draws))
    numbers = value if isinstance(value, list | tuple) else [value]
    if not numbers or not all(isinstance(one, int) and not isinstance(one, bool) and one >= 1 for one in numbers):
        table.fail("draws", f"{found(value)} is not a number of draws; it must be 1 or more")
        return ()
    return tuple(numbers)
