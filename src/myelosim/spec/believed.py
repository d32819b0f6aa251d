"""Priors of a fit, and the ranges between which its further starts are drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

from myelosim import units
from myelosim.components.contract import Declared
from myelosim.spec import check, declared
from myelosim.spec.coefficients import Coefficient
from myelosim.spec.document import Findings, Table, closest, is_number
from myelosim.spec.lines import Path
from myelosim.spec.literal import found
from myelosim.spec.model import Model
from myelosim.spec.named import parameter_name
from myelosim.spec.scale import from_scale, on_scale, slope, to_scale

Prior = tuple[float, float]
LITERATURE, ALL = "literature", "all"
WIDE = 0.5 * math.log(10.0)  # half of a tenfold range
INSIDE = 1e-3  # share of the way from the start to a bound that is kept clear of it


def believed(model: Model, free: Collection[str], priors: Any, findings: Findings) -> dict[str, Prior]:
    """Return the priors of estimated parameters: mean and standard deviation on the parameter's scale.

    Parameters
    ----------
    model : Model
        A ``prior`` in its file holds unless another is given.
    free : collection of str
        What is estimated.
    priors : None, "literature", number or mapping
        "literature" turns the value and standard error of every estimated parameter that has one into its prior, a number
        weights these. Or name -> ``{"mean", "sd" or "sd_log", "weight"}``, "literature", a weight, or False for none; ``all``
        says it of every parameter that is not named.
        A weight of 0.25 doubles the standard deviation.
    findings : Findings
        Where to say what is wrong.
    """
    every = {name: prior for name in free if (prior := _own(model, name, se=False)) is not None}
    asked = dict(priors if isinstance(priors, Mapping) else {} if priors is None else {ALL: priors})
    if ALL in asked:
        before = len(findings.messages)
        weight = _weight(asked.pop(ALL), findings, ("priors",))
        told = {name: prior for name in free if (prior := _own(model, name, se=True)) is not None}
        every |= {name: (mean, sd / math.sqrt(weight)) for name, (mean, sd) in told.items()}
        if not told and len(findings.messages) == before:
            findings.add(
                ("priors",),
                "no estimated parameter of the model has a prior or a standard error (se); give each its own, "
                "{ mean = ..., sd_log = ... }",
            )
    for name, said in asked.items():
        path = ("priors", str(name))
        full = parameter_name(model, name, findings, path)
        if full is None:
            continue
        if said is False or said is None:
            every.pop(full, None)
        elif full not in free:
            findings.add(path, "is not estimated, so a prior says nothing; add it to free, or leave the prior out")
        elif (prior := read_prior(model, full, said, findings, path)) is not None:
            every[full] = prior
    return every


def _own(model: Model, name: str, *, se: bool) -> Prior | None:
    """Return what the model itself believes: its ``prior``, or else its value with its standard error."""
    parameter = model.parameters.get(name)
    if parameter is None:
        return None
    if parameter.prior is not None:
        mean = parameter.prior["mean"]
        return float(to_scale(mean, parameter.scale)), _spread(parameter.prior, mean, parameter.scale)
    if se and parameter.se > 0 and on_scale(parameter.value, parameter.scale):
        return float(to_scale(parameter.value, parameter.scale)), parameter.se
    return None


def _spread(prior: Mapping[str, float], mean: float, scale: str) -> float:
    """Return a standard deviation on the scale: ``sd_log`` is there already, ``sd`` is in the parameter's unit."""
    return prior["sd_log"] if "sd_log" in prior else prior["sd"] * slope(mean, scale)


def read_prior(model: Model, name: str, said: Any, findings: Findings, path: Path) -> Prior | None:
    """Read the prior of one parameter; None, with a finding, where it cannot be."""
    if not isinstance(said, Mapping):
        said = {"weight": _weight(said, findings, path)}
    parameter, table = model.parameters[name], Table(said, path, findings)
    before = len(findings.messages)
    weight = table.number("weight", 1.0, low=1e-6, high=1e6)
    if said.keys() <= {"weight"}:
        own = _own(model, name, se=True)
        if own is None:
            findings.add(path, "has neither a prior nor a standard error (se) in the model; give mean and sd_log")
    else:
        drug = model.drugs.get(name.partition(".")[0])
        mean = table.quantity("mean", parameter.unit, parameter.value, molar_mass=drug.molar_mass if drug else None)
        key = "sd" if "sd" in said else "sd_log"
        sd = table.number(key, low=1e-9, high=1e9)
        table.finish(("mean", "sd", "sd_log"))
        if key == "sd_log" and parameter.scale != "log":
            table.fail(key, f"belongs to the log scale, and {name} is on the {parameter.scale} scale; give sd")
        if not on_scale(mean, parameter.scale) and math.isfinite(mean):
            table.fail("mean", f"{mean:g} has no place on the {parameter.scale} scale of {name}")
        if len(findings.messages) > before:
            return None
        own = float(to_scale(mean, parameter.scale)), _spread({key: sd}, mean, parameter.scale)
    if own is None or len(findings.messages) > before:
        return None
    return own[0], own[1] / math.sqrt(weight)


