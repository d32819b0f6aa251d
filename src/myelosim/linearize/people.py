"""From a study to subjects the engine can run: doses, hours looked at, periods of constant parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from myelosim.data.study import Course, Study
from myelosim.engine import Person
from myelosim.errors import DataError
from myelosim.spec.regimen import DoseEvent, Regimen

MERGE = 1e-9  # hours
RUN_IN = 24.0 * 7 * 26  # hours of doses before a steady state


@dataclass(frozen=True)
class Periods:
    """All subjects' periods, one after the other: whose they are, their occasion, and what is known to hold in each."""

    subject: np.ndarray
    occasion: np.ndarray
    values: dict[str, np.ndarray]  # parameter -> given by the data
    covariates: dict[str, np.ndarray]

    def __len__(self) -> int:
        return len(self.subject)


def people(study: Study, changing: bool) -> tuple[list[Person], Periods, np.ndarray]:
    """Return the subjects, their periods, and the slot at which each observation is looked at.

    With ``changing`` the occasions begin periods of their own.
    """
    persons, owner, occasion = [], [], []
    seen = study.observations
    slots = np.zeros(len(seen), int)
    columns: dict[str, list[Any]] = {name: [] for name in (*study.values, *study.covariates)}
    for i in range(len(study.subjects)):
        courses = {name: own[i] for name, own in (*study.values.items(), *study.covariates.items())}
        begins = study.occasions[i] if study.occasions else np.zeros(1)
        every = [*courses.values(), *([Course(begins, begins, False)] if changing else [])]
        starts, closed = _starts(every)
        rows = np.flatnonzero(seen.subject == i)
        looks = np.stack([seen.time[rows], seen.after[rows].astype(float)], axis=1)
        own, slots[rows] = np.unique(looks, axis=0, return_inverse=True) if len(rows) else (looks, slots[rows])
        tables = {
            name: {"times": each[i][0], "values": each[i][1], "interpolation": study.interpolation[name]}
            for name, each in study.tables.items()
        }
        events, lead = _single(study, i, max(own[:, 0], default=0.0))
        persons.append(
            Person(
                events, own[:, 0] + lead, own[:, 1] > 0, starts + lead * (np.arange(len(starts)) > 0), closed, tables
            )
        )
        for k, start in enumerate(starts):
            owner.append(i)
            hour = -np.inf if k == 0 else start + (10 * MERGE if closed[k] else 0.0)
            occasion.append(_holding(begins, hour, False) if changing else 0)
            for name, course in courses.items():
                columns[name].append(course.values[_holding(course.starts, hour, course.closed)])
    given = {name: np.array(columns[name], float) for name in study.values}
    about = {name: np.array(columns[name]) for name in study.covariates}
    return persons, Periods(np.array(owner), np.array(occasion), given, about), slots


def _single(study: Study, i: int, horizon: float) -> tuple[tuple[DoseEvent, ...], float]:
    """Return a subject's single doses, and by how much its clock is ahead: of the doses before a steady state."""
    regimen = Regimen(study.doses[i])
    steady = [event for event in regimen.events if event.steady_state]
    if not steady:
        return regimen.expand(horizon), 0.0
    intervals = {event.interval for event in steady}
    if len(intervals) > 1 or any(event.time for event in steady) or study.tables:
        raise DataError(
            f"subject {study.subjects[i]}: doses at steady state (SS = 1) can be fitted only where they are at hour 0, share one "
            "interval II, and no drug is a table of concentrations; give the earlier doses instead"
        )
    (interval,) = intervals
    lead = interval * math.ceil(RUN_IN / interval)
    before = [replace(event, count=round(lead / interval), steady_state=False) for event in steady]
    later = [replace(event, time=event.time + lead, steady_state=False) for event in regimen.events]
    return Regimen((*before, *later)).expand(horizon + lead), lead


def _starts(courses: list[Course]) -> tuple[np.ndarray, np.ndarray]:
    """Return when any course changes, the first start being the beginning, and which starts their hour is not yet part of."""
    found = {(0.0 if k == 0 else float(start), bool(course.closed) and k > 0)
             for course in courses for k, start in enumerate(course.starts) if k == 0 or _changes(course, k)}  # fmt: skip
    later = sorted(one for one in found if one != (0.0, False))
    return np.array([0.0, *(start for start, _ in later)]), np.array([False, *(closed for _, closed in later)])


def _changes(course: Course, k: int) -> bool:
    return bool(course.values[k] != course.values[k - 1])


def _holding(starts: np.ndarray, hour: float, closed: bool) -> int:
    """Return which of a course's values holds at an hour."""
    begun = starts[1:] < hour - MERGE if closed else starts[1:] <= hour + MERGE
    return int(np.count_nonzero(begun))
