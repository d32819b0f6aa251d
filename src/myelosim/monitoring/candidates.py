"""What each candidate day would show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myelosim.endpoints import Course
from myelosim.endpoints.detection import hits, true_onset
from myelosim.errors import SpecError

__all__ = ["Candidates", "candidates"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What a draw on each candidate day shows of each subject and lineage.

    Parameters
    ----------
    days : array (day)
        Elapsed days, increasing.
    lineages : tuple of str
        Lineage coordinates.
    onset : array (subject, lineage)
        Elapsed day on which the true count first falls to grade 3; NaN for subjects who never do.
    hit : array (subject, lineage, day)
        Whether the draw shows grade 3 or worse while that is true.
    grade : array (subject, lineage, day)
        The grade that the draw shows.
    before : array (subject, lineage)
        The grade seen before the first dose.
    depth : array (subject, lineage, day)
        True nadir over the true count on that day, at most 1; 0 before the first dose.
    start : array (subject, lineage)
        True nadir over the baseline.
    """

    days: Floats
    lineages: tuple[str, ...]
    onset: Floats
    hit: Flags
    grade: NDArray[np.int8]
    before: NDArray[np.int8]
    depth: Floats
    start: Floats

    def index(self, days: Sequence[float] | Floats) -> NDArray[np.intp]:
        """Return where days stand among the candidates.

        Raises
        ------
        SpecError
            If a day is not one of them.
        """
        wanted = np.asarray(days, dtype=np.float64).reshape(-1)
        close = np.abs(wanted[:, None] - self.days[None, :]) < 1e-6
        for day, row in zip(wanted, close, strict=True):
            if not np.any(row):
                raise SpecError(
                    f"monitoring: day {day:g} is not among the candidate days "
                    f"{', '.join(f'{candidate:g}' for candidate in self.days)}; add it there"
                )
        return np.asarray(np.unique(close.argmax(axis=1)))


def candidates(courses: Mapping[str, Course]) -> Candidates:
    """Collect what candidate days show, from courses whose visits are the candidate days.

    Parameters
    ----------
    courses : mapping
        Lineage -> `myelosim.endpoints.Course`, all with the same visits for all subjects.

    Raises
    ------
    SpecError
        If the courses have no or differing visits.
    """
    every = list(courses.values())
    times = [course.visit_time for course in every]
    if not times or any(time.ndim != 1 or time.size == 0 or not np.array_equal(time, times[0]) for time in times):
        raise SpecError("monitoring: needs courses that share one list of candidate days as their visits")
    after = times[0] > every[0].start
    return Candidates(
        days=times[0] / 24.0,
        lineages=tuple(courses),
        onset=np.stack([true_onset(course) for course in every], axis=1),
        hit=np.stack([hits(course) for course in every], axis=1),
        grade=np.stack([course.grades for course in every], axis=1),
        before=np.stack([course.grade(course.observed_baseline) for course in every], axis=1),
        depth=np.stack([_depth(course, course.count) * after for course in every], axis=1),
        start=np.stack([_depth(course, course.baseline[:, None])[:, 0] for course in every], axis=1),
    )


def _depth(course: Course, count: Floats) -> Floats:
    nadir = course.track.minimum[:, :1]
    return np.minimum(np.divide(nadir, count, out=np.ones_like(count), where=count > nadir), 1.0)
