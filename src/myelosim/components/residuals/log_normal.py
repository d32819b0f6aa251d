"""Scatter on the logarithmic scale: log y = log f + log_sd * z."""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import exp, log
from myelosim.components.contract import Declared
from myelosim.components.residuals import normal

TERMS = (Declared("log_sd", "1", "standard deviation of the logarithm"),)


def sample(f: Any, z: Any, p: Any) -> Any:
    """Return what is observed where the model says ``f``, for a standard normal ``z``."""
    return f * exp(p.log_sd * z)


def log_density(y: Any, f: Any, p: Any) -> Any:
    """Return the logarithm of the density of an observation ``y``."""
    return normal.log_density(log(y), log(f), p.log_sd + 0.0 * f) - log(y)
