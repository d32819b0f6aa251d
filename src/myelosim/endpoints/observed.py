"""How long it looks at the visits: an estimate and, beside it, what is certain.

An observed episode lasts from the first visit that shows the grade to the first that no longer does, or to the horizon;
certain is only the time from its first to its last such visit. NaN where the table has no number, and without visits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myelosim.endpoints.course import Course

Floats = NDArray[np.float64]


def days(course: Course, grade: int, certain: bool = False) -> Floats:
    """Return the days that visits suggest, or make certain, at a grade or worse, over all episodes (subject)."""
    return _known(course, grade, np.nansum(_lengths(course, grade, certain), axis=1) / 24.0)


def longest(course: Course, grade: int, certain: bool = False) -> Floats:
    """Return the days that visits suggest, or make certain, for the longest episode of a grade or worse (subject)."""
    return _known(course, grade, np.fmax.reduce(_lengths(course, grade, certain), axis=1, initial=0.0) / 24.0)


def observed_grade3_censored(course: Course) -> Floats:
    """Return 1 where the last visit still shows grade 3 or worse: the days end at the horizon (subject)."""
    return _known(course, 3, np.any(course.graded_runs(3).open, axis=1).astype(np.float64))


def _lengths(course: Course, grade: int, certain: bool) -> Floats:
    found = course.graded_runs(grade)
    return (found.last if certain else found.until) - found.first


def _known(course: Course, grade: int, value: Floats) -> Floats:
    return np.where(course.known(f"grade{grade}") & np.any(course.seen, axis=1), value, np.nan)
