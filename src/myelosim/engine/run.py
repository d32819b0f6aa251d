"""Run a model over a population and hand back arrays."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from myelosim.engine import block as equations
from myelosim.engine.block import Block
from myelosim.engine.emit import layout
from myelosim.engine.job import Job, Seen, inputs
from myelosim.engine.lanes import WIDTH
from myelosim.engine.status import Failure, describe
from myelosim.engine.steady import earlier, period, repeated, steady_state
from myelosim.engine.timeline import Action, Given, actions, plan
from myelosim.errors import SimulationError
from myelosim.spec.model import Model
from myelosim.spec.regimen import DoseEvent


@dataclass
class Track:
    """What the engine saw of one lineage.

    ``count`` (subject, time) and ``outputs`` by name likewise; ``minimum`` and ``minimum_time`` (subject, window), the time in
    hours; ``crossing`` (subject, threshold, slot) in hours, increasing, NaN beyond the last; ``limits``
    (subject, threshold) the thresholds.
    """

    count: np.ndarray
    outputs: dict[str, np.ndarray]
    minimum: np.ndarray
    minimum_time: np.ndarray
    crossing: np.ndarray
    limits: np.ndarray


@dataclass
class Run:
    """Tracks by lineage, exposures by drug (subject, time), and what failed."""

    tracks: dict[str, Track] = field(default_factory=dict)
    concentration: dict[str, np.ndarray] = field(default_factory=dict)
    area: dict[str, np.ndarray] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    steps: dict[str, np.ndarray] = field(default_factory=dict)


class Running:
    """A run that stops where somebody decides.

    It goes on to an hour, tells the counts there, and takes other amounts for what is still to come.

    Parameters
    ----------
    model : Model
        What is simulated; ``model.start`` displaces counts at time zero.
    events : sequence of DoseEvent
        Single doses, in order of time.
    times : numpy.ndarray
        Hours at which values are kept, increasing from 0 or later.
    individuals : mapping
        Every parameter of the model, a number or an array over at least ``subjects`` subjects; a longer array names those who fill
        the last group of lanes.
    covariates : mapping
        ``weight`` (kg) and ``surface`` (m2) where doses need them, likewise.
    limits : mapping
        Thresholds to watch, by lineage: (threshold,) or (subject, threshold).
    windows : sequence of (float, float)
        Hours between which minima and crossings are looked for, one after the other.
    tolerance : float
        Aim for the relative error of counts.
    given : numpy.ndarray, optional
        (subject, event): amounts in the place of the events' own, in their units. Needed where :meth:`give` is to change them.
    """

    def __init__(
        self,
        model: Model,
        events: Sequence[DoseEvent],
        *,
        times: np.ndarray,
        individuals: Mapping[str, Any],
        covariates: Mapping[str, Any],
        subjects: int,
        limits: Mapping[str, np.ndarray] | None = None,
        windows: Sequence[tuple[float, float]] = (),
        tolerance: float = 1e-6,
        threads: int | None = None,
        given: np.ndarray | None = None,
    ) -> None:
        self.subjects, self.times, self.tolerance, self.threads = (
            subjects,
            times,
            tolerance,
            threads or os.cpu_count() or 1,
        )
        self.hour = -np.inf
        padded = -(-subjects // WIDTH) * WIDTH
        self.p = {name: _padded(value, subjects, padded) for name, value in individuals.items()}
        who = {
            name: _padded(value, subjects, padded) for name, value in covariates.items() if not isinstance(value, str)
        }
        self.given = None if given is None else Given(_padded(given, subjects, padded))
        done, rows = actions(model, events, self.p, who, self.given)
        periodic = [e for e in events if e.steady_state]
        if periodic:
            interval, periods = period(periodic, model)
            again, amounts = actions(model, periodic, self.p, who)
            before = earlier(again, interval)
            span = interval * periods
            orbit = repeated(again, amounts, interval, range(before.start, periods), span)
            tails, more = repeated(again, amounts, interval, before, np.inf)
            done, rows = [*tails, *done], {**rows, **more}
        self.jobs: list[Job] = []
        for block in equations.blocks(model):
            job = _job(model, block, done, rows, self.p, times, windows, limits or {}, padded)
            if periodic:
                week = _job(model, block, *orbit, self.p, np.array([span]), (), {}, padded)
                job.state = steady_state(week, span, 0.1 * tolerance, self.threads)
            self.jobs.append(job)
        self.seen = [job.begin() for job in self.jobs]

    def advance(self, hour: float = np.inf) -> None:
        """Integrate up to an hour at which values are kept, or to the end; what happens at that hour is still to come."""
        for job, seen in zip(self.jobs, self.seen, strict=True):
            job.advance(seen, self.tolerance, self.threads, self.hour, hour)
        self.hour = hour

    def counts(self) -> dict[str, np.ndarray]:
        """Return the counts here (subject), before what happens at this hour."""
        now = {}
        for job, seen in zip(self.jobs, self.seen, strict=True):
            state = seen.state[: job.layout.states, : self.subjects].copy()
            for part in job.block.lineages:
                own = {
                    n: v[: self.subjects] if np.ndim(v) else v
                    for n, v in self.p.items()
                    if n.startswith(f"{part.prefix}.")
                }
                values = equations.part_values(part, own)
                now[part.name] = part.module.observe(part.of(list(state)), values, part.structure)[0]
        return now

    def give(self, event: int, amounts: np.ndarray) -> None:
        """Set the amounts (subject) of an event that is still to come."""
        assert self.given is not None
        self.given.amounts[:, event] = _padded(amounts, self.subjects, len(self.given.amounts))
        key, row = self.given.row(event)
        for job in self.jobs:
            job.plan.put(key, row)

    def finish(self, on_failure: str = "raise") -> Run:
        """Hand out what was seen.

        Raises
        ------
        SimulationError
            Names the first subjects that failed, when and with what, unless ``on_failure`` is "mask".
        """
        result = Run()
        for job, seen in zip(self.jobs, self.seen, strict=True):
            result.failures += _failures(job, seen, self.subjects, self.p)
            _collect(result, job, seen, self.subjects)
        if result.failures and on_failure == "raise":
            raise SimulationError(describe(result.failures, self.subjects))
        return result


def run(model: Model, events: Sequence[DoseEvent], *, on_failure: str = "raise", **options: Any) -> Run:
    """Integrate from the first dose to the last hour in one go; ``options`` are those of :class:`Running`."""
    running = Running(model, events, **options)
    running.advance()
    return running.finish(on_failure)


def _padded(value: Any, subjects: int, padded: int) -> Any:
    if np.ndim(value) == 0:
        return float(value)
    value = np.asarray(value, float)
    return np.concatenate([value, np.repeat(value[-1:], max(padded - len(value), 0), axis=0)])[:padded]


def _job(
    model: Model,
    block: Block,
    done: Sequence[Action],
    rows: Mapping[Any, Any],
    p: Mapping[str, Any],
    times: np.ndarray,
    windows: Sequence[tuple[float, float]],
    limits: Mapping[str, np.ndarray],
    padded: int,
) -> Job:
    lay = layout(block)
    watched = [np.atleast_1d(limits.get(part.name, np.zeros(0))) for part in block.lineages]
    most = max((w.shape[-1] for w in watched), default=0)
    table = np.full((len(watched), most, padded), -1.0)  # no count is ever under -1
    for k, w in enumerate(watched):
        values = w if w.ndim == 1 else np.concatenate([w, np.repeat(w[-1:], padded - len(w), axis=0)])
        table[k, : w.shape[-1]] = np.broadcast_to(values, (padded, w.shape[-1])).T
    return Job(
        block=block,
        layout=lay,
        plan=plan(block, done, rows, times, windows if block.lineages else (), padded),
        table=inputs(block, lay, p, model.start, padded),
        saves=len(times),
        windows=len(windows) if block.lineages else 0,
        limits=table,
    )


def _failures(job: Job, seen: Seen, subjects: int, p: Mapping[str, Any]) -> list[Failure]:
    """Blank who could not be integrated, and return what is known of them."""
    failures = []
    for subject, (status, reached) in sorted(seen.failed.items()):
        seen.out[:, :, subject] = np.nan
        if subject < subjects:
            own = {n: float(p[n][subject] if np.ndim(p[n]) else p[n]) for n in job.layout.parameters}
            failures.append(Failure(subject, job.block.name, status, reached, own))
    return failures


def _collect(result: Run, job: Job, seen: Seen, subjects: int) -> None:
    block = job.block
    result.steps[block.name] = seen.report[:, 2].astype(int)
    for o, (owner, name) in enumerate(block.outputs):
        values = seen.out[:, o, :subjects].T
        if owner in {part.name for part in block.lineages}:
            if o >= len(block.lineages):
                result.tracks[owner].outputs[name] = values
                continue
            crossing = seen.crossings[o, :, :, :subjects]
            slots = int(crossing[:, 0].max(initial=0.0)) if crossing.size else 0
            hours = np.where(np.arange(slots)[:, None] < crossing[:, :1], crossing[:, 1 : slots + 1], np.nan)
            limit = job.limits[o, :, :subjects].T
            result.tracks[owner] = Track(
                count=values,
                outputs={},
                minimum=seen.lows[:, o, 0, :subjects].T,
                minimum_time=seen.lows[:, o, 1, :subjects].T,
                crossing=np.moveaxis(hours, -1, 0),
                limits=limit,
            )
        elif name == "concentration":
            result.concentration[owner] = values
        else:
            result.area[owner] = values
