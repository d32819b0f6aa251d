"""Which parts of a model are integrated together, and what they compute.

A block holds the lineages and ODE drugs that read each other's states; drugs with exact modes and tabulated drugs only feed
it. The equations are those of the components, called here with whatever numbers are given: traced nodes when a
program is built, arrays over subjects when its inputs are prepared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from myelosim.components import delays, effects, lineages, pk
from myelosim.components.contract import Values
from myelosim.spec.model import Drug, Effect, Model
from myelosim.units import convert

TABLE = "table"


@dataclass(frozen=True)
class Part:
    """A component with states: where they are in the block, and what its parameters are called."""

    name: str
    module: ModuleType
    structure: Mapping[str, Any]
    prefix: str
    first: int
    labels: tuple[str, ...]
    carried: tuple[bool, ...]

    def of(self, y: Sequence[Any]) -> tuple[Any, ...]:
        """Return this part's states."""
        return tuple(y[self.first : self.first + len(self.labels)])


@dataclass(frozen=True)
class Block:
    """Lineages and drugs integrated together."""

    lineages: tuple[Part, ...]
    drugs: tuple[Part, ...]  # ODE drugs
    delays: tuple[Part, ...]  # effects and delays with states
    effects: tuple[Effect, ...]
    exposures: tuple[Drug, ...]  # drugs given by modes or tables
    combine: Mapping[str, str]
    per_amount: Mapping[str, float]  # ODE drug -> its concentration unit over amount per liter

    @property
    def name(self) -> str:
        """What the block is called in files and messages."""
        return "_".join(part.name for part in (*self.lineages, *self.drugs)) or "exposure"

    @property
    def key(self) -> str:
        """A text that is the same for blocks of the same structure."""
        parts = [(p.name, p.module.__name__, dict(p.structure), p.prefix, p.first) for p in self.parts]
        drugs = [(d.name, d.kind, dict(d.structure)) for d in self.exposures]
        return repr((parts, self.effects, drugs, dict(self.combine), dict(self.per_amount)))

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts with states, in order."""
        return (*self.lineages, *self.drugs, *self.delays)

    @property
    def states(self) -> int:
        """Number of states; a block without parts has the area under each exposure."""
        return sum(len(part.labels) for part in self.parts) if self.parts else len(self.exposures)

    @property
    def stiff(self) -> bool:
        """Whether the implicit stepper takes this block."""
        return any(getattr(part.module, "STIFF", False) for part in self.parts)

    @property
    def inputs(self) -> tuple[tuple[str, str, int], ...]:
        """Drug, channel and state of every way into an ODE drug."""
        return tuple(
            (part.name, channel, part.first + state)
            for part in self.drugs
            for channel, state in part.module.entry(part.structure).items()
        )

    @property
    def outputs(self) -> tuple[tuple[str, str], ...]:
        """Owner and name of each output: the counts first, then other lineage outputs, then drug concentrations."""
        names = [(part.name, part.module.outputs(part.structure)) for part in self.lineages]
        counts = [(owner, outputs[0][0]) for owner, outputs in names]
        others = [(owner, name) for owner, outputs in names for name, _ in outputs[1:]]
        if not self.parts:
            return tuple((d.name, name) for name in ("concentration", "area") for d in self.exposures)
        return (*counts, *others, *((part.name, "concentration") for part in self.drugs))


def blocks(model: Model) -> tuple[Block, ...]:
    """Divide a model into blocks that do not read each other's states."""
    groups: list[set[str]] = [{f"lineage {name}"} for name in model.lineages]
    ode = [
        name for name, drug in model.drugs.items() if drug.kind != TABLE and not hasattr(pk.KINDS[drug.kind], "modes")
    ]
    groups += [{f"drug {name}"} for name in ode]
    links = [(f"drug {e.drug}", f"lineage {e.lineage}") for e in model.effects if e.drug in ode]
    links += [(f"drug {name}", "lineage neutrophil") for name in ode if "neutrophil" in model.lineages]
    for a, b in links:
        first = next(g for g in groups if a in g)
        second = next(g for g in groups if b in g)
        if first is not second:
            groups.remove(second)
            first |= second
    fed = tuple(drug for name, drug in model.drugs.items() if name not in ode)
    alone = (Block((), (), (), (), fed, {}, {}),) if fed else ()
    return (*(_block(model, group, ode) for group in groups), *alone)


