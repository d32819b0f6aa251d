"""Normalized prediction distribution errors: where each observation lies among those simulated for it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats
from scipy.linalg import solve_triangular
from scipy.special import ndtri

from myelosim.data.study import ABOVE, BELOW, MEASURED
from myelosim.errors import SpecError
from myelosim.fitting.diagnostics.censoring import rows_of
from myelosim.random import uniforms

MOST = 5000  # values for which the Shapiro-Wilk test has a p value


def npde(
    y: np.ndarray,
    simulated: np.ndarray,
    subject: np.ndarray,
    *,
    censored: np.ndarray | None = None,
    limits: np.ndarray | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Compute prediction discrepancies and prediction distribution errors from simulations of the model.

    The discrepancy ``pd`` of a row is its place among its simulations, from 0 to 1; ``npd`` is the same as a normal
    deviate. For the distribution errors ``pde`` and ``npde`` the rows of a subject, observed and simulated, are first centered by
    the mean of the simulations and decorrelated by the Cholesky factor of their covariance, in the order of the rows. Where
    the model is right, ``npde`` are standard normal and uncorrelated.

    Parameters
    ----------
    y : array (R,)
        Observed values, the limit itself where censored.
    simulated : array (K, R)
        The same rows simulated with etas and residual error drawn anew each time. Simulations in which a subject has a
        missing value are left out for that subject.
    subject : array (R,)
        Whose row it is.
    censored : array (R,), optional
        ``BELOW``, ``ABOVE`` or ``MEASURED``. Default: all are measured.
    limits : array (R,), optional
        Lower limit of quantification of each row, NaN where there is none: see :func:`quantification_limits`. Needed where rows
        are ``BELOW``. Of a row that is ``ABOVE``, its value is the limit.
    seed : int
        For places within ties and below limits.

    Returns
    -------
    pandas.DataFrame
        By row: ``pd``, ``npd``, ``pde``, ``npde``; NaN where there is no observation or the simulations are all alike.

    Raises
    ------
    SpecError
        Rows are censored and have no limit, or there are too few simulations for the rows of a subject.

    Notes
    -----
    Brendel et al., Pharm Res 2006;23:2036-49; Comets et al., Comput Methods Programs Biomed 2008;90:154-66. A place is
    (rank + u) / (K + 1) with a uniform u, ties broken by chance, which is exactly uniform where observation and simulations are
    alike in distribution; the R package npde takes rank / K.

    Censored rows as in the method "cdf" of Nguyen et al., J Pharmacokinet Pharmacodyn 2012;39:499-518: a row below its limit
    gets a discrepancy drawn uniformly between 0 and the share of its simulations below the limit, and the value that has this place
    among those; simulated values below it are drawn anew from them in the same way.

    Decorrelated values of a nonlinear model are not independent: where a subject has many rows, tests reject a true model somewhat
    more often than they say.
    """
    y, simulated, subject = np.array(y, float), np.asarray(simulated, float), np.asarray(subject)
    censored = np.full(len(y), MEASURED) if censored is None else np.asarray(censored)
    low, high = _bounds(y, censored, limits)
    chance = uniforms(seed, "noise", len(y), 2, "npde")
    place, error = np.full(len(y), np.nan), np.full(len(y), np.nan)
    for rows in rows_of(subject, np.isfinite(y)):
        drawn = simulated[:, rows]
        drawn = drawn[np.isfinite(drawn).all(axis=1)]
        if len(drawn) <= rows.size:
            raise SpecError(
                f"npde: {len(drawn)} complete simulations of subject {subject[rows[0]]}, which has {rows.size} observations; give "
                f"at least {max(100, 10 * rows.size)}"
            )
        limited = bool(np.isfinite([low[rows], high[rows]]).any())
        redrawn = uniforms(seed, "noise", *drawn.shape, "npde", "redrawn", int(rows[0])) if limited else drawn
        place[rows] = _rank(y[rows], drawn, chance[rows, 0])
        for k, row in enumerate(rows.tolist()):
            beyond = (drawn[:, k] < low[row]) | (drawn[:, k] > high[row])
            if censored[row] != MEASURED:
                share = (beyond.sum() + 1) / (len(drawn) + 1)
                place[row] = share * chance[row, 1] + (1.0 - share if censored[row] == ABOVE else 0.0)
                if beyond.any():
                    y[row] = np.quantile(drawn[beyond, k], chance[row, 1])
            if beyond.any():
                drawn[beyond, k] = np.quantile(drawn[beyond, k], redrawn[beyond, k])
        error[rows] = _rank(*_decorrelated(y[rows], drawn), chance[rows, 0]) if rows.size > 1 else place[rows]
    return pd.DataFrame({"pd": place, "npd": ndtri(place), "pde": error, "npde": ndtri(error)})


