"""The arms of a scenario: doses, and what an arm changes in the model."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from myelosim import grading
from myelosim.errors import SpecError
from myelosim.spec import check
from myelosim.spec.concentrations import KEYS, read_concentrations, unsaid
from myelosim.spec.document import Table, suggestion
from myelosim.spec.dosing import dose_units, left_out, resolve
from myelosim.spec.load import read_start
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen
from myelosim.spec.rule import Conduct
from myelosim.spec.rules import read_rules, rule_tables
from myelosim.spec.scenario import Arm
from myelosim.spec.setting import Setting
from myelosim.spec.subjects import covariate

MOST_SUBJECTS = 10**9


@dataclasses.dataclass(frozen=True)
class Rules:
    """What an arm may name: the scenario's rules, how counts are graded, and how the clinic keeps to the plan."""

    tables: Mapping[str, Table]
    grading: grading.Table
    conduct: Conduct

    def setting(self, model: Model, regimen: Regimen, days: float) -> Setting:
        """Return what a rule is read for."""
        return Setting(model, regimen, days, self.grading, tuple(self.conduct.signs), self.conduct.turnaround)


def read_arms(table: Table, model: Model | None, days: float, rules: Rules) -> tuple[Arm, ...]:
    """Read the ``[[arm]]`` entries. Without a model (it could not be loaded) the doses are read and not matched."""
    entries = table.tables("arm")
    if not entries and "arm" not in table.data:
        table.fail(None, "there is no arm; add [[arm]] with a name and a dose")
    arms: list[Arm] = []
    names: list[str] = []
    for entry in entries:
        name = entry.data.get("name")
        if isinstance(name, str) and name.strip():
            entry.findings.titles[entry.path] = f"arm '{name}'"
            if name in names:
                entry.fail("name", f"two arms are called '{name}'; give each its own name")
            names.append(name)
        arm = _arm(entry, model, days, rules)
        if arm is not None:
            arms.append(arm)
    named = {name for entry in entries for name in entry.texts("rules")}
    for name, unused in rules.tables.items():
        if name not in named and model is not None:
            unused.fail(None, f'no arm has this rule; add rules = ["{name}"] to one, or leave it out')
    return tuple(arms)


def _arm(table: Table, model: Model | None, days: float, rules: Rules) -> Arm | None:
    name = table.name("name")
    wanted = rule_tables(table, table.texts("rules"), rules.tables)
    size = table.integer("size", low=1, high=MOST_SUBJECTS) if "size" in table.data else None
    table.known.append("size")
    regimen = _dose(table, model)
    changed = {key: table.table(key) for key in ("set", "start", "covariates", "concentration")}
    table.finish()
    if model is None:
        return None
    read: dict[str, Mapping[str, Any]] = {}
    for key, one in _CHANGES.items():
        held = changed[key]
        read[key] = {}
        if held is not None:
            model, read[key] = one(held, model)
    if ending := unsaid(model, 24.0 * days):
        table.fail("concentration", ending)
    if regimen is None:
        return None
    regimen = _matched(table, regimen, model, days)
    followed = read_rules(table, wanted, rules.setting(model, regimen, days))
    return Arm(name=name, model=model, regimen=regimen, size=size, rules=followed, **read)


def _dose(table: Table, model: Model | None) -> Regimen | None:
    texts = table.texts("dose")
    if not texts:
        if "dose" not in table.data and "concentration" not in table.data:
            table.fail(None, '\'dose\' is missing; give e.g. dose = "drug 40 mg BID d1-28", or "none"')
        elif table.data.get("dose") == []:
            table.fail("dose", 'is empty; give e.g. dose = "drug 40 mg BID d1-28", or "none"')
        return None if "dose" in table.data else Regimen(())
    try:
        return Regimen.parse(texts, {} if model is None else dose_units(model))
    except SpecError as error:
        table.fail("dose", str(error).removeprefix("dose "))
        return None


def _matched(table: Table, regimen: Regimen, model: Model, days: float) -> Regimen:
    """Check doses against the model and the calendar."""
    try:
        regimen = resolve(regimen, model)
        if math.isfinite(days):
            left_out(regimen, 24.0 * days)
    except SpecError as error:
        table.fail("dose", str(error))
    return regimen


def read_set(table: Table, model: Model) -> tuple[Model, Mapping[str, Any]]:
    """Read ``[set]``: values of parameters in the place of the model's."""
    values = {key: table.raw(key) for key in table.data}
    try:
        return model.replace(values, source="set by the scenario"), values
    except SpecError as error:
        together = str(error)
    before = len(table.findings.messages)
    for key, value in values.items():
        try:
            model.replace({key: value})
        except SpecError as error:
            table.fail(key, str(error))
    if len(table.findings.messages) == before:
        table.fail(None, together)
    return model, values


def _start(table: Table, model: Model) -> tuple[Model, Mapping[str, float]]:
    holder = Table({"start": table.data}, table.path[:-1], table.findings)
    start = read_start(holder, model.lineages)
    return dataclasses.replace(model, start={**model.start, **start}), start


def _covariates(table: Table, model: Model) -> tuple[Model, Mapping[str, float | str]]:
    known = model.subjects.covariates
    changed: dict[str, float | str] = {}
    for key in table.data:
        if key not in known:
            table.fail(key, f"the model has no covariate '{key}'{suggestion(key, known)}")
        elif (value := covariate(table, key)) is not None:
            changed[key] = value
    subjects = dataclasses.replace(model.subjects, covariates={**known, **changed})
    new = dataclasses.replace(model, subjects=subjects)
    for name, sentence in check.problems(new):
        table.fail(None, f"{name}: {sentence}" if name else sentence)
    return new, changed


def _concentration(table: Table, model: Model) -> tuple[Model, Mapping[str, Any]]:
    """Put tables of concentrations in the place of drugs' kinetics."""
    drugs, parameters = dict(model.drugs), dict(model.parameters)
    tables: dict[str, Any] = {}
    for name in table.data:
        held = table.table(name)
        if name not in drugs:
            table.fail(name, f"the model has no drug '{name}'{suggestion(name, drugs)}")
            continue
        if held is None:
            continue
        drug = drugs[name]
        values = read_concentrations(held, drug.concentration_unit, drug.molar_mass)
        held.finish(KEYS)
        blocked = [effect for effect in model.effects if effect.drug == name and effect.driver != "concentration"]
        if blocked:
            table.fail(name, f"{name} acts through receptor occupancy, which a table of concentrations does not give")
        if values is not None:
            tables[name] = values
            drugs[name] = dataclasses.replace(drug, kind="table", structure={}, table=values)
            for parameter in [one for one in parameters if one.startswith(f"{name}.") and one.count(".") == 1]:
                del parameters[parameter]

    def kept(pairs: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
        return {pair: r for pair, r in pairs.items() if all(one in parameters for one in pair)}

    correlation, errors = kept(model.correlation), kept(model.error_correlation)
    changed = dataclasses.replace(
        model, drugs=drugs, parameters=parameters, correlation=correlation, error_correlation=errors
    )
    return changed, tables


_CHANGES = {"concentration": _concentration, "set": read_set, "start": _start, "covariates": _covariates}
