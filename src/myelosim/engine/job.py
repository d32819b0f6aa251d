"""One block over one population: the settings it is tried with, its inputs, its threads."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np

from myelosim.components import pk
from myelosim.engine import block as equations
from myelosim.engine import cache, emit, stepper
from myelosim.engine.block import TABLE, Block
from myelosim.engine.emit import Layout
from myelosim.engine.lanes import WIDTH
from myelosim.engine.timeline import Plan

DAY = 24.0
CROSSINGS = 24  # crossings kept per threshold before a run is repeated with room for more
TIGHT = 1e-7  # tolerance under which the higher-order pair pays


@dataclass(frozen=True)
class Setting:
    """How finely a block is integrated: local tolerance per step, and how often a day may be halved."""

    method: str
    rtol: float
    halvings: int

    @property
    def sizes(self) -> np.ndarray:
        """Step sizes in hours."""
        return DAY * 0.5 ** np.arange(self.halvings + 1)


def ladder(block: Block, tolerance: float) -> tuple[Setting, ...]:
    """Return the settings to try in turn: a subject that fails one goes to the next."""
    if not block.parts:
        return (Setting("exact", tolerance, 0),)
    implicit = (Setting("rodas", 2.0 * tolerance, 24), Setting("rodas", 0.05 * tolerance, 34))
    if block.stiff:
        return implicit
    pair = "dp5" if tolerance >= TIGHT else "dop853"
    local = 0.2 * tolerance
    return (Setting(pair, local, 12), Setting(pair, 0.1 * local, 20), *implicit)


METHODS = {
    "dp5": emit.explicit(stepper.DP5),
    "dop853": emit.explicit(stepper.DOP853),
    "rodas": emit.implicit(),
    "exact": emit.exact(),
}


@lru_cache(maxsize=256)
def _program(key: str, method: str) -> Any:
    return cache.program(emit.source(_known[key], METHODS[method]))


_known: dict[str, Block] = {}


def program(block: Block, method: str) -> Any:
    """Return the compiled program of a block."""
    _known.setdefault(block.key, block)
    return _program(block.key, method)


@dataclass
class Seen:
    """What a block's run gave, over padded subjects."""

    out: np.ndarray  # (time, output, subject)
    lows: np.ndarray  # (window, count, 2, subject)
    crossings: np.ndarray  # (count, threshold, 1 + slot, subject)
    state: np.ndarray
    report: np.ndarray  # (group, 3): status, time reached (h), steps


