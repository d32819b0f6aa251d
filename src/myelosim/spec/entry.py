"""One parameter of a model file: value, unit, variability, evidence and source."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from myelosim import units
from myelosim.components.contract import Declared
from myelosim.spec.check import MOST_CV
from myelosim.spec.document import Table
from myelosim.spec.literal import found
from myelosim.spec.model import Parameter

EVIDENCE = ("published", "transcribed", "scaled", "assumed", "fitted", "default")
SCALES = ("log", "logit", "identity")
COVARIATE_UNITS = {"weight": "kg", "surface": "m2"}

_SHAPE = '{ value = ..., unit = "...", evidence = "...", source = "..." }'


def read_parameter(holder: Table, key: str, asked: Declared, molar_mass: float | None = None) -> Parameter | None:
    """Read the parameter at ``key``, in the unit its component asks for.

    Returns None where it is missing and has no default, or cannot be read; the holder's findings say why.
    """
    if key not in holder.data:
        holder.known.append(key)
        if asked.default is None:
            about = asked.meaning if asked.unit == "1" else f"{asked.meaning}, {asked.unit}"
            holder.fail(None, f"'{key}' ({about}) is missing; give {key} = {_SHAPE}")
            return None
        return Parameter(
            asked.default, asked.unit, asked.meaning, scale=asked.scale, evidence="default", source="component default"
        )
    value = holder.raw(key)
    if not isinstance(value, Mapping):
        holder.fail(key, f"{found(value)} is not a parameter; write {key} = {_SHAPE}")
        return None
    table = holder.table(key)
    assert table is not None
    return _read(table, asked, molar_mass)


def _read(table: Table, asked: Declared, molar_mass: float | None) -> Parameter | None:
    before = len(table.findings.messages)
    value = table.number("value")
    unit = _unit(table, asked, molar_mass)

    def converted(number: float | None) -> float | None:
        return None if number is None else units.convert(number, unit, asked.unit, molar_mass)

    scale = table.text("scale", asked.scale, allowed=SCALES)
    omega_sd = _omega(table, scale)
    if scale == "identity" and omega_sd and unit != asked.unit:
        omega_sd = abs(units.convert(omega_sd, unit, asked.unit, molar_mass))
    evidence, source = _evidence(table)
    meaning = table.text("meaning", asked.meaning)
    floor, ceiling = _bound(table, "floor", unit), _bound(table, "ceiling", unit)
    clip = table.boolean("clip", False)
    covariates = _covariates(table)
    estimate = table.boolean("estimate", True)
    prior = _prior(table, asked.unit, molar_mass)
    se, occasion_sd = (_error(table, key, scale, unit, asked.unit, molar_mass) for key in ("se", "occasion_sd"))
    table.finish()
    if len(table.findings.messages) > before:
        return None
    canonical = converted(value)
    assert canonical is not None
    if evidence == "default" and canonical != asked.default:
        own = "it has none" if asked.default is None else f"{asked.default:g}"
        table.fail(
            "evidence", f'"default" is for the value that the component itself has ({own}); say what this one rests on'
        )
        return None
    return Parameter(
        value=canonical, unit=asked.unit, meaning=meaning, omega_sd=omega_sd, scale=scale, evidence=evidence,
        source=source, floor=converted(floor), ceiling=converted(ceiling), clip=clip, covariates=covariates,
        estimate=estimate, prior=prior, se=se, occasion_sd=occasion_sd,
    )  # fmt: skip


def _unit(table: Table, asked: Declared, molar_mass: float | None) -> str:
    if "unit" not in table.data and asked.unit != "1":
        table.known.append("unit")
        table.fail(None, f'has no unit; add unit = "{asked.unit}"')
        return asked.unit
    unit = table.text("unit", "1")
    try:
        units.convert(1.0, unit, asked.unit, molar_mass)
    except ValueError as error:
        table.fail("unit", str(error))
        return asked.unit
    return unit


def _omega(table: Table, scale: str) -> float:
    omega_sd, cv = table.number("omega_sd", 0.0, low=0.0), table.number("cv", 0.0, low=0.0, high=MOST_CV)
    if "cv" not in table.data:
        return omega_sd
    if "omega_sd" in table.data:
        table.fail("cv", "both 'cv' and 'omega_sd' are given; give one")
    if scale != "log":
        table.fail("cv", f'a cv belongs to scale "log", not "{scale}"; give omega_sd on that scale')
    return math.sqrt(math.log(1.0 + cv * cv))


def _error(table: Table, key: str, scale: str, unit: str, own: str, molar_mass: float | None) -> float:
    """Read a standard deviation on a parameter's scale; on the identity scale it is in the parameter's unit."""
    value = table.number(key, 0.0, low=0.0, high=math.inf if scale == "identity" else MOST_CV)
    return abs(units.convert(value, unit, own, molar_mass)) if scale == "identity" and unit != own else value


def _evidence(table: Table) -> tuple[str, str]:
    evidence = table.text("evidence", allowed=EVIDENCE)
    source = table.text("source", "")
    if evidence in EVIDENCE and evidence != "assumed" and not str(table.data.get("source", "")).strip():
        table.fail(None, f'evidence "{evidence}" needs a source; say where the number is from, or call it "assumed"')
    return evidence, source


def _bound(table: Table, key: str, unit: str) -> float | None:
    table.known.append(key)
    return table.quantity(key, unit) if key in table.data else None


def _covariates(table: Table) -> dict[str, dict[str, float]]:
    out = {}
    for name, entry in table.children("covariates").items():
        unit = COVARIATE_UNITS.get(name, "1")
        if "exponent" in entry.data or "slope" in entry.data or "reference" in entry.data:
            form = "slope" if "slope" in entry.data else "exponent"
            low = -math.inf if form == "slope" else 1e-9
            most = math.inf if form == "slope" else 10.0
            reference = entry.quantity("reference", unit, low=low, high=1e9)
            read = {"reference": reference, form: entry.number(form, low=-most, high=most)}
            entry.finish()
        else:
            read = {category: entry.number(category, low=0.0) for category in entry.data}
            if not read:
                entry.fail(None, "is empty; give reference and exponent, reference and slope, or a factor per category")
        out[name] = read
    return out


def _prior(table: Table, unit: str, molar_mass: float | None) -> dict[str, float] | None:
    prior = table.table("prior")
    if prior is None:
        return None
    spread = "sd" if "sd" in prior.data else "sd_log"
    out = {"mean": prior.quantity("mean", unit, molar_mass=molar_mass), spread: prior.number(spread, low=0.0)}
    prior.finish()
    return out


def written(parameter: Parameter, meaning: str) -> dict[str, Any]:
    """Return a parameter as the table of a model file; ``meaning`` is the component's own, left out where equal."""
    table: dict[str, Any] = {"value": parameter.value}
    if parameter.unit != "1":
        table["unit"] = parameter.unit
    optional: dict[str, tuple[Any, Any]] = {
        "omega_sd": (parameter.omega_sd, 0.0), "floor": (parameter.floor, None), "ceiling": (parameter.ceiling, None),
        "clip": (parameter.clip, False), "estimate": (parameter.estimate, True), "prior": (parameter.prior, None),
        "covariates": (parameter.covariates, {}), "se": (parameter.se, 0.0),
        "occasion_sd": (parameter.occasion_sd, 0.0),
    }  # fmt: skip
    table |= {key: value for key, (value, usual) in optional.items() if value != usual}
    table |= {"scale": parameter.scale, "evidence": parameter.evidence}
    if parameter.source:
        table["source"] = parameter.source
    if parameter.meaning != meaning:
        table["meaning"] = parameter.meaning
    return table
