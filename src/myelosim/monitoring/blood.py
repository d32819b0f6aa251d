"""How much blood may be drawn and how often, and which calendars draw more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myelosim.errors import SpecError
from myelosim.spec.model import Subjects

__all__ = ["Limit", "Window", "admissible", "breaches", "busiest", "limits", "share", "windows_of"]

_EPS = 1e-9
_MOMENT = 1e-6  # days within which two draws are one


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so much blood in any so many days; 0 days: in a single draw.

    Parameters
    ----------
    name : str
        Its key in the species file.
    days : float
        Length of the window: two draws exactly that far apart are in different windows.
    volume : float
        mL.
    source : str
        Whose rule it is.
    """

    name: str
    days: float
    volume: float
    source: str = ""

    @property
    def span(self) -> str:
        """The window in words."""
        return f"within {self.days:g} days" if self.days else "in a single draw"


@dataclass(frozen=True, slots=True)
class Window:
    """At most ``most`` draws in any ``days`` days, and why."""

    days: float
    most: int
    why: str


def limits(subjects: Subjects, weight: float | None = None) -> tuple[Limit, ...]:
    """Give the species' limits for one animal.

    Parameters
    ----------
    subjects : Subjects
        A model's; ``blood_limits`` holds fractions of body weight (1 g taken as 1 mL) or of blood volume.
    weight : float, optional
        kg; the typical subject's by default. Give the lightest one's to be safe for all.

    Raises
    ------
    SpecError
        If weight or blood volume is needed and not known.
    """
    heavy = subjects.covariates.get("weight") if weight is None else weight
    found = []
    for name, rule in subjects.blood_limits.items():
        if not isinstance(heavy, int | float):
            raise SpecError(
                f"blood.limits.{name} goes by body weight, which {subjects.species or 'the model'} lacks; add it"
            )
        if "weight" in rule:
            volume = rule["weight"] * heavy * 1000.0
        elif subjects.blood_volume is None:
            raise SpecError(f'blood.limits.{name} goes by blood volume; add e.g. blood.volume = "70 mL/kg"')
        else:
            volume = rule["volume"] * subjects.blood_volume * heavy
        found.append(Limit(name, float(rule.get("days", 0.0)), float(volume), str(rule.get("source", ""))))
    return tuple(found)


def windows_of(rules: Sequence[Limit], draw: float, gap: float = 0.0) -> list[Window]:
    """Turn limits on blood, for draws of ``draw`` mL, and a least number of days between draws into numbers of draws."""
    found = [Window(gap, 1, f"draws are at least {gap:g} days apart")] if gap > 0 else []
    if draw > 0:
        found += [
            Window(
                rule.days or _MOMENT,
                int(np.floor(rule.volume / draw + _EPS)),
                f"{rule.name} allows {rule.volume:.3g} mL {rule.span}, a draw takes {draw:g} mL",
            )
            for rule in rules
        ]
    return found


def admissible(days: Sequence[float], rules: Sequence[Window]) -> bool:
    """Tell whether draws on these elapsed days keep within every window."""
    when = sorted(days)
    return all(
        last - first >= rule.days - _EPS for rule in rules for first, last in zip(when, when[rule.most :], strict=False)
    )


def breaches(days: Sequence[float], draw: float | Sequence[float], rules: Sequence[Limit]) -> list[str]:
    """Say which limits a calendar breaks, each in a sentence; ``draw`` (mL) may differ between draws.

    Examples
    --------
    >>> breaches([0, 3, 5, 7, 10, 14], 0.05, [Limit("two_weeks", 14, 0.2)])
    ['two_weeks: 0.25 mL within 14 days, 0.2 mL are allowed']
    """
    return [
        f"{rule.name}: {taken:.3g} mL {rule.span}, {rule.volume:.3g} mL are allowed"
        + (f" ({rule.source})" if rule.source else "")
        for rule in rules
        if (taken := busiest(days, draw, rule.days)) > rule.volume * (1.0 + _EPS)
    ]


def busiest(days: Sequence[float], draw: float | Sequence[float], span: float) -> float:
    """Return the most blood that draws on some days take in any ``span`` days, 0 for a single moment.

    Examples
    --------
    >>> busiest([0, 3, 5, 7], [0.1, 0.1, 0.2, 0.1], 3.0)
    0.3
    """
    volumes = np.broadcast_to(np.asarray(draw, np.float64), (1, len(days)))
    return float(np.round(_busiest(volumes, days, span)[0], 12))


def share(drawn: NDArray[np.bool_], days: ArrayLike, draw: float, rules: Sequence[Limit]) -> float:
    """Return the largest fraction of any limit that draws on some of these days (subject, day) take from anybody.

    NaN without limits or without a volume.
    """
    if not (rules and draw > 0):
        return np.nan
    return max(draw * float(_busiest(drawn, days, rule.days).max(initial=0)) / rule.volume for rule in rules)


def _busiest(drawn: NDArray[Any], days: ArrayLike, span: float) -> NDArray[Any]:
    """Return the most draws, or volumes drawn, of each subject (subject, day) in any so many days."""
    order = np.argsort(days)
    when = np.asarray(days, dtype=np.float64)[order]
    total = np.pad(np.cumsum(drawn[:, order], axis=1), ((0, 0), (1, 0)))
    before = np.searchsorted(when, when - (span or _MOMENT) + _EPS, side="right")
    return np.asarray((total[:, 1:] - total[:, before]).max(axis=1, initial=0))
