"""Improve a design step by step: exchange a visit, add or drop one, take another dose, move a subject.

Reference: Fedorov, Theory of optimal experiments, 1972; Meyer and Nachtsheim, Technometrics 1995;37:60-9 (coordinate exchange).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from myelosim.designing.allowed import Allowed, Sets
from myelosim.designing.exhaust import EQUAL, Ranking
from myelosim.designing.space import Choice, Part, Space, State, shared
from myelosim.information import precision

Array = NDArray[np.float64]

ROUNDS = 200
RIDGE = 1e-6  # of the information in all looks, that is pretended while a design determines too little


def climb(space: Space, state: State, ranking: Ranking) -> State:
    """Return a design that no single step improves; those on the way are remembered."""
    ridge = np.zeros_like(space.known)
    if not regular(space, state):
        ridge = _ridge(space, state)
        state = _climb(space, state, ridge, None)
    return _climb(space, state, 0.0 * ridge, ranking)


def regular(space: Space, state: State) -> bool:
    """Tell whether a design determines all that the criterion is about."""
    return space.worth_of(state) > 0 and (
        space.criterion.partial or bool(np.all(precision(space.total(state)[0]).determined))
    )


def polish(space: Space, state: State, lists: Sequence[Sets | None], ranking: Ranking) -> State:
    """Return a design in which no part's visits can be exchanged for any others that are allowed."""
    for _ in range(ROUNDS):
        before = space.worth_of(state)
        for group, sets in enumerate(lists):
            if sets is None or space.blocks[group].terminal:
                continue
            for place in range(len(state[group].parts)):
                state, _ = _exchanged(space, state, group, place, sets, np.zeros_like(space.known), ranking)
        if not space.worth_of(state) > before * (1 + EQUAL):
            break
    return state


def paired(space: Space, state: State, lists: Sequence[Sets | None], most: float, ranking: Ranking) -> None:
    """Try one step of a part together with any other visits of another part, which a limit of all may ask for.

    Parts for which that would cost more than so many small matrices are left out.
    """
    places = [(group, place) for group, choice in enumerate(state) for place in range(len(choice.parts))]
    for (g, i), (h, j) in permutations(places, 2):
        sets, rows = lists[h], _near(space, state, g, i)
        if sets is None or space.blocks[h].terminal or len(rows) * len(sets) * space.blocks[h].work > most:
            continue
        for row in rows:
            moved = _with(state, g, state[g].having(i, np.flatnonzero(row).tolist()))
            _exchanged(space, moved, h, j, sets, np.zeros_like(space.known), ranking)


def _climb(space: Space, state: State, ridge: Array, ranking: Ranking | None) -> State:
    now = _value(space, state, ridge)
    for _ in range(ROUNDS):
        before = now
        for group in range(len(state)):
            for place in range(len(state[group].parts)):
                sets = _near(space, state, group, place)
                if len(sets):
                    state, now = _exchanged(space, state, group, place, sets, ridge, ranking)
        for other in _moved(space, state):
            if space.keeps(other) and (worth := _value(space, other, ridge)) > now * (1 + EQUAL):
                state, now = other, worth
                break
        if not now > before * (1 + EQUAL):
            break
    if ranking is not None:
        ranking.add(state, now)
    return state


def _value(space: Space, state: State, ridge: Array) -> float:
    return float(space.worth((space.total(state) + ridge)[:, None], space.cost(state))[0])


def _exchanged(
    space: Space, state: State, group: int, place: int, sets: Sets, ridge: Array, ranking: Ranking | None
) -> tuple[State, float]:
    """Return the design with the best of these sets (set, entry) for one part, or as it is, and its worth."""
    choice = state[group]
    part = choice.parts[place]
    row = space.row(group, part.entries)[None]
    base = space.total(state) - part.subjects * space.of_part(group, choice.regimen, part.entries) + ridge
    others = space.load(state) - part.subjects * space.studied(group, row)[0]
    loads = others + part.subjects * space.studied(group, sets)
    costs = space.costs(loads, sum(one.subjects for one in state))
    sets, costs = sets[fine := space.within(loads, costs)], costs[fine]
    now = _value(space, state, ridge)
    if not len(sets):
        return state, now
    worth = space.worth(base[:, None] + part.subjects * space.information(group, choice.regimen, sets), costs)
    if ranking is not None:
        ranking.looked += len(sets)
        for k in np.argsort(-worth, kind="stable")[:3].tolist():
            ranking.add(_with(state, group, choice.having(place, np.flatnonzero(sets[k]).tolist())), float(worth[k]))
    best = int(np.argmax(worth >= worth.max() * (1 - EQUAL)))
    if not worth[best] > now * (1 + EQUAL):
        return state, now
    return _with(state, group, choice.having(place, np.flatnonzero(sets[best]).tolist())), float(worth[best])


def _with(state: State, group: int, choice: Choice) -> State:
    return (*state[:group], choice, *state[group + 1 :])


def near(of: Allowed, row: Sets) -> Sets:
    """Return the allowed sets (set, entry) that differ from one (entry) by one day: exchanged, added or dropped."""
    found = [row[None][:0]]
    for sampling in range(len(of.sizes)):
        own = of.sampling == sampling
        out, into = np.flatnonzero(row & own & ~of.fixed), np.flatnonzero(~row & own)
        swaps = np.array([(i, j) for i in out for j in into], dtype=np.intp).reshape(-1, 2)
        made = np.repeat(row[None], len(swaps) + len(out) + len(into), axis=0)
        n, m = len(swaps), len(swaps) + len(out)
        made[np.arange(n), swaps[:, 0]], made[np.arange(n), swaps[:, 1]] = False, True
        made[np.arange(n, m), out] = False
        made[np.arange(m, len(made)), into] = True
        found.append(made)
    sets = np.concatenate(found)
    sets = sets[of.full(sets)]
    return np.asarray(sets[of.keeps(sets)])


