"""Nadirs and crossings: what happens between the points where the stepper stops.

A step in which a count crosses a threshold or turns is looked at again: values and slopes at its ends and its middle make
a quintic, which is searched. The middle comes from one more step to it, or from the ends where the count is nearly a cubic.
"""

from __future__ import annotations

from numba import njit

from myelosim.engine.kernel.steps import move, step_size
from myelosim.engine.kernel.structure import COUNTS, OUTPUTS, STATES, attempt, observe
from myelosim.engine.lanes import (
    INNER,
    WIDTH,
    absolute,
    after,
    any_lane,
    lane_bits,
    load,
    maximum,
    minimum,
    select,
    splat,
    store,
)

ITERATIONS = 40
NEAR = 1e-9  # of the values at the ends, for a root
CUBIC = 3e-5  # third difference over the count under which a cubic is right to better than 1e-6


@njit(**INNER)
def begin_window(work, seen, t, n, g, window):
    """Start looking for a minimum at the value here, the first of the outputs."""
    lows, O = seen[3], work[12]
    for o in range(COUNTS):
        row = 2 * (window * COUNTS + o) * n + g
        store(lows, row, load(O, o * WIDTH))
        store(lows, row + n, t)


@njit(**INNER)
def bracket(O, seen, n, g):
    """Note between which thresholds each count is; a count at a threshold is above it."""
    levels, limits = seen[0], seen[2]
    for o in range(COUNTS):
        y = load(O, o * WIDTH)
        under, over = splat(-1.0), splat(1e300)
        for j in range(levels):
            limit = load(limits, (o * levels + j) * n + g)
            above = y >= limit
            under = select(above, maximum(under, limit), under)
            over = select(above, over, minimum(over, limit))
        between = (6 * OUTPUTS + 2 * o) * WIDTH
        store(O, between, under)
        store(O, between + WIDTH, over)


@njit(**INNER)
def jump(O, seen, t, n, g, window):
    """Note what a sudden change of the counts at ``t`` passes over, and a minimum it leads to."""
    levels, room, limits, lows, crossings = seen
    for o in range(COUNTS):
        for lane in range(WIDTH):
            y, under = O[o * WIDTH + lane], O[(6 * OUTPUTS + 2 * o) * WIDTH + lane]
            row = 2 * (window * COUNTS + o) * n + g + lane
            if y < lows[row]:
                lows[row] = y
                lows[row + n] = t
            for j in range(levels):
                limit = limits[(o * levels + j) * n + g + lane]
                if (limit > under) != (y < limit):
                    note(seen, o, j, lane, t, n, g)


@njit(**INNER)
def watch(work, seen, size, h, rtol, H, t, n, g, window):
    """Look at a finished step of ``h`` hours that began at ``t``."""
    C, Z, G, X, O = work[0], work[3], work[4], work[9], work[12]
    lows = seen[3]
    observe(C, Z, X, O, 2 * OUTPUTS)
    observe(C, G, X, O, 3 * OUTPUTS)
    eventful = False
    for o in range(COUNTS):
        d0, d1 = load(O, (OUTPUTS + o) * WIDTH), load(O, (3 * OUTPUTS + o) * WIDTH)
        y1 = load(O, (2 * OUTPUTS + o) * WIDTH)
        row = 2 * (window * COUNTS + o) * n + g
        low = load(lows, row)
        smaller = y1 < low
        store(lows, row + n, select(smaller, t + h, load(lows, row + n)))
        store(lows, row, select(smaller, y1, low))
        eventful = eventful or any_lane(happened(O, o, d0, y1, d1))
    if eventful:
        look_again(work, seen, size, h, rtol, H, t, n, g, window)
    move(O, after(O, 2 * OUTPUTS * WIDTH), 2 * OUTPUTS)
    if eventful:
        bracket(O, seen, n, g)


@njit(**INNER)
def happened(O, o, d0, y1, d1):
    """In which lanes a count turned or left the thresholds it was between."""
    between = (6 * OUTPUTS + 2 * o) * WIDTH
    crossed = (y1 < load(O, between)) | (y1 >= load(O, between + WIDTH))
    return crossed | ((d0 < 0.0) & (d1 > 0.0)) | ((d0 > 0.0) & (d1 < 0.0))


