"""No delay: the effect follows the concentration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from myelosim.components.contract import Declared, State

PARAMETERS: tuple[Declared, ...] = ()


def states() -> tuple[State, ...]:
    """Return no state."""
    return ()


def start(p: Any) -> tuple[Any, ...]:
    """Return no state."""
    return ()


def rhs(x: tuple[Any, ...], c: Any, p: Any, effect_of: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Return no derivative."""
    return ()


def effect(x: tuple[Any, ...], c: Any, p: Any, effect_of: Callable[[Any], Any]) -> Any:
    """Return the effect of concentration ``c``."""
    return effect_of(c)


def scale(p: Any, effect_scale: Any) -> tuple[Any, ...]:
    """Return no size."""
    return ()
