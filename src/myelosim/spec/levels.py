"""The doses that a rule goes down by."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec.document import Table
from myelosim.spec.dosing import dose_factor
from myelosim.spec.literal import found
from myelosim.spec.model import Model
from myelosim.spec.regimen import DoseEvent, Regimen
from myelosim.spec.rule import RELEASES, Delay, Hold, Reduce, Rule

FORM = 'levels = ["100 %", "75 %", "50 %"]'


def read_ladders(table: Table) -> list[tuple[str, ...]]:
    """Read ``levels``: a list of doses, or several lists, of which the one that begins with the planned dose holds."""
    value: Any = table.raw("levels", [])
    nested = isinstance(value, list) and value and all(isinstance(one, list) for one in value)
    ladders = [
        Table({"levels": one}, table.path, table.findings).texts("levels") for one in (value if nested else [value])
    ]
    return [ladder for ladder in ladders if ladder]


def with_levels(table: Table, rule: Rule, ladders: Sequence[Sequence[str]], regimen: Regimen, model: Model) -> Rule:
    """Return the rule with its levels as fractions of the arm's planned dose."""
    down = RELEASES[1] in (*rule.then, *rule.later) or any(isinstance(a, Reduce) for a in rule.actions)
    if down and not ladders:
        table.fail(None, f"speaks of a level down but has no levels; add e.g. {FORM}")
    if ladders and not down:
        table.fail("levels", 'nothing goes a level down; write "reduce DRUG", or then = "resume one level down"')
    if not (down and ladders):
        return rule
    held = {a.drug for a in rule.actions if isinstance(a, Hold | Delay | Reduce)}
    if len(held) != 1:
        table.fail("levels", "levels need one drug that the rule holds or reduces")
        return rule
    (drug,) = held
    try:
        names, fractions = _fitting(ladders, drug, regimen, model)
    except (ValueError, SpecError) as error:
        table.fail("levels", str(error))
        return rule
    return dataclasses.replace(rule, levels=fractions, level_names=names)


def _fitting(
    ladders: Sequence[Sequence[str]], drug: str, regimen: Regimen, model: Model
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Return names and fractions of the levels from the planned dose down."""
    events = {(e.amount, e.unit): e for e in regimen.events if e.drug == drug}
    doses = [e.amount * dose_factor(e, model)[0] for e in events.values()]
    ladder: list[tuple[Sequence[str], list[float], int]] = []
    for texts in ladders:
        percent = all(text.strip().endswith("%") for text in texts)
        values = [_percent(text) if percent else _amount(text, drug, model) for text in texts]
        if any(not 0 <= low < high for high, low in pairwise(values)):
            raise ValueError(f"{', '.join(texts)} do not fall from level to level")
        if not percent and len(doses) > 1:
            raise ValueError(f"{drug} is planned at several doses; give the levels in percent of the planned dose")
        planned = 1.0 if percent else doses[0] if doses else values[0]
        near = [i for i, value in enumerate(values) if abs(value - planned) <= 1e-9 * max(value, planned)]
        ladder += [(texts, values, near[0])] if near else []
    if not ladder:
        dose = " ".join(f"{amount:g} {unit}".strip() for amount, unit in events) or "100 %"
        listed = "; ".join(", ".join(texts) for texts in ladders)
        raise ValueError(f"{listed} do not hold the planned dose of {drug}, {dose}; add it")
    texts, values, first = min(ladder, key=lambda one: one[2])
    return tuple(texts[first:]), tuple(value / values[first] for value in values[first:])


def _percent(text: str) -> float:
    try:
        return float(text.strip().removesuffix("%")) / 100.0
    except ValueError:
        raise ValueError(f"{found(text)} is not understood; write e.g. 75 %") from None


def _amount(text: str, drug: str, model: Model) -> float:
    event: DoseEvent = Regimen.parse(f"{drug} {text}").events[0]
    return event.amount * dose_factor(event, model)[0]
