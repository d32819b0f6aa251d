"""The cells of a sweep: each an arm, written as a scenario file would say it, so that all that a scenario checks is checked."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec.document import Findings, Table
from myelosim.spec.scenario import Recommend, Scenario
from myelosim.spec.scenarios import read_scenario
from myelosim.spec.shorthand import NONE
from myelosim.spec.sweep import Axis, Cell
from myelosim.spec.sweep_axes import WHO, dosed, gcsf_drugs, parts_of, with_gcsf

MOST_CELLS = 100_000
SHOWN = 3  # findings of cells that are told one by one
MODEL = ("species", "variant")

Choice = Mapping[Axis, tuple[int, Any]]
"""Axis -> which of its values, and what that says."""


def read_cells(
    findings: Findings,
    base: Table,
    scenario: Scenario,
    arm: Mapping[str, Any],
    drug: str,
    axes: Mapping[Axis, tuple[Any, ...]],
    population: Mapping[str, Any],
    *,
    undosed: bool = False,
) -> tuple[Cell, ...]:
    """Read every combination of the axes as an arm; ``undosed`` leaves all doses out.

    Combinations of one species are read as one scenario. What is wrong with them goes to ``findings``, by cell.
    """
    groups: dict[tuple[str, ...], list[tuple[tuple[int, ...], dict[str, Any]]]] = {}
    for choice in _combinations(axes):
        subjects = {axis.name: label(axis, choice) for axis in choice if axis.name in MODEL}
        key = tuple(subjects.get(name, "") for name in MODEL)
        index = tuple(i for i, _ in choice.values())
        groups.setdefault(key, []).append((index, _arm(scenario, arm, drug, choice, undosed)))
    cells: dict[tuple[int, ...], Cell] = {}
    said: list[str] = []
    for (species, variant), members in groups.items():
        data = _scenario(base.data, scenario, species, variant, population)
        data["arm"] = [one for _, one in members]
        named = {name for one in data["arm"] for name in one.get("rules", ())}
        data["rule"] = {name: rule for name, rule in data.get("rule", {}).items() if name in named}
        try:
            held = read_scenario(Table(data, (), Findings(findings.source, folder=base.findings.folder)), scenario.name)
        except SpecError as error:
            who = " ".join(part for part in (species, variant) if part)
            lines = str(error).splitlines()
            said += [line if "arm '" in line or not who else f"{line} (cells of {who})" for line in lines]
            continue
        for (index, _), one in zip(members, held.arms, strict=True):
            cells[index] = Cell(index, dataclasses.replace(held, arms=(one,), recommend=Recommend(), text=""))
    findings.messages += said[:SHOWN]
    if len(said) > SHOWN:
        findings.messages.append(f"{findings.source}: and {len(said) - SHOWN} more like these, of other cells")
    return tuple(cells[index] for index in sorted(cells))


def label(axis: Axis, choice: Choice) -> str:
    """Return how the value chosen is called."""
    return axis.values[choice[axis][0]]


def _combinations(axes: Mapping[Axis, tuple[Any, ...]]) -> Iterator[Choice]:
    places: Iterable[Iterable[tuple[int, Any]]] = [list(enumerate(values)) for values in axes.values()]
    for combination in itertools.product(*places):
        yield dict(zip(axes, combination, strict=True))


def _arm(scenario: Scenario, arm: Mapping[str, Any], drug: str, choice: Choice, undosed: bool) -> dict[str, Any]:
    """Return the arm of a cell, as a scenario file would say it."""
    out = {key: value for key, value in arm.items() if not (undosed and key in ("rules", "concentration"))}
    out["name"] = ", ".join(f"{axis.name} {label(axis, choice)}" for axis in choice) or "all"
    by_name = {axis.name: axis for axis in choice}
    chosen = {name: label(axis, choice) for name, axis in by_name.items()}
    if undosed:
        out["name"], out["dose"] = f"no drug, {out['name']}", NONE
    elif {"dose", "schedule", "gcsf"} & set(chosen):
        parts = dosed(parts_of(arm.get("dose")), drug, chosen.get("dose"), chosen.get("schedule"))
        if "gcsf" in chosen:
            own = {str(scenario.load["gcsf"])} if "gcsf" in scenario.load else set()
            parts = with_gcsf(parts, chosen["gcsf"], own | gcsf_drugs(by_name["gcsf"]))
        out["dose"] = parts
    for axis, (_, value) in choice.items():
        if axis.name == "rules" and not undosed:
            out.pop("rules", None)
            if value != NONE:
                out["rules"] = [value] if isinstance(value, str) else list(value)
        elif axis.name == "size":
            out["size"] = value
        elif axis.name == "population":
            out |= {key: _over(out.get(key), value[key]) for key in WHO if key in value}
        elif "." in axis.name:
            out["set"] = {**out.get("set", {}), axis.name: value}
    return out


def _over(under: Any, value: Any) -> Any:
    return {**under, **value} if isinstance(under, Mapping) and isinstance(value, Mapping) else value


def _scenario(
    base: Mapping[str, Any], scenario: Scenario, species: str, variant: str, population: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what a scenario file says, for another species or variant.

    Variant, sensitivity and grading were given for the scenario's own species; another has its own.
    """
    data = {key: value for key, value in base.items() if key not in ("arm", "recommend", "name")}
    if population:
        data["population"] = {**data.get("population", {}), **population}
    own = str(scenario.load.get("species", ""))
    if not species and not variant:
        return data
    model = dict(data["model"])
    if species and species != own:
        model = {key: value for key, value in model.items() if key not in ("variant", "sensitivity")}
        model["species"] = species
        data.pop("grading", None)
    if variant:
        model["variant"] = variant
    data["model"] = model
    return data
