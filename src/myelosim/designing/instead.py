"""Designs that leave no choice: the one that a file gives, and a design with other days."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from myelosim.designing.design import Design, scored
from myelosim.designing.doubts import doubted
from myelosim.designing.space import shared
from myelosim.spec import design as spec
from myelosim.spec.design import Group, OpenGroup, OpenSampling, Sampling
from myelosim.spec.model import observable


def settled(asked: spec.Design) -> bool:
    """Tell whether a file leaves nothing to be chosen."""
    return all(
        len(group.regimens) == 1 and group.subjects[0] == group.subjects[1] and group.structure == "together"
        and all(one.visits == (len(one.days), len(one.days)) for one in group.samplings)
        for group in asked.groups
    )  # fmt: skip


def named(asked: spec.Design) -> tuple[Group, ...]:
    """Return the groups of a file that leaves nothing to be chosen."""
    return tuple(
        Group(
            one.name, one.regimens[0], one.subjects[0],
            tuple(Sampling(s.observe, s.days, s.draw, s.order) for s in one.samplings), one.covariates, one.occasions,
        )
        for one in asked.groups
    )  # fmt: skip


def instead(asked: spec.Design, design: Design, days: Sequence[float]) -> Design:
    """Return a design with other days of blood counts, doses and numbers of subjects being as they are.

    Subjects of a group who are bled in turns all have these days; each of a terminal group has one of them. Samplings without
    counts stay where all their days are taken, and have these days, too, where they are chosen.
    """
    counts = {observable(name) for name in design.question.model.lineages}
    made: list[Group] = []
    for group in asked.groups:
        own = parts_of(design, group)
        subjects, first = sum(one.subjects for one in own), own[0]
        split = [(tuple(days), subjects)]
        if group.structure == "terminal":
            split = [((day,), size) for day, size in zip(days, shared(subjects, len(days)), strict=True) if size]
        for when, size in split:
            samplings = tuple(
                Sampling(one.observe, when if _moved(one, counts) else one.days, one.draw, one.order)
                for one in group.samplings
            )
            name = group.name if len(split) == 1 else f"{group.name}, day {when[0]:g}"
            made.append(replace(first, name=name, subjects=size, samplings=samplings))
    return doubted(scored(design.question, tuple(made), design.scored_by))


def parts_of(design: Design, group: OpenGroup) -> list[Group]:
    """Return the groups of a design into which one of a file was divided."""
    part = re.compile(re.escape(group.name) + r"(, (\d+|day [-+.e\d]+))?")
    return [one for one in design.groups if part.fullmatch(one.name)]


def _moved(sampling: OpenSampling, counts: set[str]) -> bool:
    return bool(counts & set(sampling.observe)) or sampling.visits[0] < len(sampling.days)
