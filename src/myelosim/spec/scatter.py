"""Residual errors of what is observed: which kind, its terms, and which of them a fit estimates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from myelosim import units
from myelosim.components.contract import Declared
from myelosim.spec.declared import KINDS
from myelosim.spec.document import Findings, is_number, suggestion
from myelosim.spec.estimation import Sigma
from myelosim.spec.lines import Path
from myelosim.spec.literal import found
from myelosim.spec.model import Model, Residual
from myelosim.spec.scale import on_scale

RESIDUALS = KINDS["residual"]


def scatter(
    model: Model,
    observed: Sequence[str],
    sigma: Mapping[str, Any] | None,
    kinds: Mapping[str, str] | None,
    findings: Findings,
) -> tuple[dict[str, Residual], tuple[Sigma, ...]]:
    """Return the residual error of each observable, and its terms.

    ``sigma`` maps ``<observable>.<term>`` to a standard deviation, or to ``{"start": ..., "fixed": True}``; the terms tell
    the kind, unless ``kinds`` (observable -> kind) does. What neither says, the model's ``[residual]`` does.
    """
    said = _by_observable(observed, sigma or {}, findings)
    for name in kinds or {}:
        if name not in observed:
            findings.add(("residual", name), f"is not observed{suggestion(name, observed)}")
    residual: dict[str, Residual] = {}
    sigmas: list[Sigma] = []
    for name in observed:
        own, terms = model.residual.get(name), said.get(name, {})
        kind = _kind(name, own, terms, (kinds or {}).get(name), findings)
        if not kind:
            continue
        values: dict[str, float] = {}
        for term in RESIDUALS[kind].TERMS:
            one = _term(model, name, term, terms, own if own is not None and own.kind == kind else None, findings)
            if one is not None:
                values[term.name] = one.start
                sigmas.append(one)
        residual[name] = Residual(kind, values)
    return residual, tuple(sigmas)


def _by_observable(observed: Sequence[str], sigma: Mapping[str, Any], findings: Findings) -> dict[str, dict[str, Any]]:
    out: dict[str, dict[str, Any]] = {}
    for name, value in sigma.items():
        first, _, term = str(name).rpartition(".")
        if not first:
            findings.add(("sigma", str(name)), "is not <observable>.<term>; write e.g. 'neutrophil.proportional'")
        elif first not in observed:
            findings.add(("sigma", name), f"'{first}' is not observed{suggestion(first, observed)}")
        else:
            out.setdefault(first, {})[term] = value
    return out


def _kind(name: str, own: Residual | None, terms: Mapping[str, Any], asked: str | None, findings: Findings) -> str:
    """Return the kind of error that has these terms: the one asked for, the model's own, or the simplest."""
    path = ("residual" if asked is not None else "sigma", name)
    if asked is not None and asked not in RESIDUALS:
        findings.add(path, f"{found(asked)} is not known{suggestion(str(asked), RESIDUALS)}")
        return ""
    if not terms and asked is None:
        if own is None:
            findings.add(
                path, f"the model says nothing of how {name} scatters around it; give sigma, e.g. {name}.proportional = 0.2 or "
                f"{name}.log_sd = 0.2; in a fit file [residual] {name} = {{ proportional = 0.2 }}",
            )  # fmt: skip
        return "" if own is None else own.kind
    every = {kind: {term.name: term for term in module.TERMS} for kind, module in RESIDUALS.items()}
    able = [
        kind
        for kind, known in every.items()
        if terms.keys() <= known.keys()
        and all(term in terms or one.default is not None or _has(own, kind, term) for term, one in known.items())
    ]
    if asked is not None:
        if asked in able:
            return asked
        findings.add(path, f"a {asked} error has the terms {', '.join(every[asked])}; give each in sigma")
        return ""
    if own is not None and own.kind in able:
        exact = set(terms) == {term for term, one in every[own.kind].items() if not one.setting}
        if exact or not any(set(terms) == set(every[kind]) for kind in able):
            return own.kind
    if able:
        return min(able, key=lambda kind: len(every[kind]))
    listing = "; ".join(f"{kind}: {', '.join(known)}" for kind, known in every.items())
    findings.add(path, f"no error has just the terms {', '.join(terms)}; there are {listing}")
    return ""


def _has(own: Residual | None, kind: str, term: str) -> bool:
    return own is not None and own.kind == kind and term in own.sigma


def _term(
    model: Model, name: str, asked: Declared, terms: Mapping[str, Any], own: Residual | None, findings: Findings
) -> Sigma | None:
    """Return one term: as it is said, as the model has it, or as the component does."""
    full, usual = f"{name}.{asked.name}", asked.default if own is None else own.sigma.get(asked.name, asked.default)
    path: Path = ("sigma", full)
    value = terms.get(asked.name, usual)
    said = value if isinstance(value, Mapping) else {"start": value}
    start: Any = said.get("start", usual)
    fixed = said.get("fixed", False)
    unit = asked.unit.replace("{observation}", observed_unit(model, name))
    if isinstance(start, str):
        try:
            start = units.parse(start, unit)
        except ValueError as error:
            findings.add(path, str(error))
            return None
    if isinstance(start, np.generic):
        start = start.item()
    if not set(said) <= {"start", "fixed"} or not isinstance(fixed, bool) or not is_number(start):
        findings.add(path, f"{found(value)} is not a number; give {asked.meaning}, or {{ start = 0.2, fixed = true }}")
        return None
    low, high = asked.lower, min(asked.upper, 1e6)
    if not math.isfinite(start) or not (low <= start <= high if asked.closed else low < start <= high):
        findings.add(path, f"{start:g} is out of bounds; it must be {'at least' if asked.closed else 'above'} {low:g} "
                     f"and at most {high:g}")  # fmt: skip
        return None
    free = not fixed and not asked.setting and on_scale(start, asked.scale)
    return Sigma(full, float(start), asked.scale, free)


def observed_unit(model: Model, name: str) -> str:
    """Return the unit of an observable: of its count, or of its concentration."""
    if name in model.drugs:
        return model.drugs[name].concentration_unit
    return "g/dL" if name == "hemoglobin" else "10^9/L"
