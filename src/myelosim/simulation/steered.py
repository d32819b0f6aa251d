"""A run that a clinic steers: it goes from visit to visit, and what is decided there sets what is given next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from myelosim import engine
from myelosim.errors import SpecError
from myelosim.grading import Table
from myelosim.random import normals, uniforms
from myelosim.rules import Calendar, Clinic, Decider
from myelosim.simulation.observed import observe
from myelosim.spec.model import Model, observable
from myelosim.spec.regimen import DoseEvent
from myelosim.spec.rule import Conduct, Delay, Give, Rule, Transfuse

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

MOST_EVENTS = 20_000


@dataclass(frozen=True)
class Slot:
    """An event whose amount is decided on the way: planned, or given by a rule."""

    event: DoseEvent
    rule: str = ""
    action: Give | Transfuse | None = None

    @property
    def planned(self) -> bool:
        """Whether it is a dose of the plan, perhaps of a cycle put off."""
        return self.action is None and self.event.kind == "dose"


@dataclass
class Steered:
    """What a clinic did: personal amounts by event, visits and what was seen there, decisions, and days on hold."""

    slots: list[Slot]
    given: Floats  # (subject, event)
    planned: Floats  # (event,): amounts of the plan, 0 for what a rule may give
    visits: Floats  # hours
    count: dict[str, Floats]  # lineage -> (subject, visit), before what happens there
    observed: dict[str, Floats]  # likewise, NaN where nobody looked
    clinic: Clinic | None = None  # whose decisions they are; None where they are repeated
    held: Floats | None = None  # hours on hold (subject)

    @property
    def events(self) -> list[DoseEvent]:
        """The events, in order of time."""
        return [slot.event for slot in self.slots]


@dataclass(frozen=True)
class Visiting:
    """What a clinic needs to know of an arm: visits (h) of everybody, grading, lower limits, seed, and how it keeps to the plan."""

    visits: Floats
    table: Table
    lower: Mapping[str, float | None]
    seed: int
    draw: Floats | None = None  # fraction of the blood that a visit takes (subject)
    conduct: Conduct = field(default_factory=Conduct)
    subjects: NDArray[np.intp] | None = None  # who the rows are, where they are not subjects 0, 1, 2, ...


class Steering:
    """An arm under rules.

    Parameters
    ----------
    model : Model
        What is simulated.
    events : sequence of DoseEvent
        The plan: single doses.
    cycles : array
        Hours at which cycles begin.
    horizon : float
        Hours.
    rules : sequence of Rule or callable
        What is followed.
    visiting : Visiting
        Who looks when.
    start : mapping
        Lineage of the model -> count at time zero (subject).
    """

    def __init__(
        self, model: Model, events: Sequence[DoseEvent], cycles: Floats, horizon: float, rules: Sequence[Rule | Decider],
        visiting: Visiting, start: Mapping[str, Floats],
    ) -> None:  # fmt: skip
        self.model, self.visiting, self.horizon = model, visiting, horizon
        self.size = len(next(iter(start.values())))
        self.looks = _looks(rules, visiting.visits, horizon)
        doses = _planned(events)
        first = min((e.time for e in events), default=0.0)
        conduct = visiting.conduct
        self.subjects = np.arange(self.size) if visiting.subjects is None else visiting.subjects
        row = {int(who): k for k, who in enumerate(self.subjects)}
        signs = {
            s: {row[who]: [24.0 * d for d in days] for who, days in noted.items() if who in row}
            for s, noted in conduct.signs.items()
        }
        self.clinic = Clinic(
            rules, Calendar(doses, cycles, first, visiting.visits), list(model.drugs),
            {observable(name): count for name, count in start.items()}, visiting.table, visiting.lower, signs,
            _leaving(conduct.dropout, visiting.seed, self.subjects),
        )  # fmt: skip
        self.slots = self._slots(events, rules)
        self.times = np.array([slot.event.time for slot in self.slots])
        self.given = np.zeros((self.size, len(self.slots)))
        own = {id(event) for event in events}
        self.planned = np.array([s.event.amount if id(s.event) in own else 0.0 for s in self.slots])
        self.given[:] = self.planned

    def run(self, times: Floats, **options: Any) -> tuple[engine.Running, Steered]:
        """Run to the horizon; ``times`` (h) holds the visits, ``options`` are those of the engine."""
        running = engine.Running(
            self.model, [s.event for s in self.slots], times=times, given=self.given.copy(), **options
        )
        visits = Visits(self.model, self.visiting.seed, self.subjects)
        held, nobody = np.zeros(self.size), np.zeros(self.size, bool)
        self._decide(running, -np.inf, self.looks[0] if len(self.looks) else np.inf, nobody, held)
        for hour, then in pairwise([*self.looks, np.inf]):
            there = self.clinic.attends(hour)
            self.clinic.look(hour, visits.at(running, hour, there))
            self._decide(running, hour, then, there, held)
        running.advance()
        return running, Steered(
            self.slots, self.given, self.planned, self.looks, visits.count, visits.observed, self.clinic, held
        )

    def _decide(self, running: engine.Running, hour: float, then: float, there: Bools, held: Floats) -> None:
        """Set the amounts from one visit to the next, and count the hours on hold."""
        orders, end = self.clinic.orders, min(then, self.horizon)
        orders.now(hour)
        since, holding, changes = hour, orders.holding(), orders.changes
        first, last = np.searchsorted(self.times, (hour - 1e-9, then - 1e-9)).tolist()
        slots = [(self.times[i], i) for i in range(first, last)]
        for time, i in sorted(slots + [(time, -1) for time in orders.coming(end)]):
            if i < 0:
                orders.now(time)
            else:
                amounts = self._amounts(self.slots[i], there)
                if not np.array_equal(amounts, self.given[:, i]):
                    self.given[:, i] = amounts
                    running.give(i, amounts)
            if orders.changes != changes:
                held += (max(time, 0.0) - max(since, 0.0)) * holding
                since, holding, changes = time, orders.holding(), orders.changes
        held += max(0.0, end - max(since, 0.0)) * holding

    def _amounts(self, slot: Slot, there: Bools) -> Floats:
        event, clinic = slot.event, self.clinic
        if event.kind == "draw":
            assert self.visiting.draw is not None
            return np.where(there, self.visiting.draw, 0.0)
        if isinstance(slot.action, Transfuse):
            orders = clinic.orders.transfusions
            return sum(
                (o.units for o in orders if o.by == slot.action and abs(o.hour - event.time) < 1e-6),
                np.zeros(self.size),
            )
        if slot.action is None:
            return clinic.planned(event.drug, event.time) * self._kept(event)
        return clinic.course(slot.rule, slot.action, event.time) * self._kept(event)

    def _kept(self, event: DoseEvent) -> Floats | float:
        """Return what is really given of a dose, as a fraction (subject)."""
        conduct, seed = self.visiting.conduct, self.visiting.seed
        if not (conduct.missed or conduct.dose_cv):
            return 1.0
        label = (event.drug, event.time)
        spread = np.sqrt(np.log1p(conduct.dose_cv**2))
        rows, size = self.subjects, int(self.subjects.max()) + 1
        kept = np.exp(spread * normals(seed, "occasion", size, 1, "dose", *label, rows=rows)[:, 0] - 0.5 * spread**2)
        missed = uniforms(seed, "occasion", size, 1, "missed", *label, rows=rows)[:, 0] < conduct.missed
        return np.asarray(kept * ~missed)

    def _slots(
        self, events: Sequence[DoseEvent], rules: Sequence[Rule | Decider]
    ) -> list[Slot]:  # fmt: skip
        slots = [Slot(event) for event in events]
        for rule in (one for one in rules if isinstance(one, Rule)):
            decided = self.looks + rule.turnaround
            for action in rule.actions:
                if isinstance(action, Give):
                    hours = _again(decided, action.event.interval, self.horizon)
                    slots += [
                        Slot(replace(action.event, time=h, count=1, interval=0.0), rule.name, action) for h in hours
                    ]
                elif isinstance(action, Transfuse):
                    own = next(name for name in self.model.lineages if observable(name) == action.lineage)
                    hours = decided[decided <= self.horizon]
                    slots += [
                        Slot(DoseEvent(own, h, action.units, kind="transfusion"), rule.name, action) for h in hours
                    ]
                elif isinstance(action, Delay):
                    slots += _later([e for e in events if e.drug == action.drug], decided, self.horizon)
        if self.visiting.draw is not None:
            slots += [Slot(DoseEvent("blood", h, float(np.mean(self.visiting.draw)), kind="draw")) for h in self.looks]
        if len(slots) > MOST_EVENTS:
            raise SpecError(
                f"the rules may give {len(slots):,} doses, and {MOST_EVENTS:,} can be followed; look less often or end earlier"
            )
        return sorted(slots, key=lambda slot: slot.event.time)


def _leaving(dropout: float, seed: int, subjects: NDArray[np.intp]) -> Floats | None:
    """Return when subjects leave (h): at a constant rate, a fraction ``dropout`` within a year."""
    if not dropout:
        return None
    u = uniforms(seed, "dropout", int(subjects.max()) + 1, 1, rows=subjects)[:, 0]
    return np.asarray(24.0 * 365.25 * np.log(u) / np.log1p(-dropout))


class Visits:
    """What was there at each visit, and what was seen of it."""

    def __init__(self, model: Model, seed: int, subjects: NDArray[np.intp] | None) -> None:
        self.model, self.seed, self.subjects = model, seed, subjects
        self._count: dict[str, list[Floats]] = {name: [] for name in model.lineages}
        self._observed: dict[str, list[Floats]] = {name: [] for name in model.lineages}

    def at(self, running: engine.Running, hour: float, there: Bools) -> dict[str, Floats]:
        """Go on to a visit and return what is observed of whom, by lineage coordinate."""
        running.advance(hour)
        seen = {}
        for name, values in running.counts().items():
            count, called = np.where(there, values, np.nan), observable(name)
            seen[called] = observe(
                count[:, None], [hour], called, self.model.residual.get(called), self.seed, subjects=self.subjects
            )[:, 0]
            self._count[name].append(count)
            self._observed[name].append(seen[called])
        return seen

    @property
    def count(self) -> dict[str, Floats]:
        """Lineage of the model -> true counts (subject, visit), NaN where nobody looked."""
        return {name: np.stack(own, axis=1) for name, own in self._count.items() if own}

    @property
    def observed(self) -> dict[str, Floats]:
        """Lineage of the model -> observed counts, likewise."""
        return {name: np.stack(own, axis=1) for name, own in self._observed.items() if own}


class Replay:
    """The interventions of an earlier run, given as fixed on the same timeline.

    Parameters
    ----------
    model : Model
        What is simulated.
    ds : xarray.Dataset
        The earlier run's result, of one arm.
    seed : int
        The population's.
    subjects : array of int, optional
        Who the rows are, where they are not subjects 0, 1, 2, ...
    """

    def __init__(self, model: Model, ds: xr.Dataset, seed: int, subjects: NDArray[np.intp] | None = None) -> None:
        if "arm" in ds.dims:
            raise SpecError("interventions: the result holds several arms; pick one, ds.sel(arm=...)")
        missing = [n for n in ("dose_given", "dose_time", "dose_kind", "visit") if n not in ds.variables]
        if missing:
            raise SpecError(
                f"interventions: the result has no {missing[0]}; give one with visits, of simulate or compare"
            )
        ds = ds.isel(dose=ds["dose_time"].notnull().to_numpy())
        self.model, self.seed, self.subjects = model, seed, subjects
        columns = [
            ds[f"dose_{n}"].to_numpy().tolist()
            for n in ("drug", "time", "planned", "unit", "duration", "route", "kind")
        ]
        events = [
            DoseEvent(drug, 24.0 * day, planned, unit, duration, route, kind=kind)
            for drug, day, planned, unit, duration, route, kind in zip(*columns, strict=True)
        ]
        self.slots = [Slot(event) for event in events]
        self.given = np.ascontiguousarray(ds["dose_given"].transpose("subject", "dose").to_numpy())
        self.planned = np.array([e.amount for e in events])
        self.there = ds["observed"].notnull().any("lineage").transpose("subject", "visit").to_numpy()
        self.looks = 24.0 * ds["visit"].to_numpy()

    def run(self, times: Floats, **options: Any) -> tuple[engine.Running, Steered]:
        """Run to the horizon, as :meth:`Steering.run` does."""
        running = engine.Running(
            self.model, [s.event for s in self.slots], times=times, given=self.given.copy(), **options
        )
        visits = Visits(self.model, self.seed, self.subjects)
        for hour, there in zip(self.looks, self.there.T, strict=True):
            visits.at(running, hour, there)
        running.advance()
        return running, Steered(self.slots, self.given, self.planned, self.looks, visits.count, visits.observed)


def _looks(rules: Sequence[Rule | Decider], visits: Floats, horizon: float) -> Floats:
    """Return the hours at which somebody may have a visit: those of the calendar, and those that rules may add to any of them."""
    steps = {24.0 * rule.visits for rule in rules if isinstance(rule, Rule) and rule.visits is not None}
    if any(step % 24.0 for step in steps):  # twice weekly is every three or four days
        steps = {24.0}
    looks, new = set(np.round(visits, 6).tolist()), set(np.round(visits, 6).tolist())
    while new:
        new = {h + step for h in new for step in steps if h + step <= horizon + 1e-6} - looks
        looks |= new
    return np.array(sorted(looks))


def _planned(events: Sequence[DoseEvent]) -> dict[str, tuple[Floats, Floats]]:
    out: dict[str, tuple[Floats, Floats]] = {}
    for drug in dict.fromkeys(e.drug for e in events):
        own = [e for e in events if e.drug == drug]
        if any(e.kind != "dose" or e.steady_state for e in own):
            raise SpecError(f"{drug}: rules cannot steer resets and doses at steady state; give plain doses")
        times = np.array([e.time for e in own])
        if np.any(np.diff(times) < 1e-9):
            raise SpecError(
                f"{drug} is given twice at hour {times[:-1][np.diff(times) < 1e-9][0]:g}; rules need one dose at a time"
            )
        out[drug] = times, np.array([e.amount for e in own])
    return out


def _again(decided: Floats, interval: float, horizon: float) -> Floats:
    if not interval:
        return decided[decided <= horizon]
    hours = [np.arange(begin, horizon + 1e-6, interval) for begin in decided]
    return np.unique(np.round(np.concatenate([np.zeros(0), *hours]), 6))


def _later(events: Sequence[DoseEvent], decided: Floats, horizon: float) -> list[Slot]:
    """Return slots for doses of cycles put off: all that may follow a decision as one planned dose follows another."""
    if len({replace(e, time=0.0, amount=0.0) for e in events}) > 1:
        raise SpecError(f"{events[0].drug}: rules can put off only doses that are given alike")
    times = np.array([e.time for e in events])
    apart = np.unique(np.round(times[None, :] - times[:, None], 6))
    hours = np.unique(np.round(decided[:, None] + apart[apart >= 0], 6)) if len(events) else np.zeros(0)
    known = set(np.round(times, 6).tolist())
    return [Slot(replace(events[0], time=h)) for h in hours.tolist() if h <= horizon and h not in known]
