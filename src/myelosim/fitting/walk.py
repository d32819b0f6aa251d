"""Markov chains of every subject's random effects, whose stationary distribution is that given the data.

Metropolis and Hastings' kernels: draws from the population's distribution, a random walk of all effects at once with the shape of
the subject's own scatter, and one of single effects in turn. Chains of a subject run side by side; the walks' lengths are adapted
subject by subject, less and less. Reference: Robert and Casella, Monte Carlo statistical methods, 2nd ed. 2004, chapter 7.
"""

from __future__ import annotations

import numpy as np

from myelosim.fitting.marginal import observed_losses, predicted
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem
from myelosim.random import normals, uniforms

EARLY, EVERY = 20, 10  # iterations that all draw from the population, and how often later ones do
WALKS, SINGLES = 2, 3  # of an iteration: walks of all effects, and of single ones
WANTED = 0.35  # share of proposals to be accepted
MEMORY = 0.05  # weight of an iteration in a subject's scatter
LEAST = 0.01  # of the population's covariance, always part of a subject's scatter


class Walk:
    """The chains ``b`` (subject, effect, chain) with their predictions ``f`` (row, chain) and losses (subject, chain)."""

    def __init__(self, problem: Problem, point: Point, chains: int, seed: int) -> None:
        self.problem, self.seed = problem, seed
        n = problem.predictor.mixed.random
        self.b = np.zeros((problem.subjects, n, chains))
        self.scatter = np.tile(problem.covariance(point), (problem.subjects, 1, 1))
        self.length = np.full(problem.subjects, 2.0 / np.sqrt(max(n, 1)))
        self.lengths = np.full((problem.subjects, n), 2.0)
        self.accepted = 0.0
        self.look(point, anew=True)

    def look(self, point: Point, anew: bool) -> None:
        """Take the losses at a point, predicting ``anew`` where more than random effects has moved."""
        if anew:
            self.f = predicted(self.problem, point.beta, self.b)
        self.losses = observed_losses(self.problem, self.f, point)

    def go(self, point: Point, iteration: int) -> None:
        """Let every chain go an iteration on."""
        subjects, n, chains = self.b.shape
        covariance = self.problem.covariance(point)
        precision, root = np.linalg.inv(covariance), np.linalg.cholesky(covariance)
        singles = [(iteration * SINGLES + k) % n for k in range(min(SINGLES, n))]
        moves = 1 + WALKS + len(singles)
        z = normals(self.seed, "posterior", subjects, moves * n * chains, "walk", iteration)
        u = uniforms(self.seed, "posterior", subjects, moves * chains, "accept", iteration)
        z, u = z.reshape(subjects, moves, n, chains), np.log(u).reshape(subjects, moves, chains)
        if iteration <= EARLY or iteration % EVERY == 0:
            self._try(point, root @ z[:, 0], u[:, 0], None)
        gain = min(1.0, 3.0 / np.sqrt(iteration))
        self._spread(covariance, iteration)
        shape = np.linalg.cholesky(self.scatter)
        for k in range(1, 1 + WALKS):
            step = self.length[:, None, None] * (shape @ z[:, k])
            rate = self._try(point, self.b + step, u[:, k], precision)
            self.length *= np.exp(gain * (rate - WANTED))
        self.accepted = float(rate.mean())
        for k, e in enumerate(singles, 1 + WALKS):
            new = self.b.copy()
            new[:, e] += (self.lengths[:, e] * np.sqrt(self.scatter[:, e, e]))[:, None] * z[:, k, e]
            self.lengths[:, e] *= np.exp(gain * (self._try(point, new, u[:, k], precision) - WANTED))

    def _try(self, point: Point, new: np.ndarray, u: np.ndarray, precision: np.ndarray | None) -> np.ndarray:
        """Accept or refuse proposals, drawn from the population where there is no precision; return each subject's rate."""
        f = predicted(self.problem, point.beta, new)
        losses = observed_losses(self.problem, f, point)
        worse = losses - self.losses
        if precision is not None:
            worse += self._prior(new, precision) - self._prior(self.b, precision)
        taken = (u < -worse) | ~np.isfinite(self.losses)  # what is not finite is refused, and left
        taken &= np.isfinite(losses)
        self.b = np.where(taken[:, None, :], new, self.b)
        self.losses = np.where(taken, losses, self.losses)
        self.f = np.where(taken[self.problem.subject], f, self.f)
        return np.asarray(taken.mean(axis=1))

    def _spread(self, covariance: np.ndarray, iteration: int) -> None:
        """Learn how far apart a subject's chains are."""
        if self.b.shape[2] < 2:
            return
        off = self.b - self.b.mean(axis=2, keepdims=True)
        found = off @ np.swapaxes(off, 1, 2) / (self.b.shape[2] - 1) + LEAST * covariance
        weight = max(MEMORY, 1.0 / iteration) if iteration > EARLY // 2 else 0.0
        self.scatter += weight * (found - self.scatter)

    @staticmethod
    def _prior(b: np.ndarray, precision: np.ndarray) -> np.ndarray:
        return np.asarray(0.5 * np.einsum("nek,ef,nfk->nk", b, precision, b, optimize=True))
