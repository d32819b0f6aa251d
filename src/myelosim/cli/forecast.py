"""``myelosim forecast``: one subject's counts so far, and what is to be expected."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelosim.cli.console import add, collected, console, progress, table, warn
from myelosim.cli.figures import NONE, day, number, percent, spread
from myelosim.cli.options import (
    Changes,
    Column,
    Gcsf,
    ModelName,
    Overwrite,
    Sensitivity,
    Species,
    Threads,
    Variant,
    above_zero,
    named,
    whole,
)
from myelosim.errors import SpecError

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

    from myelosim.spec.model import Model

SHOWN = 5  # days that tell most


def forecast(
    data: Annotated[
        Path,
        typer.Argument(help="The subject's doses and counts (a table, Excel, SEND ...), or a forecast file, .toml."),
    ],
    model: ModelName = None,
    species: Species = None,
    variant: Variant = None,
    gcsf: Gcsf = None,
    sensitivity: Sensitivity = None,
    changes: Changes = None,
    days: Annotated[
        float | None,
        typer.Option(parser=above_zero(36525), metavar="DAYS", help="Horizon in elapsed days; default 28."),
    ] = None,
    dose: Annotated[
        list[str] | None, typer.Option(help="What is going to be given, where the data do not say; repeat for more.")
    ] = None,
    subject: Annotated[str | None, typer.Option(help="Whose, where the data are of several.")] = None,
    now: Annotated[
        float | None,
        typer.Option(
            parser=above_zero(36525), metavar="DAYS", help="Elapsed days that are over; default the last count's."
        ),
    ] = None,
    lineage: Annotated[
        list[str] | None,
        typer.Option(help="For whom the next draw is looked for; default all that have a nadir; repeat for more."),
    ] = None,
    visits: Annotated[
        int | None, typer.Option(parser=whole(1), metavar="N", help="Next draws to choose together, 1 to 3; default 1.")
    ] = None,
    candidate_days: Annotated[
        str | None, typer.Option(metavar="DAYS", help="Days they are chosen from: 7-21, 8,11,15 (elapsed) or d8 q2d.")
    ] = None,
    gap: Annotated[str | None, typer.Option(help='Least time between two draws, e.g. "2 d".')] = None,
    weekdays: Annotated[bool | None, typer.Option("--weekdays", help="No draw on a weekend.")] = None,
    first_day: Annotated[str | None, typer.Option(help="Day of the week of day 0; default monday.")] = None,
    criterion: Annotated[
        str | None,
        typer.Option(help="What draws are to tell: nadir, nadir_day, grade3 (default: all three), count (--at), D."),
    ] = None,
    at: Annotated[
        float | None, typer.Option(parser=above_zero(36525), metavar="DAYS", help="Elapsed day of that count.")
    ] = None,
    column: Column = None,
    grading: Annotated[
        str | None, typer.Option(help="Grading table; default CTCAE v5 for people, percent of baseline for animals.")
    ] = None,
    seed: Annotated[int | None, typer.Option(parser=whole(0), metavar="N", help="Of the random numbers.")] = None,
    samples: Annotated[int | None, typer.Option(parser=whole(10), metavar="N", help="Individuals to keep.")] = None,
    threads: Threads = None,
    json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON instead of tables.")] = False,
    out: Annotated[Path | None, typer.Option(help="FILE.nc: everything.")] = None,
    figure: Annotated[Path | None, typer.Option(help="Where to draw: a .png, .pdf or .svg.")] = None,
    overwrite: Overwrite = False,
) -> None:
    """Forecast one subject's nadir from its counts so far, and the day whose count would tell most."""
    named(out, "--out", ".nc", overwrite=overwrite)
    named(figure, "--figure", ".png", ".pdf", ".svg", overwrite=overwrite)
    with progress("forecasting"), collected() as said:
        from myelosim.cli.design import listed
        from myelosim.cli.request import chosen, columns_of
        from myelosim.fitting import forecast as run

        given: dict[str, Any] = {
            "days": days, "regimen": dose, "subject": subject, "now": now, "lineages": lineage, "grading": grading, "seed": seed,
            "samples": samples, "visits": visits, "gap": gap, "weekdays": weekdays, "first_day": first_day, "at": at,
            "candidate_days": None if candidate_days is None else listed(candidate_days), "criterion": criterion,
        }  # fmt: skip
        options = {key: value for key, value in given.items() if value is not None}
        if data.suffix == ".toml":
            also = {"--model": model, "--species": species, "--variant": variant, "--gcsf": gcsf, "--set": changes}
            whose, source, filed = _filed(data, {**also, "--sensitivity": sensitivity, "--column": column})
            options = {**filed, **options}
        else:
            whose, source = chosen(model, species, variant, gcsf, sensitivity, changes), data
            options["read_as"] = {"columns": columns_of(column)} if column else None
        ds = run(whose, source, threads=threads, **options)
    _write(ds, out, figure)
    if json:
        typer.echo(_json(ds))
        return
    printed = console()
    _print(printed, ds)
    warn(printed, said)
    printed.print(
        f"{ds.attrs['assumed_parameters']} of {len(whose.parameters)} parameters are assumed, not measured. {ds.attrs['note']}",
        markup=False,
    )
    for path in filter(None, (out, figure)):
        printed.print(f"written: {path}", markup=False, soft_wrap=True)


