"""The joint posterior density of parameters and random effects, with its exact gradient.

Random effects are not centered: b = z L', L the Cholesky factor of their covariance and z standard normal, so that small
variances make no funnel. The vector is that of :class:`myelosim.fitting.point.Parameters` followed by z, subject by subject.

Every entry has a normal prior on the scale of the vector: a theta its own, or, where it has none, one around its start whose
standard deviation is half the way to the farther end of its range; the logarithm of a diagonal of an omega's factor one around
its start with standard deviation 1 (a factor of 2.7 in the standard deviation of the etas), the other entries of a row over its
diagonal one with standard deviation 0.5; a residual error on its scale one with standard deviation 1. Reference: Betancourt
and Girolami, in Current Trends in Bayesian Methodology with Applications, 2015, chapter 4.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from myelosim.components.residuals.normal import HALF_LOG_TWO_PI
from myelosim.data.study import MEASURED
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem
from myelosim.spec.scale import to_scale

BROAD = 1.0  # standard deviation of logarithms
LOOSE = 0.5  # that of an entry of a factor over its diagonal, which a correlation is tied to
LEAST = 1e-3


@dataclass(frozen=True)
class Believed:
    """Mean and standard deviation of each entry's normal prior; ``usual`` are the thetas whose prior is the usual weak one."""

    mean: np.ndarray
    sd: np.ndarray
    usual: tuple[str, ...]


def believed(problem: Problem) -> Believed:
    """Return the priors of an estimation."""
    parameters, est = problem.parameters, problem.estimation
    mean, sd = parameters.pack(parameters.start), np.full(parameters.size, BROAD)
    usual = []
    for k, theta in enumerate(est.thetas):
        if theta.prior is not None:
            mean[k], sd[k] = theta.prior
            continue
        ends = [abs(float(to_scale(end, theta.scale)) - mean[k]) for end in (theta.low, theta.high)]
        sd[k] = max(*ends, LEAST) / 2
        usual.append(theta.name)
    for part, entries in ((1, parameters.between), (2, parameters.within)):
        for k, entry in enumerate(entries, parameters.parts[part].start):
            if entry.row != entry.column:
                sd[k] = LOOSE
    return Believed(mean, sd, tuple(usual))


@dataclass(frozen=True)
class State:
    """What a vector stands for: random effects ``b`` (subject, effect), predictions and losses of the rows."""

    x: np.ndarray
    b: np.ndarray
    f: np.ndarray
    loss: np.ndarray


@dataclass
class Density:
    """The density of a problem; it keeps what its last run laid out, so threads need one each."""

    problem: Problem
    believed: Believed = field(init=False)

    def __post_init__(self) -> None:
        self.believed = believed(self.problem)

    @property
    def size(self) -> int:
        """Length of the vector."""
        return self.problem.parameters.size + self.problem.subjects * self.problem.predictor.mixed.random

    def split(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the parameters' vector, and z (subject, effect)."""
        size = self.problem.parameters.size
        return q[:size], q[size:].reshape(self.problem.subjects, -1)

    def factor(self, point: Point) -> np.ndarray:
        """Return the Cholesky factor of a subject's random effects."""
        return np.linalg.cholesky(self.problem.covariance(point))

    def join(self, x: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the vector of parameters and random effects."""
        z = np.linalg.solve(self.factor(self.problem.parameters.unpack(x)), b.T).T
        return np.concatenate([x, z.ravel()])

    def value(self, q: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the logarithm of the density, without its constant, and its gradient; minus infinity where there is none."""
        problem = self.problem
        x, z = self.split(q)
        nowhere = -np.inf, np.zeros(len(q))
        with np.errstate(all="ignore"):
            point = problem.parameters.unpack(x)
            try:
                lower = self.factor(point)
            except np.linalg.LinAlgError:
                return nowhere
            b = z @ lower.T
            found = problem.predictor.differentiate(point.beta, b)
            rows = problem.likelihood.rows(found.f, point.sigma)
            slope = problem.by_subject(rows.loss_f[:, None] * found.g)
            off = (x - self.believed.mean) / self.believed.sd
            log = -float(rows.loss.sum() + 0.5 * np.sum(z * z) + 0.5 * np.sum(off * off))
            gradient = np.empty(len(q))
            by_x, by_z = self.split(gradient)
            by_x[:] = -off / self.believed.sd - self._slopes(point, slope, rows.loss_s.sum(axis=0), z)
            by_z[:] = -z - slope @ problem.Z @ lower
        return (log, gradient) if np.isfinite(log) and np.all(np.isfinite(gradient)) else nowhere

    def _slopes(self, point: Point, slope: np.ndarray, by_sigma: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Return the derivatives of the losses by the parameters, from those by each subject's coordinates."""
        problem, parameters = self.problem, self.problem.parameters
        X, _ = problem.predictor.mixed.design(point.beta)
        out = np.zeros(parameters.size)
        out[parameters.parts[0]] = np.einsum("nct,nc->t", X, slope)
        by_factor = (slope @ problem.Z).T @ z  # of the factor's entries, (effect, effect)
        n, k = len(point.omega), len(point.occasion)
        within = sum(
            (by_factor[at : at + k, at : at + k] for at in range(n, len(by_factor), k or 1)), np.zeros((k, k))
        )
        for part, entries, omega, each in (
            (1, parameters.between, point.omega, by_factor[:n, :n]), (2, parameters.within, point.occasion, within),
        ):  # fmt: skip
            lower = np.linalg.cholesky(omega) if len(omega) else omega
            for m, entry in enumerate(entries, parameters.parts[part].start):
                i, j = entry.row, entry.column
                out[m] = each[i] @ lower[i] if i == j else each[i, j] * lower[i, i]
        out[parameters.parts[3]] = by_sigma[parameters.free_sigma]
        return out

    def state(self, q: np.ndarray) -> State:
        """Return what a vector stands for."""
        problem = self.problem
        x, z = self.split(q)
        point = problem.parameters.unpack(x)
        b = z @ self.factor(point).T
        with np.errstate(all="ignore"):
            f = problem.predictor.predict(point.beta, b)
            return State(x, b, f, problem.likelihood.loss(f, point.sigma))


def log_likelihood(problem: Problem, loss: np.ndarray) -> np.ndarray:
    """Return the logarithm of the rows' densities (..., R), with the constant that losses leave out."""
    measured = problem.study.observations.censored == MEASURED
    return -loss - np.where(measured, HALF_LOG_TWO_PI, 0.0)
