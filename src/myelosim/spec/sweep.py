"""A sweep as a frozen value: axes, and one cell for each combination of their values."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from myelosim.spec.digest import spec_hash
from myelosim.spec.scenario import Scenario

DOSING = ("dose", "schedule", "gcsf", "rules")
"""Axes along which a subject without drug is the same."""


ABOUT = ("name", "title", "text", "path", "load", "model", "arms", "recommend")
"""What a scenario says that changes no subject, or that its arm says."""


@dataclass(frozen=True, slots=True)
class Axis:
    """What varies, and how its values are called; ``numbers`` are given where they are numbers of one kind."""

    name: str
    values: tuple[str, ...]
    numbers: tuple[float, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """What must stay rare: P(``endpoint`` of ``lineage`` >= ``at_least``), to be under ``probability``."""

    endpoint: str
    lineage: str
    at_least: float
    probability: float


@dataclass(frozen=True, slots=True)
class Keep:
    """Of whom the course is kept: subjects, in the cells that have one of ``cells`` (axis -> value), or in all."""

    subjects: tuple[int, ...] = ()
    cells: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A scenario with one arm, at a place along the axes."""

    index: tuple[int, ...]
    scenario: Scenario

    @property
    def size(self) -> int:
        """How many subjects it has."""
        return self.scenario.arms[0].size or self.scenario.size


@dataclass(frozen=True, slots=True)
class Sweep:
    """What ``sweep`` runs.

    ``cells`` are all combinations of the axes' values, the last axis fastest; ``undosed`` the same without any drug, along
    ``ground``. ``drug`` is the one whose doses vary. ``block`` is how many subjects are simulated at a time.
    """

    name: str
    title: str
    drug: str
    axes: tuple[Axis, ...]
    cells: tuple[Cell, ...]
    undosed: tuple[Cell, ...]
    limit: Limit | None = None
    keep: Keep = field(default_factory=Keep)
    block: int = 10_000
    text: str = ""
    path: str = field(default="", compare=False)

    @property
    def ground(self) -> tuple[Axis, ...]:
        """The axes along which subjects without drug differ."""
        return tuple(axis for axis in self.axes if axis.name not in DOSING)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of values of each axis."""
        return tuple(len(axis.values) for axis in self.axes)

    @property
    def lineages(self) -> tuple[str, ...]:
        """Lineages reported in any cell."""
        from myelosim.spec.model import observable

        every = [
            name
            for cell in self.cells
            for name in (cell.scenario.lineages or map(observable, cell.scenario.arms[0].model.lineages))
        ]
        return tuple(dict.fromkeys(every))

    def kept(self, cell: Cell) -> tuple[int, ...]:
        """Return the subjects of a cell whose course is kept."""
        at = {axis.name: axis.values[i] for axis, i in zip(self.axes, cell.index, strict=True)}
        wanted = not self.keep.cells or any(one.items() <= at.items() for one in self.keep.cells)
        return tuple(one for one in self.keep.subjects if one < cell.size) if wanted else ()

    @property
    def subjects_hash(self) -> str:
        """SHA-256 of everything that its subjects depend on: not of what is asked about them afterwards."""
        models: dict[int, str] = {}
        said: list[Any] = [self.axes, self.keep, self.block, "" if self.limit is None else self.limit.endpoint]
        for cell in itertools.chain(self.cells, self.undosed):
            arm = cell.scenario.arms[0]
            if id(arm.model) not in models:
                models[id(arm.model)] = arm.model.spec_hash
            said.append((cell.index, models[id(arm.model)], _said(arm, "name", "model"), _said(cell.scenario, *ABOUT)))
        return spec_hash(said)

    @property
    def spec_hash(self) -> str:
        """SHA-256 of everything the sweep says."""
        return spec_hash((self.subjects_hash, self.title, self.limit))


def _said(value: Any, *but: str) -> dict[str, Any]:
    return {one.name: getattr(value, one.name) for one in dataclasses.fields(value) if one.name not in but}
