"""The exact marginal likelihood by importance sampling, searched with exact gradients.

Random effects are drawn around the modes at one point of the parameters, the *anchor*. For other points nearby the same subjects'
parameters are weighted anew (a fixed effect that moves what a random effect moves is balanced by the latter), so that the
objective is smooth. Its gradient at the anchor is Fisher's identity with these draws: the weighted mean of the gradients of the
complete-data objective. Every accepted point becomes the next anchor, with the same standardized draws. A value costs as many
predictions as there are draws; an anchor those again, and two times those for each fixed effect without a random one.
References: Geyer, J R Stat Soc B 1994;56:261-74; Louis, J R Stat Soc B 1982;44:226-33.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

from myelosim.fitting.marginal import Integrated, integrated, losses, observed_losses, predicted
from myelosim.fitting.nodes import REPEATS, draws, shape
from myelosim.fitting.objective import Linearized, Value
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem
from myelosim.fitting.search import Around

STEP = 1e-3  # of a central difference, on the parameters' scales
SAMPLES = 4096
TRIAL = 512  # draws of a trial
POOR = 0.4  # effective share of the draws under which they are drawn anew
ROUNDS = 4


@dataclass
class _Anchor:
    point: Point
    b: np.ndarray
    log_weight: np.ndarray  # of b, (subject, sample)
    balance: np.ndarray  # by how much a fixed effect lowers a random one, (subject, effect, theta)


class Importance(Around):
    """Minus twice the logarithm of the marginal likelihood by importance sampling.

    Draws are quasi-random, from a mixture of Student distributions scaled by the information at the modes, and drawn anew from
    where the weights are for subjects whose effective sample size is poor at the first anchor.
    """

    def __init__(
        self, problem: Problem, *, b: np.ndarray | None = None, samples: int = SAMPLES, seed: int = 1
    ) -> None:  # fmt: skip
        super().__init__(Linearized(problem, b=b))
        self.problem, self.samples, self.seed = problem, samples, seed
        subjects, n = problem.subjects, problem.predictor.mixed.random
        self.mean, self.root = np.zeros((subjects, n)), np.tile(np.eye(n), (subjects, 1, 1))
        self._draw()
        self.anchor: _Anchor | None = None

    def value(self, x: np.ndarray) -> Integrated:
        """Return the objective at a vector of the parameters, with the anchor's draws if there is an anchor."""
        near, anchor = self.objective.value(x), self.anchor
        if anchor is None:
            self._adapt(near)
            return self._anchored(near)
        move = near.point.beta - anchor.point.beta
        b = anchor.b - (anchor.balance @ move)[:, :, None]
        return self._integrated(near, b, anchor.log_weight - losses(self.problem, near.point, b))

    def accept(self, value: Integrated) -> None:
        """Make the value's point the anchor: the value becomes that of the draws there."""
        self.objective.accept(value)
        new = self._anchored(value)
        for one in fields(Integrated):
            setattr(value, one.name, getattr(new, one.name))

    def fresh(self, value: Integrated) -> Integrated:
        """Return the value around each subject's best mode of those found from several first guesses."""
        return self._anchored(self.objective.fresh(value))

    def slope(self, value: Integrated) -> tuple[np.ndarray, np.ndarray]:
        """Return the gradient, and the expected Hessian: the cross-product of the subjects'."""
        return self.problem.slope(value.point, self.gradient(value))

    def gradient(self, value: Integrated) -> np.ndarray:
        """Return the derivatives of each subject's objective with the anchor's draws, (subject, parameter), without the priors'."""
        problem, anchor, point, w = self.problem, self.anchor, value.point, value.weights
        assert anchor is not None
        parts, precision = problem.parameters.parts, np.linalg.inv(problem.covariance(point))
        out = np.zeros((problem.subjects, problem.parameters.size))
        pb = np.einsum("ef,nfk->nek", precision, value.b)
        mean = np.einsum("nek,nk->ne", pb, w)
        out[:, parts[0]] = -2.0 * np.einsum("net,ne->nt", anchor.balance, mean)
        for t in self._unbalanced(point, anchor):
            step = STEP * np.eye(len(point.beta))[t]
            off = (anchor.balance @ step)[:, :, None]
            up, down = (
                observed_losses(problem, predicted(problem, point.beta + s * step, value.b - s * off), point)
                for s in (1.0, -1.0)
            )
            out[:, t] += _weighted(w, (up - down) / STEP)
        if len(problem.parameters.free_sigma):
            f = predicted(problem, point.beta, value.b)
            for column, at in enumerate(problem.parameters.free_sigma, parts[3].start):
                moved = (problem.parameters.scattered(point.sigma, {at: s * STEP}) for s in (1.0, -1.0))
                up, down = (observed_losses(problem, f, replace(point, sigma=sigma)) for sigma in moved)
                out[:, column] = _weighted(w, (up - down) / STEP)
        second = np.einsum("nek,nfk,nk->nef", pb, pb, w, optimize=True)
        for column, change in enumerate(problem.omega_changes(point), parts[1].start):
            out[:, column] = np.sum(precision * change) - np.einsum("nef,ef->n", second, change)
        out[~problem.observed] = 0.0
        return out

    def _anchored(self, near: Value, z: np.ndarray | None = None, log_weight: np.ndarray | None = None) -> Integrated:
        """Return the value with draws around its own modes, which become the anchor."""
        z, log_weight = (self.z, self.log_weight) if z is None or log_weight is None else (z, log_weight)
        problem, point, modes = self.problem, near.point, near.modes
        root = np.linalg.cholesky(np.linalg.inv(modes.information))
        b = modes.b[:, :, None] + root @ z
        X, _ = problem.predictor.mixed.design(point.beta)
        balance = np.linalg.pinv(problem.Z) @ X
        self.anchor = _Anchor(point, b, log_weight + np.linalg.slogdet(root)[1][:, None], balance)
        return self._integrated(near, b, self.anchor.log_weight - losses(problem, point, b))

    def _adapt(self, near: Value) -> None:
        """Draw from where the weights of trial draws are, for subjects whose effective sample size is poor."""
        subjects, n = len(self.mean), self.mean.shape[1]
        best = np.zeros(subjects)
        mean, root = self.mean.copy(), self.root.copy()
        for round_ in range(ROUNDS):
            base, log_weight = draws(subjects, n, TRIAL, self.seed, "trial", round_)
            z = mean[:, :, None] + root @ base
            value = self._anchored(near, z, log_weight + np.linalg.slogdet(root)[1][:, None])
            better = value.effective > best
            best[better] = value.effective[better]
            self.mean[better], self.root[better] = mean[better], root[better]
            poor = np.flatnonzero(self.problem.observed & (value.effective < POOR))
            if not len(poor):
                break
            for i in poor:
                mean[i], root[i] = shape(z[i], value.weights[i])
        self._draw()

    def _draw(self) -> None:
        base, log_weight = draws(*self.mean.shape, self.samples, self.seed)
        self.z = self.mean[:, :, None] + self.root @ base
        self.log_weight = log_weight + np.linalg.slogdet(self.root)[1][:, None]

    def _integrated(self, near: Value, b: np.ndarray, terms: np.ndarray) -> Integrated:
        value = integrated(self.problem, near, b, terms)
        by_repeat = value.weights[self.problem.observed].reshape(-1, REPEATS, terms.shape[1] // REPEATS).sum(axis=2)
        value.error = float(2.0 * np.std(by_repeat.sum(axis=0), ddof=1) * np.sqrt(REPEATS))
        return value

    def _unbalanced(self, point: Point, anchor: _Anchor) -> list[int]:
        """Return the fixed effects that move predictions, though random effects balance what they can of it."""
        X, _ = self.problem.predictor.mixed.design(point.beta)
        left = np.abs(X - self.problem.Z @ anchor.balance).max(axis=(0, 1))
        return np.flatnonzero(left > 1e-9).tolist()


def _weighted(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.asarray(np.sum(np.where((weights > 0) & np.isfinite(values), weights * values, 0.0), axis=1))
