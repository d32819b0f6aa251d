"""``myelosim cache``: compiled programs on disk."""

from __future__ import annotations

from typing import Annotated

import typer

from myelosim.cli.console import console, progress


def cache(
    clear: Annotated[bool, typer.Option("--clear", help="Delete them; they are compiled again when needed.")] = False,
) -> None:
    """Show where compiled programs are kept, or delete them."""
    from myelosim.engine.cache import folder, stored

    out = console()
    with progress("looking"):
        files = stored()
    size = sum(path.stat().st_size for path in files)
    programs = sum(path.suffix == ".py" for path in files)
    out.print(str(folder()), markup=False, soft_wrap=True)
    if clear:
        for path in files:
            path.unlink(missing_ok=True)
    out.print(f"{programs} programs, {size / 1e6:.1f} MB{', deleted' if clear else ''}")
