"""How far individual parameters are expected to be drawn to the typical ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from myelosim.information.sensitivity import Sensitivity


def shrinkage(of: Sensitivity) -> NDArray[np.float64]:
    """Return the share of each random effect's variance that a subject's own observations leave unknown, percent (effect).

    With M = G' R^-1 G that is diag((omega^-1 + M)^-1)/diag(omega), the mean over points of linearization. Reference: Combes,
    Retout, Frey and Mentré, J Pharmacokinet Pharmacodyn 2013;40:355-67.
    """
    M = np.einsum("kr,kre,krf->kef", 1.0 / of.variance, of.random, of.random)
    left = np.linalg.solve(np.eye(len(of.omega)) + of.omega @ M, np.broadcast_to(of.omega, M.shape))
    return np.asarray(100.0 * np.diagonal(left, axis1=1, axis2=2).mean(axis=0) / np.diag(of.omega))
