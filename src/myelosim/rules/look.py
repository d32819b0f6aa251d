"""What a clinic knows at a visit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Look:
    """One visit of all subjects who have it.

    Parameters
    ----------
    hour : float
        When blood is drawn.
    there : array (subject)
        Who has this visit.
    observed : mapping
        Lineage coordinate -> observed counts (subject), NaN where nobody looked.
    baseline : mapping
        Lineage coordinate -> geometric mean of what was observed before the first dose (subject).
    grade : mapping
        Lineage coordinate -> observed grades (subject), -1 where there is none.
    signs : mapping
        Clinical sign -> whether it was noted since the visit before (subject).
    cycle : array (subject)
        Number of the cycle, from 1; 0 before the first.
    """

    hour: float
    there: Bools
    observed: Mapping[str, Floats]
    baseline: Mapping[str, Floats]
    grade: Mapping[str, NDArray[np.int8]]
    signs: Mapping[str, Bools]
    cycle: NDArray[np.intp]

    @property
    def size(self) -> int:
        """Number of subjects."""
        return len(self.there)
