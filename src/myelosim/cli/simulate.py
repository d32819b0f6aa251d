"""``myelosim simulate``: one dose schedule, one line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myelosim.cli.console import collected, console, progress, warn
from myelosim.cli.options import Changes, Days, Gcsf, Overwrite, Sensitivity, Threads, Variant, What, Wide, named, whole
from myelosim.cli.request import requested, start

if TYPE_CHECKING:
    import xarray as xr


def simulate(
    what: What,
    days: Days = 56.0,
    subjects: Annotated[
        int | None,
        typer.Option(parser=whole(1), metavar="N", help="Virtual subjects; without it the typical subject alone."),
    ] = None,
    seed: Annotated[int, typer.Option(parser=whole(0), metavar="N", help="Which subjects.")] = 1,
    variant: Variant = None,
    gcsf: Gcsf = None,
    sensitivity: Sensitivity = None,
    visits: Annotated[
        str | None, typer.Option(help='When blood is drawn: elapsed days "3,5,7", or study days "d1 weekly".')
    ] = None,
    grading: Annotated[
        str | None, typer.Option(help="Grading table; default CTCAE v5 for people, percent of baseline for animals.")
    ] = None,
    changes: Changes = None,
    at_start: Annotated[
        list[str] | None,
        typer.Option("--start", metavar="LINEAGE=COUNT", help="Count at time zero where it is not the baseline."),
    ] = None,
    threads: Threads = None,
    out: Annotated[
        Path | None, typer.Option(help="FILE.nc: everything; FILE.csv: doses and counts as NONMEM rows.")
    ] = None,
    wide: Wide = False,
    overwrite: Overwrite = False,
) -> None:
    """Simulate one dose schedule and print its nadirs."""
    named(out, "--out", ".nc", ".csv", overwrite=overwrite)
    with progress("simulating"), collected() as said:
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
    from myelosim.cli.overview import alike, notes, overview, who
    from myelosim.comparison import outline

    printed = console()
    rows = outline(ds, asked.model).to_dict("records") if "lineage" in ds.dims else []
    same = alike([asked.model])
    whom = "typical subject" if subjects is None else who([subjects], same)
    drawn = "" if subjects is None else f", seed {seed}"
    single = same or ds.sizes["subject"] == 1
    overview(printed, rows, f"{ds.attrs['title']}  ({whom}; {days:g} days{drawn})", "dose", single=single, wide=wide)
    started = bool(at_start or asked.model.start)
    notes(printed, rows, ds.attrs["grading"], single=single, wide=wide, started=started)
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
    from myelosim.writing import written

    if path.suffix == ".csv":
        rows = to_events(ds)
        written(path, lambda draft: rows.to_csv(draft, index=False))
    else:
        written(path, lambda draft: ds.to_netcdf(draft, engine="h5netcdf"))
