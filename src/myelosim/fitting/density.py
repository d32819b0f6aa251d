"""The joint posterior density of parameters and random effects, with its exact gradient.

Random effects of which the data tell little are not centered: b = L z, L the Cholesky factor of their covariance and z standard
normal, so that small variances make no funnel. Those that the data determine stand for themselves: to these b, z would be bound
by the variance. The vector is that of :class:`myelosim.fitting.point.Parameters` followed by z or b, subject by subject.

Every entry has a normal prior on the scale of the vector: a theta its own, or, where it has none, one around its start whose
standard deviation is half the way to the farther end of its range; the logarithm of a diagonal of an omega's factor one around
its start with standard deviation 1 (a factor of 2.7 in the standard deviation of the etas), the other entries of a row over its
diagonal one with standard deviation 0.5; a residual error on its scale one with standard deviation 1. Reference: Betancourt
and Girolami, in Current Trends in Bayesian Methodology with Applications, 2015, chapter 4; Papaspiliopoulos, Roberts and
Skoeld, Stat Sci 2007;22:59-73.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.sparse.csgraph import connected_components

from myelosim.components.residuals.normal import HALF_LOG_TWO_PI
from myelosim.data.study import MEASURED
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem
from myelosim.spec.scale import to_scale

BROAD = 1.0  # standard deviation of logarithms
LOOSE = 0.5  # that of an entry of a factor over its diagonal, which a correlation is tied to
LEAST = 1e-3
KNOWN = 0.5  # of an effect's variance: where less is left of it, the effect is centered


@dataclass(frozen=True)
class Believed:
    """Mean and standard deviation of each entry's normal prior; ``usual`` are the thetas whose prior is the usual weak one."""

    mean: np.ndarray
    sd: np.ndarray
    usual: tuple[str, ...]


def believed(problem: Problem) -> Believed:
    """Return the priors of an estimation."""
    parameters, est = problem.parameters, problem.estimation
    mean, sd = parameters.pack(parameters.start), np.full(parameters.size, BROAD)
    usual = []
    for k, theta in enumerate(est.thetas):
        if theta.prior is not None:
            mean[k], sd[k] = theta.prior
            continue
        ends = [abs(float(to_scale(end, theta.scale)) - mean[k]) for end in (theta.low, theta.high)]
        sd[k] = max(*ends, LEAST) / 2
        usual.append(theta.name)
    for part, entries in ((1, parameters.between), (2, parameters.within)):
        for k, entry in enumerate(entries, parameters.parts[part].start):
            if entry.row != entry.column:
                sd[k] = LOOSE
    return Believed(mean, sd, tuple(usual))


@dataclass(frozen=True)
class State:
    """What a vector stands for: random effects ``b`` (subject, effect), predictions and losses of the rows."""

    x: np.ndarray
    b: np.ndarray
    f: np.ndarray
    loss: np.ndarray


