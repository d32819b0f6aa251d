"""The model that a file chooses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec.compose import SENSITIVITY
from myelosim.spec.document import Table
from myelosim.spec.library import load_model
from myelosim.spec.literal import found
from myelosim.spec.model import Model


def chosen_model(table: Table) -> tuple[Mapping[str, Any], Model | None]:
    """Load a file's model: a name, a path (also relative to the file), or what to compose; return what is loaded, too."""
    value = table.raw("model", what='a name, a path, or { drug = "...", species = "..." }')
    if value is None:
        return {}, None
    if isinstance(value, str):
        load: dict[str, Any] = {"model": value}
    elif isinstance(value, Mapping):
        load = _composition(table)
    else:
        table.fail("model", f'{found(value)} is neither a name nor a path nor {{ drug = "...", species = "..." }}')
        return {}, None
    if not load:
        return {}, None
    try:
        arguments = dict(load)
        what = arguments.pop("model" if "model" in arguments else "drug")
        return load, load_model(near(table, what), **arguments)
    except SpecError as error:
        table.fail("model", str(error))
        return load, None


def near(table: Table, what: Any) -> Any:
    """Return a path relative to the folder of the file where the file is there."""
    if isinstance(what, str) and what.endswith(".toml") and (table.findings.folder / what).is_file():
        return table.findings.folder / what
    return what


def _composition(table: Table) -> dict[str, Any]:
    held = table.table("model")
    assert held is not None
    before = len(held.findings.messages)
    drugs = held.texts("drug")
    load: dict[str, Any] = {"drug": drugs[0] if len(drugs) == 1 else drugs}
    if "drug" not in held.data:
        held.fail(None, "'drug' is missing; give the name of one, or a list")
    for key in ("species", "variant", "gcsf"):
        if text := held.text(key, ""):
            load[key] = text
    if "sensitivity" in held.data:
        load["sensitivity"] = held.number("sensitivity", low=SENSITIVITY[0], high=SENSITIVITY[1])
    held.known.append("sensitivity")
    held.finish()
    return load if len(held.findings.messages) == before and drugs else {}
