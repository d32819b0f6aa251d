"""What the pictures of a fit have in common: marks, axes, labels, and which rows they are of.

All of them take ``ax``, as many Axes as they return, to draw on instead of those of a new figure; those that name observables take
``units``, the unit of each. :class:`SpecError` says that Axes are not as many, or that a table has no row or lacks a column.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullFormatter, NullLocator

from myelosim.data.study import ABOVE, BELOW, MEASURED
from myelosim.errors import SpecError
from myelosim.plots import style
from myelosim.plots.figures import plain
from myelosim.plots.style import INK

Units = Mapping[str, str] | None

MODEL = "#0072b2"  # what the model says, where what was observed is black
TYPICAL = "#d55e00"  # the typical subject
BAND_OF_MIDDLE, BAND_OF_EDGES = "#56b4e9", "#a6a6a6"
GUIDE: dict[str, Any] = {"color": "#707070", "linewidth": 0.6, "zorder": 1}
DOT: dict[str, Any] = {
    "linestyle": "", "marker": "o", "markersize": 2.2, "color": INK, "markeredgewidth": 0, "alpha": 0.6,
}  # fmt: skip
CENSORED: dict[str, Any] = {
    "linestyle": "", "markersize": 3.2, "color": TYPICAL, "markerfacecolor": "white", "markeredgewidth": 0.6,
}  # fmt: skip
MARKS = {BELOW: ("v", "below the limit of quantification"), ABOVE: ("^", "above the limit of quantification")}
THREE_DAYS = 72.0
GROUPS = 8  # of equal numbers, whose medians make a trend
USUAL = 1.96  # within which 95 % of standard normal residuals are
ROW = 1.6  # inches for an observable
ACROSS = 4  # panels in a row


def panels(ax: Any, shape: tuple[int, int], name: str, height: float, **share: Any) -> tuple[np.ndarray, Figure | None]:
    """Return Axes (rows, columns): the caller's, or those of a new figure, with that figure."""
    if ax is not None:
        return style.grid(ax, shape, name), None
    figure = style.canvas(style.WIDTH if shape[1] > 1 else 3.5, height)
    return np.asarray(figure.subplots(*shape, squeeze=False, **share)), figure


def in_rows(ax: Any, count: int, name: str, row: float) -> tuple[np.ndarray, Figure | None]:
    """Return so many Axes, four a row of so many inches: the caller's, or those of a new figure, with that figure."""
    if ax is not None:
        return style.grid(ax, (1, count), name)[0], None
    rows = math.ceil(count / ACROSS)
    axes, figure = panels(None, (rows, min(count, ACROSS)), name, 0.6 + row * rows)
    for panel in axes.ravel()[count:]:
        panel.set_axis_off()
    return axes.ravel()[:count], figure


def say(figure: Figure | None, *sentences: str) -> None:
    """Put what must be said below a figure of our own."""
    said = " ".join(filter(None, sentences))
    if figure is not None and said:
        width = figure.get_figwidth() - 0.1
        style.footer(figure, "\n".join(style.wrapped(plain(said), width, style.NOTE["fontsize"])))


def explain(figure: Figure | None, keys: list[Any]) -> None:
    """Put a legend above a figure of our own, in as few rows as its columns leave it."""
    if figure is None or not keys:
        return
    widths = [wide(str(key.get_label()), 6) + 0.28 for key in keys]
    for columns in range(len(keys), 0, -1):
        # Legends are filled column by column, the first ones with one more where they do not come out even.
        parts = np.array_split(np.array(widths), columns)
        if sum(part.max() for part in parts) < figure.get_figwidth() - 0.1:
            break
    style.legend(figure, keys, ncols=columns)


def needed(table: pd.DataFrame, columns: Sequence[str], name: str) -> None:
    """Check that a table has what is drawn.

    Raises
    ------
    SpecError
        A column is missing, or there is no row.
    """
    if missing := [column for column in columns if column not in table.columns]:
        raise SpecError(f"{name}: the table has no {', '.join(missing)}; it has {', '.join(map(str, table.columns))}")
    if table.empty:
        raise SpecError(f"{name}: the table has no row; give one that has")


