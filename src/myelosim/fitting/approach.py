"""From a poor start to the neighborhood of an optimum, by the iterative two-stage method.

The modes are found from the typical subject on; thetas move by the mean of their etas, omegas become the mean of b b' +
H^-1, thetas without an eta and errors take a scoring step. It is not exact, but it does not get lost.
Reference: Steimer et al., Drug Metab Rev 1984;15:265-92.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from myelosim.fitting.modes import Modes, conditional_modes
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem

ITERATIONS = 30
NEAR = 0.02  # largest change of the vector at which it stops
LARGEST = 0.7  # a theta may move in an iteration
LEAST_SD = 0.02
SLOWEST = 0.5  # of a variance that is left after an iteration, at least


def approach(problem: Problem, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a better vector and the modes there, (subject, effect)."""
    b = np.zeros((problem.subjects, problem.predictor.mixed.random))
    for _ in range(ITERATIONS):
        point = problem.parameters.unpack(x)
        modes = conditional_modes(problem, point, np.zeros_like(b), most=6)
        new = problem.parameters.pack(_moved(problem, point, modes))
        change, x, b = float(np.max(np.abs(new - x))), new, modes.b
        if change < NEAR:
            break
    return x, b


def _moved(problem: Problem, point: Point, modes: Modes) -> Point:
    est = problem.estimation
    good = problem.observed & np.all(np.isfinite(modes.b), axis=1) & np.isfinite(modes.loss)
    if not np.any(good):
        return replace(point, beta=np.full_like(point.beta, np.nan))
    b, spread = modes.b[good], np.linalg.inv(modes.information[good])
    beta, mean = point.beta + _scoring(problem, point, modes), np.zeros(b.shape[1])
    for m, theta in enumerate(est.thetas):
        if theta.name in est.omega.names:
            e = est.omega.names.index(theta.name)
            mean[e] = b[:, e].mean()
            beta[m] = point.beta[m] + np.clip(mean[e], -LARGEST, LARGEST)
    second = np.einsum("ne,nf->ef", b - mean, b - mean) / len(b) + spread.mean(axis=0)
    between, within = problem.predictor.mixed.blocks(second)
    omega, occasion = _kept(point.omega, between, est.omega.free), _kept(point.occasion, within, est.occasion.free)
    return Point(beta, omega, occasion, _errors(problem, point, modes))


def _scoring(problem: Problem, point: Point, modes: Modes) -> np.ndarray:
    """Return a scoring step of all thetas at the modes."""
    found = problem.predictor.differentiate(point.beta, modes.b)
    X, _ = problem.predictor.mixed.design(point.beta)
    g = np.einsum("rc,rct->rt", found.g, X[problem.subject])
    rows = problem.likelihood.rows(found.f, point.sigma, terms=False)
    good = np.isfinite(rows.loss) & np.all(np.isfinite(g), axis=1)
    g, weight = g[good], rows.weight[good]
    information = g.T @ (weight[:, None] * g)
    ridge = 1e-3 * np.diag(np.diag(information)) + 1e-8 * np.eye(len(information))
    return np.clip(-np.linalg.solve(information + ridge, g.T @ rows.loss_f[good]), -LARGEST, LARGEST)


def _kept(before: np.ndarray, after: np.ndarray, free: np.ndarray) -> np.ndarray:
    after = np.where(free, after, before)
    np.fill_diagonal(after, np.maximum(np.diag(after), np.maximum(LEAST_SD**2, SLOWEST * np.diag(before))))
    return np.asarray(after)


def _errors(problem: Problem, point: Point, modes: Modes) -> np.ndarray:
    rows = problem.likelihood.rows(modes.f, point.sigma)
    steps: dict[int, float] = {}
    for k in problem.parameters.free_sigma:
        slope = rows.loss_s[:, k]
        counted = np.isfinite(slope) & (slope != 0)
        if np.any(counted):
            step = -slope[counted].sum() / (2.0 * counted.sum())  # of a logarithm the information of a row is two
            steps[k] = float(np.clip(step, -LARGEST, LARGEST))
    return problem.parameters.scattered(point.sigma, steps)
