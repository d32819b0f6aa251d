"""How every picture looks: colors, letters, labels, grade bands, and the line below that says what it rests on."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from string import ascii_uppercase
from typing import Any, ParamSpec, TypeVar

import matplotlib
import numpy as np
import xarray as xr
from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure, FigureBase
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from myelosim.errors import SpecError
from myelosim.grading import GRADES
from myelosim.plots.figures import OF_BASELINE, grading_of, subjects

STYLE = "myelosim.plots.myelosim"
WIDTH = 7.0  # inches: two columns of most journals
INK = "#08306b"  # counts: dark blue, which stands out from every grade's color in print and to the color-blind
GRADE_COLORS = ("#f4f4f4", "#fdd9b0", "#fc9f5b", "#d9482b", "#7f0d1c")
BAND_COLORS = ("#ffffff", "#fef2e3", "#fddfc2", "#f4bfae", "#dba8a6")  # the same, paler: what lies behind counts
GRADE_INKS = ("#404040", "#404040", "#202020", "white", "white")
DRUG_COLORS = ("#404040", "#56B4E9", "#CC79A7", "#009E73")
ARM_LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)))
ARM_MARKERS = "osD^vP*X"
NAMES = {"neutrophil": "Neutrophils", "platelet": "Platelets", "leukocyte": "Leukocytes", "hemoglobin": "Hemoglobin"}
UNITS = {"10^9/L": "10$^9$/L", "10^12/L": "10$^{12}$/L"}
NOTE: dict[str, Any] = {"ha": "left", "fontsize": 5, "color": "#404040", "linespacing": 1.25}
DAYS = "Elapsed days"
LINEAR = ("hemoglobin",)
ACROSS = 42  # characters that fit under a third of the width
TITLES = 84  # characters that fit across the whole of it

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


def dress(ax: Axes) -> None:
    """Fix the ticks' looks: ticks made later, when the figure is saved, would take the caller's style."""
    rc: Any = matplotlib.rcParams
    for axis in ("x", "y"):
        for which in ("major", "minor"):
            ax.tick_params(
                axis=axis, which=which, length=rc[f"{axis}tick.{which}.size"], width=rc[f"{axis}tick.{which}.width"],
                labelsize=rc[f"{axis}tick.labelsize"], pad=2,
            )  # fmt: skip


def arm_labels(result: xr.Dataset) -> list[str]:
    """Return the arms' names where they are short and few, else letters."""
    names = [str(name) for name in result["arm"].to_numpy()]
    return names if len(names) * max(map(len, names)) <= ACROSS else list(letters(len(names)))


def arm_titles(result: xr.Dataset) -> list[str]:
    """Return letters and names where there is room for both, as above a column."""
    names, labels = [str(name) for name in result["arm"].to_numpy()], arm_labels(result)
    room = len(names) * (max(map(len, names)) + 3) <= TITLES
    return [f"{k}: {name}" for k, name in zip(labels, names, strict=True)] if room and names != labels else labels


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


def count_label(result: xr.Dataset, lineage: str) -> str:
    """Return the name of a lineage with its unit."""
    unit = str(result["units"].sel(lineage=lineage).item()) if "units" in result.coords else ""
    named = NAMES.get(lineage, lineage)
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
    ax.set_ylim(max(min(low, floor), floor / 10.0) * 0.9, high * 1.15)
    bottom, top = ax.get_ylim()
    steps = (1.0, 2.0, 5.0) if top / bottom < 150.0 else (1.0,)
    ticks = [s * 10.0**e for e in range(-4, 5) for s in steps if bottom <= s * 10.0**e <= top]
    ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def day_axis(ax: Axes, last: float, most: int = 5) -> None:
    """Scale the x axis: elapsed days, ticked in weeks where that is not too many."""
    step = next((s for s in (1, 2, 7, 14, 28, 56, 84, 112, 168, 364) if last / s <= most), 728)
    ax.set_xlim(0.0, last)
    ax.xaxis.set_major_locator(FixedLocator(np.arange(0.0, last + 1e-9, step).tolist()))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def grade_bands(ax: Axes, limits: np.ndarray, numbers: bool = True) -> None:
    """Shade where each grade lies, and print its number at the right edge. The y limits must be set before."""
    bottom, top = ax.get_ylim()
    edges = [*limits, np.nan]
    for value in GRADES:
        upper = edges[value - 1]
        if np.isnan(upper):
            continue
        worse = [edge for edge in edges[value:] if not np.isnan(edge)]
        lower = max(worse[0] if worse else bottom, bottom)
        upper = min(upper, top)
        if upper <= lower:
            continue
        ax.axhspan(lower, upper, color=BAND_COLORS[value], linewidth=0, zorder=0)
        middle = 0.5 * (lower + upper) if ax.get_yscale() == "linear" else float(np.sqrt(lower * upper))
        if numbers:
            ax.annotate(
                str(value), (1.0, middle), xycoords=("axes fraction", "data"), xytext=(1.5, 0), textcoords="offset points",
                ha="left", va="center", fontsize=5, color="#7f0d1c", annotation_clip=False,
            )  # fmt: skip


def note(result: xr.Dataset, width: float, first: Sequence[str] = ()) -> str:
    """Return what a picture must say about itself, wrapped to a width in inches: first what stands on lines of its own."""
    about = result.attrs
    said = ["ILLUSTRATIVE, not data."] if about.get("illustrative") else []
    said += [subjects_said(result), f"{DAYS}: study day d1 is day 0. Grades: {grading_of(result).title}."]
    assumed = int(about.get("assumed_parameters", 0))
    if assumed:
        said.append(f"{assumed} of the model's parameters are assumed, not estimated.")
    for line in filter(None, str(about.get("warnings", "")).splitlines()):
        said.append(line if line[-1] in ".!?" else f"{line}.")
    said.append(str(about.get("note", "")))
    parts = [*first, " ".join(filter(None, said))]
    lines = [line for part in parts for line in textwrap.wrap(part.replace("$", r"\$"), int(width * 27))]
    return "\n".join(lines)


def subjects_said(result: xr.Dataset) -> str:
    """Return how many subjects there are; arms may have groups of their own size."""
    sizes = subjects(result)
    if len(set(sizes)) > 1:
        return f"Virtual subjects by arm: {', '.join(map(str, sizes))}."
    if sizes[0] == 1:
        return "One subject."
    return f"{sizes[0]} virtual subjects" + (" per arm, the same in every arm." if len(sizes) > 1 else ".")


def footer(figure: FigureBase, text: str) -> None:
    """Put a note below everything else."""
    figure.supxlabel(text, x=0.005, **NOTE)


def arm_key(result: xr.Dataset) -> list[str]:
    """Return what the letters stand for, where arms are lettered."""
    names = [str(name) for name in result["arm"].to_numpy()]
    labels = arm_labels(result)
    if labels == names:
        return []
    # A no-break space keeps a name on one line.
    return ["; ".join(f"{k}: {name}".replace(" ", "\u00a0") for k, name in zip(labels, names, strict=True)) + "."]


def grade_legend(figure: FigureBase, result: xr.Dataset, lineage: str, loc: Any = "outside upper center") -> None:
    """Name the grades; those without a number in the table are left out."""
    limits = result["grade_limit"].sel(lineage=lineage).to_numpy()
    there = [0, *(g for g in GRADES if not np.isnan(limits[g - 1]))]
    keys = [Patch(facecolor=GRADE_COLORS[g], edgecolor="#909090", linewidth=0.3, label=f"grade {g}") for g in there]
    figure.legend(handles=keys, loc=loc, ncols=len(keys))
