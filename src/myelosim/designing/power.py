"""The power of a design: how likely its estimates will show what is there.

A Wald test: with v the true value on a scale, v0 the one it is tested against and se the expected standard error there, the
estimate over se is normal with variance 1, so that a test at level alpha with z its quantile of the normal shows a difference
with probability Phi(|v - v0|/se - z) (+ Phi(-|v - v0|/se - z) if two-sided). The scale is the parameter's own (log, say) where
the null has a place on it, else the natural one: the slope of an effect against 0 is tested as an estimate over its standard error.
Reference: Retout, Comets, Samson and Mentré, Stat Med 2007;26:5162-79.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from myelosim.designing.question import Question
from myelosim.errors import SpecError
from myelosim.information import Fisher, spread
from myelosim.spec.design import Decision, Group
from myelosim.spec.document import suggestion
from myelosim.spec.dosing import prescribed
from myelosim.spec.regimen import Regimen
from myelosim.spec.scale import on_scale, slope, to_scale

if TYPE_CHECKING:
    from myelosim.designing.design import Design

Array = NDArray[np.float64]

MOST = 1_000_000  # subjects that a study may need


def wald(difference: float, error: float, alpha: float = 0.05, sided: int = 2) -> float:
    """Return the power to show a difference with this standard error; an infinite error leaves the level of the test.

    Examples
    --------
    >>> round(wald(2.8, 1.0), 2), round(wald(0.0, 1.0), 2)
    (0.8, 0.05)
    """
    if not (0.0 < alpha < 0.5 and sided in (1, 2)):
        raise SpecError(
            f"power: alpha = {alpha:g}, sided = {sided!r} are not possible; give 0 < alpha < 0.5, and 1 or 2"
        )
    z = -float(ndtri(alpha / sided))
    none = difference == 0.0 or math.isinf(error)
    size = 0.0 if none else math.inf if error == 0.0 else abs(difference) / error
    return float(ndtr(size - z) + (ndtr(-size - z) if sided == 2 else 0.0))


def power(design: Design, name: str, *, null: float | None = None, alpha: float = 0.05, sided: int = 2) -> float:
    """Return the chance that a study will show that a parameter is not ``null``.

    Parameters
    ----------
    design : Design
        What is done.
    name : str
        One of ``design.names``: the slope of an effect, or the coefficient of a covariate, ``neutrophil.mtt.arm.treated``.
    null : float, optional
        What it is tested against. Default: 1 for a factor of a category, which is nothing there; else 0.
    alpha : float
        Level of the test.
    sided : {2, 1}
        One-sided in the direction of the true difference.

    Raises
    ------
    SpecError
        It is not estimated, or the test cannot be.
    """
    return _test(design.question, name, null)(design.information, alpha, sided)


def subjects_needed(
    design: Design, name: str, power: float = 0.8, *, null: float | None = None, alpha: float = 0.05, sided: int = 2
) -> dict[str, int]:
    """Return how many subjects of each group a study needs for a power, the groups' shares being as they are.

    Raises
    ------
    SpecError
        No number gives it: there is no difference to be shown, or these looks do not determine the parameter.
    """
    if not 0.0 < power < 1.0:
        raise SpecError(f"power: {power:g} is no chance; give a number between 0 and 1")
    test = _test(design.question, name, null)
    each = [Fisher(one).once for one in design.sensitivities]
    shares = [group.subjects / design.subjects for group in design.groups]

    def sizes(total: int) -> list[int]:
        return [max(1, math.ceil(total * share - 1e-9)) for share in shares]

    def enough(total: int) -> bool:
        fim = design.question.known + sum(n * one for n, one in zip(sizes(total), each, strict=True))
        return test(fim, alpha, sided) >= power

    low, high = 0, len(shares)
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST:
            raise SpecError(
                f"power: not even {MOST:,} subjects show that {name} is not the null with a chance of {power:g}; look on other "
                "days, or at another parameter"
            )
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return {group.name: n for group, n in zip(design.groups, sizes(high), strict=True)}


def power_between(
    design: Design, first: str | Regimen, second: str | Regimen, *, lineage: str, days: float, what: str = "nadir",
    alpha: float = 0.05, sided: int = 2, **asked: Any,
) -> float:  # fmt: skip
    """Return the chance that a study will show two regimens, or two groups, to differ in what is predicted of them.

    The predictions rest on the same estimates, so their errors are correlated; the difference of logarithms (nadir, dose), of
    logits (risk) or of days is tested. Within the model, doses differ as surely as there is an effect,
    however near they are.

    Parameters
    ----------
    design : Design
        What is done.
    first, second : str or Regimen
        A group's name, for its regimen and covariates, or doses.
    lineage, days, what
        As in :class:`myelosim.spec.design.Decision`; ``asked`` are further fields of it (grade, grading, subjects).
    alpha, sided
        As for :func:`power`.
    """
    from myelosim.designing.decision import predict

    found = []
    for one in (first, second):
        regimen, covariates = _regimen(design, one)
        decision = Decision(what, lineage, regimen, days, **asked)
        found.append(predict(_among(design.question, covariates), decision))
    places = [to_scale(one.value, one.scale) for one in found]
    slopes = [one.gradient * slope(one.value, one.scale) for one in found]
    return wald(float(places[0] - places[1]), spread(design.information, slopes[0] - slopes[1]), alpha, sided)


def _test(question: Question, name: str, null: float | None) -> Callable[[Array, float, int], float]:
    """Return the power (information, alpha, sided) of a test of one parameter."""
    if name not in question.names:
        raise SpecError(f"power: '{name}' is not estimated{suggestion(name, question.names)}")
    place = question.names.index(name)
    theta = next((one for one in question.estimation.thetas if one.name == name), None)
    value, scale = float(question.values[place]), "identity" if theta is None else theta.scale
    if null is None:
        null = 1.0 if scale == "log" and name not in question.model.parameters and theta is not None else 0.0
    scale = scale if on_scale(null, scale) else "identity"
    gradient = np.zeros(len(question.names))
    gradient[place] = slope(value, scale)
    difference = float(to_scale(value, scale) - to_scale(null, scale))
    return lambda fim, alpha, sided: wald(difference, spread(fim, gradient), alpha, sided)


def _regimen(design: Design, one: str | Regimen) -> tuple[Regimen, Mapping[str, float | str]]:
    if isinstance(one, Regimen):
        return one, {}
    groups: dict[str, Group] = {group.name: group for group in design.groups}
    if one in groups:
        return groups[one].regimen, groups[one].covariates
    try:
        return prescribed(one, design.question.model), {}
    except SpecError as error:
        raise SpecError(f"power: '{one}' is no group ({', '.join(groups)}) and no dose: {error}") from None


def _among(question: Question, covariates: Mapping[str, float | str]) -> Question:
    """Return the question about subjects with these covariates."""
    if not covariates:
        return question
    about = question.model.subjects
    told = replace(about, covariates={**about.covariates, **covariates})
    return replace(question, model=replace(question.model, subjects=told))
