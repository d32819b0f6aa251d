"""What an information matrix promises: standard errors, and what cannot be told from what."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

SMALLEST = 1e-10  # eigenvalue, of a matrix scaled to a unit diagonal, that still counts
TOUCHED = 1e-4  # share of a parameter in an undetermined direction, from which on it is undetermined


@dataclass(frozen=True)
class Precision:
    """Covariance (parameter, parameter) that the information promises, infinite on the diagonal of what is not determined.

    ``blind`` marks parameters without any information.
    """

    covariance: Array
    blind: NDArray[np.bool_]

    @property
    def errors(self) -> Array:
        """Standard errors, infinite where there is none."""
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def determined(self) -> NDArray[np.bool_]:
        """Which parameters have a standard error."""
        return np.asarray(np.isfinite(np.diag(self.covariance)))


def precision(fim: Array) -> Precision:
    """Return what an information matrix (parameter, parameter) promises.

    Examples
    --------
    >>> precision(np.diag([4.0, 0.0])).errors
    array([0.5, inf])
    """
    diagonal = np.diag(fim)
    blind = diagonal <= 0.0
    size = np.sqrt(np.where(blind, 1.0, diagonal))
    unit = fim / np.outer(size, size)
    values, vectors = np.linalg.eigh(unit)
    good = values > SMALLEST
    covariance = (vectors[:, good] / values[good]) @ vectors[:, good].T / np.outer(size, size)
    lost = np.sum(vectors[:, ~good] ** 2, axis=1) > TOUCHED
    covariance[lost, lost] = np.inf
    return Precision(covariance, blind)


def spread(fim: Array, gradient: Array) -> float:
    """Return the standard error of a quantity by its gradient, by the delta method; infinite where it is not determined.

    Only directions in which the quantity moves must be determined: what else there is to estimate may be unknown.

    Examples
    --------
    >>> spread(np.diag([4.0, 0.0]), np.array([1.0, 0.0])), spread(np.diag([4.0, 0.0]), np.array([1.0, 1.0]))
    (0.5, inf)
    """
    gradient, diagonal = np.asarray(gradient, float), np.diag(fim)
    if not np.any(gradient):
        return 0.0
    blind = diagonal <= 0.0
    if np.any(gradient[blind]):
        return float("inf")
    own = np.ix_(~blind, ~blind)
    size = np.sqrt(diagonal[~blind])
    values, vectors = np.linalg.eigh(fim[own] / np.outer(size, size))
    along = (vectors.T @ (gradient[~blind] / size)) ** 2
    good = values > SMALLEST
    if np.sum(along[~good]) > TOUCHED * np.sum(along):
        return float("inf")
    return float(np.sqrt(np.sum(along[good] / values[good])))


def relative(values: ArrayLike, errors: Array) -> Array:
    """Return standard errors in percent of the values; not a number for a value of zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(100.0 * errors / np.abs(np.asarray(values, float)))
