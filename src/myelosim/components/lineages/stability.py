"""Where a self-renewing transit chain loses its stability."""

from __future__ import annotations

import math


def chain_limit(n_transits: int, ratio: float) -> float:
    """Return the feedback exponent above which a chain with ``kcirc / ktr = ratio`` oscillates without end.

    The linearized chain has the characteristic equation ``x (x + 1)^n (x + ratio) + ratio * gamma = 0`` (x in units
    of ktr); a constant drug effect does not change it. At the limit x is imaginary, x = i*w: the phases of the
    factors add up to pi, which has one solution w, and gamma follows from the moduli.

    Examples
    --------
    >>> round(chain_limit(3, 1.0), 2)
    0.57
    """
    low, high = 0.0, math.inf
    w = 1.0
    for _ in range(200):
        phase = math.pi / 2 + n_transits * math.atan(w) + math.atan(w / ratio)
        low, high = (low, w) if phase > math.pi else (w, high)
        w = 2 * w if math.isinf(high) else (low + high) / 2
    return w * math.hypot(1.0, w) ** n_transits * math.hypot(w, ratio) / ratio
