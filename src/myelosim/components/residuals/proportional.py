"""Scatter in proportion to the count: y = f * (1 + proportional * z)."""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared
from myelosim.components.residuals import normal

TERMS = (Declared("proportional", "1", "standard deviation over the count"),)
DISTRIBUTION = "normal"


def sample(f: Any, z: Any, p: Any) -> Any:
    """Return what is observed where the model says ``f``, for a standard normal ``z``."""
    return f * (1.0 + p.proportional * z)


def standardized(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the standard normal value that gives ``y``, rising with it; scatter is that at ``at``, if given."""
    return (y - f) / _sd(f, p, at)[0]


def log_density(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the logarithm of the density of an observation ``y``."""
    return normal.log_density(y, f, _sd(f, p, at)[0])


def information(f: Any, p: Any, at: Any = None) -> Any:
    """Return what one observation is expected to tell of ``f``."""
    return normal.information(1.0, *_sd(f, p, at))


def _sd(f: Any, p: Any, at: Any) -> tuple[Any, Any]:
    """Return the standard deviation and its slope over ``f``."""
    return (p.proportional * f, p.proportional) if at is None else (p.proportional * at, 0.0)
