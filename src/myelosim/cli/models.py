"""``myelosim models``: what ships, and every parameter with what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelosim.cli.console import add, console, graded, table, warn
from myelosim.cli.figures import parameter
from myelosim.cli.options import Gcsf, Overwrite, Sensitivity, Species, Variant, named
from myelosim.cli.request import composed
from myelosim.errors import SpecError
from myelosim.writing import written

if TYPE_CHECKING:
    from rich.console import Console

    from myelosim.spec.model import Model, Parameter

UNITS = {"weight": "kg", "surface": "m2"}


def models(
    name: Annotated[
        str | None,
        typer.Argument(
            help="A complete model, a drug (with --species), a species, a grading table, a set of rules, or a file."
        ),
    ] = None,
    species: Species = None,
    variant: Variant = None,
    gcsf: Gcsf = None,
    sensitivity: Sensitivity = None,
    save: Annotated[Path | None, typer.Option(help="Write the complete model to a TOML file.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """List what can be simulated, or print every parameter of a model with its source."""
    named(save, "--save", ".toml", overwrite=overwrite)
    out = console()
    if name is None:
        given = {
            "--species": species,
            "--variant": variant,
            "--gcsf": gcsf,
            "--sensitivity": sensitivity,
            "--save": save,
        }
        if alone := [option for option, value in given.items() if value is not None]:
            raise SpecError(
                f"{alone[0]} needs the NAME of a model or a drug; write myelosim models NAME {alone[0]} ..."
            )
        _list(out)
        return
    from myelosim.spec.library import files

    if species is None and name in files("grading"):
        _grading(out, name)
        return
    if species is None and name in files("rules"):
        _rules(out, files("rules")[name])
        return
    model = composed(name, species, variant, gcsf, sensitivity, hint="--species human")
    if save is not None:
        written(save, model.save)
    _show(out, model)
    if save is not None:
        out.print(f"written: {save}", markup=False, soft_wrap=True)


def _list(out: Console) -> None:
    from myelosim.spec.library import files, list_models

    every = list_models()
    called = {
        "drugs": 'drugs (with --species: "myelosim models NAME --species human")',
        "species": "species, and their variants",
        "published": "complete models",
        "grading": "grading tables",
        "rules": "rules, for an arm of a scenario: rules = [NAME]",
    }
    for kind, heading in called.items():
        listed = table("name", "title", whole=["name"], title=heading, header=False)
        found = files(kind)
        held = every[kind]
        for one in held:
            title = _title(found[one])
            own = held[one] if isinstance(held, Mapping) else []
            add(listed, one, f"{title}: {', '.join(own)}" if own else title)
        out.print(listed)


def _title(path: Path) -> str:
    from myelosim.spec.document import read_toml

    return str(read_toml(path).data.get("title", ""))


def _show(out: Console, model: Model) -> None:
    out.print(f"{model.title}\n{model.source}".rstrip(), style="bold", markup=False)
    out.print(_structure(model), markup=False)
    headings = ("parameter", "value", "unit", "variability", "evidence", "meaning", "source")
    listed = table(*headings, right=["value"], whole=["value", "evidence"])
    for name, one in model.parameters.items():
        cells = (one.unit, _variability(one), graded(one.evidence), one.meaning, one.source)
        add(listed, name, parameter(one.value), *cells)
    out.print(listed)
    for (first, second), value in model.correlation.items():
        out.print(f"correlation of {first} and {second}: {value:g}", markup=False)
    for lineage, residual in model.residual.items():
        terms = ", ".join(f"{term} {value:g}" for term, value in residual.sigma.items())
        out.print(f"scatter of an observed {lineage}: {residual.kind} ({terms})", markup=False)
    warn(out, [*model.warnings, *(["The numbers are illustrative; they are not data."] if model.illustrative else [])])
    out.print(f"{len(model.assumed)} of {len(model.parameters)} parameters are assumed, not measured.")


def _structure(model: Model) -> str:
    lines = []
    if model.subjects.species:
        about = ", ".join(f"{name} {_plain(name, value)}" for name, value in model.subjects.covariates.items())
        lines.append(f"subjects: {' '.join(filter(None, (model.subjects.species, model.subjects.variant)))}; {about}")
    for drug in model.drugs.values():
        lines.append(
            f"{drug.name}: {drug.kind}, doses in {drug.amount_unit}, concentrations in {drug.concentration_unit}"
        )
    for lineage in model.lineages.values():
        lines.append(f"{lineage.name}: {lineage.kind}")
    for effect in model.effects:
        verb = "inhibits" if effect.action == "inhibit" else "stimulates"
        lines.append(f"{effect.drug} {verb} {effect.site} of {effect.lineage}: {effect.kind}, {effect.delay}")
    return "\n".join(lines)


def _plain(name: str, value: Any) -> str:
    return value if isinstance(value, str) else f"{value:g} {UNITS.get(name, '')}".rstrip()


def _variability(one: Parameter) -> str:
    if not one.omega_sd:
        return ""
    bounds = [f"{sign} {bound:g}" for sign, bound in ((">=", one.floor), ("<=", one.ceiling)) if bound is not None]
    return f"sd {one.omega_sd:.3g} ({', '.join([one.scale, *bounds])})"


def _grading(out: Console, name: str) -> None:
    from myelosim.grading import GRADES
    from myelosim.spec.grading import load_grading

    held = load_grading(name)
    grades = [f"{grade} {held.words.get(grade, '')}".strip() for grade in GRADES]
    listed = table("grade begins below", *grades, right=grades, title=f"{held.title}\n{held.source}".strip())
    for lineage, bounds in held.bounds.items():
        for what, values in (("", bounds.absolute), (" / baseline", bounds.relative)):
            if any(value is not None for value in values or ()):
                add(listed, lineage + what, *map(_bound, values))
    out.print(listed)


def _rules(out: Console, path: Path) -> None:
    from myelosim.spec.document import read_toml

    data = read_toml(path).data
    out.print(str(data.get("title", "")), style="bold", markup=False)
    out.print(f"{data.get('source', '')}\n", markup=False)
    for name, keys in data.get("rule", {}).items():
        listed = table("key", "value", whole=["key"], header=False, title=f"[rule.{name}]")
        for key, value in keys.items():
            if key != "warnings":
                add(listed, key, value if isinstance(value, str) else str(value))
        out.print(listed)
    warn(out, [text for keys in data.get("rule", {}).values() for text in keys.get("warnings", [])])


def _bound(value: Any) -> str:
    return "-" if value is None else "lower limit" if value == "lln" else f"{value:g}"
