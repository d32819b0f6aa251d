"""The periodic state of the whole system under repeated doses, found as a fixed point.

The modes of linear kinetics are affine in their start over one interval, so their periodic state is exact. For the other states
Newton's method solves "the state after a week of doses is the state before it", in logarithms where a state is a
count; the derivatives are one more lane per state.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from myelosim.engine.job import Job
from myelosim.engine.lanes import WIDTH
from myelosim.engine.timeline import INFUSE, INFUSE_STATE, MERGE, Action
from myelosim.errors import ConvergenceError, SpecError
from myelosim.spec.model import Model
from myelosim.spec.regimen import DoseEvent

Rows = dict[tuple[Any, ...], Any]

WEEK = 168.0
RUN_IN = 8  # weeks from the drug-free state to the first guess
NUDGE = 1e-4
ITERATIONS = 20
ENOUGH = 30.0  # Newton's last step, in tolerances


def period(events: Sequence[DoseEvent], model: Model) -> tuple[float, int]:
    """Return the interval of the steady-state doses and how often it fits a week.

    Raises
    ------
    SpecError
        The doses do not begin together at time zero with one interval, or a drug is a table.
    """
    if any(drug.table is not None for drug in model.drugs.values()):
        raise SpecError("steady state: measured concentrations have none; give the earlier doses instead of SS = 1")
    intervals = {e.interval for e in events}
    if len(intervals) != 1 or any(e.time for e in events) or min(intervals) <= 0:
        raise SpecError("steady state: doses with SS = 1 must all be at time 0 and share one interval II > 0")
    (interval,) = intervals
    return interval, max(1, round(WEEK / interval))


def repeated(
    done: Sequence[Action], rows: Rows, interval: float, periods: range, span: float
) -> tuple[list[Action], Rows]:
    """Return what doses given again in each of ``periods`` do from hour 0 up to ``span``, and the amounts they refer to.

    An infusion that began before goes on from 0, one that outlasts ``span`` ends there: the kinetics are linear in what was
    there before. Other doses count where they fall within.
    """
    seen: list[Action] = []
    amounts = dict(rows)
    for k in periods:
        for a in done:
            time, row = a.time + k * interval, a.row
            if a.kind in (INFUSE, INFUSE_STATE):
                time = np.clip(time, 0.0, span)
            else:
                within = (np.asarray(time) > -MERGE) & (np.asarray(time) < span - MERGE)
                if not np.any(within):
                    continue
                if not np.all(within):
                    row = (*row, "period", k)
                    amounts[row] = np.where(within, rows[a.row], 0.0)
            seen.append(replace(a, time=time, row=row))
    return seen, amounts


def earlier(done: Sequence[Action], interval: float) -> range:
    """Return the periods before the first whose doses still do something in it."""
    last = max((float(np.max(a.time)) for a in done), default=0.0)
    return range(-math.ceil(last / interval), 0)


def steady_state(job: Job, span: float, tolerance: float, threads: int) -> np.ndarray:
    """Return the kernel state just before the first dose of a periodic regimen, (row, subject).

    ``job`` runs over ``span`` hours of doses, a whole number of intervals.

    Raises
    ------
    ConvergenceError
        No fixed point was found for some subject.
    """
    lay, subjects = job.layout, job.table.shape[1]
    modes = slice(lay.states, lay.states + len(lay.rates))
    rows = lay.states + len(lay.rates) + 2 * len(job.block.exposures) + len(job.block.inputs)
    state = np.zeros((rows, subjects))
    state[: lay.states] = job.table[lay.start :]
    once = replace(job, state=state).run(tolerance, threads).state
    decay = np.exp(-job.table[lay.rate : lay.rate + len(lay.rates)] * span)
    state[modes] = once[modes] / (1.0 - decay)
    if not job.block.parts:
        return state
    for _ in range(RUN_IN):
        state[: lay.states] = replace(job, state=state).run(tolerance, threads).state[: lay.states]
    return _newton(job, state, tolerance, threads)


def _newton(job: Job, state: np.ndarray, tolerance: float, threads: int) -> np.ndarray:
    lay = job.layout
    free = [part.first + i for part in job.block.parts for i, carried in enumerate(part.carried) if not carried]
    cells = {part.first + i for part in job.block.lineages for i in range(len(part.labels))}
    floor = job.table[lay.floor : lay.floor + lay.states]
    wide = _widened(job, len(free) + 1)
    for _ in range(ITERATIONS):
        nudge = NUDGE * np.maximum(np.abs(state[: lay.states]), floor)[free] + 1e-300
        start = np.repeat(_grouped(state), len(free) + 1, axis=1)
        for k, row in enumerate(free):
            start[row, k + 1 :: len(free) + 1] += _grouped(nudge[k : k + 1])[0]
        after = replace(wide, state=start.reshape(len(state), -1)).run(tolerance, threads).state[free]
        after = after.reshape(len(free), -1, len(free) + 1, WIDTH)
        change = np.moveaxis(after[:, :, 1:] - after[:, :, :1], 2, 1) / _grouped(nudge)[None]
        jacobian = np.moveaxis(change, (0, 1), (-2, -1)).reshape(-1, len(free), len(free))
        missed = after[:, :, 0].reshape(len(free), -1) - state[free]
        matrix = np.eye(len(free)) - jacobian
        singular = np.linalg.slogdet(matrix)[0] == 0  # where nothing is left, any multiple of it is periodic
        step = np.linalg.solve(np.where(singular[:, None, None], np.eye(len(free)), matrix), missed.T[..., None])[
            ..., 0
        ].T
        step[:, singular] = np.inf
        size = np.maximum(np.abs(state[free]), floor[free]) + 1e-300
        for k, row in enumerate(free):
            if row in cells:
                some = state[row] > 0  # of donors there are none
                state[row, some] *= np.exp(np.clip(step[k, some] / state[row, some], -1.0, 1.0))
            else:
                state[row] += step[k]
        if np.max(np.abs(step) / size) < ENOUGH * tolerance:
            return state
    worst = int(np.argmax(np.max(np.abs(step) / size, axis=0)))
    raise ConvergenceError(
        f"no steady state of {job.block.name} was found for subject {worst}: the regimen may not have one; simulate from baseline"
    )


def _grouped(rows: np.ndarray) -> np.ndarray:
    return rows.reshape(len(rows), -1, WIDTH)


def _widened(job: Job, copies: int) -> Job:
    """Return the job with every group of lanes repeated."""

    def repeat(rows: np.ndarray) -> np.ndarray:
        return np.repeat(_grouped(rows), copies, axis=1).reshape(len(rows), -1)

    wide = replace(job.plan, spans=np.repeat(job.plan.spans, copies, axis=0), amount=repeat(job.plan.amount))
    table = repeat(job.table)
    limits = np.empty((len(job.block.lineages), 0, table.shape[1]))
    return replace(job, plan=wide, table=table, limits=limits)
