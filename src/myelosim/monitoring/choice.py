"""Choose visit days: the set of so many that is worth most.

A day's worth to a subject is what it shows of that subject; a set's worth is, per subject, that of its best day. Such
sums of maxima have diminishing returns, so the gains of single days bound what any completion of a partial set can add:
branch and bound finds the best set, mostly after few nodes. Where its budget runs out, the best of a greedy set
improved by exchanges and of what the search had found stands, and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myelosim.errors import SpecError
from myelosim.monitoring.candidates import Candidates

__all__ = ["Choice", "best_days", "worth"]

Floats = NDArray[np.float64]
Allowed = Callable[[list[int]], bool]

TIE = 1e-6
"""Weight of an earlier detection against catching one more subject: it only decides between equals."""

WORK = 2e9
"""Additions that a search may take before it gives up proving (about two seconds)."""

ASKING = 2e4
"""Additions that take as long as asking once whether a set is admissible."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Places of the chosen days among the candidates, their worth, and whether no other set can be worth more."""

    places: tuple[int, ...]
    worth: float
    exact: bool


def worth(found: Candidates, nadir_weight: float = 0.0) -> Floats:
    """Give what each day is worth to each subject and lineage.

    Parameters
    ----------
    found : Candidates
        What the days show.
    nadir_weight : float
        0 asks only for P(grade 3 caught | event), 1 only for P(nadir seen | dip), between them for the weighted mean.

    Returns
    -------
    numpy.ndarray
        (subject-lineage pair, day); a set's worth is the sum over pairs of its best day, between 0 and 1.

    Raises
    ------
    SpecError
        If there is nothing to catch.
    """
    if not 0.0 <= nadir_weight <= 1.0:
        raise SpecError(f"monitoring: nadir_weight {nadir_weight!r} is not between 0 and 1")
    events, dips = int(found.event.sum()), int(found.dips.sum())
    if (events == 0 and nadir_weight < 1.0) or (dips == 0 and nadir_weight > 0.0):
        what = "reaches grade 3" if events == 0 and nadir_weight < 1.0 else f"falls by more than {found.depth:.0%}"
        raise SpecError(f"monitoring: no subject {what}, so no day is better than another; raise the dose or the size")
    span = float(found.days[-1] - found.days[0]) + 1.0
    late = (found.days - found.onset[..., None])[found.event] / span
    caught = (1.0 - nadir_weight) / max(events, 1) * found.hit[found.event] * (1.0 - TIE * np.clip(late, 0.0, 1.0))
    seen = nadir_weight / max(dips, 1) * found.near[found.dips]
    rows = np.concatenate([caught, seen])
    return np.asarray(rows[rows.any(axis=1)])


def best_days(
    value: Floats,
    number: int,
    fixed: tuple[int, ...] = (),
    allowed: Allowed | None = None,
    work: float = WORK,
    among: Sequence[int] | None = None,
) -> Choice:
    """Choose days.

    Parameters
    ----------
    value : array (pair, day)
        As from `worth`.
    number : int
        How many days to choose beside the fixed ones.
    fixed : tuple of int
        Places of days that are drawn anyway.
    allowed : callable, optional
        Whether a list of places (fixed ones included) is admissible; if it is, so must be every part of it.
    work : float
        Additions the search may take before it gives up proving that its best set is the best.
    among : sequence of int, optional
        Places to choose from; every one by default.

    Raises
    ------
    SpecError
        If no admissible set of that size exists, or none was found.
    """
    free = [day for day in (range(value.shape[1]) if among is None else among) if day not in fixed]
    if not 0 <= number <= len(free):
        raise SpecError(f"monitoring: {number} draws cannot be chosen among {len(free)} candidate days")
    search = _Search(value, number, list(fixed), allowed or (lambda places: True), work)
    start = value[:, list(fixed)].max(axis=1, initial=0.0)
    search.improve(search.greedy(start, free), free)
    search.descend(start, [], free, number)
    if search.best is None:
        why = "admissible" if search.complete else "found to be admissible"
        raise SpecError(f"monitoring: no set of {number} draws is {why}; ask for fewer, or draw less blood")
    return Choice(tuple(sorted(search.best)), search.best_worth, search.complete)


class _Search:
    """Branch and bound over sets of days."""

    def __init__(self, value: Floats, number: int, fixed: list[int], allowed: Allowed, work: float) -> None:
        self.value, self.number, self.fixed, self.allowed = value, number, fixed, allowed
        self.best: list[int] | None = None
        self.best_worth = -np.inf
        self.left = work
        self.complete = True

    def worth(self, chosen: list[int]) -> float:
        return float(self.value[:, self.fixed + chosen].max(axis=1, initial=0.0).sum())

    def keep(self, chosen: list[int], worth: float) -> None:
        # A set must be better by more than rounding: the order of addition shall not decide.
        if worth > self.best_worth + 1e-12:
            self.best, self.best_worth = list(chosen), worth

    def gains(self, now: Floats, days: list[int]) -> Floats:
        self.left -= self.value.shape[0] * len(days)
        return np.asarray(np.maximum(self.value[:, days] - now[:, None], 0.0).sum(axis=0))

    def greedy(self, now: Floats, free: list[int]) -> list[int]:
        chosen: list[int] = []
        while len(chosen) < self.number:
            days = [d for d in free if d not in chosen and self.allowed([*self.fixed, *chosen, d])]
            if not days:
                return []
            day = days[int(np.argmax(self.gains(now, days)))]
            chosen.append(day)
            now = np.maximum(now, self.value[:, day])
        return chosen

    def improve(self, chosen: list[int], free: list[int]) -> None:
        """Exchange one chosen day for another as long as it helps."""
        if len(chosen) < self.number:
            return
        self.keep(chosen, self.worth(chosen))
        better = True
        while better:
            better = False
            for old in list(chosen):
                rest = [day for day in chosen if day != old]
                days = [d for d in free if d not in chosen and self.allowed([*self.fixed, *rest, d])]
                if not days:
                    continue
                now = self.value[:, self.fixed + rest].max(axis=1, initial=0.0)
                gains = self.gains(now, days)
                before = self.best_worth
                self.keep([*rest, days[int(np.argmax(gains))]], float(now.sum() + gains.max()))
                if self.best_worth > before and self.best is not None:
                    chosen, better = list(self.best), True
                    break

    def descend(self, now: Floats, chosen: list[int], free: list[int], more: int) -> None:
        """Try every completion of a partial set that could still be better."""
        if more == 0:
            self.keep(chosen, self.worth(chosen))
            return
        if len(free) < more or not self.complete:
            return
        if self.left < 0:
            self.complete = False
            return
        self.left -= ASKING * len(free)
        days = [day for day in free if self.allowed([*self.fixed, *chosen, day])]
        gains = self.gains(now, days)
        # stable: of equal days the earlier is tried, and kept, first
        order = np.argsort(-gains, kind="stable")
        days, gains = [days[i] for i in order], gains[order]
        base = float(now.sum())
        for i, day in enumerate(days):
            if len(days) - i < more or base + float(gains[i : i + more].sum()) <= self.best_worth + 1e-12:
                return
            if more == 1:
                self.keep([*chosen, day], base + float(gains[i]))
                return
            self.descend(np.maximum(now, self.value[:, day]), [*chosen, day], days[i + 1 :], more - 1)
