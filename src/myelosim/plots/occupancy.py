"""Which share of the subjects is in which grade, by day."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.ticker import PercentFormatter

from myelosim.plots import style
from myelosim.plots.figures import by_arm, grade_share
from myelosim.plots.style import GRADE_COLORS, styled


@styled
def plot_grade_occupancy(result: xr.Dataset, lineage: str, *, ax: Any = None) -> np.ndarray:
    """Draw the share of subjects in each true grade of a lineage over time, stacked, an Axes per arm.

    The worst grade is at the bottom, so that the height of a boundary is the share in that grade or a worse one. Grades go
    from pale to dark. Shares are of the times in the result.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.compare` or :func:`myelosim.simulate`.
    lineage : str
        Lineage coordinate.
    ax : array of matplotlib.axes.Axes, optional
        One an arm, to draw on. Default: those of a new figure of their own.

    Returns
    -------
    numpy.ndarray
        Axes (arm).

    Raises
    ------
    SpecError
        There is no such lineage, its table does not grade it, or ``ax`` are not as many.
    """
    result = by_arm(result)
    arms = result.sizes["arm"]
    share = grade_share(result, lineage)
    if ax is not None:
        axes = np.asarray(style.grid(ax, (1, arms), "plot_grade_occupancy")[0])
        draw_occupancy(result, share, axes, style.arm_titles(result, style.inches(axes[0])))
        return axes
    width = style.WIDTH if arms > 1 else 3.5
    figure = style.canvas(width, 2.5)
    axes = np.asarray(figure.subplots(1, arms, sharey=True, squeeze=False)[0])
    titles = style.arm_titles(result, style.inches(axes[0]))
    draw_occupancy(result, share, axes, titles)
    axes[0].set_ylabel(f"Subjects ({style.lineage_name(lineage).lower()})")
    style.grade_legend(figure, result, lineage)
    style.footer(figure, style.note(result, width, style.arm_key(result, titles)))
    return axes


def draw_occupancy(result: xr.Dataset, share: xr.DataArray, axes: np.ndarray, titles: list[str]) -> None:
    """Draw on one Axes an arm."""
    days = share["time"].to_numpy()
    for a, panel in enumerate(axes):
        own = share.isel(arm=a).transpose("grade", "time").to_numpy()[::-1]
        panel.stackplot(days, own, colors=GRADE_COLORS[::-1], linewidth=0)
        for edge in np.cumsum(own, axis=0)[:-1]:
            panel.plot(days, edge, color="white", linewidth=0.4)
        style.day_axis(panel, float(days[-1]), 5 if len(axes) <= 4 else 3)
        panel.set_ylim(0.0, 1.0)
        panel.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        panel.set_xlabel(style.DAYS)
        style.dress(panel)
        panel.set_title(titles[a])
        if a == 0:
            panel.set_ylabel("Subjects")
        else:
            panel.tick_params(labelleft=False)
