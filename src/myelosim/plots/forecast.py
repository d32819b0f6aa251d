"""A forecast: what was seen, what is to be expected, and which day would tell most."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from myelosim.data.study import MEASURED
from myelosim.errors import SpecError
from myelosim.plots import style
from myelosim.plots.figures import grading_of, plain
from myelosim.plots.fit_look import CENSORED, MARKS
from myelosim.plots.style import BAND_COLORS, INK, styled
from myelosim.plots.subject import SEEN

FAN: dict[str, Any] = {"color": "#2171b5", "linewidth": 0}
OUTER, INNER = 0.22, 0.4  # opacities
REPORT: dict[str, Any] = {"color": "#2171b5", "linewidth": 0.6, "linestyle": (0, (3, 1.5))}
NADIR: dict[str, Any] = {"color": "#7f0d1c", "linewidth": 1.0, "zorder": 3.5}
NOW: dict[str, Any] = {"color": "#404040", "linewidth": 0.6, "zorder": 2.5}
DRAW: dict[str, Any] = {"color": "#238b45", "linewidth": 0.9, "linestyle": (0, (4, 2)), "zorder": 2.5}
ROOM = 0.35  # days to either side of a bar
PANEL, BELOW, LINE = 1.35, 0.5, 0.085  # inches


@styled
def plot_forecast(result: xr.Dataset, *, ax: Any = None) -> np.ndarray:
    """Draw a forecast.

    A panel a lineage: the middle 50 % and 90 % of what the true count may be, and its median; dashed the 90 % of what a report may
    say; circles are observations (triangles limits), the cross is the nadir and its day with their 90 % intervals, the
    grades lie behind. Vertical lines are now and the day whose count would tell most. The lowest panel shows how much each day's
    count is expected to tell. The x axis is elapsed days.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.forecast`.
    ax : array of matplotlib.axes.Axes, optional
        One more than lineages, to draw on. Default: those of a new figure of their own.

    Returns
    -------
    numpy.ndarray
        Axes, the lineages' and that of the days.

    Raises
    ------
    SpecError
        It is no forecast, or ``ax`` are not as many.
    """
    if "next_draw" not in result or "quantile" not in result.dims:
        raise SpecError("plot_forecast: this is no forecast; give what ms.forecast(...) returned")
    lineages = [str(name) for name in result["lineage"].to_numpy()]
    rows = len(lineages) + 1
    figure: Figure | None = None
    if ax is None:
        said = _note(result)
        figure = style.canvas(style.WIDTH, 0.9 + PANEL * len(lineages) + BELOW + LINE * (said.count("\n") + 1))
        axes = np.asarray(figure.subplots(rows, 1, sharex=True, height_ratios=[*[PANEL] * len(lineages), BELOW]))
    else:
        axes = np.asarray(style.grid(ax, (rows, 1), "plot_forecast")[:, 0])
    for panel, lineage in zip(axes, lineages, strict=False):
        _fan(panel, result, lineage)
    _told(axes[-1], result)
    if figure is not None:
        figure.align_ylabels(axes)
        style.legend(figure, _keys(result))
        style.footer(figure, said)
    return axes


def _fan(ax: Axes, result: xr.Dataset, lineage: str) -> None:
    own = result.sel(lineage=lineage)
    day, count, report = (own[name].to_numpy() for name in ("time", "count", "observed"))
    mine = own["seen_of"].to_numpy() == lineage
    seen, when, censored = (own[name].to_numpy()[mine] for name in ("seen", "seen_day", "seen_censored"))
    limits = own["grade_limit"].to_numpy()
    nadir, nadir_day = (own[name].to_numpy()[[0, len(count) // 2, -1]] for name in ("nadir", "nadir_day"))
    every = np.concatenate([count[[0, -1]].ravel(), seen, nadir])
    style.count_axis(ax, lineage, limits, float(np.nanmin(every)), float(np.nanmax([*every, *report[-1]])))
    _days(ax, result)
    style.grade_bands(ax, limits)
    for first, last, strength in ((0, -1, OUTER), (1, -2, INNER)):
        ax.fill_between(day, count[first], count[last], alpha=strength, zorder=1.2, **FAN)
    ax.plot(day, count[len(count) // 2], color=INK, linewidth=1.0, zorder=2)
    for edge in (0, -1):
        ax.plot(day, report[edge], zorder=1.4, **REPORT)
    looks: dict[int, dict[str, Any]] = {code: {**CENSORED, "marker": marker} for code, (marker, _) in MARKS.items()}
    for code, look in {MEASURED: SEEN, **looks}.items():
        if (censored == code).any():  # an empty line that is not clipped takes room
            ax.plot(when[censored == code], seen[censored == code], clip_on=False, **{**look, "zorder": 4})
    ax.plot(nadir_day[[0, 2]], nadir[[1, 1]], **NADIR)
    ax.plot(nadir_day[[1, 1]], nadir[[0, 2]], **NADIR)
    _lines(ax, result)
    ax.set_ylabel(style.count_label(result, lineage).replace(" (", "\n("))
    style.dress(ax)
    ax.tick_params(labelbottom=False)


def _days(ax: Axes, result: xr.Dataset) -> None:
    """Scale the x axis, with room for a bar and a cross at the last day."""
    last = float(result["time"][-1])
    style.day_axis(ax, last, 13)
    ax.set_xlim(0.0, last + 1.2 * ROOM)


def _lines(ax: Axes, result: xr.Dataset) -> None:
    ax.axvline(float(result.attrs["now"]), **NOW)
    for day in result["next_draws"].to_numpy():
        if np.isfinite(day):
            ax.axvline(day, **DRAW)


def _told(ax: Axes, result: xr.Dataset) -> None:
    """Draw how much the count of each day is expected to tell."""
    visit, tells = result["visit"].to_numpy(), 100.0 * result["information"].to_numpy()
    ax.bar(visit, tells, width=2.0 * ROOM, color="#a1d99b", zorder=2)
    _lines(ax, result)
    _days(ax, result)
    ax.set_ylim(0.0, None)
    ax.set_ylabel("tells, %")
    ax.set_xlabel(style.DAYS)
    style.dress(ax)


def _keys(result: xr.Dataset) -> list[Any]:
    limits = result["grade_limit"].to_numpy()
    keys: list[Any] = [Line2D([], [], color=INK, label="median"), Patch(**FAN, alpha=OUTER + INNER, label="50 %")]
    keys += [Patch(**FAN, alpha=OUTER, label="90 % of true counts"), Line2D([], [], **REPORT, label="90 % of reports")]
    keys += [Line2D([], [], **SEEN, label="observed"), Line2D([], [], **NADIR, label="nadir, 90 %")]
    keys += [
        Line2D([], [], marker=marker, label=text, **CENSORED)
        for code, (marker, text) in MARKS.items() if (result["seen_censored"].to_numpy() == code).any()
    ]  # fmt: skip
    keys.append(Line2D([], [], **NOW, label="now"))
    if np.isfinite(float(result["next_draw"])):
        keys.append(Line2D([], [], **DRAW, label=f"most informative draw{'s' * (result.sizes['turn'] > 1)}"))
    return keys + [
        Patch(color=BAND_COLORS[g], label=f"grade {g}") for g in range(1, 5) if np.isfinite(limits[:, g - 1]).any()
    ]


def _note(result: xr.Dataset) -> str:
    table = grading_of(result)
    said = [f"Subject {result.attrs['subject']}, {result.attrs['title']}.", f"{style.DAYS}: study day d1 is day 0."]
    said.append(f"Grades: {plain(table.title)}{', of the median baseline' if table.of_baseline else ''}.")
    said += [f"{one[0].upper()}{one[1:]}." for one in filter(None, str(result.attrs["findings"]).split("\n"))]
    return style.basis({**result.attrs, "title": ""}, [plain(one) for one in said], style.WIDTH)
