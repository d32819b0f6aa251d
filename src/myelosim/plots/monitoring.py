"""On which days to draw blood: what each number of draws catches, and how late."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from myelosim.errors import SpecError
from myelosim.monitoring import shown
from myelosim.plots import style
from myelosim.plots.figures import by_arm, calendar, doses_given, most_affected, plain
from myelosim.plots.style import DRUG_COLORS, styled

MEASURES = {"in_time": "P(caught within {within:g} d)", "delay": "Median delay (days)"}
NOTHING = {"in_time": "no grade 3 to catch", "delay": "nothing caught"}
OPEN: dict[str, Any] = {"linestyle": "", "markersize": 4.5, "markerfacecolor": "white"}
WIDTHS = (1.0, 1.0, 1.5)
SHADE = 0.15
NUMERALS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")


@styled
def plot_monitoring(
    result: xr.Dataset, lineage: str | None = None, *, draws: int | None = None, ax: Any = None
) -> np.ndarray:
    """Draw what recommended days catch of grade 3 or worse, how late, and which days they are.

    First Axes: the probability that a draw shows grade 3 or worse while it is true and within so many days of its onset,
    against the number of draws. Second: the median days from the true onset to that draw, however late. Third: the days
    themselves, for one number of draws; shaded are days with a dose. Bars are 95 % intervals. Open markers to the right are
    what other calendars see, by roman numerals: the protocol's own visits first. They are the first rows of the third Axes.

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
    figure = style.canvas(style.WIDTH, 2.8)
    axes = np.asarray(figure.subplots(1, 3, width_ratios=WIDTHS))
    draw_monitoring(result, watched, chosen, days, axes)
    arm_legend(figure, result, title=heading(watched), title_fontsize=7.5)
    style.footer(figure, style.note(result, style.WIDTH, [*style.arm_key(result), *calendar_key(result)]))
    return axes


def calendar_key(result: xr.Dataset) -> list[str]:
    """Say which calendars the numerals stand for, and how many draws they take after that of the baseline."""
    if "calendar" not in result:
        return []
    said = []
    for numeral, name in zip(NUMERALS, result["calendar"].to_numpy(), strict=False):
        number = result["calendar_number"].sel(calendar=name)
        few, many = (f"{float(end):.3g}" for end in (number.min(), number.max()))
        said.append(f"{numeral}: {plain(str(name))} ({few if few == many else f'{few} to {many}'} draws)")
    return [f"Calendars: {'; '.join(said)}."]


def heading(lineage: str) -> str:
    """Say what the three Axes show together."""
    return f"{style.lineage_name(lineage)}: days to draw blood"


def arm_legend(figure: Figure | SubFigure, result: xr.Dataset, **where: Any) -> None:
    """Say which symbol is which arm's, and what is open or shaded."""
    keys: list[Any] = [
        Line2D([], [], markersize=2.5, linewidth=0.9, label=label, **style.arm_style(a))
        for a, label in enumerate(style.arm_labels(result))
        if bool(result["monitoring_day"].isel(arm=a).notnull().any())
    ]
    if "calendar" in result:
        keys.append(Line2D([], [], **OPEN, color="#404040", marker="o", label="other calendars"))
    if any(doses_given(result, str(arm)) for arm in result["arm"].to_numpy()):
        keys.append(Patch(color=DRUG_COLORS[0], alpha=SHADE, label="dosing"))
    style.legend(figure, keys, **{"handlelength": 2.2, **where})


def picked(result: xr.Dataset, draws: int | None) -> int:
    """Return for how many draws days are shown: those asked for, or those of the table."""
    return draws if draws is not None else shown(result["draws"].to_numpy().tolist() if "draws" in result else [])


def draw_monitoring(
    result: xr.Dataset, lineage: str, draws: int, days: dict[str, np.ndarray], axes: np.ndarray
) -> None:
    """Draw on three Axes: caught, delay, calendar."""
    for panel, (measure, label) in zip(axes[:2], MEASURES.items(), strict=True):
        _curves(panel, result.sel(lineage=lineage), measure)
        panel.set_ylabel(label.format(within=float(result.attrs["monitoring_within"])))
        style.dress(panel)
    axes[0].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    _calendar(axes[2], result, draws, days)


