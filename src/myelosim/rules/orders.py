"""What holds for each drug and subject: held, stopped, at which level, put off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from myelosim.rules.look import Bools, Floats
from myelosim.spec.rule import Give, Transfuse

SLACK = 1e-6  # hours


@dataclass
class Standing:
    """The orders about one drug, by subject."""

    size: int
    held: dict[str, Bools] = field(default_factory=dict)  # rule -> who
    waits: dict[str, Bools] = field(default_factory=dict)  # rule -> whose next cycle

    def __post_init__(self) -> None:
        self.stopped = np.zeros(self.size, bool)
        self.level = np.zeros(self.size, int)
        self.shift = np.zeros(self.size)  # hours by which the calendar lies back
        self.clock = np.full(self.size, np.nan)  # where the calendar stands while a cycle waits

    def hold(self, rule: str, who: Bools) -> None:
        """Withhold the drug on behalf of a rule."""
        self.held.setdefault(rule, np.zeros(self.size, bool))[who] = True

    def release(self, rule: str, who: Bools) -> None:
        """Let go of the drug; other rules may still hold it."""
        self.held.setdefault(rule, np.zeros(self.size, bool))[who] = False

    def down(self, who: Bools, levels: int, below: str) -> None:
        """Give one level less from now on; where there is none, stop, or stay."""
        lower = self.level + who
        self.level[:] = np.where(who, np.minimum(lower, levels - 1), self.level)
        if below == "stop":
            self.stopped |= who & (lower >= levels)

    def stop(self, who: Bools) -> None:
        """Give the drug never again."""
        self.stopped |= who

    def wait(self, rule: str, who: Bools, clock: Floats) -> None:
        """Put off the next cycle; ``clock`` is the hour of the calendar at which it would begin."""
        self.waits.setdefault(rule, np.zeros(self.size, bool))[who] = True
        self.clock[who] = clock[who]

    def begin(self, rule: str, who: Bools, hour: float) -> None:
        """Let the cycle that was put off begin; the calendar is moved to here."""
        self.waits.setdefault(rule, np.zeros(self.size, bool))[who] = False
        free = who & ~self.waiting & ~np.isnan(self.clock)
        self.shift[free] = hour - self.clock[free]
        self.clock[free] = np.nan

    def calendar(self, hour: float) -> Floats:
        """Return where the calendar stands (subject)."""
        return np.where(np.isnan(self.clock), hour - self.shift, self.clock)

    @property
    def waiting(self) -> Bools:
        """Whose next cycle is put off."""
        return _any(self.size, self.waits.values())

    @property
    def holding(self) -> Bools:
        """Who gets none now and may get it again."""
        return ~self.stopped & (self.waiting | _any(self.size, self.held.values()))


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
    """All orders, as written and as they are in force: what is written at a visit may take effect later.

    Parameters
    ----------
    drugs : sequence of str
        Of the model.
    size : int
        Number of subjects.

    Attributes
    ----------
    written, by_drug : dict
        Drug -> its :class:`Standing` as written, and as in force.
    levels : dict
        Drug -> names and fractions of the doses that it is given at, from the planned one down.
    """

    def __init__(self, drugs: Sequence[str], size: int) -> None:
        self.size = size
        self.written = {drug: Standing(size) for drug in drugs}
        self.by_drug = {drug: Standing(size) for drug in drugs}
        self.levels: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = dict.fromkeys(drugs, (("",), (1.0,)))
        self.given: dict[tuple[str, Give], Course] = {}
        self.transfusions: list[Transfusion] = []
        self.changes = 0  # how often something came into force
        self._coming: list[tuple[float, Callable[[], None]]] = []

    def at(self, hour: float, drug: str, order: Callable[[Standing], None]) -> None:
        """Write an order about a drug, which takes effect at an hour."""
        order(self.written[drug])
        self._coming.append((hour, partial(order, self.by_drug[drug])))

    def now(self, hour: float) -> None:
        """Bring into force what takes effect up to an hour, in the order in which it was written."""
        due = [one for one in self._coming if one[0] <= hour + SLACK]
        self._coming = [one for one in self._coming if one[0] > hour + SLACK]
        for _, order in sorted(due, key=lambda one: one[0]):
            order()
        self.changes += bool(due)

    def coming(self, hour: float) -> list[float]:
        """Return the hours up to this one at which something comes into force."""
        return sorted({one[0] for one in self._coming if one[0] < hour})

    def holding(self) -> Bools:
        """Tell who is without some drug that is held or put off, and not stopped."""
        return _any(self.size, (standing.holding for standing in self.by_drug.values()))

    def give(self, rule: str, action: Give, who: Bools, hour: float) -> None:
        """Begin a course at an hour."""
        course = self.given.setdefault((rule, action), Course(action, np.full(self.size, np.nan)))
        self._coming.append((hour, lambda: course.since.__setitem__(who, hour)))

    def end(self, rule: str, action: Give, who: Bools, hour: float) -> None:
        """End a course at an hour."""
        self._coming.append((hour, lambda: self.given[rule, action].since.__setitem__(who, np.nan)))

    def transfuse(self, action: Transfuse, who: Bools, hour: float) -> None:
        """Give units of cells, once."""
        self.transfusions.append(Transfusion(action, hour, np.where(who, action.units, 0.0)))


def _any(size: int, every: Iterable[Bools]) -> Bools:
    return np.asarray(np.any([np.zeros(size, bool), *every], axis=0))
