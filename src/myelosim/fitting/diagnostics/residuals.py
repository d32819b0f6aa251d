"""Residuals that are standard normal where the model is right."""

from __future__ import annotations

import numpy as np
import pandas as pd

from myelosim.data.study import MEASURED
from myelosim.errors import SpecError
from myelosim.fitting.diagnostics.censoring import rows_of


def conditional_residuals(
    y: np.ndarray,
    f: np.ndarray,
    jacobian: np.ndarray,
    variance: np.ndarray,
    etas: np.ndarray,
    omega: np.ndarray,
    subject: np.ndarray,
    censored: np.ndarray | None = None,
) -> pd.DataFrame:
    r"""Compute conditional weighted residuals (CWRES), and individual ones (IWRES).

    The model is linearized about each subject's etas. Residuals of a subject are decorrelated by the inverse symmetric
    square root of their covariance, which does not depend on the order of rows.

    Parameters
    ----------
    y : array (R,)
        Observed values, on the scale on which the residual error is normal (the logarithm, for a log-normal one).
    f : array (R,)
        Predictions at ``etas``, on the same scale.
    jacobian : array (R, E)
        Their derivatives by the etas of the row's subject, there.
    variance : array (R,)
        Variance of the residual error: at ``etas`` with interaction, else at etas of zero.
    etas : array (N, E)
        The mode of each subject's etas; those of occasions stand beside those of subjects.
    omega : array (E, E)
        Their covariance.
    subject : array of int (R,)
        Row of ``etas``.
    censored : array (R,), optional
        Rows that are not ``MEASURED`` are left out, as are those without a value.

    Returns
    -------
    pandas.DataFrame
        By row: ``cpred``, the expectation, ``cres`` = y - cpred, ``cwres``; ``ires`` = y - f, ``iwres``. NaN where a row is
        left out.

    Raises
    ------
    SpecError
        A variance of the residual error is not positive.

    Notes
    -----
    .. math::
        E = f(\hat\eta) - G \hat\eta, \qquad C = G \Omega G^T + R, \qquad CWRES = C^{-1/2} (y - E)

    Hooker et al., Pharm Res 2007;24:2187-97. They are standard normal and independent if the model is linear
    in its etas and no row is left out for its value; where many are below a limit, look at :func:`npde` instead.

    Examples
    --------
    >>> one = np.ones((2, 1))
    >>> found = conditional_residuals([3.0, 1.0], [2.0, 2.0], one, [1.0, 1.0], [[0.5]], [[1.5]], np.array([0, 0]))
    >>> found["cwres"].round(3).tolist()
    [1.25, -0.75]
    """
    y, f, variance, jacobian = (np.asarray(a, float) for a in (y, f, variance, jacobian))
    omega, subject = np.asarray(omega, float), np.asarray(subject)
    there = np.isfinite(y) if censored is None else np.isfinite(y) & (np.asarray(censored) == MEASURED)
    if bad := np.flatnonzero(there & ~(variance > 0.0)).tolist():
        raise SpecError(
            f"residuals: the residual error's variance is {variance[bad[0]]:g} at observation {bad[0]} ({len(bad)} in all); it "
            "must be positive: add an additive term"
        )
    expected = f - np.einsum("re,re->r", jacobian, np.asarray(etas, float)[subject])
    residual = np.where(there, y - expected, np.nan)
    weighted = np.full(len(y), np.nan)
    for rows in rows_of(subject, there):
        gradient = jacobian[rows]
        values, vectors = np.linalg.eigh(gradient @ omega @ gradient.T + np.diag(variance[rows]))
        values = np.maximum(values, variance[rows].min())  # as they are but for rounding
        weighted[rows] = vectors @ ((vectors.T @ residual[rows]) / np.sqrt(values))
    own = np.where(there, y - f, np.nan)
    scaled = own / np.sqrt(np.where(there, variance, 1.0))
    return pd.DataFrame({"cpred": expected, "cres": residual, "cwres": weighted, "ires": own, "iwres": scaled})
