"""Print the table: ``python -m benchmarks [NAME ...] [--subjects N] [--runs K] [--threads T]``."""

from __future__ import annotations

import importlib
import os
import platform
import subprocess
import time
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import numba
import numpy as np
import typer
from rich.console import Console
from rich.table import Table

import myelosim as ms
from benchmarks.problems import PROBLEMS, Comparison, Problem, Ruled, compare, run, steer
from benchmarks.rivals import NAMES

HERE = Path(__file__).parent
COLUMNS = ("problem", "solver", "subjects", "subjects/s median", "best", "error q99", "error worst", "ratio")


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Problems; all by default.")] = None,
    subjects: Annotated[int | None, typer.Option(help="Subjects; by default what the problem says.")] = None,
    runs: int = 7,
    threads: int = 1,
    rivals: bool = True,
) -> None:
    """Time problems, warm, from model file to endpoints; one thread by processor time, more by the clock."""
    warnings.simplefilter("ignore", ms.MyelosimWarning)
    versions = f"Python {platform.python_version()}, numba {numba.__version__}, myelosim {_commit()}"
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    clock = "clock" if threads > 1 else "processor time"
    table = Table(title=f"{_processor()}, {threads} of {os.cpu_count()} threads, {clock}{load}\n{versions}")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in COLUMNS[:2] else "right")
    for name in names or PROBLEMS:
        problem = PROBLEMS[name]
        if isinstance(problem, Comparison):
            _add_comparison(table, problem, subjects or problem.size, runs, threads)
        elif isinstance(problem, Ruled):
            _add_ruled(table, problem, subjects or problem.size, runs, threads)
        else:
            _add(table, problem, subjects or problem.size, runs, threads, rivals)
    Console(width=140).print(table)


def _add_comparison(table: Table, problem: Comparison, size: int, runs: int, threads: int) -> None:
    every = compare(problem, size, threads)
    times = _timed(lambda: compare(problem, size, threads), runs, threads)
    table.add_row(problem.name, "myelosim", *_speed(every, times), "", "", "1")


def _add_ruled(table: Table, problem: Ruled, size: int, runs: int, threads: int) -> None:
    """Run as planned and by the rules in turns; the ratio is what the rules cost."""
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(runs):
        for rules, taken in times.items():
            taken += _timed(lambda rules=rules: steer(problem, size, threads, rules=rules), 1, threads)
    for rules, taken in times.items():
        ratio = float(np.median(taken) / np.median(times[False]))
        called = "by the rules" if rules else "as planned"
        table.add_row(problem.name, called, *_speed(size, taken), "", "", f"{ratio:.2f}")


def _add(table: Table, problem: Problem, subjects: int, runs: int, threads: int, rivals: bool) -> None:
    people = problem.individuals(subjects)
    times = _timed(lambda: run(problem, people, 1e-6, threads), runs, threads)
    counts, truth = run(problem, people, 1e-6, threads), run(problem, people, problem.reference, os.cpu_count() or 1)
    ours = len(people) / float(np.median(times))
    table.add_row(*_row(problem.name, "myelosim", len(people), times, counts, truth), "1")
    for name in NAMES if rivals and problem.rivals else ():
        try:
            rival = importlib.import_module(f"benchmarks.rivals.{name}")
        except ImportError:
            table.add_row(problem.name, name, "", "not installed")
            continue
        few = people.iloc[: rival.MOST]
        taken = _timed(lambda rival=rival, few=few: rival.solve(few), 3, threads)
        cells = _row(problem.name, name, len(few), taken, rival.solve(few)[:, None], truth[: len(few)])
        table.add_row(*cells, f"{ours * float(np.median(taken)) / len(few):.0f}")


def _timed(work: Callable[[], object], runs: int, threads: int) -> list[float]:
    clock = time.perf_counter if threads > 1 else time.process_time
    work()
    taken = []
    for _ in range(runs):
        began = clock()
        work()
        taken.append(clock() - began)
    return taken


def _speed(n: int, times: list[float]) -> list[str]:
    return [f"{n:,}", f"{n / float(np.median(times)):,.0f}", f"{n / min(times):,.0f}"]


def _row(problem: str, solver: str, n: int, times: list[float], counts: np.ndarray, truth: np.ndarray) -> list[str]:
    error = np.max(np.abs(counts / truth - 1.0), axis=(1, 2))
    return [problem, solver, *_speed(n, times), f"{np.quantile(error, 0.99):.1e}", f"{error.max():.1e}"]


def _commit() -> str:
    """Return the commit the benchmarks are at, or the installed version."""
    try:
        git = ["git", "describe", "--always", "--dirty"]
        return subprocess.run(git, capture_output=True, text=True, check=True, cwd=HERE).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return version("myelosim")


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next(line.split(":")[1].strip() for line in file if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


if __name__ == "__main__":
    typer.run(main)
