"""The best design."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from myelosim.designing.alternatives import alternatives as compared
from myelosim.designing.alternatives import price, score
from myelosim.designing.asked import question_of
from myelosim.designing.certificate import certificate
from myelosim.designing.criterion import Criterion
from myelosim.designing.design import Design, DesignWarning, scored
from myelosim.designing.doubts import doubted
from myelosim.designing.opened import limited, opened, whole
from myelosim.designing.question import Question
from myelosim.designing.scoring import criterion_over
from myelosim.designing.search import STARTS, WAYS, Found, search
from myelosim.designing.space import Space, State
from myelosim.errors import SpecError
from myelosim.information import precision
from myelosim.spec.design import Alternative, Decision, Limits, OpenGroup, Robust
from myelosim.spec.document import suggestion
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen


def optimize_design(
    model: Model, regimen: Regimen | str | Sequence[str] | None = None, *, candidate_days: Any = None,
    visits: int | tuple[int, int] | None = None, subjects: int | tuple[int, int] | None = None,
    lineages: Sequence[str] | None = None, observe: Sequence[str] | None = None, groups: Sequence[OpenGroup] | None = None,
    fixed_days: Any = None, gap: float | None = None, weekdays: bool | None = None, first_day: str | None = None,
    draw: float | str | None = None, limits: Limits | None = None, structure: str | None = None, parts: int | None = None,
    doses: Sequence[Regimen | str] | None = None, alternatives: Sequence[Alternative] = (),
    parameters: Sequence[str] | None = None, fixed: Sequence[str] | None = None, omega: Any = None,
    sigma: Mapping[str, Any] | None = None, iov: Any = None, covariates: Any = None,
    residual: Mapping[str, str] | None = None, priors: Any = None, blq: str = "m3", lloq: Mapping[str, Any] | None = None,
    fim: str = "reduced", linearization: str = "fo", criterion: str | Criterion = "D", interest: Sequence[str] | None = None,
    robust: Robust | None = None, decision: Decision | None = None, prior: Any = None, blood_loss: bool = False,
    search: str = "auto", starts: int | None = None, seed: int = 1, tolerance: float = 1e-8, threads: int | None = None,
) -> Design:  # fmt: skip
    """Choose days, doses and numbers of subjects so that a study tells most.

    All designs are looked at where they are few enough (about 400,000 matrices); else the best of several searches by exchange
    counts, each improved until no exchange helps. Either way the result says how much better any design could be.

    Parameters
    ----------
    model : Model
        What is designed for; its values are taken as true.
    regimen : Regimen, str or list of str, optional
        Doses of the one group there is; or give ``doses`` or ``groups``.
    candidate_days : list of float, or str
        Elapsed days that visits are chosen from, or ``"d1 weekly until d28"``.
    visits : int or (int, int)
        Visits of each subject, or the fewest and the most.
    subjects : int or (int, int)
        Subjects of that group, or the fewest and the most.
    lineages, observe : sequence of str, optional
        What is looked at, as for :func:`evaluate_design`.
    groups : sequence of OpenGroup, optional
        Several groups, each with doses, subjects, samplings and a structure of its own.
    fixed_days : list of float, or str, optional
        Days on which everybody has a visit.
    gap : float, optional
        Least number of days between two visits of a subject.
    weekdays, first_day : bool, str, optional
        Whether there is no visit on a weekend, and what day of the week day 0 is ("monday").
    draw : float or str, optional
        Blood of one draw, mL. Default: the species'. Limits of the species on blood hold where the model has them.
    limits : Limits, optional
        These and other limits: capacity, budget and costs, subjects in all.
    structure : {"together", "alternating", "terminal"}, optional
        Whether all subjects have the same visits, ``parts`` of them visits of their own, or each only one.
    parts : int, optional
        Of an alternating group. Default: 2.
    doses : sequence of Regimen or str, optional
        Doses to choose one from.
    alternatives : sequence of Alternative, optional
        Days to compare with, beside those of the seeds and evenly spaced ones.
    search : {"auto", "exact", "exchange"}
        How to search. "exact" looks at all designs however long it takes.
    starts : int, optional
        Of the search by exchange. Default: 20, fewer where matrices are dear.
    parameters, fixed, omega, sigma, iov, covariates, residual, priors, blq, lloq, fim, linearization
        As for :func:`evaluate_design`.
    criterion, interest, robust, decision, prior
        As for :func:`evaluate_design`; "maximin" compares with the best allowed design of each world.
    blood_loss : bool
        Whether drawn blood is missing from the subjects afterwards: the best designs without that are judged again with it.
    seed, tolerance, threads
        Of random starts and "foce", of predictions, and processors used.

    Returns
    -------
    Design
        As from :func:`evaluate_design`. Its ``found`` holds ``how`` it was found, how many designs were ``looked`` at, whether
        the result is ``exact``, a lower ``bound`` of its efficiency among all designs, those included in which every subject has
        visits of its own (``bound_exact``: whether that is proven), ``cost``, and ``alternatives`` (a table).

    Raises
    ------
    SpecError
        There is no design within the limits (it says which of them leave none), or none that determines all parameters.

    Notes
    -----
    A number of visits or of subjects that is a range is chosen, too. With a budget it is that of the design that tells most;
    with costs and no budget, of the one that tells most for its cost. Else more is never worse, and the most are taken:
    :func:`design_front` shows what fewer would do.

    Examples
    --------
    >>> import myelosim as ms
    >>> model = ms.load_model("generic_oral_1cmt")
    >>> best = ms.optimize_design(
    ...     model, "drug 100 mg once", candidate_days=[0.05, 0.1, 0.25, 0.5, 1, 2], visits=3, subjects=12, observe=["drug"],
    ...     parameters=["drug.ka", "drug.cl", "drug.vc"], omega={"drug.cl": 0.09}, sigma={"drug.proportional": 0.15},
    ... )
    >>> best.days, best.found["how"]
    ([0.05, 0.25, 2.0], 'exact, all 20 designs')
    """
    shaped = opened(
        model, regimen, candidate_days=candidate_days, visits=visits, subjects=subjects, lineages=lineages, observe=observe,
        fixed_days=fixed_days, draw=draw, structure=structure, parts=parts, doses=doses, groups=groups,
    )  # fmt: skip
    kept = limited(shaped, limits, gap, weekdays, first_day)
    question = question_of(
        model, every(shaped), parameters=parameters, fixed=fixed, omega=omega, sigma=sigma, iov=iov, covariates=covariates,
        residual=residual, priors=priors, blq=blq, lloq=lloq, fim=fim, linearization=linearization, prior=prior,
        blood_loss=blood_loss, seed=seed, tolerance=tolerance, threads=threads,
    )  # fmt: skip
    return task_of(
        question, shaped, kept, criterion, interest, robust=robust, decision=decision, way=search, starts=starts
    ).best(alternatives)


def task_of(
    question: Question, groups: tuple[OpenGroup, ...], limits: Limits, criterion: str | Criterion = "D",
    interest: Sequence[str] | None = None, *, robust: Robust | None = None, decision: Decision | None = None,
    way: str = "auto", starts: int | None = None,
) -> Task:  # fmt: skip
    """Return what is to be found; the arguments are those of :func:`optimize_design`."""
    if way not in WAYS:
        raise SpecError(f"search: '{way}' is not known{suggestion(way, WAYS)}")

    def best(world: Question, plain: Criterion) -> float:
        return Task(world, (world,), plain, groups, limits, "exchange", STARTS[1]).most()

    worlds, scoring = criterion_over(criterion, question, interest, robust=robust, decision=decision, best=best)
    return Task(question, tuple(worlds), scoring, groups, limits, way, starts)


def every(groups: Sequence[OpenGroup]) -> list[Any]:
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

    def best(self, others: Sequence[Alternative] = (), space: Space | None = None) -> Design:
        """Return the best design, with what it was compared with.

        Raises
        ------
        SpecError
            There is none, or none that determines what the criterion is about.
        """
        space = space or self.space()
        found = search(space, way=self.way, starts=self.starts, seed=self.question.seed)
        if not found.states or not self._regular(space, found.states[0]):
            raise self._refused(space, found)
        states, worth = list(found.states), None
        if self.question.blood_loss:
            states, worth = self._bled(space, states)
        design = scored(self.question, space.groups(states[0]), self.criterion, worlds=self.worlds)
        proof = certificate(space, found.states[0])
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
        values = [score(self.worlds, self.criterion, space.groups(state)) for state in states]
        if space.per_cost:
            values = [value / space.cost(state) for value, state in zip(values, states, strict=True)]
        order = np.argsort(-np.array(values), kind="stable")
        return [states[k] for k in order], max(values)

    def _regular(self, space: Space, state: State) -> bool:
        if not space.worth_of(state) > 0:
            return False
        partial = self.criterion.interest is not None or self.criterion.weights is not None
        return partial or bool(np.all(precision(space.total(state)[0]).determined))

    def _refused(self, space: Space, found: Found) -> SpecError:
        """Return what to raise where no design determines what is asked."""
        names = np.array(self.question.names)
        lost = names[~precision(self.question.information(every(self.groups))).determined].tolist()
        if lost:
            return SpecError(
                f"design: {', '.join(lost)} cannot be determined, not even with visits on all candidate days; give other days, "
                "observe more, fix it, or give prior information"
            )
        best = precision(space.total(found.states[0])[0]) if found.states else None
        lost = names[~best.determined].tolist() if best is not None else []
        once = all(group.structure == "terminal" for group in self.groups)
        more = "bleed subjects more than once" if once else "give more visits, or parts with visits of their own"
        return SpecError(
            f"design: no allowed set of visits determines {', '.join(lost) or 'all parameters'}; {more}, observe more, fix "
            "what is known, or give prior information"
        )

    def _warnings(self, space: Space) -> list[DesignWarning]:
        found = [DesignWarning("blood", text) for text in space.unheld]
        if space.open and not space.per_cost and self.limits.budget is None:
            text = "more visits and subjects never tell less and nothing says what they cost, so as many as possible are taken; "
            found.append(
                DesignWarning("number", text + "give costs or a budget, or see design_front for what fewer would tell")
            )
        return found
