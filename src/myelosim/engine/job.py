"""One block over one population: the settings it is tried with, its inputs, its threads."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np

from myelosim.components import pk
from myelosim.engine import block as equations
from myelosim.engine import cache, emit, stepper
from myelosim.engine.block import TABLE, Block
from myelosim.engine.emit import Layout
from myelosim.engine.lanes import WIDTH, aligned
from myelosim.engine.timeline import Plan

DAY = 24.0
CROSSINGS = 24  # crossings kept per threshold before a run is repeated with room for more
FREE, RECORD, REPLAY = 0, 1, 2  # what is done about the steps; see kernel.driver
TIGHT = 1e-7  # tolerance under which the higher-order pair pays


@dataclass(frozen=True)
class Setting:
    """How finely a block is integrated: local tolerance per step, the longest step, and how often that may be halved."""

    method: str
    rtol: float
    halvings: int
    longest: float = DAY

    @property
    def sizes(self) -> np.ndarray:
        """Step sizes in hours."""
        return self.longest * 0.5 ** np.arange(self.halvings + 1)

    @property
    def opening(self) -> tuple[int, int]:
        """Which sizes to begin with, and after a dose."""
        return min(2, self.halvings), min(4, self.halvings)


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
    """What a block's run has given so far, over padded subjects."""

    out: np.ndarray  # (time, output, subject)
    lows: np.ndarray  # (window, count, 2, subject)
    crossings: np.ndarray  # (count, threshold, 1 + slot, subject)
    state: np.ndarray
    report: np.ndarray  # (group, 5): status, time reached (h), steps, step sizes to go on with
    rung: np.ndarray  # (group,): which setting of the ladder it has come to
    failed: dict[int, tuple[int, float]] = field(default_factory=dict)  # subject -> status, time reached (h)

    def of(self, columns: np.ndarray) -> Seen:
        """Return a copy for one group of these subjects."""
        out, lows, crossings, state = (
            _copied(rows[..., columns]) for rows in (self.out, self.lows, self.crossings, self.state)
        )
        group = columns[:1] // WIDTH
        return Seen(out, lows, crossings, state, self.report[group], self.rung[group])

    def before(self) -> Seen:
        """Return a copy of what the next leg will change and a repetition must find again."""
        return replace(
            self, lows=self.lows.copy(), state=self.state.copy(), crossings=self.crossings[:, :, :1].copy(),
            report=self.report.copy(), rung=self.rung.copy(),
        )  # fmt: skip

    def put(self, columns: np.ndarray, other: Seen, there: np.ndarray | slice) -> None:
        """Take over what another run saw of some subjects, but for what it saved."""
        self.lows[..., columns] = other.lows[..., there]
        self.state[..., columns] = other.state[..., there]
        self.crossings[:, :, : other.crossings.shape[2], columns] = other.crossings[..., there]

    def widen(self) -> None:
        """Make room for more crossings."""
        counts, thresholds, slots, subjects = self.crossings.shape
        wider = aligned(counts, thresholds, 2 * slots, subjects)
        wider[:, :, :slots] = self.crossings
        self.crossings = wider


