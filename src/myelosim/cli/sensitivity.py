"""``myelosim sensitivity``: which parameter drives an endpoint."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from myelosim.cli.console import add, collected, console, graded, progress, table, warn
from myelosim.cli.figures import NONE, parameter
from myelosim.cli.options import Changes, Days, Gcsf, Sensitivity, Variant, What, whole
from myelosim.cli.request import requested


def sensitivity(
    what: What,
    endpoint: Annotated[str, typer.Option(help="E.g. nadir, nadir_day, days_grade3.")] = "nadir",
    lineage: Annotated[str | None, typer.Option(help="Default: the first.")] = None,
    days: Days = 56.0,
    variant: Variant = None,
    gcsf: Gcsf = None,
    sensitivity: Sensitivity = None,
    changes: Changes = None,
    top: Annotated[int, typer.Option(parser=whole(1), metavar="N", help="How many parameters to print.")] = 20,
) -> None:
    """Rank the parameters by what one percent of each does to an endpoint of the typical subject."""
    with progress("simulating"), collected() as said:
        from myelosim.simulation import sensitivity as run

        asked = requested(what, variant, gcsf, sensitivity, changes)
        ranked = run(asked.model, asked.regimen, endpoint=endpoint, lineage=lineage, days=days)
    title = f"{asked.model.title}: percent change of {endpoint} per percent change of the parameter"
    headings = ("parameter", "value", "unit", "evidence", "elasticity")
    listed = table(*headings, right=["value", "elasticity"], title=title)
    for row in ranked.head(top).to_dict("records"):
        cells = (row["parameter"], parameter(row["value"]), row["unit"], graded(row["evidence"]))
        add(listed, *cells, f"{row['elasticity']:+.3f}" if math.isfinite(row["elasticity"]) else NONE)
    out = console()
    out.print(listed)
    warn(out, said)
