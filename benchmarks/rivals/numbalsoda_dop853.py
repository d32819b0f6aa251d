"""numbalsoda's compiled DOP853 at rtol 1e-6, the whole loop over subjects compiled."""

from __future__ import annotations

import numpy as np
from numba import cfunc, njit
from numbalsoda import dop853, lsoda_sig

from benchmarks.rivals import friberg

MOST = 1000
_rhs = njit(friberg.rhs)


@cfunc(lsoda_sig)
def _call(t, u, du, p):
    y = (u[0], u[1], u[2], u[3], u[4], u[5], u[6], u[7])
    d = _rhs(y, p[0], p[1], p[2], p[3])
    for i in range(8):
        du[i] = d[i]


_ADDRESS = _call.address
_BEGIN, _END = np.array([g[0] for g in friberg.GAPS]), np.array([g[1] for g in friberg.GAPS])
_DOSED = np.array([g[0] in set(friberg.DOSES) for g in friberg.GAPS])
_DAY = np.array([int(g[1] // 24) if g[1] % 24 == 0 else -1 for g in friberg.GAPS])


@njit
def _solve(table, begin, end, dosed, day, out):
    for s in range(table.shape[0]):
        y = np.zeros(8)
        y[3:] = table[s, 1]
        out[s, 0] = table[s, 1]
        for g in range(len(begin)):
            if dosed[g]:
                y[0] += 40.0
            span = np.array([begin[g], end[g]])
            done, _ok = dop853(_ADDRESS, y, span, data=table[s].copy(), rtol=1e-6, atol=1e-12)
            y = done[-1].copy()
            if day[g] >= 0:
                out[s, day[g]] = y[7]


def solve(individuals):
    """Return counts (subject, day)."""
    out = np.empty((len(individuals), len(friberg.DAYS)))
    _solve(np.ascontiguousarray(individuals.to_numpy()), _BEGIN, _END, _DOSED, _DAY, out)
    return out
