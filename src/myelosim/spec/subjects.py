"""Whom a model describes: covariates, blood and limits of normal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from myelosim import units
from myelosim.spec.document import Table
from myelosim.spec.entry import COVARIATE_UNITS
from myelosim.spec.literal import found
from myelosim.spec.model import Subjects

LIMIT_UNITS = {"hemoglobin": "g/dL", "rbc": "10^12/L", "hematocrit": "%"}


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


def covariate_limits(name: str) -> tuple[float, float]:
    """Return the least and the most that a covariate can be: of weight in kg, of surface in m2."""
    return (1e-4, 1e4) if name in COVARIATE_UNITS else (-1e9, 1e9)


def covariate(table: Table, key: str) -> float | str | None:
    """Read one covariate; None, with a finding, where it cannot be."""
    value = table.raw(key)
    low, high = covariate_limits(key)
    if key in COVARIATE_UNITS:
        example = "70 kg" if key == "weight" else "1.8 m2"
        return table.quantity(key, COVARIATE_UNITS[key], low=low, high=high, example=example)
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        table.fail(key, f"{found(value)} is neither a number nor a category")
        return None
    return table.text(key) if isinstance(value, str) else table.number(key, low=low, high=high)


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
            return units.convert(number, written, unit) if written else None
        except ValueError as error:
            inner.fail("unit", str(error))
            return None
    return None if value is None else table.quantity(key, unit, low=0.0)


def read_limits(table: Table) -> dict[str, float]:
    """Read ``[lower_limit]``: the lower limit of normal by lineage."""
    inner = table.table("lower_limit")
    if inner is None:
        return {}
    return {
        key: _plain(inner, key, LIMIT_UNITS.get(key, "10^9/L")) or 0.0 for key in inner.data
    }  # fmt: skip
