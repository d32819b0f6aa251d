"""Look at every design there is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray

from myelosim.designing.allowed import Sets
from myelosim.designing.space import BATCH, Choice, Part, Space, State

Array = NDArray[np.float64]

WORK = 400_000.0  # small matrices that may be made, or scored
SHAPES = 2_000  # ways to choose regimens and numbers of subjects
BEST = 20  # designs that are remembered
EQUAL = 1e-9  # relative; designs nearer than that are equally good, and the first one counts


@dataclass
class Ranking:
    """The best designs so far, best first, and how many were looked at."""

    looked: int = 0
    _kept: dict[State, float] = field(default_factory=dict)

    def add(self, state: State, worth: float) -> None:
        """Remember a design; the order of a group's parts does not count."""
        own = tuple(Choice(choice.regimen, tuple(sorted(choice.parts))) for choice in state)
        self._kept.setdefault(own, worth)
        if len(self._kept) > 50 * BEST:
            self._kept = dict(sorted(self._kept.items(), key=lambda one: -one[1])[:BEST])

    @property
    def states(self) -> list[State]:
        """Designs, the best first; of those equally good, those that come first."""
        best = max(self._kept.values(), default=0.0)
        first = sorted((state for state, worth in self._kept.items() if worth >= best * (1 - EQUAL)), key=_order)
        rest = sorted(
            (state for state in self._kept if state not in first), key=lambda one: (-self._kept[one], _order(one))
        )
        return [*first, *rest][:BEST]

    @property
    def worth(self) -> float:
        """What the best is worth."""
        return max(self._kept.values(), default=0.0)


def _order(state: State) -> tuple[object, ...]:
    return sum(len(part.entries) for one in state for part in one.parts), state


def exhaust(space: Space, work: float = WORK) -> Ranking | None:
    """Return the best of all designs, None where there are too many.

    Parameters
    ----------
    space : Space
        Of the designs.
    work : float
        Small matrices that may be made and scored.
    """
    shapes = _shapes(space)
    lists = listed(space, work) if shapes is not None else None
    if shapes is None or lists is None:
        return None
    each = [math.prod(len(lists[g]) for g, one in enumerate(shape) for _ in one[1]) for shape in shapes]
    alone = all(len(one[1]) == 1 for shape in shapes for one in shape) and len(space.blocks) == 1
    if sum(each) * len(space.questions) > (work * max(len(shapes), 1) if alone else work):
        return None
    ranking = Ranking()
    if alone:
        _one_part(space, lists[0], shapes, ranking)
        return ranking
    made = {
        (g, r): space.information(g, r, lists[g])
        for g, block in enumerate(space.blocks) for r in range(len(block.group.regimens))
    }  # fmt: skip
    for shape in shapes:
        _joint(space, lists, shape, made, ranking)
    return ranking


def listed(space: Space, work: float = WORK) -> list[Sets] | None:
    """Return the sets of visits of each group's subjects, None where they are too many."""
    found = [space.sets(group, work) for group in range(len(space.blocks))]
    lists = [one for one in found if one is not None]
    return lists if len(lists) == len(found) else None


Shape = tuple[tuple[int, tuple[int, ...]], ...]  # for each group: regimen, subjects of its parts


def _shapes(space: Space) -> list[Shape] | None:
    """Return how regimens and subjects may be chosen; where more subjects cost nothing, only with as many as may be."""
    sizes = []
    for block in space.blocks:
        low, high = block.group.subjects
        alone = space.free and len(space.blocks) == 1 and not block.terminal
        most = high if space.limits.subjects is None else min(high, space.limits.subjects)
        own: Iterator[tuple[int, ...]] = block.divided(most) if alone or low == high else block.sizes()
        sizes.append(list(islice(own, SHAPES + 1)))
    regimens = [range(len(block.group.regimens)) for block in space.blocks]
    if math.prod(len(a) * len(b) for a, b in zip(sizes, regimens, strict=True)) > SHAPES:
        return None
    limit, found = space.limits.subjects, []
    for shape in product(*(list(product(a, b)) for a, b in zip(regimens, sizes, strict=True))):
        if limit is None or sum(sum(one[1]) for one in shape) <= limit:
            found.append(shape)
    if space.free and found:
        most = max(sum(sum(one[1]) for one in shape) for shape in found)
        found = [shape for shape in found if sum(sum(one[1]) for one in shape) == most]
    return found


