"""How individual estimates are distributed, against what the model says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from myelosim.errors import SpecError
from myelosim.plots import fit_look as look
from myelosim.plots import style
from myelosim.plots.fit_look import BAND_OF_EDGES, DOT, GUIDE, MODEL
from myelosim.plots.style import styled

# Shrinkage from which on individual etas are correlated by what they were shrunk by: Savic and Karlsson 2009.
MOST = 0.3


@styled
def plot_etas(
    etas: pd.DataFrame,
    omega: np.ndarray,
    shrinkage: pd.DataFrame,
    correlation: pd.DataFrame | None = None,
    *,
    ax: Any = None,
) -> np.ndarray:
    """Draw individual etas: each with the normal distribution of the model, and each pair.

    On the diagonal a histogram, the density of the fitted normal, and the shrinkage; below it a dot a subject; above it the
    correlation, with the model's in parentheses, but not of an eta that is shrunk by more than 30 %.

    Parameters
    ----------
    etas : pandas.DataFrame
        A column an eta, a row a subject.
    omega : array (E, E)
        Their covariance in the model.
    shrinkage : pandas.DataFrame
        From :func:`myelosim.fitting.diagnostics.shrinkage`.
    correlation : pandas.DataFrame, optional
        From :func:`myelosim.fitting.diagnostics.eta_correlation`; without it there is nothing above the diagonal.
    ax
        See :mod:`myelosim.plots.fit_look`.

    Returns
    -------
    numpy.ndarray
        Axes (eta, eta).

    Raises
    ------
    SpecError
        There is no eta, or tables are not of as many.
    """
    names, spreads = [str(name) for name in etas.columns], np.sqrt(np.diagonal(np.asarray(omega, float)))
    count = len(names)
    if not count or {len(spreads), len(shrinkage)} != {count}:
        raise SpecError(
            f"plot_etas: {count} etas, a covariance of {len(spreads)} and shrinkage of {len(shrinkage)}; give all of the same etas"
        )
    side = min(1.6, style.WIDTH / count) if count > 1 else 2.0
    axes, figure = look.panels(ax, (count, count), "plot_etas", 0.6 + side * count)
    values, shares = etas.to_numpy(float), shrinkage["sd"].to_numpy(float)
    for k, name in enumerate(names):
        _own(axes[k, k], values[:, k], float(spreads[k]))
        axes[k, k].set_title(
            "" if np.isnan(shares[k]) else f"shrinkage {100.0 * shares[k]:z.0f} %".replace("-", "\N{MINUS SIGN}")
        )
        for j in range(k):
            _pair(axes[k, j], values[:, j], values[:, k])
            _said(axes[j, k], correlation, names[j], name, shrunk=bool((shares[[j, k]] > MOST).any()))
    _sides(axes, names)
    keys = [
        Patch(color=BAND_OF_EDGES, label="subjects"),
        Line2D([], [], color=MODEL, label="the model's normal distribution"),
        Line2D([], [], **{**DOT, "alpha": 1.0}, label="subject"),
    ]
    look.explain(figure, keys if count > 1 else keys[:2])
    said = ""
    if correlation is not None and count > 1:
        said = "Above the diagonal: correlation of individual etas, and the model's."
        said += f" Shrunk: by more than {100.0 * MOST:.0f} %, and a correlation would mean little." * bool(
            (shares > MOST).any()
        )
    look.say(figure, f"{len(etas)} subjects. Shrinkage is 1 - SD(eta) / omega.", said)
    return axes


def _own(ax: Axes, values: np.ndarray, spread: float) -> None:
    reach = max(3.0 * spread, np.abs(values[np.isfinite(values)]).max(initial=0.0)) or 1.0
    look.histogram(ax, values, reach, spread, (5, 20))
    ax.axvline(0.0, **GUIDE)
    ax.set_xlim(-reach, reach)
    style.dress(ax)


def _pair(ax: Axes, x: np.ndarray, y: np.ndarray) -> None:
    ax.axvline(0.0, **GUIDE)
    ax.axhline(0.0, **GUIDE)
    ax.plot(x, y, **DOT)
    style.dress(ax)


def _said(ax: Axes, correlation: pd.DataFrame | None, one: str, other: str, *, shrunk: bool) -> None:
    """Print a correlation where the pair would be a second time."""
    ax.set_axis_off()
    ax.set(xticks=[], yticks=[])
    if correlation is None:
        return
    pair = correlation[(correlation["one"].astype(str) == one) & (correlation["other"].astype(str) == other)]
    for _, row in pair.iterrows():
        found = "–" if np.isnan(row["correlation"]) else f"{row['correlation']:z.2f}\n({row['model']:z.2f})"
        text, color = ("shrunk", "#909090") if shrunk else (found.replace("-", "\N{MINUS SIGN}"), "black")
        ax.text(0.5, 0.5, text, transform=ax.transAxes, ha="center", va="center", fontsize=7, color=color)


def _sides(axes: np.ndarray, names: list[str]) -> None:
    """Give pairs the limits of the histograms, and name etas at the left and below."""
    for panel in axes[np.tril_indices(len(names))]:
        panel.xaxis.set_major_locator(MaxNLocator(2 if len(names) > 3 else 4, steps=[1, 2, 5, 10]))
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}")))
    for k in range(len(names)):
        low, high = axes[k, k].get_xlim()
        for j in range(k):
            axes[k, j].set_xlim(axes[j, j].get_xlim())
            axes[k, j].set_ylim(low, high)
            if j:
                axes[k, j].tick_params(labelleft=False)
        if k < len(names) - 1:
            for j in range(k + 1):
                axes[k, j].tick_params(labelbottom=False)
        if len(names) > 1:
            axes[k, 0].set_ylabel(look.broken(names[k], style.inches(axes[k, 0])))
        axes[-1, k].set_xlabel(look.broken(names[k], style.inches(axes[-1, k])))
