"""Counts over time: lineages by arms."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import ScaledTranslation

from myelosim.plots import style
from myelosim.plots.figures import MANY, OF_BASELINE, alike, as_graded, by_arm, doses_given, spread
from myelosim.plots.style import BAND_COLORS, DRUG_COLORS, INK, styled

STRIP = 5.0  # points from one drug's dosing bar to the next


@styled
def plot_trajectories(result: xr.Dataset, *, ax: Any = None) -> np.ndarray:
    """Draw the counts of each lineage (rows) under each arm (columns).

    The line is the median over subjects, the bands hold the middle 50 % and 90 % of them at each time. Shaded behind: the
    grades of the result's table, each with its number; where it grades by percent of baseline, counts are shown as that. Above
    each column: the days with a dose; triangles in the lowest row: visits. Counts under 3 % of the limit of the worst grade lie
    below the axis. The x axis is elapsed days: study day d1 is day 0.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.compare` or :func:`myelosim.simulate`.
    ax : array of matplotlib.axes.Axes, optional
        As many as lineages times arms, to draw on. Default: those of a new figure of their own.

    Returns
    -------
    numpy.ndarray
        Axes (lineage, arm).

    Raises
    ------
    SpecError
        The result has no counts, or ``ax`` are not as many.
    """
    result = by_arm(result)
    shape = result.sizes["lineage"], result.sizes["arm"]
    if ax is not None:
        axes = style.grid(ax, shape, "plot_trajectories")
        draw_trajectories(result, axes)
        return axes
    width = style.WIDTH if shape[1] > 1 else 3.5
    figure = style.canvas(width, 0.9 + 1.4 * shape[0])
    axes = np.asarray(figure.subplots(*shape, sharex=True, sharey="row", squeeze=False))
    draw_trajectories(result, axes)
    style.legend(figure, trajectory_keys(result))
    titles = style.arm_titles(result, style.inches(axes[0, 0]))
    style.footer(figure, style.note(result, width, style.arm_key(result, titles)))
    return axes


def draw_trajectories(result: xr.Dataset, axes: np.ndarray) -> None:
    """Draw on Axes (lineage, arm) of which rows share the y axis."""
    result = as_graded(result)
    bands = spread(result["count"]).transpose("quantile", "arm", "lineage", "time")
    labels = style.arm_titles(result, style.inches(axes[0, 0]))
    drugs = drugs_of(result)
    for i, lineage in enumerate(map(str, result["lineage"].to_numpy())):
        limits = result["grade_limit"].sel(lineage=lineage).to_numpy()
        percent = str(result["units"].sel(lineage=lineage).item()) == OF_BASELINE
        own = bands.sel(lineage=lineage).to_numpy()
        for a, arm in enumerate(map(str, result["arm"].to_numpy())):
            panel = axes[i, a]
            style.count_axis(panel, lineage, limits, float(np.nanmin(own)), float(np.nanmax(own)), percent)
            style.day_axis(panel, float(result["time"][-1]), 5 if axes.shape[1] <= 4 else 3)
            style.grade_bands(panel, limits, numbers=a == axes.shape[1] - 1)
            _band(panel, result["time"].to_numpy(), own[:, a])
            style.dress(panel)
            if a == 0:
                panel.set_ylabel(style.count_label(result, lineage))
            else:
                panel.tick_params(labelleft=False)
            if i == 0:
                panel.set_title(labels[a], pad=3.0 + STRIP * len(drugs))
                _doses(panel, result, arm, drugs)
            if i == axes.shape[0] - 1:
                panel.set_xlabel(style.DAYS)
                _visits(panel, result, arm)
            else:
                panel.tick_params(labelbottom=False)


def drugs_of(result: xr.Dataset) -> list[str]:
    """Return the drugs that some arm gives, in the order in which they come."""
    arms = map(str, result["arm"].to_numpy())
    return list(dict.fromkeys(given.drug for arm in arms for given in doses_given(result, arm)))


def trajectory_keys(result: xr.Dataset) -> list[Any]:
    """Return what explains lines, bands, grades and bars, once for a figure."""
    several = not alike(result)
    keys: list[Any] = [Line2D([], [], color=INK, label="median" if several else "count")]
    if several:
        keys += [Patch(color=INK, alpha=a, label=text) for a, text in ((0.5, "50 %"), (0.22, "90 % of subjects"))]
    limits = result["grade_limit"]
    graded = [g for g in range(1, 5) if bool(limits.sel(grade=g).notnull().any())]
    keys += [Patch(color=BAND_COLORS[g], label=f"grade {g}") for g in graded]
    keys += [Patch(color=DRUG_COLORS[k % len(DRUG_COLORS)], label=drug) for k, drug in enumerate(drugs_of(result))]
    if "visit" in result.coords:
        keys.append(Line2D([], [], **style.VISIT, label="visit"))
    return keys


def _band(ax: Axes, days: np.ndarray, quantiles: np.ndarray) -> None:
    low90, low50, median, high50, high90 = quantiles
    ax.fill_between(days, low90, high90, color=INK, alpha=0.22, linewidth=0)
    ax.fill_between(days, low50, high50, color=INK, alpha=0.35, linewidth=0)
    ax.plot(days, median, color=INK, linewidth=1.1)


def _visits(ax: Axes, result: xr.Dataset, arm: str) -> None:
    """Mark the visits that many of an arm's subjects have, which rules may add to."""
    if "visit" in result.coords:
        seen = result["observed"].sel(arm=arm).notnull().any("lineage")
        there = seen.any("visit")
        days = result["visit"].to_numpy()[(seen.sum("subject") >= MANY * max(int(there.sum()), 1)).to_numpy()]
        ax.plot(days, np.full(days.size, 0.05), transform=ax.get_xaxis_transform(), clip_on=False, **style.VISIT)


def _doses(ax: Axes, result: xr.Dataset, arm: str, drugs: list[str]) -> None:
    """Put a strip per drug above the panel; paler where fewer of the subjects got it."""
    up = ax.figure.dpi_scale_trans
    for given in doses_given(result, arm):
        row = drugs.index(given.drug)
        above = ax.get_xaxis_transform() + ScaledTranslation(0.0, (4.0 + STRIP * row) / 72.0, up)
        ax.plot(
            [given.start, given.end], [1.0, 1.0], transform=above, clip_on=False, linewidth=STRIP - 1.0,
            color=DRUG_COLORS[row % len(DRUG_COLORS)], alpha=0.25 + 0.75 * given.share, solid_capstyle="butt",
        )  # fmt: skip
