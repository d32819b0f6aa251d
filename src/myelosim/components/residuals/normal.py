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


def information(slope: Any, sd: Any, sd_slope: Any) -> Any:
    """Return the expected information of one observation about what mean and standard deviation depend on.

    With variance R that is mean_f^2/R + R_f^2/(2 R^2), and R_f = 2 sd sd_f. Reference: Kay, Fundamentals of statistical
    signal processing: estimation theory, 1993, equation 3.31.

    Parameters
    ----------
    slope, sd_slope : number or array
        Derivatives of the mean and of the standard deviation.
    sd : number or array
        The standard deviation.

    Examples
    --------
    >>> information(1.0, 0.5, 0.0)
    4.0
    """
    mean, spread = slope / sd, sd_slope / sd
    return mean * mean + 2.0 * spread * spread
