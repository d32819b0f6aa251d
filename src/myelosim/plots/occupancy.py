"""Which share of the subjects is in which grade, by day."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from myelosim.plots import style
from myelosim.plots.figures import by_arm, grade_share
from myelosim.plots.style import GRADE_COLORS, GRADE_INKS, styled

ROOM = 0.1  # least share in which a grade's number can be read


@styled
def plot_grade_occupancy(result: xr.Dataset, lineage: str, *, ax: Any = None) -> np.ndarray:
    """Draw the share of subjects in each true grade of a lineage over time, stacked, an Axes per arm.

    The worst grade is at the bottom, so that the height of a boundary is the share in that grade or a worse one. Grades go
    from pale to dark, with the number printed where there is room. Shares are of the times in the result.

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
        draw_occupancy(result, lineage, share, axes)
        return axes
    width = style.WIDTH if arms > 1 else 3.5
    figure = style.canvas(width, 2.5)
    axes = np.asarray(figure.subplots(1, arms, sharey=True, squeeze=False)[0])
    draw_occupancy(result, lineage, share, axes)
    axes[0].set_ylabel(f"Subjects ({style.NAMES.get(lineage, lineage).lower()})")
    style.grade_legend(figure, result, lineage)
    style.footer(figure, style.note(result, width, style.arm_key(result)))
    return axes


def draw_occupancy(
    result: xr.Dataset, lineage: str, share: xr.DataArray, axes: np.ndarray, titles: bool = True
) -> None:
    """Draw on one Axes an arm."""
    days = share["time"].to_numpy()
    for a, panel in enumerate(axes):
        own = share.isel(arm=a).transpose("grade", "time").to_numpy()[::-1]
        panel.stackplot(days, own, colors=GRADE_COLORS[::-1], linewidth=0)
        top = np.cumsum(own, axis=0)
        for edge in top[:-1]:
            panel.plot(days, edge, color="white", linewidth=0.4)
        style.day_axis(panel, float(days[-1]), 5 if len(axes) <= 4 else 3)
        panel.set_ylim(0.0, 1.0)
        panel.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
        _numbers(panel, days, own, top, 0.008 * len(axes))
        panel.set_xlabel(style.DAYS)
        style.dress(panel)
        if titles:
            panel.set_title(style.arm_titles(result)[a])
        if a == 0:
            panel.set_ylabel("Subjects")
        else:
            panel.tick_params(labelleft=False)


def _numbers(ax: Axes, days: np.ndarray, share: np.ndarray, top: np.ndarray, half: float) -> None:
    """Print each grade's number where its layer has most room for a digit, away from the edges and from each other.

    ``half`` is half a digit's width as a fraction of the axis.
    """
    span = float(np.ptp(days))
    inner = (days > days[0] + 0.06 * span) & (days < days[-1] - 0.06 * span)
    near = np.abs(days[:, None] - days[None, :]) <= half * span
    taken: list[float] = []
    for row in range(len(share)):
        roof = np.where(near, top[row], np.inf).min(axis=1)
        floor = np.where(near, top[row] - share[row], -np.inf).max(axis=1)
        free = np.array([all(abs(day - other) > 4.0 * half * span for other in taken) for day in days])
        room = np.where(inner & free, roof - floor, 0.0)
        at = int(room.argmax())
        if room[at] >= ROOM:
            taken.append(float(days[at]))
            value = len(share) - 1 - row
            middle = 0.5 * (roof[at] + floor[at])
            ax.text(days[at], middle, str(value), ha="center", va="center", fontsize=6, color=GRADE_INKS[value])
