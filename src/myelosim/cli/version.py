"""``myelosim --version`` and what ``--help`` says first."""

from __future__ import annotations

from typing import Annotated

import typer


def _print(show: bool) -> None:
    if show:
        from myelosim import __version__

        typer.echo(f"myelosim {__version__}")
        raise typer.Exit


def version(
    show: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print, help="Print the version and stop.")
    ] = False,
) -> None:
    """Blood counts under drugs: nadirs, grades and the days to draw blood, for people and animals.

    Start with "myelosim scenarios", then "myelosim compare NAME". Research software: no advice for any patient.
    """
