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

from myelosim.fitting.likelihood import Rows
from myelosim.fitting.modes import Modes, conditional_modes, positive
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem
from myelosim.linearize import Predictions

AWAY = 1.5  # standard deviations from zero of the first guesses for a mode
BETTER = 1e-6


@dataclass
class Value:
    """An objective, by subject, with the modes it was taken at; infinite where a subject cannot be predicted."""

    x: np.ndarray
    point: Point
    each: np.ndarray
    prior: float
    modes: Modes

    @property
    def total(self) -> float:
        """The objective with the priors' part."""
        total = float(np.sum(self.each)) + self.prior
        return total if np.isfinite(total) else np.inf


@dataclass
class Linearized:
    """FOCE-I, or FOCE where ``interaction`` is off.

    It remembers the modes of the last point as a first guess for the next, and the exact Hessians there.
    """

    problem: Problem
    interaction: bool = True
    b: np.ndarray | None = field(default=None)
    curvature: np.ndarray | None = field(default=None)

    def value(self, x: np.ndarray) -> Value:
        """Return the objective at a vector of the parameters."""
        problem = self.problem
        point = problem.parameters.unpack(x)
        start = np.zeros((problem.subjects, problem.predictor.mixed.random)) if self.b is None else self.b
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
        guesses = [
            np.zeros(len(spread)),
            *(sign * AWAY * one for one in np.diag(spread) for sign in (1, -1)),
        ]
        best = value
        for guess in guesses:
            self.b, self.curvature = np.tile(guess, (self.problem.subjects, 1)), None
            other = self.value(value.x)
            better = other.modes.loss < best.modes.loss - BETTER
            if np.any(better):
                self.b = np.where(better[:, None], other.modes.b, best.modes.b)
                best = self.value(value.x)
        self.b = best.modes.b
        return best

    def accept(self, value: Value) -> None:
        """Start from these modes next time."""
        self.b = value.modes.b

    def slope(self, value: Value) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient of the whole objective, and its expected Hessian: the cross-product of the subjects'."""
        each = self.gradient(value)
        own = value.modes.b.any(axis=1)
        total = each.sum(axis=0)
        total[: len(value.point.beta)] += self.problem.prior(value.point)[1]
        return total, 0.5 * each[own].T @ each[own]

    def gradient(self, value: Value) -> np.ndarray:
        """Return the derivatives of each subject's objective, (subject, parameter); the priors' are not in it."""
        problem, point, b = self.problem, value.point, value.modes.b
        found = problem.predictor.differentiate(point.beta, b, order=2)
        if self.interaction:
            rows, zero = problem.likelihood.rows(found.f, point.sigma), None
        else:
            zero = problem.predictor.differentiate(point.beta, np.zeros_like(b))
            rows = problem.likelihood.rows(found.f, point.sigma, at=zero.f)
        return self._gradient(point, b, found, rows, zero)

    def _gradient(
        self, point: Point, b: np.ndarray, found: Predictions, rows: Rows, zero: Predictions | None
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
        follow = np.linalg.solve(hessian, (trace @ Z)[..., None])[..., 0]  # what a change of the mode's equation does
        out = np.zeros((problem.subjects, problem.parameters.size))
        out[:, parts[0]] = np.einsum("nct,nc->nt", X, 2.0 * slope + trace) - np.einsum(
            "ne,nec,nct->nt", follow, Z.T @ curved, X
        )
        by_sigma = problem.by_subject(2.0 * rows.loss_s + rows.weight_s * gsg[:, None]) - np.einsum(
            "ne,nes->ns", follow, problem.by_subject(rows.loss_fs[:, None, :] * gz[:, :, None])
        )
        out[:, parts[3]] = by_sigma[:, problem.parameters.free_sigma]
        if zero is not None:
            by_zero = (
                2.0 * rows.loss_0
                + rows.weight_0 * gsg
                - np.einsum("re,re->r", follow[problem.subject], rows.loss_f0[:, None] * gz)
            )
            out[:, parts[0]] += np.einsum("nct,nc->nt", X, problem.by_subject(by_zero[:, None] * zero.g))
        self._omega(out, point, b, precision, inverse, follow)
        return out

    def _omega(
        self, out: np.ndarray, point: Point, b: np.ndarray, precision: np.ndarray, inverse: np.ndarray, follow: np.ndarray
    ) -> None:  # fmt: skip
        """Write the derivatives by the entries of the omegas."""
        problem = self.problem
        between, within = problem.parameters.omega_slopes(point)
        pb = b @ precision
        none_w, none_b = np.zeros_like(point.occasion), np.zeros_like(point.omega)
        changes = [problem.predictor.mixed.covariance(d, none_w) for d in between]
        changes += [problem.predictor.mixed.covariance(none_b, d) for d in within]
        first = problem.parameters.parts[1].start
        for k, change in enumerate(changes):
            pcp = precision @ change @ precision
            out[:, first + k] = (
                -np.einsum("ne,ef,nf->n", pb, change, pb)
                + np.trace(precision @ change)
                - np.einsum("nef,fe->n", inverse, pcp)
                + np.einsum("ne,ef,nf->n", follow @ precision, change, pb)
            )
