"""Individuals from published histograms."""

from __future__ import annotations

import numpy as np
import pandas as pd

from myelosim.errors import DataError
from myelosim.population.individuals import Population
from myelosim.random import uniforms


def virtual_patients(table: pd.DataFrame, size: int, seed: int = 0, prefix: str = "") -> pd.DataFrame:
    """Draw individuals from published histograms, each parameter by itself, uniformly within a bar.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a bar: ``parameter``, ``low``, ``high``, ``count``.
    size, seed : int
        As for `Population`; the first individuals of a larger table are the same.
    prefix : str
        Put before each parameter's name, with a dot: ``"neutrophil"`` makes ``gamma`` ``neutrophil.gamma``.

    Returns
    -------
    pandas.DataFrame
        One row a subject, one column a parameter: what ``individuals=`` takes.

    Raises
    ------
    DataError
        If a column is missing or a bar is impossible.

    Examples
    --------
    >>> bars = pd.DataFrame({"parameter": "gamma", "low": [0.0, 1.0], "high": [1.0, 2.0], "count": [0, 5]})
    >>> bool(virtual_patients(bars, 9).gamma.between(1, 2).all())
    True
    """
    missing = {"parameter", "low", "high", "count"} - set(table.columns)
    if missing:
        raise DataError(f"histograms: no column {', '.join(sorted(missing))}; needed are parameter, low, high, count")
    size = Population(size, seed).size
    drawn = {}
    for name, bars in table.groupby("parameter", sort=False):
        low, high, count = (bars[column].to_numpy(dtype=float) for column in ("low", "high", "count"))
        if not (np.all(high >= low) and np.all(count >= 0) and count.sum() > 0):
            raise DataError(f"histograms: {name}: bars need low <= high, counts not negative and not all zero")
        u = uniforms(seed, "histogram", size, 2, str(name))
        bar = np.searchsorted(np.cumsum(count) / count.sum(), u[:, 0], side="right")
        drawn[f"{prefix}.{name}" if prefix else str(name)] = low[bar] + (high - low)[bar] * u[:, 1]
    return pd.DataFrame(drawn)
