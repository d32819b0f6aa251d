"""What shows whether a fit can be believed, computed from it: residuals, simulations of the study, and checks against these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.fitting import diagnostics
from myelosim.fitting.diagnostics.bins import Bins
from myelosim.linearize import Predictions
from myelosim.random import normals

if TYPE_CHECKING:
    from myelosim.fitting.result import Fit

TOGETHER = 100_000  # predictions of rows that are in memory at a time


@dataclass(frozen=True)
class Predicted:
    """Predictions of the rows at the subjects' etas, with their derivatives, and of the typical subject."""

    individual: Predictions
    population: np.ndarray


def predicted(fit: Fit) -> Predicted:
    """Predict every observation of a fit."""
    predictor, beta = fit.problem.predictor, fit.point.beta
    own = predictor.differentiate(beta, fit.b, random_only=True)
    return Predicted(own, predictor.predict(beta, np.zeros_like(fit.b)))


def residuals(fit: Fit, at: Predicted | None = None) -> pd.DataFrame:
    """Put observations beside their predictions and residuals.

    Parameters
    ----------
    fit : Fit
        A fit.
    at : Predicted, optional
        Its predictions, where they are there already.

    Returns
    -------
    pandas.DataFrame
        :func:`myelosim.fitting.diagnostics.fit_table` with ``cpred``, ``cres``, ``cwres``, ``ires``, ``iwres``: residuals on the
        scale on which the scatter is normal.
    """
    at = predicted(fit) if at is None else at
    problem, point, seen = fit.problem, fit.point, fit.study.observations
    f = at.individual.f
    value, variance = problem.likelihood.working(f, point.sigma)
    found = diagnostics.conditional_residuals(
        value, f, at.individual.g @ problem.Z, variance, fit.b, problem.covariance(point), seen.subject, seen.censored
    )
    columns = {str(name): column.to_numpy() for name, column in found.items()}
    return diagnostics.fit_table(fit.study, f, at.population, **columns)


def simulate(fit: Fit, n: int = 500, seed: int = 1) -> np.ndarray:
    """Simulate the study again and again: the same doses and draws, etas and errors drawn anew.

    Parameters
    ----------
    fit : Fit
        A fit.
    n : int
        How many studies.
    seed : int
        Which.

    Returns
    -------
    numpy.ndarray
        (simulation, row), in the rows' units; neither rounded nor censored. NaN where a subject could not be predicted.
    """
    problem, point = fit.problem, fit.point
    rows, effects = len(fit.study.observations), fit.b.shape[1]
    lower = factor(problem.covariance(point))
    f = np.empty((n, rows))
    step = max(1, TOGETHER // max(rows, 1))
    for first in range(0, n, step):
        some = np.arange(first, min(first + step, n))
        drawn = [normals(seed, "eta", n, effects, "study", who, rows=some) for who in range(problem.subjects)]
        b = np.einsum("ef,nkf->nek", lower, np.array(drawn).reshape(problem.subjects, some.size, effects))
        f[some] = problem.predictor.sample(point.beta, b).T
    z = normals(seed, "noise", n, rows, "study")
    return problem.likelihood.simulate(f, point.sigma, z)


def factor(covariance: np.ndarray) -> np.ndarray:
    """Return a matrix whose square is a covariance; zero variances are allowed."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


@dataclass
class Simulated:
    """Simulations of a fit's study, made once for all checks."""

    fit: Fit
    n: int = 500
    seed: int = 1
    values: np.ndarray = field(init=False)
    limits: np.ndarray = field(init=False)

    def __post_init__(self) -> None:
        seen = self.fit.study.observations
        self.values = simulate(self.fit, self.n, self.seed)
        self.limits = diagnostics.quantification_limits(seen.value, seen.censored, seen.observable)

    def visual_check(
        self, *, corrected: bool = False, bins: Bins = None, quantiles: Sequence[float] = (0.05, 0.5, 0.95)
    ) -> xr.Dataset:
        """Compare quantiles by observable; ``corrected`` for what the typical predictions differ."""
        seen, fit = self.fit.study.observations, self.fit
        typical = fit.problem.predictor.predict(fit.point.beta, np.zeros_like(fit.b)) if corrected else None
        return diagnostics.visual_check(
            seen.time, seen.value, self.values, censored=seen.censored, limits=self.limits, bins=bins, quantiles=quantiles,
            prediction=typical, groups=seen.observable,
        )  # fmt: skip

    def npde(self) -> pd.DataFrame:
        """Place each observation among its simulations; see :func:`myelosim.fitting.diagnostics.npde`."""
        seen = self.fit.study.observations
        return diagnostics.npde(
            seen.value, self.values, seen.subject, censored=seen.censored, limits=self.limits, seed=self.seed
        )


def shrinkage(fit: Fit) -> pd.DataFrame:
    """Return the shrinkage of the etas between subjects, of those who were observed."""
    omega = fit.omega
    seen = np.unique(fit.study.observations.subject)
    return diagnostics.shrinkage(fit.etas.to_numpy()[seen], omega.to_numpy(), list(omega.columns))
