"""What a fit's data say of what was estimated, as an information matrix that later studies begin with."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from myelosim.fitting.problem import Problem
from myelosim.information.labels import entries, labels
from myelosim.spec.scale import from_scale

Array = NDArray[np.float64]
STEP = 1e-5


def information(problem: Problem, x: Array, covariance: Array) -> pd.DataFrame:
    """Return the information of a fit's data and priors in natural units, omegas and terms of errors as variances.

    The fit's covariance is that of a vector ``x`` (thetas on their scales, omegas' factors, terms' logarithms); it is carried over
    by the derivatives of what the vector stands for.
    """
    steps = np.eye(len(x)) * STEP
    by = np.array(
        [(natural(problem, x + step) - natural(problem, x - step)) / (2.0 * STEP) for step in steps]
    )  # (vector, natural)
    carried = by.T @ covariance @ by
    names = list(labels(problem.estimation))
    size = np.sqrt(np.where(np.diag(carried) > 0, np.diag(carried), 1.0))
    inverse = np.linalg.pinv(carried / np.outer(size, size), rcond=1e-10, hermitian=True) / np.outer(size, size)
    return pd.DataFrame(inverse, index=names, columns=names)


def natural(problem: Problem, x: Array) -> Array:
    """Return what a fit's vector says of what is estimated, in natural units and the order of labels, variances as such."""
    point, est = problem.parameters.unpack(x), problem.estimation
    theta = [float(from_scale(value, one.scale)) for value, one in zip(point.beta, est.thetas, strict=True)]
    omega = [
        own[i, j] for one, own in ((est.omega, point.omega), (est.occasion, point.occasion)) for i, j in entries(one)
    ]
    return np.array([*theta, *omega, *(point.sigma[k] ** 2 for k, one in enumerate(est.sigmas) if one.free)])
