"""How every picture looks: colors, letters, labels, grade bands, and the line below that says what it rests on."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from string import ascii_uppercase
from typing import Any, ParamSpec, TypeVar

import matplotlib
import numpy as np
import xarray as xr
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase, SubFigure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch
from matplotlib.textpath import text_to_path
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from myelosim.errors import SpecError
from myelosim.grading import GRADES
from myelosim.plots.figures import OF_BASELINE, alike, grading_of, plain, subjects

STYLE = "myelosim.plots.myelosim"
WIDTH = 7.0  # inches: two columns of most journals
INK = "#08306b"  # counts: dark blue, which stands out from every grade's color in print and to the color-blind
GRADE_COLORS = ("#f4f4f4", "#fdd9b0", "#fc9f5b", "#d9482b", "#7f0d1c")
BAND_COLORS = ("#ffffff", "#fef2e3", "#fddfc2", "#f4bfae", "#dba8a6")  # the same, paler: what lies behind counts
DRUG_COLORS = ("#404040", "#9e7cc1", "#7fbf7b", "#bf812d")  # none of them an arm's
ARM_LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)))
ARM_MARKERS = "osD^vP*X"
VISIT: dict[str, Any] = {
    "linestyle": "", "marker": "^", "markersize": 2.4, "color": "black", "markerfacecolor": "white", "markeredgewidth": 0.4,
}  # fmt: skip
NAMES = {"neutrophil": "Neutrophils", "platelet": "Platelets", "leukocyte": "Leukocytes", "hemoglobin": "Hemoglobin"}
UNITS = {"10^9/L": "10⁹/L", "10^12/L": "10¹²/L"}
NOTE: dict[str, Any] = {"ha": "left", "fontsize": 5, "color": "#404040", "linespacing": 1.25}
DAYS = "Elapsed days"
LINEAR = ("hemoglobin",)
ACROSS = 33  # characters that fit under a third of the width
DEEPEST = 0.03  # of the limit of the worst grade: what logarithmic axes show at least

P = ParamSpec("P")
R = TypeVar("R")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw in the package's style, whatever the caller's; nothing global is left changed."""

    @wraps(draw)
    def within(*args: P.args, **kwargs: P.kwargs) -> R:
        with style.context(STYLE):
            return draw(*args, **kwargs)

    return within


def canvas(width: float, height: float) -> Figure:
    """Return a new figure that belongs to no window."""
    return Figure(figsize=(width, height), layout="constrained")


def grid(ax: Any, shape: tuple[int, int], name: str) -> np.ndarray:
    """Return the caller's Axes in the shape that is needed.

    Raises
    ------
    SpecError
        There are not as many.
    """
    given = np.atleast_1d(np.asarray(ax, dtype=object))
    if given.size != shape[0] * shape[1]:
        raise SpecError(
            f"{name}: ax has {given.size} Axes; it takes {shape[0]} x {shape[1]}, or none for a figure of its own"
        )
    return np.asarray(given.reshape(shape))


def inches(ax: Axes) -> float:
    """Return how wide Axes are."""
    return float(ax.get_window_extent().width / ax.figure.dpi)


def dress(ax: Axes) -> None:
    """Fix the ticks' looks: ticks made later, when the figure is saved, would take the caller's style."""
    rc: Any = matplotlib.rcParams
    for axis in ("x", "y"):
        for which in ("major", "minor"):
            ax.tick_params(
                axis=axis, which=which, length=rc[f"{axis}tick.{which}.size"], width=rc[f"{axis}tick.{which}.width"],
                labelsize=rc[f"{axis}tick.labelsize"], pad=2,
            )  # fmt: skip


def wrapped(text: str, inches: float, size: float, weight: str = "normal") -> list[str]:
    """Return the lines of a text that is no wider than so many inches at a font size, as measured."""
    font = FontProperties(size=size, weight=weight)

    def fill(line: str) -> float:
        return text_to_path.get_text_width_height_descent(line, font, ismath=False)[0] / (
            70.0 * inches
        )  # rasterized it is up to 2 % wider

    characters = int(1.1 * len(text) / max(fill(text), 0.01)) + 2
    while any(fill(line) > 1.0 for line in textwrap.wrap(text, characters)) and characters > 1:
        characters -= 1
    return textwrap.wrap(text, characters)


def arm_labels(result: xr.Dataset) -> list[str]:
    """Return the arms' names where they are short and few, else letters."""
    names = [str(name) for name in result["arm"].to_numpy()]
    return names if max(3, len(names)) * max(map(len, names)) <= ACROSS else list(letters(len(names)))


