"""``myelosim sensitivity``: which parameter drives an endpoint."""

from __future__ import annotations

from typing import Annotated

import typer

from myelosim.cli.console import collected, console, progress, warn
from myelosim.cli.figures import parameter
from myelosim.cli.models import COLORS
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
        table = run(asked.model, asked.regimen, endpoint=endpoint, lineage=lineage, days=days)
    from rich import box
    from rich.table import Table
    from rich.text import Text

    out = console()
    title = f"{asked.model.title}: percent change of {endpoint} per percent change of the parameter"
    printed = Table(title=Text(title), title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("parameter", "value", "unit", "evidence", "elasticity"):
        printed.add_column(heading, justify="right" if heading in ("value", "elasticity") else "left")
    for row in table.head(top).to_dict("records"):
        printed.add_row(
            Text(row["parameter"]), parameter(row["value"]), Text(row["unit"]),
            Text(row["evidence"], style=COLORS.get(row["evidence"], "dim")), f"{row['elasticity']:+.3f}",
        )  # fmt: skip
    out.print(printed)
    warn(out, said)
