"""The language of rules: conditions and actions from text."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput
from lark.exceptions import VisitError

from myelosim import units
from myelosim.errors import SpecError
from myelosim.spec.document import suggestion
from myelosim.spec.literal import found
from myelosim.spec.regimen import Regimen
from myelosim.spec.rule import (
    CELLS,
    Action,
    Compare,
    Condition,
    Delay,
    Either,
    Every,
    Give,
    Hold,
    Lasting,
    Reduce,
    Sign,
    Stop,
    Transfuse,
)

CONDITION = """
?start: either
?either: every ("or" every)*
?every: lasting ("and" lasting)*
?lasting: term
        | term "for" INTEGER ["consecutive"] SPAN   -> lasting
?term: "(" either ")"
     | NAME OPERATOR NUMBER "%" "of" "baseline"     -> percent
     | NAME OPERATOR NUMBER [UNIT]                  -> count
     | NAME "/" "baseline" OPERATOR NUMBER [PERCENT] -> fraction
     | "grade" "(" NAME ")" OPERATOR INTEGER        -> grade
     | "sign" "(" NAME ")"                          -> sign
OPERATOR: "<=" | ">=" | "<" | ">"
SPAN: /visits?|days?/
PERCENT: "%"
UNIT.-1: /(?!(and|or|for)\\b)[A-Za-z0-9^\\/.*]+(?<!\\.)/
NAME.-1: /(?!(and|or|for|grade|sign)\\b)[A-Za-z_][A-Za-z0-9_-]*/
INTEGER.1: /[0-9]+(?![0-9.eE^])/
NUMBER: /[0-9]+(\\.[0-9]*)?([eE][+-]?[0-9]+)?|\\.[0-9]+/
%import common.WS
%ignore WS
"""
CONDITION_FORM = (
    '"neutrophil < 1.0", "platelet / baseline < 0.5", "grade(hemoglobin) >= 3" or "sign(fever)", '
    'with "for 2 visits" or "for 2 consecutive days", joined by "and" and "or"'
)
ACTION_FORM = (
    "hold DRUG, reduce DRUG, stop DRUG, delay DRUG, give DOSE, transfuse N units of red cells (or platelets); "
    "several are joined by ;"
)
SIMPLE: dict[str, Callable[[str], Action]] = {"hold": Hold, "reduce": Reduce, "stop": Stop, "delay": Delay}
TRANSFUSED = {what: lineage for lineage, what in CELLS.items()}


class _Reader(Transformer[Token, Condition]):
    """A parse tree into a condition."""

    def either(self, terms: list[Condition]) -> Condition:
        return Either(tuple(terms))

    def every(self, terms: list[Condition]) -> Condition:
        return Every(tuple(terms))

    def lasting(self, parts: list[Any]) -> Condition:
        term, number, span = (part for part in parts if part is not None)
        if int(number) < 1:
            raise ValueError(f"for {number} {span}: give a number of at least 1")
        return Lasting(term, int(number), "visits" if span.startswith("visit") else "days")

    def count(self, parts: list[Any]) -> Condition:
        name, operator, number, unit = parts
        own = "g/dL" if name == "hemoglobin" else "10^9/L"
        return Compare(
            str(name), "count", str(operator), units.parse(f"{number} {unit}" if unit else float(number), own)
        )

    def percent(self, parts: list[Any]) -> Condition:
        name, operator, number = parts
        return Compare(str(name), "baseline", str(operator), float(number) / 100.0)

    def fraction(self, parts: list[Any]) -> Condition:
        name, operator, number, percent = parts
        return Compare(str(name), "baseline", str(operator), float(number) / (100.0 if percent else 1.0))

    def grade(self, parts: list[Any]) -> Condition:
        name, operator, number = parts
        return Compare(str(name), "grade", str(operator), float(number))

    def sign(self, parts: list[Any]) -> Condition:
        return Sign(str(parts[0]))


@cache
def _parser() -> Lark:
    return Lark(CONDITION, parser="lalr", maybe_placeholders=True)


def condition(text: str) -> Condition:
    """Read a condition.

    Raises
    ------
    ValueError
        The text is not one; the message says where it stops being understood.

    Examples
    --------
    >>> condition("neutrophil < 500 cells/uL")
    Compare(lineage='neutrophil', of='count', operator='<', value=0.5)
    >>> condition("neutrophil > 1.5 for 2 consecutive days").number
    2
    """
    try:
        return _Reader().transform(_parser().parse(text))
    except UnexpectedInput as error:
        end = getattr(error, "pos_in_stream", None)
        ended = getattr(getattr(error, "token", None), "type", "") == "$END"
        rest = text[end:].strip() if isinstance(end, int) and end >= 0 and not ended else ""
        where = f" from {found(rest)} on" if rest else " at its end"
        raise ValueError(f"{found(text)} is not understood{where}; write e.g. {CONDITION_FORM}") from None
    except VisitError as error:
        raise ValueError(f"{found(text)}: {error.orig_exc}") from None


def actions(text: str, drugs: Collection[str]) -> tuple[Action, ...]:
    """Read what a rule does; ``drugs`` are those of the model.

    Raises
    ------
    ValueError
        The text is not an action, or names a drug that is not there.

    Examples
    --------
    >>> actions("hold drug; give filgrastim 5 ug/kg sc QD", ["drug", "filgrastim"])[0]
    Hold(drug='drug')
    """
    parts = [" ".join(part.split()) for part in text.split(";")]
    return tuple(_action(part, drugs) for part in parts)


def _action(text: str, drugs: Collection[str]) -> Action:
    verb, _, rest = text.partition(" ")
    if verb in SIMPLE:
        if rest not in drugs:
            raise ValueError(f"{found(text)}: the model has no drug {found(rest)}{suggestion(rest, drugs)}")
        return SIMPLE[verb](rest)
    if verb == "give":
        return _give(rest, drugs)
    if verb == "transfuse":
        return _transfuse(text, rest)
    raise ValueError(f"{found(text)} is not an action{_meant(text, verb, drugs)}; write {ACTION_FORM}")


def _meant(text: str, verb: str, drugs: Collection[str]) -> str:
    from myelosim.spec.document import closest

    near = closest(verb, [*SIMPLE, "give", "transfuse"])
    rest = text.partition(" ")[2]
    return f"; did you mean '{near} {rest}'?" if near and (rest in drugs or near in ("give", "transfuse")) else ""


def _give(text: str, drugs: Collection[str]) -> Give:
    try:
        regimen = Regimen.parse(text, dict.fromkeys(drugs, ()))
    except SpecError as error:
        raise ValueError(str(error)) from None
    if not regimen.events:
        raise ValueError(f"give {text}: says no dose")
    event = regimen.events[0]
    if event.drug not in drugs:
        raise ValueError(
            f"give {text}: the model has no drug '{event.drug}'{suggestion(event.drug, drugs)}; a G-CSF is added to it by gcsf = "
            f"'{event.drug}'"
        )
    if len(regimen.events) > 1 or event.time or (event.interval and event.count is not None):
        raise ValueError(f"give {text}: say how much and how often; the rule says from when until when")
    return Give(replace(event, count=None if event.interval else 1), text)


def _transfuse(text: str, rest: str) -> Transfuse:
    number, _, cells = rest.partition(" ")
    what = cells.removeprefix("units").removeprefix("unit").strip().removeprefix("of ").strip()
    try:
        amount = float(number)
    except ValueError:
        amount = -1.0
    if not 0 < amount <= 100 or what not in TRANSFUSED:
        raise ValueError(f"{found(text)} is not understood; write e.g. transfuse 2 units of red cells, or of platelets")
    return Transfuse(TRANSFUSED[what], amount)