def arm_titles(result: xr.Dataset, inches: float) -> list[str]:
    """Return letters and names where two lines of so many inches hold both, as above a column, else the labels."""
    names, labels = [str(name) for name in result["arm"].to_numpy()], arm_labels(result)
    if names == labels:
        return labels
    both = [wrapped(f"{k}: {name}", inches, 7) for k, name in zip(labels, names, strict=True)]
    if max(map(len, both)) > 2:
        return labels
    return ["\n".join(_even(lines)) for lines in both]


def _even(lines: list[str]) -> list[str]:
    """Break two lines anew, so that neither is much shorter than the other."""
    text = " ".join(lines)
    return next(
        again
        for k in range(len(text) // len(lines), len(text) + 1)
        if len(again := textwrap.wrap(text, k)) <= len(lines)
    )


def letters(count: int) -> Iterator[str]:
    """Yield A, B, ... Z, AA, AB, ..."""
    for k in range(count):
        yield (ascii_uppercase[k // 26 - 1] if k >= 26 else "") + ascii_uppercase[k % 26]


def arm_style(k: int) -> dict[str, Any]:
    """Return color, line and marker of the k-th arm: each alone tells arms apart."""
    colors = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    return {
        "color": colors[k % len(colors)],
        "linestyle": ARM_LINES[k % len(ARM_LINES)],
        "marker": ARM_MARKERS[k % len(ARM_MARKERS)],
    }


def lineage_name(lineage: str) -> str:
    """Return what a lineage is called in a picture."""
    return NAMES.get(lineage, plain(lineage))


def count_label(result: xr.Dataset, lineage: str) -> str:
    """Return the name of a lineage with its unit."""
    unit = str(result["units"].sel(lineage=lineage).item()) if "units" in result.coords else ""
    named = lineage_name(lineage)
    between = "\n" if unit == OF_BASELINE else " "
    return f"{named}{between}({UNITS.get(unit, unit)})" if unit else named


def count_axis(ax: Axes, lineage: str, limits: np.ndarray, low: float, high: float, percent: bool = False) -> None:
    """Scale the y axis, wide enough for grade 4 to be seen: logarithmic for cells, linear for hemoglobin and percentages."""
    known = limits[~np.isnan(limits)]
    if percent:
        ax.set_ylim(0.0, 1.05 * max(high, 100.0))
        return
    if lineage in LINEAR:
        bottom = min(low, 0.8 * known.min() if known.size else low)
        ax.set_ylim(max(0.0, bottom - 0.3), high + 0.05 * (high - bottom))
        return
    floor = 0.3 * known.min() if known.size else low / 2.0
    ax.set_yscale("log")
    ax.set_ylim(max(0.9 * min(low, floor), lowest(limits, low)), high * 1.15)
    bottom, top = ax.get_ylim()
    steps = (1.0, 2.0, 5.0) if top / bottom < 150.0 else (1.0,)
    ticks = [s * 10.0**e for e in range(-4, 5) for s in steps if bottom <= s * 10.0**e <= top]
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def lowest(limits: np.ndarray, low: float = 0.0) -> float:
    """Return where a logarithmic axis of counts ends, however deep they fall; ``low`` where no grade has a number."""
    known = limits[~np.isnan(limits)]
    return DEEPEST * float(known.min()) if known.size else 0.45 * low


def day_axis(ax: Axes, last: float, most: int = 5) -> None:
    """Scale the x axis: elapsed days, ticked in weeks where that is not too many."""
    step = next((s for s in (0.1, 0.25, 0.5, 1, 2, 7, 14, 28, 56, 84, 112, 168, 364) if last / s <= most), 728)
    ax.set_xlim(0.0, last)
    ax.xaxis.set_major_locator(FixedLocator(np.arange(0.0, last + 1e-9, step).tolist()))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def grade_bands(ax: Axes, limits: np.ndarray, numbers: bool = True) -> None:
    """Shade where each grade lies, and print its number at the right edge. The y limits must be set before."""
    bottom, top = ax.get_ylim()
    middles: dict[str, float] = {}
    lower = bottom
    for value in GRADES[::-1]:
        upper = min(limits[value - 1], top)
        if upper > lower:
            ax.axhspan(lower, upper, color=BAND_COLORS[value], linewidth=0, zorder=0)
            edges = (ax.transScale + ax.transLimits).transform([(0.0, lower), (0.0, upper)])
            middles[str(value)] = float(edges[:, 1].mean())
            lower = upper
    if numbers and middles:
        _beside(ax, middles)


def _beside(ax: Axes, numbers: dict[str, float]) -> None:
    """Print numbers at the right edge, from below, each at its height or as far from it as it takes to read all, under "grade"."""
    room = 5.5 / 72.0 * ax.figure.dpi / ax.get_window_extent().height
    look: dict[str, Any] = {
        "xycoords": "axes fraction", "textcoords": "offset points", "xytext": (1.5, 0.0), "ha": "left", "fontsize": 5,
        "color": "#7f0d1c", "annotation_clip": False,
    }  # fmt: skip
    ax.annotate("grade", (1.0, 1.0), va="top", **look)
    heights = list(numbers.values())
    for k in range(1, len(heights)):
        heights[k] = max(heights[k], heights[k - 1] + room)
    for k in range(len(heights)):
        heights[-1 - k] = min(heights[-1 - k], 1.0 - (1.5 + k) * room)
    for text, height in zip(numbers, heights, strict=True):
        ax.annotate(text, (1.0, height), va="center", **look)


def note(result: xr.Dataset, width: float, first: Sequence[str] = ()) -> str:
    """Return what a picture must say about itself, wrapped to a width in inches: first what stands on lines of its own."""
    days = f"{DAYS}: study day d1 is day 0. Grades: {plain(grading_of(result).title)}."
    return basis(result.attrs, [subjects_said(result), days], width, first)


def basis(about: Mapping[str, Any], of: Sequence[str], width: float, first: Sequence[str] = ()) -> str:
    """Return what a result rests on, wrapped to a width in inches: what is said ``of`` it, assumptions and warnings."""
    said = ["ILLUSTRATIVE, not data."] if about.get("illustrative") else []
    said += of
    assumed = int(about.get("assumed_parameters", 0))
    if assumed:
        said.append(f"{assumed} of the model's parameters are assumed, not estimated.")
    for line in filter(None, str(about.get("warnings", "")).splitlines()):
        said.append(line if line[-1] in ".!?" else f"{line}.")
    said.append(str(about.get("note", "")))
    parts = [*first, " ".join(filter(None, said))]
    return "\n".join(line for part in parts for line in wrapped(part, width - 0.1, NOTE["fontsize"]))


def subjects_said(result: xr.Dataset) -> str:
    """Return how many subjects there are; arms may have groups of their own size."""
    sizes = subjects(result)
    if len(set(sizes)) > 1:
        return f"Virtual subjects by arm: {', '.join(map(str, sizes))}."
    if alike(result):
        return (
            "One subject." if sizes[0] == 1 else "One typical subject: the model has no variability between subjects."
        )
    return f"{sizes[0]} virtual subjects" + (" per arm, the same in every arm." if len(sizes) > 1 else ".")


def footer(figure: FigureBase, text: str) -> None:
    """Put a note below everything else."""
    figure.supxlabel(text, x=0.005, **NOTE)


def arm_key(result: xr.Dataset, titles: list[str] | None = None) -> list[str]:
    """Return what the letters stand for, where arms are lettered and the titles do not say it."""
    names = [str(name) for name in result["arm"].to_numpy()]
    labels = arm_labels(result)
    if labels == names or (titles or labels) != labels:
        return []
    # A no-break space keeps a name on one line.
    return ["; ".join(f"{k}: {name}".replace(" ", "\u00a0") for k, name in zip(labels, names, strict=True)) + "."]


def legend_rows(keys: list[Any], inches: float) -> int:
    """Return on how many lines of so many inches keys stand beside each other."""
    return math.ceil(sum(20.0 + 3.3 * len(key.get_label()) for key in keys) / (72.0 * inches))


def legend(figure: Figure | SubFigure, keys: list[Any], **where: Any) -> None:
    """Explain what is drawn, once for a figure: above everything, if not said otherwise."""
    columns = math.ceil(len(keys) / legend_rows(keys, figure.bbox.width / figure.dpi)) if keys else 1
    look = {"loc": "outside upper center", "ncols": columns, "columnspacing": 1.0, "handlelength": 1.4}
    figure.legend(handles=keys, **{**look, **where})


def grade_legend(figure: Figure | SubFigure, result: xr.Dataset, lineage: str, **where: Any) -> None:
    """Name the grades; those without a number in the table are left out."""
    limits = result["grade_limit"].sel(lineage=lineage).to_numpy()
    there = [0, *(g for g in GRADES if not np.isnan(limits[g - 1]))]
    keys = [Patch(facecolor=GRADE_COLORS[g], edgecolor="#909090", linewidth=0.3, label=f"grade {g}") for g in there]
    legend(figure, keys, **where)
