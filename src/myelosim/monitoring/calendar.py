"""Recommended calendars: chosen on one population, scored on another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from myelosim.endpoints.interval import Interval, proportion, quantile
from myelosim.errors import SpecError
from myelosim.monitoring.blood import Limit, most_draws, within
from myelosim.monitoring.candidates import Candidates
from myelosim.monitoring.choice import WORK, Allowed, Choice, Floats, best_days, worth

__all__ = ["Calendar", "Score", "recommend", "score", "shown"]

USUAL = 5


@dataclass(frozen=True, slots=True)
class Score:
    """What a calendar sees of one lineage.

    Parameters
    ----------
    events, dips : int
        Subjects that truly reach grade 3, and whose nadir is deep enough to be looked for.
    caught : Interval
        P(at least one draw shows grade 3 during a true episode | event).
    delay : Interval
        Median days from the true onset to the draw that catches it, among those caught.
    nadir_seen : Interval
        P(a draw within the stated depth of the nadir | dip).
    false_alarm : Interval
        P(at least one draw shows grade 3 outside a true episode), over all subjects.
    """

    events: int
    dips: int
    caught: Interval
    delay: Interval
    nadir_seen: Interval
    false_alarm: Interval


@dataclass(frozen=True, slots=True)
class Calendar:
    """Days to draw blood.

    Parameters
    ----------
    days : tuple of float
        Elapsed days, those drawn anyway included.
    scores : mapping
        Lineage -> `Score`, on fresh subjects.
    exact : bool
        Whether it is proven that no other calendar of this length does better in the subjects it was chosen on.
    worth : float
        What was maximized, in the subjects it was chosen on: expect a little less in others.
    """

    days: tuple[float, ...]
    scores: Mapping[str, Score]
    exact: bool
    worth: float


def score(found: Candidates, days: Sequence[float], level: float = 0.95) -> dict[str, Score]:
    """Score a calendar, lineage by lineage.

    Parameters
    ----------
    found : Candidates
        What each candidate day shows; for chosen days that of other subjects than they were chosen on.
    days : sequence of float
        Elapsed days among the candidates.
    level : float
        Confidence of the intervals.
    """
    places = found.index(days)
    hit = found.hit[..., places]
    caught = np.asarray(hit.any(axis=-1))
    first = found.days[places][hit.argmax(axis=-1)] if places.size else np.zeros(caught.shape)
    delay = np.where(caught, first - found.onset, np.nan)
    near, alarm = (np.asarray(shown[..., places].any(axis=-1)) for shown in (found.near, found.alarm))
    return {
        lineage: Score(
            events=int(found.event[:, i].sum()),
            dips=int(found.dips[:, i].sum()),
            caught=proportion(caught[found.event[:, i], i], level),
            delay=quantile(delay[found.event[:, i], i], level=level),
            nadir_seen=proportion(near[found.dips[:, i], i], level),
            false_alarm=proportion(alarm[:, i], level),
        )
        for i, lineage in enumerate(found.lineages)
    }


def shown(draws: Iterable[int]) -> int:
    """Return the number of draws whose calendar a table or a picture shows: five, or the next fewer, or the fewest there are.

    Examples
    --------
    >>> shown([3, 4, 5, 6]), shown([2, 8]), shown([7, 9])
    (5, 2, 7)
    """
    known = sorted(draws) or [USUAL]
    return max((number for number in known if number <= USUAL), default=known[0])


def recommend(
    chosen_on: Candidates,
    fresh: Candidates,
    draws: int | Iterable[int],
    *,
    fixed: Sequence[float] = (),
    draw: float = 0.0,
    limits: Sequence[Limit] = (),
    nadir_weight: float = 0.0,
    work: float = WORK,
) -> dict[int, Calendar]:
    """Choose the days that catch most, for one or several numbers of draws.

    Of several numbers the best days are sought for the one that is `shown`. A smaller calendar is the most valuable part of
    the next larger one, a larger one adds to the next smaller one the days that bring most. So one more draw never catches
    less, in any lineage and in any subjects; calendars chosen apart would, by chance, when they are scored on fresh ones.

    Parameters
    ----------
    chosen_on, fresh : Candidates
        The population to choose on, and another one, with the same candidate days, to score on.
    draws : int or iterable of int
        Draws to choose beside the fixed ones; ``range(1, 9)`` gives the curve.
    fixed : sequence of float
        Days drawn anyway, such as the baseline.
    draw : float
        mL of each draw.
    limits : sequence of Limit
        As from `myelosim.monitoring.limits`.
    nadir_weight : float
        As for `myelosim.monitoring.worth`.
    work : float
        As for `myelosim.monitoring.best_days`.

    Returns
    -------
    dict
        Number of draws -> `Calendar`, increasing; numbers that the candidate days or the limits do not allow are left out.

    Raises
    ------
    SpecError
        If there is nothing to catch, a day is not a candidate, or none of the numbers is allowed.
    """
    if not np.array_equal(chosen_on.days, fresh.days) or chosen_on.lineages != fresh.lineages:
        raise SpecError("monitoring: both populations need the same candidate days and lineages")
    value = worth(chosen_on, nadir_weight)
    anyway = tuple(int(place) for place in chosen_on.index(fixed))
    numbers = sorted({draws} if isinstance(draws, int) else set(draws))
    when = chosen_on.days.tolist()
    binding = [limit for limit in limits if _can_bind(limit, draw, len(anyway) + numbers[-1])]
    allowed = (lambda places: within([when[p] for p in places], draw, binding)) if binding else None
    found = {}
    for number, choice in _nested(value, numbers, anyway, allowed, work).items():
        days = tuple(float(day) for day in sorted(when[p] for p in (*anyway, *choice.places)))
        found[number] = Calendar(days, score(fresh, days), choice.exact, choice.worth)
    return found


def _nested(
    value: Floats, numbers: Sequence[int], anyway: tuple[int, ...], allowed: Allowed | None, work: float
) -> dict[int, Choice]:
    """Choose for each of increasing numbers, each choice part of the next."""
    usual = shown(numbers)
    found: dict[int, Choice] = {}
    for number in [n for n in reversed(numbers) if n <= usual]:
        if found:
            last = found[min(found)].places
            found[number] = replace(best_days(value, number, anyway, allowed, work, among=last), exact=False)
            continue
        try:
            found[number] = best_days(value, number, anyway, allowed, work)
        except SpecError:
            if number == numbers[0]:
                raise
    for number in [n for n in numbers if n > usual]:
        last = found[max(found)].places
        try:
            more = best_days(value, number - len(last), (*anyway, *last), allowed, work)
        except SpecError:
            break
        found[number] = Choice(tuple(sorted((*last, *more.places))), more.worth, False)
    return dict(sorted(found.items()))


def _can_bind(limit: Limit, draw: float, number: int) -> bool:
    return most_draws(limit, draw) < (min(number, 1) if limit.days == 0 else number)
