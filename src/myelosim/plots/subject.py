"""One subject: counts, visits, decisions and what was given, on one time axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from myelosim.history import History, history
from myelosim.plots import style
from myelosim.plots.figures import OF_BASELINE, as_graded, by_arm, plain
from myelosim.plots.style import BAND_COLORS, DRUG_COLORS, INK, styled
from myelosim.spec.rule import cells

HELD: dict[str, Any] = {"facecolor": "#d0d0d0", "edgecolor": "#707070", "linewidth": 0.0}
SEEN: dict[str, Any] = {
    "linestyle": "", "marker": "o", "markersize": 2.8, "color": INK, "markerfacecolor": "white", "markeredgewidth": 0.7,
}  # fmt: skip
FLAG: dict[str, Any] = {"linewidth": 0.4, "linestyle": (0, (1, 1.5)), "color": "#303030", "zorder": 1.5}
MISSED: dict[str, Any] = {"facecolor": "none", "linewidth": 0.4}
UNIT: dict[str, Any] = {"linestyle": "", "marker": "v", "markersize": 4, "color": "#a50f15", "zorder": 3}
FULL, LIFT = 0.78, 0.05  # of a row: the height of the largest dose, and what is below it
WIDEST = 7.0  # days that a dose is drawn to last, at most
ROW = 0.17  # inches for what is given of one drug
PANEL = 1.2  # inches for the counts of one lineage


@styled
def plot_subject(result: xr.Dataset, subject: int, arm: str | None = None, *, ax: Any = None) -> np.ndarray:
    """Draw what happened to one subject.

    A panel a lineage: the true count as a line, what was observed at visits as circles, the grades of the result's table behind.
    Where a drug was held or put off the top of each panel is gray, and its row in the lowest one. Decisions are numbered above, at
    the day of their visit, and listed below the figure. The lowest panel shows what was given: a bar as high as the dose is of the
    largest, an empty one where a planned dose was not given, and transfusions as triangles. The x axis is elapsed days.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.simulate` or :func:`myelosim.compare`.
    subject : int
        Which, as the result's ``subject`` says.
    arm : str, optional
        Which arm; needed where there are several.
    ax : array of matplotlib.axes.Axes, optional
        One more than lineages, to draw on. Default: those of a new figure of their own.

    Returns
    -------
    numpy.ndarray
        Axes, the lineages' and that of the doses.

    Raises
    ------
    SpecError
        There is no such subject or arm, several arms and none is named, or ``ax`` are not as many.
    """
    found = history(result, subject, arm)
    rows = len(found.lineages) + 1
    if ax is not None:
        axes = np.asarray(style.grid(ax, (rows, 1), "plot_subject")[:, 0])
        _draw(found, axes)
        return axes
    below = ROW * max(1, len(_given(found)))
    listed = _listed(found)
    figure = style.canvas(style.WIDTH, 0.8 + PANEL * (rows - 1) + below + 0.085 * len(listed))
    axes = np.asarray(figure.subplots(rows, 1, sharex=True, height_ratios=[*[PANEL] * (rows - 1), below]))
    _draw(found, axes)
    figure.align_ylabels(axes[:-1])
    style.legend(figure, _keys(found))
    said = style.note(_one(found), style.WIDTH).replace("One subject.", f"Subject {subject}, {_called(found)}")
    style.footer(
        figure, "\n".join([*listed, *style.wrapped(said.replace("\n", " "), style.WIDTH - 0.1, style.NOTE["fontsize"])])
    )
    return axes


def _called(found: History) -> str:
    name = found.result["arm"].item() if "arm" in found.result.coords else found.result.attrs.get("regimen", "")
    return f"{plain(str(name))}."


def _one(found: History) -> xr.Dataset:
    """Give the subject's counts the dims that the other pictures' numbers have."""
    own = found.result
    one = own[[name for name in ("count", "baseline") if name in own]].expand_dims("subject")
    return by_arm(one.assign(grade_limit=own["grade_limit"]) if "grade_limit" in own else one)


def _draw(found: History, axes: np.ndarray) -> None:
    plainly = _one(found)
    graded = as_graded(plainly).isel(arm=0, subject=0)
    shown = plainly.isel(arm=0, subject=0)
    last = float(shown["time"][-1])
    for panel, lineage in zip(axes, found.lineages, strict=False):
        percent = str(graded["units"].sel(lineage=lineage).item()) == OF_BASELINE
        count = graded["count"].sel(lineage=lineage).to_numpy()
        own = shown["count"].sel(lineage=lineage).to_numpy()
        scale = (
            100.0 / (float(shown["baseline"].sel(lineage=lineage)) if "baseline" in shown else own[0])
            if percent
            else 1.0
        )
        seen = scale * found.visits[lineage].to_numpy()
        every = np.concatenate([count, seen])
        limits = graded["grade_limit"].sel(lineage=lineage).to_numpy()
        style.count_axis(panel, lineage, limits, float(np.nanmin(every)), float(np.nanmax(every)), percent)
        style.day_axis(panel, last, 13)
        style.grade_bands(panel, limits)
        panel.plot(shown["time"], count, color=INK, linewidth=1.0)
        panel.plot(found.visits["day"], seen, clip_on=False, zorder=3, **SEEN)
        panel.set_ylabel(style.count_label(graded, lineage))
        style.dress(panel)
        panel.tick_params(labelbottom=False)
    for panel in axes:
        for day in found.decisions["day"].unique():
            panel.axvline(day, **FLAG)
        for _, start, end in found.holds():
            if panel is not axes[-1]:
                panel.axvspan(start, end, ymin=0.955, zorder=0.5, **HELD)
    _flags(axes[0], found.decisions)
    _doses(axes[-1], found, last)


def _flags(ax: Axes, decisions: pd.DataFrame) -> None:
    """Write the numbers of decisions above the panel, those of one day together, in as many rows as it takes to read them."""
    across, free = style.inches(ax), [-np.inf] * 3
    low, high = ax.get_xlim()
    numbers = np.arange(1, len(decisions) + 1)
    for day in decisions["day"].unique():
        mine = numbers[(decisions["day"] == day).to_numpy()]
        text = f"{mine[0]}" if len(mine) == 1 else f"{mine[0]}–{mine[-1]}"
        place, half = across * (day - low) / (high - low), 0.028 * len(text) + 0.015
        row = next((k for k, end in enumerate(free) if place - half > end), int(np.argmin(free)))
        free[row] = place + half
        ax.annotate(
            text, (day, 1.0), xycoords=ax.get_xaxis_transform(), xytext=(0.0, 2.0 + 6.0 * row), textcoords="offset points",
            ha="center", va="bottom", fontsize=5, annotation_clip=False,
        )  # fmt: skip


def _listed(found: History) -> list[str]:
    """Return the decisions as lines of text, each with its number and its elapsed day."""
    parts = []
    for number, one in enumerate(found.decisions.itertuples(), 1):
        late = f", from day {one.effect_day:g}" if one.effect_day > one.day else ""
        parts.append(f"{number}: day {one.day:g}, {one.decision}{late} ({one.rule})")
    if not parts:
        return []
    text = plain("; ".join(part.replace(" ", "\u00a0") for part in parts))
    return style.wrapped(f"Decisions. {text}.", style.WIDTH - 0.1, style.NOTE["fontsize"])


def _given(found: History) -> list[str]:
    """Return what was given or planned, in the order in which it came."""
    return list(dict.fromkeys(found.doses["drug"]))


def _doses(ax: Axes, found: History, last: float) -> None:
    """Draw a row a drug: bars of what was given, empty ones of what was planned and not, gray where it was held."""
    names = _given(found)
    for row, name in enumerate(names[::-1]):
        own = found.doses[found.doses["drug"] == name]
        color = DRUG_COLORS[names.index(name) % len(DRUG_COLORS)]
        if (own["kind"] == "transfusion").all():
            ax.plot(own["day"], np.full(len(own), row + 0.44), **UNIT)
            continue
        days, given, planned = (own[key].to_numpy() for key in ("day", "given", "planned"))
        gap = float(np.min(np.diff(np.unique(days)))) if len(np.unique(days)) > 1 else 1.0
        ends = np.minimum(days + min(gap, WIDEST), last)
        scale = FULL / max(given.max(), planned.max())
        for start, end in [(a, b) for drug, a, b in found.holds() if drug == name]:
            ax.bar(start, FULL, end - start, bottom=row + LIFT, align="edge", zorder=0.5, **HELD)
        ax.bar(days, scale * given, ends - days, bottom=row + LIFT, align="edge", color=color, zorder=2)
        for start, end, amount in _runs(days, ends, np.where(given == 0, planned, 0.0)):
            ax.bar(
                start, scale * amount, end - start, bottom=row + LIFT, align="edge", edgecolor=color, zorder=2, **MISSED
            )
    ax.set_ylim(0.0, max(1, len(names)))
    ax.set_yticks([row + 0.42 for row in range(len(names))], [plain(cells(name)) for name in names[::-1]])
    ax.set_xlabel(style.DAYS)
    style.day_axis(ax, last, 13)
    style.dress(ax)
    ax.tick_params(axis="y", length=0)


def _runs(days: np.ndarray, ends: np.ndarray, amounts: np.ndarray) -> list[tuple[float, float, float]]:
    """Return start, end and amount of equal amounts that follow each other without a gap; none of 0."""
    out: list[tuple[float, float, float]] = []
    for start, end, amount in zip(days, ends, amounts, strict=True):
        if amount and out and out[-1][2] == amount and abs(out[-1][1] - start) < 1e-6:
            out[-1] = out[-1][0], end, amount
        elif amount:
            out.append((start, end, amount))
    return out


def _keys(found: History) -> list[Any]:
    limits = _one(found)["grade_limit"]
    graded = [g for g in range(1, 5) if bool(limits.sel(grade=g).notnull().any())]
    doses = found.doses[found.doses["kind"] != "transfusion"]
    keys: list[Any] = [Line2D([], [], color=INK, label="true count"), Line2D([], [], **SEEN, label="seen at a visit")]
    keys += [Patch(color=BAND_COLORS[g], label=f"grade {g}") for g in graded]
    if found.holds():
        keys.append(Patch(**HELD, label="held"))
    if (doses["given"] == 0).any():
        keys.append(Patch(edgecolor=DRUG_COLORS[0], label="planned, not given", **MISSED))
    if len(doses) < len(found.doses):
        keys.append(Line2D([], [], label="transfusion", **UNIT))
    if len(found.decisions):
        keys.append(Line2D([], [], **{**FLAG, "zorder": 2}, label="decision"))
    return keys
