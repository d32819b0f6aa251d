"""Change parameter values of a model, by full or short name."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from myelosim import units
from myelosim.errors import SpecError
from myelosim.spec import check
from myelosim.spec.document import SYNONYMS, closest, is_number, suggestion
from myelosim.spec.entry import EVIDENCE, SCALES
from myelosim.spec.literal import found
from myelosim.spec.model import Model, Parameter

_FIELDS = {field.name for field in dataclasses.fields(Parameter)}


def full_name(model: Model, name: str) -> str:
    """Return the full name of a parameter given by its full name or a short one.

    ``docetaxel.ec50`` is short for ``docetaxel.neutrophil.ec50`` where no other parameter of docetaxel is so called.

    Raises
    ------
    SpecError
        No parameter, or several, can be meant.
    """
    if name in model.parameters:
        return name
    first, _, last = name.partition(".")
    matches = [full for full in model.parameters if full.startswith(f"{first}.") and full.endswith(f".{last}") and last]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise SpecError(f"model {model.name}: '{name}' may be any of {', '.join(matches)}; give the full name")
    raise SpecError(f"model {model.name}: no parameter '{name}'{_meant(model, name)}")


def _meant(model: Model, name: str) -> str:
    """Return what an unknown name may stand for: a parameter of the part that it speaks of, else of any."""
    part, _, last = name.rpartition(".")
    while part:
        own = {full[len(part) + 1 :]: full for full in model.parameters if full.startswith(f"{part}.")}
        if own:
            close = closest(last, own)
            return (f"; did you mean '{own[close]}'?" if close else ";") + f" {part} has {', '.join(own.values())}"
        part, _, before = part.rpartition(".")
        last = f"{before}.{last}"
    first = name.partition(".")[0]
    return suggestion(first, model.lineages) if first in SYNONYMS else suggestion(name, model.parameters)


def replaced(model: Model, values: Mapping[str, Any], *, evidence: str, source: str) -> Model:
    """Return the model with other parameter values; see :meth:`Model.replace`."""
    if evidence not in EVIDENCE:
        raise SpecError(f"evidence '{evidence}' is not known{suggestion(evidence, EVIDENCE)}")
    parameters = dict(model.parameters)
    wrong, changed = [], set()
    for name, value in values.items():
        try:
            full = full_name(model, name)
            if full in changed:
                raise SpecError(f"model {model.name}: {full} is given twice, the second time as '{name}'")
            changed.add(full)
            parameters[full] = _changed(model, full, value, evidence, source)
        except SpecError as error:
            wrong.append(str(error))
    new = dataclasses.replace(model, parameters=parameters)
    if not wrong:
        wrong = [f"model {model.name}: {name}: {sentence}" for name, sentence in check.problems(new)]
    if wrong:
        raise SpecError("\n".join(wrong))
    return new


def _changed(model: Model, name: str, value: Any, evidence: str, source: str) -> Parameter:
    old = model.parameters[name]
    if isinstance(value, Parameter):
        value = {field: getattr(value, field) for field in _FIELDS}
    if not isinstance(value, Mapping):
        value = {"value": value}
    fields = dict(value)
    for key in fields:
        if key not in _FIELDS:
            raise SpecError(f"model {model.name}: {name}: unknown field '{key}'{suggestion(key, _FIELDS)}")
    unit = fields.pop("unit", old.unit)
    if "value" in fields:
        number = _number(model, name, fields["value"], str(unit), old.unit)
        fields["value"] = number
        if number != old.value:
            fields.setdefault("evidence", evidence)
            fields.setdefault("source", source)
    _sensible(f"model {model.name}: {name}", fields)
    return dataclasses.replace(old, **fields)


def _sensible(where: str, fields: Mapping[str, Any]) -> None:
    """Refuse fields of a parameter that cannot be."""
    for key, allowed in {"scale": SCALES, "evidence": EVIDENCE}.items():
        if key in fields and fields[key] not in allowed:
            raise SpecError(f"{where}: {key} {found(fields[key])} is not known{suggestion(str(fields[key]), allowed)}")
    for key in ("omega_sd", "occasion_sd"):
        sd = fields.get(key, 0.0)
        if not (is_number(sd) and 0 <= sd < math.inf):
            raise SpecError(f"{where}: {key} {found(sd)} is not a standard deviation; it must be 0 or more")
    for key in ("floor", "ceiling"):
        bound = fields.get(key)
        if bound is not None and not is_number(bound):
            raise SpecError(f"{where}: {key} {found(bound)} is not a number in the parameter's unit")


def _number(model: Model, name: str, value: Any, unit: str, own: str) -> float:
    drug = model.drugs.get(name.partition(".")[0])
    molar_mass = drug.molar_mass if drug else None
    try:
        if isinstance(value, str):
            return units.parse(value, own, molar_mass)
        if isinstance(value, bool) or value is None or isinstance(value, Mapping | list):
            raise TypeError(f"{found(value)} is not a number")
        number = units.convert(float(value), unit, own, molar_mass)
    except (TypeError, ValueError, OverflowError) as error:
        raise SpecError(f"model {model.name}: {name}: {error}") from None
    if not math.isfinite(number):
        raise SpecError(f"model {model.name}: {name}: {found(value)} is not a finite number")
    return number
