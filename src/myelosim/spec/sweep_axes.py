"""The axes of a sweep file, and what a value of one changes in an arm."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from myelosim import units
from myelosim.errors import SpecError
from myelosim.spec.document import Table, is_number, suggestion
from myelosim.spec.literal import found
from myelosim.spec.regimen import Regimen
from myelosim.spec.shorthand import NONE, PER_DAY, ROUTES
from myelosim.spec.sweep import Axis

DOSE_AXES = ("dose", "schedule")
NAMED = ("dose", "schedule", "species", "variant", "gcsf", "rules", "size", "population")
WHO = ("size", "covariates", "start", "set")
MOST_VALUES = 1000

_AMOUNT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(\S+)?(?:\s.*)?")
_SCHEDULE = re.compile(r"(?:once|q\d+[hdw]|d\d.*|x\d+)", re.IGNORECASE)


def read_axes(table: Table) -> dict[Axis, tuple[Any, ...]]:
    """Read ``[axis]``: each axis with its values as written."""
    held = table.table("axis", required=True)
    if held is None:
        return {}
    out: dict[Axis, tuple[Any, ...]] = {}
    for key in held.data:
        if key not in NAMED and "." not in key:
            parameter = ', and parameters in quotes, e.g. "neutrophil.mtt" = ["100 h", "140 h"]'
            held.fail(key, f"'{key}' cannot be varied{suggestion(key, NAMED)}{parameter}")
            continue
        values = held.raw(key)
        if not isinstance(values, list) or not values or len(values) > MOST_VALUES:
            held.fail(
                key,
                f"{found(values)} is no list of values; give 1 to {MOST_VALUES}, e.g. {_EXAMPLE.get(key, '[1, 2]')}",
            )
            continue
        labels = [_label(held, key, value) for value in values]
        twice = {label for label in labels if labels.count(label) > 1}
        if "" not in labels and twice:
            held.fail(key, f"has {found(sorted(twice)[0])} twice; give each value once")
        elif "" not in labels:
            out[Axis(key, tuple(labels), *_numbers(held, key, labels))] = tuple(values)
    if not held.data:
        held.fail(None, f"varies nothing; give e.g. dose = {_EXAMPLE['dose']}")
    return out


_EXAMPLE = {
    "dose": '["50 ug", "75 ug"]', "schedule": '["QD d1-14 q28d x4"]', "species": '["human", "cynomolgus"]',
    "variant": '["healthy", "rrmm"]', "gcsf": '["none", "filgrastim 5 ug/kg sc QD d10-14 q28d x4"]',
    "rules": '["none", ["hold_grade3"]]', "size": "[100, 1000]",
    "population": '[{ name = "light", covariates = { weight = "50 kg" } }]',
}  # fmt: skip


def _label(held: Table, key: str, value: Any) -> str:
    """Return what a value is called; empty, with a finding, where it is none."""
    if key == "rules":
        names = [value] if isinstance(value, str) else value
        if isinstance(names, list) and names and all(isinstance(name, str) and name.strip() for name in names):
            return " + ".join(names)
    elif key == "population":
        if isinstance(value, Mapping) and isinstance(value.get("name"), str) and value["name"].strip():
            odd = [one for one in value if one not in ("name", *WHO)]
            if not odd:
                return str(value["name"])
            held.fail(key, f"unknown key '{odd[0]}'{suggestion(odd[0], ('name', *WHO))}")
            return ""
    elif key == "size":
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    elif isinstance(value, str) and value.strip():
        return " ".join(value.split())
    elif "." in key and is_number(value):
        return f"{value:g}"
    held.fail(key, f"{found(value)} is no value of this axis; write e.g. {key} = {_EXAMPLE.get(key, '[1.5, 2.5]')}")
    return ""


def _numbers(held: Table, key: str, labels: list[str]) -> tuple[tuple[float, ...], str]:
    """Return the values as numbers of one unit, where that is what they are."""
    if key not in ("dose", "size") and "." not in key:
        return (), ""
    parts = [("0", "") if key == "dose" and label == NONE else _split(label) for label in labels]
    unit = next((one for _, one in parts if one), "")
    try:
        if key == "dose":
            measures = {units.split_dose(one)[1] for _, one in parts if one}
            if len(measures) > 1:
                raise ValueError(
                    "doses per subject, per weight and per surface cannot be put in order; give all in one way"
                )
        base = units.split_dose(unit)[0] if key == "dose" and unit else unit
        plain = [units.split_dose(one)[0] if key == "dose" and one else one for _, one in parts]
        values = [
            float(number) * (units.convert(1.0, one, base) if one and one != base else 1.0)
            for (number, _), one in zip(parts, plain, strict=True)
        ]
    except ValueError as error:
        if key == "dose":
            held.fail(key, str(error))
        return (), ""
    return tuple(values), unit


def _split(text: str) -> tuple[str, str]:
    match = _AMOUNT.fullmatch(text)
    if match is None:
        raise ValueError(f'{found(text)} is no amount; write e.g. {_EXAMPLE["dose"]}, or "{NONE}"')
    return match[1], match[2] or ""


def dosed(parts: tuple[str, ...], drug: str, dose: str | None, schedule: str | None) -> list[str]:
    """Put an amount, a schedule or both into the part of an arm's doses that is the drug's.

    Examples
    --------
    >>> dosed(("drug 40 mg over 1 h q21d x2", "filgrastim 5 ug/kg sc QD d5-9"), "drug", "60 mg", "q14d x3")
    ['drug 60 mg over 1 h q14d x3', 'filgrastim 5 ug/kg sc QD d5-9']
    """
    if dose == NONE:
        return [part for part in parts if part.split()[0] != drug] or [NONE]
    return [_put(part, dose, schedule) if part.split()[0] == drug else part for part in parts]


def _put(part: str, dose: str | None, schedule: str | None) -> str:
    words = part.split()
    when = next((i for i, w in enumerate(words) if i and (w.upper() in PER_DAY or _SCHEDULE.fullmatch(w))), len(words))
    how = next((i for i, w in enumerate(words[:when]) if w == "over" or w.lower() in ROUTES), when)
    amount, manner, after = words[1:how], words[how:when], words[when:]
    if dose is not None:
        new = dose.split()
        says = any(w == "over" or w.lower() in ROUTES for w in new)
        amount, manner = new, [] if says else manner
    return " ".join([words[0], *amount, *manner, *(after if schedule is None else schedule.split())])


def parts_of(texts: Any) -> tuple[str, ...]:
    """Return the doses of an arm one by one."""
    listed = [texts] if isinstance(texts, str) else list(texts or [])
    return tuple(
        " ".join(one.split()) for text in listed for one in re.split(r"(?:^|\s)\+(?:\s|$)", text) if one.strip()
    )


def with_gcsf(parts: list[str], given: str, drugs: set[str]) -> list[str]:
    """Put other doses of G-CSF, or none, in the place of an arm's own."""
    rest = [part for part in parts if part.split()[0] not in drugs and part != NONE]
    return [*rest, *(() if given == NONE else parts_of(given))] or [NONE]


def gcsf_drugs(axis: Axis) -> set[str]:
    """Return the drugs that the values of the axis ``gcsf`` dose."""
    names: set[str] = set()
    for value in axis.values:
        try:
            names |= set(Regimen.parse(value).drugs)
        except SpecError:  # the cells say what is wrong with it
            continue
    return names
