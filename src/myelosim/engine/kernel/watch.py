"""Nadirs and crossings: what happens between the points where the stepper stops.

A step in which a count crosses a threshold or turns is looked at again: one more step, to its middle, gives values and
slopes at three points, and the quintic through them is searched.
"""

from __future__ import annotations

from numba import njit

from myelosim.engine.kernel.structure import COUNTS, OUTPUTS, STATES, attempt, observe
from myelosim.engine.kernel.steps import step_size
from myelosim.engine.lanes import JIT, WIDTH, any_lane, load, select, store

PIECES = 8
BISECTIONS = 48


@njit(**JIT)
def begin_window(work, seen, t, n, g, window):
    """Start looking for a minimum at the value here, which is row 0 of the outputs."""
    lows, O = seen[3], work[12]  # noqa: E741
    for o in range(COUNTS):
        row = 2 * (window * COUNTS + o) * n + g
        store(lows, row, load(O, o * WIDTH))
        store(lows, row + n, t)


@njit(**JIT)
def watch(work, seen, size, h, rtol, H, t, n, g, window):
    """Look at a finished step of ``h`` hours that began at ``t``."""
    C, Y, F, Z, G, O = work[0], work[1], work[2], work[3], work[4], work[12]  # noqa: E741
    levels, cap, limits, lows, crossings = seen
    observe(C, Y, O, 0)
    observe(C, F, O, OUTPUTS)
    observe(C, Z, O, 2 * OUTPUTS)
    observe(C, G, O, 3 * OUTPUTS)
    eventful = False
    for o in range(COUNTS):
        y0, d0 = load(O, o * WIDTH), load(O, (OUTPUTS + o) * WIDTH)
        y1, d1 = load(O, (2 * OUTPUTS + o) * WIDTH), load(O, (3 * OUTPUTS + o) * WIDTH)
        row = 2 * (window * COUNTS + o) * n + g
        low = load(lows, row)
        smaller = y1 < low
        store(lows, row + n, select(smaller, t + h, load(lows, row + n)))
        store(lows, row, select(smaller, y1, low))
        eventful = eventful or any_lane(((d0 < 0.0) & (0.0 < d1)) | ((0.0 < d0) & (d1 < 0.0)))
        for j in range(levels):
            limit = load(limits, (o * levels + j) * n + g)
            eventful = eventful or any_lane((y0 < limit) ^ (y1 < limit))
    if eventful:
        look_again(work, seen, size, h, rtol, H, t, n, g, window)


@njit(**JIT)
def look_again(work, seen, size, h, rtol, H, t, n, g, window):
    """Step to the middle and search every lane that has something to find."""
    C, Z, G, M, N, O = work[0], work[3], work[4], work[10], work[11], work[12]  # noqa: E741
    for i in range(STATES * WIDTH):
        M[i] = Z[i]
        N[i] = G[i]
    middle = step_size(work, size, 0.5 * h, H)
    attempt(work, middle, 0.5 * h, rtol)
    observe(C, Z, O, 4 * OUTPUTS)
    observe(C, G, O, 5 * OUTPUTS)
    for i in range(STATES * WIDTH):
        Z[i] = M[i]
        G[i] = N[i]
    for o in range(COUNTS):
        for lane in range(WIDTH):
            search(O, seen, o, lane, h, t, n, g, window)


@njit(**JIT)
def search(O, seen, o, lane, h, t, n, g, window):  # noqa: E741
    """Find minimum and crossings of one lane's count within a step."""
    levels, cap, limits, lows, crossings = seen
    i, width = o * WIDTH + lane, OUTPUTS * WIDTH
    y0, d0, y1, d1 = O[i], h * O[i + width], O[i + 2 * width], h * O[i + 3 * width]
    a0, a1, a2, a3, a4, a5 = divided(y0, d0, O[i + 4 * width], h * O[i + 5 * width], y1, d1)
    row = 2 * (window * COUNTS + o) * n + g + lane
    x0, s0, v0 = 0.0, d0, y0
    for piece in range(1, PIECES + 1):
        x1 = piece / PIECES
        s1 = slope(a1, a2, a3, a4, a5, x1)
        turn = 2.0
        if (s0 < 0.0 and s1 > 0.0) or (s0 > 0.0 and s1 < 0.0):
            low, high = x0, x1
            for _ in range(BISECTIONS):
                x = 0.5 * (low + high)
                if (slope(a1, a2, a3, a4, a5, x) < 0.0) == (s0 < 0.0):
                    low = x
                else:
                    high = x
            turn = 0.5 * (low + high)
            v = quintic(a0, a1, a2, a3, a4, a5, turn)
            if v < lows[row]:
                lows[row] = v
                lows[row + n] = t + turn * h
            v0 = cross(seen, a0, a1, a2, a3, a4, a5, x0, v0, turn, v, o, lane, h, t, n, g)
            x0 = turn
        v1 = y1 if piece == PIECES else quintic(a0, a1, a2, a3, a4, a5, x1)
        v0 = cross(seen, a0, a1, a2, a3, a4, a5, x0, v0, x1, v1, o, lane, h, t, n, g)
        x0, s0 = x1, s1


@njit(**JIT)
def cross(seen, a0, a1, a2, a3, a4, a5, x0, v0, x1, v1, o, lane, h, t, n, g):
    """Note every threshold crossed on a monotone piece; return the value at its end."""
    levels, cap, limits, lows, crossings = seen
    for j in range(levels):
        limit = limits[(o * levels + j) * n + g + lane]
        if (v0 < limit) == (v1 < limit):
            continue
        low, high = x0, x1
        for _ in range(BISECTIONS):
            x = 0.5 * (low + high)
            if (quintic(a0, a1, a2, a3, a4, a5, x) < limit) == (v0 < limit):
                low = x
            else:
                high = x
        row = (o * levels + j) * (cap + 1) * n + g + lane
        found = int(crossings[row])
        crossings[row] = found + 1
        if found < cap:
            crossings[row + (found + 1) * n] = t + 0.5 * (low + high) * h
    return v1


@njit(**JIT)
def quintic(a0, a1, a2, a3, a4, a5, x):
    """Value at ``x`` of the Newton polynomial on the doubled nodes 0, 1/2, 1."""
    u = x - 0.5
    return a0 + x * (a1 + x * (a2 + u * (a3 + u * (a4 + (x - 1.0) * a5))))


@njit(**JIT)
def slope(a1, a2, a3, a4, a5, x):
    """Its derivative."""
    u = x - 0.5
    p4 = a4 + (x - 1.0) * a5
    p3, q3 = a3 + u * p4, p4 + u * a5
    p2, q2 = a2 + u * p3, p3 + u * q3
    p1, q1 = a1 + x * p2, p2 + x * q2
    return p1 + x * q1


@njit(**JIT)
def divided(y0, d0, ym, dm, y1, d1):
    """Divided differences of values and slopes (per step) on the doubled nodes 0, 1/2, 1."""
    a, b = 2.0 * (ym - y0), 2.0 * (y1 - ym)
    e1, e2, e3, e4 = 2.0 * (a - d0), 2.0 * (dm - a), 2.0 * (b - dm), 2.0 * (d1 - b)
    f1, f2, f3 = 2.0 * (e2 - e1), e3 - e2, 2.0 * (e4 - e3)
    return y0, d0, e1, f1, f2 - f1, f3 - 2.0 * f2 + f1