def _filed(path: Path, given: dict[str, Any]) -> tuple[Model, Any, dict[str, Any]]:
    """Return model, data and options of a forecast file, beside which nothing may be said of model and columns."""
    from myelosim.spec.forecasts import load_forecast

    if also := [option for option, value in given.items() if value is not None]:
        raise SpecError(f"{also[0]} is what {path} says; change it there, or give the data instead of the file")
    held = load_forecast(path)
    return held.model, held.data.path, {**held.options, "read_as": held.data.arguments}


def _write(ds: xr.Dataset, out: Path | None, figure: Path | None) -> None:
    from myelosim.writing import written

    if out is not None:
        written(out, lambda draft: ds.to_netcdf(draft, engine="h5netcdf"))
    if figure is not None:
        from myelosim.plots import plot_forecast

        drawing = plot_forecast(ds)[0].figure
        written(figure, lambda draft: drawing.savefig(draft, dpi=200))


def _row(ds: xr.Dataset, lineage: str) -> dict[str, float]:
    """Return the numbers of a lineage: medians, and their intervals as ``_low`` and ``_high``."""
    own, row = ds.sel(lineage=lineage), {}
    for name in (
        "nadir",
        "nadir_day",
        "remaining_nadir",
        "remaining_nadir_day",
        "days_grade3",
        "recovery_day",
        "baseline",
    ):
        for end, q in (("_low", 0.05), ("", 0.5), ("_high", 0.95)):
            row[name + end] = float(own[name].sel(quantile=q))
    for name in ("p_grade3", "p_grade4"):
        row |= {name + end: float(own[name + end]) for end in ("_low", "", "_high")}
    for name in ("prior_nadir", "prior_nadir_day"):
        row[name] = float(own[name].sel(quantile=0.5))
    return row | {name: float(own[name]) for name in ("prior_p_grade3", "p_passed", "nadir_left")}


def _print(out: Console, ds: xr.Dataset) -> None:
    seen, now = ds.sizes["observation"], ds.attrs["now"]
    title = f"{ds.attrs['title']}\nsubject {ds.attrs['subject']}, {seen} observations up to day {now:g}"
    unit = dict(zip(ds["lineage"].to_numpy().tolist(), ds["units"].to_numpy().tolist(), strict=True))
    listed = table(
        "lineage", "nadir", "nadir\nday", "from now on", "on day", "P(grade\n>=3)", "P(grade\n4)", "days\ngrade>=3",
        "recovery\nday", "without counts:\nnadir", "\nday", "\nP(grade>=3)", title=title,
    )  # fmt: skip
    for name in unit:
        row = _row(ds, name)
        add(
            listed, f"{name}\n{unit[name]}", spread(row, "nadir", number), spread(row, "nadir_day", day),
            spread(row, "remaining_nadir", number), spread(row, "remaining_nadir_day", day), spread(row, "p_grade3", percent),
            spread(row, "p_grade4", percent), spread(row, "days_grade3", day), spread(row, "recovery_day", day),
            number(row["prior_nadir"]), day(row["prior_nadir_day"]), percent(row["prior_p_grade3"]),
        )  # fmt: skip
    out.print(listed)
    out.print(
        "Median over the 5 to 95 % of what the counts leave possible; probabilities over the 95 % interval of their computation; "
        f"recovery of those with grade >= 3. Elapsed days: study day d1 is day 0. Grades: {ds.attrs['grading']}.",
        markup=False, style="dim",
    )  # fmt: skip
    _parameters(out, ds)
    _draws(out, ds)
    for line in filter(None, ds.attrs["findings"].split("\n")):
        out.print(f"- {line}", markup=False)
    few = ds.attrs["effective_samples"]
    out.print(
        f"{ds.attrs['samples']} individuals, worth {few:.0f} independent ones; {ds.attrs['seconds']:.1f} s", style="dim"
    )


