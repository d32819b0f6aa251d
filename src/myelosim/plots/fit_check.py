"""Visual predictive checks."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from myelosim.plots import fit_look as look
from myelosim.plots import style
from myelosim.plots.figures import plain
from myelosim.plots.fit_look import BAND_OF_EDGES, BAND_OF_MIDDLE, DOT, MODEL, Units
from myelosim.plots.style import styled

HEIGHT, BELOW_HEIGHT = 2.0, 0.8  # inches
POINT: dict[str, Any] = {"markersize": 1.9, "color": "#505050", "alpha": 0.45}


@styled
def plot_visual_check(
    check: xr.Dataset, *, observable: str | None = None, units: Units = None, ax: Any = None
) -> np.ndarray:
    """Draw a visual predictive check, a column a group, and the share below the limit of quantification, where there are limits.

    Lines are quantiles of the observations in each bin, bands hold those of the simulations, at a bin's median time; bands go on
    level to the ends of the outer bins. A quantile that depends on censored values is not drawn. Dots are observations, triangles
    those beyond a limit, at it.

    Parameters
    ----------
    check : xarray.Dataset
        From :func:`myelosim.fitting.diagnostics.visual_check`, prediction-corrected or not.
    observable : str, optional
        Of what the check is, where its groups are not observables.
    units, ax
        See :mod:`myelosim.plots.fit_look`.

    Returns
    -------
    numpy.ndarray
        Axes (panel, group).
    """
    grouped = "group" in check.dims
    groups = [str(group) for group in check["group"].to_numpy()] if grouped else [observable or ""]
    limited = "below_observed" in check
    heights = [HEIGHT, BELOW_HEIGHT] if limited else [HEIGHT]
    axes, figure = look.panels(
        ax, (len(heights), len(groups)), "plot_visual_check", 0.75 + sum(heights), height_ratios=heights, sharex="col"
    )
    for k, group in enumerate(groups):
        own = check.isel(group=k) if grouped else check
        rows = check["value_group"].to_numpy().astype(str) == group if grouped else np.ones(check.sizes["row"], bool)
        _draw(axes[:, k], own.isel(row=np.flatnonzero(rows)).dropna("bin", subset=["time"]), observable or group)
        named = look.label(observable or group, units)
        if grouped and observable is not None:
            axes[0, k].set_title(plain(group))
        if not grouped or observable is None or k == 0:
            axes[0, k].set_ylabel(named + "\nprediction-corrected" * bool(check.attrs["prediction_corrected"]))
    look.explain(figure, _keys(check))
    hidden = bool((check["observed"].isnull() & check["time"].notnull()).any())
    look.say(
        figure,
        f"{check.attrs['simulations']} simulations of the study.",
        "A quantile that depends on censored values is not drawn." if hidden else "",
        "Numbers of a bin of several days stand at their median." if (check["end"] > check["start"]).any() else "",
    )
    return axes


def _draw(panels: np.ndarray, own: xr.Dataset, observable: str) -> None:
    unit, called = look.clock(own["value_time"].to_numpy())
    days, values = own["time"].to_numpy() / unit, own["value"].to_numpy()
    simulated, observed = own["simulated"].transpose("quantile", "bin", "band").to_numpy(), own["observed"].to_numpy()
    top = panels[0]
    look.scale(top, "y", *look.span(values, simulated), look.logarithmic(observable, values, simulated))
    look.time_axis(top, *look.span(own["value_time"].to_numpy() / unit))
    look.dots(top, own["value_time"].to_numpy() / unit, values, own["value_censored"].to_numpy(), **POINT)
    where, of = _reach(own, unit, top)
    for k, middle in enumerate(_middle(own)):
        band = simulated[k][of]
        top.fill_between(where, band[:, 0], band[:, 2], color=_color(middle), alpha=0.45, linewidth=0)
        top.plot(where, band[:, 1], color=MODEL, linewidth=0.5)
        _seen(top, days, observed[k], "-" if middle else "--")
    if len(panels) > 1 and own["below_observed"].isnull().all():
        panels[1].set_visible(False)
        panels = panels[:1]
    if len(panels) > 1:
        shares = own["below_simulated"].transpose("bin", "band").to_numpy()[of]
        panels[1].fill_between(where, shares[:, 0], shares[:, 2], color=BAND_OF_MIDDLE, alpha=0.45, linewidth=0)
        panels[1].plot(where, shares[:, 1], color=MODEL, linewidth=0.5)
        _seen(panels[1], days, own["below_observed"].to_numpy(), "-")
        panels[1].set_ylim(-0.03, max(0.2, 1.08 * look.span(shares, own["below_observed"].to_numpy())[1]))
        panels[1].set_ylabel("Below\nlimit")
        panels[1].yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0, symbol=" %"))
    panels[-1].set_xlabel(called)
    for panel in panels:
        style.dress(panel)
        panel.tick_params(labelbottom=panel is panels[-1])


def _reach(own: xr.Dataset, unit: float, ax: Axes) -> tuple[np.ndarray, np.ndarray]:
    """Return where bands are drawn, and of which bin: to the ends of the outer bins, and a single time is a bar."""
    first, *days, last = (
        hours / unit for hours in (own["start"][0].item(), *own["time"].to_numpy(), own["end"][-1].item())
    )
    if first == last:
        low, high = ax.get_xlim()
        first, last = first - 0.05 * (high - low), last + 0.05 * (high - low)
    return np.array([first, *days, last]), np.clip(np.arange(len(days) + 2) - 1, 0, len(days) - 1)


def _middle(own: xr.Dataset) -> list[bool]:
    return [bool(abs(q - 0.5) < 1e-9) for q in own["quantile"].to_numpy()]


def _color(middle: bool) -> str:
    return BAND_OF_MIDDLE if middle else BAND_OF_EDGES


def _seen(ax: Axes, days: np.ndarray, values: np.ndarray, line: str) -> None:
    ax.plot(days, values, color="black", linestyle=line, linewidth=1.0, marker="o", markersize=1.8, zorder=4)


def _keys(check: xr.Dataset) -> list[Any]:
    middles = _middle(check)
    said = [f"{100.0 * q:g}" for q, middle in zip(check["quantile"].to_numpy(), middles, strict=True) if not middle]
    edges = " and ".join(filter(None, [", ".join(said[:-1]), *said[-1:]])) + " % quantile" + "s" * (len(said) > 1)
    share = f"{100.0 * check.attrs['interval']:g} % of simulations"
    keys = look.dot_keys(check["value_censored"].to_numpy())
    keys[0] = Line2D([], [], **{**DOT, **POINT, "alpha": 1.0}, label="observation")
    if any(middles):
        keys += [
            Line2D([], [], color="black", linewidth=1.0, label="observed median"),
            Patch(color=BAND_OF_MIDDLE, alpha=0.45, label=f"median of {share}"),
        ]
    if said:
        keys += [
            Line2D([], [], color="black", linestyle="--", linewidth=1.0, label=f"observed {edges}"),
            Patch(color=BAND_OF_EDGES, alpha=0.45, label=f"the same of {share}"),
        ]
    return keys
