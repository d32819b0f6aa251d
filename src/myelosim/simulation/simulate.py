"""Simulate a model under a regimen."""

from __future__ import annotations

import warnings as python_warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from myelosim import engine, results, units
from myelosim.endpoints import FEVER, Course, Track, levels, lowest, stack, windows
from myelosim.endpoints.toxicity import Definition, dose_limiting
from myelosim.engine import Run
from myelosim.errors import MyelosimWarning, SpecError
from myelosim.population import Population
from myelosim.results import afford, coordinates, provenance, stacked, variable
from myelosim.simulation.observed import observe
from myelosim.simulation.steered import Replay, Steered, Steering, Visiting
from myelosim.simulation.subjects import Subjects, blood_fraction, check_asked, displaced, subjects
from myelosim.simulation.variables import decided, doses, endpoints, judged, kept, trajectories
from myelosim.spec.concentrations import unsaid
from myelosim.spec.dosing import dosed_drug, left_out, prescribed
from myelosim.spec.followed import followed_rules
from myelosim.spec.grading import load_grading, usual_grading
from myelosim.spec.model import Model, observable
from myelosim.spec.regimen import DoseEvent, Regimen
from myelosim.spec.rule import Conduct
from myelosim.spec.visits import parse_visits


def simulate(
    model: Model,
    regimen: Regimen | str | Sequence[str],
    *,
    times: Any = None,
    days: float | str | None = None,
    population: Population | None = None,
    individuals: pd.DataFrame | None = None,
    visits: Any = None,
    grading: str | None = None,
    start: Mapping[str, float] | None = None,
    tolerance: float = 1e-6,
    threads: int | None = None,
    on_failure: str = "raise",
    rules: Any = (),
    conduct: Conduct | None = None,
    interventions: xr.Dataset | None = None,
    dlt: str = "hematologic",
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
    days : float or str, optional
        Horizon in days, or with a unit, ``"3 weeks"``; default the last of ``times``.
    population : Population, optional
        Subjects to draw. Default: the typical subject alone.
    individuals : pandas.DataFrame, optional
        One row a subject, parameter or covariate names as columns, instead of ``population``.
    visits : list of float or str, optional
        Elapsed days, or ``"d1 weekly"``, on which blood is drawn; adds ``observed`` and the endpoints seen at visits.
    grading : str, optional
        Grading table of the endpoints. Default: CTCAE v5 for people, percent of baseline for animals.
    start : mapping, optional
        Counts at time zero that differ from the baseline, by lineage. Only what circulates starts there: precursors and
        reserves are at rest, so a count comes back as fast as they replace what circulates.
    tolerance : float
        Aim for the relative error of counts.
    threads : int, optional
        Threads to use; the result does not depend on it.
    on_failure : {"raise", "mask"}
        Raise for subjects that cannot be integrated, or give NaN.
    rules : mapping, sequence or str, optional
        What is done about what is seen at the visits: name -> the keys of a scenario's ``[rule.NAME]``; names of shipped sets;
        :class:`myelosim.spec.rule.Rule` values; or callables taking a :class:`myelosim.rules.Look`, the orders and the log.
    conduct : Conduct, optional
        How well the clinic keeps to the plan.
    interventions : xarray.Dataset, optional
        An earlier result of the same model and subjects, one arm: its doses, transfusions, draws and visits are repeated as fixed,
        and nothing is decided anew.
    dlt : str
        Definition of dose-limiting toxicity, one of ``myelosim.endpoints.toxicity.DEFINITIONS``.

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
        grading=grading, start=start, tolerance=tolerance, threads=threads, on_failure=on_failure, rules=rules,
        conduct=conduct, interventions=interventions, dlt=dlt,
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
    days: float | str | None = None,
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
    rules: Any = (),
    conduct: Conduct | None = None,
    interventions: xr.Dataset | None = None,
    dlt: str = "hematologic",
) -> Simulated:
    """Do what :func:`simulate` does; ``candidates`` are further elapsed days on which blood might be drawn."""
    check_asked(model, population, individuals, tolerance)
    regimen = regimen if isinstance(regimen, Regimen) else prescribed(regimen, model)
    hours, horizon = _times(times, days)
    beyond = left_out(regimen, horizon)
    if ending := unsaid(model, horizon):
        raise SpecError(f"model {model.name}: {ending}")
    conduct = conduct or Conduct()
    if not isinstance(conduct, Conduct):
        raise SpecError("conduct: give a myelosim.spec.rule.Conduct, e.g. Conduct(turnaround=24.0, missed=0.05)")
    events: Sequence[DoseEvent] = regimen.expand(horizon)
    for event in events:
        if event.is_dose:
            dosed_drug(event, model)
    size = population.size if population is not None else 1 if individuals is None else len(individuals)
    afford(size, len(hours) + len(candidates), 3 * len(model.lineages) + 2 * len(model.drugs), len(model.lineages))
    drawn = subjects(model, events, population, individuals)
    if start:
        model = displaced(model, start)
    first = min((e.time for e in events), default=0.0)
    visit_days = np.zeros(0) if visits is None else np.asarray(parse_visits(visits, horizon / 24.0), float)
    possible = np.asarray(candidates, float)
    grading = grading or usual_grading(model.subjects.species)
    table = load_grading(grading)
    toxicity = dose_limiting(dlt)
    lower = {observable(name): _lower_limit(model, name) for name in model.lineages}
    watched = {name: _levels(model, name, drawn, table, toxicity) for name in model.lineages}
    edges = np.unique([first, *(c for c in regimen.starts(horizon) if c > first), horizon])
    followed = followed_rules(rules, model, regimen, horizon / 24.0, table, conduct)
    if followed and not len(visit_days):
        raise SpecError('simulate: there are rules, and nothing is seen without visits; give e.g. visits="d1 weekly"')
    steering: Steering | Replay | None = None
    if interventions is not None:
        if interventions.sizes.get("subject") != drawn.size:
            raise SpecError(
                f"interventions: they are of {interventions.sizes.get('subject')} subjects; simulated are {drawn.size}"
            )
        steering = Replay(model, interventions, drawn.seed or 0, drawn.numbers)
    elif followed or conduct.unsteady:
        loss = blood_fraction(model, drawn) if conduct.blood_loss else None
        visiting = Visiting(24.0 * visit_days, table, lower, drawn.seed or 0, loss, conduct, drawn.numbers)
        cycles = np.array(regimen.starts(horizon))
        steering = Steering(model, events, cycles, horizon, followed, visiting, _at_zero(model, drawn))
    if steering is not None:
        events, visit_days = [slot.event for slot in steering.slots], steering.looks / 24.0
    wanted = np.unique(np.concatenate([hours, 24.0 * visit_days, 24.0 * possible, [0.0, first], edges[:-1]]))
    options: dict[str, Any] = {
        "individuals": drawn.values, "covariates": drawn.covariates, "subjects": drawn.size, "threads": threads,
        "limits": {name: stack(own) for name, own in watched.items()}, "tolerance": tolerance,
        "windows": list(pairwise(edges)) if horizon > first else [],
    }  # fmt: skip
    if steering is None:
        steered, run = None, engine.run(model, events, times=wanted, on_failure=on_failure, **options)
        planned = np.array([e.amount for e in events])
        given = np.broadcast_to(planned, (drawn.size, len(events)))
    else:
        running, steered = steering.run(wanted, **options)
        run, given, planned = running.finish(on_failure), steered.given, steered.planned
    variables = trajectories(model, run, np.searchsorted(wanted, hours))
    variables |= doses(model, events, given, planned, drawn.covariates) | kept(model, events, given, planned)
    variables |= {} if steered is None else decided(steered, drawn.first)
    coords = coordinates([observable(n) for n in model.lineages], list(run.concentration), hours, drawn.numbers)
    courses: dict[str, Course] = {}
    if len(edges) > 1 and model.lineages:
        courses = _courses(model, run, drawn, table, watched, edges, wanted, visit_days, tolerance, steered)
        variables |= endpoints(courses, len(visit_days) > 0, len(edges) > 2)
        if len(visit_days):
            seen = [course.observed for course in courses.values()]
            variables["observed"] = variable(
                ("subject", "lineage", "visit"), stacked(seen), "", "count seen at the visit"
            )
            coords["visit"] = ("visit", visit_days, {"units": "day", "long_name": "days since time zero"})
        variables |= judged(toxicity, courses, model, events, given, planned)
        if len(edges) > 2:
            coords["cycle"] = np.arange(1, len(edges))
    might: dict[str, Course] = {}
    if courses and len(possible):
        might = _courses(model, run, drawn, table, watched, edges, wanted, possible, tolerance)
    ruled = [text for rule in followed for text in getattr(rule, "warnings", ())]
    said = list(dict.fromkeys([*model.warnings, *beyond, *ruled, *_failed(run)]))
    for text in said if warn else ():
        python_warnings.warn(text, MyelosimWarning, stacklevel=2)
    attrs = provenance(model.spec_hash, drawn.seed, tolerance, model.assumed, said)
    attrs |= {"title": model.title, "model": model.name, "regimen": regimen.text, "grading": grading}
    attrs["dlt"] = toxicity.name
    attrs["illustrative"] = int(model.illustrative)
    return Simulated(results.dataset(variables, coords, attrs), courses, might)


