"""Designs to compare the best one with: those next to it, the days of the seeds, evenly spaced ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import floor

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from myelosim.designing.allowed import Allowed
from myelosim.designing.design import score
from myelosim.designing.instead import moved
from myelosim.designing.question import Question
from myelosim.designing.space import Space, State
from myelosim.spec.design import Alternative, Group, Limits

Array = NDArray[np.float64]

SEEDS = Alternative("days 3, 5, 7, 10, 14", (3.0, 5.0, 7.0, 10.0, 14.0))
NEXT = 5  # designs next to the best that are shown


def alternatives(
    space: Space, questions: Sequence[Question], states: Sequence[State], best: float, others: Sequence[Alternative]
) -> pd.DataFrame:
    """Return a table of designs with how good they are against the best.

    Returns
    -------
    pandas.DataFrame
        ``design``, ``days`` (elapsed), ``visits`` (of a subject, at most), ``draws`` (all), ``criterion``, ``efficiency`` (the
        share of its subjects that the best design would need), ``allowed`` (whether it keeps to all limits and numbers).
    """
    groups = space.groups(states[0])
    rows = [_row("best", groups, best, best, True)]
    for k, state in enumerate(states[1 : NEXT + 1]):
        other = space.groups(state)
        rows.append(_row(f"next best {k + 1}", other, score(space.criterion, questions, other), best, True))
    for one in (*others, SEEDS, _even(space, states[0])):
        if one.days not in [row["given"] for row in rows]:
            other, fine = _instead(space, states[0], one.days)
            value = score(space.criterion, questions, other)
            rows.append({**_row(one.name, other, value, best, fine), "given": one.days})
    return pd.DataFrame(rows).drop(columns="given")


def _row(name: str, groups: Sequence[Group], value: float, best: float, fine: bool) -> dict[str, object]:
    days = [", ".join(f"{day:g}" for day in group.days) for group in groups]
    return {
        "design": name, "days": " | ".join(dict.fromkeys(days)),
        "visits": max(len(group.days) for group in groups),
        "draws": sum(group.subjects * len(one.days) for group in groups for one in group.samplings),
        "criterion": value, "efficiency": value / best, "allowed": fine, "given": (),
    }  # fmt: skip


def price(limits: Limits, groups: Sequence[Group]) -> float:
    """Return what a design costs."""
    days = {floor(day) for group in groups for day in group.days}
    return sum(
        group.subjects * (limits.per_subject + limits.per_draw * sum(len(one.days) for one in group.samplings))
        for group in groups
    ) + limits.per_day * len(days)


def _instead(space: Space, state: State, days: tuple[float, ...]) -> tuple[tuple[Group, ...], bool]:
    """Return the design with other days for everybody, and whether that is allowed."""
    model, made, fine = space.questions[0].model, list[Group](), True
    for block, choice in zip(space.blocks, state, strict=True):
        own = moved(model, block.group, days, choice.subjects, block.group.regimens[choice.regimen])
        fine = fine and all(_fits(block.allowed, group) for group in own)
        made += own
    loads = Counter[int]()
    for group in made:
        for one in group.samplings:
            loads.update(dict.fromkeys(map(floor, one.days), group.subjects))
    limits = space.limits
    fine = fine and (limits.capacity is None or max(loads.values()) <= limits.capacity)
    return tuple(made), fine and (limits.budget is None or price(limits, made) <= limits.budget * (1 + 1e-9))


def _fits(of: Allowed, group: Group) -> bool:
    wanted = {(k, day) for k, one in enumerate(group.samplings) for day in one.days}
    row = np.array([[entry in wanted for entry in of.entries]])
    return bool(wanted <= {*of.entries} and of.keeps(row)[0] and of.full(row)[0])


def _even(space: Space, state: State) -> Alternative:
    """Return as many days as the best design's subjects have, as evenly spaced as candidates allow."""
    days = np.array(sorted({day for block in space.blocks for day in block.allowed.days}))
    terminal = any(block.terminal for block in space.blocks)
    count = max(len(one.parts) if terminal else len({*part.entries}) for one in state for part in one.parts)
    count = min(count, len(days))
    chosen = np.abs(days[:, None] - np.linspace(days[0], days[-1], count)[None]).argmin(axis=0)
    return Alternative("evenly spaced", tuple(days[sorted(set(chosen.tolist()))].tolist()))
