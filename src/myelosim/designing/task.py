"""What is to be found: the best design for a question within limits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from myelosim.designing.alternatives import alternatives as compared
from myelosim.designing.alternatives import price
from myelosim.designing.asked import question_of
from myelosim.designing.certificate import certificate
from myelosim.designing.criterion import Criterion
from myelosim.designing.design import Design, DesignWarning, score, scored
from myelosim.designing.doubts import doubted
from myelosim.designing.exchange import regular
from myelosim.designing.opened import limited, opened, whole
from myelosim.designing.question import Question
from myelosim.designing.scoring import criterion_over
from myelosim.designing.search import STARTS, WAYS, Found, search
from myelosim.designing.space import Space, State
from myelosim.errors import SpecError
from myelosim.information import precision
from myelosim.spec.design import Alternative, Group, Limits, OpenGroup
from myelosim.spec.document import suggestion
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen

GROUPS = ("candidate_days", "visits", "subjects", "lineages", "observe", "groups", "fixed_days", "draw", "structure", "parts",
          "doses")  # fmt: skip
CALENDAR = ("limits", "gap", "weekdays", "first_day")
SCORED = ("criterion", "interest", "robust", "decision")


def prepared(
    model: Model, regimen: Regimen | str | Sequence[str] | None, *, search: str = "auto", starts: int | None = None,
    **arguments: Any,
) -> Task:  # fmt: skip
    """Return what is to be found; the arguments are those of :func:`myelosim.optimize_design`."""

    def taken(names: Sequence[str]) -> dict[str, Any]:
        return {name: arguments.pop(name) for name in names if name in arguments}

    if search not in WAYS:
        raise SpecError(f"search: '{search}' is not known{suggestion(search, WAYS)}")
    shaped = opened(model, regimen, **taken(GROUPS))
    limits, scoring = limited(shaped, **taken(CALENDAR)), taken(SCORED)
    question = question_of(model, every(shaped), **arguments)

    def best(world: Question, plain: Criterion) -> float:
        return Task(world, (world,), plain, shaped, limits, "exchange", STARTS[1]).most()

    worlds, criterion = criterion_over(scoring.pop("criterion", "D"), question, **scoring, best=best)
    return Task(question, tuple(worlds), criterion, shaped, limits, search, starts)


def every(groups: Sequence[OpenGroup]) -> list[Group]:
    """Return each group under each of its regimens, looked at on all its days."""
    return [whole(group, k) for group in groups for k in range(len(group.regimens))]


@dataclass(frozen=True)
class Task:
    """What is to be found: the best design for a question, which may have other answers in other worlds."""

    question: Question
    worlds: tuple[Question, ...]
    criterion: Criterion
    groups: tuple[OpenGroup, ...]
    limits: Limits
    way: str = "auto"
    starts: int | None = None

    def space(self) -> Space:
        """Return all designs."""
        return Space(self.worlds, self.groups, self.limits, self.criterion)

    def most(self) -> float:
        """Return the best score there is."""
        space = Space(
            self.worlds, self.groups, replace(self.limits, per_subject=0.0, per_draw=0.0, per_day=0.0), self.criterion
        )
        return search(space, way=self.way, starts=self.starts, seed=self.question.seed).worth

    def best(self, others: Sequence[Alternative] = ()) -> Design:
        """Return the best design, with what it was compared with.

        Raises
        ------
        SpecError
            There is none, or none that determines what the criterion is about.
        """
        space = self.space()
        if not self.criterion.partial and (lost := self._never(space)):
            raise SpecError(
                f"design: {', '.join(lost)} cannot be determined, not even with visits on all candidate days; give other days, "
                "observe more, estimate fewer parameters, or give prior information"
            )
        found = search(space, way=self.way, starts=self.starts, seed=self.question.seed)
        if not found.states or not regular(space, found.states[0]):
            raise self._refused(space, found)
        states, worth = list(found.states), None
        if self.question.blood_loss:
            states, worth = self._bled(space, states)
        design = scored(self.question, space.groups(states[0]), self.criterion, worlds=self.worlds)
        proof = certificate(space, states[0])
        how = found.how + (
            f"; of the best {len(states)} that which is best with blood lost" if worth is not None else ""
        )
        known = {
            "how": how, "looked": found.looked, "exact": found.exact and worth is None,
            "bound": None if proof is None else proof.bound, "bound_exact": proof is not None and proof.exact,
            "cost": price(self.limits, design.groups),
            "alternatives": compared(space, self.worlds, states, design.criterion, others),
        }  # fmt: skip
        return doubted(replace(design, found=known, warnings=tuple(self._warnings(space))))

    def _bled(self, space: Space, states: Sequence[State]) -> tuple[list[State], float]:
        """Return designs in the order of their worth where drawn blood is missing afterwards, and that of the best."""
        values = [score(self.criterion, self.worlds, space.groups(state)) for state in states]
        if space.per_cost:
            values = [value / space.cost(state) for value, state in zip(values, states, strict=True)]
        order = np.argsort(-np.array(values), kind="stable")
        return [states[k] for k in order], max(values)

    def _never(self, space: Space) -> list[str]:
        """Return what no design determines."""
        total = space.known[0].copy()
        for g, block in enumerate(space.blocks):
            every = np.ones((1, len(block.allowed.entries)), bool)
            total += sum(space.information(g, k, every)[0, 0] for k in range(len(block.fishers)))
        return [name for name, known in zip(self.question.names, precision(total).determined, strict=True) if not known]

    def _refused(self, space: Space, found: Found) -> SpecError:
        """Return what to raise where no allowed design determines what is asked."""
        best = (
            precision(space.total(found.states[0])[0]).determined
            if found.states
            else np.zeros(len(self.question.names), bool)
        )
        lost = [name for name, known in zip(self.question.names, best, strict=True) if not known]
        once = all(group.structure == "terminal" for group in self.groups)
        more = "bleed subjects more than once" if once else "give more visits, or parts with visits of their own"
        return SpecError(
            f"design: no allowed set of visits determines {', '.join(lost) or 'what the criterion is about'}; {more}, observe "
            "more, estimate fewer parameters, or give prior information"
        )

    def _warnings(self, space: Space) -> list[DesignWarning]:
        found = [DesignWarning("blood", text) for text in space.unheld]
        if space.open and not space.per_cost and self.limits.budget is None:
            text = "more visits and subjects never tell less and nothing says what they cost, so as many as possible are taken; "
            found.append(
                DesignWarning(
                    "number", text + "give costs or a budget, or see by --front (design_front) what fewer would tell"
                )
            )
        return found