def _bounds(y: np.ndarray, censored: np.ndarray, limits: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return beyond which values each row's cannot be told: under the first, over the second; NaN where they can."""
    low = np.full(len(y), np.nan) if limits is None else np.array(limits, float)
    if bad := np.flatnonzero((censored == BELOW) & ~np.isfinite(low)).tolist():
        raise SpecError(
            f"npde: observation {bad[0]} is below a limit of quantification ({len(bad)} are), and no limit is given for it; give "
            "limits=quantification_limits(y, censored, observable)"
        )
    above = censored == ABOVE
    low[above] = np.nan
    return low, np.where(above, y, np.nan)


def _rank(y: np.ndarray, simulated: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Return the places of y (n,) among (K, n), uniform where alike in distribution; NaN where simulations do not differ."""
    less, same = (simulated < y).sum(axis=0), (simulated == y).sum(axis=0)
    place = (less + chance * (same + 1)) / (len(simulated) + 1)
    return np.where(np.ptp(simulated, axis=0) > 0.0, place, np.nan)


def _decorrelated(y: np.ndarray, simulated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Center and decorrelate by the inverse Cholesky factor of the covariance; rows that never differ stay as they are."""
    spread = simulated.std(axis=0)
    differ = spread > 0.0
    middle = simulated.mean(axis=0)
    scale = np.where(differ, spread, 1.0)
    own, drawn = (y - middle) / scale, (simulated - middle) / scale
    if differ.any():
        correlation = np.corrcoef(drawn[:, differ], rowvar=False).reshape(differ.sum(), -1)
        try:
            factor = np.linalg.cholesky(correlation)
        except np.linalg.LinAlgError:
            # Rows that are copies of one another: lift the zero eigenvalues by what rounding hides.
            factor = np.linalg.cholesky(correlation + 1e-9 * np.eye(len(correlation)))
        own[differ] = solve_triangular(factor, own[differ], lower=True)
        drawn[:, differ] = solve_triangular(factor, drawn[:, differ].T, lower=True).T
    return own, drawn


def npde_tests(errors: np.ndarray) -> pd.DataFrame:
    """Test whether prediction distribution errors are standard normal.

    Parameters
    ----------
    errors : array
        ``npde`` or ``npd``; NaN are left out.

    Returns
    -------
    pandas.DataFrame
        Index ``test``: ``wilcoxon`` (signed rank, median zero), ``mean`` (t), ``variance`` (chi-square, that it is one),
        ``normality`` (Shapiro-Wilk, of at most 5000 evenly spaced rows), and ``global``: three times the smallest p value of the
        first, the third and the fourth, at most 1 (Bonferroni). Columns ``statistic`` (of ``global``: NaN) and ``p``; all NaN
        under three values.

    Notes
    -----
    Comets et al., Comput Methods Programs Biomed 2008;90:154-66.
    """
    values = np.asarray(errors, float)
    values = values[np.isfinite(values)]
    names = pd.Index(["wilcoxon", "mean", "variance", "normality", "global"], name="test")
    table = pd.DataFrame(np.nan, names, ["statistic", "p"])
    if values.size < 3 or np.ptp(values) == 0.0:
        return table
    free = values.size - 1
    squares = free * values.var(ddof=1)
    table.loc["wilcoxon"] = stats.wilcoxon(values)
    table.loc["mean"] = stats.ttest_1samp(values, 0.0)
    table.loc["variance"] = squares / free, 2.0 * min(stats.chi2.cdf(squares, free), stats.chi2.sf(squares, free))
    table.loc["normality"] = stats.shapiro(values[:: -(-values.size // MOST)])
    table.loc["global", "p"] = min(1.0, 3.0 * table.loc[["wilcoxon", "variance", "normality"], "p"].min())
    return table