def _parameters(out: Console, ds: xr.Dataset) -> None:
    listed = table(
        "parameter", "typical", "this subject", "5-95 %", "unit", "spread\nleft", right=("typical", "this subject")
    )
    for k, name in enumerate(ds["parameter"].to_numpy().tolist()):
        own = ds.isel(parameter=k)
        low, middle, high = (number(float(own["parameter_value"].sel(quantile=q))) for q in (0.05, 0.5, 0.95))
        left = percent(math.sqrt(float(own["shrinkage"])))
        add(listed, name, number(float(own["typical"])), middle, f"{low} - {high}", own["parameter_unit"].item(), left)
    out.print(listed)


def _draws(out: Console, ds: xr.Dataset) -> None:
    best = ds["next_draws"].to_numpy()
    if math.isnan(best[0]):
        out.print("No later count is expected to tell anything that is worth naming.")
        return
    lineages, turns = ds["lineage"].to_numpy().tolist(), len(best)
    what = f"What a count of all lineages is expected to tell: most on day{'s' * (turns > 1)} {_and(best)}"
    listed = table(
        "day", "tells", "efficiency", *(f"{name}:\n{_targets(ds)}" for name in lineages), right=("day",), title=what
    )
    add(listed, "now", NONE, NONE, *(_errors(ds, each) for each in ds["target_sd"].to_numpy()))
    for k in range(min(SHOWN, ds.sizes["choice"])):
        own = ds.isel(choice=k)
        told = (float(own[name]) for name in ("choice_information", "choice_efficiency"))
        add(
            listed,
            _and(own["choice_days"].to_numpy()),
            *map(percent, told),
            *(_errors(ds, one) for one in own["choice_sd"].to_numpy()),
        )
    out.print(listed)
    sets = f"best of {ds.attrs['sets']} sets of {turns} days" if turns > 1 else f"best of {ds.attrs['sets']} days"
    about = ds["information"].attrs["long_name"].partition(": ")[2]
    out.print(
        f"The {sets}. Below the lineages: standard deviations now, and those to be expected after the counts: of the nadir's depth "
        "(a share of it), of its day, of whether grade 3 is reached. tells: share of variance that is expected to go "
        f"({about}); efficiency: what the best leaves of it over what is left. A count after a nadir narrows it looking back.",
        markup=False, style="dim",
    )  # fmt: skip


def _targets(ds: xr.Dataset) -> str:
    called = {"nadir_day": "day", "grade3": "grade"}
    return ", ".join(called.get(name, name) for name in ds["target"].to_numpy().tolist())


def _errors(ds: xr.Dataset, errors: Iterable[float]) -> str:
    """Return standard deviations of a lineage's targets: of logarithms as percent, of days, of a probability."""
    forms: dict[str, Callable[[float], str]] = {"nadir_day": day, "grade3": number}
    names = ds["target"].to_numpy().tolist()
    told = (
        forms.get(name, percent)(float(x)) if math.isfinite(x) else NONE for name, x in zip(names, errors, strict=True)
    )
    return ", ".join(told)


def _and(days: Iterable[float]) -> str:
    return ", ".join(f"{one:g}" for one in days)


def _json(ds: xr.Dataset) -> str:
    import json

    from myelosim.writing import plain

    told = {
        "subject": ds.attrs["subject"], "now": ds.attrs["now"], "next_draw": float(ds["next_draw"]),
        "next_draws": ds["next_draws"].to_numpy().tolist(), "criterion": ds.attrs["criterion"],
        "choices": [
            {"days": own["choice_days"].to_numpy().tolist(), "information": float(own["choice_information"]),
             "efficiency": float(own["choice_efficiency"])}
            for own in (ds.isel(choice=k) for k in range(ds.sizes["choice"]))
        ],
        "lineages": {
            name: {"unit": ds["units"].sel(lineage=name).item(), **_row(ds, name)} for name in ds["lineage"].to_numpy().tolist()
        },
        "information": {f"{v:g}": float(x) for v, x in zip(ds["visit"].to_numpy(), ds["information"].to_numpy(), strict=True)},
        "parameters": {
            name: {"typical": float(ds["typical"][k]), "low": float(ds["parameter_value"][0, k]),
                   "median": float(ds["parameter_value"].sel(quantile=0.5)[k]), "high": float(ds["parameter_value"][-1, k]),
                   "shrinkage": float(ds["shrinkage"][k])}
            for k, name in enumerate(ds["parameter"].to_numpy().tolist())
        },
        "findings": list(filter(None, ds.attrs["findings"].split("\n"))), "effective_samples": ds.attrs["effective_samples"],
        "note": ds.attrs["note"],
    }  # fmt: skip
    return json.dumps(plain(told), indent=2)
