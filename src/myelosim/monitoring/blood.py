"""How much blood may be drawn, and which calendars draw more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from myelosim.errors import SpecError
from myelosim.spec.model import Subjects

__all__ = ["Limit", "breaches", "limits", "most_draws", "within"]

_EPS = 1e-9


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


def most_draws(limit: Limit, draw: float) -> int:
    """Return how many draws (of ``draw`` mL) the limit allows in its window; for a single draw 1 or 0."""
    allowed = int(np.floor(limit.volume / draw + _EPS)) if draw > 0 else 2**31
    return min(allowed, 1) if limit.days == 0 else allowed


def within(days: Sequence[float], draw: float, rules: Sequence[Limit]) -> bool:
    """Tell whether draws of ``draw`` mL on these elapsed days respect every limit."""
    return not any(_worst(days, draw, limit) > most_draws(limit, draw) for limit in rules)


def breaches(days: Sequence[float], draw: float, rules: Sequence[Limit]) -> list[str]:
    """Say which limits a calendar breaks, each in a sentence.

    Examples
    --------
    >>> breaches([0, 3, 5, 7, 10, 14], 0.05, [Limit("two_weeks", 14, 0.2)])
    ['two_weeks: 0.25 mL within 14 days, 0.2 mL are allowed']
    """
    found = []
    for limit in rules:
        number = _worst(days, draw, limit)
        if number > most_draws(limit, draw):
            span = f"within {limit.days:g} days" if limit.days else "in a single draw"
            source = f" ({limit.source})" if limit.source else ""
            found.append(f"{limit.name}: {number * draw:.3g} mL {span}, {limit.volume:.3g} mL are allowed{source}")
    return found


def _worst(days: Sequence[float], draw: float, limit: Limit) -> int:
    """Return the most draws in any window of the limit."""
    when = sorted(days)
    if limit.days == 0:
        return min(len(when), 1)
    most = first = 0
    for last, day in enumerate(when):
        while when[first] <= day - limit.days + _EPS:
            first += 1
        most = max(most, last - first + 1)
    return most
