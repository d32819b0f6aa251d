"""What was believed of each theta, what the data say, and how fast the objective rises beside the estimate."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from scipy.interpolate import pchip_interpolate
from scipy.special import expit, gammaincinv

from myelosim.plots import fit_look as look
from myelosim.plots import style
from myelosim.plots.figures import plain
from myelosim.plots.fit_look import ACROSS, BAND_OF_EDGES, GUIDE, MODEL, TYPICAL
from myelosim.plots.style import styled

ROW = 1.45  # inches
NATURAL: dict[str, Any] = {"log": np.exp, "logit": expit}  # from the scale of the search; others are as they are


@styled
def plot_priors(thetas: pd.DataFrame, *, ax: Any = None) -> np.ndarray:
    """Draw what was believed of each theta and what the fit says: a panel a theta, normal on the scale of its search.

    Parameters
    ----------
    thetas : pandas.DataFrame
        Index: names. ``mean`` and ``sd`` of the estimate and ``prior_mean`` and ``prior_sd``, NaN where there is no prior, all on
        ``scale`` ("log", "logit" or "identity"); ``unit``.
    ax
        See :mod:`myelosim.plots.fit_look`.

    Returns
    -------
    numpy.ndarray
        Axes (theta).
    """
    look.needed(thetas, ["mean", "sd", "prior_mean", "prior_sd", "scale", "unit"], "plot_priors")
    axes, figure = look.in_rows(ax, len(thetas), "plot_priors", ROW)
    for panel, (name, theta) in zip(axes, thetas.iterrows(), strict=True):
        _beliefs(panel, theta)
        _named(panel, str(name), str(theta["unit"]))
        panel.set_yticks([])
        panel.spines["left"].set_visible(False)
        panel.set_ylim(bottom=0.0)
    keys = [
        Patch(color=BAND_OF_EDGES, alpha=0.6, label="prior"),
        Line2D([], [], color=MODEL, label="estimate with its standard error"),
    ]
    look.explain(figure, keys)
    free = int(thetas["prior_sd"].isna().sum())
    look.say(figure, f"{free} of {len(thetas)} have no prior." if free else "")
    return axes


def beliefs(theta: pd.Series) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return curves of ``prior`` and ``estimate``: natural values, and the density on the scale of the search."""
    pairs = {"prior": (theta["prior_mean"], theta["prior_sd"]), "estimate": (theta["mean"], theta["sd"])}
    known = {name: (float(m), float(s)) for name, (m, s) in pairs.items() if np.isfinite([m, s]).all() and s > 0.0}
    if not known:
        return {}
    low, high = min(m - 3.5 * s for m, s in known.values()), max(m + 3.5 * s for m, s in known.values())
    natural = NATURAL.get(str(theta["scale"]), np.asarray)
    curves = {}
    for name, (mean, sd) in known.items():
        x = np.union1d(np.linspace(low, high, 121), mean + sd * np.linspace(-3.5, 3.5, 121))
        curves[name] = natural(x), np.exp(-0.5 * ((x - mean) / sd) ** 2) / (sd * math.sqrt(2.0 * math.pi))
    return curves


def _beliefs(ax: Axes, theta: pd.Series) -> None:
    curves = beliefs(theta)
    if "prior" in curves:
        ax.fill_between(*curves["prior"], color=BAND_OF_EDGES, alpha=0.6, linewidth=0)
    if "estimate" in curves:
        ax.plot(*curves["estimate"], color=MODEL)
    point = float(NATURAL.get(str(theta["scale"]), np.asarray)(theta["mean"]))
    ax.axvline(point, **{**GUIDE, "color": MODEL})
    look.scale(ax, "x", *look.span(*(x for x, _ in curves.values()), np.array([point])), theta["scale"] == "log")


@styled
def plot_profile(
    profile: pd.DataFrame, limits: pd.DataFrame | None = None, *, level: float = 0.95, ax: Any = None
) -> np.ndarray:
    """Draw how much the objective rises when a theta is held beside its estimate and the others are estimated again.

    Where the curve is under the line, the chi-square quantile of one degree of freedom, is the profile interval. The axis of a
    theta whose values span more than a factor of two is logarithmic.

    Parameters
    ----------
    profile : pandas.DataFrame
        ``theta``, ``value``, ``difference`` of the objective from the optimum's; ``unit`` if there is one.
    limits : pandas.DataFrame, optional
        Index: names. ``low``, ``high``, and ``estimate``, drawn upright; NaN where the interval is open.
    level : float
        Of the interval.
    ax
        See :mod:`myelosim.plots.fit_look`.

    Returns
    -------
    numpy.ndarray
        Axes (theta).
    """
    look.needed(profile, ["theta", "value", "difference"], "plot_profile")
    names = list(dict.fromkeys(profile["theta"].tolist()))
    axes, figure = look.in_rows(ax, len(names), "plot_profile", ROW)
    height = 2.0 * float(gammaincinv(0.5, level))
    line: dict[str, Any] = {"color": TYPICAL, "linestyle": "--", "linewidth": 0.8}
    for k, (panel, name) in enumerate(zip(axes, names, strict=True)):
        own = profile[profile["theta"] == name].sort_values("value")
        values = own["value"].to_numpy(float)
        panel.axhline(height, **line)
        panel.plot(values, own["difference"], color=MODEL, marker="o", markersize=2, linestyle="")
        if limits is not None and name in limits.index:
            for edge in ("low", "estimate", "high"):
                panel.axvline(limits.loc[name, edge], linestyle="-" if edge == "estimate" else ":", **GUIDE)
        panel.plot(*between(values, own["difference"].to_numpy(float)), color=MODEL)
        low, high = look.span(values)
        look.scale(panel, "x", low, high, 0.0 < 2.0 * low < high)
        panel.set_ylim(min(-0.1, 1.05 * look.span(own["difference"].to_numpy(float))[0]), 2.2 * height)
        _named(panel, str(name), str(own["unit"].iloc[0]) if "unit" in own.columns else "")
        if k % ACROSS == 0:
            panel.set_ylabel("Objective over\nthe optimum's")
    keys = [
        Line2D([], [], color=MODEL, marker="o", markersize=2, label="profile"),
        Line2D([], [], label=f"{height:.2f}: under it is the {100 * level:g} % interval", **line),
    ]
    if limits is not None:
        keys.append(Line2D([], [], label="estimate (dotted: interval)", **{**GUIDE, "linewidth": 0.9}))
    look.explain(figure, keys)
    return axes


def between(values: np.ndarray, rise: np.ndarray, points: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Return a curve through the places of a profile, whose root is nearly a straight line to either side of the lowest.

    Examples
    --------
    >>> between(np.array([-2.0, 0.0, 1.0]), np.array([4.0, 0.0, 1.0]), 7)[1].round(9).tolist()
    [4.0, 2.25, 1.0, 0.25, 0.0, 0.25, 1.0]
    """
    known = np.isfinite(rise)
    x, y = values[known], rise[known]
    if x.size < 2:
        return x, y
    k = int(np.argmin(y))
    root = np.sqrt(y - y[k]) * np.where(np.arange(x.size) < k, -1.0, 1.0)
    fine = np.linspace(x[0], x[-1], points)
    return fine, y[k] + pchip_interpolate(x, root, fine) ** 2


def _named(ax: Axes, name: str, unit: str) -> None:
    """Name a theta above, where its points let it break, and its unit below."""
    ax.set_title(look.broken(name, style.inches(ax)))
    ax.set_xlabel("" if unit in ("", "1") else plain(style.UNITS.get(unit, unit)))
    style.dress(ax)
