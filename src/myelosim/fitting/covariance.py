"""How far the data pin the estimates down: the curvature of the objective, the scatter of the subjects' gradients, and both.

With U the objective (-2 log L), R is the Hessian of U/2 at the optimum and S the sum over subjects of the cross-products of the
gradients of U/2. Where the model is right both estimate the information; R^-1 S R^-1 also holds where the errors or
etas are not distributed as said, and is what NONMEM gives. A prior counts as the one measurement that it is: its precision
is part of R and of S. References: NONMEM users guide, part II, appendix on the covariance step; White, Econometrica
1982;50:1-25.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from myelosim.errors import SpecError
from myelosim.fitting.problem import Problem
from myelosim.fitting.search import Objective

KINDS = ("sandwich", "r", "s")
STEP = 0.05  # standard errors, as S has them, that a parameter is moved
LONGEST, SHORTEST = 0.05, 1e-4
SMALLEST = 1e-7  # eigenvalue, of a matrix scaled to a unit diagonal, that still counts
FLOOR = 1e-4  # of such an eigenvalue, where a matrix has to be inverted whatever it is
UNEVEN = 0.05  # of the Hessian's scale, by which its two halves may differ
HEAVY = 0.3  # of a direction, from which on a parameter is named


@dataclass(frozen=True)
class Covariance:
    """The covariance matrix of the vector of parameters, and what it is made of.

    ``condition`` is the ratio of the largest to the smallest eigenvalue of the correlation matrix of the estimates; infinite
    where some direction is not determined at all. ``problems`` says in words why the matrix may not be what it seems.
    """

    kind: str
    matrix: np.ndarray
    r: np.ndarray
    s: np.ndarray
    condition: float
    problems: tuple[str, ...] = ()

    @property
    def correlation(self) -> np.ndarray:
        """Correlations of the estimates."""
        return scaled(self.matrix)[0]


def covariance(
    objective: Objective, x: np.ndarray, names: tuple[str, ...], prior: np.ndarray | None = None, kind: str = "sandwich"
) -> Covariance:
    """Return the covariance of the estimates at an optimum.

    Parameters
    ----------
    objective : Linearized or other
        With a method ``gradient(value)`` (subject, parameter) the Hessian comes from central differences of the exact
        gradient; without, both matrices are differences of ``value(x).each``.
    x : array (parameter)
        The optimum.
    names : tuple of str
        What the parameters are called in ``problems``.
    prior : array (parameter), optional
        Precision of each parameter's prior on the vector's scale, 0 without one.
    kind : {"sandwich", "r", "s"}
        R^-1 S R^-1, R^-1 or S^-1.

    Raises
    ------
    SpecError
        ``kind`` is not known.
    """
    if kind not in KINDS:
        raise SpecError(f"covariance: '{kind}' is not known; allowed: {', '.join(KINDS)}")
    prior = np.zeros(len(x)) if prior is None else prior
    problems: list[str] = []
    exact = getattr(objective, "gradient", None)
    r, s = _exact(objective, exact, x, prior) if exact is not None else _differences(objective, x, prior)
    r, s = r + np.diag(prior), s + np.diag(prior)
    size = np.sqrt(np.abs(np.diag(r))) + 1e-300
    worst = np.abs(r - r.T) / np.outer(size, size)
    if np.max(worst, initial=0.0) > UNEVEN:
        i, j = np.unravel_index(int(np.argmax(worst)), worst.shape)
        problems.append(
            f"the Hessian is not symmetric in {names[i]} and {names[j]}: the objective is not smooth there, "
            "as where a subject's etas jump from one mode to another"
        )
    r = (r + r.T) / 2
    parts = {"R": r, "S": s} if kind == "sandwich" else {kind.upper(): s if kind == "s" else r}
    inverse = {name: _inverse(name, one, names, problems) for name, one in parts.items() if name == "R" or kind == "s"}
    matrix = inverse["R"] @ s @ inverse["R"] if kind == "sandwich" else inverse[kind.upper()]
    return Covariance(kind, matrix, r, s, condition_number(matrix), tuple(problems))


def precisions(problem: Problem) -> np.ndarray:
    """Return the precision of each parameter's prior on the vector's scale, (parameter), 0 without one."""
    found = np.zeros(problem.parameters.size)
    for k, theta in enumerate(problem.estimation.thetas):
        if theta.prior is not None:
            found[k] = theta.prior[1] ** -2
    return found


def scaled(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a matrix with rows and columns divided so that its diagonal is one, and by what.

    Examples
    --------
    >>> scaled(np.array([[4.0, 1.0], [1.0, 1.0]]))[0].tolist()
    [[1.0, 0.5], [0.5, 1.0]]
    """
    size = np.sqrt(np.abs(np.diag(matrix)))
    size = np.where(size > 0, size, 1.0)
    return np.asarray(matrix / np.outer(size, size)), size


