"""A complete model file into a :class:`Model`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from myelosim import units
from myelosim.spec import check
from myelosim.spec.document import Table, suggestion
from myelosim.spec.entry import COVARIATE_UNITS
from myelosim.spec.model import Drug, Effect, Expected, Lineage, Model, Parameter, Subjects, observable
from myelosim.spec.parts import observables, read_drug, read_effects, read_lineage, read_residual

FORMAT = 1
ENDPOINTS = ("nadir", "nadir_day", "count", "ratio", "cmax", "auc")


def header(table: Table, kind: str) -> None:
    """Read format and kind of a file."""
    number = table.integer("format")
    if "format" in table.data and number != FORMAT:
        table.fail("format", f"{number} is not a format this version reads; it reads format = {FORMAT}")
    table.text("kind", allowed=[kind])


def read_model(table: Table, name: str) -> Model:
    """Read a complete model; raise everything that is wrong with it at once."""
    header(table, "model")
    name = table.text("name", name)
    about: dict[str, Any] = {
        "title": table.text("title"), "source": table.text("source"), "warnings": table.texts("warnings"),
        "illustrative": table.boolean("illustrative", False),
    }  # fmt: skip
    subjects = read_subjects(table)
    drugs: dict[str, Drug] = {}
    lineages: dict[str, Lineage] = {}
    parameters: dict[str, Parameter] = {}
    for key, inner in table.children("lineage").items():
        lineage, found = read_lineage(key, inner)
        parameters |= found
        if lineage:
            lineages[key] = lineage
    for key, inner in table.children("drug").items():
        drug, found = read_drug(key, inner)
        parameters |= found
        if drug:
            drugs[key] = drug
    effects = _effects(table, drugs, lineages, parameters)
    residual = {}
    known = observables(table.data.get("lineage", {}), table.data.get("drug", {}))
    for key, inner in table.children("residual").items():
        if key not in known:
            inner.fail(None, f"nothing called '{key}' is observed{suggestion(key, known)}")
        elif (one := read_residual(key, inner)) is not None:
            residual[key] = one
    correlation = read_correlation(table)
    start = read_start(table, table.data.get("lineage", {}))
    expected = tuple(read_expected(inner, table.data) for inner in table.tables("expected"))
    table.finish()
    table.findings.check()
    model = Model(
        name=name, drugs=drugs, lineages=lineages, effects=tuple(effects), parameters=parameters, residual=residual,
        correlation=correlation, subjects=subjects, start=start, expected=expected, **about,
    )  # fmt: skip
    report(model, table)
    return model


def report(model: Model, table: Table) -> None:
    """Raise what :mod:`myelosim.spec.check` finds, with its place in the file."""
    for name, sentence in check.problems(model):
        table.findings.add(place(model, name), sentence)
    table.findings.check()


def place(model: Model, name: str) -> tuple[str | int, ...]:
    """Return where in a file a parameter or part stands."""
    first, _, rest = name.partition(".")
    if first in model.lineages:
        return ("lineage", *name.split("."))
    if first in model.drugs:
        for effect in sorted(model.effects, key=lambda one: -len(one.prefix)):
            if name.startswith(f"{effect.prefix}."):
                return ("effect", *name.split("."))
        return ("drug", first, rest) if rest else ("drug", first)
    return tuple(name.split(".")) if name else ()


def _effects(
    table: Table, drugs: Mapping[str, Drug], lineages: Mapping[str, Lineage], parameters: dict[str, Parameter]
) -> list[Effect]:
    effects: list[Effect] = []
    declared_drugs, declared_lineages = table.data.get("drug", {}), table.data.get("lineage", {})
    for drug_name, outer in table.children("effect").items():
        if drug_name not in declared_drugs:
            outer.fail(None, f"no drug '{drug_name}' is declared{suggestion(drug_name, declared_drugs)}")
            continue
        for lineage_name in list(outer.data):
            inner = outer.table(lineage_name)
            if lineage_name not in declared_lineages:
                message = f"no lineage '{lineage_name}' is declared{suggestion(lineage_name, declared_lineages)}"
                outer.fail(lineage_name, message)
            elif inner is not None and drug_name in drugs:
                found, values = read_effects(drugs[drug_name], lineages.get(lineage_name), lineage_name, inner)
                effects += found
                parameters |= values
    return effects


def read_subjects(table: Table) -> Subjects:
    """Read whom the model describes."""
    species, variant = table.text("species", ""), table.text("variant", "")
    covariates = read_covariates(table)
    volume, limits, draw = read_blood(table)
    return Subjects(species, variant, covariates, volume, limits, read_limits(table), draw)


def read_covariates(table: Table) -> dict[str, float | str]:
    """Read the typical subject: ``weight = "70 kg"``, ``surface = "1.8 m2"``, ``food = "fasted"``."""
    inner = table.table("covariates")
    if inner is None:
        return {}
    return {key: value for key in inner.data if (value := covariate(inner, key)) is not None}


def covariate(table: Table, key: str) -> float | str | None:
    """Read one covariate; None, with a finding, where it cannot be."""
    value = table.raw(key)
    if key in COVARIATE_UNITS:
        number = table.quantity(key, COVARIATE_UNITS[key])
        if number <= 0:
            table.fail(key, f'{value!r} is not a {key}; write e.g. "{"70 kg" if key == "weight" else "1.8 m2"}"')
        return number
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        table.fail(key, f"{value!r} is neither a number nor a category")
        return None
    return value if isinstance(value, str) else table.number(key)


def read_blood(table: Table) -> tuple[float | None, dict[str, Mapping[str, Any]], float | None]:
    """Read ``[blood]``: volume in mL/kg, the limits on drawing it, and the usual draw in mL."""
    blood = table.table("blood")
    if blood is None:
        return None, {}, None
    volume = _plain(blood, "volume", "mL/kg")
    draw = _plain(blood, "draw", "mL")
    limits: dict[str, Mapping[str, Any]] = {}
    for name, inner in blood.children("limits").items():
        per = "weight" if "weight" in inner.data else "volume"
        limits[name] = {
            per: inner.number(per, low=0.0, high=1.0), "days": inner.number("days", low=0.0),
            "source": inner.text("source", ""),
        }  # fmt: skip
        inner.finish()
    blood.finish()
    return volume, limits, draw


def _plain(table: Table, key: str, unit: str) -> float | None:
    """Return a quantity written as text, or as a table with value, unit, evidence and source."""
    value = table.raw(key, None)
    if isinstance(value, Mapping):
        inner = table.table(key)
        assert inner is not None
        number, written = inner.number("value", low=0.0), inner.text("unit")
        inner.text("evidence", "assumed")
        inner.text("source", "")
        inner.text("meaning", "")
        inner.finish()
        try:
            return units.convert(number, written, unit)
        except ValueError as error:
            inner.fail("unit", str(error))
            return None
    return None if value is None else table.quantity(key, unit, low=0.0)


def read_limits(table: Table) -> dict[str, float]:
    """Read ``[lower_limit]``: the lower limit of normal by lineage."""
    inner = table.table("lower_limit")
    if inner is None:
        return {}
    limit_units = {"hemoglobin": "g/dL", "rbc": "10^12/L", "hematocrit": "%"}
    return {
        key: _plain(inner, key, limit_units.get(key, "10^9/L")) or 0.0 for key in inner.data
    }  # fmt: skip


def read_correlation(table: Table) -> dict[tuple[str, str], float]:
    """Read the ``[[correlation]]`` entries."""
    out: dict[tuple[str, str], float] = {}
    for entry in table.tables("correlation"):
        between = entry.texts("between")
        value = entry.number("value")
        entry.text("evidence", "assumed")
        entry.text("source", "")
        entry.finish()
        if len(set(between)) != 2 or len(between) != 2:
            entry.fail("between", 'needs two different parameters, e.g. ["neutrophil.baseline", "platelet.baseline"]')
        elif between in out or between[::-1] in out:
            entry.fail("between", f"{' and '.join(between)} are correlated twice")
        else:
            out[between[0], between[1]] = value
    return out


def read_start(table: Table, lineages: Mapping[str, Any]) -> dict[str, float]:
    """Read ``[start]``: counts at time zero where they are not the baseline."""
    inner = table.table("start")
    if inner is None:
        return {}
    out = {}
    for key in inner.data:
        matches = [name for name in lineages if key in (name, observable(name))]
        if not matches:
            inner.fail(key, f"no lineage '{key}'{suggestion(key, map(observable, lineages))}")
            continue
        value = inner.quantity(key, "g/dL" if matches[0] == "erythroid" else "10^9/L")
        if not value > 0:
            inner.fail(key, f"{value:g} is not a count; it must be above 0")
        out[matches[0]] = value
    return out


def read_expected(table: Table, whole: Mapping[str, Any]) -> Expected:
    """Read one ``[[expected]]`` entry of a file that holds ``whole``."""
    lineages, drugs = whole.get("lineage", {}), whole.get("drug", {})
    what, endpoint = table.text("what"), table.text("endpoint", allowed=ENDPOINTS)
    lineage, drug = table.text("lineage", ""), table.text("drug", "")
    names = [*lineages, *map(observable, lineages)]
    if lineage and lineage not in names:
        table.fail("lineage", f"no lineage '{lineage}'{suggestion(lineage, names)}")
    if drug and drug not in drugs:
        table.fail("drug", f"no drug '{drug}'{suggestion(drug, drugs)}")
    if not (lineage or drug):
        table.fail(None, "says neither lineage nor drug")
    values = table.table("set")
    changed: dict[str, float | str] = {}
    for key in values.data if values else ():
        assert values is not None
        value = values.raw(key)
        changed[key] = float(value) if isinstance(value, int | float) else str(value)
    at = table.quantity("at", "h", low=0.0) if "at" in table.data else None
    table.known.append("at")
    expected = Expected(
        what=what, endpoint=endpoint, value=table.number("value"), tolerance=table.number("tolerance", low=0.0),
        dose=table.text("dose", ""), days=table.number("days", 28.0, low=0.0), lineage=lineage, drug=drug, at=at,
        source=table.text("source", ""), set=changed,
    )  # fmt: skip
    table.finish()
    return expected
