"""``myelosim scenarios``: what can be compared and swept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from myelosim.cli.console import add, console, table

if TYPE_CHECKING:
    from rich.console import Console


def scenarios(
    name: Annotated[str | None, typer.Argument(help="A scenario's name or file, to see what is in it.")] = None,
) -> None:
    """List the scenarios, sweeps, designs and fits, or show the arms of a scenario."""
    out = console()
    if name is not None:
        _show(out, name)
        return
    from myelosim.spec.document import read_toml, shown
    from myelosim.spec.library import files
    from myelosim.spec.load import kind_of

    found = sorted(item for folder in ("scenarios", "designs", "pilots") for item in files(folder).items())
    every = [(one, path, read_toml(path).data) for one, path in found]
    for what, command in (("scenario", "compare"), ("sweep", "sweep"), ("design", "design"), ("fit", "fit")):
        if what not in {kind_of(data, "scenario") for _, _, data in every}:
            continue
        listed = table(what, "title", "file", whole=[what])
        for one, path, data in every:
            if kind_of(data, "scenario") == what:
                add(listed, one, str(data.get("title", "")), shown(path))
        out.print(listed)
        out.print(f'"myelosim {command} NAME" runs one.')


def _show(out: Console, name: str) -> None:
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
    listed = table("arm", "dose", "changes")
    for arm in held.arms:
        changed = {**arm.set, **{f"{k} at start": v for k, v in arm.start.items()}, **arm.covariates}
        changed |= {f"{drug} concentration": "from a table" for drug in arm.concentration}
        if arm.size is not None:
            changed["subjects"] = arm.size
        text = "; ".join(f"{key} = {value}" for key, value in changed.items())
        add(listed, arm.name, arm.regimen.text, text)
    out.print(listed)
