"""Run a scenario's arms on the same subjects and put them side by side."""

from __future__ import annotations

import os
import time
import warnings as python_warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from myelosim.comparison.monitor import candidate_days, monitor, wanted
from myelosim.comparison.table import grade_limits
from myelosim.errors import MyelosimWarning
from myelosim.monitoring import breaches, limits
from myelosim.results import afford
from myelosim.spec.grading import load_grading
from myelosim.spec.scenario import Scenario
from myelosim.spec.scenarios import load_scenario
from myelosim.trial import Trial, run_arm

DOSES = ("dose_given", "dose_time", "dose_drug", "dose_rate", "dose_unit")


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
        [arm, subject]; ``grade_limit`` [lineage, grade]; ``dose_day`` and ``dose_label`` [arm, dose]; and where there are
        counts to watch, the recommended days: ``monitoring_day`` [arm, draws, pick] in elapsed days, ``monitoring_caught``,
        ``monitoring_delay``, ``monitoring_nadir`` [arm, lineage, draws] with ``_low`` and ``_high``, and the same of the
        protocol's own visits: ``protocol_caught`` ... [arm, lineage].

    Raises
    ------
    SpecError
        The scenario is not found or says something that cannot be.
    SimulationError
        Subjects no stepper could integrate.
    """
    held = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    told = progress or (lambda what, done: None)
    began = time.perf_counter()
    trials = _run(held, threads, told)
    told("days to draw blood", len(trials) / (len(trials) + 1))
    middle = time.perf_counter()
    joined = _joined(held, trials).assign(monitor(held, trials))
    if "monitoring_day" in joined and not wanted(held).nadir_weight:
        # Nobody in the half that scores reaches grade 3: days chosen for somebody in the other half are no advice.
        caught = joined["monitoring_caught"].notnull().any("lineage")
        joined["monitoring_day"] = joined["monitoring_day"].where(caught)
    now = time.perf_counter()
    seconds = {t.arm.name: t.seconds for t in trials} | {"days to draw blood": now - middle, "in all": now - began}
    joined.attrs = _attrs(held, trials) | {"seconds": "; ".join(f"{what} {s:.2f} s" for what, s in seconds.items())}
    for text in joined.attrs["warnings"].splitlines():
        python_warnings.warn(text, MyelosimWarning, stacklevel=2)
    told("done", 1.0)
    return joined


def _run(scenario: Scenario, threads: int | None, told: Callable[[str, float], None]) -> list[Trial]:
    model, arms = scenario.model, scenario.arms
    kept = 3 * len(model.lineages) + 2 * len(model.drugs)
    most = max(arm.size or scenario.size for arm in arms)
    afford(most, int(scenario.days) + 1, kept, len(model.lineages), len(arms))
    days = candidate_days(scenario)
    trials = []
    for k, arm in enumerate(arms):
        told(f"arm {arm.name}", k / (len(arms) + 1))
        trials.append(run_arm(scenario, arm, days, threads=threads))
    return trials


def _attrs(scenario: Scenario, trials: Sequence[Trial]) -> dict[str, Any]:
    arms = scenario.arms
    assumed = sorted({name for arm in arms for name in arm.model.assumed})
    return {
        **trials[0].dataset.attrs,
        "title": scenario.title,
        "scenario": scenario.name,
        "scenario_file": scenario.path,
        "spec_hash": scenario.spec_hash,
        "regimen": "; ".join(f"{arm.name}: {arm.regimen.text}" for arm in arms),
        "warnings": "\n".join(_warnings(scenario, trials)),
        "illustrative": int(any(arm.model.illustrative for arm in arms)),
        "assumed_parameters": len(assumed),
        "assumed": ", ".join(assumed),
    }


def _joined(scenario: Scenario, trials: Sequence[Trial]) -> xr.Dataset:
    names = [trial.arm.name for trial in trials]
    parts = [t.dataset.drop_vars([*DOSES, "concentration_unit"], errors="ignore") for t in trials]
    joined: xr.Dataset = xr.concat(
        parts, "arm", join="outer", combine_attrs="override", data_vars="all", coords="minimal", compat="override"
    ).assign_coords(arm=names)
    most = max(t.dataset.sizes["dose"] for t in trials)
    day = np.full((len(trials), most), np.nan)
    label = np.full((len(trials), most), "", dtype=object)
    given = np.full((len(trials), joined.sizes["subject"], most), np.nan)
    for k, trial in enumerate(trials):
        n = trial.dataset.sizes["dose"]
        day[k, :n] = trial.dataset["dose_time"]
        label[k, :n] = trial.dataset["dose_drug"]
        given[k, : trial.dataset.sizes["subject"], :n] = trial.dataset["dose_given"]
    about = {"units": "day", "long_name": "days since time zero"}
    joined["dose_day"] = (("arm", "dose"), day, about)
    joined["dose_label"] = (("arm", "dose"), label.astype(str))
    joined["dose_given"] = (("arm", "subject", "dose"), given, {"long_name": "amount given"})
    if "lineage" in joined.coords:
        table = load_grading(scenario.grading)
        limit = [grade_limits(scenario.model, table, str(name)) for name in joined["lineage"].to_numpy()]
        meaning = {"long_name": "count under which the grade begins"}
        joined["grade_limit"] = (("lineage", "grade"), np.array(limit), meaning)
        joined = joined.assign_coords(grade=[1, 2, 3, 4])
    return joined


def _warnings(scenario: Scenario, trials: Sequence[Trial]) -> list[str]:
    """Return what must be read before the result: of the models, of failed subjects, and of blood volumes."""
    said = [text for trial in trials for text in str(trial.dataset.attrs["warnings"]).splitlines()]
    subjects = scenario.model.subjects
    asked = wanted(scenario).draw
    draw = subjects.draw_volume if asked is None else asked
    if draw and scenario.visits:
        said += breaches(scenario.visits, draw, limits(subjects))
    return list(dict.fromkeys(text for text in said if text))
