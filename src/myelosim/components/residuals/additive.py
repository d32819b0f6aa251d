"""Scatter of constant size: y = f + additive * z."""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared
from myelosim.components.residuals import normal

TERMS = (Declared("additive", "{observation}", "standard deviation"),)


def sample(f: Any, z: Any, p: Any) -> Any:
    """Return what is observed where the model says ``f``, for a standard normal ``z``."""
    return f + p.additive * z


def log_density(y: Any, f: Any, p: Any) -> Any:
    """Return the logarithm of the density of an observation ``y``."""
    return normal.log_density(y, f, p.additive + 0.0 * f)
