"""Choose the days of so many draws that are worth most together.

A day's worth to a subject is what it shows of that subject; a set's worth is, per subject, that of its best day.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from myelosim.errors import SpecError
from myelosim.monitoring.blood import Window, admissible
from myelosim.monitoring.candidates import Candidates
from myelosim.random import uniforms

__all__ = ["STARTS", "WORK", "Choice", "best_days", "worth"]

Floats = NDArray[np.float64]

TIE = 1e-6
"""Weight of an earlier detection against catching one more subject: it only decides between equals."""

WORK = 3e8
"""Additions that the proof of the best set may take (about a third of a second)."""

STARTS = 8
"""Sets from which exchanges begin where there is no proof."""

_EPS = 1e-12  # a set must be better by more than rounding: the order of addition shall not decide


@dataclass(frozen=True, slots=True)
class Choice:
    """Places of the chosen days among the candidates.

    Parameters
    ----------
    places : tuple of int
        Increasing.
    worth : float
        Of these and the days drawn anyway together.
    exact : bool
        Whether it is proven that no other set is worth more.
    looked : int
        Complete sets whose worth was computed; a proof excludes the others by a bound.
    """

    places: tuple[int, ...]
    worth: float
    exact: bool
    looked: int


def worth(found: Candidates, within: float, nadir_weight: float = 0.0) -> Floats:
    """Give what each day is worth to each subject and lineage.

    The worth is (1 - w) P(grade 3 caught in time) + w (1 - expected miss of the nadir), w being ``nadir_weight``. In time is
    a draw within so many days of the true onset that shows grade 3 while it is true. Whether it is *ever* caught is no
    criterion: with several cycles it is maximized by waiting for the deepest and last nadir, when there is nothing left to
    decide. Seven days are the default, because the question to a calendar is whether it does better than a draw a week,
    which no episode of a week or more escapes for longer than that.

    The nadir's miss is how far the true nadir lies below the lowest true count at a draw, as a fraction of that count: it
    is 0 to 1, also where nadirs are nearly nothing. The counts are the true ones: the lowest of several *measured* counts
    lies below the truth by its scatter alone, and days would be chosen for their noise.

    Parameters
    ----------
    found : Candidates
        What the days show.
    within : float
        Days from the true onset.
    nadir_weight : float
        0 to 1.

    Returns
    -------
    numpy.ndarray
        (row, day): a set's worth is the sum over rows of its best day. A row is a subject and lineage, or several with the
        same row.

    Raises
    ------
    SpecError
        If there is nothing to catch.
    """
    if not 0.0 <= nadir_weight <= 1.0:
        raise SpecError(f"monitoring: nadir_weight {nadir_weight!r} is not between 0 and 1")
    event = ~np.isnan(found.onset)
    if nadir_weight < 1.0 and not event.any():
        raise SpecError(
            "monitoring: no subject reaches grade 3, so no day is better than another; raise the dose or the size"
        )
    late = found.days - found.onset[event][:, None]
    caught = (found.hit[event] & (late <= within + 1e-9)) * (1.0 - TIE * np.floor(late) / (found.days[-1] + 1.0))
    # Many subjects share a row: it is told by its days and the day of the onset.
    began = np.floor(found.onset[event]).astype("<i4").view("u1").reshape(-1, 4)
    told = np.ascontiguousarray(np.concatenate([np.packbits(caught > 0.0, axis=1), began], axis=1))
    _, first, times = np.unique(told.view(f"V{told.shape[1]}"), return_index=True, return_counts=True)
    rows = [(1.0 - nadir_weight) / max(event.sum(), 1) * times[:, None] * caught[first]]
    if nadir_weight > 0.0:
        nadir = np.maximum(found.depth - found.start[..., None], 0.0).reshape(-1, found.days.size)
        rows.append(nadir_weight / len(nadir) * nadir)
    every = np.concatenate(rows)
    return np.asarray(every[every.any(axis=1)])


def best_days(
    value: Floats,
    days: Sequence[float] | Floats,
    number: int,
    *,
    anyway: Sequence[int] = (),
    windows: Sequence[Window] = (),
    among: Sequence[int] | None = None,
    work: float = WORK,
) -> Choice:
    """Choose days.

    Parameters
    ----------
    value : array (row, day)
        As from `worth`.
    days : sequence of float
        Elapsed days of the columns, increasing.
    number : int
        How many days to choose.
    anyway : sequence of int
        Places of days that are drawn anyway.
    windows : sequence of Window
        What chosen days and those drawn anyway must keep to together.
    among : sequence of int, optional
        Places to choose from; every one by default.
    work : float
        Additions the proof may take; beyond, the best of `STARTS` exchange searches and of what was looked at stands.

    Raises
    ------
    SpecError
        If there is no such set; it says why, and how many draws are possible.
    """
    when = [float(day) for day in days]
    free = [day for day in (range(len(when)) if among is None else sorted(among)) if day not in set(anyway)]
    chosen = [when[place] for place in anyway]
    binding = [rule for rule in windows if rule.most < number + len(chosen)]
    first = _earliest([when[place] for place in free], chosen, binding)
    if len(first) < number:
        raise SpecError(_impossible(number, [when[place] for place in free], chosen, binding))
    last = _earliest([-when[place] for place in reversed(free)], [-day for day in chosen], binding)
    search = _Search(value, when, number, free, list(anyway), binding, work)
    search.run(first[:number], [len(free) - 1 - i for i in reversed(last[:number])])
    places = tuple(sorted(free[i] for i in search.best))
    return Choice(places, search.best_worth + search.given, search.complete, search.looked)


def _earliest(when: Sequence[float], anyway: Sequence[float], rules: Sequence[Window]) -> list[int]:
    """Take each day, in this order, that the windows allow beside those already taken: no set holds more days.

    Take a largest set without the first day that is allowed, and exchange its first day for that one. A window that holds
    the new day and not the old one reaches back from before the old one, so that no other day of the set is in it: the set
    stays admissible. So some largest set begins with that day, and so on with the rest. It also follows that no admissible
    set has its n-th day before the n-th one taken.
    """
    taken: list[int] = []
    for i, day in enumerate(when):
        if admissible([*anyway, *(when[t] for t in taken), day], rules):
            taken.append(i)
    return taken


def _impossible(number: int, when: Sequence[float], anyway: Sequence[float], rules: Sequence[Window]) -> str:
    possible = len(_earliest(when, anyway, rules))
    causes = [rule for rule in rules if len(_earliest(when, anyway, [rule])) < number] or rules
    why = "; ".join(rule.why for rule in causes) if len(when) >= number else f"there are {len(when)} candidate days"
    beside = f" beside the {len(anyway)} drawn anyway" if anyway else ""
    return f"monitoring: {number} draws{beside} cannot be had: {why}; {possible} {'is' if possible == 1 else 'are'} possible"


class _Search:
    """Search the sets of so many of the free days.

    ``gain[i, j]`` is what day j adds to day i alone (to nothing, for the last i). Days in order d1 < d2 < ... add to the days
    before them, and as gains diminish each adds at most what it adds to the last one before it alone:

        worth(d1..dk) = sum_i gain(di | d1..di-1) <= sum_i gain[di-1, di].

    The right side is a longest path, found for all beginnings at once (``bound``: the most that so many days after day i can
    add). Where every row rises to one peak and falls, as around a nadir, or holds one stretch of days, both sides are equal,
    for the last day before is the best one before; so branch and bound from the first day to the last visits few sets.
    """

    def __init__(
        self, value: Floats, when: list[float], number: int, free: list[int], anyway: list[int],
        rules: Sequence[Window], work: float,
    ) -> None:  # fmt: skip
        known = value[:, anyway].max(axis=1, initial=0.0)
        more = np.maximum(value[:, free] - known[:, None], 0.0)
        self.value = np.ascontiguousarray(more[more.any(axis=1)].T)  # (day, row)
        self.given = float(known.sum())
        self.when, self.anyway = [when[i] for i in free], [when[i] for i in anyway]
        self.number, self.rules, self.left = number, rules, work
        self.best: list[int] = []
        self.best_worth = -1.0
        self.looked = 0
        self.complete = True

    def run(self, first: list[int], last: list[int]) -> None:
        """Search; ``first`` and ``last`` are between which days each draw must be."""
        starts = self.starts(first)
        self.exchange(next(starts))
        if self.number <= 1:  # of single days the greedy one is the best
            return
        if comb(len(self.when), 2) * self.value.shape[1] < self.left:
            self.bound = self.bounds(first, last)
            self.between = list(zip(first, last, strict=True))
            self.descend(np.zeros(self.value.shape[1]), [], 0.0)
        else:
            self.complete = False
        if not self.complete:
            for start in starts:
                self.exchange(start)

    def allowed(self, chosen: Sequence[int]) -> bool:
        return not self.rules or admissible([*self.anyway, *(self.when[i] for i in chosen)], self.rules)

    def keep(self, chosen: list[int], worth: float) -> bool:
        better = worth > self.best_worth + _EPS
        if better:
            self.best, self.best_worth = sorted(chosen), worth
        return better

    def gains(self, now: Floats, days: Sequence[int]) -> Floats:
        self.left -= now.size * len(days)
        return np.asarray(np.maximum(self.value[list(days)] - now, 0.0).sum(axis=1))

    def starts(self, fallback: list[int]) -> Iterator[list[int]]:
        """Give sets to begin with: the greedy one, then such as random orders of the days give."""
        days, size = range(len(self.when)), self.value.shape[1]
        now, chosen = np.zeros(size), list[int]()
        while len(chosen) < self.number:
            open_days = [d for d in days if d not in chosen and self.allowed([*chosen, d])]
            if not open_days:
                break
            chosen.append(open_days[int(np.argmax(self.gains(now, open_days)))])
            now = np.maximum(now, self.value[chosen[-1]])
        yield chosen if len(chosen) == self.number else fallback
        for order in uniforms(0, "search", STARTS - 1, max(len(days), 1)).argsort(axis=1).tolist():
            chosen = []
            for day in order:
                if len(chosen) < self.number and self.allowed([*chosen, day]):
                    chosen.append(day)
            yield chosen if len(chosen) == self.number else fallback

    def exchange(self, chosen: list[int]) -> None:
        """Exchange one chosen day for another as long as it helps."""
        worth = float(self.value[chosen].max(axis=0, initial=0.0).sum())
        self.keep(chosen, worth)
        better = True
        while better:
            better = False
            for old in list(chosen):
                rest = [day for day in chosen if day != old]
                days = [d for d in range(len(self.when)) if d not in rest and self.allowed([*rest, d])]
                now = self.value[rest].max(axis=0, initial=0.0)
                gains = self.gains(now, days)
                self.looked += len(days)
                reached = float(now.sum() + gains.max())
                if reached > worth + _EPS:
                    chosen, worth, better = [*rest, days[int(np.argmax(gains))]], reached, True
        self.keep(chosen, worth)

    def bounds(self, first: list[int], last: list[int]) -> Floats:
        count = len(self.when)
        gain = np.full((count + 1, count), -np.inf)
        apart = max((rule.days for rule in self.rules if rule.most == 1), default=0.0)
        for i in range(count):
            later = int(
                np.searchsorted(self.when, max(self.when[i] + apart - 1e-6, np.nextafter(self.when[i], np.inf)))
            )
            gain[i, later:] = self.gains(self.value[i], range(later, count))
        gain[count] = self.value.sum(axis=1)
        bound = np.zeros((self.number + 1, count + 1))
        for more in range(1, self.number + 1):
            among = slice(first[self.number - more], last[self.number - more] + 1)
            bound[more] = (gain[:, among] + bound[more - 1, :count][among]).max(axis=1)
        return bound

    def descend(self, now: Floats, chosen: list[int], base: float) -> None:
        """Try every completion of a beginning that could be better than the best set so far."""
        more = self.number - len(chosen)
        low, high = self.between[len(chosen)]
        begin = max(low, chosen[-1] + 1) if chosen else low
        days = [day for day in range(begin, high + 1) if self.allowed([*chosen, day])]
        if not days:
            return
        gains = self.gains(now, days)
        reach = base + gains + self.bound[more - 1, days]
        if more == 1:
            self.looked += len(days)
            at = int(np.argmax(gains))
            self.keep([*chosen, days[at]], float(base + gains[at]))
            return
        # stable: of equal days the earlier is tried, and kept, first
        for at in np.argsort(-reach, kind="stable"):
            if reach[at] <= self.best_worth + _EPS:
                return
            if self.left < 0:
                self.complete = False
                return
            self.descend(np.maximum(now, self.value[days[at]]), [*chosen, days[at]], float(base + gains[at]))
