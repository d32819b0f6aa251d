"""The parameters of one subject, given its counts: the mode, then individuals by importance resampling.

The population is the prior: normal deviations on the parameters' scales with the covariance of the differences between subjects,
to which that of the errors of the typical values is added (of one subject only their sum matters); individuals that the
population excludes have no chance. Proposals are the prior, Student's t around the modes, and then t around what was found,
weighted as one mixture, until enough effective samples are there (adaptive multiple importance sampling).
References: Owen and Zhou, J Am Stat Assoc 2000;95:135-43; Cornuet et al., Scand J Stat 2012;39:798-812.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp

from myelosim import units
from myelosim.errors import SimulationError, SpecError
from myelosim.fitting.forecast.subject import Subject
from myelosim.fitting.modes import conditional_modes
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem
from myelosim.random import normals, uniforms
from myelosim.spec.check import count_limits
from myelosim.spec.declared import of_model
from myelosim.spec.estimation import Estimation, Omega
from myelosim.spec.etas import NONE, correlations
from myelosim.spec.model import Model
from myelosim.spec.scale import from_scale, on_scale, to_scale

DF = 8  # of Student's t
FIRST = 512  # individuals of the population with which it begins
MOST_ROUNDS = 12
APART = 0.5  # standard deviations between modes that are two
LOG_TWO_PI = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class Posterior:
    """Individuals that could have given the counts.

    ``b`` (sample, parameter) are deviations from the typical subject on the parameters' scales, all equally likely, ``prior``
    those of the population; ``mode`` is the most likely, ``sd`` what the population varies by. ``effective`` says how many
    independent individuals the samples are worth, all of them at most. ``predicted``
    (observation, sample), ``residual`` (observation) that at the mode, in standard deviations.
    """

    problem: Problem
    names: tuple[str, ...]
    covariance: np.ndarray
    b: np.ndarray
    prior: np.ndarray
    mode: np.ndarray
    effective: float
    predicted: np.ndarray
    residual: np.ndarray

    @property
    def sd(self) -> np.ndarray:
        """Standard deviations of the prior, without what bounds cut off."""
        return np.sqrt(np.diag(self.covariance))

    def values(self, b: np.ndarray) -> dict[str, np.ndarray]:
        """Return the parameters of individuals (sample) in their units."""
        return values(self.problem, self.names, b)


def posterior(subject: Subject, samples: int, seed: int, tolerance: float, threads: int | None) -> Posterior:
    """Find the individuals.

    Raises
    ------
    SpecError
        The model has no variability.
    SimulationError
        No individual of the population could have given the counts.
    """
    names, covariance = spread(subject.model, subject.known)
    if not names:
        raise SpecError(
            f"forecast: {subject.model.name} has no variability between subjects, so that counts tell nothing of one; give "
            'parameters an omega_sd in its file, or by model.replace({"neutrophil.mtt": {"omega_sd": 0.2}})'
        )
    fixed = np.zeros(covariance.shape, bool)
    asked = Estimation((), Omega(names, covariance, fixed), NONE, (), subject.model.residual)
    problem = Problem(subject.model, subject.study, asked, tolerance, threads)
    search = _Search(problem, names, covariance, seed)
    observed = len(subject.study.observations) > 0
    search.draw(_normal(covariance), FIRST if observed else samples)
    prior, mode, residual = search.b[search.inside], np.zeros(len(names)), np.zeros(0)
    if not len(prior):
        raise SimulationError("forecast: no individual of the population is inside the model's own bounds; widen them")
    if observed:
        modes = _modes(problem, covariance, search)
        mode = modes[0][0]
        for middle, shape in modes:
            search.draw(_student(middle, shape), samples)
        while search.effective < samples and search.rounds < MOST_ROUNDS:
            search.draw(_student(*search.moments(modes[0])), samples)
        with np.errstate(invalid="ignore"):
            residual = problem.likelihood.standardized(problem.predictor.predict(np.zeros(0), mode[None]), np.zeros(0))
    chosen = _systematic(search.weights, samples, seed)
    effective = min(search.effective, float(samples))
    return Posterior(
        problem, names, covariance, search.b[chosen], prior, mode, effective, search.predicted[:, chosen], residual
    )


def spread(model: Model, known: Container[str]) -> tuple[tuple[str, ...], np.ndarray]:
    """Return the parameters that are not known of a subject, and the covariance of their deviations, on their scales."""
    names = tuple(
        name for name, one in model.parameters.items()
        if (one.omega_sd > 0 or one.se > 0) and name not in known and on_scale(one.value, one.scale)
    )  # fmt: skip
    total = np.zeros((len(names), len(names)))
    for kind, pairs in (("omega_sd", model.correlation), ("se", model.error_correlation)):
        sd = np.array([getattr(model.parameters[name], kind) for name in names])
        total += correlations(names, pairs) * np.outer(sd, sd)
    return names, total


def values(problem: Problem, names: tuple[str, ...], b: np.ndarray) -> dict[str, np.ndarray]:
    """Return the parameters of individuals (sample) in their units; those with bounds that clip are at the bound."""
    model = problem.model
    middle, out = typical(problem, names), {}
    for k, name in enumerate(names):
        one = model.parameters[name]
        value = np.asarray(from_scale(middle[name] + b[:, k], one.scale))
        out[name] = np.clip(value, *_ends(one.floor, one.ceiling)) if one.clip else value
    return out


def typical(problem: Problem, names: tuple[str, ...]) -> dict[str, float]:
    """Return the parameters of the subject without deviations, on their scales."""
    every = problem.predictor.mixed.values(np.zeros(0), np.zeros((1, len(names))))
    return {name: float(every[name][0]) for name in names}


def _ends(floor: float | None, ceiling: float | None) -> tuple[float, float]:
    return -np.inf if floor is None else floor, np.inf if ceiling is None else ceiling


class _Search:
    """Samples so far, and the mixture of proposals that they come from."""

    def __init__(self, problem: Problem, names: tuple[str, ...], covariance: np.ndarray, seed: int) -> None:
        self.problem, self.names, self.seed, self.rounds = problem, names, seed, 0
        self.prior, self.typical = _normal(covariance), typical(problem, names)
        self.b = np.zeros((0, len(names)))
        self.target = np.zeros(0)
        self.inside = np.zeros(0, bool)
        self.predicted = np.zeros((len(problem.study.observations), 0))
        self.proposals: list[tuple[int, _Proposal]] = []
        self.weights = np.zeros(0)

    @property
    def effective(self) -> float:
        """How many independent samples the weighted ones are worth (Kong 1992)."""
        return float(1.0 / np.sum(self.weights**2))

    def draw(self, proposal: _Proposal, size: int) -> None:
        """Add samples of a proposal, and weigh all anew."""
        z = normals(self.seed, "eta", size, len(self.names) + DF, "forecast", self.rounds)
        b = proposal.sample(z)
        found = values(self.problem, self.names, b)
        inside = self._inside(found)
        predicted, loss = self._likely(b, found)
        self.b = np.concatenate([self.b, b])
        self.inside = np.concatenate([self.inside, inside])
        self.predicted = np.concatenate([self.predicted, predicted], axis=1)
        self.target = np.concatenate(
            [self.target, np.where(inside & np.isfinite(loss), self.prior.log(b) - loss, -np.inf)]
        )
        self.proposals.append((size, proposal))
        self.rounds += 1
        mixture = logsumexp([np.log(n) + one.log(self.b) for n, one in self.proposals], axis=0)
        log = self.target - mixture
        best = float(log.max())
        if not np.isfinite(best):
            raise SimulationError(
                "forecast: no individual of the population gives these counts a chance; look at units, doses and hours of the rows"
            )
        self.weights = np.exp(log - best) / np.exp(log - best).sum()

    def moments(self, instead: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and covariance of the weighted samples, a wider first guess where they are too few to tell."""
        if self.effective < 3 * len(self.names):
            return instead[0], 2.0 * instead[1]
        mean = self.weights @ self.b
        off = self.b - mean
        return mean, off.T @ (self.weights[:, None] * off)

    def _likely(self, b: np.ndarray, found: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Return predictions (observation, sample) and losses (sample)."""
        problem = self.problem
        if not len(problem.study.observations):
            return np.zeros((0, len(b))), np.zeros(len(b))
        for k, name in enumerate(self.names):
            one = problem.model.parameters[name]
            if one.clip:
                b = b.copy()
                b[:, k] = to_scale(found[name], one.scale) - self.typical[name]
        predicted = problem.predictor.sample(np.zeros(0), b.T[None])
        with np.errstate(all="ignore"):
            return predicted, problem.likelihood.loss(predicted.T, np.zeros(0)).sum(axis=1)

    def _inside(self, found: dict[str, np.ndarray]) -> np.ndarray:
        """Tell which individuals the population could hold, and the model can run."""
        model, asked = self.problem.model, of_model(self.problem.model)
        inside = np.ones(len(next(iter(found.values()))), bool)
        for name, value in found.items():
            one, lineage = model.parameters[name], name.partition(".")[0]
            low, high = _ends(one.floor, one.ceiling)
            inside &= np.isfinite(value) & (low <= value) & (value <= high)
            if (bound := asked.get(name)) is not None:
                most = count_limits(lineage) if name.endswith(".baseline") else units.limits(bound.unit)
                inside &= (np.abs(value) <= most[1]) & (np.abs(value) >= most[0])
                strictly = (bound.lower < value) & (value < bound.upper)
                inside &= (bound.lower <= value) & (value <= bound.upper) if bound.closed else strictly
        return inside


def _modes(problem: Problem, covariance: np.ndarray, search: _Search) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the modes, the likeliest first, from the typical subject and from the best of the population on, with covariances."""
    point = Point(np.zeros(0), covariance, np.zeros((0, 0)), np.zeros(0))
    found = []
    for start in (np.zeros(len(covariance)), search.b[int(np.argmax(search.target))]):
        modes = conditional_modes(problem, point, start[None])
        if np.isfinite(modes.loss[0]) and np.all(np.isfinite(modes.b)) and np.all(np.isfinite(modes.information)):
            found.append((float(modes.loss[0]), modes.b[0], np.linalg.inv(modes.information[0])))
    if not found:
        return [search.moments((np.zeros(len(covariance)), covariance))]
    found.sort(key=lambda one: one[0])
    sd = np.sqrt(np.diag(covariance))
    apart = [one for one in found[1:] if np.max(np.abs(one[1] - found[0][1]) / sd) > APART]
    return [one[1:] for one in (found[0], *apart)]


@dataclass(frozen=True)
class _Proposal:
    """Where samples come from: how standard normals become them, and the logarithm of their density."""

    sample: Callable[[np.ndarray], np.ndarray]
    log: Callable[[np.ndarray], np.ndarray]


def _normal(covariance: np.ndarray) -> _Proposal:
    lower, d = np.linalg.cholesky(covariance), len(covariance)
    constant = -0.5 * d * LOG_TWO_PI - np.log(np.diag(lower)).sum()

    def log(b: np.ndarray) -> np.ndarray:
        return np.asarray(constant - 0.5 * np.sum(np.linalg.solve(lower, b.T) ** 2, axis=0))

    return _Proposal(lambda z: z[:, :d] @ lower.T, log)


def _student(middle: np.ndarray, shape: np.ndarray) -> _Proposal:
    lower, d = np.linalg.cholesky(shape + 1e-12 * np.diag(np.diag(shape))), len(middle)
    constant = gammaln((DF + d) / 2) - gammaln(DF / 2) - 0.5 * d * np.log(DF * np.pi) - np.log(np.diag(lower)).sum()

    def log(b: np.ndarray) -> np.ndarray:
        far = np.sum(np.linalg.solve(lower, (b - middle).T) ** 2, axis=0)
        return np.asarray(constant - 0.5 * (DF + d) * np.log1p(far / DF))

    def sample(z: np.ndarray) -> np.ndarray:
        return np.asarray(middle + (z[:, :d] @ lower.T) / np.sqrt(np.mean(z[:, d:] ** 2, axis=1))[:, None])

    return _Proposal(sample, log)


def _systematic(weights: np.ndarray, samples: int, seed: int) -> np.ndarray:
    """Return which samples to take, each as often as its weight says, give or take one."""
    start = float(uniforms(seed, "resample", 1, 1, "forecast")[0, 0])
    edges = np.cumsum(weights)
    return np.minimum(np.searchsorted(edges / edges[-1], (np.arange(samples) + start) / samples), len(weights) - 1)
