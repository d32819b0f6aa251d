"""Who gets what, when: dose events and what they are expanded to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DoseEvent:
    """One line of a regimen, NONMEM's items in the field's words; times in hours.

    ``unit`` is the amount's unit as written (``mg``, ``mg/kg``, ``mg/m2``, ``umol``), empty for the drug's own. ``channel`` is
    the compartment dosed ("depot", "central"), empty for the route's default. ``count`` doses are given ``interval`` apart;
    ``None`` means until the horizon. ``kind`` is "dose", "reset" (EVID 3), "reset_dose" (EVID 4) or "other" (EVID 2).
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


@dataclass(frozen=True, slots=True)
class Regimen:
    """Dose events of an arm; ``cycles`` are the starts (h) of its cycles, empty where it has none."""

    events: tuple[DoseEvent, ...]
    cycles: tuple[float, ...] = ()
    text: str = ""

    def expand(self, horizon: float) -> Sequence[DoseEvent]:
        """Return single dose events (count 1), sorted by time, starting before or at the horizon (h)."""
        raise NotImplementedError
