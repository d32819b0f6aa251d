"""How deep, and when."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myelosim.endpoints.course import Course

Floats = NDArray[np.float64]

EDGE = 1e-6
"""Hours from a window's edge within which a minimum lies on it."""


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
    """Return when the minimum is reached, the earliest of equals (subject), in elapsed days."""
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
