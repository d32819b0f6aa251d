"""All event logic, before any kernel runs: from doses, saves and windows to stops and actions.

A stop is a time at which something discontinuous happens or a value is wanted. Within a group of lanes all subjects share
their stops; where a lag or the duration of an absorption differs between subjects, each group gets stops of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from myelosim.components import lineages, pk
from myelosim.engine.block import TABLE, Block, values
from myelosim.engine.lanes import WIDTH, aligned
from myelosim.spec.dosing import dose_channel, dose_factor
from myelosim.spec.model import Drug, Lineage, Model
from myelosim.spec.regimen import DoseEvent

BOLUS, INFUSE, BOLUS_STATE, INFUSE_STATE, TABLE_VALUE, RESET, CELLS, LOSS, CHANGE = range(9)
MERGE = 1e-9  # hours under which two times are one

Key = tuple[Any, ...]


@dataclass(frozen=True)
class Action:
    """What happens at one time: ``row`` names an amount per subject, multiplied by ``factor``."""

    time: Any  # float, or array over subjects
    kind: int
    drug: str
    channel: str
    row: Key
    factor: float = 1.0


@dataclass
class Given:
    """Amounts of each event for each subject, in the place of the events' own, and where they go."""

    amounts: np.ndarray  # (subject, event)
    places: dict[int, tuple[Key, Any, float]] = field(
        default_factory=dict
    )  # event -> key of its row, row and factor of an amount

    def row(self, event: int) -> tuple[Key, Any]:
        """Return the key and the row of an event; the product is rounded as that of a shared amount is."""
        key, row, factor = self.places[event]
        return key, row * (self.amounts[:, event] * factor)


@dataclass
class Agenda:
    """What events do, and the amounts per subject that they refer to.

    ``p`` maps parameter names to individual values, ``who`` holds covariates (weight in kg, surface in m2). With ``given``
    amounts each event has a row of its own.
    """

    model: Model
    p: Mapping[str, Any]
    who: Mapping[str, Any]
    given: Given | None = None
    rows: dict[Key, Any] = field(default_factory=dict)
    period: int = 0

    def of(self, number: int, event: DoseEvent) -> list[Action]:
        """Return what an event does."""
        act = {"transfusion": self._transfusion, "draw": self._draw}.get(event.kind, self._dose)
        return act(number, event)

    def _row(self, number: int, event: DoseEvent, key: Key, row: Any, factor: float = 1.0) -> tuple[Key, float]:
        """Put down what an amount of an event is multiplied by; return the key of the row and the action's factor."""
        amount = event.amount * factor
        key = (*key, self.period)
        if self.given is not None:
            self.given.places[number] = (number, *key), row, factor
            key, row = self.given.row(number)
            amount = 1.0
        self.rows[key] = row
        return key, amount

    def _dose(self, number: int, event: DoseEvent) -> list[Action]:
        p, drug, channel = self.p, self.model.drugs[event.drug], dose_channel(event, self.model)
        module = pk.KINDS[drug.kind]
        absorbed = channel != "central" or not (event.channel or (event.route or drug.default_route) == "iv")
        factor, measure = dose_factor(event, self.model)
        row: Any = self.who[measure] if measure else 1.0
        time: Any = event.time
        if absorbed:
            time = time + p.get(f"{drug.name}.tlag", 0.0)
        if not hasattr(module, "modes"):
            row = row * module.dose(_own(drug, module, p), drug.structure)[channel]  # holds a depot's bioavailability
        if absorbed and (hasattr(module, "modes") or channel == "central"):
            row = row * p.get(f"{drug.name}.f", 1.0)
        duration: Any = event.duration
        if event.modelled or (absorbed and drug.structure.get("absorption") == "zero_order" and not duration):
            duration = p[f"{drug.name}.duration"]
        bolus, infuse = (BOLUS, INFUSE) if hasattr(module, "modes") else (BOLUS_STATE, INFUSE_STATE)
        key: Key = (drug.name, channel, measure, absorbed)
        if not np.any(duration):
            return [Action(time, bolus, drug.name, channel, *self._row(number, event, key, row, factor))]
        key = (*key, duration if np.ndim(duration) == 0 else "personal")
        key, amount = self._row(number, event, key, row / duration, factor)
        return [
            Action(time, infuse, drug.name, channel, key, amount),
            Action(time + duration, infuse, drug.name, channel, key, -amount),
        ]

    def _transfusion(self, number: int, event: DoseEvent) -> list[Action]:
        """Add donors' cells to a lineage; the amount is in units."""
        lineage = self.model.lineages[event.drug]
        module = lineages.KINDS[lineage.kind]
        row = module.transfusion(_own(lineage, module, self.p))
        donors = str(module.donors(lineage.structure))
        return [
            Action(event.time, CELLS, lineage.name, donors, *self._row(number, event, ("cells", lineage.name), row))
        ]

    def _draw(self, number: int, event: DoseEvent) -> list[Action]:
        """Take a fraction of all that circulates."""
        key, amount = self._row(number, event, ("blood",), 1.0)
        return [
            Action(event.time, LOSS, name, str(state), key, amount)
            for name, lineage in self.model.lineages.items()
            for state in lineages.KINDS[lineage.kind].circulating(lineage.structure)
        ]


