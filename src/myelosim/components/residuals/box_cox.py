"""Scatter on a Box-Cox scale: (y^exponent - 1)/exponent = (f^exponent - 1)/exponent + sd * z.

An exponent of 0.2 is usual for neutrophils, between the logarithm (0) and the count itself (1). Where the right side
leaves the scale's range the observation is zero; with sensible standard deviations that does not happen.

Reference: Box and Cox, J R Stat Soc B 1964;26:211-52.
"""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import log, maximum, power
from myelosim.components.contract import Declared
from myelosim.components.residuals import normal

TERMS = (
    Declared("sd", "1", "standard deviation on the transformed scale"),
    Declared("exponent", "1", "exponent of the transformation", upper=1.0, closed=True, default=0.2, setting=True),
)
DISTRIBUTION = "normal"


def sample(f: Any, z: Any, p: Any) -> Any:
    """Return what is observed where the model says ``f``, for a standard normal ``z``."""
    return power(maximum(power(f, p.exponent) + p.exponent * p.sd * z, 0.0), 1.0 / p.exponent)


def standardized(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the standard normal value that gives ``y``, rising with it; scatter is that at ``at``, if given."""
    return (power(y, p.exponent) - power(f, p.exponent)) / (p.exponent * p.sd)


def log_density(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the logarithm of the density of an observation ``y``."""
    observed, expected = power(y, p.exponent) / p.exponent, power(f, p.exponent) / p.exponent
    return normal.log_density(observed, expected, p.sd + 0.0 * f) + (p.exponent - 1.0) * log(y)


def information(f: Any, p: Any, at: Any = None) -> Any:
    """Return what one observation is expected to tell of ``f``."""
    return normal.information(power(f, p.exponent - 1.0), p.sd, 0.0)
