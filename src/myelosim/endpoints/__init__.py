"""From trajectories to what a study reports.

To add an endpoint: a function of a `Course` in the file of its family, a line in `ENDPOINTS`, a test in
``tests/endpoints`` with the reason for each expected number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from numpy.typing import NDArray

from myelosim.endpoints import detection, duration, nadir, observed, recovery, severity
from myelosim.endpoints.course import Course, Track, levels, stack, windows
from myelosim.endpoints.nadir import lowest

__all__ = ["ENDPOINTS", "FEVER", "Course", "Endpoint", "Track", "evaluate", "levels", "lowest", "stack", "windows"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A function of a course, and what its numbers mean.

    ``unit`` is "count" for the lineage's own unit, "day" for a number of days or for elapsed days since time zero,
    "grade", "flag" for 1, 0 or NaN (the question does not arise), or "1". ``of`` is "cycle" where there is one value
    per cycle; ``seen`` marks what is about visits.
    """

    compute: Callable[[Course], NDArray[Any]]
    unit: str
    meaning: str
    of: str = ""
    seen: bool = False


FEVER = "below 0.5"
"""Level of neutrophils whose time below stands for the risk of febrile neutropenia; fever itself is no state of the model."""

ENDPOINTS: dict[str, Endpoint] = {
    "baseline": Endpoint(nadir.baseline, "count", "true count at time zero"),
    "observed_baseline": Endpoint(
        nadir.observed_baseline, "count", "geometric mean seen before the first dose", seen=True
    ),
    "nadir": Endpoint(nadir.nadir, "count", "lowest true count from the first dose on"),
    "nadir_day": Endpoint(nadir.nadir_day, "day", "day of the nadir"),
    "nadir_at_edge": Endpoint(nadir.nadir_at_edge, "flag", "nadir at the first dose or the horizon"),
    "cycle_nadir": Endpoint(nadir.cycle_nadir, "count", "lowest true count of the cycle", "cycle"),
    "cycle_nadir_day": Endpoint(nadir.cycle_nadir_day, "day", "day of the cycle's nadir", "cycle"),
    "cycle_nadir_at_edge": Endpoint(nadir.cycle_nadir_at_edge, "flag", "nadir at the cycle's edge", "cycle"),
    "observed_nadir": Endpoint(nadir.observed_nadir, "count", "lowest value seen after the first dose", seen=True),
    "observed_nadir_day": Endpoint(nadir.observed_nadir_day, "day", "day of the lowest value seen", seen=True),
    "baseline_grade": Endpoint(severity.baseline_grade, "grade", "grade at time zero"),
    "worst_grade": Endpoint(severity.worst_grade, "grade", "grade of the nadir"),
    "treatment_emergent": Endpoint(severity.treatment_emergent, "flag", "worst grade worse than at time zero"),
    "observed_baseline_grade": Endpoint(
        severity.observed_baseline_grade, "grade", "grade of the observed baseline", seen=True
    ),
    "observed_grade": Endpoint(severity.observed_grade, "grade", "worst grade seen", seen=True),
    "observed_treatment_emergent": Endpoint(
        severity.observed_treatment_emergent, "flag", "worst grade seen worse than at baseline", seen=True
    ),
    "days_grade3": Endpoint(partial(duration.days, level="grade3"), "day", "days at grade 3 or worse"),
    "longest_grade3": Endpoint(partial(duration.longest, level="grade3"), "day", "longest episode of grade 3 or worse"),
    "days_grade4": Endpoint(partial(duration.days, level="grade4"), "day", "days at grade 4"),
    "longest_grade4": Endpoint(partial(duration.longest, level="grade4"), "day", "longest episode of grade 4"),
    "days_below_half": Endpoint(
        partial(duration.days, level=FEVER),
        "day",
        "days with neutrophils below 0.5: a surrogate for febrile neutropenia",
    ),
    "grade3_at_horizon": Endpoint(duration.grade3_at_horizon, "flag", "still at grade 3 or worse at the horizon"),
    "recovery_day": Endpoint(recovery.recovery_day, "day", "day of lasting recovery after the last grade 3"),
    "recovery_day_baseline": Endpoint(
        recovery.recovery_day_baseline, "day", "day of lasting return to 90 % of baseline after the last grade 3"
    ),
    "unrecovered": Endpoint(recovery.unrecovered, "flag", "grade 3 occurred and recovery did not by the horizon"),
    "onset": Endpoint(detection.onset, "day", "first visit that shows grade 3 or worse", seen=True),
    "true_onset": Endpoint(detection.true_onset, "day", "first fall to grade 3"),
    "caught": Endpoint(detection.caught, "flag", "a visit shows grade 3 or worse during a true episode", seen=True),
    "delay": Endpoint(detection.delay, "day", "days from the true onset to the visit that catches it", seen=True),
    "missed_episodes": Endpoint(detection.missed_episodes, "1", "true episodes that no visit shows", seen=True),
    "false_alarms": Endpoint(
        detection.false_alarms, "1", "visits that show grade 3 or worse outside a true episode", seen=True
    ),
    "observed_days_grade3": Endpoint(
        partial(observed.days, grade=3), "day", "days at grade 3 or worse, from visits", seen=True
    ),
    "observed_days_grade3_lower": Endpoint(
        partial(observed.days, grade=3, certain=True),
        "day",
        "days between visits of grade 3 or worse",
        seen=True,
    ),
    "observed_longest_grade3": Endpoint(
        partial(observed.longest, grade=3),
        "day",
        "longest episode of grade 3 or worse, from visits",
        seen=True,
    ),
    "observed_longest_grade3_lower": Endpoint(
        partial(observed.longest, grade=3, certain=True),
        "day",
        "most days between visits of one episode of grade 3 or worse",
        seen=True,
    ),
    "observed_days_grade4": Endpoint(partial(observed.days, grade=4), "day", "days at grade 4, from visits", seen=True),
    "observed_days_grade4_lower": Endpoint(
        partial(observed.days, grade=4, certain=True), "day", "days between visits of grade 4", seen=True
    ),
    "observed_longest_grade4": Endpoint(
        partial(observed.longest, grade=4), "day", "longest episode of grade 4, from visits", seen=True
    ),
    "observed_longest_grade4_lower": Endpoint(
        partial(observed.longest, grade=4, certain=True),
        "day",
        "most days between visits of one episode of grade 4",
        seen=True,
    ),
    "observed_grade3_censored": Endpoint(
        observed.observed_grade3_censored, "flag", "last visit still shows grade 3 or worse", seen=True
    ),
}


def evaluate(course: Course, names: Iterable[str] | None = None) -> dict[str, NDArray[Any]]:
    """Evaluate endpoints of one lineage in one arm.

    Parameters
    ----------
    course : Course
        What happened and what was seen.
    names : iterable of str, optional
        Which of `ENDPOINTS`; all by default.

    Returns
    -------
    dict
        Name -> array (subject), or (subject, cycle).

    Raises
    ------
    ValueError
        If a name is not known.
    """
    wanted = list(ENDPOINTS) if names is None else list(names)
    for name in wanted:
        if name not in ENDPOINTS:
            raise ValueError(f"{name!r} is not an endpoint; known: {', '.join(ENDPOINTS)}")
    return {name: ENDPOINTS[name].compute(course) for name in wanted}
