"""Who gets what, when: dose events and what they are expanded to."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from myelosim.errors import SpecError

if TYPE_CHECKING:
    import pandas as pd

# Doses written as repeating must not fall off the horizon by round-off.
_SLACK = 1e-9

DOSE_KINDS = ("dose", "reset", "reset_dose", "other", "transfusion", "draw")


@dataclass(frozen=True, slots=True)
class DoseEvent:
    """One line of a regimen, NONMEM's items in the field's words; times in hours.

    ``unit`` is the amount's unit as written (``mg``, ``mg/kg``, ``mg/m2``, ``umol``), empty for the drug's own.
    ``channel`` is the compartment dosed, by name ("depot", "central") or by its number from 1 in the order of the
    kinetics' channels, empty for the route's default. ``count`` doses are given ``interval`` apart, without end
    where it is ``None``. ``modelled`` takes the duration from the kinetics' own parameter (RATE -2).
    ``steady_state`` replaces whatever was there by the steady state of this dose given every ``interval`` (SS 1).
    ``kind`` is "dose", "reset" (EVID 3), "reset_dose" (EVID 4), "other" (EVID 2), "transfusion" (``amount`` units of cells for
    the lineage in ``drug``) or "draw" (``amount`` is the fraction of the blood that is taken).
    """

    drug: str
    time: float
    amount: float
    unit: str = ""
    duration: float = 0.0
    route: str = ""
    channel: str = ""
    interval: float = 0.0
    count: int | None = 1
    steady_state: bool = False
    kind: str = "dose"
    modelled: bool = False

    def __post_init__(self) -> None:
        for name in ("time", "amount", "duration", "interval"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise SpecError(f"dose of {self.drug}: {name} {value!r} is not possible; it must be 0 or more")
        if self.count is not None and self.count < 1:
            raise SpecError(f"dose of {self.drug}: count {self.count!r} gives nothing; it must be 1 or more")
        if self.count != 1 and not self.interval > 0:
            raise SpecError(f"dose of {self.drug}: repeated doses need an interval above 0")
        if self.kind not in DOSE_KINDS:
            raise SpecError(f"dose of {self.drug}: kind '{self.kind}' is not known; known: {', '.join(DOSE_KINDS)}")

    @property
    def is_dose(self) -> bool:
        """Whether a drug is given."""
        return self.kind in ("dose", "reset_dose")


@dataclass(frozen=True, slots=True)
class Regimen:
    """Dose events of an arm.

    ``cycles`` are the starts (h) of its cycles, empty where it has none; where cycles go on until the horizon it holds
    the first, and ``cycle_length`` (h) says when the next begin.
    """

    events: tuple[DoseEvent, ...]
    cycles: tuple[float, ...] = ()
    text: str = ""
    cycle_length: float = 0.0

    @classmethod
    def parse(cls, text: str | Sequence[str], taken: Mapping[str, Sequence[str]] | None = None) -> Regimen:
        """Read the dose shorthand.

        ``<drug> <amount> [over <duration>] [iv|sc|oral] [QD|BID|TID|q<n>h|q<n>d|q<n>w|once] [d<a>-<b>[,<c>]]
        [q<n>d|q<n>w] [x<cycles>]``; ``d1`` is the first day. An interval before the days says how often within them,
        one after the days how often they come again. Without any interval, a dose is given on each day named, or once.

        Parameters
        ----------
        text : str or list of str
            One or more doses; within a text they are joined by ``+``. ``none`` alone is no dose.
        taken : mapping, optional
            Drug -> the units it is dosed in, for the message about a dose that has none;
            :func:`myelosim.spec.dosing.dose_units` gives those of a model.

        Raises
        ------
        SpecError
            Something in the text is not understood or cannot be, or a drug is given twice at the same hour.

        Examples
        --------
        >>> event, = Regimen.parse("drug 40 mg BID d1-28").events
        >>> event.interval, event.count
        (12.0, 56)
        >>> [e.time / 24 for e in Regimen.parse("drug 75 mg/m2 over 1 h q21d x3").expand(2000)]
        [0.0, 21.0, 42.0]
        """
        from myelosim.spec.shorthand import parse

        return parse(text, taken)

    @classmethod
    def from_events(cls, frame: pd.DataFrame, drug: str | None = None) -> Regimen:
        """Read NONMEM event items: TIME AMT [RATE II ADDL SS EVID CMT UNIT], in hours and the drug's own amount unit.

        Parameters
        ----------
        frame : pandas.DataFrame
            One row per event, any case of names, ``.`` for missing. RATE -2 takes the duration from the model.
        drug : str, optional
            What is dosed; not needed with a DRUG column.

        Raises
        ------
        SpecError
            A column or a value is not understood; the message names the row.
        """
        from myelosim.spec.events import from_events

        return from_events(frame, drug)

    def to_events(self, horizon: float | None = None) -> pd.DataFrame:
        """Return the dose events as NONMEM rows.

        Doses that go on until the horizon need one (h).
        """
        from myelosim.spec.events import to_events

        return to_events(self, horizon)

    def expand(self, horizon: float) -> tuple[DoseEvent, ...]:
        """Return single dose events (count 1), sorted by time, starting before or at the horizon (h).

        A dose at steady state keeps its interval; the doses that follow it are ordinary ones.
        """
        if not (math.isfinite(horizon) and horizon >= 0):
            raise SpecError(f"horizon {horizon!r} h is not a time; give hours from 0 on")
        single: list[DoseEvent] = []
        for event in self.events:
            for index in range(_doses(event, horizon)):
                first = index == 0
                single.append(
                    replace(
                        event,
                        time=event.time + index * event.interval,
                        count=1,
                        interval=event.interval if first and event.steady_state else 0.0,
                        steady_state=first and event.steady_state,
                        kind=event.kind if first else "dose",
                    )
                )
        return tuple(sorted(single, key=lambda event: event.time))

    def starts(self, horizon: float) -> tuple[float, ...]:
        """Return the starts (h) of all cycles before the horizon (h)."""
        if not self.cycle_length:
            return tuple(start for start in self.cycles if start < horizon)
        first = self.cycles[0]
        count = max(0, math.ceil((horizon - first) / self.cycle_length - _SLACK))
        return tuple(first + i * self.cycle_length for i in range(count))

    @property
    def drugs(self) -> tuple[str, ...]:
        """Names of the drugs dosed, in order of appearance."""
        return tuple(dict.fromkeys(event.drug for event in self.events))

    @property
    def dosed(self) -> set[str]:
        """Names of the drugs of which a dose is given, and not only a reset or a mark."""
        return {event.drug for event in self.events if event.is_dose}


def _doses(event: DoseEvent, horizon: float) -> int:
    if event.time > horizon + _SLACK:
        return 0
    if event.count == 1:
        return 1
    room = math.floor((horizon - event.time) / event.interval + _SLACK) + 1
    return room if event.count is None else min(event.count, room)
