"""The normal density that every residual comes down to."""

from __future__ import annotations

import math
from typing import Any

from myelosim.arithmetic import log

HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


def log_density(x: Any, mean: Any, sd: Any) -> Any:
    """Return the logarithm of the normal density.

    Examples
    --------
    >>> round(log_density(1.0, 0.0, 1.0), 6)
    -1.418939
    """
    z = (x - mean) / sd
    return -0.5 * z * z - log(sd) - HALF_LOG_TWO_PI
