"""Where values cannot be told: limits of quantification by row."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from myelosim.data.study import BELOW


def quantification_limits(y: np.ndarray, censored: np.ndarray, groups: np.ndarray | None = None) -> np.ndarray:
    """Give every row a lower limit of quantification, those that were measured among them.

    A censored row's limit is its value. That of the others is the highest of their group, so that a simulated value is
    called below it where an observed one would have been; in a group without a censored row it is NaN: there is none.

    Parameters
    ----------
    y : array (R,)
        Observed values, the limit itself where censored.
    censored : array (R,)
        ``BELOW``, ``ABOVE`` or ``MEASURED``.
    groups : array (R,), optional
        What has limits of its own: the observable, or observable and laboratory. Default: all rows are one group.

    Returns
    -------
    numpy.ndarray
        (R,), in the unit of ``y``.

    Examples
    --------
    >>> quantification_limits(np.array([0.1, 3.0, 40.0]), np.array([1, 0, 0]), np.array(["neutrophil"] * 2 + ["platelet"]))
    array([0.1, 0.1, nan])
    """
    y, below = np.asarray(y, float), np.asarray(censored) == BELOW
    groups = np.zeros(len(y), int) if groups is None else np.asarray(groups)
    limits = np.where(below, y, np.nan)
    for group in set(groups.tolist()):
        own = groups == group
        if (own & below).any():
            limits[own & ~below] = y[own & below].max()
    return limits


def rows_of(subject: np.ndarray, there: np.ndarray) -> Iterator[np.ndarray]:
    """Yield each subject's rows, in their order, of those that are there."""
    rows = np.flatnonzero(there)
    rows = rows[np.argsort(subject[rows], kind="stable")]
    starts = np.flatnonzero(np.diff(subject[rows])) + 1
    yield from (own for own in np.split(rows, starts) if own.size)
