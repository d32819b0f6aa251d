"""Each subject's observations with the curves of the subject and of the typical one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from myelosim.errors import SpecError
from myelosim.plots import fit_look as look
from myelosim.plots import style
from myelosim.plots.figures import plain
from myelosim.plots.fit_look import ACROSS, MODEL, TYPICAL, Units
from myelosim.plots.style import DRUG_COLORS, styled

PAGE = 5 * ACROSS  # subjects
ROW = 1.35  # inches
TICK = 0.07  # of the height of a panel, for the doses of a drug


def pages(table: pd.DataFrame) -> int:
    """Return how many pages it takes to draw all subjects of a table."""
    return max(1, math.ceil(int(table["subject"].nunique()) / PAGE))


@styled
def plot_individual_fits(
    table: pd.DataFrame,
    curves: pd.DataFrame | None = None,
    doses: pd.DataFrame | None = None,
    *,
    observable: str | None = None,
    page: int = 1,
    units: Units = None,
    ax: Any = None,
) -> np.ndarray:
    """Draw observations of each subject, with its own curve and the typical one: twenty subjects a page.

    All panels have the same axes. Observations beyond a limit of quantification are triangles at that limit; ticks at the bottom
    are doses, one color a drug.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`myelosim.fitting.diagnostics.fit_table`.
    curves : pandas.DataFrame, optional
        ``subject``, ``observable``, ``time`` (h), ``individual``, ``population``, at as many times as make a curve. Default: lines
        join the predictions of the table.
    doses : pandas.DataFrame, optional
        ``subject``, ``time`` (h), ``drug``, from :func:`myelosim.fitting.diagnostics.dose_table`.
    observable : str, optional
        Which; needed where there are several.
    page : int
        From 1 to :func:`pages` of the table.
    units, ax
        See :mod:`myelosim.plots.fit_look`.

    Returns
    -------
    numpy.ndarray
        Axes (subject).

    Raises
    ------
    SpecError
        There is no such page or observable.
    """
    name = "plot_individual_fits"
    look.needed(table, ["subject", "observable", "time", "value", "censored", "individual", "population"], name)
    observable, table = look.of_observable(table, observable, name)
    last = pages(table)
    if not 1 <= page <= last:
        raise SpecError(f"{name}: page {page} of {last}; give one of 1 to {last}")
    lines = table if curves is None else curves[curves["observable"] == observable]
    who = list(dict.fromkeys(table["subject"].tolist()))[PAGE * (page - 1) : PAGE * page]
    axes, figure = look.in_rows(ax, len(who), name, ROW)
    hours = np.concatenate([table["time"].to_numpy(float), lines["time"].to_numpy(float)])
    unit, called = look.clock(hours)
    values = (table["value"].to_numpy(float), lines[["individual", "population"]].to_numpy(float))
    log, (low, high) = look.logarithmic(observable, *values), look.span(*values)
    drugs = [] if doses is None else list(dict.fromkeys(doses["drug"].tolist()))
    room = TICK * len(drugs)
    low = low * (low / high) ** room if log else low - room * (high - low)
    for k, (panel, subject) in enumerate(zip(axes, who, strict=True)):
        look.scale(panel, "y", low, high, log)
        look.time_axis(panel, *look.span(hours / unit))
        _curves(panel, lines[lines["subject"] == subject], unit)
        own = table[table["subject"] == subject]
        days, seen = own["time"].to_numpy(float) / unit, own["value"].to_numpy(float)
        look.dots(panel, days, seen, own["censored"].to_numpy(), alpha=1.0)
        if doses is not None:
            _doses(panel, doses[doses["subject"] == subject], drugs, unit)
        panel.set_title(plain(str(subject)))
        style.dress(panel)
        panel.tick_params(
            labelleft=k % ACROSS == 0 or figure is None, labelbottom=k + ACROSS >= len(who) or figure is None
        )
        if k % ACROSS == 0:
            panel.set_ylabel(look.label(observable, units))
        if k + ACROSS >= len(who):
            panel.set_xlabel(called)
    look.explain(figure, [*look.dot_keys(table["censored"].to_numpy()), *_keys(drugs)])
    look.say(figure, f"Page {page} of {last}." if last > 1 else "")
    return axes


def _curves(ax: Axes, own: pd.DataFrame, unit: float) -> None:
    ordered = own.sort_values("time", kind="stable")
    days = ordered["time"].to_numpy(float) / unit
    ax.plot(days, ordered["population"], color=TYPICAL, linestyle="--", linewidth=0.8)
    ax.plot(days, ordered["individual"], color=MODEL, linewidth=1.0)


def _doses(ax: Axes, own: pd.DataFrame, drugs: list[Any], unit: float) -> None:
    for k, drug in enumerate(drugs):
        days = own.loc[own["drug"] == drug, "time"].to_numpy(float) / unit
        look_of: dict[str, Any] = {"linewidth": 0.6, "color": DRUG_COLORS[k % len(DRUG_COLORS)], "zorder": 1}
        ax.vlines(days, TICK * k, TICK * k + 0.05, transform=ax.get_xaxis_transform(), **look_of)


def _keys(drugs: list[Any]) -> list[Any]:
    tick: dict[str, Any] = {"linestyle": "", "marker": "|", "markersize": 4}
    ticks = [
        Line2D([], [], color=DRUG_COLORS[k % len(DRUG_COLORS)], label=plain(f"dose of {drug}"), **tick)
        for k, drug in enumerate(drugs)
    ]
    return [
        Line2D([], [], color=MODEL, label="individual"),
        Line2D([], [], color=TYPICAL, linestyle="--", linewidth=0.8, label="typical"),
        *ticks,
    ]
