"""Whether a model can be trusted: bounds, stability, correlations and names that must fit together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from myelosim import units
from myelosim.components.contract import Declared, Values
from myelosim.spec import declared
from myelosim.spec.literal import found
from myelosim.spec.model import Model, Parameter

LEAST_FACTOR = 1e-6
MOST_COUNT = {
    "neutrophil": 100.0,
    "platelet": 5000.0,
    "erythroid": 30.0,
}  # 10^9/L and g/dL: more is another unit's number
MOST_CV = 10
MOST_OMEGA = math.sqrt(math.log(1.0 + MOST_CV**2))


def problems(model: Model) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with a model: the name it concerns (may be empty) and a sentence.

    An illustrative model, a benchmark say, claims nothing and may be past a stability limit; its file says so.
    """
    beyond = set()
    for name, asked in declared.of_model(model).items():
        parameter = model.parameters.get(name)
        if parameter is None:
            yield name, f"is missing ({asked.meaning}{_unit(asked.unit, ', ')})"
            continue
        for sentence in _bounds(name, parameter, asked):
            beyond.add(name.rpartition(".")[0])
            yield name, sentence
        yield from ((name, sentence) for sentence in _covariates(parameter, model))
    if not model.illustrative:
        yield from ((name, sentence) for name, sentence in _components(model) if name not in beyond)
    varying = {name for name, one in model.parameters.items() if one.omega_sd > 0}
    yield from _correlation(model, "correlation", model.correlation, varying, "does not vary; give it omega_sd or cv")
    unsure = {name for name, one in model.parameters.items() if one.se > 0}
    yield from _correlation(model, "error_correlation", model.error_correlation, unsure, "has no error; give it se")


def count_limits(lineage: str) -> tuple[float, float]:
    """Return the least and the most that a count of a lineage can be, in its own unit.

    Examples
    --------
    >>> count_limits("neutrophil")
    (1e-06, 100.0)
    """
    least, most = units.limits("g/dL" if lineage == "erythroid" else "10^9/L")
    return least, MOST_COUNT.get(lineage, most)


def value_problem(name: str, value: float, asked: Declared) -> str:
    """Return what is wrong with the value of a parameter, empty if nothing is."""
    unit = _unit(asked.unit)
    lineage, _, last = name.partition(".")
    least, most = count_limits(lineage) if last == "baseline" else units.limits(asked.unit)
    inside = asked.lower <= value <= asked.upper if asked.closed else asked.lower < value < asked.upper
    if not inside or not math.isfinite(value):
        return f"{value:g}{unit} is out of bounds; it must be {_interval(asked)}"
    if not (value in (0.0, asked.default) or least <= abs(value) <= most):
        return f"{value:g}{unit} cannot be meant; it must be between {least:g} and {most:g}{unit}"
    return ""


def factor_problem(covariate: str, value: Any, factor: float) -> str:
    """Return why a covariate cannot be what it is, if it changes a parameter by such a factor."""
    if LEAST_FACTOR <= factor <= 1.0 / LEAST_FACTOR:
        return ""
    return f"is changed by a factor of {factor:g} by {covariate} {found(value)}; it must be above 0 and below 1e+06"


def _bounds(name: str, parameter: Parameter, asked: Declared) -> Iterator[str]:
    value, unit = parameter.value, _unit(parameter.unit)
    low = -math.inf if parameter.floor is None else parameter.floor
    high = math.inf if parameter.ceiling is None else parameter.ceiling
    if sentence := value_problem(name, value, asked):
        yield sentence
    elif parameter.omega_sd > 0 and parameter.scale == "log" and value <= 0:
        yield f"{value:g} cannot vary on the log scale; set omega_sd = 0 or another scale"
    elif parameter.omega_sd > 0 and parameter.scale == "logit" and not 0 < value < 1:
        yield f"{value:g} cannot vary on the logit scale; set omega_sd = 0 or another scale"
    elif parameter.omega_sd > MOST_OMEGA and parameter.scale != "identity":
        yield f"omega_sd {parameter.omega_sd:g} cannot be meant; it must be at most {MOST_OMEGA:.2f} (a cv of {MOST_CV})"
    elif not low <= value <= high:
        yield f"{value:g} is outside its own floor and ceiling, {low:g} to {high:g}{unit}"


