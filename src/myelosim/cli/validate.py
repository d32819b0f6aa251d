"""``myelosim validate``: models held to the numbers their files expect."""

from __future__ import annotations

from typing import Annotated

import typer

from myelosim.cli.console import add, collected, console, progress, table, warn


def validate(
    name: Annotated[list[str] | None, typer.Argument(help="Complete models, by name or file; default all.")] = None,
    missed: Annotated[bool, typer.Option("--missed", help="Print only what does not come out.")] = False,
) -> None:
    """Hold published models to the numbers of their sources; exit 1 if any is missed."""
    with progress("validating") as told, collected() as said:
        from myelosim.validation import validate as run

        checks = run(name or None, progress=told)
    from rich.text import Text

    numbers = ("expected", "obtained", "tolerance")
    listed = table("model", "what", *numbers, "", right=numbers)
    for one in checks:
        if one.met and missed:
            continue
        verdict = Text("ok", style="green") if one.met else Text(one.problem or "MISSED", style="bold red")
        wanted = one.expected
        cells = (one.model, wanted.what, f"{wanted.value:.6g}", f"{one.obtained:.6g}", f"{wanted.tolerance:g}")
        add(listed, *cells, verdict)
    out = console()
    if listed.rows:
        out.print(listed)
    warn(out, said)
    bad = sum(not one.met for one in checks)
    out.print(f"{len(checks) - bad} of {len(checks)} numbers come out as expected")
    if bad:
        raise typer.Exit(1)
