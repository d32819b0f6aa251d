"""Subjects with timelines of their own: each fills groups of lanes, whose parameters differ.

This is how data are predicted. A subject's lanes are perturbations of one parameter set, and then all its groups take the steps
of the first, so that differences are smooth; or they are unrelated, and every group chooses its own steps. Parameters
may change at hours of the subject's own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from myelosim.components import pk
from myelosim.engine import block as equations
from myelosim.engine.block import TABLE, Block
from myelosim.engine.emit import Layout, layout
from myelosim.engine.itinerary import Itinerary, Person, itinerary
from myelosim.engine.job import FREE, RECORD, REPLAY, Job, Seen, inputs, ladder
from myelosim.engine.lanes import WIDTH, aligned
from myelosim.spec.model import Model, observable

LONGEST = 6.0  # hours of a step: at a steady state any step is accurate, and one past stability makes noise of rounding
TAPE = 20_000  # steps that can be written down; see kernel.driver

Values = Mapping[str, Any]
"""Parameter -> a number, or an array (period,) or (period, lane)."""


@dataclass
class _Part:
    """A block, what is wanted of it, and the steps its subjects took."""

    block: Block
    layout: Layout
    ladder: tuple[Any, ...]
    outputs: dict[str, int]  # observable -> row of the output
    tape: np.ndarray
    rung: np.ndarray
    seen: dict[str, Any] = field(default_factory=dict)  # what was laid out for the values of a dosing parameter


class Cohort:
    """The subjects of a study, laid out once and run with many parameter sets.

    Parameters
    ----------
    model : Model
        What is run.
    people : sequence of Person
        Their doses, the hours at which they are looked at, and those at which their parameters change.
    observables : sequence of str
        What is looked at.
    tolerance : float
        Aim for the relative error of counts.
    """

    def __init__(
        self, model: Model, people: Sequence[Person], observables: Sequence[str], tolerance: float = 1e-6,
        threads: int | None = None,
    ) -> None:  # fmt: skip
        self.model, self.people, self.threads = model, people, threads or os.cpu_count() or 1
        self.first = np.cumsum([0, *(len(one.starts) for one in people)])  # of each subject's periods
        self.parts = []
        for block in equations.blocks(model):
            seen = [_seen(block, owner, name) for owner, name in block.outputs]
            own = {name: k for k, name in enumerate(seen) if name in observables}
            if own:
                lay = layout(block)
                tape, rung = np.zeros((len(people), TAPE)), np.zeros(len(people), int)
                settings = tuple(replace(one, longest=LONGEST) for one in ladder(block, tolerance))
                if not block.stiff:  # what no explicit setting solves is far from any data
                    settings = tuple(s for s in settings if s.method != "rodas")
                self.parts.append(_Part(block, lay, settings, own, tape, rung))

    @property
    def periods(self) -> int:
        """Number of periods of all subjects, one after the other."""
        return int(self.first[-1])

    def reads(self, name: str) -> frozenset[str]:
        """Return the parameters that an observable depends on."""
        part = next(part for part in self.parts if name in part.outputs)
        return frozenset(needed(part.block, self.model))

    def run(
        self, values: Values, lanes: int, *, related: bool, who: np.ndarray | None = None, again: bool = False,
        covariates: Mapping[str, np.ndarray] | None = None, only: Sequence[str] | None = None,
    ) -> dict[str, np.ndarray]:  # fmt: skip
        """Run some subjects, and return what is seen of each observable, (subject, slot, lane).

        ``values`` are over all periods; with ``related`` lanes all of a subject's groups take the first one's steps, and with
        ``again`` those of the last run. Subjects left out, and those that cannot be integrated, are NaN.
        """
        who = np.arange(len(self.people)) if who is None else who
        found: dict[str, np.ndarray] = {}
        for part in self.parts:
            if only is None or set(only) & set(part.outputs):
                found |= self._run(part, values, lanes, related, who, again, covariates or {})
        return found

    def _run(
        self, part: _Part, values: Values, lanes: int, related: bool, who: np.ndarray, again: bool,
        covariates: Mapping[str, np.ndarray],
    ) -> dict[str, np.ndarray]:  # fmt: skip
        groups, people = -(-lanes // WIDTH), len(self.people)
        plan = self._itinerary(part, values, lanes, covariates)
        p = {name: _spread(value, groups) for name, value in _needed_values(part, values, self.model).items()}
        columns = groups * people * WIDTH
        table = self._table(part, p, groups)
        job = Job(
            part.block, part.layout, plan.plan(groups), table, plan.slots, 0,
            np.empty((len(part.block.lineages), 0, columns)), ladder=part.ladder, tape=part.tape,
        )  # fmt: skip
        start = self._column(groups)
        lay = part.layout
        job.state = np.zeros(
            (lay.states + len(lay.rates) + 2 * len(part.block.exposures) + len(part.block.inputs), columns)
        )
        rows = table[lay.start : lay.start + lay.states].reshape(lay.states, -1, WIDTH)
        job.state[: lay.states] = rows[:, start // WIDTH].reshape(lay.states, -1)
        seen = job.begin()
        legs = np.column_stack([job.plan.legs(-np.inf, np.inf)[:, :4], start])
        self._integrate(part, job, seen, legs, who, groups, related, again)
        shape = (plan.slots, len(part.block.outputs), groups, people, WIDTH)
        out = np.moveaxis(seen.out.reshape(shape), (3, 0, 2, 4), (1, 2, 3, 4)).reshape(shape[1], people, plan.slots, -1)
        return {name: out[row, :, :, :lanes] for name, row in part.outputs.items()}

    def _column(self, groups: int) -> np.ndarray:
        """Return the first column of each group's parameters."""
        return WIDTH * (self.first[:-1] + self.periods * np.arange(groups)[:, None]).ravel()

    def _integrate(
        self, part: _Part, job: Job, seen: Seen, legs: np.ndarray, who: np.ndarray, groups: int, related: bool, again: bool
    ) -> None:  # fmt: skip
        people = len(self.people)
        first = who if related else (who + people * np.arange(groups)[:, None]).ravel()
        job.mode = FREE if not related else REPLAY if again else RECORD
        if job.mode == REPLAY:
            for rung, setting in enumerate(part.ladder):
                job.solve(setting, first[part.rung[first] == rung], legs, seen, self.threads)
        else:
            self._climb(part, job, seen, legs, first)
        if related and groups > 1:
            job.mode = REPLAY
            for rung, setting in enumerate(part.ladder):
                own = who[part.rung[who] == rung]
                rest = (own + people * np.arange(1, groups)[:, None]).ravel()
                job.solve(setting, rest, legs, seen, self.threads)

    def _climb(self, part: _Part, job: Job, seen: Seen, legs: np.ndarray, waiting: np.ndarray) -> None:
        """Run groups with one setting after the other until none is left."""
        state, people = seen.state.copy(), len(self.people)
        for rung, setting in enumerate(part.ladder):
            seen.report[waiting, 3:] = setting.opening
            columns = (waiting[:, None] * WIDTH + np.arange(WIDTH)).ravel()
            seen.state[:, columns] = state[:, columns]
            job.solve(setting, waiting, legs, seen, self.threads)
            part.rung[waiting % people] = rung
            waiting = waiting[seen.report[waiting, 0] != 0]
            if not len(waiting):
                return
        seen.out[:, :, (waiting[:, None] * WIDTH + np.arange(WIDTH)).ravel()] = np.nan

    def _itinerary(self, part: _Part, values: Values, lanes: int, covariates: Mapping[str, np.ndarray]) -> Itinerary:
        """Return the stops of everybody, laid out anew only if what a dose does has changed."""
        known = part.seen
        if not known or any(not _same(values.get(name), was) for name, was in known["read"].items()):
            plan, read = itinerary(self.model, part.block, self.people, self.first, values, covariates)
            part.seen = {"plan": plan, "read": {name: np.array(values[name], float) for name in read}, "lanes": lanes}
        laid: Itinerary = part.seen["plan"]
        return laid

    def _table(self, part: _Part, p: Mapping[str, Any], groups: int) -> np.ndarray:
        """Return the rows of parameters, and below them what a change makes of the modes."""
        columns = groups * self.periods * WIDTH
        table = inputs(part.block, part.layout, p, self.model.start, columns)
        if self.periods == len(self.people) or not part.layout.rates:
            return table
        modes = len(part.layout.rates)
        full = aligned(len(table) + modes * modes, columns)
        full[: len(table)] = table
        full[len(table) :] = self._transitions(part, p, modes, columns).reshape(modes * modes, -1)
        return full

    def _transitions(self, part: _Part, p: Mapping[str, Any], modes: int, columns: int) -> np.ndarray:
        """Return (mode, mode, column) that takes the modes of the period before to those of this one, amounts kept."""
        own = {name: p[name] for name in sorted(p) for drug in part.block.exposures if name.startswith(f"{drug.name}.")}
        key = b"".join(np.ascontiguousarray(value).tobytes() for value in own.values())
        if part.seen.get("transitions", (None,))[0] == key:
            known: np.ndarray = part.seen["transitions"][1]
            return known
        result = np.zeros((modes, modes, columns))
        before = self._before(columns)
        row = 0
        for drug in part.block.exposures:
            if drug.kind == TABLE:
                continue
            module = pk.KINDS[drug.kind]
            mine = equations.values(drug.name, [d.name for d in module.parameters(drug.structure)], own)
            _, weights = module.modes(mine, drug.structure)
            w = np.array(
                [[np.broadcast_to(x, columns) for x in each] for each in weights.values()]
            )  # compartment, mode
            n = w.shape[1]
            new = np.moveaxis(w, (0, 1, 2), (2, 1, 0))  # column, mode, compartment
            result[row : row + n, row : row + n] = np.moveaxis(new @ _inverse(new[before]), 0, -1)
            row += n
        part.seen["transitions"] = (key, result)
        return result

    def _before(self, columns: int) -> np.ndarray:
        """Return the column of the period before, or of the same where there is none."""
        period = np.arange(self.periods)
        earlier = np.where(np.isin(period, self.first[:-1]), period, period - 1)
        at = np.arange(columns).reshape(-1, self.periods, WIDTH)
        return at[:, earlier].ravel()


