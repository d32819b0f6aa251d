"""How deep, and when."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myelosim.endpoints.course import Course

Floats = NDArray[np.float64]

EDGE = 1e-6
"""Hours from a window's edge within which a minimum lies on it."""


def lowest(
    minimum: Floats, time: Floats, begin: Floats, starts: Floats, tolerance: float = 0.0
) -> tuple[Floats, Floats]:
    """Put the whole course's minimum before those of its cycles, and say when each is first reached.

    Counts that differ by less than the solver may err are the same count. So the nadir of a course that never falls
    further below its beginning is at its beginning, and that of one that comes back equally low every cycle in the first.

    Parameters
    ----------
    minimum, time : array (subject, cycle)
        The lowest count of each cycle, and its hour.
    begin : array (subject, cycle)
        Counts at the cycles' first moments.
    starts : array (cycle)
        Hours of those.
    tolerance : float
        Relative error of the counts.

    Returns
    -------
    tuple of array (subject, window)
        Minima and hours of `myelosim.endpoints.windows`: the whole, then the cycles where there are several.

    Examples
    --------
    >>> lowest(np.array([[0.5, 0.5]]), np.array([[9.0, 30.0]]), np.array([[5.0, 0.5]]), np.array([0.0, 24.0]))
    (array([[0.5, 0.5, 0.5]]), array([[ 9.,  9., 24.]]))
    """
    time = np.where(begin <= (1.0 + tolerance) * minimum, starts, time)
    least = np.fmin.reduce(minimum, axis=1, keepdims=True)
    first = np.argmax(minimum <= (1.0 + tolerance) * least, axis=1)[:, None]
    when = np.take_along_axis(time, first, axis=1)
    if minimum.shape[1] == 1:
        return least, when
    return np.concatenate([least, minimum], axis=1), np.concatenate([when, time], axis=1)


def baseline(course: Course) -> Floats:
    """Return the true count at time zero (subject)."""
    return course.baseline


def observed_baseline(course: Course) -> Floats:
    """Return the geometric mean of the values seen before the first dose (subject)."""
    return course.observed_baseline


def nadir(course: Course) -> Floats:
    """Return the minimum from the first dose to the horizon (subject)."""
    return course.track.minimum[:, 0]


def nadir_day(course: Course) -> Floats:
    """Return when the minimum is reached, the earliest of equals (subject), in elapsed days.

    What counts as equal says `lowest`: where nothing happens it is the day of the first dose.
    """
    return course.track.minimum_time[:, 0] / 24.0


def nadir_at_edge(course: Course) -> Floats:
    """Return 1 where the minimum lies at the first dose or the horizon: the true nadir may lie beyond (subject)."""
    return _at_edge(course)[:, 0]


def cycle_nadir(course: Course) -> Floats:
    """Return the minimum of each cycle, before the next one's first dose (subject, cycle)."""
    return course.track.minimum[:, 1:]


def cycle_nadir_day(course: Course) -> Floats:
    """Return when each cycle's minimum is reached (subject, cycle), in elapsed days."""
    return course.track.minimum_time[:, 1:] / 24.0


def cycle_nadir_at_edge(course: Course) -> Floats:
    """Return 1 where a cycle's minimum lies at the cycle's first or last moment (subject, cycle)."""
    return _at_edge(course)[:, 1:]


def observed_nadir(course: Course) -> Floats:
    """Return the lowest value seen after the first dose (subject); NaN without a visit."""
    return np.asarray(np.fmin.reduce(np.where(course.seen, course.observed, np.nan), axis=1, initial=np.nan))


def observed_nadir_day(course: Course) -> Floats:
    """Return the visit of the lowest value seen, the earliest of equals (subject), in elapsed days."""
    lowest = course.seen & (course.observed == observed_nadir(course)[:, None])
    return np.asarray(np.fmin.reduce(np.where(lowest, course.hours, np.nan), axis=1, initial=np.nan)) / 24.0


def _at_edge(course: Course) -> Floats:
    edges = np.array(course.windows, dtype=np.float64)
    time = course.track.minimum_time
    edge = ((time <= edges[:, 0] + EDGE) | (time >= edges[:, 1] - EDGE)).astype(np.float64)
    return np.where(np.isnan(time), np.nan, edge)
