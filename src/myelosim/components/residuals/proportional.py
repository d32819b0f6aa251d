"""Scatter in proportion to the count: y = f * (1 + proportional * z)."""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared
from myelosim.components.residuals import normal

TERMS = (Declared("proportional", "1", "standard deviation over the count"),)


def sample(f: Any, z: Any, p: Any) -> Any:
    """Return what is observed where the model says ``f``, for a standard normal ``z``."""
    return f * (1.0 + p.proportional * z)


def log_density(y: Any, f: Any, p: Any) -> Any:
    """Return the logarithm of the density of an observation ``y``."""
    return normal.log_density(y, f, p.proportional * f)
