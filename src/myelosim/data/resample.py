"""Studies made of a study: subjects taken again, or other values seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace

import numpy as np

from myelosim.data.study import Course, Observations, Study


def resampled(study: Study, subjects: Sequence[int]) -> Study:
    """Return the study of some of the subjects, each as often as it is named.

    Parameters
    ----------
    study : Study
        Where they come from.
    subjects : sequence of int
        Indices of its subjects.

    Returns
    -------
    Study
        Subjects are called ``<name>``, and ``<name>/2`` and so on from the second time on. It has neither check nor digest.
    """
    seen = study.observations
    rows = [np.flatnonzero(seen.subject == k) for k in subjects]
    every = np.concatenate(rows) if rows else np.zeros(0, int)
    arrays = {one.name: getattr(seen, one.name)[every] for one in fields(Observations)}
    arrays["subject"] = np.repeat(np.arange(len(rows)), [len(one) for one in rows])
    names, count = [], dict.fromkeys(subjects, 0)
    for k in subjects:
        count[k] += 1
        names.append(study.subjects[k] if count[k] == 1 else f"{study.subjects[k]}/{count[k]}")
    return replace(
        study, subjects=tuple(names), observations=Observations(**arrays), doses=tuple(study.doses[k] for k in subjects),
        values=_taken(study.values, subjects), covariates=_taken(study.covariates, subjects),
        tables={name: tuple(own[k] for k in subjects) for name, own in study.tables.items()},
        occasions=tuple(study.occasions[k] for k in subjects) if study.occasions else (), check=None, digest="",
    )  # fmt: skip


def observed(study: Study, values: np.ndarray, censored: np.ndarray) -> Study:
    """Return the study with other values seen, (row), and marks of which of them are limits."""
    return replace(
        study, observations=replace(study.observations, value=values, censored=censored), check=None, digest=""
    )


def _taken(courses: Mapping[str, tuple[Course, ...]], subjects: Sequence[int]) -> dict[str, tuple[Course, ...]]:
    return {name: tuple(own[k] for k in subjects) for name, own in courses.items()}
