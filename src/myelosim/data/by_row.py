"""What stands in every row beside doses and results: parameters, covariates, concentrations, occasions, death."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from myelosim import units
from myelosim.components.contract import Declared
from myelosim.data.check import Ledger
from myelosim.data.courses import course
from myelosim.data.doses import Given, singles
from myelosim.data.observations import Seen
from myelosim.data.rows import Rows
from myelosim.data.settings import Settings
from myelosim.data.study import Course
from myelosim.data.values import labels
from myelosim.spec import declared
from myelosim.spec.check import value_problem
from myelosim.spec.entry import COVARIATE_UNITS
from myelosim.spec.model import Model
from myelosim.spec.subjects import covariate_limits


def parameters(rows: Rows, model: Model, settings: Settings, ledger: Ledger) -> dict[str, tuple[Course, ...]]:
    """Return each subject's course of every parameter that has a column, in the parameter's unit."""
    asked = declared.of_model(model)
    out = {}
    for name, column in rows.columns.parameters.items():
        given = settings.units.get(name) or settings.units.get(column)
        values = _converted(rows, column, given, asked[name].unit, model, name, ledger)
        _possible(rows, column, name, values, asked[name], ledger)
        courses = _courses(rows, column, values, ~np.isnan(values), settings, ledger)
        if courses is not None:
            out[name] = courses
    return out


def covariates(rows: Rows, model: Model, settings: Settings, ledger: Ledger) -> dict[str, tuple[Course, ...]]:
    """Return each subject's course of every covariate that has a column; text for categories."""
    out = {}
    for name, column in rows.columns.covariates.items():
        if _categorical(name, model):
            text = np.array(labels(rows.frame[column]), dtype=str)
            _known(rows, column, name, text, model, ledger)
            courses = _courses(rows, column, text, text != "", settings, ledger)
        else:
            given = settings.units.get(name) or settings.units.get(column)
            values = _converted(rows, column, given, COVARIATE_UNITS.get(name, ""), model, name, ledger)
            low, high = covariate_limits(name)
            for place in np.flatnonzero((values < low) | (values > high)).tolist():
                unit = COVARIATE_UNITS.get(name, "")
                ledger.wrong(rows.number[place], column, float(values[place]), f"{unit} cannot be meant".strip())
            courses = _courses(rows, column, values, ~np.isnan(values), settings, ledger)
        if courses is not None:
            out[name] = courses
    return out


def _categorical(name: str, model: Model) -> bool:
    relations = [parameter.covariates.get(name) for parameter in model.parameters.values()]
    if any(relation is not None and "reference" not in relation for relation in relations):
        return True
    return isinstance(model.subjects.covariates.get(name), str)


def _known(rows: Rows, column: str, name: str, text: np.ndarray, model: Model, ledger: Ledger) -> None:
    for parameter, one in model.parameters.items():
        relation = one.covariates.get(name)
        if relation is None or "reference" in relation:
            continue
        for place in np.flatnonzero((text != "") & ~np.isin(text, list(relation))).tolist():
            known = ", ".join(map(str, relation))
            ledger.wrong(rows.number[place], column, str(text[place]), f"has no factor on {parameter}; known: {known}")


def _converted(
    rows: Rows, column: str, given: str | None, unit: str, model: Model, name: str, ledger: Ledger
) -> np.ndarray:
    values = rows.read(column, column, ledger)
    if not given:
        return values
    drug = model.drugs.get(name.partition(".")[0])
    try:
        return values * units.convert(1.0, given, unit or given, drug.molar_mass if drug else None)
    except ValueError as error:
        ledger.wrong(0, "units", None, f"{name}: {error}")
        return values


def _possible(rows: Rows, column: str, name: str, values: np.ndarray, asked: Declared, ledger: Ledger) -> None:
    for place in np.flatnonzero(~np.isnan(values)).tolist():
        if sentence := value_problem(name, float(values[place]), asked):
            ledger.wrong(rows.number[place], column, None, f"{name}: {sentence}")


def _courses(
    rows: Rows, column: str, values: np.ndarray, there: np.ndarray, settings: Settings, ledger: Ledger
) -> tuple[Course, ...] | None:
    """Return a course per subject from the rows that hold a value; a subject without any is an error."""
    courses: list[Course] = []
    for who in range(len(rows.subjects)):
        own = np.flatnonzero(rows.who == who)
        held = own[there[own]]
        if held.size == 0:
            first = int(rows.number[own[0]])
            ledger.wrong(
                first, column, None, "is missing in every row of the subject; give it, or leave the subject out"
            )
            continue
        if held.size < own.size:
            said = "carried over from the row before" if settings.previous else "carried back from the next row"
            without = own[~there[own]]
            what = "nothing" if without.size == 1 else f"nothing in {without.size} rows"
            ledger.note(int(rows.number[without[0]]), column, what, said)
        if np.isnan(rows.hour[held]).any():
            continue
        kind = values[held].tolist()
        courses.append(course(rows.hour[held].tolist(), kind, previous=settings.previous))
    return tuple(courses) if len(courses) == len(rows.subjects) else None


def occasions(rows: Rows, ledger: Ledger) -> tuple[list[int], tuple[np.ndarray, ...]]:
    """Return each row's occasion, from 0 within its subject, and each subject's starts of occasions (h)."""
    of_row, starts = [0] * len(rows), [[0.0] for _ in rows.subjects]
    named: list[dict[str, int]] = [{} for _ in rows.subjects]
    text = rows.text("OCC")
    for place, who in enumerate(rows.who.tolist()):
        if who < 0 or not text[place]:
            of_row[place] = max(len(named[who]) - 1, 0) if who >= 0 else 0
            continue
        own, latest = named[who], len(named[who]) - 1
        if text[place] not in own:
            own[text[place]] = len(own)
            if len(own) > 1:
                starts[who].append(max(float(rows.hour[place]), 0.0))
        elif own[text[place]] != latest:
            ledger.wrong(
                rows.number[place], rows.columns.shown("OCC"), text[place],
                "comes again after another; an occasion is one stretch of time, so give each its own number",
            )  # fmt: skip
        of_row[place] = own[text[place]]
    return of_row, tuple(np.array(one) for one in starts)


def deaths(rows: Rows, all_given: Sequence[Given], all_seen: Sequence[Seen], ledger: Ledger) -> None:
    """Refuse doses and results after a row with DEATH 1."""
    if not rows.has("DEATH"):
        return
    flags = rows.numbers("DEATH", ledger, 0.0)
    for place in np.flatnonzero((flags != 0) & (flags != 1)).tolist():
        ledger.wrong(rows.number[place], rows.columns.shown("DEATH"), float(flags[place]), "is neither 0 nor 1")
    died: dict[int, tuple[float, int]] = {}
    for place in np.flatnonzero(flags == 1).tolist():
        died.setdefault(int(rows.who[place]), (float(rows.hour[place]), int(rows.number[place])))
    latest = float(np.nanmax(rows.hour, initial=0.0))
    for one in all_given:
        hour, row = died.get(one.subject, (np.inf, 0))
        last = max(singles(one.event, latest), default=one.event.time)
        if last > hour:
            ledger.wrong(
                int(rows.number[one.place]), "", None,
                f"gives {one.event.drug} at {last:g} h, after the death at {hour:g} h in row {row}; correct one of them",
            )  # fmt: skip
    for each in all_seen:
        hour, row = died.get(each.subject, (np.inf, 0))
        if each.hour > hour:
            ledger.wrong(
                int(rows.number[each.place]), "", None,
                f"observes {each.observable} after the death at {hour:g} h in row {row}; correct one of them",
            )  # fmt: skip
