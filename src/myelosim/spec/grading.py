"""Grading tables from files.

A grading file::

    format = 1
    kind = "grading"
    title = "CTCAE v5.0"
    source = "..."
    [bounds.neutrophil]
    unit = "10^9/L"                        # the lineage's own if it does not say
    absolute = ["lln", 1.5, 1.0, 0.5]      # a count below the number has that grade or a worse one
    [bounds.hemoglobin]
    absolute = ["lln", 10.0, 8.0, "-"]     # "-": the table has no number for this grade
    [bounds.platelet]
    relative = [0.75, 0.5, 0.25, 0.1]      # fractions of baseline
    [words]
    1 = "mild"                             # where the table has its own
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from myelosim import units
from myelosim.errors import SpecError
from myelosim.grading import GRADES, Bounds, Table, thresholds
from myelosim.spec import document
from myelosim.spec.library import files, find
from myelosim.spec.literal import found
from myelosim.spec.load import header
from myelosim.spec.model import Model
from myelosim.spec.subjects import LIMIT_UNITS


def usual_grading(species: str) -> str:
    """Return the name of the table by which a species is graded where nobody says: on human scales, normal animals have grades.

    Examples
    --------
    >>> usual_grading("human"), usual_grading("rat")
    ('ctcae_v5', 'percent_of_baseline')
    """
    return "ctcae_v5" if species in ("", "human") else "percent_of_baseline"


def grade_limits(model: Model, table: Table, lineage: str) -> NDArray[np.float64]:
    """Return where grades 1 to 4 begin; of the typical baseline where the table goes by percent of it.

    NaN stands for a grade without a number in the table.
    """
    own = "erythroid" if lineage == "hemoglobin" else lineage
    baseline = model.parameters[f"{own}.baseline"].value
    return np.asarray(thresholds(lineage, table, model.subjects.lower_limit.get(lineage), baseline))


def load_grading(name: str | os.PathLike[str]) -> Table:
    """Load a grading table by name or path.

    Raises
    ------
    SpecError
        There is no such table, or its file says something that cannot be.
    """
    path = find(name, ("grading",))
    if path is None:
        raise SpecError(f"no grading table '{name}'{document.suggestion(str(name), files('grading'))}")
    table = document.read_toml(path)
    header(table, "grading")
    title, source = table.name("title"), table.text("source")
    bounds = {lineage: one for lineage, held in table.children("bounds").items() if (one := _bounds(lineage, held))}
    if "erythroid" in bounds:
        table.fail("bounds", f"grades 'erythroid'{document.suggestion('erythroid', ['hemoglobin'])}")
    words = {}
    held_words = table.table("words")
    for key in held_words.data if held_words else ():
        assert held_words is not None
        if key not in map(str, GRADES):
            held_words.fail(key, f"'{key}' is not a grade; grades are 1 to 4")
        else:
            words[int(key)] = held_words.text(key)
    called = table.name("name", path.stem)
    if not bounds and not table.findings.messages:
        table.fail(None, "grades nothing; give a table [bounds.neutrophil], say")
    table.finish()
    table.findings.check()
    return Table(called, bounds, title, source, words)


def _bounds(lineage: str, table: document.Table) -> Bounds | None:
    own = LIMIT_UNITS.get(lineage, "10^9/L")
    unit = table.text("unit", own)
    try:
        factor = units.convert(1.0, unit, own)
    except ValueError as error:
        table.fail("unit", str(error))
        return None
    rows = {key: _row(table, key, factor if key == "absolute" else 1.0) for key in ("absolute", "relative")}
    table.finish()
    try:
        return Bounds(**{key: tuple(row) for key, row in rows.items() if row is not None})
    except ValueError as error:
        table.fail(None, str(error))
        return None


def _row(table: document.Table, key: str, factor: float) -> list[Any] | None:
    value = table.raw(key, None)
    if value is None:
        return None
    if not isinstance(value, list):
        table.fail(key, f"{found(value)} is not a list of four bounds, for grades 1 to 4")
        return None
    row: list[Any] = []
    for bound in value:
        number = isinstance(bound, int | float) and not isinstance(bound, bool)
        row.append(None if bound == "-" else bound * factor if number else bound)
    return row
