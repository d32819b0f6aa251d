"""What can be observed of a model, under which names, and in which unit."""

from __future__ import annotations

from collections.abc import Mapping

from myelosim.spec.model import Model, observable
from myelosim.spec.scatter import observed_unit


def units_of(model: Model) -> dict[str, str]:
    """Return every observable of a model with its canonical unit: lineages, then drugs."""
    return {name: observed_unit(model, name) for name in (*map(observable, model.lineages), *model.drugs)}


def named(text: str, names: Mapping[str, str]) -> str | None:
    """Return the observable that a text names, in any case; the erythroid lineage is observed as hemoglobin.

    Examples
    --------
    >>> named("Platelet", {"platelet": "10^9/L"}), named("erythroid", {"hemoglobin": "g/dL"})
    ('platelet', 'hemoglobin')
    """
    word = text.strip().lower()
    return {name.lower(): name for name in names}.get("hemoglobin" if word == "erythroid" else word)


def lineage_of(name: str) -> str:
    """Return the lineage whose observable this is."""
    return "erythroid" if name == "hemoglobin" else name
