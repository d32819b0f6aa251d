"""A comparison on one page."""

from __future__ import annotations

import numpy as np
import xarray as xr
from matplotlib.figure import Figure, SubFigure

from myelosim.plots import style
from myelosim.plots.figures import by_arm, calendar, grade_share, most_affected
from myelosim.plots.monitoring import draw_monitoring, heading, picked
from myelosim.plots.nadir import draw_nadir
from myelosim.plots.occupancy import draw_occupancy
from myelosim.plots.style import styled
from myelosim.plots.trajectories import draw_trajectories, trajectory_legend

MOST = 8  # arms that can be read beside each other at journal width


@styled
def plot_summary(result: xr.Dataset) -> Figure:
    """Draw a comparison on one page, 7 inches wide.

    From the top: counts of every lineage under every arm (:func:`plot_trajectories`); nadirs (:func:`plot_nadir`); for the
    lineage of which most subjects reach grade 3, the share of subjects in each grade (:func:`plot_grade_occupancy`) and, where
    the result has them, the days to draw blood (:func:`plot_monitoring`). Of more than eight arms the first eight are drawn,
    and the note below says so.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.compare`.

    Returns
    -------
    matplotlib.figure.Figure
        Its Axes are in ``.axes``; save it with ``.savefig``.

    Raises
    ------
    SpecError
        The result has no counts.
    """
    everything = by_arm(result)
    shown = everything.isel(arm=slice(0, MOST))
    lineage = most_affected(shown)
    graded = bool(shown["grade_limit"].sel(lineage=lineage).notnull().any())
    watched = "monitoring_day" in shown
    note = style.note(shown, style.WIDTH, [*style.arm_key(shown), *_left_out(everything)])
    below = 0.1 + 0.095 * (note.count("\n") + 1)
    heights = [0.5 + 1.1 * shown.sizes["lineage"], 0.2, 1.85, *[1.35] * graded, *[1.85] * watched, below]
    figure = style.canvas(style.WIDTH, sum(heights) + 0.25)
    parts = iter(np.asarray(figure.subfigures(len(heights), 1, height_ratios=heights), dtype=object))
    figure.suptitle(str(shown.attrs.get("title", "")), x=0.01, ha="left", fontweight="bold")
    letter = style.letters(len(heights))
    part = _part(next(parts), next(letter), "True counts")
    axes = part.subplots(shown.sizes["lineage"], shown.sizes["arm"], sharex=True, sharey="row", squeeze=False)
    draw_trajectories(shown, axes)
    trajectory_legend(next(parts), shown, loc="center")
    part = _part(next(parts), next(letter), "Nadir by arm")
    draw_nadir(shown, part.subplots(1, shown.sizes["lineage"], squeeze=False)[0])
    if graded:
        part = _part(next(parts), next(letter), f"{style.NAMES.get(lineage, lineage)}: subjects in each grade")
        style.grade_legend(part, shown, lineage, loc="upper right")
        axes = part.subplots(1, shown.sizes["arm"], sharey=True, squeeze=False)[0]
        draw_occupancy(shown, lineage, grade_share(shown, lineage), axes)
    if watched:
        draws = picked(shown, None)
        axes = _part(next(parts), next(letter), heading(lineage)).subplots(1, 3, width_ratios=(1.0, 1.0, 1.5))
        draw_monitoring(shown, lineage, draws, calendar(shown, draws), axes)
    next(parts).text(0.008, 0.9, note, va="top", **style.NOTE)
    return figure


def _part(part: SubFigure, letter: str, what: str) -> SubFigure:
    part.suptitle(rf"$\mathbf{{{letter.lower()}}}$   {what}", x=0.01, ha="left", fontsize=7.5)
    return part


def _left_out(result: xr.Dataset) -> list[str]:
    names = [str(name) for name in result["arm"].to_numpy()[MOST:]]
    return [f"Not drawn, {len(names)} more arm{'s' if len(names) > 1 else ''}: {'; '.join(names)}."] if names else []
