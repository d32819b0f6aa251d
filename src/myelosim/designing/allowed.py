"""Which days one subject may be bled on: the number of visits, the calendar, and the blood that may be drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from myelosim.designing.question import volume, weight
from myelosim.monitoring import blood
from myelosim.spec.design import Limits, OpenGroup
from myelosim.spec.model import Model

Array = NDArray[np.float64]
Sets = NDArray[np.bool_]

MOST_SETS = 400_000  # that are listed
_EPS = 1e-9
_MOMENT = 1e-6  # days within which two draws are one


@dataclass(frozen=True)
class Rule:
    """In no row may the weighted sum be above ``most``: of days with a visit, or of the blood drawn on each day (mL)."""

    name: str
    why: str
    rows: Array  # (row, day)
    most: float
    of_blood: bool = False


@dataclass(frozen=True)
class Allowed:
    """What one subject's visits must keep to.

    An *entry* is a day of one of the group's samplings; a set of visits is a row of booleans (entry). ``sizes`` are the fewest
    and most days of each sampling.
    """

    entries: tuple[tuple[int, float], ...]  # (sampling, elapsed day)
    sizes: tuple[tuple[int, int], ...]
    fixed: Sets  # (entry)
    draws: tuple[float, ...]  # mL of one draw of each sampling, 0 where not known
    rules: tuple[Rule, ...] = field(default=())

    @cached_property
    def days(self) -> tuple[float, ...]:
        """The days of all samplings, in order."""
        return tuple(sorted({day for _, day in self.entries}))

    @cached_property
    def on(self) -> Array:
        """Which entry is on which day: (entry, day)."""
        return np.array([[float(day == other) for other in self.days] for _, day in self.entries])

    @cached_property
    def sampling(self) -> NDArray[np.intp]:
        """Whose day an entry is: (entry)."""
        return np.array([sampling for sampling, _ in self.entries], dtype=np.intp)

    def split(self, row: Sets) -> list[tuple[float, ...]]:
        """Return the days of each sampling in a set (entry)."""
        chosen = [entry for entry, there in zip(self.entries, row, strict=True) if there]
        return [tuple(day for own, day in chosen if own == k) for k in range(len(self.sizes))]

    def keeps(self, sets: Sets) -> Sets:
        """Tell which sets (set, entry) break no rule; how many days they have is not looked at."""
        fine = np.ones(len(sets), bool)
        for rule in self.rules:
            if rule.of_blood:
                days = sets @ (self.on * np.array(self.draws)[self.sampling][:, None])
            else:
                days = np.minimum(sets @ self.on, 1.0)
            sums = days @ rule.rows.T
            fine &= np.all(sums <= rule.most * (1.0 + _EPS) + _EPS, axis=1)
        return fine

    def full(self, sets: Sets) -> Sets:
        """Tell which sets (set, entry) have the fixed days and as many days of each sampling as they must."""
        fine = np.all(sets[:, self.fixed], axis=1)
        for sampling, (low, high) in enumerate(self.sizes):
            count = sets[:, self.sampling == sampling].sum(axis=1)
            fine &= (count >= low) & (count <= high)
        return np.asarray(fine)

    def sets(self, most: int = MOST_SETS) -> Sets | None:
        """Return every allowed set (set, entry), few days first and then in the order of days; None if they are too many."""
        parts = []
        for sampling in range(len(self.sizes)):
            part = self._of(sampling, most)
            if part is None:
                return None
            parts.append(part)
        if math.prod(len(part) for part in parts) > 4 * most:
            return None
        total = parts[0]
        for part in parts[1:]:
            total = (total[:, None] | part[None]).reshape(-1, total.shape[1])
            total = total[self.keeps(total)]
        return total if len(total) <= most else None

    def _of(self, sampling: int, most: int) -> Sets | None:
        """Return the sets of days of one sampling, the others having none, a day being added to the sets before."""
        own = self.sampling == sampling
        level = (self.fixed & own)[None]
        free = [
            entry for entry in np.flatnonzero(own & ~self.fixed).tolist() if self.keeps(self._with(level, [entry]))[0]
        ]
        places, given = np.array(free, dtype=np.intp), int(level.sum())
        low, high = (max(size - given, 0) for size in self.sizes[sampling])
        last = np.array([-1])
        found = [level] if low == 0 and self.keeps(level)[0] else []
        for count in range(1, high + 1):
            end = len(places) - max(low - count, 0)
            more = np.maximum(end - (last + 1), 0)
            if more.sum() > 4 * most:
                return None
            rows = np.repeat(np.arange(len(level)), more)
            last = np.arange(len(rows)) - np.repeat(np.cumsum(more) - more, more) + last[rows] + 1
            level = level[rows]
            level[np.arange(len(rows)), places[last]] = True
            kept = self.keeps(level)
            level, last = level[kept], last[kept]
            if count >= low:
                found.append(level)
            if sum(map(len, found)) > most:
                return None
        return np.concatenate(found) if found else np.zeros((0, len(self.entries)), bool)

    @staticmethod
    def _with(sets: Sets, entries: Sequence[int]) -> Sets:
        wider = sets.copy()
        wider[:, list(entries)] = True
        return wider


def allowed(model: Model, group: OpenGroup, limits: Limits) -> tuple[Allowed, list[str]]:
    """Return what a subject of a group must keep to, and what could not be held to.

    A subject of a "terminal" group has one visit, and no limit on its blood.

    Raises
    ------
    SpecError
        The species' limits on blood go by a weight or a volume that the model lacks.
    """
    terminal = group.structure == "terminal"
    entries = tuple((k, day) for k, one in enumerate(group.samplings) for day in sorted({*one.days, *one.fixed}))
    fixed = np.array([not terminal and day in group.samplings[k].fixed for k, day in entries])
    known = [volume(model, one) for one in group.samplings]
    sizes = tuple((1, 1) if terminal else (low, min(high, len({*one.days, *one.fixed})))
                  for one in group.samplings for low, high in (one.visits,))  # fmt: skip
    days = sorted({day for _, day in entries})
    rules, unheld = _calendar(days, limits, terminal), []
    if limits.blood == "species" and not terminal and model.subjects.blood_limits:
        held = blood.limits(model.subjects, weight(model, group))
        if None in known:
            unheld.append(
                f"group {group.name}: the volume of a draw is not known, so limits on blood are not held to; give draw"
            )
        else:
            rules += [_of_blood(rule, days, known) for rule in held]
    return Allowed(entries, sizes, fixed, tuple(one or 0.0 for one in known), tuple(rules)), unheld


def _calendar(days: list[float], limits: Limits, terminal: bool) -> list[Rule]:
    rules = []
    if limits.gap > 0 and not terminal:
        why = f"visits are at least {limits.gap:g} days apart"
        rules.append(Rule("gap", why, _windows(days, limits.gap), 1.0))
    if limits.weekdays and any(free := [limits.weekend(day) for day in days]):
        why = f"no visit on a weekend, day 0 being a {limits.first_day}"
        rules.append(Rule("weekdays", why, np.array([free], float), 0.0))
    return rules


def _of_blood(rule: blood.Limit, days: list[float], draws: Sequence[float | None]) -> Rule:
    volumes = " or ".join(f"{one:g} mL" for one in dict.fromkeys(draws) if one)
    why = f"{rule.name} allows {rule.volume:.3g} mL {rule.span}, a draw takes {volumes or '0 mL'}"
    return Rule(rule.name, why, _windows(days, rule.days or _MOMENT), rule.volume, of_blood=True)


def _windows(days: list[float], span: float) -> Array:
    """Return which days are in the window that ends on each day; two days exactly ``span`` apart are in different ones."""
    when = np.array(days)
    back = when[:, None] - when[None]
    return np.asarray((back >= 0) & (back < span - _EPS), dtype=np.float64)
