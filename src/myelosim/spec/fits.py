"""Fit files into :class:`~myelosim.spec.fit.Fit`."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from myelosim import units
from myelosim.errors import SpecError
from myelosim.spec.chosen import chosen_model
from myelosim.spec.concentrations import INTERPOLATIONS
from myelosim.spec.document import Findings, Table, read_toml, shown, suggestion
from myelosim.spec.estimate_entries import read_estimate
from myelosim.spec.fit import BOOTSTRAPS, COVARIANCES, METHODS, OPTIONS, DataFile, Fit, Uncertainty
from myelosim.spec.library import files, find
from myelosim.spec.literal import found
from myelosim.spec.load import header
from myelosim.spec.model import Model
from myelosim.spec.named import parameter_name
from myelosim.spec.scenario import TOLERANCES


def load_fit(source: str | os.PathLike[str] | Mapping[str, Any]) -> Fit:
    """Load a fit by name, by path, or from a mapping that says what a file would.

    Raises
    ------
    SpecError
        The file is not found, or something in it cannot be; all that is wrong with it is reported together.
    """
    if isinstance(source, Mapping):
        return read_fit(Table(source, (), Findings("fit")), "fit")
    path = find(source, ("scenarios", "pilots"))
    if path is None:
        raise SpecError(f"no fit '{source}'{suggestion(str(source), {**files('scenarios'), **files('pilots')})}")
    return dataclasses.replace(read_fit(read_toml(path), path.stem), path=str(path.resolve()))


def read_fit(table: Table, name: str) -> Fit:
    """Read a fit; raise everything that is wrong with it at once."""
    header(table, "fit")
    name, title, text = table.name("name", name), table.name("title", ""), table.text("text", "")
    load, model = chosen_model(table)
    data = read_data(table)
    method = table.text("method", "focei", allowed=METHODS)
    model, estimate = read_estimate(table, model)
    if model is None:
        table.known.append("uncertainty")
    uncertainty = Uncertainty() if model is None else _uncertainty(table, model)
    seed, starts, tolerance, options = _options(table, method)
    table.finish()
    table.findings.check()
    assert model is not None and data is not None
    return Fit(
        name=name, title=title or name, load=load, model=model, data=data, method=method,
        estimate=estimate, seed=seed, starts=starts, tolerance=tolerance, options=options, uncertainty=uncertainty, text=text,
    )  # fmt: skip


def read_data(table: Table) -> DataFile | None:
    """Read where the data are, relative to the file that says it, and how they are read."""
    held = table.table("data", required=True)
    if held is None:
        return None
    file = held.name("file")
    path = held.findings.folder / file
    if file and not path.exists():
        held.fail("file", f"there is no file {shown(path)}; give a path relative to this file")
    settings: dict[str, Any] = {}
    for key in ("columns", "units", "observables", "interpolation", "lloq"):
        if key in held.data:
            settings[key] = _mapping(held, key)
    for key in ("previous", "strict"):
        if key in held.data:
            settings[key] = held.boolean(key, False)
    if drug := held.text("drug", ""):
        settings["drug"] = drug
    if "doses" in held.data:
        settings["doses"] = _doses(held, path)
    held.finish(("columns", "units", "observables", "interpolation", "lloq", "doses", "previous", "strict"))
    return DataFile(file, settings, path)


def _doses(table: Table, data: Path) -> Any:
    """Read a file of doses beside the data, or doses by group."""
    if not isinstance(table.data["doses"], str):
        return _mapping(table, "doses")
    name = table.name("doses")
    if not (data.parent / name).is_file():
        table.fail("doses", f"there is no file {shown(data.parent / name)}; give a path relative to the data file")
    return name


def _mapping(table: Table, key: str) -> Any:
    """Read a table of texts; ``interpolation`` and ``lloq`` may be one value for all, limits may be numbers."""
    value = table.raw(key)
    each: list[tuple[Table, str, Any]] = [(table, key, value)]
    if isinstance(value, Mapping):
        inner = table.table(key)
        assert inner is not None
        each = [(inner, name, one) for name, one in value.items()]
    elif key not in ("interpolation", "lloq"):
        table.fail(key, f"{found(value)} is not a table; write e.g. {key} = {{ {_EXAMPLES[key]} }}")
        return {}
    for where, name, one in each:
        if key == "lloq" and not isinstance(one, str):
            where.number(name, low=0.0)
        elif where.text(name, allowed=INTERPOLATIONS if key == "interpolation" else None) and key == "units":
            try:
                units.dimension(one)
            except ValueError as error:
                where.fail(name, str(error))
    return value


_EXAMPLES = {
    "doses": 'low = "drug 20 mg QD d1-14"',
    "columns": 'ID = "animal"',
    "units": 'neutrophil = "10^3/uL"',
    "observables": '1 = "neutrophil"',
}


def _options(table: Table, method: str) -> tuple[int, int | None, float | None, dict[str, int]]:
    held = table.table("options")
    if held is None:
        return 1, None, None, {}
    seed, own = held.integer("seed", 1), OPTIONS.get(method, {})
    starts = held.integer("starts", low=1, high=10_000) if "starts" in held.data else None
    low, high = TOLERANCES
    tolerance = held.number("tolerance", low=low, high=high) if "tolerance" in held.data else None
    options = {key: held.integer(key, low=least) for key, least in own.items() if key in held.data}
    for other, keys in OPTIONS.items():
        for key in held.data.keys() & keys.keys() - own.keys():
            held.fail(key, f'belongs to method = "{other}"; this fit is by {method}')
    held.finish(("seed", "starts", "tolerance", *own))
    return seed, starts, tolerance, options


def _uncertainty(table: Table, model: Model) -> Uncertainty:
    held = table.table("uncertainty")
    if held is None:
        return Uncertainty()
    names = [parameter_name(model, name, held.findings, (*held.path, "profile")) for name in held.texts("profile")]
    made = Uncertainty(
        covariance=held.text("covariance", "auto", allowed=COVARIANCES),
        sir=held.integer("sir", 0, high=1_000_000), bootstrap=held.integer("bootstrap", 0, high=100_000),
        bootstrap_kind=held.text("bootstrap_kind", "case", allowed=BOOTSTRAPS),
        profile=tuple(name for name in names if name),
    )  # fmt: skip
    held.finish()
    return made