def actions(
    model: Model,
    events: Sequence[DoseEvent],
    p: Mapping[str, Any],
    who: Mapping[str, Any],
    given: Given | None = None,
    at: Callable[[DoseEvent], tuple[Any, Any, int]] | None = None,
) -> tuple[list[Action], dict[Key, Any]]:
    """Return what single dose events do, and the amounts per subject that they refer to; see :class:`Agenda`.

    ``at`` gives parameters, covariates and their period where they change from event to event.
    """
    agenda, done, resets = Agenda(model, p, who, given), list[Action](), list[float]()
    for number, event in enumerate(events):
        if at is not None:
            agenda.p, agenda.who, agenda.period = at(event)
        if event.kind in ("reset", "reset_dose") and not event.steady_state:  # which replaces what was there
            done = _forgotten(done, event.time, agenda.rows)
            agenda.rows[("one",)] = 1.0
            done.append(Action(event.time, RESET, "", "", ("one",)))
            resets.append(event.time)
        if event.kind not in ("reset", "other"):
            done += agenda.of(number, event)
    for name, drug in model.drugs.items():
        if drug.kind == TABLE:
            done += _table(name, drug, agenda.rows, resets)
    return done, agenda.rows


def _forgotten(done: Sequence[Action], time: float, rows: dict[Key, Any]) -> list[Action]:
    """Return the actions without those a reset forestalls: doses that lag, ends of infusions."""
    kept = []
    for a in done:
        before = np.asarray(a.time) < time
        if np.all(before):
            kept.append(a)
        elif np.any(before):
            row = (*a.row, "before", time)
            rows[row] = np.where(before, rows[a.row], 0.0)
            kept.append(replace(a, row=row))
    return kept


def _own(part: Drug | Lineage, module: Any, p: Mapping[str, Any]) -> Any:
    return values(part.name, [d.name for d in module.parameters(part.structure)], p)


def _table(name: str, drug: Drug, rows: dict[Key, Any], resets: Sequence[float]) -> list[Action]:
    """Return the pieces of a measured course; a reset, which clears all exposures, leaves it as it was."""
    assert drug.table is not None
    times, given = np.asarray(drug.table["times"], float), np.asarray(drug.table["values"], float)
    rule = drug.table["interpolation"]
    done = []
    for time in np.unique([*times, *resets]):
        i = int(np.searchsorted(times, time, side="right")) - 1
        last = i + 1 == len(times)
        level = given[min(i + 1, len(times) - 1)] if rule == "next" else given[i]
        if last and drug.table.get("after") == "zero":
            level = 0.0
        rise = 0.0 if rule != "linear" or last else (given[i + 1] - given[i]) / (times[i + 1] - times[i])
        rows[(name, "level", time)], rows[(name, "slope", time)] = level + rise * (time - times[i]), rise
        done += [
            Action(time, TABLE_VALUE, name, "level", (name, "level", time)),
            Action(time, TABLE_VALUE, name, "slope", (name, "slope", time)),
        ]
    return done