def _one_part(space: Space, sets: Sets, shapes: Sequence[Shape], ranking: Ranking) -> None:
    """Look at all sets of the only group's subjects, the matrices of a batch being enough for every number of subjects."""
    counts = {r: [shape[0][1][0] for shape in shapes if shape[0][0] == r] for r in range(len(space.blocks[0].fishers))}
    draws = space.studied(0, sets)
    for regimen, numbers in counts.items():
        for start in range(0, len(sets), BATCH):
            own = sets[start : start + BATCH]
            matrices = space.information(0, regimen, own)
            for count in numbers:
                loads = count * draws[start : start + BATCH]
                worth = _worth(space, space.known[:, None] + count * matrices, loads, count)
                for k in _best(worth, ranking):
                    part = Part(count, tuple(np.flatnonzero(own[k]).tolist()))
                    ranking.add((Choice(regimen, (part,)),), float(worth[k]))
    ranking.looked += len(sets) * len(shapes)


def _joint(
    space: Space, lists: Sequence[Sets], shape: Shape, made: dict[tuple[int, int], Array], ranking: Ranking
) -> None:
    """Look at all sets of all parts together."""
    parts = [(g, r, count) for g, (r, counts) in enumerate(shape) for count in counts]
    lengths = [len(lists[g]) for g, *_ in parts]
    draws = [count * space.studied(g, lists[g]) for g, _, count in parts]
    subjects = sum(count for *_, count in parts)
    for start in range(0, math.prod(lengths), 8 * BATCH):
        places = np.unravel_index(np.arange(start, min(start + 8 * BATCH, math.prod(lengths))), lengths)
        fine = _distinct(space, lists, parts, places)
        places = tuple(place[fine] for place in places)
        ranking.looked += int(fine.sum())
        totals = space.known[:, None]
        for (g, r, count), place in zip(parts, places, strict=True):
            totals = totals + count * made[g, r][:, place]
        loads = np.sum([draw[place] for draw, place in zip(draws, places, strict=True)], axis=0)
        worth = _worth(space, totals, loads, subjects)
        for k in _best(worth, ranking):
            chosen = iter(
                Part(count, tuple(np.flatnonzero(lists[g][place[k]]).tolist()))
                for (g, _, count), place in zip(parts, places, strict=True)
            )
            state = tuple(Choice(r, tuple(islice(chosen, len(counts)))) for r, counts in shape)
            ranking.add(state, float(worth[k]))


def _distinct(
    space: Space, lists: Sequence[Sets], parts: Sequence[tuple[int, int, int]], places: Sequence[NDArray[np.intp]]
) -> Sets:
    """Tell which combinations count: parts of equal size in order, those of a terminal group on different days, fixed ones too."""
    fine = np.ones(len(places[0]), bool)
    for i, (g, _, count) in enumerate(parts):
        block = space.blocks[g]
        for j in range(i):
            if parts[j][0] == g and parts[j][2] == count:
                fine &= places[j] <= places[i]
            if parts[j][0] == g and block.terminal:
                fine &= places[j] != places[i]
    for g, block in enumerate(space.blocks):
        for day in space.fixed(g):
            entry = [own for _, own in block.allowed.entries].index(day)
            with_it = [lists[g][places[i], entry] for i, part in enumerate(parts) if part[0] == g]
            fine &= np.any(with_it, axis=0)
    return fine


def _worth(space: Space, totals: Array, loads: Array, subjects: int) -> Array:
    costs = space.costs(loads, subjects)
    return np.where(space.within(loads, costs), space.worth(totals, costs), -1.0)


def _best(worth: Array, ranking: Ranking) -> list[int]:
    """Return the places of the best, as far as they may be worth remembering."""
    top = np.argsort(-worth, kind="stable")[: BEST + 1]
    return [int(k) for k in top if worth[k] >= 0 and (worth[k] >= 0.5 * ranking.worth)]
