"""Run a scenario's arms on the same subjects and put them side by side."""

from __future__ import annotations

import os
import time
import warnings as python_warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from myelosim.comparison.monitor import looked_at, monitor
from myelosim.comparison.uncertainty import uncertainty
from myelosim.errors import MyelosimWarning, SpecError
from myelosim.monitoring import breaches, limits
from myelosim.results import afford
from myelosim.spec.grading import grade_limits, load_grading
from myelosim.spec.scenario import Scenario
from myelosim.spec.scenarios import load_scenario
from myelosim.trial import Trial, run_arm

DOSES: dict[str, Any] = {
    "time": np.nan, "drug": "", "kind": "", "given": np.nan, "planned": np.nan, "unit": "", "duration": np.nan, "route": "",
    "factor": np.nan, "per": "", "compartment": np.nan,
}  # fmt: skip


def compare(
    scenario: Scenario | str | os.PathLike[str] | Mapping[str, Any],
    *,
    threads: int | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> xr.Dataset:
    """Compare the arms of a scenario.

    Parameters
    ----------
    scenario : Scenario, str, path or mapping
        A scenario, its name or file, or what a file would say.
    threads : int, optional
        Threads to use; the result does not depend on it.
    progress : callable, optional
        Called with what is being done and the fraction done.

    Returns
    -------
    xarray.Dataset
        The variables of :func:`myelosim.simulate` with a first dim ``arm``; ``dose_intensity`` and ``rescue_days``
        [arm, subject]; ``grade_limit`` [lineage, grade]; ``dose_time`` and ``dose_drug`` [arm, dose]; and where there are
        counts to watch, days to draw blood: those chosen, ``monitoring_day`` [arm, draws, pick] in elapsed days, what draws
        on them show of fresh subjects, ``monitoring_in_time``, ``monitoring_caught``, ``monitoring_delay`` and
        ``monitoring_miss`` [arm, lineage, draws] with ``_low`` and ``_high``, their ``monitoring_number``,
        ``monitoring_blood`` and ``monitoring_limit`` [arm, draws], and ``monitoring_how`` they were found; and the same of
        the protocol's own visits and other calendars: ``calendar_in_time`` ... [arm, lineage, calendar].

    Raises
    ------
    SpecError
        The scenario is not found or says something that cannot be.
    SimulationError
        Subjects no stepper could integrate.
    """
    held = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    if held.strict and (too_much := _breached(held, held.visits)):
        raise SpecError("strict: " + "; ".join(too_much))
    told = progress or (lambda what, done: None)
    began = time.perf_counter()
    trials = _run(held, threads, told)
    told("days to draw blood", len(trials) / (len(trials) + 1))
    middle = time.perf_counter()
    watched, said = monitor(held, trials, threads)
    joined = _joined(held, trials).assign(watched).assign(uncertainty(held, threads, told))
    now = time.perf_counter()
    seconds = {t.arm.name: t.seconds for t in trials} | {"days to draw blood": now - middle, "in all": now - began}
    joined.attrs = (
        _attrs(held, trials, said)
        | {"monitoring_refused": "\n".join(said)}
        | {"seconds": "; ".join(f"{what} {s:.2f} s" for what, s in seconds.items())}
    )
    for text in joined.attrs["warnings"].splitlines():
        python_warnings.warn(text, MyelosimWarning, stacklevel=2)
    told("done", 1.0)
    return joined


def _run(scenario: Scenario, threads: int | None, told: Callable[[str, float], None]) -> list[Trial]:
    model, arms = scenario.model, scenario.arms
    kept = 3 * len(model.lineages) + 2 * len(model.drugs)
    most = max(arm.size or scenario.size for arm in arms)
    afford(most, int(scenario.days) + 1, kept, len(model.lineages), len(arms))
    days = looked_at(scenario)
    trials = []
    for k, arm in enumerate(arms):
        told(f"arm {arm.name}", k / (len(arms) + 1))
        trials.append(run_arm(scenario, arm, days, threads=threads))
    return trials


def _attrs(scenario: Scenario, trials: Sequence[Trial], said: Sequence[str]) -> dict[str, Any]:
    arms = scenario.arms
    assumed = sorted({name for arm in arms for name in arm.model.assumed})
    return {
        **trials[0].dataset.attrs,
        "title": scenario.title,
        "scenario": scenario.name,
        "scenario_file": scenario.path,
        "spec_hash": scenario.spec_hash,
        "regimen": "; ".join(f"{arm.name}: {arm.regimen.text}" for arm in arms),
        "warnings": "\n".join([*_warnings(scenario, trials), *said]),
        "monitoring_refused": "\n".join(said),
        "monitoring_within": scenario.recommend.within,
        "illustrative": int(any(arm.model.illustrative for arm in arms)),
        "assumed_parameters": len(assumed),
        "assumed": ", ".join(assumed),
    }


def _joined(scenario: Scenario, trials: Sequence[Trial]) -> xr.Dataset:
    names = [trial.arm.name for trial in trials]
    parts = [trial.dataset.drop_vars(_apart(trial.dataset)) for trial in trials]
    joined: xr.Dataset = xr.concat(
        parts, "arm", join="outer", combine_attrs="override", data_vars="all", coords="minimal", compat="override"
    ).assign_coords(arm=names)
    joined = joined.assign(_doses(trials, joined.sizes["subject"])).assign(
        _decisions(trials, list(joined["lineage"].to_numpy()))
    )
    if "lineage" in joined.coords:
        table = load_grading(scenario.grading)
        limit = [grade_limits(scenario.model, table, str(name)) for name in joined["lineage"].to_numpy()]
        meaning = {"long_name": "count under which the grade begins"}
        joined["grade_limit"] = (("lineage", "grade"), np.array(limit), meaning)
        joined = joined.assign_coords(grade=[1, 2, 3, 4])
    return joined


def _apart(ds: xr.Dataset) -> list[str]:
    """Return the variables along dims that differ from arm to arm."""
    return [str(name) for name, v in ds.variables.items() if {"dose", "decision"} & set(v.dims)] + [
        "concentration_unit"
    ] * ("concentration_unit" in ds)


def _doses(trials: Sequence[Trial], subjects: int) -> dict[str, Any]:
    """Put the interventions of the arms side by side, padded."""
    most = max(t.dataset.sizes["dose"] for t in trials)
    out: dict[str, Any] = {}
    for name, blank in DOSES.items():
        own = [t.dataset[f"dose_{name}"] for t in trials]
        dims = ("subject", "dose") if name == "given" else ("dose",)
        shape = (len(trials), subjects, most) if name == "given" else (len(trials), most)
        values = np.full(shape, blank, dtype=object if isinstance(blank, str) else float)
        for k, one in enumerate(own):
            values[k][tuple(slice(0, n) for n in one.shape)] = one.to_numpy()
        out[f"dose_{name}"] = (("arm", *dims), values.astype(str) if isinstance(blank, str) else values, own[0].attrs)
    return out


def _decisions(trials: Sequence[Trial], lineages: Sequence[str]) -> dict[str, Any]:
    """Put the decision logs of the arms one after the other."""
    logs = [(t.arm.name, t.dataset) for t in trials if "decision" in t.dataset.dims]
    if not logs:
        return {}
    names = [str(name) for name in logs[0][1].data_vars if str(name).startswith("decision_")]
    out: dict[str, Any] = {
        "decision_arm": ("decision", np.repeat([n for n, _ in logs], [ds.sizes["decision"] for _, ds in logs]))
    }
    for name in names:
        own = [ds[name].sel(lineage=lineages) if "lineage" in ds[name].dims else ds[name] for _, ds in logs]
        out[name] = (own[0].dims, np.concatenate([one.to_numpy() for one in own]), own[0].attrs)
    return out


def _warnings(scenario: Scenario, trials: Sequence[Trial]) -> list[str]:
    """Return what must be read before the result: of the models, of failed subjects, and of blood volumes."""
    said = [text for trial in trials for text in str(trial.dataset.attrs["warnings"]).splitlines()]
    planned = _breached(scenario, scenario.visits)
    said += planned
    for trial in (one for one in trials if one.arm.rules and scenario.visits):
        who, days = _busiest(trial.dataset)
        more = [text for text in _breached(scenario, days) if text not in planned]
        said += [f"{trial.arm.name}: with the visits that rules add, of subject {who}: {text}" for text in more]
    return list(dict.fromkeys(text for text in said if text))


def _breached(scenario: Scenario, days: Sequence[float]) -> list[str]:
    """Return which of the species' limits a draw on each of these days breaks."""
    subjects = scenario.model.subjects
    asked = scenario.recommend.draw
    draw = subjects.draw_volume if asked is None else asked
    return breaches(days, draw, limits(subjects)) if draw and len(days) else []


def _busiest(ds: xr.Dataset) -> tuple[int, list[float]]:
    """Return the subject with most visits, and their elapsed days."""
    there = ds["observed"].notnull().any("lineage").transpose("subject", "visit").to_numpy()
    row = int(there.sum(axis=1).argmax())
    return int(ds["subject"][row]), ds["visit"].to_numpy()[there[row]].tolist()
