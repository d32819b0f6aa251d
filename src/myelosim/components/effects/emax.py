"""Saturable effect: E = emax * C / (ec50 + C)."""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared

PARAMETERS = (
    Declared("emax", "1", "effect at saturation"),
    Declared("ec50", "{concentration}", "concentration of half the maximal effect"),
)


def effect(c: Any, p: Any) -> Any:
    """Return the effect at concentration ``c``."""
    return p.emax * c / (p.ec50 + c)


def scale(p: Any) -> Any:
    """Return the concentration at which the effect is of order one."""
    return p.ec50
