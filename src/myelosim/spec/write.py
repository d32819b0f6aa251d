"""A model as a TOML file that loads back equal."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from myelosim.spec import declared
from myelosim.spec.entry import written
from myelosim.spec.literal import key_literal, literal
from myelosim.spec.load import FORMAT
from myelosim.spec.model import Drug, Effect, Expected, Lineage, Model, Parameter


def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write a model; the file is there whole or not at all."""
    target = Path(path)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text(model))
        os.chmod(name, 0o644)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def text(model: Model) -> str:
    """Return a model as the text of a complete model file."""
    return "\n".join(line for block in _blocks(model) for line in (*block, ""))


def _blocks(model: Model) -> Iterator[list[str]]:
    subjects = model.subjects
    yield _lines(
        {
            "format": FORMAT, "kind": "model", "name": model.name, "title": model.title, "source": model.source,
            "species": subjects.species or None, "variant": subjects.variant or None,
            "warnings": list(model.warnings) or None, "illustrative": model.illustrative or None,
        }
    )  # fmt: skip
    yield from _table("covariates", subjects.covariates)
    blood: dict[str, Any] = {
        "volume": subjects.blood_volume,
        "draw": subjects.draw_volume,
        "limits": subjects.blood_limits,
    }
    yield from _table("blood", {key: value for key, value in blood.items() if value or value == 0.0})
    yield from _table("lower_limit", subjects.lower_limit)
    for drug in model.drugs.values():
        yield [f"[drug.{key_literal(drug.name)}]", *_lines(_drug(drug, model.parameters))]
    for lineage in model.lineages.values():
        yield [f"[lineage.{key_literal(lineage.name)}]", *_lines(_lineage(lineage, model.parameters))]
    for effect in model.effects:
        header = ".".join(key_literal(part) for part in effect.prefix.split("."))
        yield [f"[effect.{header}]", *_lines(_effect(effect, model))]
    for name, residual in model.residual.items():
        yield from _table(f"residual.{key_literal(name)}", {"kind": residual.kind, **residual.sigma})
    yield from _table("start", model.start)
    for key, pairs in (("correlation", model.correlation), ("error_correlation", model.error_correlation)):
        for pair, value in pairs.items():
            yield [f"[[{key}]]", *_lines({"between": list(pair), "value": value})]
    for expected in model.expected:
        yield ["[[expected]]", *_lines(_expected(expected))]


def _table(name: str, values: Mapping[str, Any]) -> Iterator[list[str]]:
    if values:
        yield [f"[{name}]", *_lines(values)]


def _drug(drug: Drug, parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    asked = declared.of_drug(drug)
    own = {
        "pk": drug.kind, **drug.structure, "amount": drug.amount_unit, "concentration": drug.concentration_unit,
        "molar_mass": drug.molar_mass, "route": drug.default_route, "routes": list(drug.routes) or None, "text": drug.text or None,
        "supportive": drug.supportive or None,
        **({} if drug.table is None else drug.table),
    }  # fmt: skip
    return own | _parameters(asked, parameters)


def _lineage(lineage: Lineage, parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    own = {"kind": lineage.kind, **lineage.structure, "combine": lineage.combine}
    return own | _parameters(declared.of_lineage(lineage), parameters)


def _effect(effect: Effect, model: Model) -> dict[str, Any]:
    own = {
        "kind": effect.kind, "site": effect.site, "action": effect.action, "driver": effect.driver,
        "delay": effect.delay, **effect.structure,
    }  # fmt: skip
    return own | _parameters(declared.of_effect(effect, model.drugs[effect.drug]), model.parameters)


def _parameters(asked: Mapping[str, Any], parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    return {name.rsplit(".", 1)[-1]: written(parameters[name], one.meaning) for name, one in asked.items()}


def _expected(expected: Expected) -> dict[str, Any]:
    return {
        "what": expected.what, "dose": expected.dose or None, "days": expected.days,
        "lineage": expected.lineage or None, "drug": expected.drug or None, "endpoint": expected.endpoint,
        "at": expected.at, "set": dict(expected.set) or None, "value": expected.value,
        "tolerance": expected.tolerance, "source": expected.source or None,
    }  # fmt: skip


def _lines(values: Mapping[str, Any]) -> list[str]:
    return [f"{key_literal(key)} = {literal(value)}" for key, value in values.items() if value is not None]
