"""FO: minus twice the log-likelihood by linearization at random effects of zero.

With u the standardized values at b = 0 and A how a change of b moves them, u is normal with mean zero and covariance
1 + A omega A'; what that is for a subject comes from one Newton step off b = 0,

    objective = 2 sum of l_j + log|omega| + log|H| - s' H^-1 s,   s the slope and H the information at b = 0,

the errors' size being that of the typical subject. Nothing is searched for, and the gradient is exact. It is biased where
subjects differ much: good for a first look, not for a final fit. Reference: Beal and Sheiner, Am Stat 1980;34:118-9.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from myelosim.errors import SpecError
from myelosim.fitting.likelihood import Rows
from myelosim.fitting.modes import Modes, conditional_modes
from myelosim.fitting.objective import Total
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem

LINEAR = ("proportional", "additive", "combined", "log_normal", "box_cox")
"""Kinds of error that are normal after a transformation which does not depend on the prediction."""


@dataclass
class Typical(Total):
    """An objective at random effects of zero; the modes are looked for when somebody asks."""

    problem: Problem

    @cached_property
    def modes(self) -> Modes:
        """Each subject's most likely random effects, errors' size and all at the subject's own predictions."""
        return conditional_modes(self.problem, self.point, _nothing(self.problem))


@dataclass
class FirstOrder:
    """FO.

    Raises
    ------
    SpecError
        An error is not normal on any scale, or a value is known only to be under or over a limit.
    """

    problem: Problem
    b: np.ndarray | None = None

    def __post_init__(self) -> None:
        seen, est = self.problem.study.observations, self.problem.estimation
        for name in self.problem.study.observables:
            if est.residual[name].kind not in LINEAR:
                raise SpecError(
                    f"fit: FO asks for errors that are normal on some scale, those of {name} are {est.residual[name].kind}; choose "
                    f"one of {', '.join(LINEAR)}, or the method 'focei' or 'laplace'"
                )
        if est.blq == "m3" and np.any(seen.censored):
            raise SpecError(
                f"fit: FO has no place for the {np.count_nonzero(seen.censored)} values beyond a limit of quantification; choose "
                "the method 'focei' or 'laplace', or leave them out by blq m1"
            )

    def value(self, x: np.ndarray) -> Typical:
        """Return the objective at a vector of the parameters."""
        point = self.problem.parameters.unpack(x)
        f, gz = self._predicted(point)
        with np.errstate(all="ignore"):
            rows = self.problem.likelihood.rows(f, point.sigma, at=f, terms=False)
            slope, information = self._normal(point, rows, gz)
            gained = np.einsum("ne,ne->n", slope, _solved(information, slope))
            omega = np.linalg.slogdet(self.problem.covariance(point))[1]
            each = 2.0 * self.problem.by_subject(rows.loss) + omega + np.linalg.slogdet(information)[1] - gained
        return Typical(x, point, each, self.problem.prior(point)[0], self.problem)

    def fresh(self, value: Typical) -> Typical:
        """Return the value: there are no modes that could be others."""
        return value

    def accept(self, value: Typical) -> None:
        """Go on; nothing is remembered."""

    def slope(self, value: Typical) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient of the whole objective, and the cross-product of the subjects'."""
        return self.problem.slope(value.point, self.gradient(value))

    def gradient(self, value: Typical) -> np.ndarray:
        """Return the derivatives of each subject's objective, (subject, parameter); the priors' are not in it."""
        problem, point = self.problem, value.point
        Z, parts = problem.Z, problem.parameters.parts
        found = problem.predictor.differentiate(point.beta, _nothing(problem), order=2)
        X, _ = problem.predictor.mixed.design(point.beta)
        rows, gz = problem.likelihood.rows(found.f, point.sigma, at=found.f), found.g @ Z
        slope, information = self._normal(point, rows, gz)
        step = _solved(information, slope)
        spread = np.linalg.inv(information) + step[:, :, None] * step[:, None, :]
        own, moved = step[problem.subject], np.einsum("ref,rf->re", spread[problem.subject], gz)
        size, along = np.einsum("re,re->r", moved, gz), np.einsum("re,re->r", own, gz)
        by_f = (
            2.0 * (rows.loss_f + rows.loss_0) + (rows.weight_f + rows.weight_0) * size
            - 2.0 * (rows.loss_ff + rows.loss_f0) * along
        )  # fmt: skip
        by_g = 2.0 * (rows.weight[:, None] * moved - rows.loss_f[:, None] * own) @ Z.T
        by_coordinate = problem.by_subject(by_f[:, None] * found.g + np.einsum("rcd,rd->rc", found.h, by_g))
        by_sigma = 2.0 * rows.loss_s + rows.weight_s * size[:, None] - 2.0 * rows.loss_fs * along[:, None]
        out = np.zeros((problem.subjects, problem.parameters.size))
        out[:, parts[0]] = np.einsum("nct,nc->nt", X, by_coordinate)
        out[:, parts[3]] = problem.by_subject(by_sigma)[:, problem.parameters.free_sigma]
        precision = np.linalg.inv(problem.covariance(point))
        for k, change in enumerate(problem.omega_changes(point)):
            pcp = precision @ change @ precision
            out[:, parts[1].start + k] = np.trace(precision @ change) - np.einsum("nef,fe->n", spread, pcp)
        return out

    def _predicted(self, point: Point) -> tuple[np.ndarray, np.ndarray]:
        found = self.problem.predictor.differentiate(point.beta, _nothing(self.problem), random_only=True)
        return found.f, found.g @ self.problem.Z

    def _normal(self, point: Point, rows: Rows, gz: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return slope (subject, effect) and information at random effects of zero."""
        by_subject = self.problem.by_subject
        precision = np.linalg.inv(self.problem.covariance(point))
        information = by_subject(rows.weight[:, None, None] * gz[:, :, None] * gz[:, None, :]) + precision
        return by_subject(rows.loss_f[:, None] * gz), information


def _nothing(problem: Problem) -> np.ndarray:
    return np.zeros((problem.subjects, problem.predictor.mixed.random))


def _solved(matrices: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0])
