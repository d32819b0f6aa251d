"""The loop over stops and steps, the same for every stepper."""

from __future__ import annotations

from numba import njit

from myelosim.engine.kernel.steps import SNAP, decay, move, step_size, tabulate
from myelosim.engine.kernel.structure import (
    CHANNEL_DRUG,
    CHANNEL_MODE,
    CHANNEL_MODES,
    CHANNEL_WEIGHT,
    CONSTANTS,
    COUNTS,
    DRUGS,
    INPUTS,
    MODES,
    NODES,
    OUTPUTS,
    PARAMETERS,
    RATE,
    SCRATCH,
    START,
    STATES,
    WATCHED,
    attempt,
    carry,
    constants,
    expose_now,
    observe,
    rhs,
)
from myelosim.engine.kernel.watch import begin_window, bracket, jump, watch
from myelosim.engine.lanes import INNER, JIT, WIDTH, address, after, load, store

BOLUS, INFUSE, BOLUS_STATE, INFUSE_STATE, TABLE, RESET, CELLS, LOSS, CHANGE = (
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
)  # counts jump from RESET on
DONE, STEP_TOO_SMALL, TOO_MANY_STEPS = 0, 1, 2
FREE, RECORD, REPLAY = 0, 1, 2  # steps: chosen; chosen and written down; those written down
MOST_STEPS = 200_000
MOST_RECORDED = 20_000
REPORT = 5  # status, time reached (h), steps, step size to go on with, step size after a dose


@njit(**INNER)
def act(work, kind, target, dose):
    """Apply one action at a stop."""
    C, Y, A, S = work[0], work[1], work[5], work[6]
    if kind == BOLUS or kind == INFUSE:
        drug = CHANNEL_DRUG[target]
        for m in range(CHANNEL_MODES[target]):
            mode = CHANNEL_MODE[target] + m
            weight = load(C, (CHANNEL_WEIGHT[target] + m) * WIDTH) * dose
            if kind == BOLUS:
                store(A, mode * WIDTH, load(A, mode * WIDTH) + weight)
            else:
                steady = weight / load(C, (RATE + mode) * WIDTH)
                store(A, mode * WIDTH, load(A, mode * WIDTH) - steady)
                store(S, drug * WIDTH, load(S, drug * WIDTH) + steady)
    elif kind == BOLUS_STATE or kind == CELLS:
        store(Y, target * WIDTH, load(Y, target * WIDTH) + dose)
    elif kind == LOSS:
        store(Y, target * WIDTH, load(Y, target * WIDTH) * (1.0 - dose))
    elif kind == INFUSE_STATE:
        row = (2 * DRUGS + target) * WIDTH
        store(S, row, load(S, row) + dose)
    elif kind == TABLE:
        store(S, target * WIDTH, dose)
    else:
        for i in range(STATES):
            store(Y, i * WIDTH, load(C, (START + i) * WIDTH))
        for m in range(MODES):
            store(A, m * WIDTH, 0.0)
        for i in range(2 * DRUGS + INPUTS):
            store(S, i * WIDTH, 0.0)


@njit(**INNER)
def switch(work, P, columns, column, H):
    """Take the parameters of a column from here on; the amounts in the compartments stay, so the modes are other ones."""
    C, A, T = work[0], work[5], work[7]
    constants(P, columns, column, C)
    for i in range(MODES):
        mode = load(P, (PARAMETERS + i * MODES) * columns + column) * load(A, 0)
        for j in range(1, MODES):
            mode = mode + load(P, (PARAMETERS + i * MODES + j) * columns + column) * load(A, j * WIDTH)
        store(T, i * WIDTH, mode)
    move(A, T, MODES)
    for k in range(H[1]):
        tabulate(C, T, k, H[0][k])


KEPT, KEPT_ROWS = (1, 5, 6), (STATES, MODES, 2 * DRUGS + INPUTS)  # Y, A and S in ``work``


@njit(**INNER)
def advance(work, seen, H, lev, rtol, L, t, n, g, window, tape, mode, at):
    """Integrate over a gap of ``L`` hours; return status, steps, hours done, size to go on with, size the gap opened with.

    ``tape`` holds the sizes of the steps taken, from ``at`` on.
    """
    Y, F, Z, G, A, S, T = work[1], work[2], work[3], work[4], work[5], work[6], work[7]
    s, steps, opened, taken = 0.0, 0, -1, 0
    sizes, count = H
    while s < L * (1.0 - SNAP):
        if mode == REPLAY:
            lev = int(tape[at + taken])
        h = min(sizes[lev], L - s)
        size = step_size(work, lev, h, H)
        good, easy = attempt(work, size, h, rtol)
        steps += 1
        if not good and mode != REPLAY:
            while lev < count and sizes[lev] > 0.51 * h:
                lev += 1
            if lev == count:
                return STEP_TOO_SMALL, steps, s, 0, 0, taken
            continue
        if steps > MOST_STEPS or (mode == RECORD and at + taken == MOST_RECORDED):
            return TOO_MANY_STEPS, steps, s, 0, 0, taken
        if mode == RECORD:
            tape[at + taken] = lev
        taken += 1
        if WATCHED:
            if window >= 0:
                watch(work, seen, size, h, rtol, H, t + s, n, g, window)
        decay(A, S, T, size, h)
        move(Y, Z, STATES)
        move(F, G, STATES)
        s += h
        if size < count:
            if opened < 0:
                opened = max(size - 1, 0) if easy else size
            lev = max(lev, size)
            half = s / (2.0 * h)
            if easy and size > 0 and abs(half - round(half)) < 1e-6:
                lev = size - 1
    return DONE, steps, s, lev, opened, taken


