"""Criteria by name."""

from __future__ import annotations

from collections.abc import Sequence

from myelosim.designing.criterion import Criterion, relative
from myelosim.designing.question import Question
from myelosim.errors import SpecError
from myelosim.spec.document import suggestion

PLAIN = ("D", "Ds", "A")


def criterion_of(name: str | Criterion, question: Question, interest: Sequence[str] | None = None) -> Criterion:
    """Return a criterion that needs nothing but the information.

    Raises
    ------
    SpecError
        It is not known, or ``interest`` names what is not estimated.
    """
    if isinstance(name, Criterion):
        return name
    if name not in PLAIN:
        raise SpecError(f"criterion: '{name}' is not known{suggestion(str(name), PLAIN)}")
    if name != "Ds" and interest is not None:
        raise SpecError(f"interest: belongs to criterion 'Ds'; with '{name}' leave it out")
    if name == "Ds":
        if not interest:
            raise SpecError("criterion: 'Ds' needs interest, the parameters it is about")
        for one in interest:
            if one not in question.names:
                raise SpecError(f"interest: '{one}' is not estimated{suggestion(str(one), question.names)}")
        return Criterion("Ds", interest=tuple(question.names.index(one) for one in interest))
    return Criterion(name, weights=relative(question.values) if name == "A" else None)
