"""What stands in a cell: a number, nothing, or a number with a sign that says it is a limit."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from myelosim.data.study import ABOVE, BELOW, MEASURED
from myelosim.spec.events import missing

NOTHING = ("", ".", "na", "n/a", "nan", "null", "none")
QUANTIFIED = re.compile(r"\s*(<=|>=|<|>|≤|≥)\s*([^<>=]+)")
UNDER = ("blq", "bql", "bloq", "lloq", "<lloq", "<loq", "<blq", "< lloq", "< loq")
OVER = (">uloq", "> uloq", "alq", "aloq")


def cells(series: pd.Series) -> list[Any]:
    """Return a column's cells: floats where it is numeric, else stripped text, empty where there is nothing."""
    if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series):
        return [float(v) for v in series.to_numpy(dtype=np.float64, na_value=np.nan)]
    return ["" if _nothing(v) else v.strip() if isinstance(v, str) else v for v in series.tolist()]


def _nothing(value: Any) -> bool:
    if isinstance(value, pd.Timestamp):
        return False
    return missing(value) or value is pd.NaT or (isinstance(value, str) and value.strip().lower() in NOTHING)


def number(value: Any) -> float | None:
    """Return a cell's number, NaN where it holds nothing, None where it is something else.

    Examples
    --------
    >>> number("4.1"), number("."), number("n.d.")
    (4.1, nan, None)
    """
    if _nothing(value):
        return math.nan
    try:
        out = float(value)
    except (TypeError, ValueError):
        return None
    return out if math.isfinite(out) and not isinstance(value, bool) else None


def numbers(series: pd.Series) -> tuple[np.ndarray, list[tuple[int, Any]]]:
    """Return a column's numbers, NaN for none, and the places and cells that are no number."""
    out, odd = np.full(len(series), np.nan), []
    for place, cell in enumerate(cells(series)):
        value = number(cell)
        if value is None:
            odd.append((place, cell if isinstance(cell, str | float) else str(cell)))
        else:
            out[place] = value
    return out, odd


def result(value: Any) -> tuple[float, int] | None:
    """Return a result's number and what it is: measured, or a limit that the result is below or above.

    The number is NaN where the cell holds nothing, and where it says below or above an unnamed limit. None is what is no result.

    Examples
    --------
    >>> result("<0.1"), result("4.2"), result("> 1000"), result("BLQ"), result("clotted")
    ((0.1, 1), (4.2, 0), (1000.0, -1), (nan, 1), None)
    """
    plain = number(value)
    if plain is not None:
        return plain, MEASURED
    text = str(value).strip()
    if text.lower() in UNDER:
        return math.nan, BELOW
    if text.lower() in OVER:
        return math.nan, ABOVE
    match = QUANTIFIED.fullmatch(text)
    limit = number(match[2]) if match else None
    if match is None or limit is None or math.isnan(limit):
        return None
    return limit, BELOW if match[1][0] in "<≤" else ABOVE


def label(value: Any) -> str:
    """Return a name as text, whole numbers without decimals.

    Examples
    --------
    >>> label(1.0), label("2.60E+01"), label("007"), label("R-1")
    ('1', '26', '007', 'R-1')
    """
    if _nothing(value):
        return ""
    text = str(value).strip()
    if not isinstance(value, str) or re.fullmatch(r"\d+\.\d*(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+", text):
        with_decimals = number(value)
        if with_decimals is not None and with_decimals == int(with_decimals):
            return str(int(with_decimals))
    return text


def labels(series: pd.Series) -> list[str]:
    """Return a column as names."""
    return [label(cell) for cell in cells(series)]


def nearest(word: str, names: Sequence[str]) -> str | None:
    """Return the name that a word is, whatever its case."""
    return {name.lower(): name for name in names}.get(word.lower())
