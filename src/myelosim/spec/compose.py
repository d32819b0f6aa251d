"""A model put together from a species file and drug files.

A drug file describes one species, ``base_species`` ("human" if it does not say), and overrides for others. What these leave
out is taken over unscaled, as an assumption that says so::

    format = 1
    kind = "drug"
    [pk]                                    # as [drug.NAME] of a complete model
    [effect.neutrophil]                     # as [effect.NAME.neutrophil]; several: [effect.neutrophil.maturation], ...
    lineage_kind = "maturation_block"       # only where the species' lineage is of that kind
    [species.cynomolgus.pk]                 # key by key over [pk]
    [species.cynomolgus.effect.neutrophil]  # key by key; kind = "none" takes the effect away, another kind replaces it
    [species.mouse]
    sensitivity = 0.05                      # divides every ec50, multiplies every slope
    warnings = ["..."]
    [species.mouse.variant.hcrbn]           # the same again, over the species
    [species.dog]
    refused = "..."                         # unless the caller gives a sensitivity
    [gcsf]                                  # this drug may be asked for as gcsf

A species file has ``default_variant`` and ``[variant.NAME]`` tables. A lineage or residual table of a variant, or of a
drug, replaces the species' one if it says its kind, and overrides it key by key if it does not.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec.assemble import Assembly
from myelosim.spec.document import Table, is_number, names_in, suggestion
from myelosim.spec.literal import found
from myelosim.spec.load import header, read_start
from myelosim.spec.model import Model, Parameter, Subjects
from myelosim.spec.subjects import read_blood, read_covariates, read_limits

_SPECIES_KEYS = (
    "title", "source", "covariates", "blood", "lower_limit", "lineage", "residual", "correlation", "error_correlation",
    "start", "warning",
    "warnings",
)  # fmt: skip
_DRUG_KEYS = (
    "title", "source", "pk", "effect", "lineage", "residual", "correlation", "error_correlation",
    "covariates", "warning", "warnings",
    "illustrative", "sensitivity", "refused",
)  # fmt: skip

SENSITIVITY = (1e-6, 1e6)
POTENCY = ("ec50", "slope")


@dataclasses.dataclass(slots=True)
class Source:
    """One drug file: its layers for the species asked for, from the file itself to the variant."""

    name: str
    root: Table
    layers: list[Table]
    sensitivity: float | None
    species: str
    base: str


def compose(
    drugs: Sequence[tuple[str, Table]],
    species: tuple[str, Table],
    variant: str | None,
    gcsf: str | None,
    sensitivity: float | None,
) -> Model:
    """Return the model of drugs, by name and file, in a species.

    Raises
    ------
    SpecError
        A drug says nothing about the species, or refuses it, or the parts do not fit together.
    """
    name, root = species
    known = _variants(name, root, [table for _, table in drugs])
    variant = variant or root.text("default_variant", "") or ""
    root.known.append("default_variant")
    if variant and variant not in known:
        what = suggestion(variant, known) if known else "; it has none"
        raise SpecError(f"{root.findings.source}: {name} has no variant '{variant}'{what}")
    header(root, "species")
    base = _species_layers(root, variant)
    sources = [_source(drug, table, name, variant, None if drug == gcsf else sensitivity) for drug, table in drugs]
    if gcsf is not None:
        _check_gcsf(next(source for source in sources if source.name == gcsf))
    parts = Assembly()
    every = [*base, *(layer for source in sources for layer in source.layers)]
    _lineages(parts, every)
    for source in sources:
        kinetics = _stack(source.layers, "pk")
        if kinetics is not None:
            parts.add_drug(source.name, kinetics)
            _mark(parts, source, source.name, kinetics, ("molar_mass",))
        else:
            parts.unread([], [source.name])
            if "pk" not in source.root.data:
                source.root.fail(None, "'pk' is missing; give a table [pk] with the drug's kinetics")
        _effects(parts, source)
    _residuals(parts, every)
    for layer in every:
        parts.add_correlation(layer)
    about = _about(name, variant, base, sources, parts)
    for layer in base:
        layer.finish((*_SPECIES_KEYS, "variant"))
    for source in sources:
        for layer in source.layers:
            layer.finish(
                _DRUG_KEYS if layer is not source.root else (*_DRUG_KEYS, "species", "gcsf", "base_species", "name")
            )
    return parts.model(root, tuple(source.root for source in sources), **about)


def _variants(name: str, root: Table, drugs: Sequence[Table]) -> list[str]:
    known = names_in(root.data, "variant")
    for table in drugs:
        known += names_in(table.data, "species", name, "variant")
    return known


def _species_layers(root: Table, variant: str) -> list[Table]:
    held = root.children("variant").get(variant)
    return [root] if held is None else [root, held]


def _source(name: str, root: Table, species: str, variant: str, sensitivity: float | None) -> Source:
    header(root, "drug")
    base = root.text("base_species", "human")
    held = root.children("species")
    if species not in held and species != base:
        what = ", ".join([base, *held])
        raise SpecError(f"{root.findings.source}: {name} says nothing about {species}; it has {what}")
    layers = [root]
    if species in held:
        layers.append(held[species])
        held[species].known.append("variant")
        inner = held[species].children("variant").get(variant)
        if inner is not None:
            layers.append(inner)
    refused = _last(layers, "refused")
    if refused and sensitivity is None:
        raise SpecError(
            f"{root.findings.source}: {name} is refused for {species}: {refused}; say how it responds compared "
            "with the species the numbers are from: --sensitivity 0.5, or sensitivity = 0.5 in Python or a scenario's model"
        )
    factor = _factor(layers) if sensitivity is None else _factor_given(sensitivity)
    return Source(name, root, layers, factor, species, base)


def _last(layers: Sequence[Table], key: str) -> str:
    """Return a text of the topmost layer that has it."""
    return next((layer.text(key) for layer in reversed(layers) if key in layer.data), "")


def _factor(layers: Sequence[Table]) -> float | None:
    for layer in reversed(layers):
        if "sensitivity" in layer.data:
            held = layer.table("sensitivity") if isinstance(layer.data["sensitivity"], Mapping) else None
            low, high = SENSITIVITY
            value = (
                layer.number("sensitivity", low=low, high=high)
                if held is None
                else held.number("value", low=low, high=high)
            )
            if held is not None:
                held.text("evidence", "assumed")
                held.text("source", "")
                held.finish()
            return value
    return None


def _factor_given(value: float) -> float:
    low, high = SENSITIVITY
    if not (is_number(value) and low <= value <= high):
        raise SpecError(f"sensitivity {found(value)} is not a factor; it must be between {low:g} and {high:g}")
    return float(value)


def _check_gcsf(source: Source) -> None:
    if "gcsf" not in source.root.data:
        raise SpecError(f"{source.root.findings.source}: {source.name} is no G-CSF; one has a [gcsf] table")


def _stack(layers: Sequence[Table], key: str) -> Table | None:
    """Return the tables called ``key`` of all layers, laid over each other."""
    held: Table | None = None
    for layer in layers:
        own = layer.table(key)
        if own is not None:
            held = _laid(own, held)
    return held


def _laid(own: Table, base: Table | None) -> Table:
    """Lay a table over another, unless it says a kind of its own: then it stands alone."""
    if base is None or ("kind" in own.data and own.data["kind"] != base.data.get("kind")):
        return own
    return own.over(base)


def _by_name(layers: Sequence[Table], key: str) -> dict[str, Table]:
    """Return the named tables inside ``key`` of all layers, laid over each other name by name."""
    out: dict[str, Table] = {}
    for layer in layers:
        for name, own in layer.children(key).items():
            out[name] = _laid(own, out.get(name))
    return out


def _lineages(parts: Assembly, layers: Sequence[Table]) -> None:
    replaced: dict[str, Table] = {}
    for layer in layers:
        for name, own in layer.children("lineage").items():
            replaced[name] = own if "kind" in own.data else own.over(replaced.get(name))
    for name, table in replaced.items():
        parts.add_lineage(name, table)


def _residuals(parts: Assembly, layers: Sequence[Table]) -> None:
    replaced: dict[str, Table] = {}
    for layer in layers:
        for name, own in layer.children("residual").items():
            replaced[name] = own if "kind" in own.data else own.over(replaced.get(name))
    for name, table in replaced.items():
        parts.add_residual(name, table)


def _effects(parts: Assembly, source: Source) -> None:
    by_lineage: dict[str, dict[str, Table]] = {}
    for layer in source.layers:
        for lineage, own in layer.children("effect").items():
            held = by_lineage.setdefault(lineage, {})
            if _is_single(own, held):
                by_lineage[lineage] = {"": _laid(own, held.get(""))}
                continue
            held.pop("", None)
            for site in list(own.data):
                inner = own.table(site)
                if inner is not None:
                    held[site] = _laid(inner, held.get(site))
    for lineage, sites in by_lineage.items():
        _effects_on(parts, source, lineage, sites)


def _is_single(own: Table, held: dict[str, Table]) -> bool:
    """Tell an effect from a table of effects by site."""
    if "kind" in own.data:
        return True
    return "" in held and not all(isinstance(value, dict) and "kind" in value for value in own.data.values())


def _effects_on(parts: Assembly, source: Source, lineage: str, sites: dict[str, Table]) -> None:
    target = parts.lineages.get(lineage)
    kept: dict[str, Table] = {}
    asked: list[str] = []
    for site, table in sites.items():
        if table.data.get("kind") == "none":
            continue
        only = table.texts("lineage_kind")
        if only and target is not None and target.kind not in only:
            asked += only
        else:
            kept[site] = table
    if asked and not kept and target is not None:
        needed = ", ".join(dict.fromkeys(asked))
        first = next(iter(sites.values()))
        first.fail(
            None, f"{source.name} acts on a {lineage} lineage of kind {needed}, and this one is '{target.kind}'; "
            "choose a variant that has it"
        )  # fmt: skip
    for site, table in kept.items():
        plain = Table(
            {key: value for key, value in table.data.items() if key != "lineage_kind"}, table.path, table.findings,
            table.origins,
        )  # fmt: skip
        parts.add_effect(source.name, lineage, site, plain)
        prefix = ".".join(filter(None, (source.name, lineage, site)))
        potency = () if source.sensitivity in (None, 1.0) else POTENCY
        _mark(parts, source, prefix, plain, potency)
        for name in (f"{prefix}.{key}" for key in potency):
            assert source.sensitivity is not None
            if name in parts.parameters:
                parts.parameters[name] = _sensitive(parts.parameters[name], name, source.sensitivity)


def _mark(parts: Assembly, source: Source, prefix: str, table: Table, but: Sequence[str]) -> None:
    """Say of each parameter that is taken over unscaled from another species that it is."""
    for key in table.data if source.species != source.base else ():
        name, origin = f"{prefix}.{key}", table.origins.get(key, table)
        if name in parts.parameters and key not in but and origin.path[0] != "species":
            held = parts.parameters[name]
            text = f"{source.base} value, unscaled; {held.source}".rstrip("; ")
            parts.parameters[name] = dataclasses.replace(held, evidence="assumed", source=text)


def _sensitive(parameter: Parameter, name: str, factor: float) -> Parameter:
    """Scale a potency to a species."""
    ratio = 1.0 / factor if name.endswith(".ec50") else factor

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * ratio

    prior = parameter.prior
    if prior is not None and parameter.scale != "identity":
        prior = {**prior, "mean": prior["mean"] * ratio}
    source = f"{parameter.source}; times {ratio:g} for a sensitivity of {factor:g}".lstrip("; ")
    return dataclasses.replace(
        parameter, value=parameter.value * ratio, floor=scaled(parameter.floor), ceiling=scaled(parameter.ceiling),
        prior=prior, evidence="assumed" if parameter.evidence == "assumed" else "scaled", source=source,
    )  # fmt: skip


def _about(
    species: str, variant: str, base: Sequence[Table], sources: Sequence[Source], parts: Assembly
) -> dict[str, Any]:
    layers = [*base, *(layer for source in sources for layer in source.layers)]
    covariates: dict[str, float | str] = {}
    for layer in (*(layer for source in sources for layer in source.layers), *base):
        covariates |= read_covariates(layer)
    volume: float | None = None
    draw: float | None = None
    limits: Mapping[str, Mapping[str, Any]] = {}
    normal: dict[str, float] = {}
    start: dict[str, float] = {}
    for layer in base:
        own_volume, own_limits, own_draw = read_blood(layer)
        volume, limits, draw = own_volume or volume, own_limits or limits, own_draw or draw
        normal |= read_limits(layer)
        start |= read_start(layer, parts.lineages)
    warnings = [text for layer in layers for key in ("warning", "warnings") for text in layer.texts(key)]
    names = [source.name for source in sources]
    whom = f"{species} ({variant})" if variant else species
    titles = [source.root.text("title", source.name) or source.name for source in sources]
    origin = [
        text for text in (one.text("source", "") for one in [source.root for source in sources] + list(base)) if text
    ]
    return {
        "name": "_".join([*names, species, *([variant] if variant else [])]),
        "title": f"{' and '.join(titles) if titles else 'No drug'}, {whom}",
        "source": "; ".join(dict.fromkeys(origin)), "warnings": tuple(dict.fromkeys(warnings)),
        "illustrative": any(layer.boolean("illustrative", False) for source in sources for layer in source.layers),
        "subjects": Subjects(species, variant, covariates, volume, limits, normal, draw), "start": start,
    }  # fmt: skip
