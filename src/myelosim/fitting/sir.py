"""Sampling importance resampling: intervals from the whole shape of the objective, not from its curvature alone.

Vectors are drawn from a multivariate t distribution around the estimates and weighted by exp(-dU/2) over the density they were
drawn with, dU being the rise of the objective. The next draws are made with mean and covariance of the weighted ones, until
enough of the weights are alike. Reference: Dosne, Bergstrand, Harling and Karlsson, J Pharmacokinet Pharmacodyn
2016;43:583-96, which resamples where this takes weighted quantiles.

What the weights are proportional to is a posterior density: flat in thetas without a prior on their scale of the search, in
logarithms of sigmas, and in standard deviations of etas. (In their logarithms it could not be normalized: the objective stays
finite as an eta's variance goes to zero.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln, logsumexp, ndtri
from scipy.stats import chi2

from myelosim.errors import ConvergenceError
from myelosim.fitting.covariance import covariance, definite
from myelosim.fitting.point import Parameters
from myelosim.fitting.search import Around, Objective, begin, minimize
from myelosim.random import evenly

SAMPLES = 1024
ROUNDS = 5
DF = 8.0  # of the draws: heavier tails than the normal, so that no weight is far above the others
INFLATION = 1.2  # of the first covariance
ENOUGH = 0.5  # share of draws that are effective, from which on no further round is needed
LEAST = -3.0  # logarithm of a standard deviation of etas that the search for the mode begins with
FEWEST = 50  # effective draws under which quantiles say nothing


@dataclass(frozen=True)
class Sampled:
    """Vectors (draw, parameter) with weights that sum to one, of the last round.

    ``effective`` is the number of draws of each round that the weights are worth, ``degrees`` the mean rise: where the
    objective is a quadratic, that is the number of parameters.
    """

    x: np.ndarray
    weight: np.ndarray
    effective: list[float]
    degrees: list[float]

    def quantiles(self, of: Callable[[np.ndarray], np.ndarray], level: float) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of intervals of functions of the vector."""
        each = np.array([of(one) for one in self.x])
        ends = [[_quantile(column, self.weight, q) for column in each.T] for q in (0.5 - level / 2, 0.5 + level / 2)]
        return np.array(ends[0]), np.array(ends[1])


