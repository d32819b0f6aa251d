"""Reported incidences and a model's."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from myelosim.plots import style
from myelosim.plots.style import INK, styled

SOURCE = "#d95f02"
HEIGHT = 0.27  # inches a row
FILLED = {"fit": True, "holdout": False, "report": False}


@styled
def plot_incidence(rows: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw percentages: the source's with its interval, and the model's, as observed, as true, and without drug.

    Filled circles are what the model was fitted to, open ones what it was not.

    Parameters
    ----------
    rows : pandas.DataFrame
        From :func:`myelosim.validation.table`; rows that are no percentage are left out.
    ax : matplotlib.axes.Axes, optional
        Default: one of a new figure of its own.

    Returns
    -------
    matplotlib.axes.Axes
    """
    shown = rows[rows["unit"] == "%"].reset_index(drop=True)
    if ax is None:
        ax = style.canvas(style.WIDTH, 0.9 + HEIGHT * len(shown)).subplots()
    for y, row in shown.iterrows():
        _row(ax, -float(y), row)
    ax.set_yticks([-float(y) for y in shown.index], [f"{r['calibration']}: {r['what']}" for _, r in shown.iterrows()])
    ax.set_ylim(-len(shown) + 0.4, 0.6)
    ax.set_xlim(left=-1)
    ax.set_xlabel("Subjects (%)")
    ax.legend(
        handles=_key(), loc="upper center", bbox_to_anchor=(0.3, -0.9 / max(len(shown), 3)), ncols=3, frameon=False
    )
    style.dress(ax)
    return ax


def _row(ax: Axes, y: float, row: Any) -> None:
    face = SOURCE if FILLED[row["use"]] else "white"
    ax.plot([row["source_low"], row["source_high"]], [y + 0.14] * 2, color=SOURCE, lw=1)
    ax.plot(row["source"], y + 0.14, "o", color=SOURCE, markerfacecolor=face, markersize=4)
    ax.plot([row["model_low"], row["model_high"]], [y - 0.14] * 2, color=INK, lw=1)
    ax.plot(row["model"], y - 0.14, "s", color=INK, markersize=3.5)
    ax.plot(row["true"], y - 0.14, "|", color=INK, markersize=7)
    ax.plot(row["none"], y - 0.14, "x", color="#808080", markersize=4)


def _key() -> list[Line2D]:
    def mark(label: str, **look: Any) -> Line2D:
        return Line2D([], [], linestyle="", label=label, **look)

    return [
        mark("source, fitted to", marker="o", color=SOURCE, markersize=4),
        mark("source, not fitted to", marker="o", color=SOURCE, markerfacecolor="white", markersize=4),
        mark("model, as observed at visits", marker="s", color=INK, markersize=3.5),
        mark("model, true counts", marker="|", color=INK, markersize=7),
        mark("model without drug, as observed", marker="x", color="#808080", markersize=4),
        Line2D([], [], color="black", lw=1, label="95 % interval"),
    ]
