"""Effect proportional to concentration: E = slope * C. Not limited: an inhibition may exceed one, as published."""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared

PARAMETERS = (Declared("slope", "1/({concentration})", "effect per unit of concentration"),)


def effect(c: Any, p: Any) -> Any:
    """Return the effect at concentration ``c``."""
    return p.slope * c


def scale(p: Any) -> Any:
    """Return the concentration at which the effect is of order one."""
    return 1.0 / p.slope
