"""``myelosim simulate``: one dose schedule, one line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myelosim.cli.console import collected, console, progress, warn
from myelosim.cli.request import Changes, Days, Gcsf, Sensitivity, Variant, What, requested, start
from myelosim.cli.writing import named, written

if TYPE_CHECKING:
    import xarray as xr


def simulate(
    what: What,
    days: Days = 56.0,
    subjects: Annotated[
        int | None, typer.Option(min=1, help="Virtual subjects; without it the typical subject alone.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Which subjects.")] = 1,
    variant: Variant = None,
    gcsf: Gcsf = None,
    sensitivity: Sensitivity = None,
    visits: Annotated[
        str | None, typer.Option(help='When blood is drawn: elapsed days "3,5,7", or study days "d1 weekly".')
    ] = None,
    grading: Annotated[str, typer.Option(help="Grading table.")] = "ctcae_v5",
    changes: Changes = None,
    at_start: Annotated[
        list[str] | None,
        typer.Option("--start", metavar="LINEAGE=COUNT", help="Count at time zero where it is not the baseline."),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; the result does not depend on it.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="FILE.nc: everything; FILE.csv: doses and counts as NONMEM rows.")
    ] = None,
) -> None:
    """Simulate one dose schedule and print its nadirs."""
    named(out, "--out", ".nc", ".csv")
    with progress("simulating (a new kind of model is compiled once)"), collected() as said:
        from myelosim.population import Population
        from myelosim.simulation import simulate as run

        asked = requested(what, variant, gcsf, sensitivity, changes)
        population = None if subjects is None else Population(subjects, seed)
        ds = run(
            asked.model, asked.regimen, days=days, population=population, visits=_visits(visits), grading=grading,
            start=start(asked.model, at_start), threads=threads,
        )  # fmt: skip
        if out is not None:
            _write(ds, out)
    from myelosim.cli.overview import overview
    from myelosim.comparison import outline

    printed = console()
    rows = outline(ds, asked.model).to_dict("records") if "lineage" in ds.dims else []
    who = "typical subject" if subjects is None else f"{subjects:,} subjects, seed {seed}"
    overview(printed, rows, f"{ds.attrs['title']}  ({who}, {days:g} days)", "dose")
    printed.print("Days are elapsed days since time zero: study day d1 is day 0.", style="dim")
    warn(printed, said)
    total = len(asked.model.parameters)
    printed.print(f"{ds.attrs['assumed_parameters']} of {total} parameters are assumed, not measured.")
    if out is not None:
        printed.print(f"written: {out}", markup=False, soft_wrap=True)


def _visits(text: str | None) -> str | list[str | float] | None:
    """Read elapsed days where there are only numbers, else study days."""
    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        return text


def _write(ds: xr.Dataset, path: Path) -> None:
    from myelosim.simulation import to_events

    if path.suffix == ".csv":
        rows = to_events(ds)
        written(path, lambda draft: rows.to_csv(draft, index=False))
    else:
        written(path, lambda draft: ds.to_netcdf(draft, engine="h5netcdf"))
