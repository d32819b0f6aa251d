"""bench-1 as a plain right-hand side, all states integrated, for solvers that take one."""

from __future__ import annotations

import math
from itertools import pairwise

KA, Q, V, VP, GAMMA, DOSE = 1.0, 4.0, 60.0, 50.0, 0.17, 40.0
DOSES = [12.0 * i for i in range(56)]
DAYS = [24.0 * i for i in range(57)]
GAPS = list(pairwise(sorted({*DOSES, *DAYS})))


def rhs(y, cl, baseline, mtt, slope):
    """Return the derivatives of depot, central, peripheral, proliferating, three transits and circulating."""
    k, c = 4.0 / mtt, y[1] / V
    feedback = math.exp(GAMMA * math.log(baseline / y[7]))
    return (
        -KA * y[0],
        KA * y[0] - (cl + Q) / V * y[1] + Q / VP * y[2],
        Q / V * y[1] - Q / VP * y[2],
        k * y[3] * ((1.0 - slope * c) * feedback - 1.0),
        k * (y[3] - y[4]),
        k * (y[4] - y[5]),
        k * (y[5] - y[6]),
        k * (y[6] - y[7]),
    )
