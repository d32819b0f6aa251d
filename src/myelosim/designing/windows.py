"""How far visits may slip before a design is worth noticeably less."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from myelosim.designing.design import Design
from myelosim.designing.question import Question
from myelosim.errors import SpecError
from myelosim.information import Arm, Fisher
from myelosim.random import uniforms
from myelosim.spec.design import Group

Array = NDArray[np.float64]

STEP = 3.0  # hours
REACH = 7.0  # days that a visit is let slip at most
SLIPS = 2000  # of all visits together
BATCH = 512


def windows(
    design: Design, efficiency: float = 0.9, *, step: float = STEP, reach: float = REACH, seed: int = 1
) -> pd.DataFrame:
    """Return how far each visit may slip alone, the others being on their days.

    What a design is worth is its score over the score without slips, at the values that are taken as true. A visit stays between
    its neighbors and does not begin before time zero; with ``blood_loss`` the blood is missing from the planned hour on.

    Parameters
    ----------
    design : Design
        Its criterion is kept to.
    efficiency : float
        What the design must be worth still, 0 to 1.
    step : float
        Hours between the slips that are tried.
    reach : float
        Days beyond which no slip is tried.
    seed : int
        Of slips of all visits together.

    Returns
    -------
    pandas.DataFrame
        One row per group and visit: ``group``, ``day``, ``earliest``, ``latest`` (elapsed days), ``at_earliest``, ``at_latest``
        (efficiency there). ``attrs``: ``efficiency``; ``mean``, ``low`` (5 % quantile) and ``worst`` efficiency where all visits
        slip at random within their windows, their order kept; ``slips``, how often that was tried.

    Raises
    ------
    SpecError
        The level is not possible, or the design's own score is nothing.
    """
    if not 0.0 < efficiency < 1.0:
        raise SpecError(f"windows: efficiency = {efficiency:g} is not possible; give a number between 0 and 1, as 0.9")
    if not (0.0 < step <= 24.0 and reach > 0.0):
        raise SpecError(f"windows: step = {step:g} h, reach = {reach:g} d: give up to 24 h, and a reach above 0")
    slipping = _Slipping.of(design, step / 24.0, round(24.0 * reach / step))
    if not slipping.planned > 0.0:
        raise SpecError("windows: the design does not tell what its criterion asks for; choose other days first")
    rows, spans = [], []
    for k, one in enumerate(slipping.visits):
        worth = slipping.alone(k)
        low, high = (_last(worth, sign, efficiency) for sign in (-1, 1))
        spans.append((low, high))
        rows.append((
            one.group, one.day, one.day + low * slipping.step, one.day + high * slipping.step, worth[low], worth[high],
        ))  # fmt: skip
    table = pd.DataFrame(rows, columns=["group", "day", "earliest", "latest", "at_earliest", "at_latest"])
    every = slipping.together(spans, seed)
    table.attrs |= {
        "efficiency": efficiency, "mean": float(every.mean()), "low": float(np.quantile(every, 0.05)),
        "worst": float(every.min()), "slips": len(every),
    }  # fmt: skip
    return table


def _last(worth: dict[int, float], sign: int, least: float) -> int:
    """Return how far one can go in a direction without falling below what is asked for."""
    k = 0
    while worth.get(k + sign, 0.0) >= least:
        k += sign
    return k


@dataclass(frozen=True)
class _Visit:
    """A visit: whose, when, and by how many steps it can slip."""

    group: str
    member: int  # of the groups
    day: float
    slips: range


@dataclass(frozen=True)
class _Slipping:
    """A design, and its looks at all hours to which visits could slip.

    ``places`` (visit) maps a slip to the looks that are then made.
    """

    design: Design
    step: float
    visits: list[_Visit]
    places: list[dict[int, list[int]]]
    fishers: list[Fisher]
    sizes: list[int]

    @classmethod
    def of(cls, design: Design, step: float, most: int) -> _Slipping:
        visits, wide = [], []
        for g, group in enumerate(design.groups):
            own = [_Visit(group.name, g, day, _between(group.days, day, step, most)) for day in group.days]
            visits += own
            wide.append(_arm(design.question, group, own, step))
        found = design.question.of_arms(wide)
        places = []
        for one in visits:
            group = design.groups[one.member]
            at = {
                (look.observable, round(look.hour, 6), look.after): k for k, look in enumerate(found[one.member].looks)
            }
            places.append({
                k: [
                    at[name, round(24.0 * (one.day + k * step), 6), s.order == "after"]
                    for s in group.samplings if one.day in s.days for name in s.observe
                ]
                for k in one.slips
            })  # fmt: skip
        return cls(design, step, visits, places, [Fisher(s) for s in found], [len(s.looks) for s in found])

    def alone(self, k: int) -> dict[int, float]:
        """Return what the design is worth by how far a visit slips alone."""
        slips = list(self.visits[k].slips)
        every = np.zeros((len(slips), len(self.visits)), int)
        every[:, k] = slips
        return dict(zip(slips, self.worth(every).tolist(), strict=True))

    def together(self, spans: list[tuple[int, int]], seed: int) -> Array:
        """Return what the design is worth where all visits slip within their spans, their order being kept."""
        low, high = np.array(spans).T
        unit = uniforms(seed, "search", SLIPS, len(spans), "windows")
        slips = low + np.floor(unit * (high - low + 1)).astype(int)
        slips[0] = 0  # there is always one that keeps the order
        day = np.array([one.day for one in self.visits]) + self.step * slips
        same = np.diff([one.member for one in self.visits]) == 0
        kept = np.all(np.diff(day, axis=1)[:, same] > 1e-9, axis=1)
        return self.worth(slips[kept])

    @cached_property
    def planned(self) -> float:
        """The score without slips."""
        return float(self.scores(np.zeros((1, len(self.visits)), int))[0])

    def worth(self, slips: NDArray[np.intp]) -> Array:
        """Return scores (set) over that without slips, of slips (set, visit)."""
        return self.scores(slips) / self.planned

    def scores(self, slips: NDArray[np.intp]) -> Array:
        """Return scores (set) of slips (set, visit)."""
        found = []
        for first in range(0, len(slips), BATCH):
            some = slips[first : first + BATCH]
            total = np.repeat(self.design.question.known[None], len(some), axis=0)
            for g, (fisher, size) in enumerate(zip(self.fishers, self.sizes, strict=True)):
                counts = np.zeros((len(some), size))
                for k, one in enumerate(self.visits):
                    if one.member == g:
                        for row, slip in enumerate(some[:, k].tolist()):
                            counts[row, self.places[k][slip]] += 1.0
                total += self.design.groups[g].subjects * fisher(counts)
            found.append(self.design.scored_by(total[None]))
        return np.concatenate(found)


def _between(days: tuple[float, ...], day: float, step: float, most: int) -> range:
    """Return by how many steps a day can slip and stay between its neighbors."""
    k = days.index(day)
    back = (day - days[k - 1]) / step if k else day / step + 1.0
    ahead = (days[k + 1] - day) / step if k + 1 < len(days) else np.inf
    return range(-int(min(most, np.ceil(back - 1e-9) - 1)), int(min(most, np.ceil(ahead - 1e-9) - 1)) + 1)


def _arm(question: Question, group: Group, visits: list[_Visit], step: float) -> Arm:
    """Return a group's arm with looks at all hours to which visits could slip, and blood drawn as planned."""
    wide = replace(group, samplings=tuple(
        replace(one, days=tuple(sorted({v.day + k * step for v in visits if v.day in one.days for k in v.slips})))
        for one in group.samplings
    ))  # fmt: skip
    arm = question.arm(wide, bled=group)
    return replace(
        arm, looks=tuple({(look.observable, round(look.hour, 6), look.after): look for look in arm.looks}.values())
    )