def _curves(ax: Axes, result: xr.Dataset, measure: str) -> None:
    """Draw a measure against the number of draws, and that of other calendars to the right of it."""
    number = result["draws"].to_numpy().astype(float)
    curves, others = (
        _bounded(result, f"{of}_{measure}", ("arm", dim)) for of, dim in (("monitoring", "draws"), ("calendar",) * 2)
    )
    if np.isnan(curves[0]).all():
        ax.text(0.5, 0.5, NOTHING[measure], transform=ax.transAxes, ha="center", va="center")
    step = 1.0 + 0.2 * np.ptp(number)
    beyond = number[-1] + step * (0.3 + np.arange(1, 1 + (others.shape[-1] if others.size else 0)))
    arms = result.sizes["arm"]
    few = arms <= 4
    for a in range(arms):
        look = style.arm_style(a)
        aside = (a - (arms - 1) / 2.0) * np.array([0.7, 0.8 * step]) / max(arms, 4)  # beside each other
        value, low, high = curves[:, a]
        ax.vlines(number + aside[0], low, high, color=look["color"], linewidth=0.6, alpha=0.6 if few else 0.35)
        ax.plot(number + aside[0], value, markersize=2.5 if few else 2, linewidth=0.9 if few else 0.7, **look)
        if others.size:
            value, low, high = others[:, a]
            ax.vlines(beyond + aside[1], low, high, color=look["color"], linewidth=0.8)
            ax.plot(beyond + aside[1], value, **look | OPEN | {"markersize": 4.5 if few else 3})
    ticks = {float(k): str(int(k)) for k in number[:: 1 + (number.size - 1) // 8]}
    ticks |= dict(zip(beyond.tolist(), NUMERALS, strict=False))
    ax.set_xticks(list(ticks), list(ticks.values()))
    ax.set_xlabel("Number of draws")
    found = np.concatenate([curves.ravel(), others.ravel()])
    if measure == "in_time":
        ax.set_ylim(0.5 if np.nanmin(found, initial=1.0) > 0.52 else 0.0, 1.05)
    else:
        ax.set_ylim(0.0, 1.1 * np.nanmax(found, initial=1.0))


def _bounded(result: xr.Dataset, name: str, dims: tuple[str, ...]) -> np.ndarray:
    """Return a measure with its bounds as a first axis; what has no bound reaches to the last day."""
    if name not in result:
        return np.zeros(0)
    values = [result[f"{name}{end}"].transpose(*dims).to_numpy() for end in ("", "_low", "_high")]
    return np.asarray(np.clip(values, 0.0, float(result["time"][-1])))


def _calendar(ax: Axes, result: xr.Dataset, draws: int, days: dict[str, np.ndarray]) -> None:
    rows = style.arm_labels(result)
    if "calendar" in result:
        rows = [*NUMERALS[: result.sizes["calendar"]], *rows]
        for row, visits in enumerate(result["calendar_day"].max("arm").transpose("calendar", ...).to_numpy()):
            ax.plot(visits, np.full(visits.size, row), clip_on=False, **style.VISIT | {"markersize": 3.5})
    for a, (arm, own) in enumerate(days.items()):
        row = a + len(rows) - len(days)
        for given in doses_given(result, arm):
            long, shade = given.end - given.start, SHADE * given.share
            ax.barh(row, long, left=given.start, height=0.72, color=DRUG_COLORS[0], alpha=shade)
        look = style.arm_style(a) | {"linestyle": "", "markersize": 4}
        if own.size:  # an empty line that is not clipped would take room in the figure's corner
            ax.plot(own, np.full(own.size, row), clip_on=False, **look)
    style.day_axis(ax, float(result["time"][-1]), 6)
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_yticks(range(len(rows)), rows)
    ax.set_xlabel(style.DAYS)
    ax.set_title(f"Recommended days, {draws} draw{'s' if draws != 1 else ''}")
    style.dress(ax)
    ax.tick_params(axis="y", length=0, pad=4)
