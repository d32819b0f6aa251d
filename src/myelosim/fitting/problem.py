"""A model, data and what is estimated, with the sums over subjects that every method needs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from myelosim.data.check import FILE
from myelosim.data.study import Study
from myelosim.fitting.likelihood import Likelihood
from myelosim.fitting.point import Parameters, Point
from myelosim.linearize import Predictor
from myelosim.spec.estimation import Estimation
from myelosim.spec.model import Model


def likelihood_of(study: Study, estimation: Estimation) -> Likelihood:
    """Return how likely what was observed is; raise :class:`DataError` where that is impossible whatever is estimated."""
    seen, est = study.observations, estimation
    rows = seen.row % FILE
    return Likelihood(seen.observable, seen.value, seen.censored, est.residual, est.sigmas, est.blq, rows)


@dataclass
class Problem:
    """What a method is asked to solve.

    ``b`` are the random effects of a subject, between subjects first, then those of each occasion.
    """

    model: Model
    study: Study
    estimation: Estimation
    tolerance: float = 1e-8
    threads: int | None = None
    predictor: Predictor = field(init=False)
    likelihood: Likelihood = field(init=False)
    parameters: Parameters = field(init=False)
    observed: np.ndarray = field(init=False)  # (subject), whether there are observations of it

    def __post_init__(self) -> None:
        self.predictor = Predictor(
            self.model, self.study, self.estimation, tolerance=self.tolerance, threads=self.threads
        )
        seen, est = self.study.observations, self.estimation
        self.likelihood = likelihood_of(self.study, est)
        self.parameters = Parameters(est)
        self._first = np.flatnonzero(np.r_[True, np.diff(seen.subject) != 0]) if len(seen) else np.zeros(0, int)
        self._with_rows = seen.subject[self._first]
        self.observed = np.bincount(seen.subject, minlength=self.subjects) > 0

    @property
    def subjects(self) -> int:
        """Number of subjects, those without observations among them."""
        return len(self.study.subjects)

    @property
    def subject(self) -> np.ndarray:
        """Whose each observation is."""
        return self.study.observations.subject

    @property
    def Z(self) -> np.ndarray:
        """How random effects move the coordinates, (coordinate, effect)."""
        return self.predictor.mixed.Z

    def by_subject(self, rows: np.ndarray) -> np.ndarray:
        """Return the sums over each subject's observations, (subject, ...)."""
        total = np.zeros((self.subjects, *rows.shape[1:]))
        if len(rows):
            total[self._with_rows] = np.add.reduceat(rows, self._first, axis=0)
        return total

    def covariance(self, point: Point) -> np.ndarray:
        """Return the covariance matrix of a subject's random effects."""
        return self.predictor.mixed.covariance(point.omega, point.occasion)

    def omega_changes(self, point: Point) -> list[np.ndarray]:
        """Return the derivatives of that matrix by the free entries of the omegas, then by those of the occasions."""
        between, within = self.parameters.omega_slopes(point)
        covariance, occasion, omega = self.predictor.mixed.covariance, point.occasion * 0.0, point.omega * 0.0
        return [covariance(one, occasion) for one in between] + [covariance(omega, one) for one in within]

    def slope(self, point: Point, each: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient of a whole objective and its expected Hessian, from the subjects' gradients: their cross-product."""
        total, own = each.sum(axis=0), each[self.observed]
        total[: len(point.beta)] += self.prior(point)[1]
        return total, 0.5 * own.T @ own

    def prior(self, point: Point) -> tuple[float, np.ndarray]:
        """Return minus twice the logarithm of the priors' densities, without constants, and its gradient by beta."""
        value, gradient = 0.0, np.zeros(len(point.beta))
        for k, theta in enumerate(self.estimation.thetas):
            if theta.prior is not None:
                z = (point.beta[k] - theta.prior[0]) / theta.prior[1]
                value += z * z
                gradient[k] = 2.0 * z / theta.prior[1]
        return value, gradient
