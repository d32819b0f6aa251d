"""The problems, by name. What they are is said once here, for us and for the rivals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

import myelosim as ms


@dataclass(frozen=True)
class Problem:
    """Subjects under a regimen; counts are wanted every day."""

    name: str
    meaning: str
    model: str
    dose: str
    days: int
    size: int
    individuals: Callable[[int], pd.DataFrame]
    rivals: bool = False
    reference: float = 1e-11  # tolerance of the run that errors are measured against


@dataclass(frozen=True)
class Comparison:
    """A shipped scenario from file to table: all its arms, endpoints and the choice of visit days."""

    name: str
    meaning: str
    scenario: str
    size: int  # subjects in each arm


@dataclass(frozen=True)
class Ruled:
    """A regimen under rules at weekly visits, against the same regimen as planned."""

    name: str
    meaning: str
    drug: str
    rules: str
    dose: str
    days: int
    size: int


def bench1_subjects(n: int) -> pd.DataFrame:
    """Between-subject sd CL 0.30, baseline 0.40, MTT 0.20, slope 0.45, log-normal."""
    z = np.random.default_rng(1).standard_normal((n, 4))
    return pd.DataFrame(
        {
            "drug.cl": 6.3 * np.exp(0.30 * z[:, 0]),
            "neutrophil.baseline": 5.0 * np.exp(0.40 * z[:, 1]),
            "neutrophil.mtt": 110.0 * np.exp(0.20 * z[:, 2]),
            "drug.neutrophil.slope": 0.35 * np.exp(0.45 * z[:, 3]),
        }
    )


def avadomide_subjects(n: int) -> pd.DataFrame:
    """Spread around the multiple-myeloma set wide enough that egress spans its whole range."""
    z = np.random.default_rng(1).standard_normal((n, 5))
    return pd.DataFrame(
        {
            "neutrophil.baseline": 4.5 * np.exp(0.5 * z[:, 0]),
            "neutrophil.reservoir_ratio": 2.5 * np.exp(0.4 * z[:, 1]),
            "neutrophil.km_fraction": 0.45 * np.exp(0.4 * z[:, 2]),
            "neutrophil.gamma": 0.017 * np.exp(0.3 * z[:, 3]),
            "avadomide.neutrophil.ec50": 15.0 * np.exp(0.6 * z[:, 4]),
        }
    )


PROBLEMS: dict[str, Problem | Comparison | Ruled] = {
    p.name: p
    for p in (
        Problem(
            "bench-1", "neutrophils, 40 mg BID for 28 of 56 days", "generic_oral_2cmt_friberg", "drug 40 mg BID d1-28", 56,
            10_000, bench1_subjects, rivals=True,
        ),
        Problem(
            "bench-2", "the same with platelets and red cells, 25 states", "generic_three_lineage", "drug 40 mg BID d1-28", 56,
            10_000, bench1_subjects,
        ),
        Problem(
            "bench-3", "neutrophils, one dose, 21 days", "generic_oral_2cmt_friberg", "drug 40 mg once", 21,
            10_000, bench1_subjects,
        ),
        Problem(
            "avadomide", "stiff egress, beta = 20, 4 mg QD for 56 days", "abbiati_2021_avadomide_mm", "avadomide 4 mg QD", 56,
            1_000, avadomide_subjects, reference=1e-9,
        ),
        Comparison("compare", "8 schedules, three lineages, 112 days, G-CSF", "cemsidomide_human_schedules", 1_000),
        Ruled(
            "rules", "held on grade 3 at weekly visits, three lineages, 112 days", "cemsidomide", "cemsidomide_counts",
            "cemsidomide 100 ug QD d1-14 q28d x4", 112, 1_000,
        ),
    )
}  # fmt: skip


def run(problem: Problem, individuals: pd.DataFrame, tolerance: float, threads: int) -> np.ndarray:
    """Simulate with endpoints; return counts (subject, lineage, day)."""
    ds = ms.simulate(
        ms.load_model(problem.model), problem.dose, days=problem.days, individuals=individuals, tolerance=tolerance,
        threads=threads,
    )  # fmt: skip
    return ds["count"].to_numpy()


def steer(problem: Ruled, size: int, threads: int, *, rules: bool) -> None:
    """Simulate with visits and endpoints, with the rules or without."""
    ms.simulate(
        ms.load_model(problem.drug, species="human", variant="rrmm"), problem.dose, days=problem.days,
        population=ms.Population(size, seed=1), visits="d1 weekly", threads=threads, rules=problem.rules if rules else (),
    )  # fmt: skip


def compare(problem: Comparison, size: int, threads: int) -> int:
    """Compare the arms; return how many subjects they have together."""
    scenario = ms.load_scenario(problem.scenario)
    ds = ms.compare(replace(scenario, size=size), threads=threads)
    return ds.sizes["arm"] * ds.sizes["subject"]
