"""An effect compartment between concentration and effect.

    site' = ke0 * (C - site),   E = effect_of(site)

Reference: Sheiner et al., Clin Pharmacol Ther 1979;25:358-71.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from myelosim.components.contract import Declared, State

PARAMETERS = (Declared("ke0", "1/h", "rate at which the effect site follows the plasma"),)


def states() -> tuple[State, ...]:
    """Return the concentration at the effect site."""
    return (State("site", "{concentration}"),)


def start(p: Any) -> tuple[Any, ...]:
    """Return the states before the first dose."""
    return (0.0 * p.ke0,)


def rhs(x: tuple[Any, ...], c: Any, p: Any, effect_of: Callable[[Any], Any]) -> tuple[Any, ...]:
    """Return the derivatives at concentration ``c``."""
    return (p.ke0 * (c - x[0]),)


def effect(x: tuple[Any, ...], c: Any, p: Any, effect_of: Callable[[Any], Any]) -> Any:
    """Return the effect of the concentration at the effect site."""
    return effect_of(x[0])


def scale(p: Any, effect_scale: Any) -> tuple[Any, ...]:
    """Return the size below which a state no longer matters."""
    return (effect_scale,)
