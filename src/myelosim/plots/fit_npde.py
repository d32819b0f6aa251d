"""Whether prediction distribution errors are standard normal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.special import betaincinv, ndtri

from myelosim.plots import fit_look as look
from myelosim.plots import style
from myelosim.plots.fit_look import BAND_OF_EDGES, GUIDE, MODEL, TYPICAL, Units
from myelosim.plots.style import styled


def quantile_pairs(values: np.ndarray) -> np.ndarray:
    """Pair ordered values with those of a standard normal sample of their size.

    Returns
    -------
    numpy.ndarray
        (4, n): the median of each ordered normal value, the value, and the 2.5 % and 97.5 % quantiles of the normal one.

    Notes
    -----
    The k-th of n ordered uniforms is beta-distributed with k and n + 1 - k.
    """
    ordered = np.sort(values[np.isfinite(values)])
    k = np.arange(1, ordered.size + 1)
    expected, low, high = (ndtri(betaincinv(k, k[::-1], p)) for p in (0.5, 0.025, 0.975))
    return np.array([expected, ordered, low, high])


@styled
def plot_npde(
    table: pd.DataFrame, tests: pd.DataFrame | None = None, *, units: Units = None, ax: Any = None
) -> np.ndarray:
    """Draw normalized prediction distribution errors, a row of four panels an observable.

    Ordered errors against normal ones, with the band in which 95 % of each lie; a histogram with the standard normal density;
    errors over time and by typical prediction, with the lines between which 95 % of them should be, and medians of groups.

    Parameters
    ----------
    table : pandas.DataFrame
        ``observable``, ``time`` (h), ``population``, ``npde``: :func:`myelosim.fitting.diagnostics.fit_table` with ``npde``.
    tests : pandas.DataFrame, optional
        From :func:`myelosim.fitting.diagnostics.npde_tests`, of all rows; its p values are printed.
    units, ax
        See :mod:`myelosim.plots.fit_look`.

    Returns
    -------
    numpy.ndarray
        Axes (observable, panel).
    """
    look.needed(table, ["observable", "time", "population", "npde"], "plot_npde")
    known = list(dict.fromkeys(table["observable"].tolist()))
    axes, figure = look.panels(ax, (len(known), 4), "plot_npde", 0.75 + look.ROW * len(known))
    for row, observable in zip(axes, known, strict=True):
        own = table[table["observable"] == observable]
        _draw(row, observable, own)
        row[0].set_ylabel(f"{look.label(observable, units)}\nNPDE")
        for panel in row:
            style.dress(panel)
    look.beneath(axes[-1], "Standard normal", "NPDE", table)
    lines = [
        Line2D([], [], **{**GUIDE, "linewidth": 0.9}, label="where all should be (dashed: 95 %)"),
        Patch(color=BAND_OF_EDGES, alpha=0.5, label="95 % of ordered normal values"),
        Line2D([], [], color=MODEL, label="standard normal"),
        Line2D([], [], color=TYPICAL, label="medians"),
    ]
    look.explain(figure, [*look.dot_keys(np.zeros(1)), *lines])
    look.say(figure, f"{int(table['npde'].notna().sum())} prediction distribution errors.", _tested(tests))
    return axes


def _tested(tests: pd.DataFrame | None) -> str:
    if tests is None:
        return ""
    p = tests["p"]
    names = {"wilcoxon": "median zero", "variance": "variance one", "normality": "normal", "global": "all three"}
    return "P values: " + ", ".join(f"{said} {p[test]:.2g}" for test, said in names.items()) + "."


def _draw(row: np.ndarray, observable: str, own: pd.DataFrame) -> None:
    errors = own["npde"].to_numpy(float)
    expected, ordered, low, high = quantile_pairs(errors)
    log = look.logarithmic(observable, own["population"].to_numpy(float))
    most = look.residuals(row[2:], own, "npde", log)
    row[0].fill_between(expected, low, high, color=BAND_OF_EDGES, alpha=0.5, linewidth=0)
    row[0].axline((0.0, 0.0), slope=1.0, **GUIDE)
    look.dots(row[0], expected, ordered)
    look.histogram(row[1], errors, most, 1.0, (6, 24))
    for which in ("x", "y"):
        look.scale(row[0], which, -most, most, False)