def _copied(rows: np.ndarray) -> np.ndarray:
    copy = aligned(*rows.shape)
    copy[:] = rows
    return copy


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
    tape: np.ndarray = field(default_factory=lambda: np.zeros((1, 1)))  # steps taken, by subject
    mode: int = FREE

    def run(self, tolerance: float, threads: int) -> Seen:
        """Integrate everyone from the first stop to the last."""
        seen = self.begin()
        self.advance(seen, tolerance, threads)
        return seen

    def begin(self) -> Seen:
        """Return what is seen before anything happened."""
        subjects = self.plan.amount.shape[1]
        counts, thresholds = self.limits.shape[:2]
        lay = self.layout
        groups = subjects // WIDTH
        state = aligned(lay.states + len(lay.rates) + 2 * len(self.block.exposures) + len(self.block.inputs), subjects)
        if self.state is not None:
            state[:] = self.state
        else:
            state[: lay.states] = self.table[lay.start :]
        return Seen(
            out=aligned(self.saves, len(self.block.outputs), subjects, value=np.nan),
            lows=aligned(self.windows, counts, 2, subjects, value=np.nan),
            crossings=aligned(counts, thresholds, CROSSINGS + 1, subjects),
            state=state,
            report=np.zeros((groups, 5)),
            rung=np.full(groups, -1),
        )

    def advance(
        self, seen: Seen, tolerance: float, threads: int, since: float = -np.inf, until: float = np.inf
    ) -> None:
        """Integrate everyone from one hour of the plan to another: stricter where it fails, alone where that fails too.

        What happens at ``until`` is left to the next leg.
        """
        rungs = self.ladder or ladder(self.block, tolerance)
        legs = self.plan.legs(since, until)
        everyone = np.arange(self.table.shape[1])
        columns = everyone.reshape(-1, WIDTH)
        while True:
            before = seen.before()
            waiting = np.arange(len(legs))
            for rung, setting in enumerate(rungs):
                now = waiting[seen.rung[waiting] <= rung]
                new = now[seen.rung[now] < rung]
                seen.rung[new], seen.report[new, 3:] = rung, setting.opening
                self.solve(setting, now, legs, seen, threads)
                failed = now[seen.report[now, 0] != 0]
                seen.put(columns[failed].ravel(), before, columns[failed].ravel())
                waiting = np.union1d(waiting[seen.rung[waiting] > rung], failed)
            if seen.crossings[:, :, 0].max(initial=0.0) < seen.crossings.shape[2]:
                break
            seen.put(everyone, before, everyone)
            seen.report, seen.rung = before.report, before.rung
            seen.widen()
        for group in waiting.tolist():
            self._alone(seen, group, legs, rungs[-1])

    def _alone(self, seen: Seen, group: int, legs: np.ndarray, setting: Setting) -> None:
        """Integrate the members of a group over a leg each by itself; who fails there fails for good."""
        opened = seen.of(np.arange(group * WIDTH, (group + 1) * WIDTH))
        leg = legs[group : group + 1] * (np.arange(5) < 4)  # of a table of its own, from the first column on
        for lane in range(WIDTH):
            subject, columns = group * WIDTH + lane, np.full(WIDTH, group * WIDTH + lane)
            job = replace(
                self, plan=replace(self.plan, amount=_copied(self.plan.amount[:, columns])), table=_copied(self.table[:, columns]),
                limits=_copied(self.limits[:, :, columns]),
            )  # fmt: skip
            own = opened.of(np.full(WIDTH, lane))
            job.solve(setting, np.zeros(1, int), leg, own, 1)
            seen.out[:, :, subject] = own.out[:, :, 0]
            seen.put(np.array([subject]), own, slice(0, 1))
            if own.report[0, 0]:
                seen.failed.setdefault(subject, (int(own.report[0, 0]), float(own.report[0, 1])))
                seen.lows[..., subject] = np.nan
        seen.report[group, 0] = 0

    def solve(self, setting: Setting, groups: np.ndarray, legs: np.ndarray, seen: Seen, threads: int) -> None:
        """Integrate some groups over their legs with one setting."""
        if not len(groups):
            return
        compiled = program(self.block, setting.method)
        subjects = seen.state.shape[1]
        room = seen.crossings.shape[2] - 1
        watched = (
            self.limits.shape[1],
            room,
            self.limits.reshape(-1),
            seen.lows.reshape(-1),
            seen.crossings.reshape(-1),
        )
        sizes = compiled.rows(len(setting.sizes))
        at = np.cumsum([0, *sizes])[:-1] * WIDTH

        def call(part: tuple[int, int]) -> None:
            scratch = aligned(sum(sizes) * WIDTH)
            compiled.solve(
                part[0], part[1], legs, self.plan.arrays, self.table.reshape(-1), self.table.shape[1],
                seen.state.reshape(-1), self.plan.amount.reshape(-1), subjects, setting.sizes, setting.rtol, watched,
                seen.out.reshape(-1), seen.report.reshape(-1), scratch, at, self.tape, self.mode,
            )  # fmt: skip

        size = len(groups) if threads == 1 else max(8, -(-len(groups) // (8 * threads)))
        runs = np.split(groups, np.flatnonzero(np.diff(groups) > 1) + 1)  # of groups that follow each other
        parts = [(i, min(i + size, run[-1] + 1)) for run in (run.tolist() for run in runs) for i in run[::size]]
        call(parts[0])  # compiles or loads, once
        if len(parts) == 1:
            return
        if threads == 1:
            for part in parts[1:]:
                call(part)
            return
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(call, parts[1:]))