@dataclass
class Density:
    """The density of a problem; it keeps what its last run laid out, so threads need one each.

    ``centered`` (effect) says which random effects stand for themselves; by default none.
    """

    problem: Problem
    centered: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))
    believed: Believed = field(init=False)

    def __post_init__(self) -> None:
        self.believed = believed(self.problem)
        if not len(self.centered):
            self.centered = np.zeros(self.problem.predictor.mixed.random, bool)

    @property
    def size(self) -> int:
        """Length of the vector."""
        return self.problem.parameters.size + self.problem.subjects * len(self.centered)

    def split(self, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the parameters' vector, and what stands for the random effects, (subject, effect)."""
        size = self.problem.parameters.size
        return q[:size], q[size:].reshape(self.problem.subjects, -1)

    def factor(self, point: Point) -> np.ndarray:
        """Return the Cholesky factor of a subject's random effects."""
        return np.linalg.cholesky(self.problem.covariance(point))

    def effects(self, lower: np.ndarray, v: np.ndarray) -> np.ndarray:
        """Return the random effects that a part of a vector stands for."""
        return np.where(self.centered, v, v @ lower.T)

    def join(self, x: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return the vector of parameters and random effects."""
        z = np.linalg.solve(self.factor(self.problem.parameters.unpack(x)), b.T).T
        return np.concatenate([x, np.where(self.centered, b, z).ravel()])

    def value(self, q: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the logarithm of the density, without its constant, and its gradient; minus infinity where there is none."""
        problem = self.problem
        x, v = self.split(q)
        nowhere = -np.inf, np.zeros(len(q))
        with np.errstate(all="ignore"):
            point = problem.parameters.unpack(x)
            try:
                lower = self.factor(point)
                inverse = np.linalg.inv(lower)
            except np.linalg.LinAlgError:
                return nowhere
            b = self.effects(lower, v)
            z = b @ inverse.T
            found = problem.predictor.differentiate(point.beta, b)
            rows = problem.likelihood.rows(found.f, point.sigma)
            slope = problem.by_subject(rows.loss_f[:, None] * found.g)
            off = (x - self.believed.mean) / self.believed.sd
            spread = len(z) * np.log(np.diag(lower))[self.centered].sum()
            log = -float(rows.loss.sum() + 0.5 * np.sum(z * z) + spread + 0.5 * np.sum(off * off))
            gradient = np.empty(len(q))
            by_x, by_v = self.split(gradient)
            by_b, pull = slope @ problem.Z, z @ inverse
            by_x[:] = -off / self.believed.sd - self._slopes(point, slope, rows.loss_s.sum(axis=0))
            moves, own = self._moves(point, z)
            by_x[self._entries] -= np.einsum("ne,mne->m", np.where(self.centered, -pull, by_b), moves) + len(z) * own
            by_v[:] = -np.where(self.centered, by_b + pull, by_b @ lower + z)
        return (log, gradient) if np.isfinite(log) and np.all(np.isfinite(gradient)) else nowhere

    @property
    def _entries(self) -> slice:
        parts = self.problem.parameters.parts
        return slice(parts[1].start, parts[2].stop)

    def _slopes(self, point: Point, slope: np.ndarray, by_sigma: np.ndarray) -> np.ndarray:
        """Return the derivatives of the losses by thetas and errors, from those by each subject's coordinates."""
        parameters = self.problem.parameters
        X, _ = self.problem.predictor.mixed.design(point.beta)
        out = np.zeros(parameters.size)
        out[parameters.parts[0]] = np.einsum("nct,nc->t", X, slope)
        out[parameters.parts[3]] = by_sigma[parameters.free_sigma]
        return out

    def _moves(self, point: Point, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how entries of the factors move L z, (entry, subject, effect), and how many centered diagonals are theirs."""
        parameters, n, k = self.problem.parameters, len(point.omega), len(point.occasion)
        occasions = range(n, z.shape[1], k) if k else range(0)
        entries = (*parameters.between, *parameters.within)
        moves, own = np.zeros((len(entries), *z.shape)), np.zeros(len(entries))
        for m, entry in enumerate(entries):
            within = m >= len(parameters.between)
            lower = np.linalg.cholesky(point.occasion if within else point.omega)
            i, j = entry.row, entry.column
            row = lower[i] if i == j else lower[i, i] * (np.arange(len(lower)) == j)
            for at in occasions if within else (0,):
                moves[m, :, at + i] = z[:, at : at + len(lower)] @ row
                own[m] += float(i == j and self.centered[at + i])
        return moves, own

    def curvature(self, q: np.ndarray) -> np.ndarray:
        """Return the expected Hessian of minus the logarithm (Fisher's information and the priors')."""
        problem, parameters = self.problem, self.problem.parameters
        x, v = self.split(q)
        point, size, effects = parameters.unpack(x), parameters.size, len(self.centered)
        lower = self.factor(point)
        b = self.effects(lower, v)
        found = problem.predictor.differentiate(point.beta, b)
        rows = problem.likelihood.rows(found.f, point.sigma)
        X, _ = problem.predictor.mixed.design(point.beta)
        who, gz = problem.subject, found.g @ problem.Z
        slopes = np.zeros((len(who), len(q)))
        slopes[:, parameters.parts[0]] = np.einsum("rc,rct->rt", found.g, X[who])
        moves, own = self._moves(point, b @ np.linalg.inv(lower).T)
        slopes[:, self._entries] = np.einsum("re,mre->rm", np.where(self.centered, 0.0, gz), moves[:, who])
        mine = size + effects * who[:, None] + np.arange(effects)
        slopes[np.arange(len(who))[:, None], mine] = np.where(self.centered, gz, gz @ lower)
        good = np.isfinite(rows.weight) & np.all(np.isfinite(slopes), axis=1)
        full = slopes[good].T @ (rows.weight[good, None] * slopes[good])
        full[np.arange(size), np.arange(size)] += self.believed.sd**-2
        precision = np.where(
            np.outer(self.centered, self.centered), np.linalg.inv(problem.covariance(point)), np.eye(effects)
        )
        full[size:, size:] += np.kron(np.eye(problem.subjects), precision)
        told = np.zeros(size)  # what a normal number tells of the logarithm of its standard deviation is two
        told[self._entries] = 2.0 * problem.subjects * own
        for at, k in enumerate(parameters.free_sigma, parameters.parts[3].start):
            if problem.estimation.sigmas[k].scale == "log":
                told[at] = 2.0 * np.count_nonzero(rows.loss_s[:, k])
        return np.asarray(full + np.diag(np.concatenate([told, np.zeros(len(q) - size)])))

    def state(self, q: np.ndarray) -> State:
        """Return what a vector stands for."""
        problem = self.problem
        x, v = self.split(q)
        point = problem.parameters.unpack(x)
        b = self.effects(self.factor(point), v)
        with np.errstate(all="ignore"):
            f = problem.predictor.predict(point.beta, b)
            return State(x, b, f, problem.likelihood.loss(f, point.sigma))


def determined(covariance: np.ndarray, information: np.ndarray) -> np.ndarray:
    """Tell which random effects the data determine, all that vary together alike.

    Parameters
    ----------
    covariance : array (effect, effect)
        Of the random effects.
    information : array (subject, effect, effect)
        About them at the modes, that of the prior among it.
    """
    left = np.diagonal(np.linalg.inv(information), axis1=1, axis2=2).mean(axis=0) / np.diag(covariance)
    _, label = connected_components(covariance != 0, directed=False)
    return np.array([left[label == one].mean() < KNOWN for one in label], bool)


def log_likelihood(problem: Problem, loss: np.ndarray) -> np.ndarray:
    """Return the logarithm of the rows' densities (..., R), with the constant that losses leave out."""
    measured = problem.study.observations.censored == MEASURED
    return -loss - np.where(measured, HALF_LOG_TWO_PI, 0.0)
