"""Numbers as a table shows them; what has no number is "-"."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

NONE = "-"
UNBOUND = 1e30
LEAST = 1e-9  # under which a count is as good as none


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits.

    Examples
    --------
    >>> number(0.98765), number(123.456), number(12345.6), number(4e-35), number(float("nan"))
    ('0.988', '123', '12346', '<1e-9', '-')
    """
    if not math.isfinite(value):
        return NONE
    if value == 0:
        return "0"
    if 0 < value < LEAST:
        return "<1e-9"
    places = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{value:.{places}f}" if places <= digits + 3 else f"{value:.{digits}g}"


def parameter(value: float) -> str:
    """Return a parameter's value; one that lies beyond all numbers is a bound that does not bind.

    Examples
    --------
    >>> parameter(3.448123), parameter(1e30)
    ('3.44812', '-')
    """
    return f"{value:.6g}" if abs(value) < UNBOUND else NONE


def day(value: float) -> str:
    """Return a day or a number of days with one decimal."""
    return f"{value:.1f}" if math.isfinite(value) else NONE


def percent(value: float) -> str:
    """Return a fraction as percent."""
    if not math.isfinite(value):
        return NONE
    return f"{100 * value:.1f} %" if 0 < value < 0.0995 else f"{100 * value:.0f} %"


def spread(row: Mapping[str, Any], name: str, show: Any) -> str:
    """Return an estimate over its interval, two lines.

    Examples
    --------
    >>> print(spread({"p": 0.5, "p_low": 0.4, "p_high": 0.6}, "p", percent))
    50 %
    40-60
    """
    estimate = row.get(name, math.nan)
    low, high = row.get(f"{name}_low", math.nan), row.get(f"{name}_high", math.nan)
    if not math.isfinite(estimate):
        return NONE
    if not (math.isfinite(low) and math.isfinite(high)):
        return str(show(estimate))

    def between(low: float, high: float) -> str:
        return f"{show(low).removesuffix(' %')}-{show(high).removesuffix(' %')}"

    low_of_all, high_of_all = row.get(f"{name}_all_low", math.nan), row.get(f"{name}_all_high", math.nan)
    more = f"\n[{between(low_of_all, high_of_all)}]" if math.isfinite(low_of_all) else ""
    return f"{show(estimate)}\n{between(low, high)}{more}"
