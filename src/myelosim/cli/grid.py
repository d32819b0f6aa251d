"""The tables that ``sweep`` prints: shares by cell, and the highest dose under the limit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from myelosim.cli.console import add, table
from myelosim.cli.figures import NONE, percent, spread

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

    from myelosim.spec.sweep import Sweep

MOST_ROWS, MOST_COLUMNS = 60, 10
UNDOSED = "no drug"


def grid(out: Console, held: Sweep, result: xr.Dataset) -> None:
    """Print P(grade >= 3) of every lineage by cell, the highest dose under the limit, and what must be known of both."""
    from myelosim.sweeping import highest

    sizes = sorted({cell.size for cell in held.cells})
    many = " or ".join(f"{size:,}" for size in sizes)
    scenario = held.cells[0].scenario
    out.print(
        f"\n{held.title}  (each cell: {many} subjects; {scenario.days:g} days, seed {scenario.seed})",
        style="bold",
        markup=False,
    )
    _shares(out, held, result)
    found = highest(result)
    if len(found):
        _limit(out, held, result, found.to_dict("records"))
    out.print("\n".join(_notes(held, result)), markup=False, style="dim")


def _shares(out: Console, held: Sweep, result: xr.Dataset) -> None:
    across = next((axis for axis in held.axes if axis.name == "dose"), held.axes[0])
    down = [axis for axis in held.axes if axis is not across]
    rows = list(_rows(result, across.name, [axis.name for axis in down]))
    shown = [row for row in rows if any(math.isfinite(p) for p, _, _ in row[1])]
    if len(shown) > MOST_ROWS or len(across.values) > MOST_COLUMNS:
        out.print(f"{len(held.cells)} cells are too many to print; all are in table.csv and figure.png", markup=False)
        return
    ill = _ill(result)
    headings = ["lineage", *(axis.name for axis in down), *([UNDOSED] if ill else []), *across.values]
    listed = table(*headings, right=[UNDOSED, *across.values], whole=[UNDOSED, *across.values], title="P(grade >= 3)")
    for k, (labels, cells, undosed) in enumerate(shown):
        if k and labels[0] != shown[k - 1][0][0]:
            listed.add_section()
        add(listed, *labels, *([_cell(undosed)] if ill else []), *map(_cell, cells))
    out.print(listed)


Bounded = tuple[float, float, float]


def _rows(result: xr.Dataset, across: str, down: list[str]) -> Iterator[tuple[list[str], list[Bounded], Bounded]]:
    import numpy as np

    down = ["lineage", *down]
    for place in np.ndindex(*(result.sizes[name] for name in down)):
        one = result.isel(dict(zip(down, place, strict=True)))
        bounds = [one[f"p_grade3{bound}"].to_numpy() for bound in ("", "_low", "_high")]
        undosed = [one[f"p_grade3_undosed{bound}"].to_numpy() for bound in ("", "_low", "_high")]
        none: Any = [float(value) if value.ndim == 0 else math.nan for value in undosed]
        labels = [str(one[name].item()) for name in down]
        yield labels, [(float(p), float(low), float(high)) for p, low, high in zip(*bounds, strict=True)], tuple(none)


def _cell(p: Bounded) -> str:
    return spread(dict(zip(("p", "p_low", "p_high"), p, strict=True)), "p", percent)


def _ill(result: xr.Dataset) -> bool:
    """Tell whether some subjects reach grade 3 without any drug."""
    return bool((result["p_grade3_undosed"] > 0).any())


def _limit(out: Console, held: Sweep, result: xr.Dataset, rows: list[Mapping[str, Any]]) -> None:
    other = [axis.name for axis in held.axes if axis.name != "dose"]
    headings = [*other, "highest dose", "P there", "next dose", "P there ", UNDOSED]
    listed = table(
        *headings, right=headings[-4:], title=f"Highest dose with the upper bound of {result.attrs['limit']}"
    )
    for row in rows:
        cells = [str(row[name]) for name in [*other, "highest_dose"]]
        add(listed, *cells, spread(row, "p", percent), row["above"] or NONE, spread(row, "p_above", percent),
            spread(row, "p_undosed", percent))  # fmt: skip
    out.print(listed)


def _notes(held: Sweep, result: xr.Dataset) -> list[str]:
    lines = ["Under an estimate its 95 % interval, for the number of subjects only, not for what the model assumes. All cells "
             "have the same subjects, drawn anew only where a cell's values bring them below a floor."]  # fmt: skip
    tables = result["grading"].to_series().to_dict() if "grading" in result.coords else {}
    if len(set(tables.values())) > 1:
        lines.append("Grades: " + "; ".join(f"{who}: {name}" for who, name in tables.items()) + ": not the same thing.")
    else:
        lines.append(f"Grades: {result.attrs['grading']}, of the true counts.")
    idle = [str(name) for name in result["lineage"].to_numpy() if not result["dose_matters"].sel(lineage=name)]
    if idle and any(axis.name == "dose" for axis in held.axes):
        lines.append(
            f"The dose axis says nothing about {', '.join(idle)}: in this model {held.drug} acts on them, if at all, by its "
            "presence and not by its exposure."
        )
    if _ill(result):
        lines.append("Some subjects have grade 3 without any drug (column 'no drug'): incidence is partly disease.")
    elif bool((result["p_grade3_undosed"].notnull()).any()):
        lines.append("Without any drug no subject reaches grade 3.")
    if float(result["dose_intensity"].min()) < 1.0:
        lines.append("Doses were held or reduced by rules: dose_intensity in table.csv.")
    return lines
