"""Times put together, so that there are enough observations for quantiles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from myelosim.errors import SpecError

MOST = 24  # distinct times that are looked at one by one
FEW = 12  # distinct times that are a bin each, and most bins made of more

Bins = int | Sequence[float] | np.ndarray | None


def time_bins(time: np.ndarray, bins: Bins = None) -> np.ndarray:
    """Say in which bin each time is.

    Without ``bins``, every distinct time is a bin where there are at most 12, as at nominal times; times of fewer than half as
    many rows as the one with most, as of draws that only some needed, are put together with later ones. Otherwise there are as many
    bins as the square root of the number of times, at most 12, of about equal numbers. Equal times are never parted.

    Parameters
    ----------
    time : array (R,)
        In any unit.
    bins : int or sequence of float, optional
        How many bins of about equal numbers, or their edges: a time at an edge belongs to the later bin, at the last edge to the
        last.

    Returns
    -------
    numpy.ndarray
        (R,) from 0; none is empty, but for those between given edges.

    Raises
    ------
    SpecError
        Edges do not increase or leave times out, or there is no bin.

    Examples
    --------
    >>> time_bins(np.array([0.0, 72.0, 72.0, 120.0])).tolist()
    [0, 1, 1, 2]
    """
    time = np.asarray(time, float)
    distinct, which, counts = np.unique(time, return_inverse=True, return_counts=True)
    if bins is not None and not isinstance(bins, int | np.integer):
        return _between(time, np.asarray(bins, float))
    if bins is None and distinct.size <= MOST:
        whole = _whole(counts)
        if whole.max() < FEW:
            return np.asarray(whole[which])
    number = min(FEW, int(np.sqrt(time.size))) if bins is None else int(bins)
    if number < 1:
        raise SpecError(f"visual check: bins = {number}; give at least one")
    # A time goes where the middle of its rows lies among all rows.
    middle = (np.cumsum(counts) - 0.5 * counts) / time.size
    return np.asarray(np.unique((number * middle).astype(int), return_inverse=True)[1][which])


def _whole(counts: np.ndarray) -> np.ndarray:
    """Return the bin of each distinct time: one by one, but of at least half as many rows as at the time with most."""
    least, bin_of, held, number = 0.5 * counts.max(initial=0), np.zeros(counts.size, int), 0, 0
    for k, count in enumerate(counts.tolist()):
        bin_of[k] = number
        held += count
        if held >= least:
            held, number = 0, number + 1
    if held:  # the last were too few
        bin_of[bin_of == number] = max(number - 1, 0)
    return bin_of


def _between(time: np.ndarray, edges: np.ndarray) -> np.ndarray:
    if edges.size < 2 or not (np.diff(edges) > 0.0).all():
        raise SpecError(f"visual check: the edges of bins are {edges.tolist()}; give two or more that increase")
    out = (time < edges[0]) | (time > edges[-1])
    if out.any():
        raise SpecError(
            f"visual check: {int(out.sum())} of {time.size} times lie outside the bins, the first at {time[out][0]:g}; the edges "
            f"go from {edges[0]:g} to {edges[-1]:g}: widen them"
        )
    return np.minimum(np.searchsorted(edges, time, side="right") - 1, edges.size - 2)