def _times(times: Any, days: float | str | None) -> tuple[np.ndarray, float]:
    if times is None and days is None:
        raise SpecError("simulate: give times (hours) or days (the horizon)")
    if days is not None:
        try:
            days = units.parse(days, "d")
        except ValueError as error:
            raise SpecError(f"simulate: days: {error}; give a positive number of days") from None
        if not days > 0:
            raise SpecError(f"simulate: days = {days:g} is not a positive number of days")
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


def _lower_limit(model: Model, lineage: str) -> float | None:
    limits = model.subjects.lower_limit
    return limits.get(observable(lineage), limits.get(lineage))


def _levels(model: Model, lineage: str, drawn: Subjects, table: Any, toxicity: Definition) -> dict[str, np.ndarray]:
    baseline = np.broadcast_to(
        drawn.values[f"{lineage}.baseline"], np.shape(drawn.values[f"{lineage}.baseline"]) or (1,)
    )
    called = observable(lineage)
    extra = toxicity.levels(called) | ({FEVER: 0.5} if called == "neutrophil" else {})
    return levels(called, table, baseline, _lower_limit(model, lineage), extra=extra)


def _courses(
    model: Model, run: Run, drawn: Subjects, table: Any, watched: Mapping[str, Any], edges: np.ndarray, wanted: np.ndarray,
    visit_days: np.ndarray, tolerance: float, steered: Steered | None = None,
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
            observed=observe(
                count, 24.0 * visit_days, called, model.residual.get(called), drawn.seed or 0, subjects=drawn.numbers
            )
            if steered is None or not len(visit_days)
            else steered.observed[name],
            lln=_lower_limit(model, name),
        )
    return out


def _at_zero(model: Model, drawn: Subjects) -> dict[str, np.ndarray]:
    """Return the counts at time zero (subject)."""
    given = {name: model.start.get(name, drawn.values[f"{name}.baseline"]) for name in model.lineages}
    return {
        name: np.array(np.broadcast_to(v, np.shape(v) or drawn.size)[: drawn.size], float) for name, v in given.items()
    }


def _failed(run: Run) -> list[str]:
    if not run.failures:
        return []
    return [
        f"{len(run.failures)} subjects could not be integrated and are NaN: {[f.subject for f in run.failures[:10]]}"
    ]
