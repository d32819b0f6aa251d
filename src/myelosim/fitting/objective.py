"""Minus twice the log-likelihood by linearization around the conditional modes, with exact gradients.

For each subject, with losses l_j of its observations, b its random effects and H the information at the mode,

    objective = 2 (sum of l_j + b' omega^-1 b / 2) + log|omega| + log|H|,   H = omega^-1 + sum of w_j g_j g_j'

without the constant n log(2 pi), as NONMEM counts it. FOCE-I takes for w_j the expected information of an observation about
its prediction, FOCE the same with the errors' size taken at b = 0, Laplace the exact Hessian for H.

The gradient follows the mode: it holds the second derivatives of the predictions. References: Wang, J Pharmacokinet
Pharmacodyn 2007;34:575-93; Almquist, Leander and Jirstrand, J Pharmacokinet Pharmacodyn 2015;42:191-209.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.linalg import hadamard

from myelosim.fitting.likelihood import Rows
from myelosim.fitting.modes import Modes, conditional_modes, positive
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem
from myelosim.linearize import Predictions

AWAY = 1.5  # standard deviations from zero of the first guesses for a mode
GUESSES = 8
BETTER = 1e-6


@dataclass
class Total:
    """An objective, by subject; infinite where a subject cannot be predicted."""

    x: np.ndarray
    point: Point
    each: np.ndarray
    prior: float

    @property
    def total(self) -> float:
        """The objective with the priors' part."""
        total = float(np.sum(self.each)) + self.prior
        return total if np.isfinite(total) else np.inf


@dataclass
class Value(Total):
    """An objective with the modes it was taken at."""

    modes: Modes


