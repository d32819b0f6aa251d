"""On which days to draw blood: what each number of draws catches, and how late."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from myelosim.errors import SpecError
from myelosim.monitoring import shown
from myelosim.plots import style
from myelosim.plots.figures import by_arm, calendar, doses_given, most_affected
from myelosim.plots.style import DRUG_COLORS, styled

MEASURES = {"caught": "P(grade ≥ 3 caught)", "delay": "Median delay (days)"}


@styled
def plot_monitoring(
    result: xr.Dataset, lineage: str | None = None, *, draws: int | None = None, ax: Any = None
) -> np.ndarray:
    """Draw what recommended days catch of grade 3 or worse, how late, and which days they are.

    First Axes: the probability that a draw shows grade 3 or worse during a true episode, against the number of draws.
    Second: the median days from the true onset to that draw. Third: the days themselves, for one number of draws. Bars are
    95 % intervals. The protocol's own calendar is the larger open marker at its number of draws, and the first row of the
    third Axes; shaded there are days with a dose.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.compare`.
    lineage : str, optional
        Whose episodes; default the lineage of which most subjects reach grade 3.
    draws : int, optional
        Whose days the third Axes shows; default the fifth of those there are, or the last, as in the table.
    ax : array of three matplotlib.axes.Axes, optional
        To draw on. Default: those of a new figure of their own.

    Returns
    -------
    numpy.ndarray
        Three Axes.

    Raises
    ------
    SpecError
        The result recommends no days, or not for that lineage or number of draws, or ``ax`` are not three.
    """
    result = by_arm(result)
    chosen = picked(result, draws)
    days = calendar(result, chosen)
    watched = lineage or most_affected(result)
    if watched not in result["lineage"].to_numpy():
        raise SpecError(
            f"plot_monitoring: no lineage {watched!r}; the result has {', '.join(map(str, result['lineage'].to_numpy()))}"
        )
    if ax is not None:
        axes = np.asarray(style.grid(ax, (1, 3), "plot_monitoring")[0])
        draw_monitoring(result, watched, chosen, days, axes)
        return axes
    figure = style.canvas(style.WIDTH, 2.7)
    axes = np.asarray(figure.subplots(1, 3, width_ratios=(1.0, 1.0, 1.5)))
    draw_monitoring(result, watched, chosen, days, axes)
    figure.suptitle(heading(watched))
    style.footer(figure, style.note(result, style.WIDTH, style.arm_key(result)))
    return axes


def heading(lineage: str) -> str:
    """Say what the three Axes show together."""
    return f"{style.NAMES.get(lineage, lineage)}: days to draw blood (open symbols: the protocol's own visits)"


def _bottom(result: xr.Dataset) -> float:
    """Return where P(caught) may begin so that no interval is cut off: at 50 % or at 0."""
    names = [name for name in ("monitoring_caught_low", "protocol_caught_low") if name in result]
    least = min((float(result[name].min()) for name in names), default=0.0)
    return 0.5 if least > 0.52 else 0.0


def picked(result: xr.Dataset, draws: int | None) -> int:
    """Return for how many draws days are shown: those asked for, or those of the table."""
    return draws if draws is not None else shown(result["draws"].to_numpy().tolist() if "draws" in result else [])


def draw_monitoring(
    result: xr.Dataset, lineage: str, draws: int, days: dict[str, np.ndarray], axes: np.ndarray
) -> None:
    """Draw on three Axes: caught, delay, calendar."""
    for panel, (measure, label) in zip(axes[:2], MEASURES.items(), strict=True):
        _curves(panel, result.sel(lineage=lineage), measure)
        panel.set_ylabel(label)
        panel.set_xlabel("Number of draws")
        style.dress(panel)
    axes[0].set_ylim(_bottom(result.sel(lineage=lineage)), 1.05)
    axes[0].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    axes[1].set_ylim(bottom=0.0)
    _calendar(axes[2], result, draws, days)


def _curves(ax: Axes, result: xr.Dataset, measure: str) -> None:
    number = result["draws"].to_numpy().astype(float)
    arms = result.sizes["arm"]
    labels = style.arm_labels(result)
    for a in range(arms):
        look = style.arm_style(a)
        value, low, high = (
            result[f"monitoring_{measure}{end}"].transpose("arm", "draws").to_numpy()[a]
            for end in ("", "_low", "_high")
        )
        if np.isnan(value).all():
            continue
        aside = 0.09 * (a - (arms - 1) / 2.0)  # so that intervals stand beside each other
        ax.plot(
            number + aside,
            value,
            markersize=2.5 if arms <= 4 else 2,
            linewidth=0.9 if arms <= 4 else 0.7,
            label=labels[a],
            **look,
        )
        ax.vlines(number + aside, low, high, color=look["color"], linewidth=0.6, alpha=0.6 if arms <= 4 else 0.35)
        if f"protocol_{measure}" in result:
            at = float(result["protocol_draws"].to_numpy()[a]) + aside
            own, least, most = (
                float(result[f"protocol_{measure}{end}"].to_numpy()[a]) for end in ("", "_low", "_high")
            )
            ax.vlines([at], [least], [most], color=look["color"], linewidth=0.8)
            ax.plot(
                [at],
                [own],
                linestyle="",
                marker=look["marker"],
                color=look["color"],
                markersize=5,
                markerfacecolor="white",
            )
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _calendar(ax: Axes, result: xr.Dataset, draws: int, days: dict[str, np.ndarray]) -> None:
    visits = result["visit"].to_numpy() if "visit" in result.coords else np.zeros(0)
    rows = ["Protocol"] if visits.size else []
    if visits.size:
        ax.plot(
            visits, np.zeros(visits.size), linestyle="", marker="|", markersize=6, color="black", markeredgewidth=0.8
        )
    for a, (arm, own) in enumerate(days.items()):
        row = len(rows)
        rows.append(style.arm_labels(result)[a])
        for given in doses_given(result, arm):
            ax.barh(
                row,
                given.end - given.start,
                left=given.start,
                height=0.72,
                color=DRUG_COLORS[0],
                alpha=0.15 * given.share,
            )
        if own.size == 0:
            continue
        look = style.arm_style(a)
        ax.plot(
            own,
            np.full(own.size, row),
            linestyle="",
            marker=look["marker"],
            color=look["color"],
            markersize=4,
            clip_on=False,
        )
    style.day_axis(ax, float(result["time"][-1]), 6)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_yticks(range(len(rows)), rows)
    ax.set_xlabel(style.DAYS)
    ax.set_title(f"Recommended days, {draws} draw{'s' if draws != 1 else ''}")
    style.dress(ax)
    ax.tick_params(axis="y", length=0)
