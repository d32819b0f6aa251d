"""How far individual estimates are drawn to the typical subject, and how they hang together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats


def shrinkage(etas: np.ndarray, omega: np.ndarray, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Compute the shrinkage of each eta.

    Parameters
    ----------
    etas : array (N, E)
        The mode of each subject's etas; of etas between occasions, a row an occasion. NaN rows are left out: give them to
        subjects without observations, whose etas say nothing.
    omega : array (E, E)
        Covariance of the etas.
    names : sequence of str, optional
        Of the etas. Default: their numbers.

    Returns
    -------
    pandas.DataFrame
        Index ``eta``; columns ``sd``, 1 - SD(eta) / sqrt(omega), ``variance``, 1 - Var(eta) / omega, ``mean``, and ``p`` of the
        t test that the mean is zero. SD and variance are about the mean and by N - 1. NaN where omega is zero or there are
        fewer than two subjects.

    Notes
    -----
    Savic and Karlsson, AAPS J 2009;11:558-69. With one observation's error variance r and n of them a subject, in a model that is
    linear in one eta the variance version is expected to be r / (n omega + r).

    Examples
    --------
    >>> shrinkage([[-0.1], [0.1]], [[0.08]], ["mtt"])[["sd", "variance"]]
          sd  variance
    eta
    mtt  0.5      0.75
    """
    etas, between = np.asarray(etas, float), np.diagonal(np.asarray(omega, float))
    etas = etas[np.isfinite(etas).all(axis=1)]
    index = pd.Index(range(etas.shape[1]) if names is None else names, name="eta")
    table = pd.DataFrame(np.nan, index, ["sd", "variance", "mean", "p"])
    for k, variance in enumerate(between):
        own = etas[:, k]
        if variance > 0.0 and own.size > 1:
            ratio = own.var(ddof=1) / variance
            p = stats.ttest_1samp(own, 0.0).pvalue if np.ptp(own) > 0.0 else np.nan
            table.iloc[k] = 1.0 - np.sqrt(ratio), 1.0 - ratio, own.mean(), p
    return table


def eta_correlation(etas: np.ndarray, omega: np.ndarray, names: Sequence[str] | None = None) -> pd.DataFrame:
    """Correlate individual etas with each other, to be held against what the model says.

    Parameters
    ----------
    etas, omega, names
        As for :func:`shrinkage`.

    Returns
    -------
    pandas.DataFrame
        A row a pair: ``one``, ``other``, Pearson's ``correlation`` and its ``p`` (that it is zero), and ``model``, the
        correlation in ``omega``. NaN where an eta is the same for everybody or there are fewer than three subjects. Shrunken
        etas are correlated even where those of the model are not.
    """
    etas, omega = np.asarray(etas, float), np.asarray(omega, float)
    etas = etas[np.isfinite(etas).all(axis=1)]
    labels = list(range(etas.shape[1]) if names is None else names)
    rows = []
    for i, j in combinations(range(etas.shape[1]), 2):
        known = len(etas) > 2 and bool((np.ptp(etas[:, [i, j]], axis=0) > 0.0).all())
        found, p = stats.pearsonr(etas[:, i], etas[:, j]) if known else (np.nan, np.nan)
        sizes = np.sqrt(omega[i, i] * omega[j, j])
        rows.append((labels[i], labels[j], found, p, omega[i, j] / sizes if sizes > 0.0 else np.nan))
    return pd.DataFrame(rows, columns=["one", "other", "correlation", "p", "model"])
