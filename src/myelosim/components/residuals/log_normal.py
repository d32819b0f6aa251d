"""Scatter on the logarithmic scale: log y = log f + log_sd * z."""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import exp, log
from myelosim.components.contract import Declared
from myelosim.components.residuals import normal

TERMS = (Declared("log_sd", "1", "standard deviation of the logarithm"),)
DISTRIBUTION = "normal"


def sample(f: Any, z: Any, p: Any) -> Any:
    """Return what is observed where the model says ``f``, for a standard normal ``z``."""
    return f * exp(p.log_sd * z)


def standardized(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the standard normal value that gives ``y``, rising with it; scatter is that at ``at``, if given."""
    return (log(y) - log(f)) / p.log_sd


def log_density(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the logarithm of the density of an observation ``y``."""
    return normal.log_density(log(y), log(f), p.log_sd + 0.0 * f) - log(y)


def information(f: Any, p: Any, at: Any = None) -> Any:
    """Return what one observation is expected to tell of ``f``."""
    return normal.information(1.0 / f, p.log_sd, 0.0)
