"""What a clinic sees of a count: the true one, the analyzer's scatter, and rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myelosim.components.contract import Values
from myelosim.components.residuals import KINDS
from myelosim.random import normals
from myelosim.spec.model import Residual

__all__ = ["DECIMALS", "observe"]

DECIMALS = {"neutrophil": 2, "leukocyte": 2, "platelet": 0, "hemoglobin": 1}
"""Decimals that a report of a complete blood count gives, in the lineage's unit."""


def observe(
    count: ArrayLike,
    hours: ArrayLike,
    lineage: str,
    residual: Residual | None,
    seed: int,
    *,
    subjects: NDArray[np.intp] | None = None,
) -> NDArray[np.float64]:
    """Draw what is seen at visits.

    Parameters
    ----------
    count : array (subject, visit)
        True counts in the lineage's unit; NaN where no blood is drawn.
    hours : array (visit) or (subject, visit)
        Times of the visits.
    lineage : str
        Lineage coordinate; with the day it names the noise, so that arms with other visits stay paired.
    residual : Residual or None
        How the observations scatter; None for not at all.
    seed : int
        The population's.
    subjects : array of int, optional
        Who the rows are, where they are not subjects 0, 1, 2, ...

    Returns
    -------
    numpy.ndarray
        Observed counts (subject, visit), not negative, rounded as reports are (`DECIMALS`); NaN where ``count`` is.

    Examples
    --------
    >>> observe([[4.123, 0.987]], [0.0, 168.0], "neutrophil", None, seed=1)
    array([[4.12, 0.99]])
    """
    true = np.asarray(count, dtype=np.float64)
    seen = true.copy()
    if residual is not None:
        z = _noise(np.asarray(hours, dtype=np.float64), true.shape, lineage, seed, subjects)
        present = ~np.isnan(true)
        drawn = KINDS[residual.kind].sample(true[present], z[present], Values(**residual.sigma))
        seen[present] = np.maximum(drawn, 0.0)
    return np.round(seen, DECIMALS[lineage]) if lineage in DECIMALS else seen


def _noise(
    hours: NDArray[np.float64], shape: tuple[int, ...], lineage: str, seed: int, subjects: NDArray[np.intp] | None
) -> NDArray[np.float64]:
    """Return a standard normal for each visit, the same wherever a subject has a visit of that lineage on that day."""
    who = np.arange(shape[0]) if subjects is None else np.asarray(subjects)
    size = int(who.max(initial=-1)) + 1
    days = np.round(hours / 24.0, 6)

    def drawn(day: float, rows: NDArray[np.intp]) -> NDArray[np.float64]:
        return normals(seed, "noise", size, 1, lineage, float(day), rows=rows)[:, 0]

    if hours.ndim == 1:
        return np.stack([drawn(day, who) for day in days], axis=1) if days.size else np.empty(shape)
    z = np.full(shape, np.nan)
    for day in np.unique(days[~np.isnan(days)]):
        row, visit = np.nonzero(days == day)
        z[row, visit] = drawn(day, who[row])
    return z
