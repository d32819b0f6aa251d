"""Forecast files.

A forecast file::

    format = 1
    kind = "forecast"
    model = { drug = "cemsidomide", species = "human", variant = "rrmm" }
    data = { file = "patient.csv", columns = { ID = "patient" } }
    dose = "cemsidomide 75 ug QD d1-14 q28d x2"      # where the data do not say what is going to be given
    subject = "012"                                  # where they are of several
    days = 28
    now = 7                                          # the day of the last observation, if it does not say
    lineages = ["neutrophil"]                        # whose nadir the next draw is for; all, if it does not say
    visits = 2                                       # how many next draws are chosen together; 1, if it does not say
    candidate_days = "d9,11,15,18"                   # among these; every day, if it does not say
    gap = "2 d"
    weekdays = true
    first_day = "monday"
    criterion = "nadir"                              # nadir, nadir_day, grade3, D, count (at = 21), or the first three together
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec.chosen import chosen_model
from myelosim.spec.design import WEEK
from myelosim.spec.document import Table, read_toml
from myelosim.spec.fit import DataFile
from myelosim.spec.fits import read_data
from myelosim.spec.library import find
from myelosim.spec.load import header
from myelosim.spec.model import Model, observable

MOST_DAYS = 36_525.0
MOST_VISITS = 3
CRITERIA = ("forecast", "nadir", "nadir_day", "grade3", "count", "D")


@dataclass(frozen=True, slots=True)
class Forecast:
    """Whose counts are forecast; ``options`` are the arguments of :func:`myelosim.forecast` that the file gives."""

    name: str
    load: Mapping[str, Any]
    model: Model
    data: DataFile
    options: Mapping[str, Any] = field(default_factory=dict)
    path: str = field(default="", compare=False)


def load_forecast(source: str | os.PathLike[str]) -> Forecast:
    """Load a forecast from a file.

    Raises
    ------
    SpecError
        The file is not found, or something in it cannot be; all that is wrong with it is reported together.
    """
    path = find(source, ("scenarios",))
    if path is None:
        raise SpecError(f"no forecast '{source}'; give the path of a file")
    return dataclasses.replace(read_forecast(read_toml(path), path.stem), path=str(path.resolve()))


def read_forecast(table: Table, name: str) -> Forecast:
    """Read a forecast; raise everything that is wrong with it at once."""
    header(table, "forecast")
    load, model = chosen_model(table)
    data = read_data(table)
    options: dict[str, Any] = {"days": table.number("days", 28.0, low=1e-3, high=MOST_DAYS)}
    if "now" in table.data:
        options["now"] = table.number("now", low=0.0, high=MOST_DAYS)
    for key, argument in (("dose", "regimen"), ("lineages", "lineages")):
        if several := table.texts(key):
            options[argument] = list(several)
    if model is not None:
        known = [observable(one) for one in model.lineages]
        for one in options.get("lineages", ()):
            if one not in known:
                table.fail("lineages", f"the model has no '{one}'; it has {', '.join(known)}")
    for key in ("subject", "grading"):
        if key in table.data:
            options[key] = table.text(key)
    options |= _draws(table)
    options["seed"] = table.integer("seed", 1)
    options["samples"] = table.integer("samples", 1000, low=10, high=100_000)
    table.finish(("title", "text"))
    table.findings.check()
    assert model is not None and data is not None
    return Forecast(name, load, model, data, options)


def _draws(table: Table) -> dict[str, Any]:
    """Read which next draws there are to choose from, where the file says."""
    readers: dict[str, Callable[[], Any]] = {
        "visits": lambda: table.integer("visits", low=1, high=MOST_VISITS),
        "candidate_days": lambda: table.raw("candidate_days"),
        "gap": lambda: table.quantity("gap", "d", low=0.0, high=3650.0, example="2 d"),
        "weekdays": lambda: table.boolean("weekdays", False),
        "first_day": lambda: table.text("first_day", allowed=WEEK),
        "criterion": lambda: table.text("criterion", allowed=CRITERIA),
        "at": lambda: table.number("at", low=0.0, high=MOST_DAYS),
    }
    return {key: read() for key, read in readers.items() if key in table.data}
