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
DISTRIBUTION = "normal"


def sample(f: Any, z: Any, p: Any) -> Any:
    """Return what is observed where the model says ``f``, for a standard normal ``z``."""
    return f + spread(f, p)[0] * z


def standardized(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the standard normal value that gives ``y``, rising with it; scatter is that at ``at``, if given."""
    return (y - f) / spread(f, p, at)[0]


def log_density(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the logarithm of the density of an observation ``y``."""
    return normal.log_density(y, f, spread(f, p, at)[0])


def information(f: Any, p: Any, at: Any = None) -> Any:
    """Return what one observation is expected to tell of ``f``."""
    return normal.information(1.0, *spread(f, p, at))


def spread(f: Any, p: Any, at: Any = None) -> tuple[Any, Any]:
    """Return the standard deviation and its slope over ``f``."""
    part = p.proportional * (f if at is None else at)
    sd = power(p.additive * p.additive + part * part, 0.5)
    return sd, p.proportional * part / sd if at is None else 0.0
