"""Which parameters a model must have, by full name, asked of its components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any

from myelosim.components import delays, effects, lineages, pk, residuals
from myelosim.components.contract import Declared

if TYPE_CHECKING:
    from myelosim.spec.model import Drug, Effect, Lineage, Model

KINDS: Mapping[str, Mapping[str, ModuleType]] = {
    "pk": pk.KINDS,
    "lineage": lineages.KINDS,
    "effect": effects.KINDS,
    "delay": delays.KINDS,
    "residual": residuals.KINDS,
}


def of_drug(drug: Drug) -> dict[str, Declared]:
    """Return a drug's kinetic parameters by full name, units filled in."""
    if drug.kind == "table":
        return {}
    module = KINDS["pk"][drug.kind]
    return _named(drug.name, module.parameters(dict(drug.structure)), drug.amount_unit, drug.concentration_unit)


def of_lineage(lineage: Lineage) -> dict[str, Declared]:
    """Return a lineage's parameters by full name."""
    return _named(lineage.name, KINDS["lineage"][lineage.kind].parameters(dict(lineage.structure)), "", "")


def of_effect(effect: Effect, drug: Drug) -> dict[str, Declared]:
    """Return the parameters of an effect and its delay by full name, units filled in."""
    unit = drug.concentration_unit if effect.driver == "concentration" else "1"
    modules = [KINDS["effect"][effect.kind]]
    if effect.delay != "direct":
        modules.append(KINDS["delay"][effect.delay])
    asked = [one for module in modules for one in effect_parameters(module, effect.structure)]
    return _named(effect.prefix, tuple(asked), drug.amount_unit, unit)


def effect_parameters(module: ModuleType, structure: Mapping[str, Any]) -> tuple[Declared, ...]:
    """Return what an effect or delay component asks for."""
    if hasattr(module, "parameters"):
        return tuple(module.parameters(dict(structure)))
    return tuple(module.PARAMETERS)


def of_model(model: Model) -> dict[str, Declared]:
    """Return every parameter of a model by full name."""
    asked: dict[str, Declared] = {}
    for drug in model.drugs.values():
        asked |= of_drug(drug)
    for lineage in model.lineages.values():
        asked |= of_lineage(lineage)
    for effect in model.effects:
        asked |= of_effect(effect, model.drugs[effect.drug])
    return asked


def _named(prefix: str, asked: tuple[Declared, ...], amount: str, concentration: str) -> dict[str, Declared]:
    fill = {"{amount}": amount, "{concentration}": concentration}
    out = {}
    for one in asked:
        unit = one.unit
        for place, value in fill.items():
            unit = unit.replace(place, value)
        out[f"{prefix}.{one.name}"] = replace(one, unit=_tidy(unit))
    return out


def _tidy(unit: str) -> str:
    """Write ``1/(1)`` as ``1``."""
    return "1" if unit == "1/(1)" else unit
