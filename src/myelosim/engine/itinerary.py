"""The stops of subjects who each have doses, looks and parameter changes at hours of their own.

At one hour a stop may be passed up to three times: before the doses, for what was looked at before them; with the doses, and the
changes that hold from that hour on; and for the changes that hold only after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from myelosim.engine.block import Block
from myelosim.engine.lanes import WIDTH, aligned
from myelosim.engine.timeline import CHANGE, INFUSE, MERGE, RESET, Action, Key, Plan, actions, target
from myelosim.spec.model import Model
from myelosim.spec.regimen import DoseEvent

BEFORE, WITH, AFTER = 0, 1, 2


@dataclass(frozen=True)
class Person:
    """One subject: single doses in order of time, hours looked at, and hours from which other parameters hold.

    ``after`` says which looks are after the doses of their hour. The first of ``starts`` is the beginning; ``closed`` says which
    of the periods before a start include its very hour. ``tables`` holds measured concentrations by drug.
    """

    events: tuple[DoseEvent, ...]
    hours: np.ndarray
    after: np.ndarray
    starts: np.ndarray = field(default_factory=lambda: np.zeros(1))
    closed: np.ndarray = field(default_factory=lambda: np.zeros(1, bool))
    tables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def period(self, hour: float) -> int:
        """Return the period that an hour belongs to."""
        begun = np.where(self.closed[1:], hour > self.starts[1:] + MERGE, hour >= self.starts[1:] - MERGE)
        return int(np.count_nonzero(begun))


@dataclass(frozen=True)
class Itinerary:
    """Stops of all subjects one after the other; ``amounts`` (row, subject, lane or 1)."""

    spans: np.ndarray
    columns: tuple[np.ndarray, ...]  # stop, save, act_from, kind, target, row, factor
    amounts: np.ndarray
    slots: int

    def plan(self, groups: int) -> Plan:
        """Return the plan of so many groups of lanes for each subject."""
        stop, save, act_from, kind, aim, row, factor = self.columns
        rows, people, lanes = self.amounts.shape
        amount = aligned(rows, groups, people, WIDTH)
        if lanes == 1:
            amount[:] = self.amounts[:, None]
        else:
            wide = np.concatenate(
                [self.amounts, np.repeat(self.amounts[:, :, :1], groups * WIDTH - lanes, axis=2)], axis=2
            )
            amount[:] = np.moveaxis(wide.reshape(rows, people, groups, WIDTH), 2, 1)
        spans = np.tile(self.spans, (groups, 1))
        window = np.full(len(stop), -1)
        return Plan(spans, stop, save, window, act_from, kind, aim, row, factor, amount.reshape(rows, -1), {})


class _At(Mapping[str, Any]):
    """What holds for one subject in one period: a number, or an array over lanes where they differ."""

    def __init__(self, values: Mapping[str, Any], row: int, read: set[str]) -> None:
        self.values_, self.row, self.read = values, row, read

    def __getitem__(self, name: str) -> Any:
        value = self.values_[name]
        self.read.add(name)
        if np.ndim(value) == 0:
            return float(value)
        own = np.asarray(value, float)[self.row]
        return float(own.flat[0]) if np.all(own == own.flat[0]) else own

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


def itinerary(
    model: Model, block: Block, people: Sequence[Person], first: np.ndarray, values: Mapping[str, Any],
    covariates: Mapping[str, np.ndarray],
) -> tuple[Itinerary, set[str]]:  # fmt: skip
    """Lay out the stops of a block for everybody; also return the parameters that doses were found to depend on.

    ``values`` are over the periods of all subjects, of which ``first`` begins each one's own.
    """
    read: set[str] = set()
    about = {name: value for name, value in covariates.items() if np.asarray(value).dtype.kind == "f"}
    each = []
    for i, person in enumerate(people):
        own = replace(model, drugs={n: replace(d, table=person.tables.get(n, d.table)) for n, d in model.drugs.items()})

        def at(event: DoseEvent, i: int = i, person: Person = person) -> tuple[Any, Any, int]:
            period = person.period(event.time)
            row = int(first[i]) + period
            return _At(values, row, read), _At(about, row, set()), period

        done, rows = actions(own, person.events, {}, {}, at=at)
        each.append(_laid_out(block, person, [*((WITH, a) for a in done), *_changes(person, done, rows)], rows))
    counts = [len(one[1]) for one in each]
    lanes = max((np.size(row) for one in each for row in one[0]), default=1)
    amounts = np.zeros((max((len(one[0]) for one in each), default=0) or 1, len(people), lanes))
    for i, (rows_, *_) in enumerate(each):
        for k, row in enumerate(rows_):
            amounts[k, i] = row
    ends = np.cumsum(counts)
    spans = np.stack([np.r_[0, ends[:-1]], ends], axis=1)
    stop, save, kind, aim, row, factor = (np.concatenate([one[k] for one in each]) for k in (1, 2, 4, 5, 6, 7))
    offset = np.cumsum([0] + [one[3][-1] for one in each])
    act_from = np.concatenate([one[3][:-1] + base for one, base in zip(each, offset[:-1], strict=True)] + [offset[-1:]])
    slots = max((len(person.hours) for person in people), default=0)
    return Itinerary(spans, (stop, save, act_from, kind, aim, row, factor), amounts, slots), read


def _changes(person: Person, done: Sequence[Action], rows: dict[Key, Any]) -> list[tuple[int, Action]]:
    """Return the changes of parameters; an infusion that is running stops with the old ones and goes on with the new."""
    changed: list[tuple[int, Action]] = []
    rows["one",] = 1.0
    for period in range(1, len(person.starts)):
        time = float(person.starts[period])
        off, on = list[Action](), list[Action]()
        for start, end in _infusions(done):
            running = (np.asarray(start.time) <= time + MERGE) & (np.asarray(end) > time + MERGE)
            if np.any(running):
                key = (*start.row, "running", period, len(on))
                rows[key] = np.where(running, rows[start.row], 0.0)
                off.append(replace(start, time=time, row=key, factor=-start.factor))
                on.append(replace(start, time=time, row=key))
        phase = AFTER if person.closed[period] else WITH
        changed += [(phase, a) for a in (*off, Action(time, CHANGE, "", str(period), ("one",)), *on)]
    return changed


def _infusions(done: Sequence[Action]) -> list[tuple[Action, Any]]:
    """Return the infusions into modes and when each ends: with its own action, or with the reset that forestalls that."""
    found = []
    for k, a in enumerate(done):
        if a.kind != INFUSE or a.factor <= 0:
            continue
        follows = done[k + 1] if k + 1 < len(done) else None
        if follows is not None and follows.kind == INFUSE and follows.factor == -a.factor and follows.row == a.row:
            found.append((a, follows.time))
        else:
            resets = [b.time for b in done[k + 1 :] if b.kind == RESET]
            found.append((a, min(resets, default=np.inf)))
    return found


def _laid_out(
    block: Block, person: Person, done: Sequence[tuple[int, Action]], rows: Mapping[Key, Any]
) -> tuple[Any, ...]:  # fmt: skip
    """Return amounts, and the columns of the stops of one subject."""
    drugs = {d.name for d in block.exposures} | {part.name for part in (*block.drugs, *block.lineages)}
    end = float(max(person.hours, default=0.0))
    acts: list[tuple[float, int, int, int, int, float]] = []
    index: dict[Key, int] = {}
    amounts: list[Any] = []

    def add(key: Key, row: Any, time: float, phase: int, action: Action) -> None:
        if not -MERGE <= time <= end + MERGE:
            return
        if key not in index:
            index[key] = len(amounts)
            amounts.append(row)
        aim = WIDTH * int(action.channel) if action.kind == CHANGE else target(block, action)
        acts.append((max(time, 0.0), phase, action.kind, aim, index[key], action.factor))

    for number, (phase, a) in enumerate(done):
        if a.kind not in (RESET, CHANGE) and a.drug not in drugs:
            continue
        if np.ndim(a.time) == 0:
            add(a.row, rows[a.row], float(a.time), phase, a)
            continue
        for time in np.unique(a.time):
            add((*a.row, "at", number, float(time)), np.where(a.time == time, rows[a.row], 0.0), float(time), phase, a)
    return amounts, *_stops(acts, person)


def _stops(acts: Sequence[tuple[float, int, int, int, int, float]], person: Person) -> tuple[np.ndarray, ...]:
    """Return hours, saves and actions of the stops, each passed once."""
    hours = np.maximum(np.asarray(person.hours, float), 0.0)
    looks = np.where(person.after & (np.asarray(person.hours) >= 0), WITH, BEFORE)
    every = np.unique(np.concatenate([[0.0], [a[0] for a in acts], hours]))
    times = every[np.r_[True, np.diff(every) > MERGE]]

    def nearest(time: Any) -> Any:
        return np.searchsorted(times, np.asarray(time) + MERGE, side="right") - 1

    code = (
        3 * nearest([a[0] for a in acts]).astype(int) + np.array([a[1] for a in acts], int)
        if acts
        else np.zeros(0, int)
    )
    look = 3 * nearest(hours).astype(int) + looks
    passed = np.unique(np.concatenate([3 * np.arange(len(times)) + WITH, code, look]))
    save = np.full(len(passed), -1)
    save[np.searchsorted(passed, look)] = np.arange(len(hours))
    resets = np.array([a[2] != RESET for a in acts], bool)
    order = np.lexsort((np.arange(len(acts)), resets, code))
    act_from = np.searchsorted(code[order], passed)
    act_from = np.r_[act_from, len(acts)]
    columns = [np.array([acts[i][k] for i in order], float if k == 5 else int) for k in (2, 3, 4, 5)]
    return times[passed // 3], save, act_from, *columns
