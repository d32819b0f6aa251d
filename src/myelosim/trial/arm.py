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


def run_arm(
    scenario: Scenario,
    arm: Arm,
    candidates: Sequence[float] = (),
    *,
    part: tuple[int, int] | None = None,
    daily: bool = True,
    threads: int | None = None,
    on_failure: str = "raise",
) -> Trial:
    """Simulate an arm, or a ``part`` of its subjects: who is the first of them, and how many. Courses are kept if ``daily``.

    All arms draw the same subjects: who is subject 17 in one is subject 17 in all.
    """
    began = time.perf_counter()
    first, size = part or (0, arm.size or scenario.size)
    population = Population(size, scenario.seed, dict(arm.covariates), first)
    try:
        done = simulated(
            arm.model, arm.regimen, times=None if daily else [0.0], days=scenario.days, population=population,
            visits=list(scenario.visits) or None, candidates=candidates, grading=scenario.grading,
            tolerance=scenario.tolerance, threads=threads, on_failure=on_failure, warn=False, rules=arm.rules,
            conduct=scenario.conduct, dlt=scenario.dlt,
        )  # fmt: skip
    except MyelosimError as error:
        raise type(error)(f"arm '{arm.name}': {error}") from error
    ds = done.dataset
    if scenario.lineages:
        ds = ds.sel(lineage=list(scenario.lineages))
    return Trial(arm, ds, done.candidates, time.perf_counter() - began)
