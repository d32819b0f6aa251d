"""All designs that could be: what they are worth, what they cost, and whether they keep to the limits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations, pairwise
from math import floor

import numpy as np
from numpy.typing import NDArray

from myelosim.designing.allowed import Allowed, Sets, allowed
from myelosim.designing.criterion import Criterion
from myelosim.designing.feasible import Unit
from myelosim.designing.question import Question
from myelosim.information import Fisher
from myelosim.spec.design import Group, Limits, OpenGroup

Array = NDArray[np.float64]
SMALL = 60  # sums over looks that a small matrix needs
BATCH = 512  # matrices at once, which stay in the cache


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """Subjects of a group with the same visits: how many, and which entries."""

    subjects: int
    entries: tuple[int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Choice:
    """What is chosen for a group: which of its regimens, and its parts."""

    regimen: int
    parts: tuple[Part, ...]

    @property
    def subjects(self) -> int:
        """Subjects of all parts."""
        return sum(part.subjects for part in self.parts)

    def having(self, place: int, entries: Sequence[int]) -> Choice:
        """Return the choice with other entries of one part."""
        part = replace(self.parts[place], entries=tuple(entries))
        return replace(self, parts=(*self.parts[:place], part, *self.parts[place + 1 :]))


State = tuple[Choice, ...]


@dataclass(frozen=True)
class Block:
    """A group to be designed, with the information that each of its looks gives under each regimen in each world."""

    group: OpenGroup
    allowed: Allowed
    fishers: tuple[tuple[Fisher, ...], ...]  # regimen, world
    owners: NDArray[np.intp]  # of each look: the entry at which it is made

    @property
    def terminal(self) -> bool:
        """Whether each subject is bled once."""
        return self.group.structure == "terminal"

    @property
    def work(self) -> float:
        """What one set's matrices cost, in small matrices."""
        one = self.fishers[0][0]
        size = max(one.points[0].flat.shape[1] / SMALL, 1.0)
        return float(len(self.fishers) * len(self.fishers[0]) * len(one.points) * size)

    def sizes(self) -> Iterator[tuple[int, ...]]:
        """Return how the subjects may be divided into parts, of as many subjects as there may be."""
        low, high = self.group.subjects
        for count in range(low, high + 1):
            yield from self.divided(count)

    def divided(self, count: int) -> Iterator[tuple[int, ...]]:
        """Return how so many subjects may be divided."""
        if not self.terminal:
            parts = self.group.parts if self.group.structure == "alternating" else 1
            yield tuple(shared(count, parts))
            return
        low, high = self.group.samplings[0].visits
        for days in range(low, min(high, count, len(self.allowed.entries)) + 1):
            for cuts in combinations(range(1, count), days - 1):
                ends = (0, *cuts, count)
                yield tuple(b - a for a, b in pairwise(ends))


