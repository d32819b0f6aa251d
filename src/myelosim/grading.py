"""Grades of a count: how many boundaries of a table it has fallen below.

A count at a boundary takes the milder grade. A grade may have no number in its table (anemia grade 4): nothing is then
ever given that grade, and its boundary is NaN, so that a reader can tell "none" from "not defined".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["GRADES", "NOT_GRADED", "Bounds", "Table", "grade", "thresholds"]

GRADES = (1, 2, 3, 4)

NOT_GRADED = -1
"""What `grade` gives a missing count, or a lineage without numbers."""

Bound = float | str | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where grades 1 to 4 of one lineage begin: a count below the number has that grade or a worse one.

    Parameters
    ----------
    absolute : tuple
        Per grade a count in the lineage's unit, ``"lln"`` for the lower limit of normal, or None where the table has no
        number.
    relative : tuple
        Per grade a fraction of baseline, at most 1, or None. Where both are given, either one is enough.
    """

    absolute: tuple[Bound, Bound, Bound, Bound] = (None, None, None, None)
    relative: tuple[float | None, float | None, float | None, float | None] = (None, None, None, None)

    def __post_init__(self) -> None:
        for what, row in (("absolute", self.absolute), ("relative", self.relative)):
            if len(row) != len(GRADES):
                raise ValueError(
                    f"{what} bounds {row} must have one entry for each of the grades 1 to 4, None for no number"
                )
            for bound in row:
                number = isinstance(bound, int | float) and not isinstance(bound, bool) and bound > 0
                if not (bound is None or number or (bound == "lln" and what == "absolute")):
                    raise ValueError(f"{what} bound {bound!r} is not a positive number, None or (absolute only) 'lln'")
                if what == "relative" and isinstance(bound, int | float) and bound > 1.0:
                    raise ValueError(f"relative bound {bound!r} is not a fraction of baseline; write 0.9 for 90 %")
            numbers = [bound for bound in row if isinstance(bound, int | float)]
            if any(worse >= milder for milder, worse in pairwise(numbers)):
                raise ValueError(f"{what} bounds {row} must fall from grade to grade")
        if all(bound is None for bound in (*self.absolute, *self.relative)):
            raise ValueError("bounds without any number; leave the lineage out")

    def has(self, grade: int) -> bool:
        """Tell whether the table has a number for this grade."""
        return self.absolute[grade - 1] is not None or self.relative[grade - 1] is not None

    @property
    def of_baseline(self) -> bool:
        """Whether the grade of a count depends on the subject's baseline."""
        return any(bound is not None for bound in self.relative)


@dataclass(frozen=True, slots=True)
class Table:
    """A grading table.

    Parameters
    ----------
    name, title, source : str
        What it is called in files and on paper, and where its numbers are from.
    bounds : mapping
        Lineage -> `Bounds`.
    words : mapping
        Grade -> word, where the table has its own ("mild").
    """

    name: str
    bounds: Mapping[str, Bounds]
    title: str = ""
    source: str = ""
    words: Mapping[int, str] = field(default_factory=dict)

    def has(self, lineage: str, grade: int) -> bool:
        """Tell whether the table has a number for this grade of this lineage; if not, print "-"."""
        return lineage in self.bounds and self.bounds[lineage].has(grade)

    @property
    def of_baseline(self) -> tuple[str, ...]:
        """Lineages whose grades depend on the subject's baseline."""
        return tuple(lineage for lineage, bounds in self.bounds.items() if bounds.of_baseline)


def thresholds(
    lineage: str, table: Table, lln: ArrayLike | None = None, baseline: ArrayLike | None = None
) -> NDArray[np.float64]:
    """Give the counts below which each grade, or a worse one, begins.

    Parameters
    ----------
    lineage : str
        Lineage coordinate; one that the table does not know gets NaN throughout.
    table : Table
        Where the numbers are from.
    lln : float or array (subject), optional
        Lower limit of normal, in the lineage's unit. Without it a grade that begins there has no number.
    baseline : float or array (subject), optional
        Needed where the table goes by percent of baseline.

    Returns
    -------
    numpy.ndarray
        (4) or (subject, 4), in the lineage's unit, falling from grade to grade; NaN where a grade has no number.

    Raises
    ------
    ValueError
        If the table needs a baseline and there is none.

    Examples
    --------
    >>> anc = Table("ctcae_v5", {"neutrophil": Bounds(("lln", 1.5, 1.0, 0.5))})
    >>> thresholds("neutrophil", anc, lln=2.0)
    array([2. , 1.5, 1. , 0.5])
    """
    bounds = table.bounds.get(lineage)
    if bounds is None:
        return np.full(len(GRADES), np.nan)
    if bounds.of_baseline and baseline is None:
        raise ValueError(f"grading {table.name}: {lineage} is graded by percent of baseline; give the baseline")
    normal = np.nan if lln is None else np.asarray(lln, dtype=np.float64)
    absolute = [normal if bound == "lln" else _number(bound) for bound in bounds.absolute]
    start = np.asarray(baseline, dtype=np.float64) if bounds.of_baseline else 0.0
    relative = [_number(bound) * start for bound in bounds.relative]
    columns = [np.fmax(a, r) for a, r in zip(absolute, relative, strict=True)]
    begins = np.stack(np.broadcast_arrays(*columns), axis=-1)
    # A lower limit of normal may lie under the number of grade 2 (rodents): grade 1 or worse then begins at the latter.
    worse = np.fmax.accumulate(begins[..., ::-1], axis=-1)[..., ::-1]
    return np.asarray(np.where(np.isnan(begins), np.nan, worse), dtype=np.float64)


def grade(
    count: ArrayLike, lineage: str, table: Table, lln: ArrayLike | None = None, baseline: ArrayLike | None = None
) -> NDArray[np.int8]:
    """Grade counts.

    Parameters
    ----------
    count : array (subject, ...) or float
        In the lineage's unit; NaN where there is none.
    lineage, table, lln, baseline
        As for `thresholds`.

    Returns
    -------
    numpy.ndarray
        0 to 4 in the shape of ``count``; `NOT_GRADED` for a missing count and where the table has no number at all.

    Examples
    --------
    >>> anc = Table("ctcae_v5", {"neutrophil": Bounds(("lln", 1.5, 1.0, 0.5))})
    >>> grade([2.0, 1.0, 0.99, 0.1], "neutrophil", anc, lln=2.0)
    array([0, 2, 3, 4], dtype=int8)
    """
    counts = np.asarray(count, dtype=np.float64)
    begins = thresholds(lineage, table, lln, baseline)
    if begins.ndim > 1:
        begins = begins.reshape(begins.shape[0], *(1 for _ in range(counts.ndim - 1)), len(GRADES))
    graded = np.zeros(np.broadcast_shapes(counts.shape, begins.shape[:-1]), dtype=np.int8)
    for value in GRADES:
        graded[np.broadcast_to(counts < begins[..., value - 1], graded.shape)] = value
    missing = np.isnan(counts) | np.all(np.isnan(begins), axis=-1)
    graded[np.broadcast_to(missing, graded.shape)] = NOT_GRADED
    return graded


def _number(bound: Any) -> float:
    return np.nan if bound is None or isinstance(bound, str) else float(bound)
