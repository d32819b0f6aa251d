"""One block of subjects of one cell: what a task does, wherever it runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from myelosim.grading import NOT_GRADED
from myelosim.spec.sweep import Cell, Sweep
from myelosim.sweeping.store import CELLS, KEPT, LANES, OF_SUBJECT, UNDOSED, Store, block, stored
from myelosim.trial import run_arm


@dataclass(frozen=True)
class Block:
    """Subjects ``first`` to ``first + size`` of a cell, the ``number``-th block of it.

    ``kept`` are those whose course is kept, each with its place among all that are kept.
    """

    group: str
    cell: Cell
    number: int
    first: int
    size: int
    endpoints: tuple[str, ...]
    lineages: tuple[str, ...]
    kept: tuple[tuple[int, int], ...] = ()


def blocks(sweep: Sweep) -> Iterator[Block]:
    """Yield all blocks: those without drug first, for without them no cell can be read."""
    size, endpoints = block(sweep), stored(sweep)
    place = {subject: k for k, subject in enumerate(sweep.keep.subjects)}
    for group, cells in ((UNDOSED, sweep.undosed), (CELLS, sweep.cells)):
        for cell in cells:
            wanted = sweep.kept(cell) if group == CELLS else ()
            for number, first in enumerate(range(0, cell.size, size)):
                many = min(size, cell.size - first)
                kept = tuple((one, place[one]) for one in wanted if first <= one < first + many)
                yield Block(group, cell, number, first, many, endpoints, sweep.lineages, kept)


def run(path: Path, task: Block) -> None:
    """Simulate a block, write it, and mark it as done: in this order, so that what is marked is whole."""
    scenario, index = task.cell.scenario, task.cell.index
    store = Store(path)
    found = run_arm(
        scenario, scenario.arms[0], part=(task.first, task.size), daily=False, threads=1, on_failure="mask"
    ).dataset  # fmt: skip
    rows = slice(task.first, task.first + task.size)
    for name in (*task.endpoints, *OF_SUBJECT):
        array = store.array(task.group, name)
        array[(*index, rows)] = _values(found, name, task.lineages, array)
    for subject, place in task.kept:
        array = store.array(KEPT, "count")
        array[(*index, place)] = _course(task, subject, array)
    store.mark(task.group, index, task.number)


def _values(found: xr.Dataset, name: str, lineages: tuple[str, ...], array: Any) -> np.ndarray:
    """Return an endpoint as it is stored; a lineage that this cell has not is filled."""
    if "lineage" not in found[name].dims:
        return np.asarray(found[name].to_numpy(), dtype=array.dtype)
    whole = found[name].reindex(lineage=list(lineages), fill_value=NOT_GRADED if array.dtype == "int8" else np.nan)
    return np.asarray(whole.transpose("subject", "lineage").to_numpy(), dtype=array.dtype)


def _course(task: Block, subject: int, array: Any) -> np.ndarray:
    """Return the daily counts of one subject (lineage, time); whole groups of lanes are simulated, as in any company."""
    first = subject - subject % LANES
    size = min(LANES, task.first + task.size - first)
    scenario = task.cell.scenario
    found = run_arm(scenario, scenario.arms[0], part=(first, size), threads=1, on_failure="mask").dataset
    count = found["count"].sel(subject=subject).reindex(lineage=list(task.lineages)).transpose("lineage", "time")
    out = np.full(array.shape[-2:], np.nan, dtype=array.dtype)
    out[:, : count.sizes["time"]] = count
    return out
