"""Run one arm on the scenario's subjects."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import xarray as xr

from myelosim.endpoints import Course
from myelosim.errors import MyelosimError
from myelosim.population import Population
from myelosim.simulation import simulated
from myelosim.spec.scenario import Arm, Scenario


@dataclass(frozen=True)
class Trial:
    """An arm's dataset, its courses on the candidate days, and the seconds it took."""

    arm: Arm
    dataset: xr.Dataset
    candidates: Mapping[str, Course]
    seconds: float


def run_arm(scenario: Scenario, arm: Arm, candidates: Sequence[float] = (), *, threads: int | None = None) -> Trial:
    """Simulate an arm.

    All arms draw the same subjects: who is subject 17 in one is subject 17 in all.
    """
    began = time.perf_counter()
    size = arm.size or scenario.size
    covariates = dict(arm.covariates)
    try:
        done = simulated(
            arm.model, arm.regimen, days=scenario.days, population=Population(size, scenario.seed, covariates),
            visits=list(scenario.visits) or None, candidates=candidates, grading=scenario.grading,
            tolerance=scenario.tolerance, threads=threads, warn=False, rules=arm.rules, conduct=scenario.conduct, dlt=scenario.dlt,
        )  # fmt: skip
    except MyelosimError as error:
        raise type(error)(f"arm '{arm.name}': {error}") from error
    ds = done.dataset
    if scenario.lineages:
        ds = ds.sel(lineage=list(scenario.lineages))
    return Trial(arm, ds, done.candidates, time.perf_counter() - began)
