"""Designs that leave no choice: the one that a file gives, and a design with other days."""

from __future__ import annotations

import re
from collections.abc import Sequence

from myelosim.designing.design import Design, scored
from myelosim.designing.doubts import doubted
from myelosim.designing.space import shared
from myelosim.spec import design as spec
from myelosim.spec.design import Group, OpenGroup, OpenSampling
from myelosim.spec.model import Model, observable
from myelosim.spec.regimen import Regimen


def settled(asked: spec.Design) -> bool:
    """Tell whether a file leaves nothing to be chosen."""
    return all(
        len(group.regimens) == 1 and group.subjects[0] == group.subjects[1] and group.structure == "together"
        and all(one.visits == (len(one.days), len(one.days)) for one in group.samplings)
        for group in asked.groups
    )  # fmt: skip


def named(asked: spec.Design) -> tuple[Group, ...]:
    """Return the groups of a file that leaves nothing to be chosen."""
    return tuple(one.at([s.days for s in one.samplings], one.subjects[0]) for one in asked.groups)


def instead(asked: spec.Design, design: Design, days: Sequence[float]) -> Design:
    """Return a design with other days of blood counts, doses and numbers of subjects being as they are.

    Subjects of a group who are bled in turns all have these days; each of a terminal group has one of them. Samplings without
    counts stay where all their days are taken, and have these days, too, where they are chosen.
    """
    model, made = design.question.model, list[Group]()
    for group in asked.groups:
        own = parts_of(design, group)
        made += moved(model, group, days, sum(one.subjects for one in own), own[0].regimen)
    return doubted(scored(design.question, tuple(made), design.scored_by))


def moved(model: Model, group: OpenGroup, days: Sequence[float], subjects: int, regimen: Regimen) -> list[Group]:
    """Return a group with other days, as :func:`instead` says."""
    counts = {observable(name) for name in model.lineages}
    split = [(tuple(days), subjects)]
    if group.structure == "terminal":
        split = [((day,), size) for day, size in zip(days, shared(subjects, len(days)), strict=True) if size]
    return [
        group.at(
            [when if _moved(one, counts) else one.days for one in group.samplings], size, regimen,
            f"day {when[0]:g}" if len(split) > 1 else "",
        )
        for when, size in split
    ]  # fmt: skip


def parts_of(design: Design, group: OpenGroup) -> list[Group]:
    """Return the groups of a design into which one of a file was divided."""
    part = re.compile(re.escape(group.name) + r"(, (\d+|day [-+.e\d]+))?")
    return [one for one in design.groups if part.fullmatch(one.name)]


def _moved(sampling: OpenSampling, counts: set[str]) -> bool:
    return bool(counts & set(sampling.observe)) or sampling.visits[0] < len(sampling.days)
