"""How good a design is at least, by the equivalence theorem.

A score that is concave and grows in proportion to the information is nowhere above its tangent: no design F scores more than
tr(G F), G the gradient of the score at the design found. The right side is a sum over subjects, each at most what the best set
of visits gives: a bound for every design, among them those in which each subject has visits of its own.

Reference: Kiefer and Wolfowitz, Can J Math 1960;12:363-6; Pukelsheim, Optimal design of experiments, 2006, chapter 7.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from myelosim.designing.allowed import Sets
from myelosim.designing.exchange import near
from myelosim.designing.exhaust import EQUAL, WORK
from myelosim.designing.space import Space, State

Array = NDArray[np.float64]

STEPS = 60  # towards the best mixture of visits
CLOSE = 0.998  # share of the bound that a mixture attains, at which it is good enough
MEMORY = 3e8  # bytes of matrices that are kept
MANY = 8192  # matrices at once
SMOOTH = 1e-12  # smallest eigenvalue, of a matrix scaled to a unit diagonal


@dataclass(frozen=True)
class Certificate:
    """The efficiency of a design is at least ``bound``; that is proven if ``exact``, that is if every set was looked at."""

    bound: float
    exact: bool


def certificate(space: Space, state: State) -> Certificate | None:
    """Return a lower bound of a design's efficiency, against all designs, with mixtures of visits, within the groups' limits.

    Tangents at other points than the design bound all designs, too: a mixture of visits is improved step by step (Frank and Wolfe's
    way), and the lowest of the bounds on the way counts. Limits on all groups together (capacity, budget, the number of terminal
    days) do not make it less true. None where the score is no smooth function of the information there, the design leaving
    parameters undetermined.
    """
    total = space.total(state)
    gradient = _gradient(space, total)
    if gradient is None:
        return None
    sets = [space.sets(group, 2 * WORK) for group in range(len(space.blocks))]
    exact = all(one is not None for one in sets)
    every = [one if one is not None else _climbed(space, state, g, gradient) for g, one in enumerate(sets)]
    score = float(space.criterion(total[:, None])[0])
    if space.per_cost:
        return Certificate(min(score / space.cost(state) / _per_cost(space, every, gradient), 1.0), exact)
    matrices = sum(len(one) * len(block.fishers) for one, block in zip(every, space.blocks, strict=True))
    made: list[Iterable[Batch]] = [_batches(space, group, own) for group, own in enumerate(every)]
    if keep := exact and 8 * space.known.size * matrices < MEMORY:
        made = [list(one) for one in made]
    lowest = np.inf
    for _ in range(STEPS if keep else 1):
        best = [_best(one, gradient) for one in made]
        other = space.known + _shared(space, best)
        lowest = min(lowest, float(np.einsum("wij,wji->", gradient, other)))
        shares = np.concatenate([np.geomspace(1e-4, 0.5, 40), [0.6, 0.7, 0.8, 0.9]])
        along = (1 - shares)[:, None, None] * total[:, None] + shares[:, None, None] * other[:, None]
        worth = space.criterion(along)
        k = int(np.argmax(worth))
        if not worth[k] > float(space.criterion(total[:, None])[0]) or worth[k] > CLOSE * lowest:
            break
        total = along[:, k]
        if (following := _gradient(space, total)) is None:
            break
        gradient = following
    return Certificate(min(score / lowest, 1.0), exact)


def _gradient(space: Space, total: Array) -> Array | None:
    """Return the gradient of the score, None where that is not smooth."""
    size = np.sqrt(np.abs(np.diagonal(total, axis1=1, axis2=2))) + 1e-300
    if np.min(np.linalg.eigvalsh(total / (size[:, :, None] * size[:, None]))) < SMOOTH:
        return None
    gradient = space.criterion.gradient(total)
    return gradient if np.all(np.isfinite(gradient)) else None


Batch = tuple[Sets, Array]  # of sets (set, entry): and their matrices (world, set, parameter, parameter)


def _batches(space: Space, group: int, sets: Sets) -> Iterator[Batch]:
    """Return the matrices of one subject with each set and regimen of a group."""
    for regimen in range(len(space.blocks[group].fishers)):
        for start in range(0, len(sets), MANY):
            own = sets[start : start + MANY]
            yield own, space.information(group, regimen, own)


def _slopes(matrices: Array, gradient: Array) -> Array:
    """Return tr(G F) (set)."""
    each = [one.reshape(len(one), -1) @ G.ravel() for one, G in zip(matrices, gradient, strict=True)]
    return np.asarray(np.sum(each, axis=0))


def _best(batches: Iterable[Batch], gradient: Array) -> tuple[float, Array]:
    """Return the largest tr(G F), and the matrices (world, parameter, parameter) that have it."""
    most, found = -np.inf, gradient
    for _, matrices in batches:
        slopes = _slopes(matrices, gradient)
        place = int(np.argmax(slopes))
        if slopes[place] > most:
            most, found = float(slopes[place]), matrices[:, place].copy()
    return most, found


def _per_cost(space: Space, sets: list[Sets], gradient: Array) -> float:
    """Return the most that any design scores for its cost; days' costs only make it less."""
    most, least = 0.0, 0.0
    for group, (block, every) in enumerate(zip(space.blocks, sets, strict=True)):
        costs = space.limits.per_subject + space.limits.per_draw * every.sum(axis=1)
        least += block.group.subjects[0] * float(costs.min())
        for own, matrices in _batches(space, group, every):
            each = space.limits.per_subject + space.limits.per_draw * own.sum(axis=1)
            most = max(most, float((_slopes(matrices, gradient) / np.maximum(each, 1e-300)).max()))
    given = float(np.einsum("wij,wji->", gradient, space.known))
    return given / max(least, 1e-300) + most


def _climbed(space: Space, state: State, group: int, gradient: Array) -> Sets:
    """Return sets of a group's subjects with tr(G F) that no exchange or addition of a day makes larger, and those on the way."""
    block, found = space.blocks[group], []
    for regimen in range(len(block.fishers)):
        for part in state[group].parts:
            row, value = space.row(group, part.entries), -np.inf
            while True:
                sets = np.concatenate([row[None], near(block.allowed, row)])
                slopes = _slopes(space.information(group, regimen, sets), gradient)
                best = int(np.argmax(slopes))
                if not slopes[best] > value * (1 + EQUAL) + 1e-300:
                    break
                row, value = sets[best], float(slopes[best])
                found.append(sets)
    return np.unique(np.concatenate(found), axis=0)


def _shared(space: Space, best: list[tuple[float, Array]]) -> Array:
    """Return the information (world, parameter, parameter) of subjects shared among the groups so that they give the most."""
    ranges = [block.group.subjects for block in space.blocks]
    left = np.inf if space.limits.subjects is None else space.limits.subjects
    left -= sum(low for low, _ in ranges)
    total = np.zeros_like(space.known)
    for g in sorted(range(len(best)), key=lambda g: -best[g][0]):
        low, high = ranges[g]
        more = min(high - low, left)
        total, left = total + (low + more) * best[g][1], left - more
    return total
