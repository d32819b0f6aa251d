"""A clinic: it looks at visits, follows its rules, and says what is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from myelosim import grading
from myelosim.grading import Table
from myelosim.rules.follow import Follower
from myelosim.rules.judge import DECIMALS
from myelosim.rules.log import Log
from myelosim.rules.look import Bools, Floats, Look
from myelosim.rules.orders import SLACK, Orders
from myelosim.spec.rule import Delay, Give, Rule, Stop

Decider = Callable[[Look, Orders, Log], None]
"""A rule in Python: it sees what a clinic sees, gives orders, and notes them in the log.

``orders.at(look.hour, "drug", lambda standing: standing.stop(low))`` stops a drug in the subjects that ``low`` (bool by subject)
marks; a :class:`myelosim.rules.orders.Standing` can also hold, release and go a level down.
"""


@dataclass(frozen=True)
class Calendar:
    """When what is planned: doses of each drug, cycles, the visits of everybody.

    Parameters
    ----------
    doses : mapping
        Drug -> hours (increasing) and amounts of its planned doses.
    cycles : array
        Hours at which cycles begin; without any, the first dose begins the only one.
    first : float
        Hour of the first dose: what is seen up to then makes the baseline.
    visits : array
        Hours of the visits that everybody has.
    """

    doses: Mapping[str, tuple[Floats, Floats]]
    cycles: Floats
    first: float
    visits: Floats


class Clinic:
    """What is decided from visit to visit, for all subjects.

    Parameters
    ----------
    rules : sequence of Rule or callable
        In the order in which they are looked at.
    calendar : Calendar
        The plan.
    drugs : sequence of str
        Of the model.
    start : mapping
        Lineage coordinate -> count at time zero (subject): the baseline of those without a visit before the first dose.
    table : grading.Table
        How observed counts are graded.
    lower : mapping
        Lineage coordinate -> lower limit of normal.
    signs : mapping
        Sign -> subject -> hours at which it is noted.
    leaving : array, optional
        Hour from which a subject has no more doses and visits.
    """

    def __init__(
        self,
        rules: Sequence[Rule | Decider],
        calendar: Calendar,
        drugs: Sequence[str],
        start: Mapping[str, Floats],
        table: Table,
        lower: Mapping[str, float | None],
        signs: Mapping[str, Mapping[int, Sequence[float]]],
        leaving: Floats | None = None,
    ) -> None:
        self.size = len(next(iter(start.values())))
        self.calendar, self.start, self.table, self.lower, self.signs = calendar, start, table, lower, signs
        self.leaving = np.full(self.size, np.inf) if leaving is None else leaving
        self.log = Log(list(start))
        self.orders = Orders(drugs, self.size)
        self.followers = [Follower(rule, self.orders, self.log) for rule in rules if isinstance(rule, Rule)]
        self.orders.levels |= {drug: self._levels(drug) for drug in drugs}
        self._begins = {drug: _begins(times, calendar) for drug, (times, _) in calendar.doses.items()}
        self._entered = {
            drug: np.zeros(self.size, int) for drug in calendar.doses
        }  # later cycles in which a dose was given
        self.deciders = [rule for rule in rules if not isinstance(rule, Rule)]
        self.last = {drug: np.full(self.size, -np.inf) for drug in drugs}
        self._before = {name: (np.zeros(self.size), np.zeros(self.size)) for name in start}  # sum of logs, number
        self._visit = np.full(self.size, -np.inf)
        self._look: Look | None = None

    def attends(self, hour: float) -> Bools:
        """Tell who has a visit at an hour (subject)."""
        if np.any(np.abs(self.calendar.visits - hour) < SLACK):
            return np.asarray(hour < self.leaving)
        wanted = np.any([np.zeros(self.size, bool), *(f.wants(hour) for f in self.followers)], axis=0)
        return np.asarray(wanted & (hour < self.leaving))

    def look(self, hour: float, observed: Mapping[str, Floats]) -> None:
        """Look at what is observed at a visit (NaN for who has none), and decide."""
        self.orders.now(hour)
        there = np.any([~np.isnan(values) for values in observed.values()], axis=0)
        baseline = self._baseline(hour, observed)
        grades = {
            name: grading.grade(values, name, self.table, self.lower.get(name), baseline[name])
            for name, values in observed.items()
        }
        look = Look(hour, there, observed, baseline, grades, self._signs(hour, there), self._cycle(hour))
        self._visit[there] = hour
        self._look = look
        for follower in self.followers:
            follower.look(look, self.last)
        for decide in self.deciders:
            decide(look, self.orders, self.log)

    def planned(self, drug: str, hour: float) -> Floats:
        """Return how much of a planned drug is given at an hour (subject), in the unit of its doses."""
        self.orders.now(hour)
        standing = self.orders.by_drug[drug]
        times, amounts = self.calendar.doses[drug]
        clock = standing.calendar(hour)
        place = np.clip(np.searchsorted(times, clock - SLACK), 0, len(times) - 1)
        due = np.abs(times[place] - clock) < SLACK
        cycle = np.searchsorted(self._begins[drug][0], clock + SLACK, side="right")
        self._put_off(drug, hour, clock, cycle, due & (cycle > self._entered[drug]))
        amount = np.where(due, amounts[place], 0.0) * np.array(self.orders.levels[drug][1])[standing.level]
        amount = self._gives(drug, hour, np.where(standing.stopped | standing.holding, 0.0, amount))
        self._entered[drug] = np.where(amount > 0, cycle, self._entered[drug])
        return amount

    def course(self, rule: str, action: Give, hour: float) -> Floats:
        """Return how much a rule gives of a drug at an hour (subject), in the unit of its dose."""
        self.orders.now(hour)
        course = self.orders.given.get((rule, action))
        if course is None:
            return np.zeros(self.size)
        passed = hour - course.since
        every = action.event.interval
        due = np.abs(passed - every * np.round(passed / every)) < SLACK if every else np.abs(passed) < SLACK
        due &= (passed > -SLACK) & ~self._overruled(rule, action.drug)
        return self._gives(action.drug, hour, np.where(due, action.event.amount, 0.0))

    def _overruled(self, name: str, drug: str) -> Bools:
        """Tell for whom a rule of smaller precedence withholds or gives the drug that this one gives."""
        own = next(f.rule.precedence for f in self.followers if f.rule.name == name)
        standing, out = self.orders.by_drug[drug], np.zeros(self.size, bool)
        for rule in (f.rule for f in self.followers):
            if own is None or rule.precedence is None or rule.precedence >= own:
                continue
            out |= standing.held.get(rule.name, False) | (Stop(drug) in rule.actions) & standing.stopped
            for (by, action), course in self.orders.given.items():
                if by == rule.name and action.drug == drug:
                    out |= ~np.isnan(course.since)
        return out

    def _gives(self, drug: str, hour: float, amount: Floats) -> Floats:
        amount = np.where(hour < self.leaving, amount, 0.0)
        self.last[drug][amount > 0] = hour
        return amount

    def _put_off(self, drug: str, hour: float, clock: Floats, cycle: NDArray[np.intp], first: Bools) -> None:
        """Let the rules that delay look at whose dose now would be the first of a cycle: its first day, or after a hold."""
        delays = [f for f in self.followers if Delay(drug) in f.rule.actions]
        if not delays or self._look is None:
            return
        standing, (firsts, cycles) = self.orders.by_drug[drug], self._begins[drug]
        starting = first & ~(standing.stopped | standing.holding)
        now = replace(self._look, hour=hour, there=starting, cycle=self._cycle(hour))
        if not len(firsts):
            return
        own = np.maximum(cycle - 1, 0)
        begin = np.where(np.abs(firsts[own] - clock) < SLACK, cycles[own], clock)
        for follower in delays:
            follower.delay(now, begin)

    def _levels(self, drug: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """Return the levels of a drug: of the rule with the smallest precedence that has any."""
        rules = [f.rule for f in self.followers if f.rule.levels and drug in f.rule.withheld]
        best = min(rules, key=lambda rule: rule.precedence or 0, default=None)
        return (best.level_names, best.levels) if best else (("",), (1.0,))

    def _baseline(self, hour: float, observed: Mapping[str, Floats]) -> dict[str, Floats]:
        out = {}
        for name, values in observed.items():
            total, number = self._before[name]
            if hour <= self.calendar.first + SLACK:
                there = ~np.isnan(values) & (values > 0)
                total[there] += np.log(values[there])
                number[there] += 1
            mean = np.round(np.exp(total / np.maximum(number, 1)), DECIMALS)
            out[name] = np.where(number > 0, mean, self.start[name])
        return out

    def _signs(self, hour: float, there: Bools) -> dict[str, Bools]:
        out = {}
        for sign, noted in self.signs.items():
            now = np.zeros(self.size, bool)
            for subject, hours in noted.items():
                if subject < self.size and there[subject]:
                    now[subject] = any(self._visit[subject] < h <= hour + SLACK for h in hours)
            out[sign] = now
        return out

    def _cycle(self, hour: float) -> NDArray[np.intp]:
        """Return the number of the cycle (subject), of the drug that lies back most."""
        every = [standing.calendar(hour) for standing in self.orders.by_drug.values()]
        clock = np.min([np.full(self.size, hour), *every], axis=0)
        return np.asarray(np.maximum(1, np.searchsorted(self.calendar.cycles, clock + SLACK, side="right")))


def _begins(times: Floats, calendar: Calendar) -> tuple[Floats, Floats]:
    """Return the hours of a drug's first doses in the cycles after the first, and those at which these cycles begin."""
    later = calendar.cycles[calendar.cycles > calendar.first + SLACK]
    place = np.searchsorted(times, later - SLACK)
    there = place < len(times)
    return times[place[there]], later[there]
