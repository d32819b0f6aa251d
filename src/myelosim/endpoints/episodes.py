"""From crossings of a level to episodes below it, and from visits to runs of visits below it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Episodes", "Runs", "episodes", "runs"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Episodes:
    """Times strictly below a level.

    Parameters
    ----------
    start, end : array (subject, episode)
        Hours, NaN where there are fewer; an episode that has not ended ends at the horizon.
    open : array (subject)
        Whether the last one has not ended at the horizon.
    """

    start: Floats
    end: Floats
    open: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        """Who has an episode (subject)."""
        return np.asarray(~np.isnan(self.start[:, 0]))

    def total(self) -> Floats:
        """Return the time below the level over all episodes (subject), in hours; 0 without any."""
        return np.asarray(np.nansum(self.end - self.start, axis=1))

    def longest(self) -> Floats:
        """Return the length of the longest single episode (subject), in hours; 0 without any."""
        return np.asarray(np.fmax.reduce(self.end - self.start, axis=1, initial=0.0))

    def last_end(self) -> Floats:
        """Return when the last episode ended (subject), in hours; NaN without any, or if it has not."""
        last = np.fmax.reduce(self.end, axis=1)
        return np.asarray(np.where(self.open, np.nan, last))


def episodes(crossing: Floats, below: NDArray[np.bool_], start: float, horizon: float) -> Episodes:
    """Pair crossings into episodes.

    Parameters
    ----------
    crossing : array (subject, slot)
        Hours between ``start`` and ``horizon``, increasing, NaN-padded; sides alternate.
    below : array (subject)
        Whether the count is below the level at ``start``.
    start, horizon : float
        Hours.

    Examples
    --------
    >>> found = episodes(np.array([[10.0, 30.0, 70.0]]), np.array([False]), 0.0, 100.0)
    >>> found.start.tolist(), found.end.tolist(), found.open.tolist()
    ([[10.0, 70.0]], [[30.0, 100.0]], [True])
    """
    subjects, slots = crossing.shape
    edges = np.full((subjects, 2 * (slots // 2 + 1)), np.nan)
    counted = np.sum(~np.isnan(crossing), axis=1)
    shift = below.astype(np.intp)
    row, slot = np.nonzero(~np.isnan(crossing))
    edges[below, 0] = start
    edges[row, slot + shift[row]] = crossing[row, slot]
    unfinished = np.asarray((counted + shift) % 2 == 1)
    edges[unfinished, (counted + shift)[unfinished]] = horizon
    return Episodes(edges[:, 0::2], edges[:, 1::2], unfinished)


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Consecutive visits that qualify; a visit without a value neither belongs to a run nor ends one.

    Parameters
    ----------
    first, last : array (subject, run)
        Hours of the first and last qualifying visit, NaN where there are fewer runs.
    until : array (subject, run)
        The first visit that no longer qualifies, or the horizon.
    open : array (subject, run)
        Whether ``until`` is the horizon: the run's length is censored.
    """

    first: Floats
    last: Floats
    until: Floats
    open: NDArray[np.bool_]


def runs(time: Floats, qualifies: NDArray[np.bool_], seen: NDArray[np.bool_], horizon: float) -> Runs:
    """Find runs of qualifying visits.

    Parameters
    ----------
    time : array (visit) or (subject, visit)
        Hours, increasing.
    qualifies, seen : array (subject, visit)
        Whether the value seen qualifies, and whether there is a value.
    horizon : float
        Hours.

    Examples
    --------
    >>> found = runs(np.array([0.0, 24.0, 48.0]), np.array([[False, True, False]]), np.full((1, 3), True), 96.0)
    >>> found.first.tolist(), found.last.tolist(), found.until.tolist()
    ([[24.0]], [[24.0]], [[48.0]])
    """
    subjects, visits = qualifies.shape
    order = np.argsort(~seen, axis=1, kind="stable")
    hours = np.full((subjects, visits + 1), horizon, dtype=np.float64)
    hours[:, :-1] = np.take_along_axis(np.where(seen, np.broadcast_to(time, qualifies.shape), horizon), order, axis=1)
    within = np.zeros((subjects, visits + 2), dtype=bool)
    within[:, 1:-1] = np.take_along_axis(qualifies & seen, order, axis=1)
    begins, ends = within[:, 1:-1] & ~within[:, :-2], within[:, 1:-1] & ~within[:, 2:]
    number = np.cumsum(begins, axis=1) - 1
    width = max(1, int(number.max(initial=-1)) + 1)
    first, last, until = (np.full((subjects, width), np.nan) for _ in range(3))
    open_ = np.zeros((subjects, width), dtype=bool)
    row, visit = np.nonzero(begins)
    first[row, number[row, visit]] = hours[row, visit]
    row, visit = np.nonzero(ends)
    run = number[row, visit]
    last[row, run], until[row, run] = hours[row, visit], hours[row, visit + 1]
    open_[row, run] = visit + 1 >= np.sum(seen, axis=1)[row]
    return Runs(first, last, until, open_)
