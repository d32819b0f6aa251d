"""SciPy's LSODA at rtol 1e-6, subject by subject."""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp

from benchmarks.rivals.friberg import DAYS, DOSE, DOSES, GAPS, rhs

MOST = 8  # subjects: it is slow


def solve(individuals):
    """Return counts (subject, day)."""
    doses, days = set(DOSES), {d: i for i, d in enumerate(DAYS)}
    out = np.empty((len(individuals), len(DAYS)))
    for s, (cl, baseline, mtt, slope) in enumerate(individuals.to_numpy()):
        y = np.array([0.0, 0.0, 0.0, *[baseline] * 5])
        out[s, 0] = baseline
        for begin, end in GAPS:
            y[0] += DOSE if begin in doses else 0.0
            done = solve_ivp(
                lambda t, y, *p: rhs(y, *p),
                (begin, end),
                y,
                "LSODA",
                args=(cl, baseline, mtt, slope),
                rtol=1e-6,
                atol=1e-12,
            )
            y = done.y[:, -1]
            if end in days:
                out[s, days[end]] = y[7]
    return out