def of_observable(table: pd.DataFrame, observable: str | None, name: str) -> tuple[str, pd.DataFrame]:
    """Return the observable that is meant, and its rows.

    Raises
    ------
    SpecError
        There is none of that name, or several and none is named.
    """
    known = list(dict.fromkeys(table["observable"].tolist()))
    if observable is None and len(known) == 1:
        observable = known[0]
    if observable is None or observable not in known:
        asked = "none was named" if observable is None else f"'{observable}' is none of them"
        raise SpecError(f"{name}: {asked}; name one of {', '.join(map(str, known))} as observable")
    return observable, table[table["observable"] == observable]


def label(observable: str, units: Units) -> str:
    """Return what an observable is called on an axis, with its unit where that is known."""
    unit = (units or {}).get(observable, "")
    return plain(style.lineage_name(observable) + (f" ({style.UNITS.get(unit, unit)})" if unit else ""))


def broken(name: str, inches: float) -> str:
    """Break the name of a parameter at its points, and a part at its underscores, where it is wider than so many inches."""
    lines = [""]
    for part in plain(name).replace(".", ".\n").split("\n"):
        pieces = [part] if wide(part, 7) <= inches else part.replace("_", "_\n").split("\n")
        for piece in pieces:
            if lines[-1] and wide(lines[-1] + piece, 7) > inches:
                lines.append("")
            lines[-1] += piece
    return "\n".join(lines)


def wide(text: str, size: float) -> float:
    """Return how many inches a text is wide at a font size."""
    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), ismath=False)
    return float(width) / 72.0


def logarithmic(observable: str, *values: np.ndarray) -> bool:
    """Say whether values are drawn on a logarithmic axis: those of cells and concentrations are, if all are positive."""
    known = np.concatenate([np.ravel(v) for v in values])
    return observable not in style.LINEAR and bool((known[np.isfinite(known)] > 0.0).all())


def span(*values: np.ndarray) -> tuple[float, float]:
    """Return the smallest and the largest that is finite; 0 and 1 where nothing is."""
    known = np.concatenate([np.ravel(np.asarray(v, float)) for v in values])
    known = known[np.isfinite(known)]
    return (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)


def scale(ax: Axes, which: str, low: float, high: float, log: bool) -> None:
    """Scale the "x" or "y" axis to hold from low to high, with some space beside; few ticks, and plain numbers.

    Under a factor of two a logarithmic axis would look like a linear one, and is that.
    """
    axis, limit = getattr(ax, f"{which}axis"), getattr(ax, f"set_{which}lim")
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}")))
    if not log or high < 2.0 * low:
        axis.set_major_locator(MaxNLocator(5 if which == "x" else 7, steps=[1, 2, 5, 10]))
        space = 0.06 * (high - low) or 0.1 * abs(high) or 1.0
        limit(low - space, high + space)
        return
    space = max((high / low) ** 0.06, 1.05)
    bottom, top = low / space, high * space
    getattr(ax, f"set_{which}scale")("log")
    limit(bottom, top)
    powers = range(int(np.floor(np.log10(bottom))), int(np.ceil(np.log10(top))) + 1)
    for every, steps in ((3, (1,)), (2, (1,)), (1, (1,)), (1, (1, 3)), (1, (1, 2, 5)), (1, (1, 1.5, 2, 3, 4, 5, 7))):
        ticks = [s * 10.0**e for e in powers if e % every == 0 for s in steps if bottom <= s * 10.0**e <= top]
        if len(ticks) >= 3:
            break
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def clock(hours: np.ndarray) -> tuple[float, str]:
    """Return by what hours are divided on the time axis, and what it is called: days, but hours up to three days."""
    return (24.0, style.DAYS) if span(hours)[1] > THREE_DAYS else (1.0, "Elapsed hours")


