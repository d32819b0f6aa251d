"""One subject of a study: what was seen of it, what it was given and is going to be given, what is known of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from myelosim.data.resample import resampled
from myelosim.data.study import Course, Study
from myelosim.errors import DataError, SpecError
from myelosim.spec.dosing import prescribed
from myelosim.spec.model import Model
from myelosim.spec.regimen import DoseEvent, Regimen


@dataclass(frozen=True)
class Subject:
    """Whose counts are forecast; ``study`` holds nobody else.

    ``known`` maps parameters and covariates that the data give to their value; ``now`` and ``horizon`` are hours.
    """

    name: str
    model: Model
    study: Study
    events: tuple[DoseEvent, ...]
    known: Mapping[str, Any]
    now: float
    horizon: float


def only(
    study: Study, model: Model, name: Any, regimen: Regimen | str | Sequence[str] | None, now: float | None, horizon: float
) -> Subject:  # fmt: skip
    """Take one subject out of a study.

    Parameters
    ----------
    study : Study
        What was read.
    model : Model
        Whose drugs are dosed.
    name : optional
        Which subject; needed where there are several.
    regimen : Regimen or shorthand, optional
        What is going to be given, or all that is, where the data hold no dose.
    now : float, optional
        Elapsed hours up to which things have happened. Default: the last observation.
    horizon : float
        Elapsed hours up to which is forecast.

    Raises
    ------
    DataError, SpecError
        The subject is not there, nothing says what it is given, or a time cannot be.
    """
    i = _which(study, name)
    seen = study.observations
    last = float(seen.time[seen.subject == i].max(initial=0.0))
    now = last if now is None else now
    if now < last:
        raise SpecError(
            f"forecast: now = {now / 24:g} d lies before the last observation, on day {last / 24:g}; leave later rows out"
        )
    if not horizon > now:
        raise SpecError(f"forecast: days = {horizon / 24:g} is over on day {now / 24:g}; give a later horizon")
    known = {
        key: _constant(key, each[i], study.subjects[i]) for key, each in {**study.values, **study.covariates}.items()
    }
    tables = {
        drug: {"times": tuple(each[i][0]), "values": tuple(each[i][1]), "interpolation": study.interpolation[drug]}
        for drug, each in study.tables.items()
    }
    model = replace(
        model, drugs={key: replace(one, table=tables.get(key, one.table)) for key, one in model.drugs.items()}
    )
    events = _events(study.doses[i], model, regimen, now, horizon, bool(tables))
    mine = replace(resampled(study, [i]), doses=(events,), digest=study.digest)
    return Subject(study.subjects[i], model, mine, events, known, now, horizon)


def _which(study: Study, name: Any) -> int:
    called = list(study.subjects)
    if name is None and len(called) == 1:
        return 0
    if str(name) not in called:
        some = ", ".join(called[:10]) + (", ..." if len(called) > 10 else "")
        what = "of several subjects one must be named" if name is None else f"there is no subject '{name}'"
        raise DataError(f"forecast: {what}; give subject (--subject), one of {some}")
    return called.index(str(name))


def _constant(name: str, course: Course, subject: str) -> Any:
    """Return a value that does not change."""
    value = course.values[0]
    if np.any(course.values != value):
        raise DataError(
            f"forecast: {name} of subject {subject} changes with time, and what it is going to be is not known; give one value"
        )
    return value.item() if hasattr(value, "item") else value


def _events(
    doses: Sequence[DoseEvent], model: Model, regimen: Regimen | str | Sequence[str] | None, now: float, horizon: float,
    measured: bool,
) -> tuple[DoseEvent, ...]:  # fmt: skip
    """Return what is given: the data's doses, and the regimen's where the data say nothing."""
    given = Regimen(tuple(doses)).expand(horizon)
    if regimen is None:
        if not given and not measured:
            raise DataError(
                'forecast: no row is a dose; add the doses, or say what is given by regimen (--dose), "none" for none'
            )
        return given
    plan = regimen if isinstance(regimen, Regimen) else prescribed(regimen, model)
    if late := [event.time for event in given if event.time > now]:
        raise SpecError(
            f"forecast: the data plan doses from day {min(late) / 24:g} on, and so does the regimen; leave out one of them"
        )
    ahead = [event for event in plan.expand(horizon) if not given or event.time > now]
    return tuple(sorted([*given, *ahead], key=lambda event: event.time))
