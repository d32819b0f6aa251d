"""Effect that sets in with its own time constant while drug is present, whatever the dose.

    E' = (level * (1 - exp(-C/present)) - E) / tau

Wherever C is more than twenty times ``present`` the dose plays no part. The level is the individual's own, not the
drug's: the form for a target that every dose saturates and a marrow that responds as it does.
"""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import exp
from myelosim.components.contract import Declared, State

SATURATED = True  # the drug's presence counts, not how much of it there is

PARAMETERS = (
    Declared("level", "1", "effect under lasting exposure", scale="logit", upper=1.0),
    Declared("tau", "h", "time constant of onset and of recovery"),
    Declared("present", "{concentration}", "concentration above which drug counts as present"),
)


def states() -> tuple[State, ...]:
    """Return the effect that builds up."""
    return (State("effect", "1"),)


def start(p: Any) -> tuple[Any, ...]:
    """Return the states before the first dose."""
    return (0.0 * p.level,)


def rhs(x: tuple[Any, ...], c: Any, p: Any) -> tuple[Any, ...]:
    """Return the derivatives at concentration ``c``."""
    return ((p.level * (1.0 - exp(-c / p.present)) - x[0]) / p.tau,)


def effect(x: tuple[Any, ...], c: Any, p: Any) -> Any:
    """Return the effect."""
    return x[0]


def scale(p: Any) -> tuple[Any, ...]:
    """Return the size below which a state no longer matters."""
    return (p.level,)
