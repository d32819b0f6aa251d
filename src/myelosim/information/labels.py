"""What the rows of an information matrix are called."""

from __future__ import annotations

import numpy as np

from myelosim.spec.estimation import Estimation, Omega


def labels(estimation: Estimation) -> tuple[str, ...]:
    """Return names: thetas, ``omega <name>`` (and ``omega <name>, <name>``), ``iov <name>``, terms of errors."""
    return (
        *(theta.name for theta in estimation.thetas),
        *(_label("omega", estimation.omega, i, j) for i, j in entries(estimation.omega)),
        *(_label("iov", estimation.occasion, i, j) for i, j in entries(estimation.occasion)),
        *(sigma.name for sigma in estimation.sigmas if sigma.free),
    )


def entries(omega: Omega) -> list[tuple[int, int]]:
    """Return the free entries of a covariance matrix, row by row, each pair once."""
    free = np.asarray(omega.free, bool)
    return [(i, j) for i in range(len(free)) for j in range(i + 1) if free[i, j]]


def _label(kind: str, omega: Omega, i: int, j: int) -> str:
    return f"{kind} {omega.names[i]}" if i == j else f"{kind} {omega.names[i]}, {omega.names[j]}"
