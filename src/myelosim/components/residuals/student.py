"""Scatter with heavy tails: y = f + sd(f) * t, t from Student's distribution; sd^2 = additive^2 + (proportional * f)^2.

Outlying counts (a clotted tube, a sample mixed up) pull on a fit less than a normal distribution lets them. ``additive``
and ``proportional`` are scales: the standard deviation is sqrt(df/(df - 2)) times as large. With ``df`` above 30 or so
it is the combined kind. ``df`` is chosen, usually 4 to 10, and not estimated.

Reference: Lange, Little and Taylor, J Am Stat Assoc 1989;84:881-96.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import ndtr, stdtrit

from myelosim.arithmetic import log
from myelosim.components.contract import Declared
from myelosim.components.residuals.combined import spread

TERMS = (
    Declared("proportional", "1", "scale over the count, at high counts", closed=True),
    Declared("additive", "{observation}", "scale at a count of zero", closed=True, default=0.0),
    Declared("df", "1", "degrees of freedom", lower=2.0, setting=True),
)
FIXED = ("df",)
DISTRIBUTION = "student"


def sample(f: Any, z: Any, p: Any) -> Any:
    """Return what is observed where the model says ``f``, for a standard normal ``z``."""
    # the lower tail is the accurate one of both functions
    return f - spread(f, p)[0] * np.sign(z) * stdtrit(p.df, ndtr(-np.abs(z)))


def standardized(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the Student value that gives ``y``, rising with it; scatter is that at ``at``, if given."""
    return (y - f) / spread(f, p, at)[0]


def log_density(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the logarithm of the density of an observation ``y``."""
    t = standardized(y, f, p, at)
    constant = math.lgamma((p.df + 1) / 2) - math.lgamma(p.df / 2) - 0.5 * math.log(math.pi * p.df)
    return constant - log(spread(f, p, at)[0]) - (p.df + 1) / 2 * log(1 + t * t / p.df)


def information(f: Any, p: Any, at: Any = None) -> Any:
    """Return what one observation is expected to tell of ``f``: (df + 1)/(df + 3)/sd^2 + 2 df/(df + 3) (sd_f/sd)^2."""
    sd, slope = spread(f, p, at)
    location, scale = 1 / sd, slope / sd
    return ((p.df + 1) * location * location + 2 * p.df * scale * scale) / (p.df + 3)