def _near(space: Space, state: State, group: int, place: int) -> Sets:
    """Return the sets (set, entry) near a part's."""
    block, choice = space.blocks[group], state[group]
    sets = near(block.allowed, space.row(group, choice.parts[place].entries))
    if block.terminal:
        fine = [space.apart(group, choice.having(place, np.flatnonzero(one).tolist())) for one in sets]
        sets = sets[np.array(fine, bool)]
    return sets


def _moved(space: Space, state: State) -> Iterator[State]:
    """Return designs with another regimen, or with subjects elsewhere."""
    for group, (block, choice) in enumerate(zip(space.blocks, state, strict=True)):
        for regimen in range(len(block.group.regimens)):
            if regimen != choice.regimen:
                yield _with(state, group, replace(choice, regimen=regimen))
        if block.terminal:
            yield from (_with(state, group, one) for one in _terminal(space, group, choice))
    steps = sorted({1, *(max(choice.subjects // 4, 1) for choice in state)}, reverse=True)
    for step in steps:
        more = [_sized(choice, step, *space.blocks[g].group.subjects) for g, choice in enumerate(state)]
        fewer = [_sized(choice, -step, *space.blocks[g].group.subjects) for g, choice in enumerate(state)]
        for g, one in enumerate(more):
            if one is not None:
                yield _with(state, g, one)
                yield from (_with(_with(state, g, one), h, less) for h, less in enumerate(fewer) if less and h != g)
        yield from (_with(state, g, less) for g, less in enumerate(fewer) if less)
        resized = [(_with(state, g % len(state), one), g < len(state)) for g, one in enumerate([*more, *fewer]) if one]
        if not space.free:
            for other, larger in resized:
                yield from _traded(space, other, out=larger)
        if space.limits.capacity is not None:
            for other, _ in resized:
                yield from _shifted(space, other)


def _traded(space: Space, state: State, *, out: bool) -> Iterator[State]:
    """Return designs with a visit of some part less (``out``) or more, which pays for subjects or is paid by them."""
    for group, choice in enumerate(state):
        for place, part in enumerate(choice.parts):
            for entry in range(len(space.blocks[group].allowed.entries)):
                if (entry in part.entries) == out:
                    entries = tuple(sorted({*part.entries} ^ {entry}))
                    yield _with(state, group, choice.having(place, entries))


def _shifted(space: Space, state: State) -> Iterator[State]:
    """Return designs with a visit of some part on another day, where there is room for more subjects."""
    for group, choice in enumerate(state):
        for place in range(len(choice.parts)):
            for row in _near(space, state, group, place):
                yield _with(state, group, choice.having(place, np.flatnonzero(row).tolist()))


def _sized(choice: Choice, step: int, low: int, high: int) -> Choice | None:
    """Return the choice with so many more subjects, shared as they were, None where that is too few or too many."""
    count = choice.subjects + step
    if not max(low, len(choice.parts)) <= count <= high:
        return None
    now = [part.subjects for part in choice.parts]
    if max(now) - min(now) <= 1:
        order = sorted(range(len(now)), key=lambda k: -now[k])
        sizes = dict(zip(order, shared(count, len(now)), strict=True))
        return replace(choice, parts=tuple(replace(part, subjects=sizes[k]) for k, part in enumerate(choice.parts)))
    place = int(np.argmax(now) if step < 0 else np.argmin(now))
    if now[place] + step < 1:
        return None
    parts = [replace(part, subjects=part.subjects + step * (k == place)) for k, part in enumerate(choice.parts)]
    return replace(choice, parts=tuple(parts))


def _terminal(space: Space, group: int, choice: Choice) -> Iterator[Choice]:
    """Return choices with a subject on another terminal day, and with one such day more or fewer."""
    parts = choice.parts
    for i, giver in enumerate(parts):
        for j, taker in enumerate(parts):
            if i != j and giver.subjects > 1:
                made = list(parts)
                made[i], made[j] = (
                    replace(giver, subjects=giver.subjects - 1),
                    replace(taker, subjects=taker.subjects + 1),
                )
                yield replace(choice, parts=tuple(made))
            if i != j:
                made = [replace(one, subjects=one.subjects + (k == j) * giver.subjects) for k, one in enumerate(parts)]
                yield replace(choice, parts=tuple(one for k, one in enumerate(made) if k != i))
    taken = {part.entries for part in parts}
    for i, giver in enumerate(parts):
        for entry in range(len(space.blocks[group].allowed.entries)):
            if giver.subjects > 1 and (entry,) not in taken:
                less = replace(giver, subjects=giver.subjects - 1)
                yield replace(choice, parts=(*parts[:i], less, *parts[i + 1 :], Part(1, (entry,))))


def _ridge(space: Space, state: State) -> Array:
    """Return a little information on every parameter's own (world, parameter, parameter)."""
    total = space.known.copy()
    for group, choice in enumerate(state):
        every = np.ones((1, len(space.blocks[group].allowed.entries)), bool)
        total = total + choice.subjects * space.information(group, choice.regimen, every)[:, 0]
    size = np.diagonal(total, axis1=1, axis2=2)
    return np.asarray(RIDGE * np.maximum(size, 1e-300)[:, :, None] * np.eye(size.shape[1]))
