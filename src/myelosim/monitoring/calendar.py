"""Recommended calendars: chosen on one population, scored on another, beside the protocol's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from myelosim.endpoints.interval import Interval, proportion, quantile
from myelosim.errors import SpecError
from myelosim.monitoring.blood import Limit, breaches, most_draws, within
from myelosim.monitoring.candidates import Candidates
from myelosim.monitoring.choice import WORK, best_days, worth

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
        Whether no other calendar of this length does better in the subjects it was chosen on.
    worth : float
        What was maximized, in the subjects it was chosen on: expect a little less in others.
    breaches : tuple of str
        Blood-volume limits that it breaks: empty for chosen days, not always for a protocol's.
    """

    days: tuple[float, ...]
    scores: Mapping[str, Score]
    exact: bool
    worth: float
    breaches: tuple[str, ...] = ()


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
    protocol: Sequence[float] | None = None,
    fixed: Sequence[float] = (),
    draw: float = 0.0,
    limits: Sequence[Limit] = (),
    nadir_weight: float = 0.0,
    work: float = WORK,
) -> dict[int | str, Calendar]:
    """Choose the days that catch most, for one or several numbers of draws.

    Parameters
    ----------
    chosen_on, fresh : Candidates
        The population to choose on, and another one, with the same candidate days, to score on.
    draws : int or iterable of int
        Draws to choose beside the fixed ones; ``range(1, 9)`` gives the curve.
    protocol : sequence of float, optional
        The protocol's own days, all among the candidates, to compare with.
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
        Number of draws -> `Calendar`; and "protocol" -> that of the protocol, if given.

    Raises
    ------
    SpecError
        If there is nothing to catch, a day is not a candidate, or the limits do not allow that many draws.
    """
    if not np.array_equal(chosen_on.days, fresh.days) or chosen_on.lineages != fresh.lineages:
        raise SpecError("monitoring: both populations need the same candidate days and lineages")
    value = worth(chosen_on, nadir_weight)
    anyway = tuple(int(place) for place in chosen_on.index(fixed))
    when = chosen_on.days.tolist()
    found: dict[int | str, Calendar] = {}
    for number in [draws] if isinstance(draws, int) else draws:
        binding = [limit for limit in limits if _can_bind(limit, draw, len(anyway) + number)]
        allowed = (lambda places, some=binding: within([when[p] for p in places], draw, some)) if binding else None
        choice = best_days(value, number, anyway, allowed, work)
        days = tuple(float(day) for day in sorted(when[p] for p in (*anyway, *choice.places)))
        found[number] = Calendar(days, score(fresh, days), choice.exact, choice.worth)
    if protocol is not None:
        own = tuple(float(day) for day in chosen_on.days[chosen_on.index(protocol)])
        total = float(value[:, chosen_on.index(protocol)].max(axis=1, initial=0.0).sum())
        found["protocol"] = Calendar(own, score(fresh, own), False, total, tuple(breaches(own, draw, limits)))
    return found


def _can_bind(limit: Limit, draw: float, number: int) -> bool:
    return most_draws(limit, draw) < (min(number, 1) if limit.days == 0 else number)
