"""What a fit file says under ``[estimate]``, parameter by parameter."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from myelosim.spec import coefficients
from myelosim.spec.believed import read_prior
from myelosim.spec.check import value_problem
from myelosim.spec.declared import of_model
from myelosim.spec.document import Table
from myelosim.spec.entry import SCALES
from myelosim.spec.etas import check_variance, read_variance
from myelosim.spec.literal import found
from myelosim.spec.model import Model
from myelosim.spec.named import parameter_name

KEYS = ("start", "fixed", "omega", "prior", "scale", "iov", "range")


@dataclass
class Entries:
    """The entries so far: the model on the scales asked for, and the arguments of an estimation."""

    model: Model
    free: list[str] = field(default_factory=list)
    fixed: list[str] = field(default_factory=list)
    starts: dict[str, float] = field(default_factory=dict)
    omega: dict[str, Any] = field(default_factory=dict)
    iov: dict[str, Any] = field(default_factory=dict)
    priors: dict[str, Any] = field(default_factory=dict)
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)


def nested(table: Table, last: Collection[str]) -> list[Table]:
    """Return the tables inside whose names, dots and all, are names of something; ``a.b = {...}`` need not be quoted."""
    out: list[Table] = []
    for key in table.data:
        inner = table.table(key)
        if inner is None:
            continue
        out += [inner] if "." in key or key in last or not inner.data else nested(inner, last)
    return out


def read_entries(table: Table, model: Model) -> Entries:
    """Read ``[estimate]`` and the ``[[correlation]]`` of etas."""
    entries = Entries(model)
    held = table.table("estimate")
    last = {name.rpartition(".")[2] for name in model.parameters}
    seen: set[str] = set()
    for inner in [] if held is None else nested(held, last):
        name = ".".join(map(str, inner.path[1:]))
        if several := coefficients.named(model, name):
            inner.fail(None, f"is the effect of a covariate; say it under [covariate]: {several[0].parameter}")
            continue
        full = parameter_name(model, name, inner.findings, inner.path)
        if full in seen:
            inner.fail(None, f"is {full}, which is there already")
        elif full is not None:
            seen.add(full)
            _entry(inner, full, entries)
    _correlations(table, entries)
    return entries


def _entry(table: Table, name: str, into: Entries) -> None:
    """Read one entry."""
    fixed = table.boolean("fixed", False)
    (into.fixed if fixed else into.free).append(name)
    if "start" in table.data:
        into.starts[name] = _value(table, "start", table.data["start"], name, into.model)
    _scale(table, name, into)
    if "range" in table.data:
        into.ranges[name] = _range(table, name, into)
    for key, variances in (("omega", into.omega), ("iov", into.iov)):
        if key in table.data:
            path = (*table.path, key)
            value, stays = read_variance(table.data[key], table.findings, path)
            check_variance(into.model, name, value, table.findings, path)
            variances[name] = {"variance": value, "fixed": True} if stays else value
    if "prior" in table.data:
        said = table.data["prior"]
        into.priors[name] = said
        if said is not False:
            read_prior(into.model, name, said, table.findings, (*table.path, "prior"))
    for key in ("prior", "range"):
        if fixed and key in table.data:
            table.fail(key, f"says nothing of a parameter that is fixed; leave out fixed, or {key}")
    table.finish(KEYS)


def _value(table: Table, key: str, said: Any, name: str, model: Model) -> float:
    """Return a quantity that a parameter can be; nan, with a finding, if it is none."""
    unit, drug = model.parameters[name].unit, model.drugs.get(name.partition(".")[0])
    one = Table({key: said}, table.path, table.findings)
    value = one.quantity(key, unit, molar_mass=drug.molar_mass if drug else None)
    if math.isfinite(value) and (sentence := value_problem(name, value, of_model(model)[name])):
        table.fail(key, sentence)
    return value


def _range(table: Table, name: str, into: Entries) -> tuple[float, float]:
    said = table.data["range"]
    if not isinstance(said, list) or len(said) != 2:
        table.fail("range", f'{found(said)} is not a lowest and a highest value; write e.g. ["50 h", "200 h"]')
        return math.nan, math.nan
    low, high = (_value(table, "range", one, name, into.model) for one in said)
    start = into.starts.get(name, into.model.parameters[name].value)
    if not low < high:
        table.fail("range", f"{low:g} is not below {high:g}")
    elif not low <= start <= high:
        table.fail("range", f"{low:g} to {high:g} is without the start, {start:g}")
    return low, high


def _scale(table: Table, name: str, into: Entries) -> None:
    """Put a parameter on another scale; what its file says on the old one cannot stay."""
    old = into.model.parameters[name]
    scale = table.text("scale", old.scale, allowed=SCALES)
    if scale not in SCALES or scale == old.scale:
        return
    value = into.starts.get(name, old.value)
    if (scale == "log" and value <= 0) or (scale == "logit" and not 0 < value < 1):
        table.fail("scale", f"{value:g} has no place on the {scale} scale")
        return
    if old.prior is not None and "prior" not in table.data:
        table.fail("scale", f"the model's prior is meant on the {old.scale} scale; give prior here, or prior = false")
    if old.omega_sd > 0 and "omega" not in table.data:
        table.fail("scale", f"the model's variability is on the {old.scale} scale; give omega on this one")
    changed = replace(old, scale=scale, omega_sd=0.0, se=0.0, prior=None)
    model, pairs = into.model, ("correlation", "error_correlation")
    kept: dict[str, Any] = {
        key: {pair: value for pair, value in getattr(model, key).items() if name not in pair} for key in pairs
    }
    into.model = replace(model, parameters={**model.parameters, name: changed}, **kept)


def _correlations(table: Table, into: Entries) -> None:
    """Read correlations of etas, and add their covariances to the variances."""
    for one in table.tables("correlation"):
        between, value = one.texts("between"), one.number("value", low=-0.999, high=0.999)
        one.finish()
        names = [parameter_name(into.model, name, one.findings, (*one.path, "between")) for name in between]
        if len(between) != 2 or len(set(names)) != 2:
            one.fail("between", 'needs two different parameters, e.g. ["neutrophil.baseline", "platelet.baseline"]')
        elif missing := [name for name in names if name and name not in into.omega]:
            one.fail("between", f"{' and '.join(missing)} has no omega under [estimate]; give it there")
        elif all(names) and math.isfinite(value):
            first, second = (str(name) for name in names)
            sd = [math.sqrt(_variance(into.omega[name], name)) for name in (first, second)]
            own = into.omega[first]
            row = dict(own) if isinstance(own, Mapping) and first in own else {first: own}
            into.omega[first] = {**row, second: value * sd[0] * sd[1]}


def _variance(entry: Any, name: str) -> float:
    while isinstance(entry, Mapping):
        entry = entry[name] if name in entry else entry["variance"]
    return float(entry) if entry > 0 else math.nan