@dataclass(frozen=True)
class Plan:
    """Stops of a block for all groups, and the amounts they refer to."""

    spans: np.ndarray  # (group, 2): first stop, one past the last
    stop: np.ndarray  # h
    save: np.ndarray  # slot, or -1
    window: np.ndarray  # window that begins or goes on here, or -1
    act_from: np.ndarray
    act_kind: np.ndarray
    act_target: np.ndarray
    act_row: np.ndarray
    act_factor: np.ndarray
    amount: np.ndarray  # (row, subject)
    index: Mapping[Any, int]  # key -> row; (key, lane) where subjects have times of their own

    def put(self, key: Key, row: Any) -> None:
        """Change the amounts of a row for what is still to come."""
        if key in self.index:
            self.amount[self.index[key]] = row
        for lane in range(WIDTH):
            if (key, lane) in self.index:
                self.amount[self.index[key, lane], lane::WIDTH] = row[lane::WIDTH]

    def legs(self, since: float, until: float) -> np.ndarray:
        """Return a leg by group: first stop, one past its last, whether any came before, whether it ends the run, first column."""
        spans, own = np.unique(self.spans, axis=0, return_inverse=True)
        legs = []
        for first, end in spans.tolist():
            a, b = np.searchsorted(self.stop[first:end], (since - MERGE, until - MERGE)).tolist()
            legs.append((first + a, min(first + b + 1, end), a > 0, first + b >= end))
        return np.column_stack([np.array(legs, int)[own.ravel()], WIDTH * np.arange(len(own))])

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What the kernel takes as ``plan``."""
        return (
            self.stop,
            self.act_factor,
            self.save,
            self.window,
            self.act_from,
            self.act_kind,
            self.act_target,
            self.act_row,
        )


def plan(
    block: Block,
    done: Sequence[Action],
    rows: Mapping[Key, Any],
    times: np.ndarray,
    windows: Sequence[tuple[float, float]],
    subjects: int,
) -> Plan:
    """Lay out the stops of a block for ``subjects`` subjects, a multiple of the lanes' width.

    ``times`` (h, increasing) are saved in this order; ``windows`` (h) follow one another.
    """
    drugs = {d.name for d in block.exposures} | {part.name for part in (*block.drugs, *block.lineages)}
    mine = [a for a in done if a.kind == RESET or a.drug in drugs]
    index: dict[Any, int] = {}
    amounts: list[Any] = []
    shared: list[tuple[float, int, int, int, float]] = []
    personal: list[tuple[Any, int, int, int, float]] = []

    def row_of(key: Any, own: Any) -> int:
        if key not in index:
            index[key] = len(amounts)
            amounts.append(own)
        return index[key]

    for a in sorted(mine, key=lambda a: a.kind != RESET):
        aim = target(block, a)
        if np.ndim(a.time) == 0:
            shared.append((float(a.time), a.kind, aim, row_of(a.row, rows[a.row]), a.factor))
            continue
        for lane in range(WIDTH):
            alone = np.where(np.arange(subjects) % WIDTH == lane, rows[a.row], 0.0)
            personal.append((a.time[lane::WIDTH], a.kind, aim, row_of((a.row, lane), alone), a.factor))
    groups = subjects // WIDTH
    if personal:
        each = [_stops([*shared, *((float(x[0][i]), *x[1:]) for x in personal)], times, windows) for i in range(groups)]
        ends = np.cumsum([len(one[0]) for one in each])
        spans = np.stack([np.r_[0, ends[:-1]], ends], axis=1)
    else:
        each = [_stops(shared, times, windows)]
        spans = np.tile(np.array([[0, len(each[0][0])]]), (groups, 1))
    amount = aligned(max(len(amounts), 1), subjects)
    for i, own in enumerate(amounts):
        amount[i] = own
    stop, save, window, act_from, kind, targets, row, factor = _joined(each)
    return Plan(spans, stop, save, window, act_from, kind, targets, row, factor, amount, index)


def target(block: Block, action: Action) -> int:
    """Return the channel, state or exposure that an action is done to."""
    if action.kind == RESET:
        return 0
    if action.kind in (CELLS, LOSS):
        return next(part.first for part in block.lineages if part.name == action.drug) + int(action.channel)
    names = [d.name for d in block.exposures]
    if action.kind == TABLE_VALUE:
        return names.index(action.drug) + (len(names) if action.channel == "slope" else 0)
    if action.kind in (BOLUS_STATE, INFUSE_STATE):
        ways = [(drug, channel) for drug, channel, _ in block.inputs]
        way = ways.index((action.drug, action.channel))
        return block.inputs[way][2] if action.kind == BOLUS_STATE else way
    channels = [(d.name, c) for d in block.exposures if d.kind != TABLE for c in pk.KINDS[d.kind].channels(d.structure)]
    return channels.index((action.drug, action.channel))


def _stops(
    acts: Sequence[tuple[float, int, int, int, float]], times: np.ndarray, windows: Sequence[tuple[float, float]]
) -> Any:
    edges = [edge for window in windows for edge in window]
    end = max([*times[-1:], *edges])
    every = np.unique(np.concatenate([[0.0], [a[0] for a in acts], times, edges]))
    every = every[(every >= 0) & (every <= end + MERGE)]
    stop = every[np.r_[True, np.diff(every) > MERGE]]

    def nearest(time: Any) -> Any:
        return np.searchsorted(stop, np.asarray(time) + MERGE, side="right") - 1

    saved = nearest(times)
    copies = np.maximum(np.bincount(saved, minlength=len(stop)), 1)  # a stop holds one save
    first = np.cumsum(copies) - copies
    save = np.full(copies.sum(), -1)
    save[first[saved] + np.arange(len(times)) - np.searchsorted(saved, saved)] = np.arange(len(times))
    window = np.full(len(save), -1)
    for i, (begin, finish) in enumerate(windows):
        window[first[nearest(begin)] : first[nearest(finish)]] = i
    kept = [a for a in acts if 0 <= a[0] <= end + MERGE]
    where = first[nearest([a[0] for a in kept])] if kept else np.zeros(0, int)
    order = np.argsort(where, kind="stable")
    act_from = np.searchsorted(where[order], np.arange(len(save) + 1))
    columns = [np.array([kept[i][k] for i in order], float if k == 4 else int) for k in (1, 2, 3, 4)]
    return np.repeat(stop, copies), save, window, act_from, *columns


def _joined(each: Sequence[Any]) -> tuple[np.ndarray, ...]:
    stop, save, window, _, kind, target, row, factor = (np.concatenate([one[k] for one in each]) for k in range(8))
    offset = np.cumsum([0] + [one[3][-1] for one in each])
    act_from = np.concatenate([one[3][:-1] + base for one, base in zip(each, offset[:-1], strict=True)] + [offset[-1:]])
    return stop, save, window, act_from, kind, target, row, factor