def _block(model: Model, group: set[str], ode: Sequence[str]) -> Block:
    cells = [lineage for name, lineage in model.lineages.items() if f"lineage {name}" in group]
    used = tuple(e for e in model.effects if e.lineage in {c.name for c in cells})
    first = 0
    parts: dict[str, list[Part]] = {"lineages": [], "drugs": [], "delays": []}

    def add(kind: str, name: str, module: ModuleType, structure: Mapping[str, Any], prefix: str, states: Any) -> None:
        nonlocal first
        labels, carried = tuple(s.name for s in states), tuple(s.carried for s in states)
        parts[kind].append(Part(name, module, structure, prefix, first, labels, carried))
        first += len(labels)

    for cell in cells:
        module = lineages.KINDS[cell.kind]
        add("lineages", cell.name, module, cell.structure, cell.name, module.states(cell.structure))
    for name in ode:
        if f"drug {name}" in group:
            drug = model.drugs[name]
            own = pk.KINDS[drug.kind]
            add("drugs", name, own, drug.structure, name, own.states(drug.structure))
    for effect in used:
        stateful = _stateful(effect)
        if stateful is not None:
            add("delays", effect.prefix, stateful, {}, effect.prefix, stateful.states())
    exposures = tuple(model.drugs[name] for name in dict.fromkeys(e.drug for e in used) if name not in ode)
    combine = {cell.name: cell.combine for cell in cells}
    per_amount = {part.name: concentration_per_amount(model.drugs[part.name]) for part in parts["drugs"]}
    return Block(
        tuple(parts["lineages"]), tuple(parts["drugs"]), tuple(parts["delays"]), used, exposures, combine, per_amount
    )


def _stateful(effect: Effect) -> ModuleType | None:
    kind = effects.KINDS[effect.kind]
    if hasattr(kind, "states"):
        return kind
    delay = delays.KINDS[effect.delay]
    return delay if delay.states() else None


def declared(block: Block) -> tuple[str, ...]:
    """Return the full names of the parameters the block's equations read, each once."""
    names: dict[str, None] = {}
    for part in (*block.lineages, *block.drugs):
        names.update({f"{part.prefix}.{d.name}": None for d in part.module.parameters(part.structure)})
    for effect in block.effects:
        names.update({f"{effect.prefix}.{d.name}": None for d in effect_parameters(effect)})
    return tuple(names)


def effect_parameters(effect: Effect) -> tuple[Any, ...]:
    """Return what an effect and its delay ask for."""
    kind = effects.KINDS[effect.kind]
    own = () if hasattr(kind, "states") else tuple(delays.KINDS[effect.delay].PARAMETERS)
    return (*kind.PARAMETERS, *own)


def values(prefix: str, names: Sequence[str], p: Mapping[str, Any]) -> Values:
    """Return the parameters of one component, by their last names."""
    return Values(**{name: p[f"{prefix}.{name}"] for name in names})


def part_values(part: Part, p: Mapping[str, Any]) -> Values:
    """Return the parameters of a lineage or ODE drug."""
    return values(part.prefix, [d.name for d in part.module.parameters(part.structure)], p)


def start(block: Block, p: Mapping[str, Any], displaced: Mapping[str, Any]) -> list[Any]:
    """Return the states before treatment; ``displaced`` maps a lineage to a count other than its baseline."""
    if not block.parts:
        return [0.0] * block.states
    y: list[Any] = []
    for part in block.lineages:
        own = list(part.module.start(part_values(part, p), part.structure))
        if part.name in displaced:
            count = part.module.observe(tuple(own), part_values(part, p), part.structure)[0]
            for i in part.module.circulating(part.structure):
                own[i] = own[i] * (displaced[part.name] / count)
        y += own
    for part in block.drugs:
        y += part.module.start(part_values(part, p), part.structure)
    for part, effect in _delayed(block):
        y += part.module.start(values(effect.prefix, [d.name for d in effect_parameters(effect)], p))
    return y


def floors(block: Block, p: Mapping[str, Any]) -> list[Any]:
    """Return the size under which a state's error no longer counts; zero where only the relative error does."""
    if not block.parts:
        return [0.0] * block.states
    sizes: list[Any] = [0.0 for part in block.lineages for _ in part.labels]
    for part in block.drugs:
        sizes += part.module.scale(part_values(part, p), part.structure)
    for part, effect in _delayed(block):
        own = values(effect.prefix, [d.name for d in effect_parameters(effect)], p)
        kind = effects.KINDS[effect.kind]
        sizes += part.module.scale(own) if part.module is kind else part.module.scale(own, kind.scale(own))
    return sizes


def _delayed(block: Block) -> list[tuple[Part, Effect]]:
    by_prefix = {part.prefix: part for part in block.delays}
    return [(by_prefix[e.prefix], e) for e in block.effects if e.prefix in by_prefix]


