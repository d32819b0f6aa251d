"""What each candidate day would show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myelosim.endpoints import Course
from myelosim.endpoints.detection import alarms, hits, true_onset
from myelosim.errors import SpecError

__all__ = ["DEPTH", "Candidates", "candidates"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DEPTH = 0.25
"""A draw sees the nadir if the true count then is at most this fraction above it."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """What a draw on each candidate day shows of each subject and lineage.

    Parameters
    ----------
    days : array (day)
        Elapsed days, increasing.
    lineages : tuple of str
        Lineage coordinates.
    event : array (subject, lineage)
        Who truly reaches grade 3.
    onset : array (subject, lineage)
        Elapsed day of that, NaN without an event.
    hit : array (subject, lineage, day)
        Whether the draw shows grade 3 or worse during a true episode.
    alarm : array (subject, lineage, day)
        Whether it does so outside of one.
    dips : array (subject, lineage)
        Whose nadir lies so far under baseline that the baseline is not within the stated depth of it.
    near : array (subject, lineage, day)
        Whether the true count on that day is within the stated depth of the nadir.
    depth : float
        The stated depth, a fraction of the nadir.
    """

    days: Floats
    lineages: tuple[str, ...]
    event: Flags
    onset: Floats
    hit: Flags
    alarm: Flags
    dips: Flags
    near: Flags
    depth: float = DEPTH

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


def candidates(courses: Mapping[str, Course], depth: float = DEPTH) -> Candidates:
    """Collect what candidate days show, from courses whose visits are the candidate days.

    Parameters
    ----------
    courses : mapping
        Lineage -> `myelosim.endpoints.Course`, all with the same visits for all subjects.
    depth : float
        Fraction above the nadir within which it counts as seen.

    Raises
    ------
    SpecError
        If the courses have no or differing visits, or the depth is not positive.
    """
    times = [course.visit_time for course in courses.values()]
    if not times or any(time.ndim != 1 or time.size == 0 or not np.array_equal(time, times[0]) for time in times):
        raise SpecError("monitoring: needs courses that share one list of candidate days as their visits")
    if not depth > 0.0:
        raise SpecError(f"monitoring: depth {depth!r} is not positive; 0.25 means within 25 % above the nadir")
    every = list(courses.values())
    lows = [(1.0 + depth) * course.track.minimum[:, 0] for course in every]
    after = times[0] > every[0].start
    return Candidates(
        days=times[0] / 24.0,
        lineages=tuple(courses),
        event=np.stack([course.episodes("grade3").any for course in every], axis=1),
        onset=np.stack([true_onset(course) for course in every], axis=1),
        hit=np.stack([hits(course) for course in every], axis=1),
        alarm=np.stack([alarms(course) for course in every], axis=1),
        dips=np.stack([low < course.baseline for low, course in zip(lows, every, strict=True)], axis=1),
        near=np.stack([(c.count <= low[:, None]) & after for low, c in zip(lows, every, strict=True)], axis=1),
        depth=depth,
    )