@njit(**INNER)
def look_again(work, seen, size, h, rtol, H, t, n, g, window):
    """Get the middle of the step, from a step to it where a cubic would not do, and search every lane."""
    C, Z, G, X, M, N, O = work[0], work[3], work[4], work[9], work[10], work[11], work[12]
    bent = False
    for o in range(COUNTS):
        y0, d0 = load(O, o * WIDTH), load(O, (OUTPUTS + o) * WIDTH)
        y1, d1 = load(O, (2 * OUTPUTS + o) * WIDTH), load(O, (3 * OUTPUTS + o) * WIDTH)
        bent = bent or any_lane(absolute(h * (d0 + d1) - 2.0 * (y1 - y0)) > CUBIC * absolute(y0))
        store(O, (4 * OUTPUTS + o) * WIDTH, 0.5 * (y0 + y1) + 0.125 * h * (d0 - d1))
        store(O, (5 * OUTPUTS + o) * WIDTH, (1.5 / h) * (y1 - y0) - 0.25 * (d0 + d1))
    if bent:
        move(M, Z, STATES)
        move(N, G, STATES)
        middle = step_size(work, size, 0.5 * h, H)
        attempt(work, middle, 0.5 * h, rtol)
        observe(C, Z, X, O, 4 * OUTPUTS)
        observe(C, G, X, O, 5 * OUTPUTS)
        move(Z, M, STATES)
        move(G, N, STATES)
    for o in range(COUNTS):
        d0, d1 = load(O, (OUTPUTS + o) * WIDTH), load(O, (3 * OUTPUTS + o) * WIDTH)
        y1 = load(O, (2 * OUTPUTS + o) * WIDTH)
        found = lane_bits(happened(O, o, d0, y1, d1))
        for lane in range(WIDTH):
            if (found >> lane) & 1:
                search(O, seen, o, lane, h, t, n, g, window)


@njit(**INNER)
def search(O, seen, o, lane, h, t, n, g, window):
    """Find minimum and crossings of one lane's count within a step that turns at most once."""
    levels, room, limits, lows, crossings = seen
    i, width = o * WIDTH + lane, OUTPUTS * WIDTH
    y0, d0, y1, d1 = O[i], h * O[i + width], O[i + 2 * width], h * O[i + 3 * width]
    turns = (d0 < 0.0 and d1 > 0.0) or (d0 > 0.0 and d1 < 0.0)
    c = divided(y0, d0, O[i + 4 * width], h * O[i + 5 * width], y1, d1)
    x0, v0 = 0.0, y0
    if turns:
        turn = root_of(slope, c, 0.0, d0, 1.0, d1, 0.0)
        v = quintic(c, turn)
        row = 2 * (window * COUNTS + o) * n + g + lane
        if v < lows[row]:
            lows[row] = v
            lows[row + n] = t + turn * h
        cross(seen, c, x0, v0, turn, v, o, lane, h, t, n, g)
        x0, v0 = turn, v
    cross(seen, c, x0, v0, 1.0, y1, o, lane, h, t, n, g)


@njit(**INNER)
def cross(seen, c, x0, v0, x1, v1, o, lane, h, t, n, g):
    """Note every threshold crossed on a monotone piece."""
    levels, room, limits, lows, crossings = seen
    for j in range(levels):
        limit = limits[(o * levels + j) * n + g + lane]
        if (v0 < limit) == (v1 < limit):
            continue
        x = root_of(quintic, c, x0, v0 - limit, x1, v1 - limit, limit)
        note(seen, o, j, lane, t + x * h, n, g)


@njit(**INNER)
def note(seen, o, j, lane, t, n, g):
    """Write a crossing of threshold ``j`` where there is room, and count it in any case."""
    levels, room, limits, lows, crossings = seen
    row = (o * levels + j) * (room + 1) * n + g + lane
    found = int(crossings[row])
    crossings[row] = found + 1
    if found < room:
        crossings[row + (found + 1) * n] = t


@njit(**INNER)
def root_of(function, c, low, at_low, high, at_high, level):
    """Return where a function of the step's polynomial passes ``level``, by the Illinois variant of false position."""
    enough = NEAR * max(abs(at_low), abs(at_high))
    for _ in range(ITERATIONS):
        x = high - at_high * (high - low) / (at_high - at_low)
        y = function(c, x) - level
        if abs(y) <= enough:
            return x
        if (y < 0.0) == (at_high < 0.0):
            at_low *= 0.5
        else:
            low, at_low = high, at_high
        high, at_high = x, y
    return high


@njit(**INNER)
def quintic(c, x):
    """Value at ``x`` of the Newton polynomial on the doubled nodes 0, 1/2, 1."""
    u = x - 0.5
    return c[0] + x * (c[1] + x * (c[2] + u * (c[3] + u * (c[4] + (x - 1.0) * c[5]))))


@njit(**INNER)
def slope(c, x):
    """Its derivative."""
    u = x - 0.5
    p4 = c[4] + (x - 1.0) * c[5]
    p3, q3 = c[3] + u * p4, p4 + u * c[5]
    p2, q2 = c[2] + u * p3, p3 + u * q3
    p1, q1 = c[1] + x * p2, p2 + x * q2
    return p1 + x * q1


@njit(**INNER)
def divided(y0, d0, ym, dm, y1, d1):
    """Divided differences of values and slopes (per step) on the doubled nodes 0, 1/2, 1."""
    a, b = 2.0 * (ym - y0), 2.0 * (y1 - ym)
    e1, e2, e3, e4 = 2.0 * (a - d0), 2.0 * (dm - a), 2.0 * (b - dm), 2.0 * (d1 - b)
    f1, f2, f3 = 2.0 * (e2 - e1), e3 - e2, 2.0 * (e4 - e3)
    return y0, d0, e1, f1, f2 - f1, f3 - 2.0 * f2 + f1
