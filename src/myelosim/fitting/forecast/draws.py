"""How much blood counts on later days are expected to tell (a preposterior analysis).

Counts on later days are drawn of individuals of the posterior, one after the other, and all others are weighted by how likely
they make them: that is what the forecast would be after such counts. Its variance, on average over what may be seen, is
compared with that of today. What is compared is the logarithm of the nadir, the day of it, whether grade 3 is reached (the
variance of that is the expected Brier score of its probability), or the logarithm of a count on a day. Of all that differs
between individuals together it is the information gained, which for normal numbers is the D criterion. An individual is no judge
of its own counts, and weights that fall on few are corrected for (s^2 / (1 - sum of w^2)). References: Raiffa and Schlaifer,
Applied Statistical Decision Theory, 1961; Lindley, Ann Math Stat 1956;27:986-1005.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from myelosim.components.contract import Values
from myelosim.components.residuals import KINDS
from myelosim.random import normals
from myelosim.spec.model import Residual

OUTCOMES = 200  # that may be seen on a day
JUDGES = 2000  # individuals at most who are weighted
LEAST = 1e-6  # counts that are as good as none
NOTHING = 1e-50  # likelihood over the best: products of three, squared, are still numbers that are quick to reckon with
PIECE = 200_000  # products in a multiplication of matrices that stays on one thread: several wait for each other here
ALONE = 0.99  # sum of squared weights, from which on they tell of one individual only

Array = np.ndarray
Sets = Sequence[Sequence[int]]


class Outlook:
    """What may be seen on later days, and how likely each individual makes it.

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
    """

    def __init__(
        self,
        counts: Array,
        targets: Array,
        lineages: Sequence[str],
        residual: Mapping[str, Residual],
        days: Array,
        seed: int,
    ) -> None:
        good = np.flatnonzero(np.all(np.isfinite(targets), axis=1) & np.all(np.isfinite(counts), axis=(1, 2)))
        self.judges = good[_spread(len(good), JUDGES)]
        self.targets = targets[self.judges] - targets[self.judges].mean(axis=0)
        self.rows = _spread(len(self.judges), OUTCOMES)
        self.seen = [k for k, name in enumerate(lineages) if name in residual]
        counts, rows = np.maximum(counts[self.judges], LEAST), self.rows
        same = np.all(counts[rows, None] == counts[None], axis=(2, 3))
        self.likely = np.zeros((len(days), len(rows), len(counts)))  # over the most likely other's
        self.own = np.zeros((len(days), len(rows)))  # logarithms of what is likely for oneself, over the same
        for d, day in enumerate(days):
            log = np.zeros(same.shape)
            for k in self.seen:
                one, f = residual[lineages[k]], counts[:, k, d]
                z = normals(seed, "noise", len(counts), 1, "forecast", lineages[k], float(day), rows=rows)[:, 0]
                terms, module = Values(**one.sigma), KINDS[one.kind]
                y = np.maximum(module.sample(f[rows], z, terms), LEAST)
                log += np.broadcast_to(module.log_density(y[:, None], f[None], terms), log.shape)
            own, log = log[np.arange(len(rows)), rows], np.where(same | ~np.isfinite(log), -np.inf, log)
            best = log.max(axis=1, initial=-np.inf)
            best = np.where(np.isfinite(best), best, 0.0)
            likely = np.exp(log - best[:, None])
            self.likely[d], self.own[d] = np.where(likely < NOTHING, 0.0, likely), own - best

    def each(self, sets: Sets) -> Iterator[tuple[Array, Array]]:
        """Give, for sets of days in the order of days, how likely all are to each (outcome, sample), and to oneself."""
        kept: list[tuple[int, Array]] = []
        for one in sets:
            shared = 0
            while shared < min(len(kept), len(one)) and kept[shared][0] == one[shared]:
                shared += 1
            del kept[shared:]
            for day in one[shared:]:
                kept.append((day, kept[-1][1] * self.likely[day] if kept else self.likely[day]))
            yield kept[-1][1], self.own[list(one)].sum(axis=0)

    def reduction(self, sets: Sets) -> Array:
        """Return the share of each target's variance that counts on the days of each set are expected to take away.

        Parameters
        ----------
        sets : sequence of sequence of int
            Places among the days.

        Returns
        -------
        numpy.ndarray
            (set, target), between 0 and 1; NaN where a target is already known.
        """
        targets = self.targets
        out = np.full((len(sets), targets.shape[1]), np.nan)
        if not self.seen or len(targets) < 3:
            return out
        now, wanted = targets.var(axis=0, ddof=1), targets.shape[1]
        moments = np.concatenate([np.ones((len(targets), 1)), targets, targets**2], axis=1)
        for k, (likely, _) in enumerate(self.each(sets)):
            sums, squares = _summed(likely, moments), np.einsum("os,os->o", likely, likely)
            known = sums[:, 0] > 0
            sums, squares = sums[known], squares[known]
            mean = sums / sums[:, :1]
            alone = (squares / sums[:, 0] ** 2)[:, None]
            several = alone[:, 0] < ALONE
            if np.any(several):
                left = mean[:, 1 + wanted :] - mean[:, 1 : 1 + wanted] ** 2
                out[k] = np.mean(left[several] / (1.0 - alone[several]), axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(now > 0, np.clip(1.0 - out / now, 0.0, 1.0), np.nan)

    def gain(self, sets: Sets) -> Array:
        """Return the information (nats) that counts on the days of each set are expected to give about the individual."""
        out = np.full(len(sets), np.nan)
        if not self.seen or len(self.judges) < 3:
            return out
        for k, (likely, own) in enumerate(self.each(sets)):
            total = likely.sum(axis=1)
            known = total > 0
            if np.any(known):
                out[k] = max(float(np.mean(own[known] - np.log(total[known] / (likely.shape[1] - 1)))), 0.0)
        return out


def _summed(likely: Array, moments: Array) -> Array:
    rows = max(1, PIECE // moments.size)
    return np.concatenate([likely[k : k + rows] @ moments for k in range(0, len(likely), rows)])


def _spread(size: int, most: int) -> Array:
    """Return places of at most so many, evenly among ``size``."""
    return np.unique(np.linspace(0, size - 1, min(most, size)).astype(int)) if size else np.zeros(0, int)
