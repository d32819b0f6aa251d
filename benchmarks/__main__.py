"""Print the table: ``python -m benchmarks [NAME ...] [--subjects N] [--runs K] [--threads T]``."""

from __future__ import annotations

import importlib
import os
import platform
import time
import warnings
from typing import Annotated

import numba
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

import myelosim as ms
from benchmarks.problems import PROBLEMS, Problem, run
from benchmarks.rivals import NAMES

REFERENCE = {"avadomide": 1e-9}  # tolerance of the run that errors are measured against, else 1e-11


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Problems; all by default.")] = None,
    subjects: int = 10_000,
    runs: int = 7,
    threads: int = 1,
    rivals: bool = True,
) -> None:
    """Time problems, warm, through ms.simulate, daily output and endpoints included."""
    warnings.simplefilter("ignore", ms.MyelosimWarning)
    versions = f"Python {platform.python_version()}, numba {numba.__version__}"
    table = Table(title=f"{_processor()}, {threads} thread(s) of {os.cpu_count()}, {versions}")
    for column in ("problem", "solver", "subjects", "subjects/s median", "best", "error q99", "error worst", "ratio"):
        table.add_column(column, justify="left" if column in ("problem", "solver") else "right")
    for name in names or PROBLEMS:
        _add(table, PROBLEMS[name], subjects, runs, threads, rivals)
    Console(width=140).print(table)


def _add(table: Table, problem: Problem, subjects: int, runs: int, threads: int, rivals: bool) -> None:
    people = problem.individuals(subjects if problem.name != "avadomide" else min(subjects, 1000))
    times = _timed(lambda: run(problem, people, 1e-6, threads), runs)
    counts = run(problem, people, 1e-6, threads)
    truth = run(problem, people, REFERENCE.get(problem.name, 1e-11), os.cpu_count() or 1)
    ours = len(people) / float(np.median(times))
    table.add_row(*_row(problem.name, "myelosim", len(people), times, counts, truth), "1")
    for name in NAMES if rivals and problem.rivals else ():
        try:
            rival = importlib.import_module(f"benchmarks.rivals.{name}")
        except ImportError:
            table.add_row(problem.name, name, "", "not installed")
            continue
        few = people.iloc[: rival.MOST]
        taken = _timed(lambda rival=rival, few=few: rival.solve(few), 3)
        cells = _row(problem.name, name, len(few), taken, rival.solve(few)[:, None], truth[: len(few)])
        table.add_row(*cells, f"{ours * float(np.median(taken)) / len(few):.0f}")


def _timed(work: object, runs: int) -> list[float]:
    assert callable(work)
    work()
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return taken


def _row(problem: str, solver: str, n: int, times: list[float], counts: np.ndarray, truth: np.ndarray) -> list[str]:
    error = np.max(np.abs(counts / truth - 1.0), axis=(1, 2))
    return [
        problem, solver, f"{n:,}", f"{n / float(np.median(times)):,.0f}", f"{n / min(times):,.0f}",
        f"{np.quantile(error, 0.99):.1e}", f"{error.max():.1e}",
    ]  # fmt: skip


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    typer.run(main)
