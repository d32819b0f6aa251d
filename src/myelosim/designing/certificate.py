"""How good a design is at least, by the equivalence theorem.

A score that is concave and grows in proportion to the information is nowhere above its tangent: no design F scores more than
tr(G F), G the gradient of the score at the design found. The right side is a sum over subjects, each at most what the best set
of visits gives: a bound for every design, among them those in which each subject has visits of its own.

Reference: Kiefer and Wolfowitz, Can J Math 1960;12:363-6; Pukelsheim, Optimal design of experiments, 2006, chapter 7.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myelosim.designing.allowed import Sets
from myelosim.designing.exhaust import WORK
from myelosim.designing.space import BATCH, Space, State

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Certificate:
    """The efficiency of a design is at least ``bound``; that is proven if ``exact``, that is if every set was looked at."""

    bound: float
    exact: bool


def certificate(space: Space, state: State) -> Certificate | None:
    """Return a lower bound of a design's efficiency, against all designs, with mixtures of visits, within the groups' limits.

    Limits on all groups together (capacity, budget, terminal days' number) do not make the bound less true. None where the score
    is no smooth function of the information there, the design leaving parameters undetermined.
    """
    total = space.total(state)
    with np.errstate(all="ignore"):
        try:
            gradient = space.criterion.gradient(total)
        except np.linalg.LinAlgError:
            return None
    smooth = all(np.linalg.eigvalsh(one / np.outer(size, size))[0] > 1e-12
                 for one in total for size in (np.sqrt(np.abs(np.diag(one))) + 1e-300,))  # fmt: skip
    if not (smooth and np.all(np.isfinite(gradient))):
        return None
    most, cheap, exact = [], [], True
    for group, block in enumerate(space.blocks):
        sets = block.allowed.sets(int(2 * WORK / block.work))
        exact &= sets is not None
        if sets is None:
            sets = _neighbors(space, state, group)
        values = [_slopes(space, group, regimen, sets, gradient) for regimen in range(len(block.fishers))]
        best = np.max(values, axis=0)
        costs = space.limits.per_subject + space.limits.per_draw * sets.sum(axis=1)
        most.append(float(best.max()))
        cheap.append((float((best / np.maximum(costs, 1e-300)).max()), float(costs.min())))
    given = float(np.einsum("wij,wji->", gradient, space.known))
    score = float(space.criterion(total[:, None])[0])
    if space.per_cost:
        least = sum(block.group.subjects[0] * cost for block, (_, cost) in zip(space.blocks, cheap, strict=True))
        highest = given / max(least, 1e-300) + max(ratio for ratio, _ in cheap)
        return Certificate(min(score / space.cost(state) / highest, 1.0), exact)
    return Certificate(min(score / (given + _shared(space, most)), 1.0), exact)


def _slopes(space: Space, group: int, regimen: int, sets: Sets, gradient: Array) -> Array:
    """Return tr(G F) (set) of one subject."""
    return np.concatenate(
        [
            np.einsum("wij,wsji->s", gradient, space.information(group, regimen, sets[i : i + BATCH]))
            for i in range(0, len(sets), BATCH)
        ]
    )


def _neighbors(space: Space, state: State, group: int) -> Sets:
    """Return the sets of a group in the design, and those that differ by an exchange from them."""
    of, found = space.blocks[group].allowed, []
    for part in state[group].parts:
        row = space.row(group, part.entries)
        swaps = [(i, j) for i in np.flatnonzero(row) for j in np.flatnonzero(~row)]
        made = np.repeat(row[None], len(swaps) + 1, axis=0)
        for k, (i, j) in enumerate(swaps):
            made[k, i], made[k, j] = False, True
        found.append(made[of.keeps(made) & of.full(made)])
    return np.concatenate(found)


def _shared(space: Space, most: list[float]) -> float:
    """Return the most that subjects, shared among the groups, give together."""
    total = sum(block.group.subjects[0] * value for block, value in zip(space.blocks, most, strict=True))
    left = np.inf if space.limits.subjects is None else space.limits.subjects
    left -= sum(block.group.subjects[0] for block in space.blocks)
    for value, (low, high) in sorted(
        zip(most, [block.group.subjects for block in space.blocks], strict=True), reverse=True
    ):
        more = min(high - low, left)
        total, left = total + more * value, left - more
    return float(total)