def aligned(*shape: int, value: float = 0.0) -> np.ndarray:
    """Return an array that begins at a cache line: eight lanes that lie across two lines cost a fifth of the speed."""
    size = math.prod(shape)
    room = np.full(size + WIDTH, value)
    begin = -(room.ctypes.data // room.itemsize) % WIDTH
    return room[begin : begin + size].reshape(shape)


def inputs(block: Block, lay: Layout, p: Mapping[str, Any], start: Mapping[str, float], subjects: int) -> np.ndarray:
    """Return the rows of parameters a program reads, (row, subject)."""
    rows: list[Any] = [p[name] for name in lay.parameters]
    rates: list[Any] = []
    weights: list[Any] = []
    for drug in block.exposures:
        if drug.kind == TABLE:
            continue
        module = pk.KINDS[drug.kind]
        own = equations.values(drug.name, [d.name for d in module.parameters(drug.structure)], p)
        drug_rates, by_channel = module.modes(own, drug.structure)
        per_amount = equations.concentration_per_amount(drug)
        rates += drug_rates
        weights += [w * per_amount for channel in module.channels(drug.structure) for w in by_channel[channel]]
    rows += [*rates, *weights, *equations.floors(block, p), *equations.start(block, p, start)]
    table = aligned(len(rows), subjects)
    for i, row in enumerate(rows):
        table[i] = row
    return table


@dataclass
class Job:
    """One block over one population and one plan."""

    block: Block
    layout: Layout
    plan: Plan
    table: np.ndarray
    saves: int
    windows: int
    limits: np.ndarray  # (count, threshold, subject)
    state: np.ndarray | None = None
    ladder: tuple[Setting, ...] = ()

    def run(self, tolerance: float, threads: int) -> Seen:
        """Integrate everyone, stricter where it fails, with more room where crossings overflow."""
        room = CROSSINGS
        while True:
            seen = self._attempt(tolerance, threads, room)
            if seen.crossings[:, :, 0].max(initial=0.0) <= room:
                return seen
            room = 2 * int(seen.crossings[:, :, 0].max())

    def _attempt(self, tolerance: float, threads: int, room: int) -> Seen:
        subjects = self.table.shape[1]
        counts, thresholds = self.limits.shape[:2]
        outputs = len(self.block.outputs)
        lay = self.layout
        modes, drugs = len(lay.rates), len(self.block.exposures)
        state = aligned(lay.states + modes + 2 * drugs + len(self.block.inputs), subjects)
        if self.state is not None:
            state[:] = self.state
        else:
            state[: lay.states] = self.table[lay.start :]
        initial = state.copy()
        seen = Seen(
            out=aligned(self.saves, outputs, subjects, value=np.nan),
            lows=aligned(self.windows, counts, 2, subjects, value=np.nan),
            crossings=aligned(counts, thresholds, room + 1, subjects),
            state=state,
            report=np.zeros((subjects // WIDTH, 3)),
        )
        groups = np.arange(subjects // WIDTH)
        for setting in self.ladder or ladder(self.block, tolerance):
            columns = (groups[:, None] * WIDTH + np.arange(WIDTH)).ravel()
            state[:, columns] = initial[:, columns]
            seen.crossings[..., columns] = 0.0
            self._solve(setting, groups, seen, room, threads)
            groups = np.flatnonzero(seen.report[:, 0] != 0)
            if not len(groups):
                break
        return seen

    def alone(self, subject: int, tolerance: float) -> Job:
        """Return the job of one subject in all lanes, at the last setting: who fails there fails for good."""
        columns = np.full(WIDTH, subject)
        plan_ = self.plan
        return replace(
            self,
            plan=replace(
                plan_, spans=plan_.spans[subject // WIDTH : subject // WIDTH + 1], amount=plan_.amount[:, columns]
            ),
            table=self.table[:, columns],
            limits=self.limits[:, :, columns],
            state=None if self.state is None else self.state[:, columns],
            ladder=ladder(self.block, tolerance)[-1:],
        )

    def _solve(self, setting: Setting, groups: np.ndarray, seen: Seen, room: int, threads: int) -> None:
        compiled = program(self.block, setting.method)
        subjects = self.table.shape[1]
        thresholds = self.limits.shape[1]
        watched = (thresholds, room, self.limits.reshape(-1), seen.lows.reshape(-1), seen.crossings.reshape(-1))

        sizes = compiled.rows(len(setting.sizes))
        at = np.cumsum([0, *sizes])[:-1] * WIDTH

        def call(part: tuple[int, int]) -> None:
            scratch = aligned(sum(sizes) * WIDTH)
            compiled.solve(
                part[0], part[1], self.plan.spans, self.plan.arrays, self.table.reshape(-1), seen.state.reshape(-1),
                self.plan.amount.reshape(-1), subjects, setting.sizes, setting.rtol, watched, seen.out.reshape(-1),
                seen.report.reshape(-1), scratch, at,
            )  # fmt: skip

        whole = len(groups) == subjects // WIDTH
        if whole:
            size = max(8, -(-len(groups) // (8 * threads)))
            parts = [(i, min(i + size, len(groups))) for i in range(0, len(groups), size)]
        else:
            parts = [(int(i), int(i) + 1) for i in groups]
        call(parts[0])  # compiles or loads, once
        if len(parts) == 1:
            return
        if threads == 1:
            for part in parts[1:]:
                call(part)
            return
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(call, parts[1:]))
