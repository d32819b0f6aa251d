"""Scatter of constant size: y = f + additive * z."""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared
from myelosim.components.residuals import normal

TERMS = (Declared("additive", "{observation}", "standard deviation"),)
DISTRIBUTION = "normal"


def sample(f: Any, z: Any, p: Any) -> Any:
    """Return what is observed where the model says ``f``, for a standard normal ``z``."""
    return f + p.additive * z


def standardized(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the standard normal value that gives ``y``, rising with it; scatter is that at ``at``, if given."""
    return (y - f) / p.additive


def log_density(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the logarithm of the density of an observation ``y``."""
    return normal.log_density(y, f, p.additive + 0.0 * f)


def information(f: Any, p: Any, at: Any = None) -> Any:
    """Return what one observation is expected to tell of ``f``."""
    return normal.information(1.0, p.additive + 0.0 * f, 0.0)
