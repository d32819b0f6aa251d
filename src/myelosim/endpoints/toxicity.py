"""Dose-limiting toxicity: a named definition, its window, and who can be judged by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myelosim.endpoints.course import Course
from myelosim.errors import SpecError

__all__ = ["DEFINITIONS", "Condition", "Definition", "Verdict", "dose_limiting", "toxicity"]

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Condition:
    """A count below a number for longer than some hours; 0 hours: at all.

    Parameters
    ----------
    lineage : str
        Lineage coordinate.
    below : float
        In the lineage's unit; a count at the number is not below it.
    longer_than : float
        Hours, in one episode.
    """

    lineage: str
    below: float
    longer_than: float = 0.0

    @property
    def level(self) -> str:
        """Name of the level to be watched."""
        return f"below {self.below:g}"


@dataclass(frozen=True, slots=True)
class Definition:
    """What counts as dose-limiting.

    Parameters
    ----------
    name : str
        Printed beside every number.
    conditions : tuple of Condition
        Any one is enough.
    window : (float, float)
        Hours since the first dose in which the episode must begin; study days 1-28 are 0 to 672 h.
    within : bool
        Count only the part of an episode inside the window; otherwise an episode that begins in it is followed to its
        end.
    least_dose : float
        Fraction of the planned dose in the window below which a subject without toxicity cannot be judged.
    """

    name: str
    conditions: tuple[Condition, ...]
    window: tuple[float, float] = (0.0, 672.0)
    within: bool = False
    least_dose: float = 0.8

    def __post_init__(self) -> None:
        if not self.conditions or not self.window[0] < self.window[1] or not 0.0 <= self.least_dose <= 1.0:
            raise ValueError(
                f"toxicity {self.name!r} needs a condition, a window that ends after it begins ({self.window}) "
                f"and a least dose from 0 to 1 ({self.least_dose:g})"
            )

    def levels(self, lineage: str) -> dict[str, float]:
        """Give the levels to watch in a lineage: what `myelosim.endpoints.levels` takes as ``extra``."""
        return {condition.level: condition.below for condition in self.conditions if condition.lineage == lineage}


DEFINITIONS: dict[str, Definition] = {
    "neutropenia_7d": Definition("neutropenia_7d", (Condition("neutrophil", 0.5, 168.0),)),
    "hematologic": Definition("hematologic", (Condition("neutrophil", 0.5, 168.0), Condition("platelet", 25.0))),
}


def dose_limiting(name: str) -> Definition:
    """Return a definition by its name.

    Raises
    ------
    SpecError
        There is none of that name.
    """
    if name not in DEFINITIONS:
        raise SpecError(f"dlt: {name!r} is not a definition of dose-limiting toxicity; known: {', '.join(DEFINITIONS)}")
    return DEFINITIONS[name]


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """Dose-limiting toxicity, true and as seen: 1, 0, or NaN where a subject cannot be judged (subject)."""

    true: Floats
    observed: Floats


def toxicity(definition: Definition, courses: Mapping[str, Course], dose_fraction: Floats) -> Verdict:
    """Judge each subject.

    Parameters
    ----------
    definition : Definition
        The named definition.
    courses : mapping
        Lineage -> `Course`; lineages that the definition names and the model lacks are left out.
    dose_fraction : array (subject)
        Dose given in the window as a fraction of the planned one.

    Returns
    -------
    Verdict
        True toxicity by the length of the episodes, observed by the time from first to last visit that shows it.
        NaN for a subject without toxicity who got less than the least dose, or could not be integrated.

    Raises
    ------
    ValueError
        If none of the definition's lineages is there.
    """
    judged = [condition for condition in definition.conditions if condition.lineage in courses]
    if not judged:
        wanted = ", ".join(sorted({condition.lineage for condition in definition.conditions}))
        raise ValueError(f"toxicity {definition.name!r} is about {wanted}, which the model does not have")
    size = len(dose_fraction)
    true, observed, failed = (np.zeros(size, dtype=bool) for _ in range(3))
    for condition in judged:
        course = courses[condition.lineage]
        true |= _true(condition, definition, course)
        observed |= _observed(condition, definition, course)
        failed |= course.failed
    enough = (np.asarray(dose_fraction) >= definition.least_dose) & ~failed
    return Verdict(*(np.where(enough | flag, flag.astype(np.float64), np.nan) for flag in (true, observed)))


def _true(condition: Condition, definition: Definition, course: Course) -> Flags:
    found = course.episodes(condition.level)
    return _long(found.start, found.end, condition, definition, course.start)


def _observed(condition: Condition, definition: Definition, course: Course) -> Flags:
    low = course.seen & (course.observed < condition.below)
    found = course.runs(low)
    return _long(found.first, found.last, condition, definition, course.start)


def _long(first: Floats, last: Floats, condition: Condition, definition: Definition, start: float) -> Flags:
    opens, closes = (start + edge for edge in definition.window)
    begins = (first >= opens) & (first < closes)
    length = (np.fmin(last, closes) if definition.within else last) - first
    enough = length > condition.longer_than if condition.longer_than > 0.0 else length >= 0.0
    return np.asarray(np.any(begins & enough, axis=1))