def observe(block: Block, y: Sequence[Any], x: Mapping[str, Any], p: Mapping[str, Any]) -> list[Any]:
    """Return the outputs in the order of ``block.outputs``."""
    if not block.parts:
        return [*x.values(), *y]
    each = [part.module.observe(part.of(y), part_values(part, p), part.structure) for part in block.lineages]
    counts = {part.name: outputs[0] for part, outputs in zip(block.lineages, each, strict=True)}
    count = counts.get("neutrophil", 0.0)
    moved = [_concentration(block, part, y, part_values(part, p), count) for part in block.drugs]
    return [*counts.values(), *(o for outputs in each for o in outputs[1:]), *moved]


def _concentration(block: Block, part: Part, y: Sequence[Any], own: Values, count: Any) -> Any:
    """Return the concentration of an ODE drug in its own unit; the component gives amount per liter."""
    return block.per_amount[part.name] * part.module.concentration(part.of(y), own, count, part.structure)


def concentration_per_amount(drug: Drug) -> float:
    """Return what one unit of amount per liter is in the drug's concentration unit."""
    if drug.concentration_unit == "rel":
        return 1.0
    return convert(1.0, f"{drug.amount_unit}/L", drug.concentration_unit, molar_mass=drug.molar_mass)


def carry(block: Block, y: Sequence[Any], p: Mapping[str, Any]) -> list[Any]:
    """Return the states with the carried ones derived from the others."""
    y = list(y)
    for part in block.lineages:
        if any(part.carried):
            y[part.first : part.first + len(part.labels)] = part.module.carry(
                part.of(y), part_values(part, p), part.structure
            )
    return y


def rhs(block: Block, y: Sequence[Any], x: Mapping[str, Any], rates: Sequence[Any], p: Mapping[str, Any]) -> list[Any]:
    """Return the derivatives under exposures ``x`` (by drug) and infusion rates into ``block.inputs``."""
    if not block.parts:
        return list(x.values())
    counts = {
        part.name: part.module.observe(part.of(y), part_values(part, p), part.structure)[0] for part in block.lineages
    }
    count = counts.get("neutrophil", 0.0)
    drive: dict[tuple[str, str], Any] = {(name, "concentration"): c for name, c in x.items()}
    moved: list[Any] = []
    for part in block.drugs:
        own = part_values(part, p)
        drive[part.name, "concentration"] = _concentration(block, part, y, own, count)
        if hasattr(part.module, "signal"):
            drive[part.name, "occupancy"] = part.module.signal(part.of(y), own, count, part.structure)
        change = list(part.module.rhs(part.of(y), own, count, part.structure))
        for k, (drug, _, state) in enumerate(block.inputs):
            if drug == part.name:
                change[state - part.first] = change[state - part.first] + rates[k]
        moved += change
    strength, delayed = _effects(block, y, drive, p)
    grown: list[Any] = []
    for part in block.lineages:
        site = _sites(block, part, strength)
        grown += part.module.rhs(part.of(y), part_values(part, p), site, part.structure)
    return [*grown, *moved, *delayed]


def _effects(block: Block, y: Sequence[Any], drive: Mapping[tuple[str, str], Any], p: Mapping[str, Any]) -> Any:
    strength: list[Any] = []
    changes: list[Any] = []
    by_prefix = {part.prefix: part for part in block.delays}
    for effect in block.effects:
        kind, own = effects.KINDS[effect.kind], values(effect.prefix, [d.name for d in effect_parameters(effect)], p)
        c = drive[effect.drug, effect.driver]
        part = by_prefix.get(effect.prefix)
        if part is not None and part.module is kind:
            strength.append(kind.effect(part.of(y), c, own))
            changes += kind.rhs(part.of(y), c, own)
            continue

        def effect_of(c: Any, kind: ModuleType = kind, own: Values = own) -> Any:
            return kind.effect(c, own)

        delay = delays.KINDS[effect.delay]
        x = part.of(y) if part is not None else ()
        strength.append(delay.effect(x, c, own, effect_of))
        changes += delay.rhs(x, c, own, effect_of)
    return strength, changes


def _sites(block: Block, part: Part, strength: Sequence[Any]) -> Values:
    factors: dict[str, Any] = dict.fromkeys(part.module.SITES, 1.0)
    for effect, size in zip(block.effects, strength, strict=True):
        if effect.lineage != part.name:
            continue
        signed = -size if effect.action == "inhibit" else size
        before = factors[effect.site]
        factors[effect.site] = before * (1.0 + signed) if block.combine[part.name] == "bliss" else before + signed
    return Values(**factors)
