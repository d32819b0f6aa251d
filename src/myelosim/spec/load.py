"""A complete model file into a :class:`Model`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec.assemble import Assembly
from myelosim.spec.check import count_limits
from myelosim.spec.document import Table, is_number, names_in, suggestion
from myelosim.spec.literal import found
from myelosim.spec.model import Expected, Model, observable
from myelosim.spec.subjects import read_subjects

FORMAT = 1
KINDS = {
    "model": "[drug.NAME] and [lineage.NAME]",
    "drug": "[pk] and [effect.LINEAGE]",
    "species": "[lineage.NAME] and [covariates]",
    "grading": "[bounds.LINEAGE]",
    "rules": "[rule.NAME]",
    "calibration": "[scenario] and [[target]]",
    "scenario": "[[arm]]",
    "sweep": "[axis]",
    "fit": "data = { file = ... }",
    "forecast": "data = { file = ... }",
    "design": "[[group]]",
}
SIGNS = {
    "sweep": "axis",
    "scenario": "arm",
    "fit": "data",
    "design": "group",
}  # keys that tell files which need not say their kind
ENDPOINTS = ("nadir", "nadir_day", "count", "ratio", "cmax", "auc")


def kind_of(data: Mapping[str, Any], usual: str) -> Any:
    """Return the kind that a file says, or that its keys tell."""
    return data.get("kind", next((name for name, key in SIGNS.items() if key in data), usual))


def header(table: Table, kind: str) -> None:
    """Read format and kind of a file; scenarios, sweeps, fits and designs need not say their kind, nor in no file their format.

    Raises
    ------
    SpecError
        It is a file of another kind, of which nothing else is worth saying.
    """
    said = kind_of(table.data, kind)
    if said != kind and said in list(KINDS):
        raise SpecError(
            f"{table.findings.source}: is a {said} file; what is needed here is a {kind} file, with {KINDS[kind]}"
        )
    in_a_file = bool(table.findings.lines) and not table.path
    usual = {"default": FORMAT} if kind in SIGNS and not in_a_file else {}
    number = table.raw("format", what=f"format = {FORMAT}", **usual)
    if number is not None and (type(number) is not int or number != FORMAT):
        table.fail("format", f"{found(number)} is not a format this version reads; it reads format = {FORMAT}")
    table.text("kind", *([kind] if kind in SIGNS else []), allowed=[kind])


def read_model(table: Table, name: str, species: Iterable[str]) -> Model:
    """Read a complete model of one of the ``species``, or of none; raise everything that is wrong with it at once."""
    header(table, "model")
    about: dict[str, Any] = {
        "name": table.name("name", name), "title": table.name("title"), "source": table.text("source"),
        "warnings": table.texts("warnings"), "illustrative": table.boolean("illustrative", False),
    }  # fmt: skip
    about["subjects"] = read_subjects(table)
    if (named := about["subjects"].species) and named not in species:
        own = f"a species of your own needs a file, models/species/{named}.toml"
        table.fail("species", f"{found(named)} is not a species{suggestion(named, species)}; {own}")
    parts = Assembly()
    for key, inner in table.children("lineage").items():
        parts.add_lineage(key, inner)
    for key, inner in table.children("drug").items():
        parts.add_drug(key, inner)
    parts.unread(names_in(table.data, "lineage"), names_in(table.data, "drug"))
    for drug, outer in table.children("effect").items():
        if drug not in parts.drugs:
            outer.fail(None, f"no drug '{drug}' is declared{suggestion(drug, parts.drugs)}")
            continue
        for lineage in list(outer.data):
            if (held := outer.table(lineage)) is not None:
                parts.add_effects(drug, lineage, held)
    for key, inner in table.children("residual").items():
        parts.add_residual(key, inner)
    parts.add_correlation(table)
    about["start"] = read_start(table, names_in(table.data, "lineage"))
    about["expected"] = tuple(read_expected(inner, table.data) for inner in table.tables("expected"))
    table.finish()
    return parts.model(table, **about)


def read_start(table: Table, lineages: Iterable[str]) -> dict[str, float]:
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
        unit = "g/dL" if matches[0] == "erythroid" else "10^9/L"
        low, high = count_limits(matches[0])
        out[matches[0]] = inner.quantity(key, unit, low=low, high=high)
    return out


def read_expected(table: Table, whole: Mapping[str, Any]) -> Expected:
    """Read one ``[[expected]]`` entry of a file that holds ``whole``."""
    lineages, drugs = names_in(whole, "lineage"), names_in(whole, "drug")
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
        if isinstance(value, str) or is_number(value):
            changed[key] = value if isinstance(value, str) else float(value)
        else:
            values.fail(key, f"{found(value)} is neither a number nor a quantity such as '90 h'")
    at = table.quantity("at", "h", low=0.0) if "at" in table.data else None
    table.known.append("at")
    expected = Expected(
        what=what, endpoint=endpoint, value=table.number("value"), tolerance=table.number("tolerance", low=0.0),
        dose=table.text("dose", ""), days=table.number("days", 28.0, low=0.0), lineage=lineage, drug=drug, at=at,
        source=table.text("source", ""), set=changed,
    )  # fmt: skip
    table.finish()
    return expected