class Space:
    """All designs of some groups.

    Parameters
    ----------
    questions : sequence of Question
        One for each world; blood loss does not count.
    groups : sequence of OpenGroup
        To be designed.
    limits : Limits
        What designs keep to.
    criterion : Criterion
        What they are worth.
    """

    def __init__(
        self, questions: Sequence[Question], groups: Sequence[OpenGroup], limits: Limits, criterion: Criterion
    ) -> None:
        self.questions = [replace(one, blood_loss=False) for one in questions]
        self.limits, self.criterion = limits, criterion
        self.known = np.stack([one.known for one in questions])
        model, self.unheld = questions[0].model, list[str]()
        full, kept = [], []
        for group in groups:
            one, unheld = allowed(model, group, limits)
            self.unheld += unheld
            kept.append(one)
            every = one.split(np.ones(len(one.entries), bool))
            full += [group.at(every, 1, regimen) for regimen in group.regimens]
        worlds = [[Fisher(one) for one in question.sensitivities(full)] for question in self.questions]
        self.blocks, first = [], 0
        for group, one in zip(groups, kept, strict=True):
            fishers = tuple(tuple(world[first + k] for world in worlds) for k in range(len(group.regimens)))
            first += len(group.regimens)
            self.blocks.append(Block(group, one, fishers, _owners(group, one)))
        self.study = sorted({floor(day) for block in self.blocks for day in block.allowed.days})
        self._kept: dict[tuple[int, int, tuple[int, ...]], Array] = {}
        self._listed: dict[int, tuple[int, Sets | None]] = {}

    def narrowed(self, groups: Sequence[OpenGroup], limits: Limits) -> Space:
        """Return those designs of the same looks that have other numbers of visits, of subjects, or other limits in all."""
        other = Space.__new__(Space)
        other.questions, other.criterion, other.known, other.unheld = (
            self.questions,
            self.criterion,
            self.known,
            self.unheld,
        )
        other.limits, other.study, other._kept, other._listed = limits, self.study, self._kept, {}
        other.blocks = [
            replace(block, group=group, allowed=allowed(self.questions[0].model, group, limits)[0])
            for block, group in zip(self.blocks, groups, strict=True)
        ]
        return other

    @cached_property
    def free(self) -> bool:
        """Whether more visits and subjects cost nothing, so that more are never worse."""
        limits = self.limits
        return limits.capacity is None and limits.budget is None and not self.per_cost

    @cached_property
    def open(self) -> bool:
        """Whether the number of visits or of subjects is to be chosen."""
        ranges = [one.visits for block in self.blocks for one in block.group.samplings]
        return any(low < high for low, high in [*ranges, *(block.group.subjects for block in self.blocks)])

    @cached_property
    def per_cost(self) -> bool:
        """Whether the score per cost counts, as there are costs, no budget, and something to choose that costs."""
        limits = self.limits
        priced = limits.per_subject > 0 or limits.per_draw > 0 or limits.per_day > 0
        return priced and limits.budget is None and self.open

    def information(self, group: int, regimen: int, sets: Sets) -> Array:
        """Return one subject's matrices (world, set, parameter, parameter) for sets (set, entry)."""
        block = self.blocks[group]
        counts = sets[:, block.owners]
        return np.stack(
            [
                np.concatenate([fisher(counts[i : i + BATCH]) for i in range(0, max(len(counts), 1), BATCH)])
                for fisher in block.fishers[regimen]
            ]
        )

    def sets(self, group: int, work: float) -> Sets | None:
        """Return the sets of visits of a group's subjects, None where their matrices would cost more than so many small ones."""
        most = int(work / self.blocks[group].work)
        limit, found = self._listed.get(group, (-1, None))
        if found is None and limit < most:
            found = self.blocks[group].allowed.sets(most)
            self._listed[group] = most, found
        return None if found is None or len(found) > most else found

    def of_part(self, group: int, regimen: int, entries: tuple[int, ...]) -> Array:
        """Return one subject's matrices (world, parameter, parameter)."""
        key = (group, regimen, entries)
        if key not in self._kept:
            self._kept[key] = self.information(group, regimen, self.row(group, entries)[None])[:, 0]
        return self._kept[key]

    def row(self, group: int, entries: Sequence[int]) -> Sets:
        """Return entries as booleans."""
        row = np.zeros(len(self.blocks[group].allowed.entries), bool)
        row[list(entries)] = True
        return row

    def total(self, state: State) -> Array:
        """Return the information (world, parameter, parameter) of a design."""
        total = self.known.copy()
        for group, choice in enumerate(state):
            for part in choice.parts:
                total += part.subjects * self.of_part(group, choice.regimen, part.entries)
        return total

    def worth(self, totals: Array, costs: Array | float = 1.0) -> Array:
        """Return what is maximized (set) of matrices (world, set, parameter, parameter): the score, or that per cost."""
        score = self.criterion(totals)
        return np.asarray(score / costs if self.per_cost else score)

    def worth_of(self, state: State) -> float:
        """Return what a design is worth."""
        return float(self.worth(self.total(state)[:, None], self.cost(state))[0])

    @cached_property
    def _days(self) -> list[Array]:
        """On which day of the study each group's entries are: (entry, day)."""
        places = [np.searchsorted(self.study, [floor(day) for _, day in one.allowed.entries]) for one in self.blocks]
        return [np.eye(len(self.study))[place] for place in places]

    def studied(self, group: int, sets: Sets) -> Array:
        """Return the number of draws on each day of the study (set, day) of one subject."""
        return np.asarray(sets @ self._days[group])

    def load(self, state: State) -> Array:
        """Return the number of samples on each day of the study."""
        total = np.zeros(len(self.study))
        for group, choice in enumerate(state):
            for part in choice.parts:
                total += part.subjects * self._days[group][list(part.entries)].sum(axis=0)
        return total

    def cost(self, state: State) -> float:
        """Return what a design costs."""
        return float(self.costs(self.load(state)[None], sum(choice.subjects for choice in state))[0])

    def costs(self, loads: Array, subjects: int) -> Array:
        """Return what designs (set) with these samples on each day (set, day) cost."""
        limits = self.limits
        return np.asarray(
            limits.per_subject * subjects
            + limits.per_draw * loads.sum(axis=1)
            + limits.per_day * (loads > 0).sum(axis=1)
        )

    def within(self, loads: Array, costs: Array) -> Sets:
        """Tell which designs (set) keep to capacity and budget."""
        fine = np.ones(len(loads), bool)
        if self.limits.capacity is not None:
            fine &= np.all(loads <= self.limits.capacity + 1e-9, axis=1)
        if self.limits.budget is not None:
            fine &= costs <= self.limits.budget * (1 + 1e-9)
        return fine

    def keeps(self, state: State) -> bool:
        """Tell whether a design keeps to every limit."""
        for group, (block, choice) in enumerate(zip(self.blocks, state, strict=True)):
            sets = np.array([self.row(group, part.entries) for part in choice.parts])
            if not np.all(block.allowed.keeps(sets) & block.allowed.full(sets)) or not self.apart(group, choice):
                return False
            low, high = block.group.subjects
            if not low <= choice.subjects <= high or min(part.subjects for part in choice.parts) < 1:
                return False
        if self.limits.subjects is not None and sum(choice.subjects for choice in state) > self.limits.subjects:
            return False
        return bool(self.within(self.load(state)[None], np.array([self.cost(state)]))[0])

    def apart(self, group: int, choice: Choice) -> bool:
        """Tell whether the parts of a terminal group have different days, as many as they may be, the fixed ones among them."""
        block = self.blocks[group]
        if not block.terminal:
            return True
        low, high = block.group.samplings[0].visits
        days = {block.allowed.entries[part.entries[0]][1] for part in choice.parts}
        return low <= len(choice.parts) <= high and len(days) == len(choice.parts) and days >= set(self.fixed(group))

    def fixed(self, group: int) -> tuple[float, ...]:
        """Return the days that some part of a terminal group must have."""
        return self.blocks[group].group.samplings[0].fixed if self.blocks[group].terminal else ()

    def units(self, sizes: Sequence[tuple[int, ...]]) -> list[Unit]:
        """Return the parts of all groups, of these sizes."""
        return [
            Unit(group, block.group.name, block.allowed, count, block.terminal, self.fixed(group))
            for group, (block, own) in enumerate(zip(self.blocks, sizes, strict=True)) for count in own
        ]  # fmt: skip

    def groups(self, state: State) -> tuple[Group, ...]:
        """Return a design as groups; parts with the same visits are one."""
        made = []
        for group, (block, choice) in enumerate(zip(self.blocks, state, strict=True)):
            regimen = block.group.regimens[choice.regimen]
            together: dict[tuple[int, ...], int] = {}
            for part in choice.parts:
                together[part.entries] = together.get(part.entries, 0) + part.subjects
            parts = sorted(together.items())
            for k, (entries, subjects) in enumerate(parts):
                days = block.allowed.split(self.row(group, entries))
                label = f"day {days[0][0]:g}" if block.terminal else str(k + 1)
                made.append(block.group.at(days, subjects, regimen, label if len(parts) > 1 else ""))
        return tuple(made)


def shared(count: int, parts: int) -> list[int]:
    """Return a number divided as evenly as possible.

    >>> shared(7, 3)
    [3, 2, 2]
    """
    return [count // parts + (k < count % parts) for k in range(parts)]


def _owners(group: OpenGroup, of: Allowed) -> NDArray[np.intp]:
    """Return at which entry each look is made (look), looks being in the order of sensitivities."""
    looks = [
        (24.0 * day, group.samplings[k].order == "after", entry)
        for entry, (k, day) in enumerate(of.entries) for _ in group.samplings[k].observe
    ]  # fmt: skip
    return np.array([entry for *_, entry in sorted(looks, key=lambda look: look[:2])], dtype=np.intp)
