"""How likely grade 3 is over two axes of a sweep."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import LineCollection
from matplotlib.colors import LinearSegmentedColormap, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import MaxNLocator, PercentFormatter

from myelosim.errors import SpecError
from myelosim.plots import style
from myelosim.plots.figures import boundary, plain
from myelosim.plots.style import INK, styled

MOST = 8  # panels below each other that a page holds
APART = 0.35  # cells between the map and what is without drug
UNDOSED = "no\ndrug"
NARROW = 4.4  # inches: of one lineage
WIDE = 34  # characters under a panel, above which labels are turned
LOOKS: dict[str, Any] = {"p_limit": "-", "p_limit_high": (0, (3.0, 1.4))}


@styled
def plot_surface(result: xr.Dataset, *, x: str | None = None, y: str | None = None, ax: Any = None) -> np.ndarray:
    """Draw the share of subjects whose true grade is 3 or worse, over two axes of a sweep.

    One column of panels a lineage, one row a combination of the axes that are neither ``x`` nor ``y``. Each cell is what was
    simulated, with its percentage. Lines show where P of the limit's endpoint (solid) and its upper 95 % bound
    (dashed) cross the limit, interpolated between doses; cells left of the dashed one are under it. To the left of
    the doses stands what is without any drug.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.sweep`.
    x, y : str, optional
        Axes of the sweep. Default: the dose, and the first of the others with several values.
    ax : array of matplotlib.axes.Axes, optional
        (panel, lineage), to draw on. Default: those of a new figure of their own.

    Returns
    -------
    numpy.ndarray
        Axes (panel, lineage).

    Raises
    ------
    SpecError
        It is no sweep, an axis is not one of it, or ``ax`` are not as many.
    """
    if "p_grade3" not in result or "axes" not in result.attrs:
        raise SpecError("plot_surface: the result is no sweep; give what ms.sweep returned")
    axes = [str(dim) for dim in result["p_grade3"].dims if dim != "lineage"]
    x, y = _axes(result, axes, x, y)
    others = [name for name in axes if name not in (x, y)]
    places = list(np.ndindex(*(result.sizes[name] for name in others)))[:MOST]
    every = [str(name) for name in result["lineage"].to_numpy()]
    lineages = [name for name in every if _there(result, name)] or every
    shape = (len(places), len(lineages))
    rows = result.sizes[y] if y else 1
    top = max(0.1, np.ceil(10.0 * float(np.nan_to_num(result["p_grade3"].max()))) / 10.0)
    colors = ScalarMappable(Normalize(0.0, top), LinearSegmentedColormap.from_list("grade", style.GRADE_COLORS))
    ill = x == "dose" and bool((result["p_grade3_undosed"] > 0).any())
    figure = None
    if ax is None:
        figure = style.canvas(style.WIDTH if len(lineages) > 1 else NARROW, len(places) * (0.42 + 0.2 * rows) + 1.35)
        ax = figure.subplots(*shape, squeeze=False, sharex=True, sharey=True)
    panels = style.grid(ax, shape, "plot_surface")
    for row, place in zip(panels, places, strict=True):
        at = dict(zip(others, place, strict=True))
        named = ", ".join(plain(str(result[name].to_numpy()[i])) for name, i in at.items())
        for panel, lineage in zip(row, lineages, strict=True):
            _map(panel, result.isel(at).sel(lineage=lineage), x, y, colors, ill)
            title = style.lineage_name(lineage)
            panel.set_title(f"{title} ({_short(named)})" if named else title, fontsize=6.5, loc="left", pad=3)
            if x == "dose" and not bool(result["dose_matters"].sel(lineage=lineage)):
                panel.set_title("not by dose", fontsize=5, loc="right", pad=3, style="italic")
    _label(result, panels, x, y)
    if figure is not None:
        _around(figure, result, panels, colors, len(list(np.ndindex(*(result.sizes[n] for n in others)))) - len(places))
    return panels


def _label(result: xr.Dataset, panels: np.ndarray, x: str, y: str | None) -> None:
    """Name the axes at the edges of the figure; what has a unit is a number that needs a name."""
    for panel in panels[-1]:
        panel.set_xlabel(_named(result, x))
    if y is not None and f"{y}_number" in result.coords:
        for panel in panels[:, 0]:
            panel.set_ylabel(_named(result, y))


def _axes(result: xr.Dataset, axes: list[str], x: str | None, y: str | None) -> tuple[str, str | None]:
    for name in (x, y):
        if name is not None and name not in axes:
            raise SpecError(f"plot_surface: the sweep has no axis {name!r}; it has {', '.join(axes)}")
    if x is None:
        x = next((name for name in ("dose", *axes) if name in axes and name != y), axes[0])
    rest = [name for name in axes if name != x]
    return x, y or next((name for name in rest if result.sizes[name] > 1), next(iter(rest), None))


def _there(result: xr.Dataset, lineage: str) -> bool:
    return bool(result["p_grade3"].sel(lineage=lineage).notnull().any())


def _short(text: str, most: int = 34) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _named(result: xr.Dataset, axis: str) -> str:
    """Return an axis' name, with its unit where the values themselves do not say it."""
    name = plain(axis)
    unit = _unit(result, axis)
    called = name if "." in name else f"{name[0].upper()}{name[1:]}"
    return called + (f" ({plain(unit)})" if unit else "")


def _unit(result: xr.Dataset, axis: str) -> str:
    """Return the unit with which all values of an axis end; empty where they do not."""
    parts = [str(name).split(" ") for name in result[axis].to_numpy()]
    shared = {part[1] for part in parts if len(part) == 2}
    same = f"{axis}_number" in result.coords and len(shared) == 1 and all(len(part) == 2 for part in parts)
    return shared.pop() if same else ""


def _map(ax: Axes, one: xr.Dataset, x: str, y: str | None, colors: ScalarMappable, ill: bool) -> None:
    """Draw one panel."""
    shares = _grid(one["p_grade3"], x, y)
    for i, j in np.ndindex(shares.shape):
        _cell(ax, j, i, float(shares[i, j]), colors)
    unit = _unit(one, x)
    labels = {float(j): plain(str(name).removesuffix(f" {unit}")) for j, name in enumerate(one[x].to_numpy())}
    wide = max(map(len, labels.values())) * len(labels) > WIDE
    left = -0.5
    if ill:
        for i, share in enumerate(np.broadcast_to(one["p_grade3_undosed"].to_numpy(), shares.shape[0])):
            _cell(ax, -1.0 - APART, i, float(share), colors)
        labels[-1.0 - APART] = UNDOSED
        left = -1.5 - APART
    if "p_limit" in one and str(one.attrs["limit_lineage"]) == str(one["lineage"].item()):
        between = f"{x}_number" in one.coords and bool((np.diff(one[f"{x}_number"].to_numpy()) > 0).all())
        for name, line in LOOKS.items():
            found = boundary(_grid(one[name], x, y), float(one.attrs["limit_probability"]), between)
            if not found:
                continue
            halo = [Stroke(linewidth=2.4, foreground="white"), Normal()]
            ax.add_collection(
                LineCollection(found, colors=INK, linewidths=1.3, linestyles=[line], path_effects=halo, zorder=4)
            )
    ax.set_xlim(left, shares.shape[1] - 0.5)
    ax.set_ylim(shares.shape[0] - 0.5, -0.5)
    ax.set_xticks(list(labels), list(labels.values()))
    if wide:
        ax.tick_params(axis="x", labelrotation=45)
        for tick in ax.get_xticklabels():
            tick.set(ha="right", rotation_mode="anchor")
    down = _unit(one, y) if y else ""
    names = [plain(str(name).removesuffix(f" {down}")) for name in one[y].to_numpy()] if y else [""]
    ax.set_yticks(range(shares.shape[0]), names)
    style.dress(ax)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_visible(False)


def _grid(values: xr.DataArray, x: str, y: str | None) -> np.ndarray:
    """Return (y, x)."""
    return np.asarray(values.transpose(y, x).to_numpy() if y else values.to_numpy()[None, :])


def _cell(ax: Axes, x: float, y: float, share: float, colors: ScalarMappable) -> None:
    known = bool(np.isfinite(share))
    color: Any = colors.to_rgba(np.array([share]))[0] if known else "#e2e2e2"
    ax.fill(
        [x - 0.5, x + 0.5, x + 0.5, x - 0.5],
        [y - 0.5, y - 0.5, y + 0.5, y + 0.5],
        facecolor=color,
        edgecolor="white",
        linewidth=0.4,
    )
    dark = known and float(np.dot(color[:3], (0.299, 0.587, 0.114))) < 0.5
    digits = 1 if known and 0.0 < min(share, 1.0 - share) < 0.0095 else 0
    ax.text(
        x, y, f"{100.0 * share:.{digits}f}" if known else "–", ha="center", va="center", fontsize=5.5, zorder=5,
        color="white" if dark else "#303030", path_effects=[Stroke(linewidth=1.6, foreground=color), Normal()],
    )  # fmt: skip


def _around(figure: Figure, result: xr.Dataset, panels: np.ndarray, colors: ScalarMappable, left_out: int) -> None:
    """Put what belongs to all panels around them: title, legend, scale and note."""
    about = result.attrs
    bar = figure.colorbar(colors, ax=panels, fraction=0.04, pad=0.015, aspect=30)
    bar.ax.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    bar.ax.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=""))
    bar.ax.tick_params(labelsize=5.5, length=2, width=0.4, pad=1.5)
    bar.set_label("Subjects at true grade ≥ 3 (%)", fontsize=6.5, labelpad=3)
    bar.outline.set_visible(False)
    keys: list[Any] = []
    of: list[str] = []
    said = "limit: " + plain(str(about["limit"]).replace("_", " ").replace(">=", "≥"))
    if about["limit"] and not any(panel.collections for panel in panels.flat):
        of.append(f"No line shows the {said}: it is crossed nowhere.")
    elif about["limit"]:
        keys += [Line2D([], [], color=INK, linewidth=1.3, linestyle=LOOKS["p_limit"], label=f"estimate at the {said}")]
        keys += [
            Line2D(
                [], [], color=INK, linewidth=1.3, linestyle=LOOKS["p_limit_high"], label="upper 95 % bound at the limit"
            )
        ]
    title: dict[str, Any] = {"title": plain(str(about["title"])), "title_fontproperties": {"size": 8, "weight": "bold"}}
    style.legend(figure, keys, loc="outside upper left", alignment="left", borderaxespad=0.1, **title)
    sizes = result["subjects"].where(result["subjects"] > 0)
    least, most = int(sizes.min()), int(sizes.max())
    many = f"{least:,}{f' to {most:,}' if most > least else ''}"
    of.append(f"{many} virtual subjects a cell, the same in every cell; {about['days']:g} days.")
    tables = result["grading"].to_series().to_dict() if "grading" in result.coords else {"": about["grading"]}
    if len(set(tables.values())) > 1:
        of.append("Grades: " + ", ".join(f"{who} by {name}" for who, name in tables.items()) + ".")
    else:
        of.append(f"Grades: {next(iter(tables.values()))}.")
    if bool((result["p_grade3_undosed"] > 0).any()):
        of.append("Without any drug some subjects have that grade: incidence is partly disease.")
    if left_out:
        of.append(f"Not drawn: {left_out} more combinations.")
    style.footer(
        figure,
        style.basis({k: plain(v) if isinstance(v, str) else v for k, v in about.items()}, of, figure.get_figwidth()),
    )
