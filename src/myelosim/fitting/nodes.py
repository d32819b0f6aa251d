"""Where an integral over standardized random effects is evaluated, and how much each place counts.

An integral of F over z is the sum of w_k F(z_k), over Gauss and Hermite's nodes or over quasi-random draws from a proposal q, for
which w_k is 1/(K q(z_k)). Densities are here times (2 pi)^(n/2), as that of the random effects is. References: Pinheiro and
Bates, J Comput Graph Stat 1995;4:12-35 (nodes around a mode); Owen, Monte Carlo theory, methods and examples, 2013, chapters 9
(mixtures as proposals, effective sample sizes) and 17 (randomly shifted sequences).
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri, gammaln, ndtri
from scipy.stats import qmc

from myelosim.errors import SpecError
from myelosim.random import uniforms

MOST = 20_000  # nodes of a subject
NEGLECTED = 1e-9  # of the largest weight, under which a node of a product is left out
REPEATS = 8  # independent shifts of the sequence, from which the error is estimated
HEAVY = 8.0  # degrees of freedom of the proposal
WIDE, SHARE = 3.0, 0.25  # how much wider some draws are, and how many: another mode may be there


def quadrature(effects: int, points: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes (effect, node) of Gauss and Hermite's product rule and the logarithms of their weights.

    Nodes that count for nothing are left out.

    Raises
    ------
    SpecError
        There would be too many nodes.

    Examples
    --------
    >>> quadrature(1, 3)[0].round(4).tolist()
    [[-1.7321, 0.0, 1.7321]]
    """
    if not effects:
        return np.zeros((0, 1)), np.zeros(1)
    if points**effects > MOST:
        most = int(MOST ** (1.0 / effects) + 1e-9)
        fewer = f"at most {most} points, or " if most > 1 else ""
        raise SpecError(
            f"agq: {points} points for each of {effects} random effects are {float(points) ** effects:.3g} predictions of "
            f"every subject, of which at most {MOST} are made; choose {fewer}method 'importance' or 'saem'"
        )
    x, w = np.polynomial.hermite_e.hermegauss(points)
    grid = np.stack(np.meshgrid(*[x] * effects, indexing="ij")).reshape(effects, -1)
    log_w = np.log(np.stack(np.meshgrid(*[w / w.sum()] * effects, indexing="ij")).reshape(effects, -1)).sum(axis=0)
    kept = log_w > log_w.max() + np.log(NEGLECTED)
    return grid[:, kept], (log_w + 0.5 * np.sum(grid * grid, axis=0))[kept]


def draws(subjects: int, effects: int, samples: int, seed: int, *labels: str | int) -> tuple[np.ndarray, np.ndarray]:
    """Return quasi-random draws (subject, effect, sample) and the logarithms of their weights (subject, sample).

    They come from a mixture of a narrow and a wide Student distribution. A Sobol sequence is shifted anew for each subject and
    repeat; samples of one repeat lie together, and ``samples`` is rounded up to a power of two, at least the number of repeats.
    """
    each, n = 1 << (-(-samples // REPEATS) - 1).bit_length(), effects + 2
    sequence = qmc.Sobol(n, scramble=False).random(each)
    shift = uniforms(seed, "posterior", subjects, REPEATS * n, *labels).reshape(subjects, REPEATS, 1, n)
    u = np.clip((sequence + 0.5 / each + shift) % 1.0, 1e-15, 1.0 - 1e-15).reshape(subjects, -1, n)
    z = np.moveaxis(ndtri(u[:, :, :effects]), 2, 1) * np.sqrt(HEAVY / chdtri(HEAVY, u[:, None, :, effects]))
    z *= np.where(u[:, None, :, effects + 1] < SHARE, WIDE, 1.0)
    return z, -np.log(z.shape[2]) - _log_density(z)


def shape(z: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and Cholesky factor of the covariance of one subject's weighted draws (effect, sample)."""
    n, mean = len(z), z @ weights
    off = z - mean[:, None]
    share = 1.0 / np.sum(weights**2) / n  # few draws tell little of a covariance
    return mean, np.linalg.cholesky((share * (weights * off) @ off.T + np.eye(n)) / (share + 1.0))


def _log_density(z: np.ndarray) -> np.ndarray:
    n, square = z.shape[1], np.sum(z * z, axis=1)
    constant = gammaln(0.5 * (HEAVY + n)) - gammaln(0.5 * HEAVY) - 0.5 * n * np.log(0.5 * HEAVY)
    narrow, wide = (-0.5 * (HEAVY + n) * np.log1p(square / scale**2 / HEAVY) for scale in (1.0, WIDE))
    return np.asarray(constant + np.logaddexp(narrow + np.log1p(-SHARE), wide + np.log(SHARE) - n * np.log(WIDE)))
