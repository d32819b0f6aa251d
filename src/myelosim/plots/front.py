"""What more visits and more subjects buy."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter

from myelosim.plots import fit_look as look
from myelosim.plots import style
from myelosim.plots.style import styled

MARKED = {"knee": (10.0, "up to here, more pays most"), "cheapest": (14.0, "the least that meets what is wanted")}
RING = {"linestyle": "", "marker": "o", "markerfacecolor": "none", "markeredgecolor": "black", "markeredgewidth": 0.6}


@styled
def plot_front(table: pd.DataFrame, *, note: str = "", ax: Axes | None = None) -> Axes:
    """Draw the efficiency of the best designs against their draws, or their cost where they have one.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`myelosim.designing.front.design_front`: ``visits``, ``subjects``, ``draws``, ``cost``, ``efficiency``,
        ``knee``, and ``cheapest`` where something was wanted. A line is a number of subjects; a mark holds its number of visits.
    note : str
        What must be said below.
    ax : matplotlib.axes.Axes, optional
        Default: those of a new figure.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    SpecError
        The table has no row or lacks a column.
    """
    look.needed(table, ["visits", "subjects", "draws", "cost", "efficiency", "knee"], "plot_front")
    by, figure = "cost" if (table["cost"] > 0).any() else "draws", None
    if ax is None:
        figure = style.canvas(style.WIDTH, 2.6)
        ax = figure.subplots()
    keys = []
    for k, (subjects, own) in enumerate(table.sort_values(by).groupby("subjects")):
        line = {**style.arm_style(k), "markersize": 7.0, "linewidth": 0.8}
        ax.plot(own[by], own["efficiency"], **line)
        keys.append(Line2D([], [], **{**line, "markersize": 3.5}, label=f"{subjects} subjects"))
        for _, row in own.iterrows():
            place = row[by], row["efficiency"]
            ax.annotate(f"{row['visits']}", place, ha="center", va="center", fontsize=5, color="white")
    for name, (size, said) in MARKED.items():
        if name in table and table[name].any():
            ring: dict[str, Any] = {**RING, "markersize": size}
            ax.plot(table[by][table[name]], table["efficiency"][table[name]], **ring)
            keys.append(Line2D([], [], **{**ring, "markersize": size / 2}, label=said))
    look.scale(ax, "x", float(table[by].min()), float(table[by].max()), False)
    ax.set_ylim(0.0, 1.08)
    ax.yaxis.set_major_formatter(PercentFormatter(1.0))
    ax.set(xlabel="Cost" if by == "cost" else "Draws, all subjects together", ylabel="Efficiency")
    style.dress(ax)
    look.explain(figure, keys)
    look.say(figure, note, "Efficiency: against the best of these designs. Numbers in marks: visits of each subject.")
    return ax
