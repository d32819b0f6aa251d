"""The exact marginal likelihood: the integral over each subject's random effects, around its conditional mode.

With F the joint density of a subject's observations and random effects b, m the mode and L L' the inverse of the information
there, the integral of F over b is |L| times that of F(m + L z) over z, which is taken over nodes z: Gauss and Hermite's here,
quasi-random draws in :mod:`myelosim.fitting.importance`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import logsumexp

from myelosim.fitting.modes import hessian
from myelosim.fitting.nodes import quadrature
from myelosim.fitting.objective import Linearized, Value
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem
from myelosim.fitting.search import Around

LANES = 100_000  # periods times samples that are predicted together
STEP = 2e-3  # of a central difference, on the parameters' scales
POINTS = 5


@dataclass
class Integrated(Value):
    """An objective with what its integrals are made of.

    ``b`` (subject, effect, node) are the random effects at the nodes and ``log_terms`` (subject, node) the logarithms of what
    they add; ``effective`` (subject) is the effective share of the nodes, and ``error`` the Monte-Carlo standard error of the
    objective, zero for quadrature.
    """

    b: np.ndarray = field(default_factory=lambda: np.zeros((0, 0, 0)))
    log_terms: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    effective: np.ndarray = field(default_factory=lambda: np.zeros(0))
    error: float = 0.0

    @property
    def weights(self) -> np.ndarray:
        """The chance of each node given the data, (subject, node)."""
        peak = np.max(self.log_terms, axis=1, keepdims=True)
        w = np.exp(self.log_terms - np.where(np.isfinite(peak), peak, 0.0))
        return np.asarray(w / np.maximum(w.sum(axis=1, keepdims=True), 1e-300))


@dataclass(frozen=True)
class Integration:
    """How well an objective is known: its Monte-Carlo standard error, the effective share of each subject's nodes, their number."""

    error: float
    effective: np.ndarray
    nodes: int


class Quadrature(Around):
    """Minus twice the logarithm of the marginal likelihood by adaptive Gauss-Hermite quadrature.

    With one point it is Laplace's approximation. The nodes' places follow modes and Hessians; where a Hessian is not positive
    definite, the information takes its place. The gradient is by central differences: for P parameters 2 P objectives, each as
    many predictions as there are nodes, exact for the objective as it is computed, however few its nodes are.

    Raises
    ------
    SpecError
        There would be too many nodes.
    """

    def __init__(self, problem: Problem, *, b: np.ndarray | None = None, points: int = POINTS) -> None:
        super().__init__(Linearized(problem, b=b))
        self.problem = problem
        self.z, self.log_weight = quadrature(problem.predictor.mixed.random, points)

    def value(self, x: np.ndarray) -> Integrated:
        """Return the objective at a vector of the parameters."""
        problem, near = self.problem, self.objective.value(x)
        root = np.linalg.cholesky(np.linalg.inv(hessian(problem, near.point, near.modes, np.arange(problem.subjects))))
        b = near.modes.b[:, :, None] + root @ self.z
        terms = self.log_weight + np.linalg.slogdet(root)[1][:, None] - losses(problem, near.point, b)
        return integrated(problem, near, b, terms)

    def fresh(self, value: Integrated) -> Integrated:
        """Return the value around each subject's best mode of those found from several first guesses."""
        self.objective.fresh(value)
        return self.value(value.x)

    def slope(self, value: Integrated) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient of the whole objective, and its expected Hessian: the cross-product of the subjects'."""
        each = np.stack([self._difference(value.x, k) for k in range(len(value.x))], axis=1)
        return self.problem.slope(value.point, each)

    def _difference(self, x: np.ndarray, k: int) -> np.ndarray:
        step = STEP * np.eye(len(x))[k]
        return np.asarray((self.value(x + step).each - self.value(x - step).each) / (2.0 * STEP))


def integrated(problem: Problem, near: Value, b: np.ndarray, terms: np.ndarray) -> Integrated:
    """Return the objective that nodes make; a subject without observations adds nothing to it."""
    terms = np.where(np.isnan(terms), -np.inf, terms)  # what cannot be predicted
    each = -2.0 * logsumexp(terms, axis=1) + np.linalg.slogdet(problem.covariance(near.point))[1]
    each[~problem.observed] = 0.0
    value = Integrated(near.x, near.point, each, near.prior, near.modes, b, terms)
    value.effective = 1.0 / np.maximum(np.sum(value.weights**2, axis=1), 1e-300) / terms.shape[1]
    return value


def losses(problem: Problem, point: Point, b: np.ndarray) -> np.ndarray:
    """Return minus the logarithm of the joint density for random effects (subject, effect, node), (subject, node).

    Constants are left out, and so is log|omega|.
    """
    precision = np.linalg.inv(problem.covariance(point))
    prior = 0.5 * np.einsum("nek,ef,nfk->nk", b, precision, b, optimize=True)
    return np.asarray(observed_losses(problem, predicted(problem, point.beta, b), point) + prior)


def observed_losses(problem: Problem, f: np.ndarray, point: Point) -> np.ndarray:
    """Return the sums of the losses of each subject's observations for predictions (row, node), (subject, node)."""
    with np.errstate(all="ignore"):
        return problem.by_subject(problem.likelihood.loss(f.T, point.sigma).T)


def predicted(problem: Problem, beta: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return predictions (row, node), some nodes at a time."""
    each = max(8, LANES // max(1, len(problem.predictor.periods)) // 8 * 8)
    parts = [problem.predictor.sample(beta, b[:, :, k : k + each]) for k in range(0, b.shape[2], each)]
    return np.concatenate(parts, axis=1)