def time_axis(ax: Axes, low: float, high: float) -> None:
    """Scale the x axis to elapsed time, ticked as days are, with space for marks at both ends."""
    style.day_axis(ax, high)
    space = 0.03 * (high - min(low, 0.0)) or 1.0
    ax.set_xlim(min(low, 0.0) - space, high + space)


def dots(ax: Axes, x: np.ndarray, y: np.ndarray, censored: np.ndarray | None = None, **look: Any) -> None:
    """Draw observations: dots, and triangles at the limit of those that are beyond it."""
    codes = np.zeros(len(x), int) if censored is None else np.asarray(censored)
    there = codes == MEASURED
    ax.plot(np.asarray(x)[there], np.asarray(y)[there], **{**DOT, **look})
    for code, (marker, _) in MARKS.items():
        if (codes == code).any():
            ax.plot(np.asarray(x)[codes == code], np.asarray(y)[codes == code], marker=marker, zorder=3, **CENSORED)


def dot_keys(censored: np.ndarray) -> list[Any]:
    """Return what explains dots and the triangles that there are."""
    beyond = [
        Line2D([], [], marker=m, label=said, **CENSORED)
        for code, (m, said) in MARKS.items()
        if (censored == code).any()
    ]
    return [Line2D([], [], **{**DOT, "alpha": 1.0}, label="observation"), *beyond]


def histogram(ax: Axes, values: np.ndarray, reach: float, spread: float, bins: tuple[int, int]) -> None:
    """Draw how values are distributed, in fewest to most bins, and the density of a normal distribution with a spread."""
    known = values[np.isfinite(values)]
    edges = np.linspace(-reach, reach, int(np.clip(2.0 * np.sqrt(known.size), *bins)) + 1)
    ax.hist(known, edges.tolist(), density=True, color=BAND_OF_EDGES)
    if spread > 0.0:
        x = np.linspace(-reach, reach, 121)
        ax.plot(x, np.exp(-0.5 * (x / spread) ** 2) / (spread * np.sqrt(2.0 * np.pi)), color=MODEL)
    ax.set_yticks([])


def trend(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the medians of x and y in at most eight groups of equal numbers, by x: five or more in each, else none."""
    known = np.isfinite(x) & np.isfinite(y)
    ordered = np.argsort(x[known], kind="stable")
    groups = min(GROUPS, ordered.size // 5)
    if groups < 2:
        return np.empty(0), np.empty(0)
    parts = np.array_split(ordered, groups)
    return tuple(np.array([np.median(v[known][part]) for part in parts]) for v in (x, y))  # type: ignore[return-value]


def trend_line(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """Draw the trend of dots."""
    ax.plot(*trend(x, y), color=TYPICAL, linewidth=1.1, zorder=4)


def residuals(panels: np.ndarray, own: pd.DataFrame, column: str, log: bool) -> float:
    """Draw what should be standard normal over time, and by typical prediction, logarithmic or not; return where its axis ends."""
    hours, values, typical = (own[name].to_numpy(float) for name in ("time", column, "population"))
    days, most = hours / clock(hours)[0], float(max(3.0, np.abs(span(values)).max()))
    for panel, against in zip(panels, (days, typical), strict=True):
        scale(panel, "y", -most, most, False)
        for height, line in ((0.0, "-"), (USUAL, "--"), (-USUAL, "--")):
            panel.axhline(height, linestyle=line, **GUIDE)
        dots(panel, against, values)
        trend_line(panel, against, values)
    time_axis(panels[0], *span(days))
    scale(panels[1], "x", *span(typical), log)
    return most


def beneath(row: np.ndarray, first: str, second: str, table: pd.DataFrame) -> None:
    """Say what is along the x axes of a row whose last two panels are :func:`residuals`."""
    said = (first, second, clock(table["time"].to_numpy())[1], "Typical prediction")
    for panel, text in zip(row, said, strict=True):
        panel.set_xlabel(text)
