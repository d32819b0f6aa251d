"""One lineage in one arm: what happened, and what was seen at the visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myelosim import grading
from myelosim.endpoints.episodes import Episodes, Runs, episodes, runs
from myelosim.grading import NOT_GRADED, Table

__all__ = ["Course", "Track", "levels", "stack", "windows"]

Floats = NDArray[np.float64]

RECOVERED_BASELINE = 0.9
"""Fraction of baseline that the second recovery day asks for."""


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What a simulation knows of one lineage beyond the counts at the times asked for.

    Parameters
    ----------
    minimum, minimum_time : array (subject, window)
        The lowest count in each of `windows`, and its hour.
    crossing : array (subject, level, slot)
        Hours, from the first window's start on.
    below : array (subject, level)
        Whether the count is below the level at the first window's start.
    """

    minimum: Floats
    minimum_time: Floats
    crossing: Floats
    below: NDArray[np.bool_]


def windows(start: float, horizon: float, cycles: Sequence[float] = ()) -> list[tuple[float, float]]:
    """Give the windows in which to look for a nadir: the whole, then cycle by cycle (all in hours).

    Examples
    --------
    >>> windows(0.0, 1008.0, (0.0, 504.0))
    [(0.0, 1008.0), (0.0, 504.0), (504.0, 1008.0)]
    """
    edges = [*(cycle for cycle in cycles if cycle < horizon), horizon]
    return [(start, horizon), *pairwise(edges)]


def levels(
    lineage: str,
    table: Table,
    baseline: ArrayLike,
    lln: ArrayLike | None = None,
    recovery: int = 1,
    extra: Mapping[str, float] | None = None,
) -> dict[str, Floats]:
    """Name the levels whose crossings the endpoints need.

    Parameters
    ----------
    lineage, table, lln
        As for `myelosim.grading.thresholds`.
    baseline : array (subject)
        True count at time zero.
    recovery : int
        Worst grade that counts as recovered.
    extra : mapping, optional
        Further levels by name, such as those of a dose-limiting toxicity.

    Returns
    -------
    dict
        ``grade3``, ``grade4``, ``recovery``, ``baseline90`` and the extra ones: array (subject) or (1); NaN where the
        table has no number.

    Raises
    ------
    ValueError
        If ``recovery`` is not 0 to 3.
    """
    if recovery not in (0, 1, 2, 3):
        raise ValueError(
            f"recovery to grade {recovery!r} cannot be; give the worst grade that counts as recovered, 0 to 3"
        )
    begins = np.atleast_2d(grading.thresholds(lineage, table, lln, baseline))
    return {
        "grade3": begins[:, 2],
        "grade4": begins[:, 3],
        "recovery": begins[:, recovery],
        "baseline90": RECOVERED_BASELINE * np.atleast_1d(np.asarray(baseline, dtype=np.float64)),
        **{name: np.array([level]) for name, level in (extra or {}).items()},
    }


def stack(named: Mapping[str, Floats]) -> Floats:
    """Put levels side by side (subject or 1, level), 0 for those without a number: no count ever falls below it."""
    return np.asarray(np.nan_to_num(np.stack(np.broadcast_arrays(*named.values()), axis=1), nan=0.0))


@dataclass(frozen=True, eq=False)
class Course:
    """One lineage in one arm.

    Parameters
    ----------
    lineage : str
        Lineage coordinate.
    table : Table
        How its counts are graded.
    track : Track
        Minima in `windows` (the whole first) and crossings of `levels`.
    levels : mapping
        Level name -> array (subject or 1), in the order of the track's crossings.
    windows : sequence of (float, float)
        Hours.
    baseline : array (subject)
        True count at time zero.
    visit_time : array (visit) or (subject, visit)
        Hours, increasing.
    count, observed : array (subject, visit)
        True and observed counts at the visits; ``observed`` is NaN where no blood was drawn.
    lln : float or array (subject), optional
        Lower limit of normal.

    Notes
    -----
    The first window begins with the first dose. Visits up to then, and at that very time, are before it: they make the
    observed baseline and nothing else.
    """

    lineage: str
    table: Table
    track: Track
    levels: Mapping[str, Floats]
    windows: Sequence[tuple[float, float]]
    baseline: Floats
    visit_time: Floats
    count: Floats
    observed: Floats
    lln: ArrayLike | None = None
    _episodes: dict[str, Episodes] = field(default_factory=dict, init=False, repr=False)
    _graded: dict[int, Runs] = field(default_factory=dict, init=False, repr=False)

    @property
    def size(self) -> int:
        """Number of subjects."""
        return int(self.track.minimum.shape[0])

    @property
    def start(self) -> float:
        """Time of the first dose, in hours."""
        return self.windows[0][0]

    @property
    def horizon(self) -> float:
        """End of the observation, in hours."""
        return self.windows[0][1]

    @cached_property
    def failed(self) -> NDArray[np.bool_]:
        """Subjects that could not be integrated (subject): nothing is known of them."""
        return np.asarray(np.isnan(self.track.minimum[:, 0]))

    def known(self, level: str) -> NDArray[np.bool_]:
        """Tell for whom a level has a number and the course is known (subject)."""
        return np.asarray(~np.isnan(self.levels[level]) & ~self.failed)

    def episodes(self, level: str) -> Episodes:
        """Return the times strictly below a level."""
        if level not in self._episodes:
            place = list(self.levels).index(level)
            crossing = np.where(self.failed[:, None], np.nan, self.track.crossing[:, place, :])
            below = self.track.below[:, place] & ~self.failed
            self._episodes[level] = episodes(crossing, below, self.start, self.horizon)
        return self._episodes[level]

    @cached_property
    def hours(self) -> Floats:
        """Times of the visits (subject, visit)."""
        return np.broadcast_to(self.visit_time, self.observed.shape)

    @cached_property
    def seen(self) -> NDArray[np.bool_]:
        """Visits after the first dose at which there is a value (subject, visit)."""
        return np.asarray(~np.isnan(self.observed) & (self.hours > self.start))

    @cached_property
    def observed_baseline(self) -> Floats:
        """Geometric mean of all values seen before the first dose (subject); NaN without any, 0 if one is 0."""
        before = ~np.isnan(self.observed) & (self.hours <= self.start)
        logs = np.log(np.where(before & (self.observed > 0), self.observed, 1.0))
        number = before.sum(axis=1)
        mean = np.exp(logs.sum(axis=1) / np.maximum(number, 1))
        zero = np.any(before & (self.observed <= 0), axis=1)
        return np.asarray(np.where(number == 0, np.nan, np.where(zero, 0.0, mean)))

    @cached_property
    def grades(self) -> NDArray[np.int8]:
        """Grades seen at the visits after the first dose (subject, visit), `NOT_GRADED` elsewhere."""
        seen = grading.grade(self.observed, self.lineage, self.table, self.lln, self.observed_baseline)
        return np.where(self.seen, seen, np.int8(NOT_GRADED))

    def grade(self, count: Floats) -> NDArray[np.int8]:
        """Grade true counts (subject)."""
        return grading.grade(count, self.lineage, self.table, self.lln, self.baseline)

    def graded_runs(self, grade: int) -> Runs:
        """Find runs of visits after the first dose that show a grade or a worse one."""
        if grade not in self._graded:
            self._graded[grade] = self.runs(self.grades >= grade)
        return self._graded[grade]

    def runs(self, qualifies: NDArray[np.bool_]) -> Runs:
        """Find runs of qualifying visits after the first dose."""
        return runs(self.visit_time, qualifies, self.seen, self.horizon)
