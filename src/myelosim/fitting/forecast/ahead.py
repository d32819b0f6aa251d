"""Which next draws there are to choose from: days, how many of them, the calendar, and what they are to tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from myelosim.errors import SpecError
from myelosim.fitting.forecast.subject import Subject
from myelosim.spec.design import WEEK, Limits
from myelosim.spec.document import suggestion
from myelosim.spec.forecasts import CRITERIA, MOST_VISITS
from myelosim.spec.literal import found
from myelosim.spec.visits import parse_visits

MOST_SETS = 10_000  # of visits that are compared
EPS = 1e-9


@dataclass(frozen=True)
class Ahead:
    """Next draws to choose from: elapsed ``days`` (visit), ``sets`` of places among them, and what they are judged by."""

    days: np.ndarray
    sets: tuple[tuple[int, ...], ...]
    criterion: str
    at: float | None


def ahead(
    subject: Subject, visits: int = 1, candidate_days: Any = None, gap: float = 0.0, weekdays: bool = False,
    first_day: str = "monday", criterion: str = "forecast", at: float | None = None,
) -> Ahead:  # fmt: skip
    """Return the next draws to choose from; see :func:`myelosim.forecast`.

    Raises
    ------
    SpecError
        An option cannot be, no day is left, or no set of days keeps to the gap.
    """
    now, horizon = subject.now / 24.0, subject.horizon / 24.0
    if isinstance(visits, bool) or not isinstance(visits, int) or not 1 <= visits <= MOST_VISITS:
        raise SpecError(f"forecast: visits = {found(visits)} is not possible; give 1 to {MOST_VISITS}")
    if not (math.isfinite(gap) and gap >= 0):
        raise SpecError(f"forecast: gap = {gap:g} is not possible; give days, 0 or more")
    for name, value, allowed in (("criterion", criterion, CRITERIA), ("first_day", first_day, WEEK)):
        if value not in allowed:
            raise SpecError(f"forecast: {name} '{value}' is not known{suggestion(str(value), allowed)}")
    if (at is not None) != (criterion == "count"):
        raise SpecError(
            "forecast: criterion 'count' and at, the day of that count, belong together; give both, or none"
        )
    if at is not None and not now < at <= horizon:
        raise SpecError(f"forecast: at = {at:g} is not possible; give a day after {now:g} and up to {horizon:g}")
    days = _days(subject, candidate_days)
    if weekdays:
        calendar = Limits(first_day=first_day)
        days = days[[not calendar.weekend(day) for day in days.tolist()]] if len(days) else days
    seen = subject.study.observations.time
    days = days[days - seen.max() / 24.0 >= gap - EPS] if len(seen) else days
    if candidate_days is None and not len(days) and visits == 1:
        return Ahead(days, (), criterion, at)
    if len(days) < visits:
        limits = [f"a gap of {gap:g} days to the last count"] * (gap > 0) + ["no weekend"] * weekdays
        kept = f" with {' and '.join(limits)}" if limits else ""
        raise SpecError(
            f"forecast: {len(days)} candidate days are left after day {now:g} and up to {horizon:g}{kept}, and {visits} visits "
            "are to be chosen; give more days, a later horizon (days), or fewer visits"
        )
    if math.comb(len(days), visits) > MOST_SETS:
        raise SpecError(
            f"forecast: {visits} visits of {len(days)} days are {math.comb(len(days), visits):,} sets, more than {MOST_SETS:,}; "
            "give fewer candidate_days, or fewer visits"
        )
    sets = tuple(
        one for one in combinations(range(len(days)), visits)
        if visits == 1 or np.diff(days[list(one)]).min() >= gap - EPS
    )  # fmt: skip
    if not sets:
        raise SpecError(
            f"forecast: no {visits} of {len(days)} candidate days are {gap:g} days apart; give a smaller gap, or fewer visits"
        )
    return Ahead(days, sets, criterion, at)


def _days(subject: Subject, asked: Any) -> np.ndarray:
    """Return the candidate days after now, up to the horizon: those asked for, or whole days."""
    now, horizon = subject.now / 24.0 + EPS, subject.horizon / 24.0
    if asked is None:
        return np.arange(np.floor(now) + 1.0, np.floor(horizon + EPS) + 1.0)
    try:
        days = np.array(parse_visits(asked, horizon))
    except SpecError as error:
        raise SpecError(f"forecast: candidate_days: {error}") from None
    return days[days > now]
