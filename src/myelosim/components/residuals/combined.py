"""Scatter of constant size and in proportion to the count: sd^2 = additive^2 + (proportional * f)^2."""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import power
from myelosim.components.contract import Declared
from myelosim.components.residuals import normal

TERMS = (
    Declared("additive", "{observation}", "standard deviation at a count of zero"),
    Declared("proportional", "1", "standard deviation over the count, at high counts"),
)


def sample(f: Any, z: Any, p: Any) -> Any:
    """Return what is observed where the model says ``f``, for a standard normal ``z``."""
    return f + _sd(f, p) * z


def log_density(y: Any, f: Any, p: Any) -> Any:
    """Return the logarithm of the density of an observation ``y``."""
    return normal.log_density(y, f, _sd(f, p))


def _sd(f: Any, p: Any) -> Any:
    spread = p.proportional * f
    return power(p.additive * p.additive + spread * spread, 0.5)
