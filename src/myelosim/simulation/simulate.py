"""Simulate a model under a regimen."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from myelosim import engine, results
from myelosim.endpoints import ENDPOINTS, Course, Track, evaluate, levels, lowest, stack, windows
from myelosim.engine import Run
from myelosim.errors import MyelosimWarning, SpecError
from myelosim.population import Population, covariates, draw, from_frame
from myelosim.results import EXTRA, afford, coordinates, provenance, stacked, variable
from myelosim.simulation.observed import observe
from myelosim.spec.dosing import dose_units, dosed_drug, resolve
from myelosim.spec.grading import load_grading, usual_grading
from myelosim.spec.model import Model, observable
from myelosim.spec.regimen import DoseEvent, Regimen
from myelosim.spec.visits import parse_visits

MOST_COUNT = 1e6
LANES = 8  # subjects drawn beyond the last, so that a group of lanes is filled with who would come next


@dataclass(frozen=True)
class Subjects:
    """Individual parameters and covariates, over ``size`` subjects or a few more."""

    size: int
    values: Mapping[str, Any]
    covariates: Mapping[str, Any]
    seed: int | None


def simulate(
    model: Model,
    regimen: Regimen | str | Sequence[str],
    *,
    times: Any = None,
    days: float | None = None,
    population: Population | None = None,
    individuals: pd.DataFrame | None = None,
    visits: Any = None,
    grading: str | None = None,
    start: Mapping[str, float] | None = None,
    tolerance: float = 1e-6,
    threads: int | None = None,
    on_failure: str = "raise",
) -> xr.Dataset:
    """Simulate counts, concentrations and endpoints.

    Parameters
    ----------
    model : Model
        What is simulated.
    regimen : Regimen, str or list of str
        Doses, or their shorthand.
    times : array_like, optional
        Hours at which counts and concentrations are reported. Default: every day up to ``days``.
    days : float, optional
        Horizon in days; default the last of ``times``.
    population : Population, optional
        Subjects to draw. Default: the typical subject alone.
    individuals : pandas.DataFrame, optional
        One row a subject, parameter or covariate names as columns, instead of ``population``.
    visits : list of float or str, optional
        Elapsed days, or ``"d1 weekly"``, on which blood is drawn; adds ``observed`` and the endpoints seen at visits.
    grading : str, optional
        Grading table of the endpoints. Default: CTCAE v5 for people, percent of baseline for animals.
    start : mapping, optional
        Counts at time zero that differ from the baseline, by lineage.
    tolerance : float
        Aim for the relative error of counts.
    threads : int, optional
        Threads to use; the result does not depend on it.
    on_failure : {"raise", "mask"}
        Raise for subjects that cannot be integrated, or give NaN.

    Returns
    -------
    xarray.Dataset
        ``count`` [subject, lineage, time], ``concentration`` [subject, drug, time], ``dose_given`` [subject, dose], with
        visits ``observed`` [subject, lineage, visit], and the endpoints [subject, lineage] or [subject, lineage, cycle].
        ``time`` is elapsed days.

    Raises
    ------
    SpecError
        Times, doses or options that cannot be.
    SimulationError
        Subjects no stepper could integrate.

    Examples
    --------
    >>> import myelosim as ms
    >>> ds = ms.simulate(ms.load_model("generic_oral_2cmt_friberg"), "drug 40 mg BID d1-28", days=56)
    >>> round(float(ds.nadir.sel(lineage="neutrophil")[0]), 3), round(float(ds.nadir_day[0, 0]), 1)
    (1.252, 19.9)
    """
    return simulated(
        model, regimen, times=times, days=days, population=population, individuals=individuals, visits=visits,
        grading=grading, start=start, tolerance=tolerance, threads=threads, on_failure=on_failure,
    ).dataset  # fmt: skip


@dataclass(frozen=True)
class Simulated:
    """A simulation with what endpoints and monitoring need of it: per lineage a course at the visits, and at the candidates."""

    dataset: xr.Dataset
    courses: Mapping[str, Course]
    candidates: Mapping[str, Course]


def simulated(
    model: Model,
    regimen: Regimen | str | Sequence[str],
    *,
    times: Any = None,
    days: float | None = None,
    population: Population | None = None,
    individuals: pd.DataFrame | None = None,
    visits: Any = None,
    candidates: Sequence[float] = (),
    grading: str | None = None,
    start: Mapping[str, float] | None = None,
    tolerance: float = 1e-6,
    threads: int | None = None,
    on_failure: str = "raise",
    warn: bool = True,
) -> Simulated:
    """Do what :func:`simulate` does; ``candidates`` are further elapsed days on which blood might be drawn."""
    regimen = regimen if isinstance(regimen, Regimen) else resolve(Regimen.parse(regimen, dose_units(model)), model)
    hours, horizon = _times(times, days)
    events = regimen.expand(horizon)
    for event in events:
        if event.kind in ("dose", "reset_dose"):
            dosed_drug(event, model)
    size = population.size if population is not None else 1 if individuals is None else len(individuals)
    afford(size, len(hours) + len(candidates), 3 * len(model.lineages) + 2 * len(model.drugs), len(model.lineages))
    drawn = _subjects(model, events, population, individuals)
    if start:
        model = _displaced(model, start)
    first = min((e.time for e in events), default=0.0)
    visit_days = np.zeros(0) if visits is None else np.asarray(parse_visits(visits, horizon / 24.0), float)
    possible = np.asarray(candidates, float)
    grading = grading or usual_grading(model.subjects.species)
    table = load_grading(grading)
    watched = {name: _levels(model, name, drawn, table) for name in model.lineages}
    edges = np.unique([first, *(c for c in regimen.starts(horizon) if c > first), horizon])
    wanted = np.unique(np.concatenate([hours, 24.0 * visit_days, 24.0 * possible, [0.0, first], edges[:-1]]))
    run = engine.run(
        model, events, times=wanted, individuals=drawn.values, covariates=drawn.covariates, subjects=drawn.size,
        limits={name: stack(own) for name, own in watched.items()},
        windows=list(pairwise(edges)) if horizon > first else [],
        tolerance=tolerance, threads=threads, on_failure=on_failure,
    )  # fmt: skip
    shown = np.searchsorted(wanted, hours)
    variables = _trajectories(model, run, shown)
    variables |= _doses(model, events, drawn)
    coords = coordinates([observable(n) for n in model.lineages], list(run.concentration), hours, drawn.size)
    courses: dict[str, Course] = {}
    if len(edges) > 1 and model.lineages:
        courses = _courses(model, run, drawn, table, watched, edges, wanted, visit_days, tolerance)
        variables |= _endpoints(courses, len(visit_days) > 0, len(edges) > 2)
        if len(visit_days):
            seen = [course.observed for course in courses.values()]
            variables["observed"] = variable(
                ("subject", "lineage", "visit"), stacked(seen), "", "count seen at the visit"
            )
            coords["visit"] = ("visit", visit_days, {"units": "day", "long_name": "days since time zero"})
        if len(edges) > 2:
            coords["cycle"] = np.arange(1, len(edges))
    might: dict[str, Course] = {}
    if courses and len(possible):
        might = _courses(model, run, drawn, table, watched, edges, wanted, possible, tolerance)
    said = [*model.warnings, *_failed(run)]
    for text in said if warn else ():
        python_warnings.warn(text, MyelosimWarning, stacklevel=2)
    attrs = provenance(model.spec_hash, drawn.seed, tolerance, model.assumed, said)
    attrs |= {"title": model.title, "model": model.name, "regimen": regimen.text, "grading": grading}
    attrs["illustrative"] = int(model.illustrative)
    return Simulated(results.dataset(variables, coords, attrs), courses, might)


def _times(times: Any, days: float | None) -> tuple[np.ndarray, float]:
    if times is None and days is None:
        raise SpecError("simulate: give times (hours) or days (the horizon)")
    if days is not None and not (np.isfinite(days) and days > 0):
        raise SpecError(f"simulate: days = {days!r} is not a positive number of days")
    if times is None:
        assert days is not None
        hours = np.arange(0.0, np.floor(days) + 1) * 24.0
        return (hours if hours[-1] == 24.0 * days else np.append(hours, 24.0 * days)), 24.0 * days
    hours = np.atleast_1d(np.asarray(times, float))
    if (
        hours.ndim != 1
        or not len(hours)
        or not np.all(np.isfinite(hours))
        or hours[0] < 0
        or np.any(np.diff(hours) <= 0)
    ):
        raise SpecError("simulate: times must be hours from 0 on, each later than the one before")
    return hours, float(max(hours[-1], 0.0 if days is None else 24.0 * days))


def _displaced(model: Model, start: Mapping[str, float]) -> Model:
    names = {observable(name): name for name in model.lineages} | {name: name for name in model.lineages}
    for name, count in start.items():
        if name not in names:
            raise SpecError(
                f"start: the model has no lineage {name!r}; it has {', '.join(map(observable, model.lineages))}"
            )
        if not 0 < count <= MOST_COUNT:
            raise SpecError(f"start: {name} = {count:g} is not a positive count of at most {MOST_COUNT:g}")
    return replace(model, start={**model.start, **{names[name]: float(count) for name, count in start.items()}})


def _subjects(
    model: Model, events: Sequence[DoseEvent], population: Population | None, individuals: pd.DataFrame | None
) -> Subjects:
    if population is not None and individuals is not None:
        raise SpecError("simulate: give population or individuals, not both")
    daily = _daily_dose(model, events)
    if population is None:
        frame = pd.DataFrame(index=[0]) if individuals is None else individuals
        frame = frame.assign(**{name: value for name, value in daily.items() if name not in frame})
        about = {**model.subjects.covariates, **{c: frame[c].to_numpy() for c in ("weight", "surface") if c in frame}}
        return Subjects(len(frame), from_frame(model, frame), about, None)
    everyone = Population(population.size, population.seed, {**daily, **population.covariates})
    pad = -everyone.size % LANES
    return Subjects(everyone.size, draw(model, everyone, pad), covariates(model, everyone, pad), everyone.seed)


def _daily_dose(model: Model, events: Sequence[DoseEvent]) -> dict[str, float]:
    """Return the dose of the first day, where some parameter depends on it."""
    drugs = {name.split(".")[0] for name, p in model.parameters.items() if "daily_dose" in p.covariates}
    given = [e for e in events if e.drug in drugs and e.kind != "other"]
    if not drugs or ("daily_dose" in model.subjects.covariates and not given):
        return {}
    first = min((e.time for e in given), default=0.0)
    return {"daily_dose": sum(e.amount for e in given if e.time < first + 24.0)} if given else {}


def _lower_limit(model: Model, lineage: str) -> float | None:
    limits = model.subjects.lower_limit
    return limits.get(observable(lineage), limits.get(lineage))


def _levels(model: Model, lineage: str, drawn: Subjects, table: Any) -> dict[str, np.ndarray]:
    baseline = np.broadcast_to(
        drawn.values[f"{lineage}.baseline"], np.shape(drawn.values[f"{lineage}.baseline"]) or (1,)
    )
    return levels(observable(lineage), table, baseline, _lower_limit(model, lineage))


def _trajectories(model: Model, run: Run, shown: np.ndarray) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if run.tracks:
        counts = [run.tracks[name].count[:, shown] for name in model.lineages]
        out["count"] = variable(("subject", "lineage", "time"), stacked(counts), "", "true count")
        for track in run.tracks.values():
            for name, values in track.outputs.items():
                out[name] = variable(("subject", "time"), values[:, shown], *EXTRA[name])
    if run.concentration:
        every = [c[:, shown] for c in run.concentration.values()]
        out["concentration"] = variable(("subject", "drug", "time"), stacked(every), "", "plasma concentration")
    if run.area:
        none = np.full_like(every[0], np.nan)
        areas = [run.area[name][:, shown] if name in run.area else none for name in run.concentration]
        out["area"] = variable(
            ("subject", "drug", "time"), stacked(areas), "", "area under the concentration so far (x h)"
        )
    if run.concentration:
        out["concentration_unit"] = ("drug", [model.drugs[name].concentration_unit for name in run.concentration])
    return out


def _doses(model: Model, events: Sequence[DoseEvent], drawn: Subjects) -> dict[str, Any]:
    given = [e for e in events if e.kind in ("dose", "reset_dose")]
    amounts = np.broadcast_to([e.amount for e in given], (drawn.size, len(given)))
    return {
        "dose_given": variable(("subject", "dose"), amounts, "", "amount given"),
        "dose_time": variable(("dose",), np.array([e.time / 24.0 for e in given]), "day", "days since time zero"),
        "dose_drug": ("dose", np.array([e.drug for e in given], dtype=str)),
        "dose_rate": variable(
            ("dose",), np.array([e.amount / e.duration if e.duration else 0.0 for e in given]), "", "amount per hour"
        ),
        "dose_unit": ("dose", np.array([e.unit or model.drugs[e.drug].amount_unit for e in given], dtype=str)),
    }


def _courses(
    model: Model, run: Run, drawn: Subjects, table: Any, watched: Mapping[str, Any], edges: np.ndarray, wanted: np.ndarray,
    visit_days: np.ndarray, tolerance: float,
) -> dict[str, Course]:  # fmt: skip
    at, starts = np.searchsorted(wanted, 24.0 * visit_days), np.searchsorted(wanted, edges[:-1])
    out: dict[str, Course] = {}
    for name in model.lineages:
        track, called = run.tracks[name], observable(name)
        count, begin = track.count[:, at], track.count[:, starts]
        minimum, when = lowest(track.minimum, track.minimum_time, begin, edges[:-1], tolerance)
        out[called] = Course(
            lineage=called,
            table=table,
            track=Track(minimum, when, track.crossing, begin[:, :1] < track.limits),
            levels={key: value[: drawn.size] for key, value in watched[name].items()},
            windows=windows(edges[0], edges[-1], edges[:-1].tolist() if len(edges) > 2 else ()),
            baseline=track.count[:, 0],
            visit_time=24.0 * visit_days,
            count=count,
            observed=observe(count, 24.0 * visit_days, called, model.residual.get(called), drawn.seed or 0),
            lln=_lower_limit(model, name),
        )
    return out


def _endpoints(courses: Mapping[str, Course], seen: bool, cycles: bool) -> dict[str, Any]:
    names = [n for n, e in ENDPOINTS.items() if (seen or not e.seen) and (cycles or not e.of)]
    every = [evaluate(course, names) for course in courses.values()]
    out = {}
    for name in names:
        about = ENDPOINTS[name]
        dims = ("subject", "lineage", "cycle") if about.of else ("subject", "lineage")
        unit = {"count": "", "grade": "1", "flag": "1"}.get(about.unit, about.unit)
        out[name] = variable(dims, stacked([own[name] for own in every]), unit, about.meaning)
    return out


def _failed(run: Run) -> list[str]:
    if not run.failures:
        return []
    return [
        f"{len(run.failures)} subjects could not be integrated and are NaN: {[f.subject for f in run.failures[:10]]}"
    ]
