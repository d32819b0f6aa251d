"""Sigmoid effect: E = emax * C^hill / (ec50^hill + C^hill)."""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import maximum, power
from myelosim.components.contract import Declared

PARAMETERS = (
    Declared("emax", "1", "effect at saturation"),
    Declared("ec50", "{concentration}", "concentration of half the maximal effect"),
    Declared("hill", "1", "steepness", upper=10.0, closed=True),
)

# No concentration, and one that round-off has made negative, count as this fraction of ec50: far below any effect, and
# within what a power can be taken of.
LEAST = 1e-30


def effect(c: Any, p: Any) -> Any:
    """Return the effect at concentration ``c``."""
    x = power(maximum(c / p.ec50, LEAST), p.hill)
    return p.emax * x / (1.0 + x)


def scale(p: Any) -> Any:
    """Return the concentration at which the effect is of order one."""
    return p.ec50
