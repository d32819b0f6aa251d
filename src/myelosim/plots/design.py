"""A design: counts and what they tell of each parameter, the days that were chosen, and what other days are worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from myelosim.errors import SpecError
from myelosim.plots import fit_look as look
from myelosim.plots import style
from myelosim.plots.figures import plain
from myelosim.plots.fit_look import GUIDE, MODEL
from myelosim.plots.style import styled

MOST_LINES = 6  # parameters in a panel, those with the largest sensitivities
NOTHING = 1e-4  # change of a sensitivity that is none
LEAST = 0.02  # of the largest sensitivity, under which a parameter is not drawn
COUNTS, TELLS, ROW = 1.65, 1.75, 0.2  # inches of the panels' rows, and of a row of days
PROPOSED, OTHER = MODEL, "#8c8c8c"


@styled
def plot_design(
    curves: pd.DataFrame, visits: pd.DataFrame, efficiency: Mapping[str, float] | pd.Series, *,
    remarks: Mapping[str, str] | None = None, units: Mapping[str, str] | None = None, note: str = "", ax: Any = None,
) -> np.ndarray:  # fmt: skip
    """Draw typical counts of each group, below how they move with each parameter, and below the days and their efficiency.

    Sensitivities are those of the group whose counts tell most; one that is the same on all days, as a baseline's, is left out.
    Thin lines mark the days of the first design.

    Parameters
    ----------
    curves : pandas.DataFrame
        ``group``, ``observable``, ``day``, ``value``, ``low``, ``high``, and a column for each of ``attrs["parameters"]``:
        d log value / d log parameter.
    visits : pandas.DataFrame
        ``design``, ``group``, ``day``; the proposed design first.
    efficiency : mapping
        Design -> efficiency, NaN where it is not known.
    remarks : mapping, optional
        Design -> what is written beside its efficiency.
    units : mapping, optional
        Observable -> unit.
    note : str
        What must be said below.
    ax : array of matplotlib.axes.Axes, optional
        Two rows of an Axes for each observable, and two: days, and efficiency. Default: those of a new figure.

    Returns
    -------
    numpy.ndarray
        The Axes: counts, sensitivities, days, efficiency.

    Raises
    ------
    SpecError
        A table has no row or lacks a column, or ``ax`` are not as many.
    """
    look.needed(curves, ["group", "observable", "day", "value", "low", "high"], "plot_design")
    look.needed(visits, ["design", "group", "day"], "plot_design")
    names = list(dict.fromkeys(curves["observable"]))
    groups = list(dict.fromkeys(curves["group"]))
    shape, rows = (2, len(names)), _rows(visits)
    figure = None
    if ax is None:
        low = 0.75 + ROW * len(rows)
        figure = style.canvas(style.WIDTH, COUNTS + TELLS + low + 0.75)
        halves: Any = figure.subfigures(2, 1, height_ratios=[COUNTS + TELLS, low])
        upper, lower = halves
        panels = np.asarray(upper.subplots(*shape, squeeze=False, sharex=True, height_ratios=[COUNTS, TELLS]))
        below = np.asarray(lower.subplots(1, 2, width_ratios=[2.6, 1.0]))
    else:
        given = style.grid(ax, (1, 2 * len(names) + 2), "plot_design")[0]
        panels, below = given[:-2].reshape(shape), given[-2:]
    first = visits[visits["design"] == visits["design"].iloc[0]]
    last = float(max(curves["day"].max(), visits["day"].max()))
    for k, name in enumerate(names):
        own = curves[curves["observable"] == name]
        _counts(panels[0, k], own, groups, name, units)
        _tells(panels[1, k], own, curves.attrs.get("parameters", ()), last)
        for panel in panels[:, k]:
            for day in sorted(set(first["day"])):
                panel.axvline(day, **{**GUIDE, "color": PROPOSED, "linewidth": 0.4, "alpha": 0.6})
            look.time_axis(panel, 0.0, last)
            style.dress(panel)
        panels[1, k].set_xlabel(style.DAYS)
    panels[1, 0].set_ylabel("Change of the count, %,\nfor 1 % more")
    _days(below[0], visits, rows, last)
    _bars(below[1], rows, efficiency, remarks or {})
    if figure is not None and len(groups) > 1:
        keys = [Line2D([], [], **_line(k), label=plain(group)) for k, group in enumerate(groups)]
        look.explain(figure, keys)
    look.say(figure, note, _explained(groups, curves))
    return np.array([*panels.ravel(), *below], dtype=object)


def _line(k: int) -> dict[str, Any]:
    return {key: value for key, value in style.arm_style(k).items() if key != "marker"}


def _rows(visits: pd.DataFrame) -> list[tuple[str, str]]:
    """Return designs and groups, in the order in which they stand below each other."""
    return list(dict.fromkeys(zip(visits["design"], visits["group"], strict=True)))


def _counts(ax: Axes, own: pd.DataFrame, groups: Sequence[str], name: str, units: Mapping[str, str] | None) -> None:
    for k, group in enumerate(groups):
        one = own[own["group"] == group].sort_values("day")
        ax.plot(one["day"], one["value"], **_line(k))
        ax.fill_between(one["day"], one["low"], one["high"], color=_line(k)["color"], alpha=0.1, linewidth=0)
    ax.set_title(look.label(name, units), loc="left", fontsize=7)
    low, high = look.span(own["low"].to_numpy(), own["high"].to_numpy())
    look.scale(ax, "y", low, high, look.logarithmic(name, own["low"].to_numpy()))


def _tells(ax: Axes, own: pd.DataFrame, parameters: Sequence[str], last: float) -> None:
    """Draw the sensitivities of the group whose counts move most with the parameters."""
    size = own.groupby("group", sort=False)[list(parameters)].agg(lambda column: float(np.abs(column).max()))
    weight = size.drop(columns=[one for one in parameters if one.endswith(".baseline")]).sum(axis=1)
    one = own[own["group"] == weight.idxmax()].sort_values("day") if len(parameters) else own
    most = one[list(parameters)].abs().max().sort_values(ascending=False)
    moves = one[list(parameters)].max() - one[list(parameters)].min()
    kept = [name for name in most.index if moves[name] > max(LEAST * moves.max(), NOTHING)][:MOST_LINES]
    colors = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    ax.axhline(0.0, **GUIDE)
    for k, name in enumerate([one for one in parameters if one in kept]):
        ax.plot(
            one["day"],
            one[name],
            color=colors[k % len(colors)],
            linestyle=style.ARM_LINES[k % 4],
            label=_short(name, kept),
        )
    low, high = look.span(one[kept].to_numpy() if kept else np.zeros(1))
    low, high = min(low, 0.0), max(high, 0.0)
    look.scale(ax, "y", low, high + 0.2 * (high - low), False)
    if not kept:
        ax.text(
            0.5,
            0.75,
            "moves with nothing that is\nestimated but its baseline",
            ha="center",
            fontsize=5.5,
            transform=ax.transAxes,
        )
        return
    ax.legend(
        loc="upper center", ncols=min(len(kept), 3), fontsize=5, handlelength=1.6, columnspacing=0.9, borderpad=0.1
    )


def _short(name: str, others: Sequence[str]) -> str:
    """Return as much of the end of a parameter's name as tells it from others in its panel."""
    parts = name.split(".")
    for k in range(1, len(parts)):
        end = ".".join(parts[-k:])
        if sum(one.endswith(f".{end}") for one in others) < 2:
            return plain(end)
    return plain(name)


