"""Stochastic approximation expectation maximization (SAEM).

Each iteration lets Markov chains of the random effects go on, averages the complete data's sufficient statistics over the
iterations with a gain that is one at first and then falls, and takes what maximizes their likelihood. Thetas that move what a
random effect moves come, with the omegas, from the statistics: mean and second moment of each subject's effects. Other thetas and
the terms of the errors take a step of stochastic-approximation scoring: the score of the complete data over its averaged
information, random effects following such a theta as their modes would. Variances may fall only slowly at first (simulated
annealing), and the later iterates after the burn-in are averaged.
References: Kuhn and Lavielle, Comput Stat Data Anal 2005;49:1020-38; Delyon, Lavielle and Moulines, Ann Stat 1999;27:94-128;
Polyak and Juditsky, SIAM J Control Optim 1992;30:838-55.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from myelosim.fitting.covariance import precisions
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem
from myelosim.fitting.walk import Walk

BURN_IN, ITERATIONS, CHAINS = 200, 150, 8
ANNEAL = 0.95  # of a variance, or a standard deviation of errors, that is left after an early iteration, at least
FALL = 0.7  # exponent of the gain
DAMPED = 0.5  # gain of scoring before the burn-in is over
LARGEST = 0.3  # that a scoring step may move on a parameter's scale
COARSE = 1e-5  # tolerance of predictions, far under what chance does


@dataclass
class Course:
    """Where the iterations went: the vector of each (iteration, parameter), and the acceptance rates."""

    x: list[np.ndarray] = field(default_factory=list)
    accepted: list[float] = field(default_factory=list)


class Saem:
    """SAEM from a vector of the parameters on."""

    def __init__(
        self, problem: Problem, x: np.ndarray, *, burn_in: int = BURN_IN, iterations: int = ITERATIONS, chains: int = CHAINS,
        seed: int = 1,
    ) -> None:  # fmt: skip
        coarse = max(problem.tolerance, COARSE)
        self.problem = Problem(problem.model, problem.study, problem.estimation, coarse, problem.threads)
        self.burn_in, self.iterations = burn_in, iterations
        self.point = problem.parameters.unpack(x)
        self.seen = problem.observed
        self.walk = Walk(self.problem, self.point, chains, seed)
        subjects, n = self.walk.b.shape[:2]
        self.first, self.second = np.zeros((subjects, n)), np.zeros((subjects, n, n))
        thetas, sigmas = len(self.point.beta), len(self.point.sigma)
        self.of_theta, self.of_sigma = np.zeros((thetas, thetas)), np.zeros((sigmas, sigmas))
        # By how much random effects fall where a theta without them rises.
        self.followed = np.zeros((subjects, n, thetas))
        self.course = Course()

    def run(self, tell: Callable[[Course], None] | None = None) -> np.ndarray:
        """Return the estimates, as a vector of the parameters."""
        for iteration in range(1, self.burn_in + self.iterations + 1):
            late = iteration - self.burn_in
            gain = 1.0 if late < 1 else late**-FALL
            self.walk.go(self.point, iteration)
            self._collect(gain)
            self._maximize(iteration, gain)
            self.course.x.append(self.problem.parameters.pack(self.point))
            self.course.accepted.append(self.walk.accepted)
            if tell is not None:
                tell(self.course)
        return np.asarray(np.mean(self.course.x[-max(1, 2 * self.iterations // 3) :], axis=0))

    def _collect(self, gain: float) -> None:
        b = self.walk.b
        self.first += gain * (b.mean(axis=2) - self.first)
        self.second += gain * (b @ np.swapaxes(b, 1, 2) / b.shape[2] - self.second)

    def _maximize(self, iteration: int, gain: float) -> None:
        point, annealed = self.point, iteration <= self.burn_in // 2
        X, _ = self.problem.predictor.mixed.design(point.beta)
        covariance = self.problem.covariance(point)
        balance = _balance(self.problem.Z, covariance, X)
        own = np.abs(X - self.problem.Z @ balance).max(axis=(0, 1)) > 1e-9
        step = np.zeros(len(point.beta))
        step[~own] = self._balanced(point, balance * ~own, covariance)[~own]
        balance += self.followed * own
        if np.any(own):
            damped = gain if iteration > self.burn_in else DAMPED
            step[own] = damped * self._scoring(point, balance, X, covariance, iteration, gain)[own]
        sigma = self._errors(point, gain, annealed)
        move = balance @ step
        self.walk.b = self.walk.b - move[:, :, None]
        outer = self.first[:, :, None] * move[:, None, :]
        self.second += move[:, :, None] * move[:, None, :] - outer - np.swapaxes(outer, 1, 2)
        self.first -= move
        omega, occasion = self._omegas(point, annealed)
        self.point = Point(point.beta + step, omega, occasion, sigma)
        self.walk.look(self.point, anew=bool(np.any(own)))

    def _balanced(self, point: Point, balance: np.ndarray, covariance: np.ndarray) -> np.ndarray:
        """Return the step of the thetas that random effects balance: a regression of the mean effects on the design."""
        weighted = np.einsum("net,ef->nft", balance[self.seen], np.linalg.inv(covariance))
        information = np.einsum("nft,nfs->ts", weighted, balance[self.seen])
        score = np.einsum("nft,nf->t", weighted, self.first[self.seen])
        return self._solved(point, information, score)

    def _scoring(
        self, point: Point, balance: np.ndarray, X: np.ndarray, covariance: np.ndarray, iteration: int, gain: float
    ) -> np.ndarray:  # fmt: skip
        """Return the scoring step of the other thetas, at one chain of each subject.

        Random effects follow such a theta as their modes would: with them held, little of its likelihood would be seen at a time.
        """
        problem, walk, precision = self.problem, self.walk, np.linalg.inv(covariance)
        b = walk.b[:, :, iteration % walk.b.shape[2]]
        found = problem.predictor.differentiate(point.beta, b)
        rows = problem.likelihood.rows(found.f, point.sigma, terms=False)
        good = np.isfinite(rows.loss) & np.all(np.isfinite(found.g), axis=1)
        g, weight, loss_f = (np.where(good[:, None], found.g, 0.0), np.where(good, rows.weight, 0.0), rows.loss_f)
        full, gz = np.einsum("rc,rct->rt", g, X[problem.subject]), g @ problem.Z
        slope = full - np.einsum("re,ret->rt", gz, balance[problem.subject])
        score = -slope.T @ np.where(good, loss_f, 0.0)
        held = balance[self.seen]
        score += np.einsum("net,ef,nf->t", held, precision, b[self.seen], optimize=True)
        found_of = slope.T @ (weight[:, None] * slope) + np.einsum(
            "net,ef,nfs->ts", held, precision, held, optimize=True
        )
        slow = max(1.0 / iteration, 0.05) if iteration <= self.burn_in else 0.05 * gain
        self.of_theta += slow * (found_of - self.of_theta)
        bent = problem.by_subject((weight[:, None] * gz)[:, :, None] * gz[:, None, :]) + precision
        mixed = problem.by_subject((weight[:, None] * gz)[:, :, None] * full[:, None, :])
        self.followed += slow * (np.linalg.solve(bent, mixed) - self.followed)
        return np.asarray(np.clip(self._solved(point, self.of_theta, score), -LARGEST, LARGEST))

    def _solved(self, point: Point, information: np.ndarray, score: np.ndarray) -> np.ndarray:
        """Return information^-1 score for the thetas that it tells of, the priors' part included."""
        score = score - 0.5 * self.problem.prior(point)[1]
        information = information + np.diag(precisions(self.problem)[: len(score)])
        size = np.sqrt(np.diag(information))
        some, out = size > 1e-10, np.zeros(len(score))
        unit = information[np.ix_(some, some)] / np.outer(size[some], size[some])
        out[some] = np.linalg.lstsq(unit, score[some] / size[some], rcond=1e-8)[0] / size[some]
        return out

    def _errors(self, point: Point, gain: float, annealed: bool) -> np.ndarray:
        """Return the errors' terms after a scoring step over all chains."""
        free = self.problem.parameters.free_sigma
        if not free:
            return point.sigma
        slopes = self.problem.likelihood.rows(self.walk.f.T, point.sigma).loss_s
        slopes = np.where(np.isfinite(slopes), slopes, 0.0)
        chains = len(slopes)
        self.of_sigma += gain * (np.einsum("mrs,mrt->st", slopes, slopes) / chains - self.of_sigma)
        score, information = -slopes.sum(axis=(0, 1)) / chains, self.of_sigma + 1e-8 * np.eye(len(point.sigma))
        step = np.zeros(len(point.sigma))
        step[free] = gain * np.linalg.solve(information[np.ix_(free, free)], score[free])
        step = np.clip(step, np.log(ANNEAL) if annealed else -LARGEST, LARGEST)
        return self.problem.parameters.scattered(point.sigma, {k: step[k] for k in free})

    def _omegas(self, point: Point, annealed: bool) -> tuple[np.ndarray, np.ndarray]:
        est, mixed = self.problem.estimation, self.problem.predictor.mixed
        between, within = mixed.blocks(self.second[self.seen].mean(axis=0))
        omega = _kept(point.omega, between, est.omega.free, annealed)
        return omega, _kept(point.occasion, within, est.occasion.free, annealed)


def _balance(Z: np.ndarray, covariance: np.ndarray, X: np.ndarray) -> np.ndarray:
    """Return by how much a fixed effect lowers the random ones that move the same, the likeliest way, (subject, effect, theta)."""
    root = np.linalg.cholesky(covariance)
    return np.asarray(root @ np.linalg.pinv(Z @ root) @ X)


def _kept(before: np.ndarray, after: np.ndarray, free: np.ndarray, annealed: bool) -> np.ndarray:
    """Return the covariance where it is free, what was before elsewhere; a variance falls slowly while it is annealed."""
    after = np.where(free, after, before)
    if annealed:
        grown = np.sqrt(np.maximum(1.0, ANNEAL * np.diag(before) / np.maximum(np.diag(after), 1e-300)))
        after = after * np.outer(grown, grown)
    return np.where(free, after, before)
