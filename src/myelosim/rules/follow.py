"""One rule, followed for all subjects at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from myelosim.rules.judge import SLACK, Judge
from myelosim.rules.log import Log
from myelosim.rules.look import Bools, Floats, Look
from myelosim.rules.orders import Orders, Standing
from myelosim.spec.rule import (
    RELEASES,
    Action,
    Compare,
    Delay,
    Give,
    Hold,
    Reduce,
    Rule,
    Stop,
    Transfuse,
    cells,
    leaves,
)

DOWN = RELEASES[1]


class Follower:
    """Who is under a rule, since when, for the how many-th time.

    Parameters
    ----------
    rule : Rule
        What is followed.
    orders, log
        Where decisions go.
    """

    def __init__(self, rule: Rule, orders: Orders, log: Log) -> None:
        self.rule, self.orders, self.log = rule, orders, log
        size = orders.size
        self.when = Judge(rule.when, size)
        self.until = None if rule.until is None else Judge(rule.until, size)
        self.active = np.zeros(size, bool)
        self.occurrence = np.zeros(size, int)
        self.decided = np.full(size, -np.inf)  # hour at which the last occurrence took effect
        self.ended = np.full(size, -np.inf)
        self.began = {leaf.lineage: np.zeros(size, bool) for leaf in leaves(rule.when) if isinstance(leaf, Compare)}
        self.due = np.full(size, np.inf)  # hour of the next visit that the rule adds
        self.delays = any(isinstance(a, Delay) for a in rule.actions)
        self.alarm = np.zeros(size, bool)  # of a rule that delays: whether the last visit met it

    def look(self, look: Look, last: Mapping[str, Floats]) -> None:
        """Decide at a visit; ``last`` holds the hour of each drug's last dose (subject)."""
        met = self.when.holds(look)
        for lineage, now in self.when.of(look).items():  # who falls low while an occurrence lasts must recover too
            begun = self.began[lineage]
            begun[look.there] = now[look.there] | (begun & self.active)[look.there]
        over = self._over(look, last)
        self._let_go(over, look)
        if self.delays:
            self.alarm = np.where(look.there, met & ~over, self.alarm)
        else:
            self._begin(met & ~over & self._may(look), look)
        if self.rule.visits is not None:
            step = 24.0 * self.rule.visits
            while np.any(late := self.active & look.there & (self.due <= look.hour + 0.5 * step - SLACK)):
                self.due[late] += step

    def wants(self, hour: float) -> Bools:
        """Tell whom the rule sees at an hour that is no visit of the calendar: on the day of, or half a day before, what is due."""
        return self.active & (self.due - 12.0 <= hour + SLACK)

    def delay(self, look: Look, cycle: Floats) -> None:
        """Put off the cycle (its hour in the calendar) of those about to start one, if the last visit met the rule."""
        who = look.there & self.alarm & self._may(look)
        if not np.any(who):
            return
        for drug in (a.drug for a in self.rule.actions if isinstance(a, Delay)):
            self.orders.at(look.hour, drug, partial(Standing.wait, rule=self.rule.name, who=who, clock=cycle))
        self.orders.now(look.hour)
        self._begin(who, look)

    def _may(self, look: Look) -> Bools:
        rule = self.rule
        may = look.there & ~self.active & (look.cycle >= rule.cycle) & (look.hour >= rule.since - SLACK)
        may &= look.hour - self.ended >= rule.gap - SLACK
        if rule.most is not None:
            may &= self.occurrence < rule.most
        if rule.withheld and not any(isinstance(a, Give | Transfuse) for a in rule.actions):
            # A cycle is put off on its day, whatever is already written for later.
            standing = self.orders.by_drug if self.delays else self.orders.written
            may &= ~np.logical_and.reduce([standing[drug].stopped for drug in rule.withheld])
        return may

    def _begin(self, who: Bools, look: Look) -> None:
        if not np.any(who):
            return
        effect = look.hour + (0.0 if self.delays else self.rule.turnaround)
        self.occurrence += who
        self.decided[who] = effect
        if self.until is None:
            self.ended[who] = look.hour
        else:
            self.active |= who
            self.until.forget(who)
            self.due[who] = look.hour + 24.0 * (self.rule.visits or np.inf)
        for number in np.unique(self.occurrence[who]):
            for action in self.rule.at(int(number)):
                self._do(action, who & (self.occurrence == number), look, effect)

    def _do(self, action: Action, who: Bools, look: Look, effect: float) -> None:
        name, orders = self.rule.name, self.orders
        if isinstance(action, Transfuse):
            orders.transfuse(action, who, effect)
            units = f"{action.units:g} unit{'s' * (action.units != 1)} of {cells(action.lineage)}"
            self._note(who, f"transfuse {units}", look, effect)
            return
        if isinstance(action, Give):
            orders.give(name, action, who, effect)
            self._note(who, f"give {action.text}", look, effect)
            return
        if isinstance(action, Delay):  # of today's dose, whatever is already written for later
            self._note(who & ~orders.by_drug[action.drug].stopped, f"delay {action.drug}", look, effect)
            return
        who = who & ~orders.written[action.drug].stopped
        if isinstance(action, Hold):
            lost = who & self._ends_below(action.drug)
            self._stop(action.drug, lost, look, effect, ", there is no lower level")
            orders.at(effect, action.drug, partial(Standing.hold, rule=name, who=who & ~lost))
            self._note(who & ~lost, f"hold {action.drug}", look, effect)
        elif isinstance(action, Stop):
            self._stop(action.drug, who, look, effect)
        elif isinstance(action, Reduce):
            self._down(action.drug, who, look, effect, "reduce {drug} to {level}")

    def _ends_below(self, drug: str) -> Bools:
        """Tell whose occurrence cannot end but below the lowest level: they need not wait for it."""
        rule = self.rule
        if rule.below == "stay":
            return np.zeros(self.orders.size, bool)
        down = self._by_occurrence(rule.then) == DOWN
        if rule.within is not None and rule.later:
            down &= self._by_occurrence(rule.later) == DOWN
        return np.asarray(down & (self.orders.written[drug].level + 1 >= len(self.orders.levels[drug][0])))

    def _over(self, look: Look, last: Mapping[str, Floats]) -> Bools:
        if self.until is None:
            return np.zeros(look.size, bool)
        over = self.until.holds(look, self._asked()) & self.active
        for drug in self.rule.rest_drugs:
            over &= look.hour - last[drug] >= self.rule.rest - SLACK
        return over

    def _asked(self) -> dict[str, Bools] | None:
        """Return of which lineages recovery is asked: all that are named, or those that triggered, all if it was a sign."""
        if "triggered" not in self.rule.recover:
            return None
        every = self._by_occurrence(self.rule.recover) == "named"
        every |= ~np.any([np.zeros(self.orders.size, bool), *self.began.values()], axis=0)
        return {lineage: every | begun for lineage, begun in self.began.items()}

    def _by_occurrence(self, choices: tuple[str, ...]) -> NDArray[np.str_]:
        return np.asarray(np.array(choices)[np.clip(self.occurrence, 1, len(choices)) - 1])

    def _let_go(self, who: Bools, look: Look) -> None:
        if not np.any(who):
            return
        rule, effect = self.rule, look.hour + self.rule.turnaround
        self.active &= ~who
        self.ended[who] = look.hour
        self.due[who] = np.inf
        how = self._by_occurrence(rule.then)
        if rule.within is not None and rule.later:
            slow = look.hour - self.decided > rule.within + SLACK
            how = np.where(slow, self._by_occurrence(rule.later), how)
        for number in np.unique(self.occurrence[who]):
            for action in rule.at(int(number)):
                for choice in np.unique(how[who]):
                    group = who & (self.occurrence == number) & (how == choice)
                    self._end(action, str(choice), group, look, effect)

    def _end(self, action: Action, how: str, who: Bools, look: Look, effect: float) -> None:
        if isinstance(action, Give):
            self.orders.end(self.rule.name, action, who, effect)
            if action.event.count is None:
                self._note(who, f"end {action.drug}", look, effect)
        if not isinstance(action, Hold | Delay):
            return
        drug, name = action.drug, self.rule.name
        free = Standing.release if isinstance(action, Hold) else partial(Standing.begin, hour=effect)
        self.orders.at(effect, drug, partial(free, rule=name, who=who))
        standing = self.orders.written[drug]
        who = who & ~standing.stopped
        if how == "stop":
            self._stop(drug, who, look, effect)
            return
        still = standing.holding.copy()
        for verb, group, why in (("resume", who & ~still, ""), ("release", who & still, ", which another rule holds")):
            if how == DOWN:
                self._down(drug, group, look, effect, f"{verb} {{drug}} at {{level}}{why}")
            else:
                self._note(group, f"{verb} {drug}{why}", look, effect)

    def _stop(self, drug: str, who: Bools, look: Look, effect: float, why: str = "") -> None:
        self.orders.at(effect, drug, partial(Standing.stop, who=who))
        self._note(who, f"stop {drug}{why}", look, effect)

    def _down(self, drug: str, who: Bools, look: Look, effect: float, text: str) -> None:
        """Go one level down, and say for each group of subjects to which; ``text`` has places for the drug and the level."""
        names, below = self.orders.levels[drug][0], self.rule.below
        before = self.orders.written[drug].level.copy()
        self.orders.at(effect, drug, partial(Standing.down, who=who, levels=len(names), below=below))
        for k in range(len(names)):
            group = who & (before == k)
            if k + 1 < len(names) or below == "stay":
                self._note(group, text.format(drug=drug, level=names[min(k + 1, len(names) - 1)]), look, effect)
            else:
                self._note(group, f"stop {drug}, there is no lower level", look, effect)

    def _note(self, who: Bools, what: str, look: Look, effect: float) -> None:
        self.log.note(who, self.rule.name, what, look.hour, effect, self.occurrence, look.observed)
