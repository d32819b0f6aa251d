"""The data of a study as frozen arrays: who was dosed when, what was seen when, what is known of whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from myelosim.spec.regimen import DoseEvent

MEASURED, BELOW, ABOVE = 0, 1, -1


@dataclass(frozen=True)
class Observations:
    """What was seen; one entry per observation, by subject, then time, then order in the file.

    ``row`` is the row in the file (the first after the header is 1), ``subject`` an index into the study's subjects,
    ``time`` in hours, ``observable`` a lineage coordinate or a drug, ``value`` in its canonical unit. ``censored`` is
    ``BELOW`` where all that is known is that the value is under ``value``, ``ABOVE`` where it is over it. ``after``
    says that the row is listed after a dose of the same hour (or there is none): it is predicted after that dose.
    ``occasion`` counts from 0.
    """

    row: np.ndarray
    subject: np.ndarray
    time: np.ndarray
    observable: np.ndarray
    value: np.ndarray
    censored: np.ndarray
    after: np.ndarray
    occasion: np.ndarray

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True)
class Course:
    """A value that changes in steps: ``values[k]`` holds from ``starts[k]`` (h) to the next, the first from the beginning.

    With ``closed`` a value still holds at the very hour at which the next begins (observation carried backward);
    otherwise the next one does.
    """

    starts: np.ndarray
    values: np.ndarray
    closed: bool = True


@dataclass(frozen=True)
class Check:
    """What was read, and everything that was not taken as it stood.

    ``summary`` is one row per subject (doses, observations by observable, censored, first and last hour), ``problems`` one row
    per finding: row in the file, subject, column, what was found, what was done.
    """

    summary: pd.DataFrame
    problems: pd.DataFrame


@dataclass(frozen=True)
class Study:
    """The data of a study.

    ``doses`` holds each subject's events in order of time, transfusions and blood draws among them. ``values`` maps a
    model parameter to each subject's course of it, ``covariates`` a covariate likewise (text for categories), ``tables`` a
    drug to each subject's measured concentrations (hours, values), to be read by ``interpolation`` ("previous", "next" or
    "linear"). ``occasions`` holds each subject's starts of occasions (h); one occasion, from 0, where there are none.
    """

    subjects: tuple[str, ...]
    observations: Observations
    doses: tuple[tuple[DoseEvent, ...], ...]
    values: Mapping[str, tuple[Course, ...]] = field(default_factory=dict)
    covariates: Mapping[str, tuple[Course, ...]] = field(default_factory=dict)
    tables: Mapping[str, tuple[tuple[np.ndarray, np.ndarray], ...]] = field(default_factory=dict)
    interpolation: Mapping[str, str] = field(default_factory=dict)
    occasions: tuple[np.ndarray, ...] = ()
    check: Check | None = None
    digest: str = ""  # SHA-256 of what was read
    source: Any = ""

    @property
    def observables(self) -> tuple[str, ...]:
        """What was observed, in order of first appearance."""
        return tuple(dict.fromkeys(self.observations.observable.tolist()))

    @property
    def dosed(self) -> tuple[str, ...]:
        """The drugs that anyone is given."""
        given = {event.drug for events in self.doses for event in events if event.kind not in ("reset", "other")}
        return tuple(sorted({*given, *self.tables}))
