"""Designs that are good whatever the values turn out to be: worlds drawn from what is uncertain, and criteria over them.

A design's days are best for the values that were taken as true. ED takes the geometric mean of its scores over worlds, so that
log-scores are averaged; maximin its least efficiency, each world's score over the best that could be had there.
References: Dodds, Hooker and Vicini, J Pharmacokinet Pharmacodyn 2005;32:33-64; Pronzato and Walter, Math Biosci 1985;75:103-20.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import floor

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from myelosim.designing.criterion import Criterion
from myelosim.designing.question import Question
from myelosim.errors import SpecError
from myelosim.random import evenly
from myelosim.spec.change import full_name
from myelosim.spec.design import Group, Robust, Sampling
from myelosim.spec.document import suggestion
from myelosim.spec.scale import from_scale, to_scale

Array = NDArray[np.float64]
Best = Callable[[Question, Criterion], float]

KINDS = ("ED", "maximin")
MOST = 8  # times as many worlds are drawn as are wanted, where the model refuses some


def worlds(question: Question, robust: Robust | None = None, seed: int = 1) -> tuple[Question, ...]:
    """Return the question with other values of thetas, normal on their scales, drawn by a scrambled Sobol sequence.

    Standard deviations are those of ``robust.uncertain``; where that is empty those of the priors, and of the model's own
    standard errors (with their correlations). What has none keeps its value. Values that the model refuses are drawn again.

    Raises
    ------
    SpecError
        Nothing is uncertain, something named is not estimated, or the model refuses most of what is drawn.

    Examples
    --------
    >>> import myelosim as ms
    >>> model = ms.load_model("generic_oral_2cmt_friberg")
    >>> design = ms.evaluate_design(model, "drug 40 mg once", days=[0, 7, 14], subjects=9, parameters=["neutrophil.mtt"])
    >>> found = worlds(design.question, Robust({"neutrophil.mtt": 0.3}, draws=64))
    >>> round(float(np.std(np.log([one.values[0] for one in found]))), 2)
    0.3
    """
    robust = robust or Robust()
    if isinstance(robust.draws, bool) or not 1 <= robust.draws <= 4096:
        raise SpecError(f"robust: draws = {robust.draws} is not possible; give a whole number from 1 to 4096")
    names, covariance = _uncertain(question, robust)
    own = {one.name: one for one in question.estimation.thetas}
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    normals = ndtri(evenly(seed, MOST * robust.draws, len(names)))
    made: list[Question] = []
    refused = ""
    for drawn in normals @ root.T:
        theta = {
            name: float(from_scale(to_scale(own[name].start, own[name].scale) + x, own[name].scale))
            for name, x in zip(names, drawn, strict=True)
        }
        try:
            question.model.replace({name: x for name, x in theta.items() if name in question.model.parameters})
        except SpecError as error:
            refused = str(error)
            continue
        made.append(question.elsewhere(theta))
        if len(made) == robust.draws:
            return tuple(made)
    raise SpecError(f"robust: the model refuses most of the values that are drawn ({refused}); make uncertain smaller")


def robustly(
    name: str, question: Question, interest: tuple[int, ...] | None, robust: Robust | None, best: Best
) -> tuple[tuple[Question, ...], Criterion]:
    """Return the worlds and the criterion over them: "ED" or "maximin" of D, or of Ds where there is ``interest``.

    ``best`` returns the best score that could be had in a world by the plain criterion; only "maximin" asks for it.
    """
    found = worlds(question, robust, question.seed)
    if name == "ED":
        return found, Criterion("ED", interest=interest)
    plain = Criterion("D" if interest is None else "Ds", interest=interest)
    scores = np.array([best(one, plain) for one in found])
    if not np.all(scores > 0.0):
        raise SpecError("criterion: 'maximin' needs a best score above 0 in each world; in some nothing is determined")
    return found, Criterion("maximin", interest=interest, worlds="least", best=scores)


def everyday(groups: Sequence[Group]) -> Best:
    """Return the score of the same subjects looked at on every whole day up to their last, and on their own days.

    No design with these subjects, each day at most once, scores more: where nobody says which days could have been chosen, that is
    what a design is compared with. So its efficiency is a lower bound of that against the best design of as many visits.
    """
    wide = tuple(replace(group, samplings=tuple(_daily(one) for one in group.samplings)) for group in groups)

    def best(world: Question, criterion: Criterion) -> float:
        return float(criterion(replace(world, blood_loss=False).information(wide)[None, None])[0])

    return best


def _daily(sampling: Sampling) -> Sampling:
    last = max(sampling.days, default=0.0)
    return replace(sampling, days=tuple(sorted({*sampling.days, *map(float, range(floor(last) + 1))})))


def _uncertain(question: Question, robust: Robust) -> tuple[list[str], Array]:
    """Return what is uncertain, and the covariance of that on the scales."""
    thetas, of = question.estimation.thetas, question.model.parameters
    if robust.uncertain:
        known = [one.name for one in thetas]
        said = {}
        for name, sd in robust.uncertain.items():
            found = name if name in known else _full(question, name)
            if found not in known:
                raise SpecError(f"robust: '{name}' is not estimated{suggestion(name, known)}")
            if not 0.0 < sd <= 2.0:
                raise SpecError(
                    f"robust: {name} = {sd:g} is no standard deviation on its scale; give one above 0, at most 2"
                )
            said[found] = float(sd)
        return list(said), np.diag(np.square(list(said.values())))
    sds = {
        one.name: one.prior[1] if one.prior is not None else of[one.name].se
        for one in thetas
        if one.prior is not None or (one.name in of and of[one.name].se > 0)
    }
    if not sds:
        raise SpecError(
            'robust: nothing is uncertain: the model has no standard errors and there are no priors; give uncertain = { "'
            f'{thetas[0].name if thetas else "name"}" = 0.3 }}'
        )
    names, every = list(sds), np.array(list(sds.values()))
    R = np.eye(len(names))
    for (a, b), value in question.model.error_correlation.items():
        if a in sds and b in sds and all(of[one].se == sds[one] for one in (a, b)):
            i, j = names.index(a), names.index(b)
            R[i, j] = R[j, i] = value
    return names, R * np.outer(every, every)


def _full(question: Question, name: str) -> str:
    try:
        return full_name(question.model, name)
    except SpecError:
        return name
