"""How fast, and how surely, FOCE-I finds its optimum: ``python -m benchmarks.fit_speed ddmodel186_paclitaxel_wbc.csv``.

The data are DDMODEL00000186's (45 patients, 530 leukocyte counts, each patient's own kinetics by row), which do not ship.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.console import Console
from rich.progress import track

import myelosim as ms
from myelosim.fitting.objective import Linearized
from myelosim.fitting.problem import Problem

START = {"leukocyte.baseline": 7.21, "leukocyte.mtt": 124, "leukocyte.gamma": 0.239, "paclitaxel.leukocyte.slope": 28.9}
OMEGA = {"leukocyte.baseline": 0.107, "leukocyte.mtt": 0.0296, "paclitaxel.leukocyte.slope": 0.176}
SIGMA = {"leukocyte.proportional": 0.286}
COLUMNS = {"CLI": "paclitaxel.cl", "V1I": "paclitaxel.vc", "V2I": "paclitaxel.vp"}
BEST = 1223.062


def main(
    data: Annotated[Path, typer.Argument(help="The data as NONMEM rows.")],
    runs: Annotated[int, typer.Option(help="Fits from the published start that are timed.")] = 5,
    starts: Annotated[int, typer.Option(help="Single starts drawn over a tenfold range of each parameter.")] = 20,
) -> None:
    """Time fits and objectives, and count the starts that lead to the optimum."""
    console, rows = Console(), pd.read_csv(data).rename(columns=COLUMNS)
    rows["DVID"], rows["EVID"] = "leukocyte", rows["MDV"].astype(int)
    model = ms.load_model("friberg_2002_paclitaxel").replace({**START, "paclitaxel.q": 204})
    fits = [timed(lambda: ms.fit(model, rows, omega=OMEGA, sigma=SIGMA, starts=1)) for _ in range(runs + 1)][1:]
    found = fits[0][1]
    console.print(f"fit with covariance: {np.median([t for t, _ in fits]):.2f} s, objective {found.objective:.4f}")
    objectives = objective_times(found.problem, 50)
    console.print(
        f"one objective, one thread, near the last: {1e3 * np.median(objectives):.1f} ms, most {1e3 * max(objectives):.1f}"
    )
    rng, reached = np.random.default_rng(1), []
    for _ in track(range(starts), "starts", console=console):
        there = model.replace({name: one * 10 ** rng.uniform(-0.5, 0.5) for name, one in START.items()})
        omega = {name: one * 10 ** rng.uniform(-1.0, 1.0) for name, one in OMEGA.items()}
        sigma = {name: one * 10 ** rng.uniform(-0.5, 0.5) for name, one in SIGMA.items()}
        reached.append(ms.fit(there, rows, omega=omega, sigma=sigma, starts=1, covariance="none").objective < BEST)
    console.print(f"single starts that reach {BEST}: {sum(reached)} of {starts}")


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long a call took, and what it gave."""
    began = time.perf_counter()
    given = call()
    return time.perf_counter() - began, given


def objective_times(problem: Problem, count: int) -> list[float]:
    """Return how long objectives took at points within a percent, modes warm-started."""
    alone = Problem(problem.model, problem.study, problem.estimation, problem.tolerance, threads=1)
    objective, x = Linearized(alone), alone.parameters.pack(alone.parameters.start)
    value = objective.value(x)
    objective.accept(value)
    objective.gradient(value)
    rng = np.random.default_rng(1)
    return [timed(lambda: objective.value(x + 0.01 * rng.normal(size=len(x))))[0] for _ in range(count)]


if __name__ == "__main__":
    typer.run(main)
