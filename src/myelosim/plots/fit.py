"""Goodness of fit: observations against predictions, and residuals against what should not matter."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from myelosim.plots import fit_look as look
from myelosim.plots import style
from myelosim.plots.fit_look import GUIDE, TYPICAL, Units
from myelosim.plots.style import styled


@styled
def plot_goodness_of_fit(table: pd.DataFrame, *, units: Units = None, ax: Any = None) -> np.ndarray:
    """Draw observations against predictions, and conditional weighted residuals, a row of four panels an observable.

    Observed against typical and individual predictions, with the line on which they are equal; CWRES over time and by typical
    prediction, with the lines between which 95 % of them should be. The other line joins medians of groups of equal numbers.
    Observations beyond a limit of quantification are triangles at that limit, and count there; they have no residual.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`myelosim.fitting.diagnostics.fit_table`, with ``cwres``.
    units, ax
        See :mod:`myelosim.plots.fit_look`.

    Returns
    -------
    numpy.ndarray
        Axes (observable, panel).
    """
    name = "plot_goodness_of_fit"
    look.needed(table, ["observable", "time", "value", "censored", "individual", "population", "cwres"], name)
    known = list(dict.fromkeys(table["observable"].tolist()))
    axes, figure = look.panels(ax, (len(known), 4), name, 0.75 + look.ROW * len(known))
    for row, observable in zip(axes, known, strict=True):
        _draw(row, observable, table[table["observable"] == observable], units)
    look.beneath(axes[-1], "Typical prediction", "Individual prediction", table)
    lines = [
        Line2D([], [], **{**GUIDE, "linewidth": 0.9}, label="where all should be (dashed: 95 % of residuals)"),
        Line2D([], [], color=TYPICAL, linewidth=1.1, label="medians"),
    ]
    look.explain(figure, [*look.dot_keys(table["censored"].to_numpy()), *lines])
    subjects = f" of {table['subject'].nunique()} subjects" if "subject" in table.columns else ""
    look.say(figure, f"{len(table)} observations{subjects}.", _without(table))
    return axes


def _without(table: pd.DataFrame) -> str:
    none = int(table["cwres"].isna().sum())
    return f"{none} of them without a residual: beyond a limit of quantification, or missing." if none else ""


def _draw(row: np.ndarray, observable: str, own: pd.DataFrame, units: Units) -> None:
    value, censored = own["value"].to_numpy(float), own["censored"].to_numpy()
    log = look.logarithmic(observable, value, own[["individual", "population"]].to_numpy(float))
    for panel, of in zip(row, ("population", "individual"), strict=False):
        against = own[of].to_numpy(float)
        low, high = look.span(value, against)
        for which in ("x", "y"):
            look.scale(panel, which, low, high, log)
        panel.axline((low, low), (high, high), **GUIDE)
        look.dots(panel, against, value, censored)
        look.trend_line(panel, against, value)
    look.residuals(row[2:], own, "cwres", log)
    row[0].set_ylabel(f"{look.label(observable, units)}\nobserved")
    row[2].set_ylabel("CWRES")
    for panel in row:
        style.dress(panel)