@dataclass
class Linearized:
    """FOCE-I, or FOCE where ``interaction`` is off.

    It remembers the modes of the last point as a first guess for the next, and the exact Hessians there.
    """

    problem: Problem
    interaction: bool = True
    b: np.ndarray | None = field(default=None)
    curvature: np.ndarray | None = field(default=None)
    drift: tuple[np.ndarray, np.ndarray] | None = field(default=None)  # a vector, and how the modes move with it

    def value(self, x: np.ndarray) -> Value:
        """Return the objective at a vector of the parameters."""
        problem = self.problem
        point = problem.parameters.unpack(x)
        start = np.zeros((problem.subjects, problem.predictor.mixed.random)) if self.b is None else self.b
        if self.drift is not None:
            start = start + np.nan_to_num(self.drift[1] @ (x - self.drift[0]))
        at = None if self.interaction else problem.predictor.predict(point.beta, np.zeros_like(start))
        modes = conditional_modes(problem, point, start, curvature=self.curvature, at=at)
        omega = problem.covariance(point)
        with np.errstate(invalid="ignore"):
            each = 2.0 * modes.loss + np.linalg.slogdet(omega)[1] + np.linalg.slogdet(modes.information)[1]
        return Value(x, point, each, problem.prior(point)[0], modes)

    def fresh(self, value: Value) -> Value:
        """Return the value with each subject's best mode of those found from several first guesses.

        A subject may have more than one mode, and the one followed from point to point need not stay the deepest.
        """
        spread = np.sqrt(np.diag(self.problem.covariance(value.point)))
        away = [sign * AWAY * one for one in np.diag(spread) for sign in (1, -1)]
        guesses = [np.zeros(len(spread)), *away] if len(away) <= GUESSES else [np.zeros(len(spread)), *_mixed(spread)]
        best = value
        for guess in guesses:
            self.b, self.curvature, self.drift = np.tile(guess, (self.problem.subjects, 1)), None, None
            other = self.value(value.x)
            better = other.modes.loss < best.modes.loss - BETTER
            if np.any(better):
                self.b = np.where(better[:, None], other.modes.b, best.modes.b)
                best = self.value(value.x)
        self.b = best.modes.b
        return best

    def accept(self, value: Value) -> None:
        """Start from these modes next time."""
        self.b, self.drift = value.modes.b, None

    def slope(self, value: Value) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient of the whole objective, and its expected Hessian: the cross-product of the subjects'."""
        return self.problem.slope(value.point, self.gradient(value))

    def gradient(self, value: Value) -> np.ndarray:
        """Return the derivatives of each subject's objective, (subject, parameter); the priors' are not in it."""
        problem, point, b = self.problem, value.point, value.modes.b
        found = problem.predictor.differentiate(point.beta, b, order=2)
        if self.interaction:
            rows, zero = problem.likelihood.rows(found.f, point.sigma), None
        else:
            zero = problem.predictor.differentiate(point.beta, np.zeros_like(b))
            rows = problem.likelihood.rows(found.f, point.sigma, at=zero.f)
        return self._gradient(value.x, point, b, found, rows, zero)

    def _gradient(
        self, x: np.ndarray, point: Point, b: np.ndarray, found: Predictions, rows: Rows, zero: Predictions | None
    ) -> np.ndarray:  # fmt: skip
        problem = self.problem
        Z, parts = problem.Z, problem.parameters.parts
        X, _ = problem.predictor.mixed.design(point.beta)
        precision = np.linalg.inv(problem.covariance(point))
        g, h, gz = found.g, found.h, found.g @ Z
        information = problem.by_subject(rows.weight[:, None, None] * gz[:, :, None] * gz[:, None, :]) + precision
        inverse = np.linalg.inv(information)
        spread = Z @ inverse @ Z.T  # how far the modes are known, by coordinates
        sg = np.einsum("rcd,rd->rc", spread[problem.subject], g)
        gsg = np.einsum("rc,rc->r", sg, g)
        # Of log|H|: by the coordinates, and by what the predictions of the errors' size are.
        trace = problem.by_subject(
            (rows.weight_f * gsg)[:, None] * g + 2.0 * rows.weight[:, None] * np.einsum("rcd,rd->rc", h, sg)
        )
        slope = problem.by_subject(rows.loss_f[:, None] * g)
        curved = problem.by_subject(
            rows.loss_ff[:, None, None] * g[:, :, None] * g[:, None, :] + rows.loss_f[:, None, None] * h
        )
        hessian = Z.T @ curved @ Z + precision
        self.curvature = positive(hessian, information)
        out = np.zeros((problem.subjects, problem.parameters.size))
        moved = np.zeros((problem.subjects, Z.shape[1], problem.parameters.size))  # the modes' equations, by the vector
        out[:, parts[0]] = np.einsum("nct,nc->nt", X, 2.0 * slope + trace)
        moved[:, :, parts[0]] = Z.T @ curved @ X
        free = problem.parameters.free_sigma
        out[:, parts[3]] = problem.by_subject(2.0 * rows.loss_s + rows.weight_s * gsg[:, None])[:, free]
        moved[:, :, parts[3]] = problem.by_subject(rows.loss_fs[:, None, :] * gz[:, :, None])[:, :, free]
        if zero is not None:
            at_zero = np.einsum("rc,rct->rt", zero.g, X[problem.subject])
            out[:, parts[0]] += problem.by_subject((2.0 * rows.loss_0 + rows.weight_0 * gsg)[:, None] * at_zero)
            moved[:, :, parts[0]] += problem.by_subject((rows.loss_f0[:, None] * gz)[:, :, None] * at_zero[:, None, :])
        self._omega(out, moved, point, b, precision, inverse)
        drift = -np.linalg.solve(hessian, moved)
        self.drift = (x, drift)
        return np.asarray(out + np.einsum("ne,nex->nx", trace @ Z, drift))

    def _omega(
        self, out: np.ndarray, moved: np.ndarray, point: Point, b: np.ndarray, precision: np.ndarray, inverse: np.ndarray
    ) -> None:  # fmt: skip
        """Write the derivatives by the entries of the omegas."""
        problem = self.problem
        pb = b @ precision
        for k, change in enumerate(problem.omega_changes(point), problem.parameters.parts[1].start):
            out[:, k] = (
                -np.einsum("ne,ef,nf->n", pb, change, pb)
                + np.trace(precision @ change)
                - np.einsum("nef,fe->n", inverse, precision @ change @ precision)
            )
            moved[:, :, k] = -pb @ change @ precision


def _mixed(spread: np.ndarray) -> list[np.ndarray]:
    """Return first guesses in which all effects are away from zero at once, with signs of a Hadamard matrix."""
    signs = hadamard(1 << (len(spread)).bit_length())[1 : 1 + GUESSES // 2, : len(spread)]
    return [sign * AWAY * one * spread for one in signs for sign in (1, -1)]
