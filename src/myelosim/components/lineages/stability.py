"""Where a feedback loop loses its stability, and counts oscillate without end.

A loop with feedback exponent gamma has the characteristic equation 1 + gamma * H(x) = 0, with H the response of the
count to the production it controls. At the limit of stability x is imaginary, x = i*w: the phases in H add up to -pi
at the first such w, and gamma = 1 / |H|. Constant drug effects on a self-renewing pool do not change it.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from myelosim.components.contract import Values


def chain_limit(n_transits: int, ratio: float) -> float:
    """Return the feedback exponent above which a chain with ``kcirc / ktr = ratio`` oscillates without end.

    The linearized chain has the characteristic equation ``x (x + 1)^n (x + ratio) + ratio * gamma = 0`` (x in units
    of ktr).

    Examples
    --------
    >>> round(chain_limit(3, 1.0), 2)
    0.57
    """
    return production_limit(n_transits + 1, n_transits + 1.0, 1, 1.0 / ratio, renewing=True)


def production_limit(n_precursors: int, mtt: float, n_ages: int, residence: float, renewing: bool) -> float:
    """Return the feedback exponent above which a chain of precursors and ages oscillates without end.

    Parameters
    ----------
    n_precursors, n_ages : int
        Compartments before and in the blood.
    mtt, residence : float
        Mean times spent in them (same unit).
    renewing : bool
        Whether the first precursor renews itself, which makes it an integrator: more laboring the longer the lack
        lasts.

    Returns
    -------
    float
        The limit; infinite where the lags never add up to half a turn.

    Examples
    --------
    >>> round(production_limit(4, 4.0, 1, 1.0, renewing=True), 2)
    0.57
    >>> production_limit(1, 120.0, 1, 200.0, renewing=False)
    inf
    """
    ktr, ageing = n_precursors / mtt, n_ages / residence

    def lag_and_size(w: float) -> tuple[float, float]:
        x = complex(0.0, w)
        blood = (1 - (ageing / (x + ageing)) ** n_ages) / (x * residence)
        lags = n_precursors - 1 if renewing else n_precursors
        lag = lags * math.atan2(w, ktr) - cmath.phase(blood) + (math.pi / 2 if renewing else 0.0)
        size = abs(blood) * (ktr / math.hypot(w, ktr)) ** lags * (ktr / w if renewing else 1.0)
        return lag, size

    low = high = 1e-3 / (mtt + residence)
    while lag_and_size(high)[0] < math.pi:
        low, high = high, 1.1 * high
        if high > 1e3 * (ktr + ageing):
            return math.inf
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if lag_and_size(middle)[0] > math.pi else (middle, high)
    return 1.0 / lag_and_size(high)[1]


def too_steep(gamma: float, limit: float) -> list[str]:
    """Return the complaint about a feedback exponent at or past its limit, if any."""
    if gamma < limit:
        return []
    return [
        f"gamma is {gamma:g}, at or past the stability limit {limit:.2f}: counts would oscillate without end; "
        f"use a smaller gamma or a shorter mtt"
    ]


def unstable(
    rhs: Callable[..., tuple[Any, ...]], rest: tuple[Any, ...], p: Any, sites: Any, structure: Any, remedy: str
) -> list[str]:
    """Return the complaint about a steady state that a small disturbance would leave, if any.

    The Jacobian comes from complex steps, so ``rhs`` must take complex numbers.
    """
    drug_free = Values(**dict.fromkeys(sites, 1.0))
    step = 1e-30
    columns = []
    for i, value in enumerate(rest):
        y = tuple(complex(other, step * value * (i == j)) for j, other in enumerate(rest))
        columns.append([complex(d).imag / (step * value) for d in rhs(y, p, drug_free, structure)])
    growth = float(np.max(np.linalg.eigvals(np.array(columns).T).real))
    if growth < 0:
        return []
    return [
        f"the drug-free steady state is unstable, small disturbances grow by {growth:.2g} per hour: counts would never "
        f"settle; use {remedy}"
    ]
