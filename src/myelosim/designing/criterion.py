"""What a design is good for, as one number.

Every score is concave and grows in proportion to the information: twice the animals are twice the score. So the ratio of two
scores is an efficiency in animals, and no design from the same looks scores more than tr(gradient F), F its information.
Reference: Pukelsheim, Optimal design of experiments, 2006, chapters 5 to 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SINGULAR = 1e-13  # smallest eigenvalue, of a matrix scaled to a unit diagonal, with which it can be inverted


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
            inverse = _inverse(unit)
            spread = self.weights[world] / (size[:, :, None] * size[:, None, :])
            return np.asarray(np.nan_to_num(1.0 / np.einsum("bij,bij->b", inverse, spread)))
        score = _log_det(unit) + 2.0 * np.log(size).sum(axis=1)
        count = fim.shape[-1]
        if self.interest is not None:
            rest = np.setdiff1d(np.arange(count), self.interest)
            own = size[:, rest]
            score -= _log_det(unit[:, rest[:, None], rest]) + 2.0 * np.log(own).sum(axis=1)
            count = len(self.interest)
        return np.asarray(np.nan_to_num(np.exp(score / count)))

    def _slope(self, fim: Array, world: int, score: float) -> Array:
        inverse = np.linalg.inv(fim)
        if self.weights is not None:
            return np.asarray(score**2 * inverse @ self.weights[world] @ inverse)
        if self.interest is None:
            return np.asarray(score / len(fim) * inverse)
        rest = np.setdiff1d(np.arange(len(fim)), self.interest)
        without = np.zeros_like(fim)
        without[np.ix_(rest, rest)] = np.linalg.inv(fim[np.ix_(rest, rest)])
        return np.asarray(score / len(self.interest) * (inverse - without))


def relative(values: Sequence[float] | Array, worlds: int = 1) -> Array:
    """Return the weights of A: the score is one over the mean squared relative standard error."""
    return np.repeat(np.diag(1.0 / np.asarray(values, float) ** 2)[None] / len(values), worlds, axis=0)


def _scaled(fim: Array) -> tuple[Array, Array]:
    size = np.sqrt(np.maximum(np.diagonal(fim, axis1=1, axis2=2), 0.0))
    safe = np.where(size > 0.0, size, 1.0)
    return fim / (safe[:, :, None] * safe[:, None, :]), size


def _log_det(unit: Array) -> Array:
    sign, value = np.linalg.slogdet(unit)
    return np.where(sign > 0, value, np.nan)


def _inverse(unit: Array) -> Array:
    """Return inverses, not a number where there is none."""
    values, vectors = np.linalg.eigh(unit)
    values = np.where(values > SINGULAR, values, np.nan)
    return np.asarray((vectors / values[:, None, :]) @ vectors.transpose(0, 2, 1))
