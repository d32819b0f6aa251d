"""Criteria by name."""

from __future__ import annotations

from collections.abc import Sequence

from myelosim.designing.criterion import Criterion, relative
from myelosim.designing.decision import predict
from myelosim.designing.predicted import criterion as deciding
from myelosim.designing.question import Question
from myelosim.designing.robust import KINDS, Best, robustly
from myelosim.errors import SpecError
from myelosim.spec.design import CRITERIA, DECISIONS, Decision, Robust
from myelosim.spec.document import suggestion

PLAIN = ("D", "Ds", "A")


def criterion_of(name: str | Criterion, question: Question, interest: Sequence[str] | None = None) -> Criterion:
    """Return a criterion that needs nothing but the information: "D", "Ds" or "A".

    Raises
    ------
    SpecError
        It is not known, ``interest`` names what is not estimated, or "A" goes by a parameter whose value is 0.
    """
    if isinstance(name, Criterion):
        return name
    if name not in PLAIN:
        raise SpecError(f"criterion: '{name}' is not known{suggestion(str(name), PLAIN)}")
    if interest and name != "Ds":
        raise SpecError(f"interest: belongs to criterion 'Ds'; with '{name}' leave it out")
    if name == "Ds" and not interest:
        raise SpecError("criterion: 'Ds' needs interest, the parameters it is about")
    if name != "A":
        return Criterion(name, _places(question, interest))
    if nothing := [one for one, value in zip(question.names, question.values, strict=True) if value == 0.0]:
        raise SpecError(
            f"criterion: 'A' goes by relative errors, and {', '.join(nothing)} has the value 0, which has none; give another "
            "value, or take 'D'"
        )
    return Criterion(name, weights=relative(question.values))


def criterion_over(
    name: str | Criterion, question: Question, interest: Sequence[str] | None = None, *,
    robust: Robust | None = None, decision: Decision | None = None, best: Best,
) -> tuple[tuple[Question, ...], Criterion]:  # fmt: skip
    """Return the questions (one, or one for each world), and the criterion that scores their information together.

    Parameters
    ----------
    name : str or Criterion
        "D", "Ds", "A", "ED", "maximin", or what is to be decided.
    interest : sequence of str, optional
        Parameters that "Ds" is about, or "ED" and "maximin" in each world.
    robust : Robust, optional
        Worlds of "ED" and "maximin"; default what the priors or the model call uncertain.
    decision : Decision, optional
        What "nadir", "nadir_day", "risk" and "dose" are about.
    best : callable
        Best score that could be had in a world by a plain criterion; only "maximin" asks.

    Raises
    ------
    SpecError
        It is not known, needs what is not given, or is given what it does not need.
    """
    if isinstance(name, Criterion):
        return (question,), name
    if name not in CRITERIA:
        raise SpecError(f"criterion: '{name}' is not known{suggestion(str(name), CRITERIA)}")
    for given, argument, allowed in (
        (interest, "interest", ("Ds", *KINDS)), (robust, "robust", KINDS), (decision, "decision", DECISIONS)
    ):  # fmt: skip
        if given and name not in allowed:
            belongs = " or ".join(f"'{one}'" for one in allowed)
            raise SpecError(f"{argument}: belongs to criterion {belongs}; with '{name}' leave it out")
    if name in DECISIONS:
        if not isinstance(decision, Decision) or decision.what != name:
            raise SpecError(f"criterion: '{name}' needs decision, with what = '{name}', lineage, regimen and days")
        return (question,), deciding(predict(question, decision))
    if name in KINDS:
        return robustly(name, question, _places(question, interest), robust, best)
    return (question,), criterion_of(name, question, interest)


def _places(question: Question, interest: Sequence[str] | None) -> tuple[int, ...] | None:
    for one in interest or ():
        if one not in question.names:
            raise SpecError(f"interest: '{one}' is not estimated{suggestion(one, question.names)}")
    return tuple(question.names.index(one) for one in interest) if interest else None