def _days(ax: Axes, visits: pd.DataFrame, rows: Sequence[tuple[str, str]], last: float) -> None:
    """Draw a row of marks for each design and group."""
    proposed = rows[0][0]
    for k, (design, group) in enumerate(rows):
        own = visits[(visits["design"] == design) & (visits["group"] == group)]
        color = PROPOSED if design == proposed else OTHER
        ax.axhline(k, color="#d8d8d8", linewidth=0.5, zorder=0)
        ax.plot(own["day"], np.full(len(own), k), linestyle="", marker="v", markersize=4.5, color=color)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.yaxis.set_major_locator(FixedLocator(range(len(rows))))
    ax.yaxis.set_minor_locator(NullLocator())
    labels = [_row_name(k, rows) for k in range(len(rows))]
    ax.set_yticks(range(len(rows)), labels)
    look.time_axis(ax, 0.0, last)
    ax.set_xlabel(style.DAYS)
    ax.set_title("Days on which blood is drawn", loc="left", fontsize=7)
    style.dress(ax)
    for k, tick in enumerate(ax.get_yticklabels()):
        tick.set_color(PROPOSED if rows[k][0] == proposed else "black")


def _row_name(k: int, rows: Sequence[tuple[str, str]]) -> str:
    design, group = rows[k]
    name = (
        design if group == "all" else f"{design}: {group}" if len([r for r in rows if r[0] == design]) > 1 else design
    )
    return "\n".join(style.wrapped(plain(name), 1.9, 6)[:2])


def _bars(
    ax: Axes, rows: Sequence[tuple[str, str]], efficiency: Mapping[str, float] | pd.Series, remarks: Mapping[str, str]
) -> None:
    """Draw what each design is worth, in the middle of its rows."""
    known, proposed = dict(efficiency), rows[0][0]
    most = max([1.0, *(value for value in known.values() if np.isfinite(value))])
    for name in dict.fromkeys(design for design, _ in rows):
        value = float(known.get(name, np.nan))
        place = float(np.mean([k for k, (design, _) in enumerate(rows) if design == name]))
        if np.isfinite(value):
            ax.barh(place, value, 0.7, color=PROPOSED if name == proposed else OTHER, alpha=0.45)
        text = f"{value:.0%}" if np.isfinite(value) else "not known"
        said = f"{text}  {plain(remarks.get(name, ''))}".strip()
        ax.annotate(said, (0.0, place), (2.0, 0.0), textcoords="offset points", va="center", fontsize=5.5)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(0.0, 1.1 * most)
    ax.set_yticks([])
    ax.xaxis.set_major_locator(FixedLocator([0.0, 0.5, 1.0]))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0%}"))
    ax.set_title("Efficiency", loc="left", fontsize=7)
    style.dress(ax)


def _explained(groups: Sequence[str], curves: pd.DataFrame) -> str:
    if not len(curves.attrs.get("parameters", ())):
        raise SpecError("plot_design: the curves name no parameters; give them in attrs['parameters']")
    band = "Bands: 90 % of subjects. " if (curves["high"] > curves["low"] * (1 + 1e-9)).any() else ""
    most = " of the group whose counts tell most" if len(groups) > 1 else ""
    return (
        f"{band}Lower row: sensitivities{most}, those that are the same on all days (baselines) left out. Efficiency: share of "
        "the subjects with which the proposed design does as well."
    )