@dataclass
class Posterior(Around):
    """An objective less twice the logarithm of the measure: what the density that is sampled has its mode at."""

    measure: np.ndarray

    def value(self, x: np.ndarray) -> Weighed:
        """Return the value at ``x``."""
        value = self.objective.value(x)
        return Weighed(x, float(value.total - 2.0 * self.measure @ x), value)

    def accept(self, value: Weighed) -> None:
        """Go on from a value."""
        self.objective.accept(value.value)

    def slope(self, value: Weighed) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the gradient, and a first Hessian."""
        gradient, hessian = self.objective.slope(value.value)
        return gradient - 2.0 * self.measure, hessian


@dataclass(frozen=True)
class Weighed:
    """A value of a posterior, and that of its objective."""

    x: np.ndarray
    total: float
    value: Any


def centered(
    objective: Objective, x: np.ndarray, parameters: Parameters, prior: np.ndarray
) -> tuple[Weighed, np.ndarray]:
    """Return the density's mode, and R there: half the Hessian of what :class:`Posterior` gives.

    It is not the optimum: an eta's variance that is estimated as zero has its mode where it is as large as the data bear.

    Parameters
    ----------
    objective : Objective
        What was minimized.
    x : array (parameter)
        The optimum.
    parameters : Parameters
        What the vector holds.
    prior : array (parameter)
        Precisions of the priors.
    """
    own = measure(parameters)
    posterior, start = Posterior(objective, own), np.where(own > 0, np.maximum(x, LEAST), x)
    search = minimize(posterior, begin(posterior, start), enough=1e-2)
    objective.accept(search.value.value)
    r = covariance(objective, search.x, parameters.names, prior, "r").r
    objective.accept(search.value.value)
    return search.value, definite(r)


def sir(
    objective: Objective, x: np.ndarray, spread: np.ndarray, parameters: Parameters, seed: int, samples: int = SAMPLES,
    rounds: int = ROUNDS, least: float | None = None,
) -> Sampled:  # fmt: skip
    """Return weighted draws of the estimates.

    Parameters
    ----------
    objective : Objective
        The objective, which follows modes from the optimum on.
    x : array (parameter)
        Around what the first draws are made.
    spread : array (parameter, parameter)
        Covariance that the first draws are made with.
    parameters : Parameters
        What the vector holds.
    seed : int
        Of the draws.
    samples, rounds : int
        Draws of a round, and the most rounds there are.
    least : float, optional
        The objective at its optimum; by default that at ``x``.

    Raises
    ------
    ConvergenceError
        After all rounds a few draws hold all the weight.
    """
    mean, spread = x, INFLATION * spread
    least = float(objective.value(x).total) if least is None else least
    effective: list[float] = []
    degrees: list[float] = []
    for k in range(rounds):
        drawn, density = _drawn(mean, spread, seed, samples, k)
        rise = np.array([_total(objective, one) for one in drawn]) - least
        log_weight = np.where(np.isfinite(rise), -rise / 2, -np.inf) - density + drawn @ measure(parameters)
        weight = np.exp(log_weight - logsumexp(log_weight))
        effective.append(float(1.0 / np.sum(weight**2)))
        degrees.append(float(np.sum(weight * np.where(weight > 0, rise, 0.0))))
        if effective[-1] > ENOUGH * samples or k + 1 == rounds:
            break
        mean, spread = _proposal(drawn, weight, mean, spread, effective[-1])
    if effective[-1] < FEWEST:
        raise ConvergenceError(
            f"sampling importance resampling: after {rounds} rounds of {samples} draws the weights are worth {effective[-1]:.0f} "
            "draws; give more samples or rounds, or take intervals by profile or bootstrap"
        )
    return Sampled(drawn, weight, effective, degrees)


def measure(parameters: Parameters) -> np.ndarray:
    """Return the gradient of the logarithm of the measure: one for the logarithm of a standard deviation of etas."""
    found = np.zeros(parameters.size)
    for part, entries in zip(parameters.parts[1:3], (parameters.between, parameters.within), strict=True):
        found[part] = [float(entry.row == entry.column) for entry in entries]
    return found


def _total(objective: Objective, x: np.ndarray) -> float:
    try:
        return float(objective.value(x).total)
    except np.linalg.LinAlgError:  # a variance that is zero to a computer
        return np.inf


def _drawn(mean: np.ndarray, spread: np.ndarray, seed: int, samples: int, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return draws of a multivariate t distribution, spread evenly by a Sobol sequence, with the logarithm of their density."""
    n = len(mean)
    lower = np.linalg.cholesky(spread)
    even = evenly(seed, samples, n + 1, k)
    z, scale = ndtri(even[:, :n]), chi2.ppf(even[:, n:], DF) / DF
    unit = z / np.sqrt(scale)
    constant = float(
        gammaln((DF + n) / 2) - gammaln(DF / 2) - n / 2 * np.log(DF * np.pi) - np.sum(np.log(np.diag(lower)))
    )
    return mean + unit @ lower.T, constant - (DF + n) / 2 * np.log1p(np.sum(unit * unit, axis=1) / DF)


def _proposal(
    drawn: np.ndarray, weight: np.ndarray, mean: np.ndarray, spread: np.ndarray, effective: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and covariance of the weighted draws, as far as they are known: a few draws move them little."""
    share = effective / (effective + 2.0 * len(mean))
    weighted = weight @ drawn
    centered = drawn - weighted
    found = (weight[:, None] * centered).T @ centered
    return mean + share * (weighted - mean), share * found + (1.0 - share) * spread


def _quantile(values: np.ndarray, weight: np.ndarray, q: float) -> float:
    order = np.argsort(values)
    middle = np.cumsum(weight[order]) - weight[order] / 2
    return float(np.interp(q, middle, values[order]))
