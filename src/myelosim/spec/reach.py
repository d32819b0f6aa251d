"""Of which parameters a study's observations speak."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from myelosim.spec import declared
from myelosim.spec.model import Effect, Model, observable
from myelosim.spec.scale import on_scale

COUNTED = ("neutrophil", "leukocyte")  # the lineages that a drug's clearance may depend on


@dataclass(frozen=True)
class Reach:
    """``own`` are the parameters of what is observed: of its lineages, of the effects on them, of drugs whose concentration is.

    ``all`` are those that what is observed depends on at all, the kinetics of unobserved drugs among them.
    """

    own: tuple[str, ...]
    all: frozenset[str]


def reach(model: Model, observed: Collection[str], dosed: Collection[str] | None = None) -> Reach:
    """Return what observations of some observables speak of, where only the drugs ``dosed`` (default all) are given."""
    given = set(model.drugs if dosed is None else dosed)
    effects = [effect for effect in model.effects if effect.drug in given]
    drugs = {name for name in model.drugs if name in observed}
    lineages = {name for name in model.lineages if observable(name) in observed}
    own = _parameters(model, lineages, drugs, effects)
    before = -1
    while before != len(lineages) + len(drugs):
        before = len(lineages) + len(drugs)
        drugs |= {effect.drug for effect in effects if effect.lineage in lineages}
        if any(hasattr(declared.KINDS["pk"].get(model.drugs[name].kind), "rhs") for name in drugs):
            lineages |= {name for name in COUNTED if name in model.lineages}
    return Reach(
        tuple(name for name in model.parameters if name in own), frozenset(_parameters(model, lineages, drugs, effects))
    )


def _parameters(model: Model, lineages: Collection[str], drugs: Collection[str], effects: list[Effect]) -> set[str]:
    """Return the parameters of some lineages, the effects on them, and the kinetics of some drugs."""
    found: set[str] = set()
    for lineage in lineages:
        found.update(declared.of_lineage(model.lineages[lineage]))
    for effect in effects:
        if effect.lineage in lineages:
            found.update(declared.of_effect(effect, model.drugs[effect.drug]))
    for drug in drugs:
        found.update(declared.of_drug(model.drugs[drug]))
    return found


def stuck(model: Model, name: str) -> str:
    """Return why a parameter cannot be moved from its value, empty if it can."""
    parameter, asked = model.parameters[name], declared.of_model(model)[name]
    if not on_scale(parameter.value, parameter.scale):
        return (
            f"{parameter.value:g} has no place on the {parameter.scale} scale, so it cannot be estimated from there; "
            'start it elsewhere, or give it scale = "identity"'
        )
    if asked.closed and parameter.value in (asked.lower, asked.upper):
        return f"{parameter.value:g} is its bound, so it cannot be estimated from there; start it inside"
    return ""