@njit(**INNER)
def carry_over(work, state, n, g, out):
    """Copy states, modes and exposures from the array that keeps them between legs (``out``: to it)."""
    row = 0
    for k in range(len(KEPT)):
        held = work[KEPT[k]]
        for i in range(KEPT_ROWS[k]):
            if out:
                store(state, row * n + g, load(held, i * WIDTH))
            else:
                store(held, i * WIDTH, load(state, row * n + g))
            row += 1


@njit(**INNER)
def group(work, seen, plan, leg, who, H, rtol, out, report, tape, mode):
    """Integrate eight subjects over a leg: from what happens at its first stop up to its last.

    What happens at the last stop is left to the next leg, unless this one ends the run.
    """
    C, Y, F, A, S, T, X, O = work[0], work[1], work[2], work[5], work[6], work[7], work[9], work[12]
    stop, act_factor, save, window, act_from, act_kind, act_target, act_row = plan
    P, columns, state, amount, n, g = who
    first, end, begun, ends, column = leg
    constants(P, columns, column, C)
    carry_over(work, state, n, g, False)
    for k in range(H[1]):
        tabulate(C, T, k, H[0][k])
    own = (g // WIDTH) * REPORT
    lev, after_dose, status, total, t = int(report[own + 3]), int(report[own + 4]), DONE, 0, stop[first]
    at = 0  # no literal, for which alone numba would compile ``advance`` once more
    if WATCHED:
        if begun:
            expose_now(A, S, X)
            observe(C, Y, X, O, 0)
            bracket(O, seen, n, g)
    for i in range(first, end):
        t = stop[i]
        if i + 1 == end and not ends:
            break
        acted, fresh = act_from[i + 1] > act_from[i], False
        for a in range(act_from[i], act_from[i + 1]):
            if act_kind[a] == CHANGE:
                switch(work, P, columns, column + act_target[a], H)
                continue
            fresh = fresh or act_kind[a] >= RESET
            act(work, act_kind[a], act_target[a], load(amount, act_row[a] * n + g) * act_factor[a])
        carry(C, Y)
        expose_now(A, S, X)
        observe(C, Y, X, O, 0)
        if save[i] >= 0:
            for k in range(OUTPUTS):
                store(out, (save[i] * OUTPUTS + k) * n + g, load(O, k * WIDTH))
        if i + 1 == end:
            break
        rhs(C, Y, X, F)
        if WATCHED:
            if window[i] >= 0:
                later = begun or i > first
                if fresh and later and window[i - 1] >= 0:
                    jump(O, seen, t, n, g, window[i])
                if not later or window[i - 1] != window[i]:
                    begin_window(work, seen, t, n, g, window[i])
                observe(C, F, X, O, OUTPUTS)
                bracket(O, seen, n, g)
        status, steps, s, lev, opened, taken = advance(
            work, seen, H, after_dose if acted else lev, rtol, stop[i + 1] - t, t, n, g, window[i], tape, mode, at
        )
        total += steps
        at += taken
        if acted and opened >= 0:
            after_dose = opened
        if status != DONE:
            t += s
            break
    report[own] = status
    report[own + 1] = t
    report[own + 2] += total
    report[own + 3] = lev
    report[own + 4] = after_dose
    carry_over(work, state, n, g, True)


def rows(sizes):
    """Return the rows of each scratch array, in the order of ``structure``, for this many step sizes."""
    table = (sizes + 2) * len(NODES) * MODES
    return (
        CONSTANTS, STATES, STATES, STATES, STATES, MODES, 2 * DRUGS + INPUTS, table, SCRATCH, DRUGS + INPUTS, STATES, STATES,
        6 * OUTPUTS + 2 * COUNTS,
    )  # fmt: skip


@njit(cache=True, **JIT)
def solve(
    first, last, legs, plan, P, columns, state, amount, n, sizes, rtol, watched, out, report, scratch, at, tape, mode
):
    """Integrate the groups from ``first`` up to ``last``; group ``i`` holds eight subjects from ``8 i`` on.

    ``at`` holds where in ``scratch`` each of its arrays begins; ``tape`` (row, step) the steps, group ``i`` those of row
    ``i`` modulo its rows.
    """
    S = address(scratch)
    work = (
        after(S, at[0]), after(S, at[1]), after(S, at[2]), after(S, at[3]), after(S, at[4]), after(S, at[5]), after(S, at[6]),
        after(S, at[7]), after(S, at[8]), after(S, at[9]), after(S, at[10]), after(S, at[11]), after(S, at[12]),
    )  # fmt: skip
    H = (address(sizes), len(sizes))
    levels, room, limits, lows, crossings = watched
    seen = (levels, room, address(limits), address(lows), address(crossings))
    for i in range(first, last):
        who = (address(P), columns, address(state), address(amount), n, i * WIDTH)
        leg = (legs[i, 0], legs[i, 1], legs[i, 2] != 0, legs[i, 3] != 0, legs[i, 4])
        group(work, seen, plan, leg, who, H, rtol, address(out), address(report), tape[i % len(tape)], mode)
