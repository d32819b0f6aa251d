"""Logarithms of the chance of a standardized value below a limit, with three derivatives.

Accurate far out in both tails, where the chances themselves underflow and differences of nearly equal terms are noise.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy.special import betaln, erfcx, hyp2f1, log_ndtr, stdtr

__all__ = ["log_normal_below", "log_student_below", "normal_below", "student_below"]

FAR = 30.0  # from here on the asymptotic series is better than the closed form
SERIES = np.array([1.0, 1.0, -2.0, 10.0, -74.0, 706.0])  # of the inverse Mills ratio, over odd powers of 1/-z
ORDERS = 1.0 - 2.0 * np.arange(len(SERIES))


def log_normal_below(z: Any) -> Any:
    """Return log Phi(z)."""
    return log_ndtr(z)


def normal_below(z: Any) -> tuple[Any, Any, Any, Any]:
    """Return log Phi(z) and its first, second and third derivative.

    With the inverse Mills ratio m = phi/Phi they are m, s = -m (z + m) and -m (1 + s) - s (z + m). The ratio's series is that
    of Abramowitz and Stegun, equation 26.2.12, inverted.

    Examples
    --------
    >>> [round(float(one), 4) for one in normal_below(np.array(0.0))]
    [-0.6931, 0.7979, -0.6366, 0.218]
    """
    first = math.sqrt(2.0 / math.pi) / erfcx(-z / math.sqrt(2.0))
    second = -first * (z + first)
    third = -first * (1.0 + second) - second * (z + first)
    beyond = np.real(z) < -FAR
    if np.any(beyond):
        x = np.where(beyond, -z, FAR)[..., None]
        first, second, third = (
            np.where(beyond, np.sum(factor * SERIES * x**powers, axis=-1), near)
            for factor, powers, near in (
                (1.0, ORDERS, first),
                (-ORDERS, ORDERS - 1.0, second),
                (ORDERS * (ORDERS - 1.0), ORDERS - 2.0, third),
            )
        )
    return log_ndtr(z), first, second, third


def log_student_below(z: Any, df: float) -> Any:
    """Return the logarithm of Student's distribution function.

    It is half an incomplete beta function of x = df/(df + z^2) (Abramowitz and Stegun, equation 26.7.1), whose
    hypergeometric form (26.5.23) has a logarithm however far out.
    """
    chance = stdtr(df, z)
    if np.all(chance > 1e-200):
        return np.log(chance)
    half, x = 0.5 * df, df / (df + z * z)
    far = half * np.log(x) - math.log(df) - betaln(half, 0.5) + np.log(hyp2f1(half, 0.5, half + 1.0, x))
    return np.where(chance > 1e-200, np.log(np.maximum(chance, 1e-200)), far)


def student_below(z: Any, df: float) -> tuple[Any, Any, Any, Any]:
    """Return the logarithm of Student's distribution function and its first, second and third derivative.

    Examples
    --------
    >>> [round(float(one), 4) for one in student_below(np.array(0.0), 5.0)]
    [-0.6931, 0.7592, -0.5764, -0.0358]
    """
    below = log_student_below(z, df)
    constant = math.lgamma((df + 1.0) / 2.0) - math.lgamma(df / 2.0) - 0.5 * math.log(math.pi * df)
    first = np.exp(constant - (df + 1.0) / 2.0 * np.log1p(z * z / df) - below)
    spread = df + z * z
    slope = -(df + 1.0) * z / spread
    second = first * (slope - first)
    bend = -(df + 1.0) * (df - z * z) / (spread * spread)
    return below, first, second, second * (slope - first) + first * (bend - second)
