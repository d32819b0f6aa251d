"""Whether the visits see it: first observed grade 3, episodes caught, delay, false alarms."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myelosim.endpoints.course import Course

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def onset(course: Course) -> Floats:
    """Return the first visit that shows grade 3 or worse (subject), in elapsed days; NaN where none does."""
    return _first(course, course.grades >= 3)


def true_onset(course: Course) -> Floats:
    """Return when the true count first falls below the number of grade 3 (subject), in elapsed days; NaN if never."""
    return course.episodes("grade3").start[:, 0] / 24.0


def caught(course: Course) -> Floats:
    """Return 1 where a visit shows grade 3 or worse during a true episode, NaN where there is no episode (subject)."""
    event = course.episodes("grade3").any
    return np.where(event, np.any(hits(course), axis=1).astype(np.float64), np.nan)


def delay(course: Course) -> Floats:
    """Return the days from the true onset to the visit that catches it (subject); NaN where not caught.

    The onset is the subject's first, also where the first episode is missed and a later one caught.
    """
    return _first(course, hits(course)) - true_onset(course)


def missed_episodes(course: Course) -> Floats:
    """Return how many true episodes of grade 3 or worse no visit shows (subject); NaN where it has no number."""
    found, hit = course.episodes("grade3"), hits(course)
    inside = (course.hours[:, None] >= found.start[..., None]) & (course.hours[:, None] <= found.end[..., None])
    missed = ~np.isnan(found.start) & ~np.any(inside & hit[:, None], axis=2)
    return np.where(course.known("grade3"), missed.sum(axis=1).astype(np.float64), np.nan)


def false_alarms(course: Course) -> Floats:
    """Return how many visits show grade 3 or worse outside a true episode (subject); NaN where it has no number."""
    wrong = np.sum(alarms(course), axis=1).astype(np.float64)
    return np.where(course.known("grade3"), wrong, np.nan)


def incidence(days: ArrayLike, at: ArrayLike) -> Floats:
    """Return the share of subjects whose onset is at or before each day.

    Parameters
    ----------
    days : array (subject)
        Onset, NaN for subjects without an event.
    at : array (time)
        Elapsed days.

    Examples
    --------
    >>> incidence([7.0, float("nan"), 14.0, 7.0], [6, 7, 14])
    array([0.  , 0.5 , 0.75])
    """
    day = np.asarray(days, dtype=np.float64)
    return np.asarray(np.mean(day[None, :] <= np.atleast_1d(at)[:, None], axis=1))


def _true(course: Course) -> Flags:
    return np.asarray(course.count < course.levels["grade3"][:, None])


def hits(course: Course) -> Flags:
    """Tell which visits show grade 3 or worse during a true episode (subject, visit)."""
    return np.asarray((course.grades >= 3) & _true(course))


def alarms(course: Course) -> Flags:
    """Tell which visits show grade 3 or worse outside a true episode (subject, visit)."""
    return np.asarray((course.grades >= 3) & ~_true(course))


def _first(course: Course, flags: Flags) -> Floats:
    return np.asarray(np.fmin.reduce(np.where(flags, course.hours, np.nan), axis=1, initial=np.nan)) / 24.0
