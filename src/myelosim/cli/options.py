"""Arguments and options that commands share, and numbers whose message says what was found."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from myelosim.errors import SpecError
from myelosim.writing import check


def whole(low: int) -> Callable[[str], int]:
    """Return what reads a whole number of at least ``low``."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise typer.BadParameter(f"{text!r} is not a whole number") from None
        if value < low:
            raise typer.BadParameter(f"{value} is too small; it must be {low} or more")
        return value

    return read


def above_zero(most: float) -> Callable[[str], float]:
    """Return what reads a number above 0, up to ``most``."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not 0 < value <= most or math.isinf(value):
            limit = f" and at most {most:g}" if math.isfinite(most) else ""
            raise typer.BadParameter(f"{text} is not a number above 0{limit}")
        return value

    return read


def named(path: Path | None, option: str, *suffixes: str, overwrite: bool) -> None:
    """Raise :class:`SpecError` where a file is asked for that has the wrong ending, or cannot or must not be written."""
    if path is not None and path.suffix not in suffixes:
        raise SpecError(f"{option} {path}: write a file ending in {' or '.join(suffixes)}")
    if path is not None:
        check(path, option, overwrite=overwrite)


What = Annotated[
    list[str],
    typer.Argument(
        metavar="MODEL [SPECIES] DOSE",
        help='A complete model, or a drug (several: a,b) and a species; then doses, e.g. "100 ug QD d1-14 q28d x4", or none.',
        show_default=False,
    ),
]
ModelName = Annotated[
    str | None, typer.Option("--model", help="A complete model, a drug (several: a,b) with --species, or a file.")
]
Species = Annotated[str | None, typer.Option(help="Whom a drug is given to.")]
Column = Annotated[
    list[str] | None,
    typer.Option(metavar="ITEM=COLUMN", help="Where something is in the data, e.g. ID=animal; repeat."),
]
Variant = Annotated[str | None, typer.Option(help="Strain or patient population of the species.")]
Gcsf = Annotated[str | None, typer.Option(help="A G-CSF that can be dosed: filgrastim or pegfilgrastim.")]
Sensitivity = Annotated[
    float | None,
    typer.Option(
        parser=above_zero(math.inf),
        metavar="FACTOR",
        help="How the species responds to the drug: a factor on its potency, instead of its file's.",
    ),
]
Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help='E.g. neutrophil.mtt="110 h"; repeat for more.')
]
Days = Annotated[float, typer.Option(parser=above_zero(36525), metavar="DAYS", help="Horizon in elapsed days.")]
Threads = Annotated[
    int | None, typer.Option(parser=whole(1), metavar="N", help="Threads; the result does not depend on it.")
]
Wide = Annotated[bool, typer.Option("--wide", help="Print every column, in as many tables as it takes.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
