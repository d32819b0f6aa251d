"""``myelosim compare``: the arms of a scenario side by side."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myelosim.cli.console import collected, console, progress, warn
from myelosim.cli.options import Overwrite, Threads, Wide, whole
from myelosim.errors import SpecError

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

    from myelosim.spec.scenario import Scenario


def compare(
    scenario: Annotated[str, typer.Argument(help='A scenario\'s name or file; "myelosim scenarios" lists them.')],
    subjects: Annotated[
        int | None, typer.Option(parser=whole(1), metavar="N", help="Virtual subjects, instead of the scenario's.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(parser=whole(0), metavar="N", help="Which subjects, instead of the scenario's seed.")
    ] = None,
    threads: Threads = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the result; default results/NAME.")] = None,
    overwrite: Overwrite = False,
    figure: Annotated[bool, typer.Option(help="Draw figure.png beside the numbers.")] = True,
    wide: Wide = False,
) -> None:
    """Compare dose schedules: nadirs, grades, recovery, and the days on which to draw blood.

    An earlier result of the same scenario file is replaced; anything else only with --overwrite.
    """
    began = time.perf_counter()
    with progress("loading") as told, collected() as said:
        from dataclasses import replace

        from myelosim.comparison import compare as run
        from myelosim.comparison import save
        from myelosim.spec.scenarios import load_scenario
        from myelosim.writing import check_folder

        held = load_scenario(scenario)
        if out is None and held.name != Path(held.name).name:
            raise SpecError(f"{scenario}: its name '{held.name}' is no name of a folder; say where to write with --out")
        folder = out or Path("results") / held.name
        check_folder(folder, held.path, overwrite=overwrite)
        held = replace(held, size=subjects or held.size, seed=held.seed if seed is None else seed)
        result = run(held, threads=threads, progress=told)
        told("writing", 1.0)
        files = save(result, folder, figure=figure, overwrite=overwrite)
    printed = console()
    _print(printed, held, result, wide)
    warn(printed, said)
    printed.print(_basis(held, result), markup=False)
    seconds = f"time: {result.attrs['seconds']}; with loading and writing {time.perf_counter() - began:.2f} s"
    printed.print(seconds, markup=False)
    printed.print(f"written: {', '.join(map(str, files))}", markup=False, soft_wrap=True)


def _print(out: Console, held: Scenario, result: xr.Dataset, wide: bool) -> None:
    from myelosim.cli.days import calendars
    from myelosim.cli.overview import alike, notes, overview, who
    from myelosim.comparison import days_table, summary
    from myelosim.monitoring import shown

    rows = summary(result).to_dict("records") if "lineage" in result.dims else []
    sizes = {row["subjects"] for row in rows} or {held.size}
    same = alike(arm.model for arm in held.arms)
    single = same or sizes == {1}
    title = f"{held.title}  (each arm: {who(sizes, same)}; {held.days:g} days, seed {held.seed})"
    overview(out, rows, title, single=single, wide=wide)
    started = any(arm.model.start for arm in held.arms)
    notes(out, rows, held.grading, single=single, wide=wide, started=started)
    if "calendar" in result or "draws" in result:
        best = max(rows, key=lambda row: -1.0 if row["p_grade3"] != row["p_grade3"] else row["p_grade3"])
        table = days_table(result)
        usual = shown(table["draws"].dropna().astype(int))
        brief = table[(table["lineage"] == best["lineage"]) & (table["draws"].isna() | (table["draws"] == usual))]
        calendars(out, brief, held.recommend)


def _basis(held: Scenario, result: xr.Dataset) -> str:
    assumed = int(result.attrs["assumed_parameters"])
    total = len({name for arm in held.arms for name in arm.model.parameters})
    what = held.load.get("model")
    if what is None:
        drugs = held.load["drug"]
        what = drugs if isinstance(drugs, str) else ",".join(drugs)
        options = ("species", "variant", "gcsf", "sensitivity")
        what += "".join(f" --{key} {held.load[key]}" for key in options if key in held.load)
    return f'{assumed} of {total} parameters are assumed, not measured; "myelosim models {what}" names them and their sources.'
