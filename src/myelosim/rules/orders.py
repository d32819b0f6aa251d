"""What holds for each drug and subject: held, stopped, at which level, put off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from myelosim.rules.look import Bools, Floats
from myelosim.spec.rule import Give, Transfuse

SLACK = 1e-6  # hours


@dataclass
class Standing:
    """The orders about one drug, by subject."""

    held: dict[str, Bools] = field(default_factory=dict)  # rule -> who
    waits: dict[str, Bools] = field(default_factory=dict)  # rule -> whose next cycle
    stopped: Bools = field(default_factory=lambda: np.zeros(0, bool))
    level: NDArray[np.intp] = field(default_factory=lambda: np.zeros(0, int))
    shift: Floats = field(default_factory=lambda: np.zeros(0))  # hours by which the calendar lies back
    clock: Floats = field(default_factory=lambda: np.zeros(0))  # where the calendar stands while a cycle waits


@dataclass
class Course:
    """A drug that a rule gives: since when, to whom."""

    action: Give
    since: Floats  # hour of the first dose, NaN where there is none


@dataclass(frozen=True)
class Transfusion:
    """Units of cells given to some subjects at an hour."""

    by: Transfuse
    hour: float
    units: Floats


class Orders:
    """All orders, and those that are written but not yet in force.

    Parameters
    ----------
    drugs : sequence of str
        Of the model.
    size : int
        Number of subjects.
    """

    def __init__(self, drugs: Sequence[str], size: int) -> None:
        self.size = size
        self.by_drug = {
            drug: Standing(
                stopped=np.zeros(size, bool),
                level=np.zeros(size, int),
                shift=np.zeros(size),
                clock=np.full(size, np.nan),
            )
            for drug in drugs
        }
        self.given: dict[tuple[str, Give], Course] = {}
        self.transfusions: list[Transfusion] = []
        self._coming: list[tuple[float, Callable[[], None]]] = []

    def at(self, hour: float, order: Callable[[], None]) -> None:
        """Let an order take effect at an hour."""
        self._coming.append((hour, order))

    def now(self, hour: float) -> None:
        """Bring into force what takes effect up to an hour, in the order in which it was written."""
        due = [one for one in self._coming if one[0] <= hour + SLACK]
        self._coming = [one for one in self._coming if one[0] > hour + SLACK]
        for _, order in sorted(due, key=lambda one: one[0]):
            order()

    def hold(self, rule: str, drug: str, who: Bools) -> None:
        """Withhold a drug on behalf of a rule."""
        held = self.by_drug[drug].held.setdefault(rule, np.zeros(self.size, bool))
        held |= who

    def release(self, rule: str, drug: str, who: Bools) -> None:
        """Let go of a drug; other rules may still hold it."""
        self.by_drug[drug].held[rule] &= ~who

    def down(self, drug: str, who: Bools, levels: int, below: str) -> None:
        """Give one level less from now on; where there is none, stop, or stay."""
        standing = self.by_drug[drug]
        lower = standing.level + who
        standing.level[:] = np.minimum(lower, levels - 1)
        if below == "stop":
            standing.stopped |= who & (lower >= levels)

    def stop(self, drug: str, who: Bools) -> None:
        """Give a drug never again."""
        self.by_drug[drug].stopped |= who

    def wait(self, rule: str, drug: str, who: Bools, clock: Floats) -> None:
        """Put off the next cycle; ``clock`` is the hour of the calendar at which it would begin."""
        standing = self.by_drug[drug]
        standing.waits.setdefault(rule, np.zeros(self.size, bool))[who] = True
        standing.clock[who] = clock[who]

    def begin(self, rule: str, drug: str, who: Bools, hour: float) -> None:
        """Let the cycle that was put off begin; the calendar is moved to here."""
        standing = self.by_drug[drug]
        standing.waits[rule] &= ~who
        free = who & ~self.waiting(drug)
        standing.shift[free] = hour - standing.clock[free]
        standing.clock[free] = np.nan

    def waiting(self, drug: str) -> Bools:
        """Tell whose next cycle is put off."""
        waits = self.by_drug[drug].waits.values()
        return np.asarray(np.any([np.zeros(self.size, bool), *waits], axis=0))

    def withheld(self, drug: str) -> Bools:
        """Tell who gets none of a drug now."""
        standing = self.by_drug[drug]
        return np.asarray(np.any([standing.stopped, self.waiting(drug), *standing.held.values()], axis=0))

    def holding(self) -> Bools:
        """Tell who is without some drug that is held or put off, and not stopped."""
        out = np.zeros(self.size, bool)
        for drug, standing in self.by_drug.items():
            out |= ~standing.stopped & np.any([self.waiting(drug), *standing.held.values()], axis=0)
        return out

    def give(self, rule: str, action: Give, who: Bools, hour: float) -> None:
        """Begin a course."""
        key = rule, action
        if key not in self.given:
            self.given[key] = Course(action, np.full(self.size, np.nan))
        self.given[key].since[who] = hour

    def transfuse(self, action: Transfuse, who: Bools, hour: float) -> None:
        """Give units of cells, once."""
        self.transfusions.append(Transfusion(action, hour, np.where(who, action.units, 0.0)))

    def end(self, rule: str, action: Give, who: Bools) -> None:
        """End a course."""
        self.given[rule, action].since[who] = np.nan
