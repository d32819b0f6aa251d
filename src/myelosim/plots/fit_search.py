"""How the search for the optimum went, and where each start ended."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from myelosim.errors import SpecError
from myelosim.plots import fit_look as look
from myelosim.plots import style
from myelosim.plots.fit_look import GUIDE, MODEL, TYPICAL
from myelosim.plots.style import styled

HEIGHT = 2.3
FEW = 6  # starts that an axis has room for at least
LINEAR = 1.0  # objective units under which the axis of differences is linear


@styled
def plot_objective(trace: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw the objective over iterations, a line a start, as what it is over the lowest of all.

    Under 1 the axis is linear, above logarithmic. The start that got lowest is drawn thick.

    Parameters
    ----------
    trace : pandas.DataFrame
        ``start``, ``iteration``, ``objective``; values that are not finite are left out.
    ax
        See :mod:`myelosim.plots.fit_look`.

    Raises
    ------
    SpecError
        No objective is finite.
    """
    look.needed(trace, ["start", "iteration", "objective"], "plot_objective")
    trace = trace[np.isfinite(trace["objective"])]
    lowest = _lowest(trace["objective"], "plot_objective")
    axes, figure = look.panels(ax, (1, 1), "plot_objective", HEIGHT)
    panel: Axes = axes[0, 0]
    best = trace.loc[trace["objective"].idxmin(), "start"]
    colors = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    several = trace["start"].nunique() > 1
    for k, (start, own) in enumerate(trace.groupby("start", sort=False)):
        first = start == best
        color = MODEL if first else colors[k % len(colors)]
        looks: dict[str, Any] = {"linewidth": 1.6, "alpha": 1.0} if first else {"linewidth": 0.6, "alpha": 0.55}
        ordered = own.sort_values("iteration")
        panel.plot(ordered["iteration"], ordered["objective"] - lowest, color=color, zorder=2 + first, **looks)
    _differences(panel, float(trace["objective"].max()) - lowest)
    panel.set_xlabel("Iteration")
    panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    panel.set_ylabel("Objective over the lowest")
    panel.margins(x=0.02)
    style.dress(panel)
    if several:
        keys = [
            Line2D([], [], color=MODEL, linewidth=1.6, label="the best start"),
            Line2D([], [], linewidth=0.6, label="other starts"),
        ]
        look.explain(figure, keys)
    look.say(figure, f"Lowest objective: {lowest:.4f}.")
    return panel


@styled
def plot_starts(starts: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Draw where each start of a search ended, the best first, as what it is over the lowest objective of all.

    Starts on a level with the best one found the same optimum; a higher level is a local one. Under 1 the axis is linear, above
    logarithmic.

    Parameters
    ----------
    starts : pandas.DataFrame
        ``objective`` at the end, NaN where a start failed; ``converged`` if known.
    ax
        See :mod:`myelosim.plots.fit_look`.

    Raises
    ------
    SpecError
        Every start failed.
    """
    look.needed(starts, ["objective"], "plot_starts")
    lowest = _lowest(starts["objective"], "plot_starts")
    ended = starts[np.isfinite(starts["objective"])].sort_values("objective", kind="stable")
    over = ended["objective"].to_numpy(float) - lowest
    arrived = ended["converged"].to_numpy(bool) if "converged" in ended.columns else np.ones(len(ended), bool)
    axes, figure = look.panels(ax, (1, 1), "plot_starts", HEIGHT)
    panel: Axes = axes[0, 0]
    order = np.arange(1, len(over) + 1)
    panel.plot(order, over, linewidth=0.6, color="#a0a0a0", drawstyle="steps-mid", zorder=1)
    looks: dict[str, Any] = {"linestyle": "", "marker": "o", "markersize": 3.5}
    panel.plot(order[arrived], over[arrived], color=MODEL, **looks)
    panel.plot(order[~arrived], over[~arrived], color=TYPICAL, markerfacecolor="white", markeredgewidth=0.8, **looks)
    panel.axhline(0.0, **GUIDE)
    _differences(panel, float(over.max()))
    reach = max(len(starts), FEW) / 2.0 + 0.2
    panel.set_xlim((len(starts) + 1) / 2.0 - reach, (len(starts) + 1) / 2.0 + reach)
    step = max(1, -(-len(starts) // 10))
    panel.xaxis.set_major_locator(
        FixedLocator([1, *range(step, len(starts) + 1, step)] if step > 1 else order.tolist())
    )
    panel.set_xlabel("Start, in order of where it ended")
    panel.set_ylabel("Objective over the lowest")
    style.dress(panel)
    keys = [Line2D([], [], color=MODEL, label="converged", **looks)]
    if not arrived.all():
        keys.append(
            Line2D([], [], color=TYPICAL, markerfacecolor="white", markeredgewidth=0.8, label="not converged", **looks)
        )
    look.explain(figure, keys)
    failed = len(starts) - len(ended)
    near = int((over < 0.1).sum())
    said = f"Lowest objective: {lowest:.4f}; {near} of {len(starts)} starts are within 0.1 of it."
    look.say(figure, said, f"{failed} failed." if failed else "")
    return panel


def _lowest(objective: pd.Series, name: str) -> float:
    finite = objective[np.isfinite(objective)]
    if finite.empty:
        raise SpecError(f"{name}: no objective is finite; every start failed")
    return float(finite.min())


def _differences(ax: Axes, highest: float) -> None:
    """Scale the y axis: linear under 1, logarithmic above."""
    ax.set_yscale("symlog", linthresh=LINEAR, linscale=0.6)
    powers = range(int(np.ceil(np.log10(max(highest, 1.0)))) + 1)
    every = max(1, len(powers) // 5)
    ax.yaxis.set_major_locator(FixedLocator([0.0, *(10.0**k for k in powers if k % every == 0)]))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.set_ylim(-0.15, 1.6 * max(highest, 1.0))
