"""Step sizes: dyadic fractions of a day, so that the decay of the modes over a step is looked up."""

from __future__ import annotations

from numba import njit

from myelosim.engine.kernel.structure import DRUGS, MODES, NODES, RATE
from myelosim.engine.lanes import INNER, WIDTH, exp, load, store

SNAP = 1e-10


@njit(**INNER)
def tabulate(C, T, size, h):
    """Write the decay of every mode over each node's fraction of ``h``."""
    for i in range(len(NODES)):
        for m in range(MODES):
            store(T, ((size * len(NODES) + i) * MODES + m) * WIDTH, exp(load(C, (RATE + m) * WIDTH) * (-NODES[i] * h)))


@njit(**INNER)
def step_size(work, size, h, H):
    """Return the index of step size ``h``, found from ``size`` on; one that is not dyadic is tabulated after the others."""
    sizes, count = H
    k = min(size, count - 1)
    while k < count - 1 and sizes[k] > h * (1.0 + SNAP):
        k += 1
    if abs(sizes[k] - h) <= SNAP * h:
        return k
    own = count if size < count else count + 1
    tabulate(work[0], work[7], own, h)
    return own


@njit(**INNER)
def move(to, source, rows):
    """Copy rows between scratch arrays, eight lanes at once; element by element they would cost a fifth of a step."""
    for i in range(rows):
        store(to, i * WIDTH, load(source, i * WIDTH))


@njit(**INNER)
def decay(A, S, T, size, h):
    """Carry modes and tabulated exposures over a finished step."""
    row = (size * len(NODES) + len(NODES) - 1) * MODES
    for m in range(MODES):
        store(A, m * WIDTH, load(A, m * WIDTH) * load(T, (row + m) * WIDTH))
    for d in range(DRUGS):
        store(S, d * WIDTH, load(S, d * WIDTH) + load(S, (DRUGS + d) * WIDTH) * h)