def definite(r: np.ndarray) -> np.ndarray:
    """Return R, with what is not determined as little determined as a search or a proposal can bear."""
    unit, size = scaled(r)
    values, vectors = np.linalg.eigh(unit)
    return np.asarray((vectors * np.maximum(values, FLOOR)) @ vectors.T * np.outer(size, size))


def _exact(
    objective: Objective, gradient: Callable[[Any], np.ndarray], x: np.ndarray, prior: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return R and S from gradients, without the priors' part."""
    each = gradient(objective.value(x)) / 2
    s = each.T @ each
    r = np.empty_like(s)
    for k, h in enumerate(_steps(s, prior)):
        ahead, behind = (gradient(objective.value(_moved(x, k, sign * h))).sum(axis=0) for sign in (1, -1))
        r[:, k] = (ahead - behind) / (4 * h)
    return r, s


def _differences(objective: Objective, x: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return R and S from the objective alone, without the priors' part."""
    middle = objective.value(x).each
    n = len(x)

    def halves(h: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        ends = [[objective.value(_moved(x, k, sign * h[k])).each for k in range(n)] for sign in (1, -1)]
        ahead, behind = (np.array(one).reshape(n, -1) for one in ends)
        return ahead, behind

    first = np.full(n, 1e-3)
    ahead, behind = halves(first)
    each = ((ahead - behind) / (4 * first[:, None])).T
    h = _steps(each.T @ each, prior)
    ahead, behind = halves(h)
    each = ((ahead - behind) / (4 * h[:, None])).T
    curved = np.sum(ahead + behind - 2 * middle, axis=1)
    r = np.diag(curved / (2 * h * h))
    for i in range(n):
        for j in range(i):
            both = [np.sum(objective.value(_moved(_moved(x, i, s * h[i]), j, s * h[j])).each - middle) for s in (1, -1)]
            r[i, j] = r[j, i] = (sum(both) - curved[i] - curved[j]) / (4 * h[i] * h[j])
    return r, each.T @ each


def _steps(s: np.ndarray, prior: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(STEP / np.sqrt(np.diag(s) + prior + 1e-12), SHORTEST, LONGEST))


def _moved(x: np.ndarray, k: int, by: float) -> np.ndarray:
    moved = x.copy()
    moved[k] += by
    return moved


def _inverse(name: str, matrix: np.ndarray, names: tuple[str, ...], problems: list[str]) -> np.ndarray:
    """Return the inverse, or the pseudo-inverse of what is determined, and say so."""
    if not np.all(np.isfinite(matrix)):
        problems.append(f"the {name} matrix is not finite: the objective cannot be computed beside the optimum")
        return np.full_like(matrix, np.nan)
    unit, size = scaled(matrix)
    values, vectors = np.linalg.eigh(unit)
    good = values > SMALLEST
    for value, vector in zip(values[~good], vectors.T[~good], strict=True):
        about = [names[k] for k in np.argsort(-np.abs(vector)) if abs(vector[k]) > HEAVY]
        what = "rises nowhere" if abs(value) <= SMALLEST else "falls"
        why = (
            f"the objective {what} along {', '.join(about)}"
            if name == "R"
            else f"no subject tells of {', '.join(about)}"
        )
        problems.append(
            f"the {name} matrix is not positive definite: {why}; standard errors are those of the other directions only"
        )
    inverse = (vectors[:, good] / values[good]) @ vectors[:, good].T
    return np.asarray(inverse / np.outer(size, size))


def condition_number(matrix: np.ndarray) -> float:
    """Return the ratio of the largest to the smallest eigenvalue of a covariance's correlations, one where nothing is estimated."""
    if not len(matrix):
        return 1.0
    if not np.all(np.isfinite(matrix)):
        return np.inf
    values = np.linalg.eigvalsh(scaled(matrix)[0])
    return float(values[-1] / values[0]) if values[0] > SMALLEST * SMALLEST else np.inf
