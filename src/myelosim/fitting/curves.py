"""What a fitted model says between observations and after the last: curves of each subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from myelosim.data.doses import singles
from myelosim.data.study import MEASURED, Observations, Study
from myelosim.linearize import Predictor

if TYPE_CHECKING:
    from myelosim.fitting.result import Fit

AFTER = np.array([0.0, 1.0, 2.0, 4.0])  # hours after a dose
POINTS = 90  # of a curve
MOST_STEP = 24.0  # hours between two points


def curves(fit: Fit, observables: Sequence[str] | None = None, *, beyond: float = 0.0) -> pd.DataFrame:
    """Predict the courses of every subject that was observed.

    Parameters
    ----------
    fit : Fit
        A fit.
    observables : sequence of str, optional
        Of what, for those subjects in whom any was seen. Default: each where it was observed.
    beyond : float
        Hours after the last observation of a subject that a course goes on, its doses as recorded.

    Returns
    -------
    pandas.DataFrame
        ``subject``, ``observable``, ``time`` (h), ``individual`` and ``population``, at the hours of observations and between
        them, never more than a day apart.
    """
    study = _study(
        fit.study, fit.study.observables if observables is None else observables, observables is None, beyond
    )
    estimation, point = fit.problem.estimation, fit.point
    predictor = Predictor(
        fit.problem.model, study, estimation, tolerance=fit.problem.tolerance, threads=fit.problem.threads
    )
    seen = study.observations
    return pd.DataFrame(
        {
            "subject": np.asarray(study.subjects, dtype=object)[seen.subject], "observable": seen.observable, "time": seen.time,
            "individual": predictor.predict(point.beta, fit.b),
            "population": predictor.predict(point.beta, np.zeros_like(fit.b)),
        }
    )  # fmt: skip


def _peaks(study: Study, who: int, last: float) -> np.ndarray:
    """Return hours after doses and ends of infusions of one subject, the first and the last of those that are repeated."""
    hours = []
    for event in study.doses[who]:
        given = list(singles(event, last))
        hours += [hour + event.duration + AFTER for hour in {*given[:1], *given[-1:]}]
    found = np.concatenate(hours) if hours else np.zeros(0)
    return np.asarray(found[found <= last])


def _study(study: Study, observables: Sequence[str], where_seen: bool, beyond: float) -> Study:
    """Return the study with the points of curves in the place of its observations."""
    seen = study.observations
    subjects, names, hours = [], [], []
    for i in np.unique(seen.subject):
        own = seen.subject == i
        for name in observables:
            rows = own & (seen.observable == name) if where_seen else own
            if not rows.any():
                continue
            last = float(seen.time[rows].max()) + beyond
            grid = np.linspace(0.0, last, max(POINTS, int(last / MOST_STEP) + 1))
            every = np.unique(np.concatenate([grid, seen.time[rows], _peaks(study, int(i), last)]))
            subjects.append(np.full(every.size, i))
            names.append(np.full(every.size, name, dtype=object))
            hours.append(every)
    time = np.concatenate(hours)
    flat, none = np.zeros(time.size, int), np.zeros(time.size)
    who, what, after = np.concatenate(subjects), np.concatenate(names), np.ones(time.size, bool)
    return replace(study, observations=Observations(flat, who, time, what, none, flat + MEASURED, after, flat))
