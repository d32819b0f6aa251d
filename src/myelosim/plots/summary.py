"""A comparison on one page."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.figure import Figure, SubFigure

from myelosim.plots import style
from myelosim.plots.figures import by_arm, calendar, grade_share, most_affected
from myelosim.plots.monitoring import WIDTHS, arm_legend, calendar_key, draw_monitoring, heading, picked
from myelosim.plots.nadir import ABREAST, beneath_key, draw_nadir
from myelosim.plots.occupancy import draw_occupancy
from myelosim.plots.style import styled
from myelosim.plots.trajectories import STRIP, draw_trajectories, drugs_of, trajectory_keys

MOST = 8  # arms that can be read beside each other at journal width
# In inches:
APART = 0.17  # between panels beside each other
LEFT, RIGHT, EDGE = 0.58, 0.28, 0.07  # beside the panels, and beside the text
HEAD, LINE, NAMED = 0.21, 0.115, 0.36  # a part's heading, a line of text, and the numbers and name of an x axis
SMALL = 0.0885  # a line of the note


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
    lineages, arms, lineage = shown.sizes["lineage"], shown.sizes["arm"], most_affected(shown)
    text = style.WIDTH - 2 * EDGE
    title = style.wrapped(str(shown.attrs.get("title", "")), text, 8, "bold")
    names = style.arm_titles(shown, _wide(arms))
    key = [line for part in style.arm_key(shown, names) for line in style.wrapped(part, text, 6)]
    keys = trajectory_keys(shown)
    known = calendar_key(shown) if "monitoring_day" in shown else []
    note = style.note(shown, style.WIDTH, [*beneath_key(shown), *known, *_left_out(everything)]).split("\n")
    above = HEAD + LINE * max(name.count("\n") + 1 for name in names) + (4.0 + STRIP * len(drugs_of(shown))) / 72.0
    shares = 0.36 if arms <= ABREAST else 0.6
    heights = {
        "title": 0.08 + 0.15 * len(title) + LINE * len(key),
        "counts": above + 0.92 * lineages + NAMED,
        "legend": 0.08 + 0.12 * style.legend_rows(keys, style.WIDTH),
        "nadir": HEAD + shares + 1.1 + 0.26,
    }
    if bool(shown["grade_limit"].sel(lineage=lineage).notnull().any()):
        heights["grades"] = HEAD + LINE + 0.72 + NAMED
    if "monitoring_day" in shown:
        heights["draws"] = HEAD + LINE + 1.15 + NAMED
    heights["note"] = 0.08 + SMALL * len(note)
    figure = Figure(figsize=(style.WIDTH, sum(heights.values())))
    slices: Any = figure.subfigures(len(heights), 1, height_ratios=list(heights.values()), hspace=0.0, wspace=0.0)
    parts: dict[str, SubFigure] = dict(zip(heights, slices, strict=True))
    _text(parts["title"], 0.05, "\n".join(title), fontsize=8, fontweight="bold")
    _text(parts["title"], 0.05 + 0.15 * len(title), "\n".join(key), fontsize=6)
    _heading(parts, "counts", "True counts")
    axes = _panels(parts["counts"], (lineages, arms), (above, NAMED), sharex=True, sharey="row")
    draw_trajectories(shown, axes)
    style.legend(parts["legend"], keys, loc="center")
    _heading(parts, "nadir", "Nadir by arm")
    draw_nadir(shown, _panels(parts["nadir"], (1, lineages), (HEAD + shares, 0.26), apart=0.65)[0])
    _grades_and_draws(parts, shown, lineage)
    _text(parts["note"], 0.0, "\n".join(note), **style.NOTE)
    return figure


def _grades_and_draws(parts: dict[str, SubFigure], shown: xr.Dataset, lineage: str) -> None:
    if "grades" in parts:
        _heading(parts, "grades", f"{style.lineage_name(lineage)}: subjects in each grade")
        style.grade_legend(parts["grades"], shown, lineage, loc="upper right")
        axes = _panels(parts["grades"], (1, shown.sizes["arm"]), (HEAD + LINE, NAMED), sharey=True)[0]
        draw_occupancy(shown, grade_share(shown, lineage), axes, style.arm_labels(shown))
    if "draws" in parts:
        draws = picked(shown, None)
        _heading(parts, "draws", heading(lineage))
        arm_legend(parts["draws"], shown, loc="upper right")
        axes = _panels(parts["draws"], (1, 3), (HEAD + LINE, NAMED), apart=0.55, ratios=WIDTHS)[0]
        draw_monitoring(shown, lineage, draws, calendar(shown, draws), axes)


def _wide(columns: int, apart: float = APART) -> float:
    """Return how wide each of so many panels is, in inches."""
    return (style.WIDTH - LEFT - RIGHT + apart) / columns - apart


def _panels(
    part: SubFigure, shape: tuple[int, int], margins: tuple[float, float], *, apart: float = APART, ratios: Any = None,
    **share: Any,
) -> np.ndarray:  # fmt: skip
    """Put Axes into a part, with room above and below: the first and last columns of all parts have the same edges."""
    above, below = margins
    height = float(part.bbox.height / part.figure.dpi)
    high = (height - above - below + 0.1) / shape[0] - 0.1
    place = {
        "left": LEFT / style.WIDTH, "right": 1.0 - RIGHT / style.WIDTH, "wspace": apart / _wide(shape[1], apart),
        "top": 1.0 - above / height, "bottom": below / height, "hspace": 0.1 / high, "width_ratios": ratios,
    }  # fmt: skip
    return np.asarray(part.subplots(*shape, squeeze=False, gridspec_kw=place, **share))


def _text(part: SubFigure, below: float, text: str, **look: Any) -> None:
    """Write so many inches below the top of a part."""
    height = float(part.bbox.height / part.figure.dpi)
    part.text(EDGE / style.WIDTH, 1.0 - below / height, text, va="top", **{"ha": "left", **look})


def _heading(parts: dict[str, SubFigure], name: str, what: str) -> None:
    lettered = [key for key in parts if key not in ("title", "legend", "note")]
    letter = list(style.letters(len(lettered)))[lettered.index(name)]
    _text(parts[name], 0.03, rf"$\mathbf{{{letter.lower()}}}$   {what}", fontsize=7.5)


def _left_out(result: xr.Dataset) -> list[str]:
    names = [str(name) for name in result["arm"].to_numpy()[MOST:]]
    return [f"Not drawn, {len(names)} more arm{'s' if len(names) > 1 else ''}: {'; '.join(names)}."] if names else []
