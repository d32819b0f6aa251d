"""What a fit found."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.data.observables import units_of
from myelosim.data.study import Study
from myelosim.fitting import checked, quantities
from myelosim.fitting.covariance import Covariance
from myelosim.fitting.diagnostics.bins import Bins
from myelosim.fitting.informed import information
from myelosim.fitting.marginal import Integration
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem
from myelosim.fitting.save import save
from myelosim.fitting.summary import summary
from myelosim.fitting.warning import FitWarning
from myelosim.spec.fitted import fitted, said
from myelosim.spec.model import Model
from myelosim.spec.scale import from_scale

LEVEL = 0.9  # of the intervals in tables


@dataclass
class Fit:
    """A fitted model, with how it was found.

    ``objective`` is -2 log L without n log(2 pi), priors' part included; ``x`` the vector of :class:`Parameters`; ``b`` the modes
    of the random effects (subject, effect). ``starts`` is one row per starting point, ``history`` one per iteration of each.
    ``options`` are the method's own, and ``integration`` says how well the objective is known where it is an integral.
    """

    problem: Problem
    method: str
    objective: float
    x: np.ndarray
    b: np.ndarray
    converged: bool = True
    why: str = ""
    warnings: tuple[FitWarning, ...] = ()
    starts: pd.DataFrame = field(default_factory=pd.DataFrame)
    history: pd.DataFrame = field(default_factory=pd.DataFrame)
    uncertainty: Covariance | None = None
    seed: int = 1
    seconds: float = 0.0
    options: Mapping[str, int] = field(default_factory=dict)
    integration: Integration | None = None
    posterior: Any = None  # an xarray.DataTree of samples, where they were drawn

    @property
    def searched(self) -> bool:
        """Whether the estimates were looked for, and are not only where an objective was asked for."""
        return len(self.starts) > 0 or len(self.history) > 0 or self.uncertainty is not None

    @property
    def covariance(self) -> np.ndarray | None:
        """Covariance matrix of the vector, (parameter, parameter); none where it was not asked for."""
        return None if self.uncertainty is None else self.uncertainty.matrix

    @property
    def reported(self) -> list[quantities.Quantity]:
        """What is reported of the estimates, omegas as variances and as standard deviations."""
        return quantities.quantities(self.problem.parameters, units_of(self.problem.model))

    @property
    def table(self) -> pd.DataFrame:
        """Estimates with their standard errors.

        One row a quantity: ``name``, ``kind`` ("theta", "omega", "occasion", "sigma"), ``estimate``, ``se`` (delta method), ``rse``
        (percent), ``low`` and ``high`` of the Wald interval at the level in ``attrs``, ``unit``, ``scale``. An omega is there
        twice: as "variance" and as "sd" (as "covariance" and "correlation" where it is that of two etas). Without a
        covariance matrix the errors are NaN.
        """
        return quantities.table(self.reported, self.problem.parameters, self.x, self.covariance, LEVEL)

    def intervals(
        self, method: str = "wald", level: float = LEVEL, parameters: Sequence[str] | None = None, seed: int | None = None,
        **options: Any,
    ) -> pd.DataFrame:  # fmt: skip
        """Return intervals of the estimates.

        Parameters
        ----------
        method : {"wald", "profile", "sir", "bootstrap"}
            Wald takes standard errors on the scale of the search (of omegas, logarithms; of correlations, Fisher's z). Profile
            finds where the objective, minimized over the other parameters, is a chi-square quantile over its optimum; with
            ``adjusted`` the density that SIR samples stands for the objective, which is better for few subjects: variances
            of etas are then not estimated too low, nor as zero. SIR samples and weighs by the objective; options
            ``samples``, ``rounds``. Bootstrap fits again; options ``kind``
            ("case" or "parametric"), ``replicates``, ``strata``, ``folder`` (to go on with), ``processes``.
        level : float
            Chance that an interval holds the truth, as far as the method goes.
        parameters : sequence of str, optional
            Names as in the index; all by default. Profiles are of what is one entry of the vector: no part of a block.
        seed : int, optional
            Of SIR and bootstrap; the fit's own by default.

        Returns
        -------
        pandas.DataFrame
            Index ``name``: thetas, ``omega <name>`` (a variance), ``omega <name>, <name>`` (a covariance), sigmas. ``low``,
            ``estimate``, ``high`` in natural units; 0 or infinite where the data set no bound. ``attrs``: ``method``,
            ``level``; of profiles ``curve`` (rows for ``plot_profile``), ``unbounded``, ``better`` (by how much a lower objective
            was met); of SIR ``effective`` and ``degrees`` by round; of the bootstrap ``replicates``, ``failed``, ``why``.

        Raises
        ------
        SpecError
            The method, a name or the level is not possible.
        ConvergenceError
            SIR ended with a few draws that hold all the weight, or no replicate could be fitted.
        """
        from myelosim.fitting.intervals import intervals

        return intervals(self, method, level, parameters, seed, **options)

    @property
    def study(self) -> Study:
        """The data."""
        return self.problem.study

    @property
    def point(self) -> Point:
        """The estimates on their scales."""
        return self.problem.parameters.unpack(self.x)

    @property
    def theta(self) -> Mapping[str, float]:
        """Fixed effects by name, in their units."""
        thetas = self.problem.estimation.thetas
        return {t.name: float(from_scale(x, t.scale)) for t, x in zip(thetas, self.point.beta, strict=True)}

    @property
    def omega(self) -> pd.DataFrame:
        """Variances and covariances of the etas on their scales, (eta, eta)."""
        names = list(self.problem.estimation.omega.names)
        return pd.DataFrame(self.point.omega, index=names, columns=names)

    @property
    def occasion(self) -> pd.DataFrame:
        """Those of the etas of occasions."""
        names = list(self.problem.estimation.occasion.names)
        return pd.DataFrame(self.point.occasion, index=names, columns=names)

    @property
    def sigma(self) -> Mapping[str, float]:
        """Terms of the residual errors."""
        return {s.name: float(v) for s, v in zip(self.problem.estimation.sigmas, self.point.sigma, strict=True)}

    @property
    def etas(self) -> pd.DataFrame:
        """The most likely etas of each subject, (subject, eta)."""
        names = list(self.problem.estimation.omega.names)
        return pd.DataFrame(self.b[:, : len(names)], index=list(self.study.subjects), columns=names)

    @property
    def shrinkage(self) -> pd.DataFrame:
        """How far each eta is shrunk; see :func:`myelosim.fitting.diagnostics.shrinkage`."""
        return checked.shrinkage(self)

    def residuals(self) -> pd.DataFrame:
        """Put observations beside predictions and residuals; see :func:`myelosim.fitting.checked.residuals`."""
        return checked.residuals(self)

    def simulate(self, n: int = 500, seed: int = 1) -> np.ndarray:
        """Simulate the study again and again, (simulation, row); see :func:`myelosim.fitting.checked.simulate`."""
        return checked.simulate(self, n, seed)

    def visual_check(
        self, n: int = 500, seed: int = 1, *, corrected: bool = False, bins: Bins = None,
        quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    ) -> xr.Dataset:  # fmt: skip
        """Compare quantiles of what was seen with those of ``n`` simulations (VPC), ``corrected`` for prediction (pcVPC)."""
        return checked.Simulated(self, n, seed).visual_check(corrected=corrected, bins=bins, quantiles=quantiles)

    def npde(self, n: int = 1000, seed: int = 1) -> pd.DataFrame:
        """Return normalized prediction distribution errors by row; see :func:`myelosim.fitting.diagnostics.npde`."""
        return checked.Simulated(self, n, seed).npde()

    def summary(self) -> str:
        """Say in plain text what was found, how sure, how the search went, what speaks against it and what was assumed."""
        return summary(self)

    def save(
        self, folder: str | os.PathLike[str], *, figures: bool = True, about: Mapping[str, Any] | None = None,
        intervals: Mapping[str, pd.DataFrame] | None = None, overwrite: bool = False,
    ) -> list[Path]:  # fmt: skip
        """Write the fit into a folder, whole or not at all; see :func:`myelosim.fitting.save.save`."""
        return save(self, Path(folder), figures=figures, about=about, intervals=intervals, overwrite=overwrite)

    def __str__(self) -> str:
        return self.summary()

    @property
    def cov(self) -> pd.DataFrame | None:
        """Covariance matrix of the estimates: thetas on their scales, omegas' factors and sigmas as logarithms."""
        if self.covariance is None:
            return None
        names = list(self.problem.parameters.names)
        return pd.DataFrame(self.covariance, index=names, columns=names)

    @cached_property
    def information(self) -> pd.DataFrame | None:
        """Information of data and priors, named as ``fim`` of a design, for whose ``prior`` it is; see :mod:`.informed`.

        None where the covariance was not asked for, or is not known.
        """
        if self.covariance is None or not np.all(np.isfinite(self.covariance)):
            return None
        return information(self.problem, self.x, self.covariance)

    @cached_property
    def model(self) -> Model:
        """The fitted model; evidence "fitted"."""
        study, thetas = self.study, len(self.problem.estimation.thetas)
        covariance = None if self.covariance is None else self.covariance[:thetas, :thetas]
        observed = int(np.unique(study.observations.subject).size)
        return fitted(
            self.problem.model, self.problem.estimation, theta=list(self.theta.values()), omega=self.point.omega,
            sigma=self.point.sigma.tolist(), source=said(self.method, study.digest, observed, len(study.observations)),
            occasion=self.point.occasion, covariance=covariance, given=tuple(study.values), dosed=study.dosed,
        )  # fmt: skip
