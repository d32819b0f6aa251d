"""Scatter of a differential count: so many cells under the microscope, so many of them of this lineage.

Of ``cells`` leukocytes differentiated n, about ``cells * fraction``, belong to the lineage. n scatters as a Poisson
number does, on top of an analyzer's proportional scatter of the total:

    u = 2 * sqrt(n + 3/8 + s^2/4),  u ~ normal(2 * sqrt(expected + 3/8), s),  s^2 = 1 + proportional^2 * expected
    y = f * n / expected,  expected = cells * fraction

That is Anscombe's transform, under which a Poisson number is normal with variance one; s^2/4 makes up for the bias
of transforming back. ``fraction`` is taken as constant: where neutropenia is selective, fewer of the same number of
cells are neutrophils, and a smaller fraction says so. With 200 cells and 15 % neutrophils the coefficient of
variation is 18 %.

Reference: Anscombe, Biometrika 1948;35:246-54.
"""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import log, maximum, power
from myelosim.components.contract import Declared
from myelosim.components.residuals import normal

TERMS = (
    Declared("cells", "1", "cells differentiated", setting=True),
    Declared("fraction", "1", "share of the lineage among them", scale="logit", upper=1.0, closed=True, setting=True),
    Declared("proportional", "1", "standard deviation of the analyzer over the count", closed=True, default=0.0),
)
DISTRIBUTION = "normal"


def sample(f: Any, z: Any, p: Any) -> Any:
    """Return what is observed where the model says ``f``, for a standard normal ``z``."""
    expected, mean, variance = _transformed(p)
    u = maximum(mean + power(variance, 0.5) * z, 0.0)
    return f * maximum(u * u / 4 - 0.375 - variance / 4, 0.0) / expected


def standardized(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the standard normal value that gives ``y``, rising with it; scatter is that at ``at``, if given."""
    _, mean, variance = _transformed(p)
    return (2 * _root(y, f, p, at) - mean) / power(variance, 0.5)


def log_density(y: Any, f: Any, p: Any, at: Any = None) -> Any:
    """Return the logarithm of the density of an observation ``y``; the chance of counting none is left out."""
    expected, mean, variance = _transformed(p)
    root, unit = _root(y, f, p, at), f if at is None else at
    return normal.log_density(2 * root, mean, power(variance, 0.5)) + log(expected / unit / root)


def information(f: Any, p: Any, at: Any = None) -> Any:
    """Return what one observation is expected to tell of ``f``.

    The score is ((z/s) (r - c/r) - 1/2 - c/(2 r^2))/f with r = u/2 and c = 3/8 + s^2/4, and (z/(s r) + 1/(2 r^2)) expected/at
    with ``at``; its mean square is given to the second order in the inverse of the mean of r.
    """
    expected, mean, variance = _transformed(p)
    bias, square = 0.375 + variance / 4, mean * mean / 4
    if at is not None:
        slope = expected / at
        return slope * slope * (1 / (variance * square) + 1 / (square * square))
    shrunk = 1 - bias / square
    return (square * shrunk * shrunk / variance + 0.5 + bias / (2 * square)) / (f * f)


def _root(y: Any, f: Any, p: Any, at: Any) -> Any:
    """Return half the transform of ``y``, which lies (y - f)/at predictions above the expected number."""
    expected, _, variance = _transformed(p)
    ratio = y / f if at is None else maximum(1 + (y - f) / at, 0.0)
    return power(expected * ratio + 0.375 + variance / 4, 0.5)


def _transformed(p: Any) -> tuple[Any, Any, Any]:
    """Return the number expected, and mean and variance of its transform."""
    expected = p.cells * p.fraction
    return expected, 2 * power(expected + 0.375, 0.5), 1.0 + p.proportional * p.proportional * expected
