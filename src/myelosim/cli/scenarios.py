"""``myelosim scenarios``: what can be compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from myelosim.cli.console import console

if TYPE_CHECKING:
    from rich.console import Console


def scenarios(
    name: Annotated[str | None, typer.Argument(help="A scenario's name or file, to see what is in it.")] = None,
) -> None:
    """List the scenarios, or show the arms of one."""
    out = console()
    if name is not None:
        _show(out, name)
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from myelosim.spec.document import read_toml, shown
    from myelosim.spec.library import files

    table = Table(box=box.SIMPLE_HEAD)
    table.add_column("scenario", no_wrap=True)
    table.add_column("title")
    table.add_column("file", overflow="fold")
    for one, path in sorted(files("scenarios").items()):
        table.add_row(Text(one), Text(str(read_toml(path).data.get("title", ""))), Text(shown(path)))
    out.print(table)
    out.print('"myelosim compare NAME" runs one.')


def _show(out: Console, name: str) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from myelosim.spec.scenarios import load_scenario

    held = load_scenario(name)
    out.print(held.title, style="bold", markup=False)
    if held.text:
        out.print(held.text, markup=False)
    visits = ", ".join(f"{day:g}" for day in held.visits) or "none"
    out.print(
        f"{held.model.title}; {held.size:,} subjects, seed {held.seed}; {held.days:g} days; grades: {held.grading}\n"
        f"visits, elapsed days: {visits}",
        markup=False,
    )
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("arm", "dose", "changes"):
        table.add_column(heading)
    for arm in held.arms:
        changed = {**arm.set, **{f"{k} at start": v for k, v in arm.start.items()}, **arm.covariates}
        changed |= {f"{drug} concentration": "from a table" for drug in arm.concentration}
        if arm.size is not None:
            changed["subjects"] = arm.size
        text = "; ".join(f"{key} = {value}" for key, value in changed.items())
        table.add_row(Text(arm.name), Text(arm.regimen.text), Text(text))
    out.print(table)
