"""Calendars: chosen on one population, scored on another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from myelosim.endpoints.interval import Interval, mean, proportion, quantile
from myelosim.errors import SpecError
from myelosim.monitoring.blood import Window
from myelosim.monitoring.candidates import Candidates
from myelosim.monitoring.choice import STARTS, WORK, Floats, best_days
from myelosim.spec.scenario import Calendar

__all__ = ["Chosen", "Score", "choose", "drawn", "score", "shown"]

USUAL = 5
EXTRA = 3.0
"""Days after the one of the week on which grade 3 was seen, on which a calendar draws for the second time."""


@dataclass(frozen=True, slots=True)
class Score:
    """What a calendar sees of one lineage.

    Parameters
    ----------
    in_time : Interval
        Of the subjects that truly reach grade 3: P(a draw shows it while it is true, within so many days of its onset).
    caught : Interval
        The same, however late.
    delay : Interval
        Median days from the true onset to the draw that catches it, among those caught.
    miss : Interval
        Mean over all subjects of how far the true nadir lies below the lowest true count at a draw, as a fraction of that.
    """

    in_time: Interval
    caught: Interval
    delay: Interval
    miss: Interval


@dataclass(frozen=True, slots=True)
class Chosen:
    """Days chosen: elapsed days after the one of the baseline, how they were found, and how many sets were looked at."""

    days: tuple[float, ...]
    how: str
    looked: int


def drawn(found: Candidates, calendar: Calendar) -> NDArray[np.bool_]:
    """Return on which candidate days a calendar draws: (1, day), or (subject, day) where it goes by what it sees.

    Such a calendar draws also 3, 7, 10, 14, ... days after a draw that shows grade 3 or worse in any lineage, until a draw
    shows grade 1 or better, or no worse than before the first dose, in all of them.
    """
    days = found.days
    usual = np.zeros((1, days.size), dtype=bool)
    usual[0, found.index((0.0, *calendar.days))] = True
    if not calendar.until_recovery:
        return usual
    out = np.repeat(usual, len(found.onset), axis=0)
    over = np.maximum(found.before, 1)
    since = np.full(len(out), np.nan)
    for k, day in enumerate(days):
        phase = (day - since) % 7.0
        out[:, k] |= np.minimum(phase, np.abs(phase - EXTRA)) < 1e-6
        seen = found.grade[:, :, k]
        worse, well = out[:, k] & (seen >= 3).any(axis=1), out[:, k] & (seen <= over).all(axis=1)
        since[worse & np.isnan(since)] = day
        since[well] = np.nan
    return out


def score(found: Candidates, draws: NDArray[np.bool_], within: float, level: float = 0.95) -> dict[str, Score]:
    """Score draws, lineage by lineage.

    Parameters
    ----------
    found : Candidates
        What each candidate day shows; for chosen days that of other subjects than they were chosen on.
    draws : array (subject or 1, day)
        As from `drawn`.
    within : float
        Days from the true onset in which it is to be caught.
    level : float
        Confidence of the intervals.
    """
    places = draws.any(axis=0)
    draws, days = draws[:, None, places], found.days[places]
    hit = found.hit[..., places] & draws
    caught = np.asarray(hit.any(axis=-1))
    delay = np.where(caught, days[hit.argmax(axis=-1)] - found.onset, np.nan)
    miss = 1.0 - np.maximum((found.depth[..., places] * draws).max(axis=-1), found.start)
    event = ~np.isnan(found.onset)
    return {
        lineage: Score(
            in_time=proportion(delay[own, i] <= within + 1e-9, level),
            caught=proportion(caught[own, i], level),
            delay=quantile(delay[own, i], level=level),
            miss=mean(miss[:, i], level),
        )
        for i, (lineage, own) in enumerate(zip(found.lineages, event.T, strict=True))
    }


def shown(draws: Iterable[int]) -> int:
    """Return the number of draws whose days a table or a picture shows: five, or the next fewer, or the fewest there are.

    Examples
    --------
    >>> shown([3, 4, 5, 6]), shown([2, 8]), shown([7, 9])
    (5, 2, 7)
    """
    known = sorted(draws) or [USUAL]
    return max((number for number in known if number <= USUAL), default=known[0])


def choose(
    value: Floats,
    days: Sequence[float] | Floats,
    draws: Iterable[int],
    *,
    anyway: Sequence[int] = (),
    windows: Sequence[Window] = (),
    among: Sequence[int] | None = None,
    work: float = WORK,
) -> Mapping[int, Chosen]:
    """Choose the days that are worth most, for several numbers of draws.

    The best days are sought for the number that is `shown`. A smaller calendar is the most valuable part of the next larger
    one, a larger one adds to the next smaller one the days that bring most. So one more draw never catches less, in any
    lineage and in any subjects; calendars chosen apart would, by chance, when they are scored on fresh ones.

    Parameters
    ----------
    value, days, anyway, windows, among, work
        As for `myelosim.monitoring.best_days`.
    draws : iterable of int
        Draws to choose beside those drawn anyway.

    Returns
    -------
    dict
        Number of draws -> `Chosen`, increasing; numbers that cannot be had are left out.

    Raises
    ------
    SpecError
        If none of the numbers can be had.
    """
    numbers = sorted(set(draws))
    best_of = partial(best_days, value, days, windows=windows, work=work)
    usual = shown(numbers)
    found: dict[int, tuple[tuple[int, ...], str, int]] = {}
    for number in [n for n in reversed(numbers) if n <= usual]:
        part = found[min(found)][0] if found else among
        try:
            best = best_of(number, anyway=anyway, among=part)
        except SpecError:
            if number == numbers[0]:
                raise
            continue
        how = "exact" if best.exact else f"exchange search, best of {STARTS} starts"
        found[number] = (best.places, f"best part of {min(found)} draws" if found else how, best.looked)
    for number in [n for n in numbers if n > usual]:
        fewer = max(found)
        last = found[fewer][0]
        try:
            more = best_of(number - fewer, anyway=(*anyway, *last), among=among)
        except SpecError:
            break
        found[number] = ((*last, *more.places), f"{fewer} draws and the best to add", more.looked)
    when = np.asarray(days, dtype=np.float64)
    return {
        number: Chosen(tuple(float(d) for d in sorted(when[[*places, *anyway]]) if d > 0), how, looked)
        for number, (places, how, looked) in sorted(found.items())
    }
