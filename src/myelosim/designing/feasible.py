"""Designs that keep to every limit at once, by integer programming, and which limits leave none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from math import floor

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from myelosim.designing.allowed import Allowed, Sets
from myelosim.errors import SpecError
from myelosim.spec.design import Limits

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Unit:
    """Subjects with the same visits: which group's, how many; ``fixed`` days of a terminal group that one of its units has."""

    group: int
    name: str
    allowed: Allowed
    subjects: int
    terminal: bool = False
    fixed: tuple[float, ...] = ()


@dataclass
class Program:
    """Rows of a linear program in whether each unit has each entry, each row belonging to a limit."""

    units: Sequence[Unit]
    limits: Limits
    size: int = 0
    rows: list[tuple[dict[int, float], float, float, str]] = field(default_factory=list)
    why: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.entries = [self._variables(len(unit.allowed.entries)) for unit in self.units]
        for unit, own in zip(self.units, self.entries, strict=True):
            self._subject(unit, own)
        self._terminal()
        self._study()

    def solve(self, weights: Sequence[Array] | None = None, without: Collection[str] = ()) -> list[Sets] | None:
        """Return the entries (entry) of each unit that maximize the sum of ``weights``, None where there are none at all."""
        rows = [row for row in self.rows if row[3] not in without]
        A = np.zeros((len(rows), self.size))
        for i, (row, *_) in enumerate(rows):
            A[i, list(row)] = list(row.values())
        cost = np.zeros(self.size)
        for own, one in zip(self.entries, weights or [], strict=bool(weights)):
            cost[own] = -one
        tied = LinearConstraint(A, np.array([row[1] for row in rows]), np.array([row[2] for row in rows]))
        found = milp(cost, constraints=tied, integrality=np.ones(self.size), bounds=Bounds(0, 1))
        return None if found.x is None else [found.x[own] > 0.5 for own in self.entries]

    def binding(self) -> list[str]:
        """Return the limits that leave no design, each alone, or else some that do so together, none of which can be spared."""
        names = [name for name in dict.fromkeys(row[3] for row in self.rows) if name not in ("", "visits")]
        if alone := [name for name in names if self.solve(without={*names} - {name}) is None]:
            return alone
        spared: list[str] = []
        for name in names:
            if self.solve(without=[*spared, name]) is None:
                spared.append(name)
        return [name for name in names if name not in spared]

    def refuse(self) -> SpecError:
        """Return what to raise where there is no design."""
        names = self.binding()
        reasons = "; ".join(self.why[name] for name in names) or "there are too few candidate days"
        most = self.most()
        possible = f"; with that, {most} are possible" if most else ""
        asked = ", ".join(dict.fromkeys(_asked(unit) for unit in self.units))
        return SpecError(
            f"design: no design has {asked}, because of {' and '.join(names) or 'the days'}: {reasons}{possible}. "
            "Ask for fewer visits or subjects, give more days, or loosen that limit"
        )

    def most(self) -> str:
        """Return how many visits are possible where any number were enough."""
        found = self.solve([np.ones(len(unit.allowed.entries)) for unit in self.units], without=["visits"])
        if found is None or any(unit.terminal for unit in self.units):
            return ""
        counts = dict.fromkeys((unit.name, int(one.sum())) for unit, one in zip(self.units, found, strict=True))
        return ", ".join(f"{count} draws of {name}" if name != "all" else f"{count} draws" for name, count in counts)

    def _variables(self, count: int) -> NDArray[np.intp]:
        self.size += count
        return np.arange(self.size - count, self.size)

    def _add(self, row: dict[int, float], low: float, high: float, name: str, why: str = "") -> None:
        self.rows.append((row, low, high, name))
        self.why.setdefault(name, why)

    def _subject(self, unit: Unit, own: NDArray[np.intp]) -> None:
        of = unit.allowed
        for sampling, (low, high) in enumerate(of.sizes):
            mine = own[of.sampling == sampling]
            self._add(dict.fromkeys(mine.tolist(), 1.0), low, np.inf, "visits")
            self._add(dict.fromkeys(mine.tolist(), 1.0), 0, high, "visits")
        for entry in own[of.fixed].tolist():
            self._add({entry: 1.0}, 1.0, 1.0, "fixed_days", "some days are fixed")
        there = self._variables(len(of.days))
        for entry, day in zip(own.tolist(), there[np.argmax(of.on, axis=1)].tolist(), strict=True):
            self._add({entry: 1.0, day: -1.0}, -np.inf, 0.0, "")
        drawn = np.array(of.draws)[of.sampling]
        for rule in of.rules:
            for row in rule.rows:
                touched = np.flatnonzero(row)
                if rule.of_blood:
                    amounts = (of.on @ row) * drawn
                    left = {int(own[k]): float(amounts[k]) for k in np.flatnonzero(amounts)}
                else:
                    left = {int(there[k]): float(row[k]) for k in touched}
                if sum(left.values()) > rule.most:
                    self._add(left, -np.inf, rule.most * (1 + 1e-9), rule.name, rule.why)

    def _terminal(self) -> None:
        together = defaultdict(list)
        for unit, own in zip(self.units, self.entries, strict=True):
            if unit.terminal:
                together[unit.group].append((unit, own))
        for members in together.values():
            of = members[0][0].allowed
            for k, (_, day) in enumerate(of.entries):
                row = {int(own[k]): 1.0 for _, own in members}
                self._add(row, 0.0, 1.0, "")
                if day in members[0][0].fixed:
                    self._add(row, 1.0, 1.0, "fixed_days", "some days are fixed")

    def _study(self) -> None:
        limits = self.limits
        loads: defaultdict[int, dict[int, float]] = defaultdict(dict)
        paid: dict[int, float] = {}
        for unit, own in zip(self.units, self.entries, strict=True):
            for entry, (_, day) in zip(own.tolist(), unit.allowed.entries, strict=True):
                loads[floor(day)][entry] = float(unit.subjects)
                paid[entry] = limits.per_draw * unit.subjects
        if limits.capacity is not None:
            for row in loads.values():
                if sum(row.values()) > limits.capacity:
                    why = f"{limits.capacity} samples can be measured on a day"
                    self._add(row, 0.0, limits.capacity, "capacity", why)
        if limits.budget is None:
            return
        if limits.per_day > 0:
            days = dict(zip(loads, self._variables(len(loads)).tolist(), strict=True))
            for day, row in loads.items():
                for entry in row:
                    self._add({entry: 1.0, days[day]: -1.0}, -np.inf, 0.0, "")
                paid[days[day]] = limits.per_day
        given = limits.per_subject * sum(unit.subjects for unit in self.units)
        why = f"the study may cost {limits.budget:g}, and its subjects alone cost {given:g}"
        self._add(paid, -np.inf, limits.budget - given + 1e-9 * limits.budget, "budget", why)


def _asked(unit: Unit) -> str:
    counts = " and ".join(f"{low}" if low == high else f"{low} to {high}" for low, high in unit.allowed.sizes)
    where = "" if unit.name == "all" else f" in group {unit.name}"
    return f"{counts} visits of {unit.subjects} subjects{where}" if not unit.terminal else f"terminal visits{where}"
