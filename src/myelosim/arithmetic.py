"""The few functions a component may call, for whatever kind of number it is given.

A component is written once, in plain Python. Called with floats or complex numbers it is a reference implementation;
called with arrays it evaluates many subjects; called with the engine's traced values it is compiled. Each function here
asks its argument first: an object that brings its own ``exp``, ``log``, ``power``, ``minimum``, ``maximum`` or ``where``
is used as it is, anything else goes to NumPy or :mod:`math`.
"""

from __future__ import annotations

import cmath
import math
from typing import Any

import numpy as np

__all__ = ["exp", "log", "maximum", "minimum", "power", "where"]


def _own(name: str, *values: Any) -> Any:
    for value in values:
        method = getattr(value, f"arithmetic_{name}", None)
        if method is not None:
            return method(*values)
    return None


def exp(x: Any) -> Any:
    """Exponential function.

    Examples
    --------
    >>> exp(0.0)
    1.0
    """
    if isinstance(x, float | int):
        return math.exp(x)
    if isinstance(x, complex):
        return cmath.exp(x)
    own = _own("exp", x)
    return np.exp(x) if own is None else own


def log(x: Any) -> Any:
    """Natural logarithm."""
    if isinstance(x, float | int):
        return math.log(x)
    if isinstance(x, complex):
        return cmath.log(x)
    own = _own("log", x)
    return np.log(x) if own is None else own


def power(x: Any, y: Any) -> Any:
    """``x`` to the power of ``y``, for ``x`` not negative."""
    own = _own("power", x, y)
    return x**y if own is None else own


def minimum(x: Any, y: Any) -> Any:
    """Return the smaller of two values; of complex numbers, the one with the smaller real part."""
    return where(x < y, x, y) if not _complex(x, y) else where(x.real < y.real, x, y)


def maximum(x: Any, y: Any) -> Any:
    """Return the larger of two values; of complex numbers, the one with the larger real part."""
    return where(x > y, x, y) if not _complex(x, y) else where(x.real > y.real, x, y)


def where(condition: Any, x: Any, y: Any) -> Any:
    """``x`` where the condition holds, else ``y``; both are always evaluated."""
    own = _own("where", condition, x, y)
    if own is not None:
        return own
    if isinstance(condition, bool | np.bool_):
        return x if condition else y
    return np.where(condition, x, y)


def _complex(*values: Any) -> bool:
    return any(isinstance(value, complex) for value in values)
