"""Effect that grows with the logarithm of concentration: E = slope * log(1 + C/c0).

Proportional to concentration far below ``c0``, logarithmic far above, and zero without drug. Not limited.
"""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import log, maximum
from myelosim.components.contract import Declared

PARAMETERS = (
    Declared("slope", "1", "effect per e-fold of concentration"),
    Declared("c0", "{concentration}", "concentration above which the effect grows logarithmically"),
)


def effect(c: Any, p: Any) -> Any:
    """Return the effect at concentration ``c``."""
    return p.slope * log(1.0 + maximum(c / p.c0, 0.0))


def scale(p: Any) -> Any:
    """Return the concentration at which the effect is of order one."""
    return p.c0
