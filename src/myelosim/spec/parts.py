"""The parts of a model file: drugs, lineages, effects and residual errors, as tables say them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from myelosim import units
from myelosim.components.contract import Declared
from myelosim.spec import declared
from myelosim.spec.concentrations import KEYS, read_concentrations
from myelosim.spec.document import Table, suggestion
from myelosim.spec.entry import read_parameter
from myelosim.spec.literal import found
from myelosim.spec.model import Drug, Effect, Lineage, Parameter, Residual, observable

ROUTES = ("iv", "sc", "oral")
ACTIONS = ("inhibit", "stimulate")
DRIVERS = ("concentration", "occupancy")
COMBINE = ("bliss", "additive")
DOSES = ("mass", "amount of substance", "relative concentration")
CONCENTRATIONS = ("mass concentration", "molar concentration", "relative concentration")

Parameters = dict[str, Parameter]


def read_drug(name: str, table: Table) -> tuple[Drug | None, Parameters]:
    """Read ``[drug.NAME]``: its kinetics, units and parameters."""
    kind = table.text("pk", allowed=[*declared.KINDS["pk"], "table"])
    if kind == "table":
        return read_table_drug(name, table), {}
    amount = _unit(table, "amount", DOSES, "a dose such as mg, ug or umol")
    concentration = _unit(table, "concentration", CONCENTRATIONS, "a concentration such as mg/L, umol/L or rel")
    text = table.text("text", "")
    module = declared.KINDS["pk"].get(kind)
    structure = read_structure(table, module) if module else None
    route = table.text("route", _usual_route(module, structure), allowed=ROUTES)
    routes = _routes(table, route)
    if structure is None or not (amount and concentration):
        return None, {}
    supportive = table.boolean("supportive", False)
    drug = Drug(name, kind, structure, amount, concentration, None, route, routes, text=text, supportive=supportive)
    asked = declared.of_drug(drug)
    parameters: Parameters = {}
    molar_mass = _molar_mass(table, asked.get(f"{name}.molar_mass"), f"{name}.molar_mass", parameters)
    if (molar_mass or "molar_mass" not in table.data) and not _reachable(amount, concentration, molar_mass):
        table.fail(
            "concentration", f"'{concentration}' cannot be had from doses in '{amount}'; add molar_mass in g/mol"
        )
    rest = {full: one for full, one in asked.items() if not full.endswith(".molar_mass")}
    parameters |= read_parameters(table, name, rest, molar_mass)
    table.finish(_short(asked))
    return dataclasses.replace(drug, molar_mass=molar_mass), parameters


def read_table_drug(name: str, table: Table) -> Drug | None:
    """Read a drug whose measured concentrations stand in for kinetics."""
    concentration = _unit(table, "concentration", CONCENTRATIONS, "a concentration such as mg/L, umol/L or rel")
    amount = table.text("amount", "mg")
    route = table.text("route", "oral", allowed=ROUTES)
    text = table.text("text", "")
    molar_mass = _molar_mass(table, None, "", {})
    values = read_concentrations(table, concentration, molar_mass) if concentration else None
    table.finish(KEYS)
    return (
        None
        if values is None
        else Drug(name, "table", {}, amount, concentration, molar_mass, route, table=values, text=text)
    )


def read_lineage(name: str, table: Table) -> tuple[Lineage | None, Parameters]:
    """Read ``[lineage.NAME]``: its component, structure and parameters."""
    kind = table.text("kind", allowed=declared.KINDS["lineage"])
    combine = table.text("combine", "bliss", allowed=COMBINE)
    module = declared.KINDS["lineage"].get(kind)
    structure = read_structure(table, module) if module else None
    if structure is None:
        return None, {}
    lineage = Lineage(name, kind, structure, combine)
    asked = declared.of_lineage(lineage)
    parameters = read_parameters(table, name, asked, None)
    table.finish(_short(asked))
    return lineage, parameters


def read_effect(drug: Drug, lineage: Lineage, site: str, table: Table) -> tuple[Effect | None, Parameters]:
    """Read ``[effect.DRUG.LINEAGE]``, or ``[effect.DRUG.LINEAGE.SITE]`` where a drug has several on a lineage."""
    prefix = ".".join(part for part in (drug.name, lineage.name, site) if part)
    kind = table.text("kind", allowed=declared.KINDS["effect"])
    sites = declared.KINDS["lineage"][lineage.kind].SITES
    site = table.text("site", site) if site else table.text("site")
    if site and site not in sites:
        message = f"'{site}' is no process of a {lineage.kind} lineage{suggestion(site, sites)}"
        table.fail("site" if "site" in table.data else None, message)
    action = table.text("action", "inhibit", allowed=ACTIONS)
    driver = table.text("driver", "concentration", allowed=DRIVERS)
    delay = table.text("delay", "direct", allowed=["direct", *declared.KINDS["delay"]])
    module, delaying = declared.KINDS["effect"].get(kind), declared.KINDS["delay"].get(delay)
    if module is None or (delaying is None and delay != "direct"):
        return None, {}
    if not _fits(table, drug, module, kind, driver, delay):
        return None, {}
    structure = read_structure(table, module)
    if structure is None:
        return None, {}
    effect = Effect(drug.name, lineage.name, kind, site, action, driver, delay, structure, prefix)
    asked = declared.of_effect(effect, drug)
    parameters = read_parameters(table, prefix, asked, drug.molar_mass)
    table.finish(_short(asked))
    return effect, parameters


def _fits(table: Table, drug: Drug, module: ModuleType, kind: str, driver: str, delay: str) -> bool:
    before = len(table.findings.messages)
    if hasattr(module, "states") and delay != "direct":
        table.fail("delay", f'a {kind} effect has its own time course; leave delay = "direct"')
    if driver == "occupancy" and not hasattr(declared.KINDS["pk"].get(drug.kind), "signal"):
        able = [name for name, one in declared.KINDS["pk"].items() if hasattr(one, "signal")]
        table.fail("driver", f"the kinetics '{drug.kind}' have no receptor occupancy; those that do: {', '.join(able)}")
    return len(table.findings.messages) == before


def read_residual(table: Table) -> Residual | None:
    """Read ``[residual.OBSERVABLE]``: kind and standard deviations."""
    kind = table.text("kind", allowed=declared.KINDS["residual"])
    module = declared.KINDS["residual"].get(kind)
    if module is None:
        return None
    sigma = {}
    for one in module.TERMS:
        default = {} if one.default is None else {"default": one.default}
        sigma[one.name] = table.number(one.name, low=one.lower, high=min(one.upper, 1e6), **default)
    table.finish()
    return Residual(kind, sigma)


def read_structure(table: Table, module: ModuleType) -> dict[str, Any] | None:
    """Read the structure options of a component; None if one of them cannot be."""
    options = getattr(module, "STRUCTURE", {})
    structure, good = {}, True
    for option, allowed in options.items():
        value = table.raw(option, module.DEFAULTS[option])
        if isinstance(value, Mapping) and "free" in allowed:
            value = "free"  # the key holds the parameter itself
        if isinstance(value, bool | float) or value not in allowed:
            shown = f"{allowed[0]} to {allowed[-1]}" if isinstance(allowed, range) else ", ".join(map(str, allowed))
            table.fail(option, f"{found(value)} is not possible here; allowed: {shown}")
            good = False
        structure[option] = value
    return structure if good else None


def read_parameters(table: Table, prefix: str, asked: Mapping[str, Declared], molar_mass: float | None) -> Parameters:
    """Read everything a component asks for from the table that holds it."""
    found = {}
    for name, one in asked.items():
        parameter = read_parameter(table, name[len(prefix) + 1 :], one, molar_mass)
        if parameter is not None:
            found[name] = parameter
    return found


def observables(lineages: Mapping[str, Any], drugs: Mapping[str, Any]) -> list[str]:
    """Return what can be observed: a coordinate per lineage, a concentration per drug."""
    return [*(observable(name) for name in lineages), *drugs]


def _unit(table: Table, key: str, kinds: tuple[str, ...], what: str) -> str:
    unit = table.text(key)
    if not unit:
        return ""
    try:
        kind = units.dimension(unit)
    except ValueError as error:
        table.fail(key, str(error))
        return ""
    if kind not in kinds:
        table.fail(key, f"unit '{unit}' is a {kind}; give {what}")
        return ""
    return unit


def _molar_mass(table: Table, asked: Declared | None, name: str, parameters: Parameters) -> float | None:
    """Return g/mol; where the component has it as a parameter too, both are the same number."""
    value = table.data.get("molar_mass")
    if asked is None or (value is not None and not isinstance(value, Mapping)):
        table.known.append("molar_mass")
        if value is None:
            return None
        mass = table.quantity("molar_mass", "g/mol", low=1.0, high=1e7, example="450 g/mol")
        if asked is None or not mass > 0:
            return mass if mass > 0 else None
        number = units.convert(mass, "g/mol", asked.unit)
        parameters[name] = Parameter(
            number, asked.unit, asked.meaning, scale=asked.scale, evidence="published", source="molar mass of the drug"
        )
    else:
        parameter = read_parameter(table, "molar_mass", asked)
        if parameter is None:
            return None
        parameters[name] = parameter
    return units.convert(parameters[name].value, asked.unit, "g/mol")


def _reachable(amount: str, concentration: str, molar_mass: float | None) -> bool:
    if concentration == "rel":
        return True
    try:
        units.convert(1.0, f"{amount}/L", concentration, molar_mass)
    except ValueError:
        return False
    return True


def _routes(table: Table, usual: str) -> tuple[str, ...]:
    routes = table.texts("routes")
    for route in routes:
        if route not in ROUTES:
            table.fail("routes", f"{found(route)} is not known{suggestion(route, ROUTES)}")
    if routes and usual and usual not in routes:
        table.fail("routes", f"does not hold the usual route, '{usual}'; add it")
    return routes


def _usual_route(module: ModuleType | None, structure: dict[str, Any] | None) -> str:
    if module is None or not structure:
        return "oral" if module is None else "sc"
    return "iv" if structure.get("absorption") == "none" else "oral"


def _short(asked: Mapping[str, Declared]) -> list[str]:
    return [name.rsplit(".", 1)[-1] for name in asked]
