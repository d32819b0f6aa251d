"""What an analyser reports where the true count is known."""

from __future__ import annotations

import numpy as np

from myelosim.components.contract import Values
from myelosim.components.residuals import KINDS
from myelosim.random import normals
from myelosim.spec.model import Residual


def observe(residual: Residual | None, count: np.ndarray, seed: int, lineage: str, days: np.ndarray) -> np.ndarray:
    """Return observed counts (subject, visit) for true ones.

    The noise of a subject on a day is the same in every arm and for every other choice of visits. Without a residual model the
    observation is the truth. Nothing negative is reported.
    """
    if residual is None or count.shape[1] == 0:
        return count
    kind, own = KINDS[residual.kind], Values(**residual.sigma)
    seen = np.empty_like(count)
    for k, day in enumerate(days):
        z = normals(seed, "noise", len(count), 1, lineage, float(day))[:, 0]
        seen[:, k] = kind.sample(count[:, k], z, own)
    return np.maximum(seen, 0.0)