def _weight(said: Any, findings: Findings, path: Path) -> float:
    if said == LITERATURE:
        return 1.0
    if not is_number(said) or not 0 < said < 1e6:
        meant = closest(said, [LITERATURE]) if isinstance(said, str) else ""
        findings.add(path, f"{found(said)} is no prior" + (f"; did you mean '{meant}'?" if meant else
                     '; give "literature", a weight above 0, or { mean = ..., sd_log = ... }'))  # fmt: skip
        return 1.0
    return float(said)


def between(model: Model, name: str, prior: Prior | None) -> tuple[float, float]:
    """Return the values between which further starts of a parameter are drawn.

    Three standard deviations around a prior's mean, else a factor of ten around the start, half of it to each side (of the
    odds on the logit scale); the start is inside, and what the model cannot have, an unstable feedback say, is outside.
    """
    parameter, asked = model.parameters[name], declared.of_model(model)[name]
    start, scale = parameter.value, parameter.scale
    if prior is not None:
        ends = [float(from_scale(prior[0] + k * 3 * prior[1], scale)) for k in (-1, 1)]
    elif scale == "identity":
        ends = [start * 10**-0.5, start * 10**0.5] if start else [-1.0, 1.0]
    else:
        ends = [float(from_scale(to_scale(start, scale) + k * WIDE, scale)) for k in (-1, 1)]
    low, high = min(*ends, start), max(*ends, start)
    least, most = _limits(model, name, asked, scale)
    if math.isfinite(least):
        low = max(low, least + INSIDE * (start - least))
    if math.isfinite(most):
        high = min(high, most - INSIDE * (most - start))
    return _possible(model, name, start, low), _possible(model, name, start, high)


def _limits(model: Model, name: str, asked: Declared, scale: str) -> tuple[float, float]:
    lineage, _, last = name.partition(".")
    least, most = check.count_limits(lineage) if last == "baseline" else units.limits(asked.unit)
    prefix, _, last = name.rpartition(".")
    if last == "emax" and any(one.prefix == prefix and one.action == "inhibit" for one in model.effects):
        most = max(1.0, model.parameters[name].value)  # nothing is inhibited by more than all of it
    return max(asked.lower, -most if scale == "identity" else least), min(asked.upper, most)


def _possible(model: Model, name: str, start: float, end: float) -> float:
    """Return the end of a range, drawn in to where the model with the other values as they are is stable."""
    if model.illustrative or _trusted(model, name, end):
        return end
    return start + 0.99 * (_last(lambda value: _trusted(model, name, value), start, end) - start)


def _trusted(model: Model, name: str, value: float) -> bool:
    part = name.rpartition(".")[0]
    moved = replace(model.parameters[name], value=value)
    changed = replace(model, parameters={**model.parameters, name: moved})
    return all(where not in (name, part) for where, _ in check.problems(changed))


def _last(good: Callable[[float], bool], inside: float, outside: float) -> float:
    """Return a value next to the last that is good on the way from one that is to one that is not."""
    for _ in range(20):
        middle = 0.5 * (inside + outside)
        inside, outside = (middle, outside) if good(middle) else (inside, middle)
    return inside


def between_coefficient(model: Model, coefficient: Coefficient) -> tuple[float, float]:
    """Return the values between which further starts of a coefficient are drawn.

    An exponent moves by one, a slope so that the parameter moves by half at twice the covariate's reference, and the factor
    of a category by a factor of ten in all.
    """
    start = coefficient.value(model)
    if coefficient.category:
        return start * 10**-0.5, start * 10**0.5
    relation = model.parameters[coefficient.parameter].covariates[coefficient.covariate]
    reach = 1.0 if coefficient.key == "exponent" else 0.5 / (abs(relation["reference"]) or 0.5)
    return start - reach, start + reach
