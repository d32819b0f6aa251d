"""One rule, followed for all subjects at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from myelosim.rules.judge import SLACK, Judge
from myelosim.rules.log import Log
from myelosim.rules.look import Bools, Floats, Look
from myelosim.rules.orders import Orders
from myelosim.spec.rule import Action, Compare, Delay, Give, Hold, Reduce, Rule, Stop, Transfuse, leaves

UNITS = {"hemoglobin": "red cells", "platelet": "platelets"}


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
        over = self._over(look, last)
        self._let_go(over, look)
        met, of = self.when.holds(look), self.when.of(look)
        if self.delays:
            self.alarm = np.where(look.there, met & ~over, self.alarm)
        for lineage, begun in self.began.items():
            begun[look.there & ~self.active] = of[lineage][look.there & ~self.active]
        if not self.delays:
            self._begin(met & ~over & self._may(look), look)
        if self.rule.visits is not None:
            step = 24.0 * self.rule.visits
            while np.any(late := self.active & look.there & (self.due <= look.hour + 0.5 * step - SLACK)):
                self.due[late] += step

    def wants(self, hour: float) -> Bools:
        """Tell whom the rule sees at an hour that is no visit of the calendar: on the day of, or half a day before, what is due."""
        return self.active & (self.due - 12.0 <= hour + SLACK)

    def delay(self, drug: str, starting: Bools, clock: Floats, look: Look) -> None:
        """Put off the cycle of those about to start one, if the last visit met the rule."""
        who = starting & self.alarm & self._may(look, there=False)
        if np.any(who):
            self.orders.wait(self.rule.name, drug, who, clock)
            self._begin(who, look)

    def _may(self, look: Look, there: bool = True) -> Bools:
        rule = self.rule
        may = ~self.active & ((look.cycle >= rule.cycle) | (rule.cycle == 1)) & (look.hour >= rule.since - SLACK)
        may &= look.hour - self.ended >= rule.gap - SLACK
        if there:
            may = may & look.there
        if rule.most is not None:
            may &= self.occurrence < rule.most
        withheld = [a.drug for a in rule.actions if not isinstance(a, Give | Transfuse)]
        if withheld and len(withheld) == len(rule.actions):
            may &= ~np.logical_and.reduce([self.orders.by_drug[drug].stopped for drug in withheld])
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
            group = who & (self.occurrence == number)
            for action in self.rule.at(int(number)):
                self._do(action, group, look, effect)

    def _do(self, action: Action, who: Bools, look: Look, effect: float) -> None:
        name, orders = self.rule.name, self.orders
        if isinstance(action, Hold):
            orders.at(effect, partial(orders.hold, name, action.drug, who))
            self._note(who, f"hold {action.drug}", look, effect)
        elif isinstance(action, Stop):
            orders.at(effect, partial(orders.stop, action.drug, who))
            self._note(who, f"stop {action.drug}", look, effect)
        elif isinstance(action, Reduce):
            self._down(action.drug, who, look, effect, "give")
        elif isinstance(action, Give):
            orders.at(effect, partial(orders.give, name, action, who, effect))
            self._note(who, f"give {action.text}", look, effect)
        elif isinstance(action, Transfuse):
            orders.transfuse(action, who, effect)
            self._note(
                who,
                f"transfuse {action.units:g} unit{'s' * (action.units != 1)} of {UNITS[action.lineage]}",
                look,
                effect,
            )
        else:
            self._note(who, f"delay {action.drug}", look, effect)

    def _over(self, look: Look, last: Mapping[str, Floats]) -> Bools:
        if self.until is None:
            return np.zeros(look.size, bool)
        over = self.until.holds(look, self._asked()) & self.active
        if self.rule.rest:
            over &= look.hour - last[self.rule.rest_drug] >= self.rule.rest - SLACK
        return over

    def _asked(self) -> dict[str, Bools] | None:
        """Return of which lineages recovery is asked: all that are named, or those that began the occurrence."""
        if "triggered" not in self.rule.recover:
            return None
        named = self._by_occurrence(self.rule.recover) == "named"
        return {lineage: named | begun for lineage, begun in self.began.items()}

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
        if not np.any(who):
            return
        if isinstance(action, Give):
            self.orders.at(effect, partial(self.orders.end, self.rule.name, action, who))
            if action.event.count is None:
                self._note(who, f"end {action.drug}", look, effect)
        elif isinstance(action, Hold | Delay):
            free = self.orders.release if isinstance(action, Hold) else partial(self.orders.begin, hour=effect)
            self.orders.at(effect, partial(free, self.rule.name, action.drug, who))
            if how == "resume":
                self._note(who, f"resume {action.drug}", look, effect)
            elif how == "stop":
                self.orders.at(effect, partial(self.orders.stop, action.drug, who))
                self._note(who, f"stop {action.drug}", look, effect)
            else:
                self._down(action.drug, who, look, effect, "resume")

    def _down(self, drug: str, who: Bools, look: Look, effect: float, verb: str) -> None:
        """Go one level down, and say for each group of subjects to which."""
        names = self.rule.level_names
        self.orders.at(effect, partial(self.orders.down, drug, who, len(names), self.rule.below))
        level = self.orders.by_drug[drug].level + 1
        last = level >= len(names)
        for k, name in enumerate(names):
            self._note(who & ~last & (level == k), f"{verb} {drug} at {name}", look, effect)
        text = f"stop {drug}, there is no lower level" if self.rule.below == "stop" else f"{verb} {drug} at {names[-1]}"
        self._note(who & last, text, look, effect)

    def _note(self, who: Bools, what: str, look: Look, effect: float) -> None:
        self.log.note(who, self.rule.name, what, look.hour, effect, self.occurrence, look.observed)
