"""How bad: the worst grade, true and seen, and whether it is worse than before treatment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myelosim import grading
from myelosim.endpoints.course import Course
from myelosim.grading import NOT_GRADED

Floats = NDArray[np.float64]
Grades = NDArray[np.int8]


def baseline_grade(course: Course) -> Grades:
    """Return the grade of the true count at time zero (subject)."""
    return course.grade(course.baseline)


def worst_grade(course: Course) -> Grades:
    """Return the grade of the true nadir (subject)."""
    return course.grade(course.track.minimum[:, 0])


def treatment_emergent(course: Course) -> Floats:
    """Return 1 where the worst grade is worse than at time zero (subject)."""
    return _worse(worst_grade(course), baseline_grade(course))


def observed_baseline_grade(course: Course) -> Grades:
    """Return the grade of the observed baseline (subject)."""
    seen = course.observed_baseline
    return grading.grade(seen, course.lineage, course.table, course.lln, seen)


def observed_grade(course: Course) -> Grades:
    """Return the worst grade seen at a visit after the first dose (subject)."""
    return np.asarray(course.grades.max(axis=1, initial=NOT_GRADED))


def observed_treatment_emergent(course: Course) -> Floats:
    """Return 1 where the worst grade seen is worse than that of the observed baseline (subject)."""
    return _worse(observed_grade(course), observed_baseline_grade(course))


def _worse(grade: Grades, before: Grades) -> Floats:
    known = (grade != NOT_GRADED) & (before != NOT_GRADED)
    return np.where(known, (grade > before).astype(np.float64), np.nan)
