"""How sure a percentage, a median or a paired difference is, as far as the number of subjects goes."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import bdtr, ndtri

__all__ = ["Interval", "mean", "one_subject", "paired_difference", "proportion", "quantile"]


class Interval(NamedTuple):
    """An estimate between two bounds."""

    estimate: float
    low: float
    high: float


def proportion(flags: ArrayLike, level: float = 0.95, worth: float | None = None) -> Interval:
    """Give a proportion with its Wilson score interval.

    Parameters
    ----------
    flags : array (subject)
        True or 1, False or 0; NaN where the question does not arise: those subjects are left out.
    level : float
        Confidence, between 0 and 1.
    worth : float, optional
        How many independent subjects they are worth, where some are copies of others. Default: as many as there are.

    Returns
    -------
    Interval
        NaN throughout where no subject is left.

    Notes
    -----
    Wilson, J Am Stat Assoc 1927;22:209-12; Newcombe, Stat Med 1998;17:857-72, method 3.

    Examples
    --------
    >>> "{:.3f} {:.4f} {:.4f}".format(*proportion([1] * 81 + [0] * 182))
    '0.308 0.2553 0.3662'
    """
    values = _present(flags)
    if values.size == 0:
        return Interval(np.nan, np.nan, np.nan)
    n = values.size if worth is None else min(worth, values.size)
    low, high = _wilson(n * float(values.mean()), n, _normal(level))
    return Interval(float(values.mean()), low, high)


def mean(sample: ArrayLike, level: float = 0.95) -> Interval:
    """Give a mean with its large-sample interval; arguments as for `quantile`.

    Examples
    --------
    >>> "{:.3f} {:.3f} {:.3f}".format(*mean([0.1, 0.2, 0.3, 0.4]))
    '0.250 0.123 0.377'
    """
    values = _present(sample)
    if values.size == 0:
        return Interval(np.nan, np.nan, np.nan)
    middle = float(values.mean())
    half = _normal(level) * float(values.std(ddof=1)) / values.size**0.5 if values.size > 1 else np.nan
    return Interval(middle, middle - half, middle + half)


def one_subject(counts: ArrayLike) -> bool:
    """Tell whether the counts (subject, ...) of everybody are the same: copies of one subject, who has no interval.

    Examples
    --------
    >>> one_subject([[5.0, 0.3], [5.0, 0.3]]), one_subject([[5.0, 0.3], [5.0, 0.4]]), one_subject([[5.0, 0.3]])
    (True, False, True)
    """
    values = np.asarray(counts, dtype=np.float64)
    return bool(np.all((values == values[:1]) | np.isnan(values)))


def quantile(sample: ArrayLike, q: float = 0.5, level: float = 0.95) -> Interval:
    """Give a quantile, the median by default, with its distribution-free interval from order statistics.

    Parameters
    ----------
    sample : array (subject)
        NaN is left out; infinity stands for a time beyond the horizon.
    q : float
        Between 0 and 1.
    level : float
        Least confidence, between 0 and 1.

    Returns
    -------
    Interval
        Bounds are values of the sample, or infinite where it is too small for one.

    Notes
    -----
    Conover, Practical Nonparametric Statistics, 3rd ed. 1999, section 3.2: ranks from the binomial distribution.

    Examples
    --------
    >>> quantile(range(1, 11))
    Interval(estimate=5.5, low=2.0, high=9.0)
    """
    values = np.sort(_present(sample))
    n = values.size
    if n == 0:
        return Interval(np.nan, np.nan, np.nan)
    low, high = _ranks(n, q, (1.0 - _level(level)) / 2.0)
    return Interval(
        _quantile(values, q),
        float(values[low - 1]) if low >= 1 else -np.inf,
        float(values[high - 1]) if high <= n else np.inf,
    )


@lru_cache(maxsize=1024)
def _ranks(n: int, q: float, tail: float) -> tuple[int, int]:
    """Return ranks (from 1) with P(number of values below the quantile < low) <= tail, and the like above."""
    below = bdtr(np.arange(n + 1), n, q)
    return int(np.searchsorted(below, tail)), int(np.searchsorted(below, 1.0 - tail)) + 1


def paired_difference(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Interval:
    """Give the difference of two proportions in the same subjects, ``first`` minus ``second``, with its interval.

    Parameters
    ----------
    first, second : array (subject)
        As for `proportion`; subjects with NaN in either are left out.
    level : float
        Confidence, between 0 and 1.

    Notes
    -----
    Newcombe, Stat Med 1998;17:2635-50, method 10: square and add Wilson limits, with the correlation of the pairs.

    Examples
    --------
    >>> "{:.3f} {:.3f} {:.3f}".format(*paired_difference([1] * 2 + [0] * 19, [1, 0] + [1] * 7 + [0] * 12))
    '-0.286 -0.507 -0.026'
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if a.shape != b.shape:
        raise ValueError(f"paired proportions need the same subjects, not {a.shape} and {b.shape}")
    both = ~(np.isnan(a) | np.isnan(b))
    a, b = a[both], b[both]
    n = a.size
    if n == 0:
        return Interval(np.nan, np.nan, np.nan)
    p, r = float(a.mean()), float(b.mean())
    (p_low, p_high), (r_low, r_high) = (_wilson(float(x.sum()), n, _normal(level)) for x in (a, b))
    phi = _phi(a, b)
    below = (p - p_low) ** 2 - 2 * phi * (p - p_low) * (r_high - r) + (r_high - r) ** 2
    above = (p_high - p) ** 2 - 2 * phi * (p_high - p) * (r - r_low) + (r - r_low) ** 2
    return Interval(p - r, p - r - max(below, 0.0) ** 0.5, p - r + max(above, 0.0) ** 0.5)


def _phi(a: np.ndarray, b: np.ndarray) -> float:
    """Return Newcombe's correlation of paired proportions, corrected for continuity where it is positive."""
    n = a.size
    yes, only_a, only_b = float(np.sum(a * b)), float(np.sum(a * (1 - b))), float(np.sum((1 - a) * b))
    no = n - yes - only_a - only_b
    margins = (yes + only_a) * (only_b + no) * (yes + only_b) * (only_a + no)
    if margins == 0.0:
        return 0.0
    excess = yes * no - only_a * only_b
    if excess > 0.0:
        excess = max(excess - n / 2.0, 0.0)
    return float(excess / margins**0.5)


def _wilson(yes: float, n: float, z: float) -> tuple[float, float]:
    p, share = yes / n, z * z / n
    middle = (p + share / 2.0) / (1.0 + share)
    half = z / (1.0 + share) * (p * (1.0 - p) / n + share / (4.0 * n)) ** 0.5
    return (0.0 if yes == 0 else middle - half), (1.0 if yes == n else middle + half)


def _quantile(values: np.ndarray, q: float) -> float:
    """Return the quantile of sorted values; between a number and infinity it is infinite, not NaN."""
    place = q * (values.size - 1)
    below, part = int(place), place - int(place)
    if part == 0.0:
        return float(values[below])
    return float(values[below] * (1.0 - part) + values[below + 1] * part)


def _normal(level: float) -> float:
    return float(ndtri((1.0 + _level(level)) / 2.0))


def _level(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level!r}; for 95 % write 0.95")
    return level


def _present(values: ArrayLike) -> np.ndarray:
    array = np.asarray(values, dtype=np.float64)
    return array[~np.isnan(array)]
