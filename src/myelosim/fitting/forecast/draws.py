"""How much a blood count on a later day is expected to tell (a preposterior analysis).

For each day, counts are drawn of individuals of the posterior, one after the other, and all others are weighted by how likely
they make them: that is what the forecast would be after such a count. Its variance, on average over what may be seen, is
compared with that of today. What is compared is the logarithm of the nadir, the day of it, and whether grade 3 is reached: the
variance of that is the expected Brier score of its probability. An individual is no judge of its own counts, and weights that
fall on few are corrected for (s^2 / (1 - sum of w^2)). Reference: Raiffa and Schlaifer, Applied Statistical Decision Theory, 1961.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from myelosim.components.contract import Values
from myelosim.components.residuals import KINDS
from myelosim.random import normals
from myelosim.spec.model import Residual

OUTCOMES = 200  # that may be seen on a day
LEAST = 1e-6  # counts that are as good as none


def expected_reduction(
    counts: np.ndarray, targets: np.ndarray, lineages: Sequence[str], residual: Mapping[str, Residual], days: np.ndarray,
    seed: int,
) -> np.ndarray:  # fmt: skip
    """Return the share of each target's variance that a count of all lineages on a day is expected to take away.

    Parameters
    ----------
    counts : array (sample, lineage, day)
        True counts of individuals, all equally likely.
    targets : array (sample, target)
        What is to be known.
    lineages, residual
        Which counts, and how what is seen of them scatters; those without a residual error are not looked at.
    days : array (day)
        Elapsed days on which blood could be drawn.
    seed : int
        Of what may be seen.

    Returns
    -------
    numpy.ndarray
        (day, target), between 0 and 1; NaN where a target is already known.
    """
    good = np.all(np.isfinite(targets), axis=1) & np.all(np.isfinite(counts), axis=(1, 2))
    counts, targets = np.maximum(counts[good], LEAST), targets[good] - targets[good].mean(axis=0)
    seen = [k for k, name in enumerate(lineages) if name in residual]
    now = targets.var(axis=0, ddof=1) if len(targets) > 1 else np.zeros(targets.shape[1])
    out = np.full((len(days), targets.shape[1]), np.nan)
    if not seen or len(targets) < 3:
        return out
    rows = np.unique(np.linspace(0, len(targets) - 1, min(OUTCOMES, len(targets))).astype(int))
    same = np.all(counts[rows, None] == counts[None], axis=(2, 3))
    for d, day in enumerate(days):
        log = np.where(same, -np.inf, 0.0)
        for k in seen:
            one, f = residual[lineages[k]], counts[:, k, d]
            z = normals(seed, "noise", len(targets), 1, "forecast", lineages[k], float(day), rows=rows)[:, 0]
            terms, module = Values(**one.sigma), KINDS[one.kind]
            y = np.maximum(module.sample(f[rows], z, terms), LEAST)
            log += np.broadcast_to(module.log_density(y[:, None], f[None], terms), log.shape)
        out[d] = _left(log, targets)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(now > 0, np.clip(1.0 - out / now, 0.0, 1.0), np.nan)


def _left(log: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the mean variance of the targets under the weights of each outcome (outcome, sample)."""
    log = np.where(np.isfinite(log), log, -np.inf)
    best = log.max(axis=1, keepdims=True)
    known = np.isfinite(best[:, 0])
    weight = np.exp(log[known] - best[known])
    weight /= weight.sum(axis=1, keepdims=True)
    spread = weight @ targets**2 - (weight @ targets) ** 2
    alone = np.sum(weight**2, axis=1)[:, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.where(alone < 0.99, spread / (1.0 - alone), np.nan)
    return np.asarray(np.nanmean(each, axis=0)) if np.any(alone < 0.99) else np.full(targets.shape[1], np.nan)
