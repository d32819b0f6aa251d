"""How long: true days below the numbers of grade 3 and 4, over all episodes and in the longest one."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myelosim.endpoints.course import Course

Floats = NDArray[np.float64]


def days(course: Course, level: str) -> Floats:
    """Return the days below the number of a grade, or another level (subject); NaN where there is none."""
    if level not in course.levels:
        return np.full(course.size, np.nan)
    return _known(course, level, course.episodes(level).total() / 24.0)


def longest(course: Course, level: str) -> Floats:
    """Return the days of the longest single episode of a grade or worse (subject); NaN where it has no number."""
    return _known(course, level, course.episodes(level).longest() / 24.0)


def grade3_at_horizon(course: Course) -> Floats:
    """Return 1 where an episode of grade 3 has not ended at the horizon: its days are a lower bound (subject)."""
    return _known(course, "grade3", course.episodes("grade3").open.astype(np.float64))


def _known(course: Course, level: str, value: Floats) -> Floats:
    return np.where(course.known(level), value, np.nan)
