"""Turnover of a target whose degradation the drug speeds up: how a degrader acts.

    target' = kdeg * (1 - target) - kdeg * effect_of(C) * target,   E = 1 - target

Synthesis goes on at the rate kdeg, so the target rests at one without drug, and at 1 / (1 + effect_of(C)) under a
steady concentration; it comes back with kdeg once the drug has gone.

Reference: Dayneka et al., J Pharmacokinet Biopharm 1993;21:457-78, model IV.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from myelosim.components.contract import Declared, State

PARAMETERS = (Declared("kdeg", "1/h", "rate of degradation of the target without drug"),)


def states() -> tuple[State, ...]:
    """Return the target, as a fraction of its level without drug."""
    return (State("target", "1"),)


def start(p: Any) -> tuple[Any, ...]:
    """Return the states before the first dose."""
    return (p.kdeg / p.kdeg,)


def rhs(x: tuple[Any, ...], c: Any, p: Any, effect_of: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Return the derivatives at concentration ``c``."""
    return (p.kdeg * (1.0 - x[0]) - p.kdeg * effect_of(c) * x[0],)


def effect(x: tuple[Any, ...], c: Any, p: Any, effect_of: Callable[[Any], Any]) -> Any:
    """Return the share of the target that is gone."""
    return 1.0 - x[0]


def scale(p: Any, effect_scale: Any) -> tuple[Any, ...]:
    """Return the size below which a state no longer matters."""
    return (p.kdeg / p.kdeg,)
