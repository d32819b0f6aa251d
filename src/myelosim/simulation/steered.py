"""A run that a clinic steers: it goes from visit to visit, and what is decided there sets what is given next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myelosim import engine
from myelosim.errors import SpecError
from myelosim.grading import Table
from myelosim.random import normals, uniforms
from myelosim.rules import Calendar, Clinic, Decider
from myelosim.simulation.observed import observe
from myelosim.spec.model import Model, observable
from myelosim.spec.regimen import DoseEvent
from myelosim.spec.rule import Conduct, Delay, Give, Rule

Floats = NDArray[np.float64]

MOST_EVENTS = 20_000


@dataclass(frozen=True)
class Slot:
    """An event whose amount is decided on the way: planned, or given by a rule."""

    event: DoseEvent
    rule: str = ""
    action: Give | None = None


@dataclass
class Steered:
    """What a clinic did: personal amounts by event, visits and what was seen there, decisions, and days on hold."""

    slots: list[Slot]
    given: Floats  # (subject, event)
    planned: Floats  # (event,): amounts of the plan, 0 for what a rule may give
    visits: Floats  # hours
    count: dict[str, Floats]  # lineage -> (subject, visit), before what happens there
    observed: dict[str, Floats]  # likewise, NaN where nobody looked
    clinic: Clinic
    held: Floats  # hours on hold (subject)

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
    conduct: Conduct = field(default_factory=Conduct)


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
        signs = {
            s: {who: [24.0 * d for d in days] for who, days in noted.items()} for s, noted in conduct.signs.items()
        }
        self.clinic = Clinic(
            rules, Calendar(doses, cycles, first, visiting.visits), list(model.drugs),
            {observable(name): count for name, count in start.items()}, visiting.table, visiting.lower, signs,
        )  # fmt: skip
        self.slots = self._slots(events, doses, cycles, rules)
        self.given = np.zeros((self.size, len(self.slots)))
        self.planned = np.array([0.0 if s.action or s.event not in events else s.event.amount for s in self.slots])
        self.given[:] = self.planned

    def run(self, times: Floats, **options: Any) -> tuple[engine.Running, Steered]:
        """Run to the horizon; ``times`` (h) holds the visits, ``options`` are those of the engine."""
        running = engine.Running(
            self.model, [s.event for s in self.slots], times=times, given=self.given.copy(), **options
        )
        seen: dict[str, list[Floats]] = {name: [] for name in self.model.lineages}
        count: dict[str, list[Floats]] = {name: [] for name in self.model.lineages}
        held = np.zeros(self.size)
        self._decide(running, -np.inf, self.looks[0] if len(self.looks) else np.inf, held)
        for hour, then in zip(self.looks, [*self.looks[1:], np.inf], strict=True):
            running.advance(hour)
            here = running.counts()
            there = self.clinic.attends(hour)
            observed = {}
            for name, values in here.items():
                drawn = np.where(there, values, np.nan)[:, None]
                called = observable(name)
                own = observe(drawn, [hour], called, self.model.residual.get(called), self.visiting.seed)[:, 0]
                count[name].append(drawn[:, 0])
                seen[name].append(own)
                observed[called] = own
            self.clinic.look(hour, observed)
            self._decide(running, hour, then, held)
        running.advance()
        return running, Steered(
            self.slots, self.given, self.planned, self.looks, _stacked(count), _stacked(seen), self.clinic, held
        )

    def _decide(self, running: engine.Running, hour: float, then: float, held: Floats) -> None:
        """Set the amounts from one visit to the next, and count the hours on hold."""
        since = hour
        for i, slot in enumerate(self.slots):
            time = slot.event.time
            if not hour - 1e-9 <= time < then - 1e-9:
                continue
            self._hold(held, since, time)
            since = time
            if slot.action is None:
                amounts = self.clinic.planned(slot.event.drug, time)
            else:
                amounts = self.clinic.course(slot.rule, slot.action, time)
            amounts = amounts * self._kept(slot.event)
            if not np.array_equal(amounts, self.given[:, i]):
                self.given[:, i] = amounts
                running.give(i, amounts)
        self._hold(held, since, min(then, self.horizon))

    def _hold(self, held: Floats, since: float, until: float) -> None:
        if np.isfinite(since) and until > since:
            self.clinic.orders.now(since)
            held += (until - since) * self.clinic.orders.holding()

    def _kept(self, event: DoseEvent) -> Floats | float:
        """Return what is really given of a dose, as a fraction (subject)."""
        conduct, seed = self.visiting.conduct, self.visiting.seed
        if not (conduct.missed or conduct.dose_cv):
            return 1.0
        label = (event.drug, event.time)
        spread = np.sqrt(np.log1p(conduct.dose_cv**2))
        kept = np.exp(spread * normals(seed, "occasion", self.size, 1, "dose", *label)[:, 0] - 0.5 * spread**2)
        return np.asarray(kept * (uniforms(seed, "occasion", self.size, 1, "missed", *label)[:, 0] >= conduct.missed))

    def _slots(
        self, events: Sequence[DoseEvent], doses: Mapping[str, tuple[Floats, Floats]], cycles: Floats,
        rules: Sequence[Rule | Decider],
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
                elif isinstance(action, Delay):
                    slots += _later([e for e in events if e.drug == action.drug], cycles, decided, self.horizon)
        if len(slots) > MOST_EVENTS:
            raise SpecError(
                f"the rules may give {len(slots):,} doses, and {MOST_EVENTS:,} can be followed; look less often or end earlier"
            )
        return sorted(slots, key=lambda slot: slot.event.time)


def _stacked(columns: Mapping[str, list[Floats]]) -> dict[str, Floats]:
    return {name: np.stack(own, axis=1) for name, own in columns.items() if own}


def _looks(rules: Sequence[Rule | Decider], visits: Floats, horizon: float) -> Floats:
    """Return the hours at which somebody may have a visit: every day where a rule adds visits."""
    more = any(isinstance(rule, Rule) and rule.visits is not None for rule in rules)
    daily = np.arange(0.0, horizon + 1e-6, 24.0) if more else np.zeros(0)
    return np.unique(np.round(np.concatenate([visits, daily]), 6))


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


def _later(events: Sequence[DoseEvent], cycles: Floats, decided: Floats, horizon: float) -> list[Slot]:
    """Return slots for the doses of cycles that were put off to a decision."""
    known = {round(e.time, 6) for e in events}
    slots: dict[float, Slot] = {}
    for begin in cycles:
        for event in (e for e in events if e.time >= begin - 1e-9):
            for hour in decided[decided > begin]:
                time = round(hour + event.time - begin, 6)
                if time <= horizon and time not in known:
                    slots.setdefault(time, Slot(replace(event, time=time)))
    return list(slots.values())
