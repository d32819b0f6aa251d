"""When it is over: back at a level after the last episode of grade 3, and staying there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myelosim.endpoints.course import Course

Floats = NDArray[np.float64]


def recovery_day(course: Course) -> Floats:
    """Return when the count is back at grade 1 or better for good (subject), in elapsed days.

    NaN without an episode of grade 3, and where the count has not come back by the horizon; `unrecovered` tells these
    apart. The worst grade that counts as recovered is set with `myelosim.endpoints.levels`.
    """
    return _back(course, "recovery")


def recovery_day_baseline(course: Course) -> Floats:
    """Return when the count is back at 90 % of its baseline for good (subject), in elapsed days; NaN as above."""
    return _back(course, "baseline90")


def unrecovered(course: Course) -> Floats:
    """Return 1 where a grade 3 occurred and the count is not back by the horizon, NaN where none occurred (subject)."""
    event = course.episodes("grade3").any & course.known("recovery")
    return np.where(event, np.isnan(recovery_day(course)).astype(np.float64), np.nan)


def _back(course: Course, level: str) -> Floats:
    over, back = course.episodes("grade3").last_end(), course.episodes(level)
    # Back at a level lower than that of grade 3 (90 % of a low baseline): the end of the grade-3 episode decides.
    when = np.where(back.any, np.fmax(over, back.last_end()), over)
    never = np.isnan(over) | back.open | ~course.known(level)
    return np.where(never, np.nan, when) / 24.0
