"""Conditional modes: each subject's most likely random effects, found for all subjects at once.

Minimizes  sum of losses + b' omega^-1 b / 2  by Newton's method with the Fisher information in the place of the Hessian
(Gauss-Newton), or with the exact Hessian of an earlier point nearby, where it is positive definite.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from myelosim.fitting.likelihood import Rows
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem

ITERATIONS = 40
ENOUGH = 1e-12  # Newton decrement (twice what is still to be gained) at which a subject is done
CLOSE = 1e-5  # decrement under which a mode is as good as found
POLISH = 4  # iterations spent there
SHORTEST = 1e-4
FARTHEST = 2.0  # standard deviations of an effect that a step may go
REFRESH = 3  # iterations between exact Hessians


@dataclass
class Modes:
    """Random effects (subject, effect), half of minus twice the log joint density (subject), and what it is made of."""

    b: np.ndarray
    loss: np.ndarray
    f: np.ndarray
    gz: np.ndarray  # derivatives of predictions by random effects (row, effect)
    rows: Rows
    information: np.ndarray  # (subject, effect, effect)
    left: np.ndarray  # Newton decrement (subject)


def conditional_modes(
    problem: Problem, point: Point, b: np.ndarray, *, curvature: np.ndarray | None = None, at: np.ndarray | None = None,
    most: int = ITERATIONS,
) -> Modes:  # fmt: skip
    """Return the modes from a first guess on; ``at`` holds predictions at which the errors' size is taken (FOCE)."""
    precision = np.linalg.inv(problem.covariance(point))
    now = _evaluate(problem, point, b.copy(), precision, None, at)  # what is improved in place
    spread = np.sqrt(np.diag(problem.covariance(point)))
    factor, polished = np.ones(problem.subjects), np.zeros(problem.subjects, int)
    for iteration in range(most):
        slope = problem.by_subject(now.rows.loss_f[:, None] * now.gz) + now.b @ precision
        metric = now.information if curvature is None else curvature
        step = -np.linalg.solve(metric, slope[..., None])[..., 0]
        now.left = -np.einsum("ne,ne->n", slope, step)
        reach = np.maximum(FARTHEST * spread, np.abs(now.b))  # back to zero at once from where a smaller omega has none
        step *= np.minimum(1.0, 1.0 / (np.abs(step / reach).max(axis=1, initial=0.0) + 1e-300))[:, None]
        polished += now.left < CLOSE
        waiting = np.flatnonzero(~(now.left <= ENOUGH) & (factor > SHORTEST) & (polished <= POLISH))
        if not len(waiting):
            break
        trial = now.b.copy()
        trial[waiting] += factor[waiting, None] * step[waiting]
        new = _evaluate(problem, point, trial, precision, waiting, at)
        better = np.zeros(problem.subjects, bool)
        slack = np.where(now.left[waiting] < CLOSE, CLOSE, 0.0)  # where round-off decides, Newton's step is taken
        better[waiting] = new.loss[waiting] <= now.loss[waiting] + slack
        factor[waiting] = np.where(better[waiting], np.minimum(1.0, 2.0 * factor[waiting]), 0.25 * factor[waiting])
        _take(problem, now, new, better)
        if iteration % REFRESH == REFRESH - 1:
            curvature = hessian(problem, point, now, waiting)
        elif curvature is not None and not np.all(better[waiting]):
            curvature = np.where(better[:, None, None], curvature, now.information)
    return now


def positive(matrices: np.ndarray, instead: np.ndarray) -> np.ndarray:
    """Return the matrices that are positive definite, and others in the place of those that are not."""
    finite = np.all(np.isfinite(matrices), axis=(1, 2))
    safe = np.where(finite[:, None, None], matrices, np.eye(matrices.shape[1]))
    good = finite & np.all(np.linalg.eigvalsh(safe) > 0, axis=1)
    return np.where(good[:, None, None], matrices, instead)


def hessian(problem: Problem, point: Point, now: Modes, who: np.ndarray) -> np.ndarray:
    """Return the exact Hessian for some subjects, the information for the others and where it is not positive definite."""
    precision = np.linalg.inv(problem.covariance(point))
    found = problem.predictor.differentiate(point.beta, now.b, order=2, random_only=True, who=who)
    Z, rows = problem.Z, now.rows
    gz = found.g @ Z
    bent = rows.loss_ff[:, None, None] * gz[:, :, None] * gz[:, None, :] + rows.loss_f[:, None, None] * (
        Z.T @ found.h @ Z
    )
    full = now.information.copy()
    own = np.zeros(problem.subjects, bool)
    own[who] = True
    full[own] = (problem.by_subject(np.where(own[problem.subject][:, None, None], bent, 0.0)) + precision)[own]
    return positive(full, now.information)


def _evaluate(
    problem: Problem, point: Point, b: np.ndarray, precision: np.ndarray, who: np.ndarray | None, at: np.ndarray | None
) -> Modes:  # fmt: skip
    with np.errstate(all="ignore"):  # a trial step may lead anywhere; what is not finite is not taken
        found = problem.predictor.differentiate(point.beta, b, random_only=True, who=who)
        rows = problem.likelihood.rows(found.f, point.sigma, at=at, terms=False)
        gz = found.g @ problem.Z
        loss = problem.by_subject(rows.loss) + 0.5 * np.einsum("ne,ef,nf->n", b, precision, b)
        information = problem.by_subject(rows.weight[:, None, None] * gz[:, :, None] * gz[:, None, :]) + precision
    return Modes(b, loss, found.f, gz, rows, information, np.full(len(b), np.nan))


def _take(problem: Problem, now: Modes, new: Modes, better: np.ndarray) -> None:
    """Take over what was better for some subjects."""
    own = better[problem.subject]
    for name in ("b", "loss", "information"):
        getattr(now, name)[better] = getattr(new, name)[better]
    now.f[own], now.gz[own] = new.f[own], new.gz[own]
    for one in fields(Rows):
        getattr(now.rows, one.name)[own] = getattr(new.rows, one.name)[own]
