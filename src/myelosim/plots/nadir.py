"""How deep the nadir is, by arm."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from myelosim.plots import style
from myelosim.plots.figures import OF_BASELINE, as_graded, by_arm, share_at_grade3, spread, thinned
from myelosim.plots.style import INK, styled

ABREAST = 6  # arms above which shares can be printed without turning them
GOLDEN = 0.6180339887498949


@styled
def plot_nadir(result: xr.Dataset, *, ax: Any = None) -> np.ndarray:
    """Draw the nadir of each lineage by arm.

    Boxes hold the middle 50 % of subjects with their median, whiskers the middle 90 %, points are at most 80 subjects,
    evenly spaced in rank. An arrow says how many subjects lie below the axis, under 3 % of the limit of the worst grade. Where
    all subjects are alike there is a line. Shaded behind: the grades. Printed above: the percentage of subjects whose true worst
    grade is 3 or more, with its 95 % interval for the number of subjects simulated.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.compare` or :func:`myelosim.simulate`.
    ax : array of matplotlib.axes.Axes, optional
        One a lineage, to draw on. Default: those of a new figure of their own.

    Returns
    -------
    numpy.ndarray
        Axes (lineage).

    Raises
    ------
    SpecError
        The result has no counts, or ``ax`` are not as many.
    """
    result = by_arm(result)
    several = result.sizes["lineage"]
    if ax is not None:
        axes = np.asarray(style.grid(ax, (1, several), "plot_nadir")[0])
        draw_nadir(result, axes)
        return axes
    width = style.WIDTH if several > 1 else 3.5
    figure = style.canvas(width, 2.9)
    axes = np.asarray(figure.subplots(1, several, squeeze=False)[0])
    draw_nadir(result, axes)
    style.footer(figure, style.note(result, width, [*style.arm_key(result), *beneath_key(result)]))
    return axes


def beneath(result: xr.Dataset) -> xr.DataArray:
    """Count the subjects whose nadir lies below the axis (arm, lineage)."""
    graded = as_graded(result)
    limits = graded["grade_limit"].transpose("lineage", "grade").to_numpy()
    logarithmic = ~(graded["lineage"].isin(style.LINEAR) | (graded["units"] == OF_BASELINE))
    ends = xr.DataArray([style.lowest(row) for row in limits], dims="lineage").where(logarithmic.to_numpy(), 0.0)
    return (graded["nadir"] < ends).sum("subject").transpose("arm", "lineage")


def beneath_key(result: xr.Dataset) -> list[str]:
    """Say what the arrows mean, where there are any."""
    return ["\N{DOWNWARDS ARROW}: number of subjects whose nadir lies below the axis."] if beneath(result).any() else []


def draw_nadir(result: xr.Dataset, axes: np.ndarray) -> None:
    """Draw on one Axes a lineage."""
    result = as_graded(result)
    found = spread(result["nadir"]).transpose("quantile", "arm", "lineage")
    shares = share_at_grade3(result)
    labels, below = style.arm_labels(result), beneath(result)
    for panel, lineage in zip(axes, map(str, result["lineage"].to_numpy()), strict=True):
        limits = result["grade_limit"].sel(lineage=lineage).to_numpy()
        nadirs = result["nadir"].sel(lineage=lineage).transpose("arm", "subject").to_numpy()
        percent = str(result["units"].sel(lineage=lineage).item()) == OF_BASELINE
        own = found.sel(lineage=lineage).to_numpy()
        shown = [thinned(row) for row in nadirs]
        extremes = np.concatenate([own.ravel(), *shown])
        style.count_axis(panel, lineage, limits, float(np.nanmin(extremes)), float(np.nanmax(extremes)), percent)
        spare = max(0.0, 0.5 * (3 - len(labels)))  # so that one box is not as wide as the panel
        panel.set_xlim(-0.6 - spare, len(labels) - 0.4 + spare)
        style.grade_bands(panel, limits)
        for a, values in enumerate(shown):
            _box(panel, a, own[:, a], values)
            if number := int(below.sel(lineage=lineage)[a]):
                _beneath(panel, a, number)
        _shares(panel, shares.sel(lineage=lineage).to_numpy())
        panel.set_xticks(range(len(labels)), labels)
        named = style.count_label(result, lineage)
        panel.set_ylabel(f"Nadir: {named[0].lower()}{named[1:]}")
        style.dress(panel)
        panel.tick_params(axis="x", length=0)


def _box(ax: Axes, where: int, quantiles: np.ndarray, values: np.ndarray) -> None:
    if np.isnan(quantiles).all():
        return
    if np.ptp(quantiles) == 0.0:
        ax.hlines(quantiles[2], where - 0.3, where + 0.3, color=INK, linewidth=1.6, zorder=3)
        return
    low90, low50, median, high50, high90 = quantiles
    # The golden ratio's multiples spread points evenly without chance, so that a picture is the same every time.
    beside = where + 0.56 * ((GOLDEN * np.arange(values.size)) % 1.0 - 0.5)
    ax.plot(
        beside, values, linestyle="", marker="o", markersize=1.4, color=INK, alpha=0.35, markeredgewidth=0, zorder=2
    )
    box = {"med": median, "q1": low50, "q3": high50, "whislo": low90, "whishi": high90}
    ax.bxp(
        [box], positions=[where], widths=0.6, showfliers=False, showcaps=False, zorder=3, manage_ticks=False,
        boxprops={"color": INK, "linewidth": 0.8}, whiskerprops={"color": INK, "linewidth": 0.8},
        medianprops={"color": INK, "linewidth": 1.6},
    )  # fmt: skip


def _beneath(ax: Axes, where: int, number: int) -> None:
    look: Any = {"boxstyle": "square,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    ax.text(
        where, 0.02, f"\N{DOWNWARDS ARROW}{number}", transform=ax.get_xaxis_transform(), ha="center", va="bottom", fontsize=5,
        color=INK, bbox=look, zorder=4,
    )  # fmt: skip


def _shares(ax: Axes, shares: np.ndarray) -> None:
    """Print P(grade >= 3) above each arm; a grade that the table does not have is a dash."""
    across = ax.get_xaxis_transform()
    upright = shares.shape[1] > ABREAST
    for a, (share, low, high) in enumerate(shares.T):
        between = "" if np.isnan(low) else f"{_percent(low)}–{_percent(high)}"
        text = "–" if np.isnan(share) else _percent(share)
        text += (f" ({between})" if upright else f"\n{between}") if between else ""
        ax.text(
            a,
            1.03,
            text,
            transform=across,
            ha="center",
            va="bottom",
            fontsize=5,
            linespacing=1.1,
            rotation=90.0 * upright,
        )
    known = ", 95 % interval" if np.isfinite(shares[1]).any() else ""
    ax.set_title(f"Subjects at grade ≥ 3 (%{known})", fontsize=6, pad=34 if upright else 17)


def _percent(share: float) -> str:
    """Return a share in percent, with a decimal where nobody and everybody would else look the same as nearly so."""
    near = min(share, 1.0 - share)
    return f"{100.0 * share:.{1 if 0.0 < near < 0.0095 else 0}f}"
