"""What a design is good for, as one number.

Every score is concave and grows in proportion to the information: twice the animals are twice the score. So the ratio of two
scores is an efficiency in animals, and no design from the same looks scores more than tr(gradient F), F its information.
What a score does not depend on may be undetermined: A and Ds then go by generalized inverses, and both statements hold still, the
second for any generalized inverse in the gradient: 1/(g'F^-g) <= x'Gx/(g'x)^2 for every x, G being another design's information.
Reference: Pukelsheim, Optimal design of experiments, 2006, chapters 3 and 5 to 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SINGULAR = 1e-13  # smallest eigenvalue, of a matrix scaled to a unit diagonal, with which it can be inverted
TOUCHED = 1e-6  # share of what is weighed in undetermined directions, from which on it is itself undetermined


@dataclass(frozen=True)
class Criterion:
    """A score of information matrices.

    Without ``weights`` the determinant to the power 1/n (D), or with ``interest`` that of these parameters' part of the
    inverse, inverted (Ds). With ``weights`` W (parameter, parameter) it is 1/tr(F^-1 W): A, or a decision's variance.
    Where there are several *worlds* (sets of values the parameters could have), the scores are averaged ("mean": of their
    logarithms, ED) or the least one counts ("least", each over its ``best`` possible score: maximin).
    """

    kind: str
    interest: tuple[int, ...] | None = None
    weights: Array | None = None  # (world, parameter, parameter)
    worlds: str = "mean"
    best: Array | None = None  # (world)

    @property
    def partial(self) -> bool:
        """Whether it may be about some of the parameters only."""
        return self.interest is not None or self.weights is not None

    def __call__(self, fim: Array) -> Array:
        """Return scores (set) of matrices (world, set, parameter, parameter), 0 (or nearly) where they are singular."""
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.stack([self._each(one, k) for k, one in enumerate(fim)])
            if self.worlds == "least":
                best = np.ones(len(each)) if self.best is None else self.best
                return np.asarray(np.min(each / best[:, None], axis=0))
            return np.asarray(each[0] if len(each) == 1 else np.exp(np.mean(np.log(np.maximum(each, 0.0)), axis=0)))

    def gradient(self, fim: Array) -> Array:
        """Return the gradient of the score by the matrices (world, parameter, parameter) of one design."""
        with np.errstate(divide="ignore", invalid="ignore"):
            each = np.array([self._each(one[None], k)[0] for k, one in enumerate(fim)])
        slopes = np.stack([self._slope(one, k, each[k]) for k, one in enumerate(fim)])
        if self.worlds == "least":
            best = np.ones(len(each)) if self.best is None else self.best
            least = int(np.argmin(each / best))
            only = np.zeros_like(slopes)
            only[least] = slopes[least] / best[least]
            return only
        total = float(self(fim[:, None])[0])
        return np.asarray(slopes * (total / len(each) / each)[:, None, None])

    def _each(self, fim: Array, world: int) -> Array:
        unit, size = _scaled(fim)
        if self.weights is not None:
            safe = np.where(size > 0.0, size, 1.0)
            spread = self.weights[world] / (safe[:, :, None] * safe[:, None, :])
            return _one_over_trace(unit, spread)
        score = _log_det(unit) + 2.0 * np.log(size).sum(axis=1)
        count = fim.shape[-1]
        if self.interest is not None:
            rest = np.setdiff1d(np.arange(count), self.interest)
            own = size[:, rest]
            score -= _log_det(unit[:, rest[:, None], rest]) + 2.0 * np.log(own).sum(axis=1)
            count = len(self.interest)
            for k in np.flatnonzero(~np.isfinite(score)):
                score[k] = _log_det(_left(fim[k], self.interest)[0][None])[0]
        return np.asarray(np.nan_to_num(np.exp(score / count)))

    def _slope(self, fim: Array, world: int, score: float) -> Array:
        if self.weights is not None:
            inverse = _generalized(fim)
            return np.asarray(score**2 * inverse @ self.weights[world] @ inverse)
        if self.interest is None:
            return np.asarray(score / len(fim) * np.linalg.inv(fim))
        own, by = _left(fim, self.interest)
        return np.asarray(score / len(self.interest) * by.T @ np.linalg.solve(own, by))


def relative(values: Sequence[float] | Array) -> Array:
    """Return the weights of A: the score is one over the mean squared relative standard error."""
    return np.diag(1.0 / np.asarray(values, float) ** 2)[None] / len(values)


def _scaled(fim: Array) -> tuple[Array, Array]:
    size = np.sqrt(np.maximum(np.diagonal(fim, axis1=1, axis2=2), 0.0))
    safe = np.where(size > 0.0, size, 1.0)
    return fim / (safe[:, :, None] * safe[:, None, :]), size


def _log_det(unit: Array) -> Array:
    sign, value = np.linalg.slogdet(unit)
    return np.where(sign > 0, value, np.nan)


def _one_over_trace(unit: Array, spread: Array) -> Array:
    """Return 1/tr(F^- W) of matrices scaled alike, 0 where W reaches into what F leaves undetermined."""
    values, vectors = np.linalg.eigh(unit)
    weights = np.einsum("bik,bij,bjk->bk", vectors, spread, vectors)
    good = values > SINGULAR
    lost = np.sum(np.where(good, 0.0, weights), axis=1) > TOUCHED * weights.sum(axis=1)
    trace = np.sum(np.where(good, weights / np.where(good, values, 1.0), 0.0), axis=1)
    return np.asarray(np.where(lost, 0.0, np.nan_to_num(1.0 / trace)))


def _generalized(fim: Array) -> Array:
    unit, size = _scaled(fim[None])
    safe = np.where(size[0] > 0.0, size[0], 1.0)
    return np.asarray(np.linalg.pinv(unit[0], rcond=SINGULAR, hermitian=True) / np.outer(safe, safe))


def _left(fim: Array, interest: Sequence[int]) -> tuple[Array, Array]:
    """Return the information about parameters, others being unknown, and the matrix X with which it is X F X'."""
    own, rest = np.array(interest), np.setdiff1d(np.arange(len(fim)), interest)
    by = np.zeros((len(own), len(fim)))
    by[np.arange(len(own)), own] = 1.0
    by[:, rest] = -fim[np.ix_(own, rest)] @ _generalized(fim[np.ix_(rest, rest)])
    return by @ fim @ by.T, by
