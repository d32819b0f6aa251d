"""The pictures of a fit, as files in a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from myelosim import plots
from myelosim.data.observables import units_of
from myelosim.fitting.checked import Simulated
from myelosim.fitting.curves import curves
from myelosim.fitting.diagnostics import dose_table, eta_correlation, npde_tests
from myelosim.plots.fit_individuals import pages
from myelosim.writing import pictured

if TYPE_CHECKING:
    from myelosim.fitting.result import Fit

SIMULATIONS = 500
DPI = 160
MOST_ERROR = 5.0  # standard error on its scale, over which a value is not known at all
NAMED = 40  # letters of an observable's name in a file's name

Draw = Callable[[], Any]


def draw(fit: Fit, folder: Path, *, profile: pd.DataFrame | None = None, simulations: int = SIMULATIONS) -> list[str]:
    """Draw all pictures of a fit into a folder, with ``profile`` (:meth:`Fit.intervals`) those of its curves, too.

    Returns
    -------
    list of str
        Which could not be drawn, and why.
    """
    folder.mkdir(parents=True, exist_ok=True)
    left_out = []
    drawn = list(_pictures(fit, simulations))
    if profile is not None:
        limits = profile.reset_index().set_index("name")
        drawn.append(
            ("profile", lambda: plots.plot_profile(profile.attrs["curve"], limits, level=profile.attrs["level"]))
        )
    for name, picture in drawn:
        if why := pictured(folder / f"{name}.png", partial(_figure, picture), DPI):
            left_out.append(why)
    return left_out


def _figure(picture: Draw) -> Any:
    return np.ravel(picture())[0].figure


def _pictures(fit: Fit, simulations: int) -> Iterator[tuple[str, Draw]]:
    """Yield names and what draws them."""
    units = units_of(fit.problem.model)
    rows = fit.residuals()
    yield "goodness_of_fit", lambda: plots.plot_goodness_of_fit(rows, units=units)
    yield from _individuals(fit, rows, units)
    if fit.omega.size:
        yield "etas", lambda: _etas(fit)
    simulated = Simulated(fit, simulations, fit.seed)
    yield "vpc", lambda: plots.plot_visual_check(simulated.visual_check(), units=units)
    yield "pcvpc", lambda: plots.plot_visual_check(simulated.visual_check(corrected=True), units=units)
    yield "npde", lambda: _npde(simulated, rows, units)
    if fit.problem.estimation.thetas:
        yield "priors", lambda: plots.plot_priors(beliefs(fit))
    if len(fit.history) and "objective" in fit.history:
        own = fit.history.assign(
            start=fit.history.get("start", 1), iteration=fit.history.get("iteration", fit.history.index)
        )
        yield "objective", lambda: plots.plot_objective(own)
    if len(fit.starts) > 1:
        yield "starts", lambda: plots.plot_starts(fit.starts)


def _individuals(fit: Fit, rows: pd.DataFrame, units: dict[str, str]) -> Iterator[tuple[str, Draw]]:
    lines, doses = cache(partial(curves, fit)), dose_table(fit.study)
    for observable in fit.study.observables:
        own = rows[rows["observable"] == observable]
        for page in range(1, pages(own) + 1):
            last = f"_{page}" if pages(own) > 1 else ""

            def picture(observable: str = observable, page: int = page, own: pd.DataFrame = own) -> Any:
                return plots.plot_individual_fits(own, lines(), doses, observable=observable, page=page, units=units)

            yield f"individuals_{observable[:NAMED]}{last}", picture


def _etas(fit: Fit) -> Any:
    etas = fit.etas.iloc[np.unique(fit.study.observations.subject)]
    omega = fit.omega.to_numpy()
    pairs = eta_correlation(etas.to_numpy(), omega, list(etas.columns))
    return plots.plot_etas(etas, omega, fit.shrinkage, pairs)


def _npde(simulated: Simulated, rows: pd.DataFrame, units: dict[str, str]) -> Any:
    errors = simulated.npde()
    return plots.plot_npde(rows.assign(npde=errors["npde"].to_numpy()), npde_tests(errors["npde"]), units=units)


def beliefs(fit: Fit) -> pd.DataFrame:
    """Return what was believed of each theta and what is known: see :func:`myelosim.plots.plot_priors`."""
    thetas = fit.problem.estimation.thetas
    covariance = fit.covariance
    errors = np.full(len(thetas), np.nan) if covariance is None else np.sqrt(np.diag(covariance)[: len(thetas)])
    errors = np.where(errors < MOST_ERROR, errors, np.nan)
    priors = np.array([(np.nan, np.nan) if theta.prior is None else theta.prior for theta in thetas]).reshape(-1, 2)
    return pd.DataFrame(
        {
            "mean": fit.point.beta, "sd": errors, "prior_mean": priors[:, 0], "prior_sd": priors[:, 1],
            "scale": [theta.scale for theta in thetas], "unit": [theta.unit for theta in thetas],
        },
        index=[theta.name for theta in thetas],
    )  # fmt: skip
