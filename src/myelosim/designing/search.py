"""Find the best design: all of them where they are few enough, else the best of several searches by exchange."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray

from myelosim.designing.allowed import Allowed
from myelosim.designing.exchange import climb, paired, polish, regular
from myelosim.designing.exhaust import WORK, Ranking, exhaust
from myelosim.designing.feasible import Program
from myelosim.designing.space import Choice, Part, Space, State, shared
from myelosim.errors import SpecError
from myelosim.random import uniforms

Array = NDArray[np.float64]

STARTS = 20, 4  # usually, and where matrices are dear or days are many
MOST = 100  # times the usual work, that "exact" may do
REACH = 3  # subjects more or fewer that the best design is tried with, where all share a limit
POLISHED = 3  # designs that are polished
WAYS = ("auto", "exact", "exchange")


@dataclass(frozen=True)
class Found:
    """The best designs, best first; in how many were looked at, by how many starts (0: all designs there are)."""

    states: tuple[State, ...]
    worth: float
    looked: int
    starts: int

    @property
    def exact(self) -> bool:
        """Whether there is no better design."""
        return self.starts == 0

    @property
    def how(self) -> str:
        """In words."""
        if self.exact:
            return f"exact, all {self.looked:,} designs"
        looked = f", {self.looked:,} designs looked at" if self.looked else ""
        return f"exchange, best of {self.starts} starts{looked}"


def search(space: Space, *, way: str = "auto", starts: int | None = None, seed: int = 1) -> Found:
    """Return the best designs.

    Parameters
    ----------
    space : Space
        Of all designs.
    way : {"auto", "exact", "exchange"}
        "exact" looks at all designs, up to `MOST` times as many as "auto" would.
    starts : int, optional
        Of the search by exchange. Default: 20, fewer where matrices are dear or candidate days are many.
    seed : int
        Of its random starts.

    Raises
    ------
    SpecError
        No design keeps to the limits (it says which of them leave none), or there are too many for "exact".
    """
    if starts is not None and starts < 1:
        raise SpecError(f"search: starts = {starts} is not possible; give a whole number from 1 on")
    first = _possible(space)
    if way != "exchange":
        ranking = exhaust(space, WORK if way == "auto" else MOST * WORK)
        if ranking is None and way == "exact":
            raise SpecError("search: there are too many designs to look at all; leave search out, or narrow the choice")
        if ranking is not None and (ranking.worth > 0 or way == "exact"):
            return Found(tuple(ranking.states), ranking.worth, ranking.looked, 0)
    ranking = Ranking()
    dear = max(block.work for block in space.blocks)
    wide = max(len(block.allowed.entries) for block in space.blocks)
    starts = max(STARTS[1], min(STARTS[0], int(2_000 / dear), 4_000 // wide)) if starts is None else starts
    begun = 0
    for state in _starts(space, first, starts, seed):
        found = climb(space, state, ranking)
        begun += 1
        if begun == STARTS[1] and not regular(space, found) and not regular(space, ranking.states[0]):
            break
    lists = [space.sets(group, WORK / 8) for group in range(len(space.blocks))]
    for state in ranking.states[:POLISHED]:
        ranking.add(better := polish(space, state, lists, ranking), space.worth_of(better))
    if space.limits.capacity is not None or not space.free:
        for other in _resized(space, ranking.states[0]):
            climb(space, other, ranking)
        paired(space, ranking.states[0], lists, WORK, ranking)
    if len(space.blocks) > 1:
        climb(space, ranking.states[0], ranking)
    states = [state for state in ranking.states if space.keeps(state)]
    return Found(tuple(states), ranking.worth, ranking.looked, begun)


def _possible(space: Space) -> list[tuple[int, ...]]:
    """Return numbers of subjects with which some design keeps to the limits: the fewest, then as evenly as may be."""
    tried = None
    for sizes in _fewest(space):
        program = Program(space.units(sizes), space.limits)
        if program.solve() is not None:
            return sizes
        tried = tried or program
    assert tried is not None  # there is at least one number of terminal days
    raise tried.refuse()


def _fewest(space: Space) -> Iterator[list[tuple[int, ...]]]:
    each = []
    for block in space.blocks:
        low = block.group.subjects[0]
        if block.terminal:
            first, last = block.group.samplings[0].visits
            each.append([tuple(shared(low, days)) for days in range(min(last, low), first - 1, -1)])
        else:
            each.append([next(block.divided(low))])
    yield from (list(one) for one in islice(product(*each), 200))


def _starts(space: Space, fewest: list[tuple[int, ...]], starts: int, seed: int) -> Iterator[State]:
    """Return designs that keep to the limits, from which to begin: evenly spaced, and at random."""
    made: dict[tuple[tuple[int, ...], ...], Program] = {}
    for k in range(starts):
        for sizes in (_sized(space, fewest, k, seed), fewest):
            program = made.setdefault(tuple(sizes), Program(space.units(sizes), space.limits))
            wanted = [_wanted(unit.allowed, k, i, seed) for i, unit in enumerate(program.units)]
            state = _solved(space, program, sizes, wanted, [k % len(block.group.regimens) for block in space.blocks])
            if state is not None:
                yield _grown(space, state) if k % 2 == 0 else state
                break


def _solved(
    space: Space, program: Program, sizes: Sequence[tuple[int, ...]], wanted: Sequence[Array], regimens: Sequence[int]
) -> State | None:
    """Return a design with so many subjects that keeps to the limits and has days of large weight (part, entry)."""
    found = program.solve(list(wanted))
    if found is None:
        return None
    chosen, state = iter(found), []
    for own, regimen in zip(sizes, regimens, strict=True):
        parts = tuple(Part(count, tuple(np.flatnonzero(next(chosen)).tolist())) for count in own)
        state.append(Choice(regimen, parts))
    return tuple(state) if space.keeps(tuple(state)) else None


def _resized(space: Space, state: State) -> Iterator[State]:
    """Return designs with a few subjects more or fewer in a group, and as many of the same days as the limits leave."""
    rows = [space.row(g, part.entries).astype(float) for g, choice in enumerate(state) for part in choice.parts]
    for g, (block, choice) in enumerate(zip(space.blocks, state, strict=True)):
        low, high = block.group.subjects
        for count in range(max(low, choice.subjects - REACH), min(high, choice.subjects + REACH) + 1):
            if count == choice.subjects or block.terminal or count < len(choice.parts):
                continue
            sizes = [tuple(part.subjects for part in one.parts) for one in state]
            sizes[g] = tuple(shared(count, len(choice.parts)))
            program = Program(space.units(sizes), space.limits)
            other = _solved(space, program, sizes, rows, [one.regimen for one in state])
            if other is not None:
                yield other


def _wanted(of: Allowed, start: int, unit: int, seed: int) -> Array:
    """Return weights (entry) of the days that a start has: in the first those evenly spaced, else at random."""
    random = uniforms(seed, "search", 1, len(of.entries), "start", start, unit)[0]
    return np.asarray(random + (0.0 if start else 10.0 * _even(of.days, max(high for _, high in of.sizes)) @ of.on.T))


def _sized(space: Space, fewest: list[tuple[int, ...]], start: int, seed: int) -> list[tuple[int, ...]]:
    """Return numbers of subjects: the fewest at first, then at random."""
    if start == 0:
        return fewest
    left = (space.limits.subjects or 10**9) - sum(map(sum, fewest))
    made = []
    for g, (block, own) in enumerate(zip(space.blocks, fewest, strict=True)):
        low, high = block.group.subjects
        random = float(uniforms(seed, "search", 1, 1, "subjects", start, g)[0, 0])
        more = min(int(random * (high - low + 1)), left)
        left -= more
        made.append(tuple(shared(sum(own) + more, len(own))))
    return made


def _grown(space: Space, state: State) -> State:
    """Return the design with as many subjects as may be, one to each group in turn, where more cost nothing."""
    growing = not space.per_cost
    while growing:
        growing = False
        for g, choice in enumerate(state):
            counts = [part.subjects for part in choice.parts]
            place = int(np.argmin(counts))
            parts = [Part(part.subjects + (k == place), part.entries) for k, part in enumerate(choice.parts)]
            other = (*state[:g], Choice(choice.regimen, tuple(parts)), *state[g + 1 :])
            if space.keeps(other):
                state, growing = other, True
    return state


def _even(days: Sequence[float], count: int) -> Array:
    """Return 1 for the days nearest to evenly spaced ones (day), less for others."""
    ideal = np.linspace(days[0], days[-1], count) if count > 1 else np.array([(days[0] + days[-1]) / 2])
    away = np.abs(np.array(days)[:, None] - ideal[None]).min(axis=1)
    return np.asarray(1.0 - away / max(away.max(), 1e-9))