def needed(block: Block, model: Model) -> list[str]:
    """Return the parameters a block depends on, those of the drugs that feed it among them."""
    names = list(equations.declared(block))
    for drug in block.exposures:
        if drug.kind != TABLE:
            names += [f"{drug.name}.{d.name}" for d in pk.KINDS[drug.kind].parameters(drug.structure)]
    return list(dict.fromkeys(names))


def _needed_values(part: _Part, values: Values, model: Model) -> dict[str, Any]:
    return {name: values[name] for name in needed(part.block, model)}


def _seen(block: Block, owner: str, name: str) -> str:
    """Return the observable that an output is: a lineage's count or a drug's concentration."""
    for k, part in enumerate(block.lineages):
        if (owner, name) == block.outputs[k] and part.name == owner:
            return observable(owner)
    return owner if name == "concentration" else ""


def _spread(value: Any, groups: int) -> np.ndarray | float:
    """Return values as columns: group, period, lane; the last lanes repeat the first."""
    value = np.asarray(value, float)
    if value.ndim == 0:
        return float(value)
    if value.ndim == 1 or value.shape[1] == 1:
        return np.tile(np.repeat(value.reshape(-1), WIDTH), groups)
    rest = groups * WIDTH - value.shape[1]
    full = np.concatenate([value, np.repeat(value[:, :1], rest, axis=1)], axis=1)
    return np.moveaxis(full.reshape(len(value), groups, WIDTH), 1, 0).ravel()


def _same(value: Any, before: np.ndarray) -> bool:
    value = np.asarray(value, float)
    return value.shape == before.shape and bool(np.array_equal(value, before))


def _inverse(matrix: np.ndarray) -> np.ndarray:
    try:
        return np.linalg.inv(matrix)
    except np.linalg.LinAlgError:  # a compartment that gives nothing back
        return np.linalg.pinv(matrix)