def _unit(unit: str, before: str = " ") -> str:
    """Return a unit as a message shows it: not at all for a plain number."""
    return "" if unit == "1" else before + unit


def _interval(asked: Declared) -> str:
    closed, unit = asked.closed, _unit(asked.unit)
    low = f"{'at least' if closed else 'above'} {asked.lower:g}"
    high = f"{'at most' if closed else 'below'} {asked.upper:g}"
    if math.isinf(asked.upper):
        return low + unit
    return f"{low} and {high}{unit}"


def _covariates(parameter: Parameter, model: Model) -> Iterator[str]:
    known = model.subjects.covariates
    for covariate, relation in parameter.covariates.items():
        if covariate not in known:
            has = ", ".join(known) or "none"
            yield f"depends on covariate '{covariate}', which [covariates] does not give; add it there (has: {has})"
            continue
        value = known[covariate]
        if "reference" not in relation:
            if str(value) not in relation:
                yield f"has no factor for {covariate} '{value}'; it has: {', '.join(relation)}"
                continue
            factor = relation[str(value)]
        elif isinstance(value, str):
            yield f"depends on {covariate} as a number, and [covariates] says '{value}'; give a number there"
            continue
        elif "slope" in relation:
            factor = 1.0 + relation["slope"] * (value - relation["reference"])
        else:
            factor = (value / relation["reference"]) ** relation["exponent"] if value > 0 else 0.0
        if sentence := factor_problem(covariate, value, factor):
            yield sentence


def _components(model: Model) -> Iterator[tuple[str, str]]:
    parts: list[tuple[str, Any, Any]] = [
        (lineage.name, declared.KINDS["lineage"][lineage.kind], lineage.structure)
        for lineage in model.lineages.values()
    ]
    parts += [
        (drug.name, declared.KINDS["pk"][drug.kind], drug.structure)
        for drug in model.drugs.values()
        if drug.kind != "table"
    ]
    for name, module, structure in parts:
        if not hasattr(module, "problems"):
            continue
        values = values_of(model.parameters, name)
        asked = [one.name for one in module.parameters(dict(structure))]
        if all(one in values and math.isfinite(values[one]) and values[one] >= 0 for one in asked):
            try:
                sentences = module.problems(Values(**values), dict(structure))
            except (ArithmeticError, np.linalg.LinAlgError):
                sentences = ["its equations cannot be evaluated with these values; one is far too small or too large"]
            for sentence in sentences:
                yield name, sentence


def values_of(parameters: Mapping[str, Parameter], prefix: str) -> dict[str, float]:
    """Return the typical values of one part of a model by short name."""
    start = f"{prefix}."
    own = {name[len(start) :]: one.value for name, one in parameters.items() if name.startswith(start)}
    return {name: value for name, value in own.items() if "." not in name}


def _correlation(
    model: Model, key: str, pairs: Mapping[tuple[str, str], float], able: set[str], why: str
) -> Iterator[tuple[str, str]]:
    names = sorted({name for pair in pairs for name in pair})
    for pair, value in pairs.items():
        where = " and ".join(pair)
        if not -1 < value < 1:
            yield key, f"{value:g} between {where} is out of bounds; it must be between -1 and 1"
        for name in pair:
            if name not in model.parameters:
                yield key, f"between {where}: the model has no parameter '{name}'"
            elif name not in able:
                yield key, f"between {where}: '{name}' {why}"
    if names:
        matrix = np.eye(len(names))
        for (first, second), value in pairs.items():
            i, j = names.index(first), names.index(second)
            matrix[i, j] = matrix[j, i] = value
        if np.linalg.eigvalsh(matrix)[0] <= 1e-10:
            yield key, f"the correlations between {', '.join(names)} cannot hold together; lower some of them"
