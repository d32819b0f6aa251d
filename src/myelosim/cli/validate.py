"""``myelosim validate``: models held to the numbers their files expect."""

from __future__ import annotations

from typing import Annotated

import typer

from myelosim.cli.console import collected, console, progress, warn


def validate(
    name: Annotated[list[str] | None, typer.Argument(help="Complete models, by name or file; default all.")] = None,
    missed: Annotated[bool, typer.Option("--missed", help="Print only what does not come out.")] = False,
) -> None:
    """Hold published models to the numbers of their sources; exit 1 if any is missed."""
    with progress("validating") as told, collected() as said:
        from myelosim.validation import validate as run

        checks = run(name or None, progress=told)
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("model", "what", "expected", "obtained", "tolerance", ""):
        table.add_column(heading, justify="right" if heading in ("expected", "obtained", "tolerance") else "left")
    for one in checks:
        if one.met and missed:
            continue
        verdict = Text("ok", style="green") if one.met else Text(one.problem or "MISSED", style="bold red")
        table.add_row(
            Text(one.model), Text(one.expected.what), f"{one.expected.value:.6g}", f"{one.obtained:.6g}",
            f"{one.expected.tolerance:g}", verdict,
        )  # fmt: skip
    out = console()
    if table.rows:
        out.print(table)
    warn(out, said)
    bad = sum(not one.met for one in checks)
    out.print(f"{len(checks) - bad} of {len(checks)} numbers come out as expected")
    if bad:
        raise typer.Exit(1)
