"""``myelosim compare``: the arms of a scenario side by side."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myelosim.cli.console import collected, console, progress, warn
from myelosim.errors import SpecError

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

    from myelosim.spec.scenario import Scenario


def compare(
    scenario: Annotated[str, typer.Argument(help='A scenario\'s name or file; "myelosim scenarios" lists them.')],
    subjects: Annotated[int | None, typer.Option(min=1, help="Virtual subjects, instead of the scenario's.")] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Which subjects, instead of the scenario's seed.")] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Threads; the result does not depend on it.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the result; default results/NAME.")] = None,
    figure: Annotated[bool, typer.Option(help="Draw figure.png beside the numbers.")] = True,
) -> None:
    """Compare dose schedules: nadirs, grades, recovery, and the days on which to draw blood."""
    began = time.perf_counter()
    with progress("loading") as told, collected() as said:
        from dataclasses import replace

        from myelosim.comparison import compare as run
        from myelosim.comparison import save
        from myelosim.spec.scenarios import load_scenario

        held = load_scenario(scenario)
        if out is None and held.name != Path(held.name).name:
            raise SpecError(f"{scenario}: its name '{held.name}' is no name of a folder; say where to write with --out")
        held = replace(held, size=subjects or held.size, seed=held.seed if seed is None else seed)
        result = run(held, threads=threads, progress=lambda doing, done: told(_doing(doing, done), done))
        told("writing", 1.0)
        folder = save(result, out or Path("results") / held.name, figure=figure)
    printed = console()
    _print(printed, held, result)
    warn(printed, said)
    printed.print(_basis(held, result), markup=False)
    seconds = f"time: {result.attrs['seconds']}; with loading and writing {time.perf_counter() - began:.2f} s"
    printed.print(seconds, markup=False)
    printed.print(f"written: {', '.join(str(path) for path in sorted(folder.iterdir()))}", markup=False, soft_wrap=True)


def _doing(doing: str, done: float) -> str:
    return f"{doing} (the first run of a kind of model compiles it)" if done == 0 else doing


def _print(out: Console, held: Scenario, result: xr.Dataset) -> None:
    from myelosim.cli.overview import overview
    from myelosim.comparison import summary
    from myelosim.spec.grading import load_grading

    rows = summary(result).to_dict("records") if "lineage" in result.dims else []
    sizes = {row["subjects"] for row in rows} or {held.size}
    many = " or ".join(f"{size:,}" for size in sorted(sizes))
    grading = load_grading(held.grading)
    overview(out, rows, f"{held.title}  ({many} subjects an arm, {held.days:g} days, seed {held.seed})")
    lines = [
        "Under each estimate its 95 % interval, for the number of subjects only, not for what the model assumes.",
        f'Grades: {grading.title or grading.name}, of the true counts; "-": the table has no number for that grade.',
        "Days are elapsed days since time zero: study day d1 is day 0, study day d8 is day 7.",
        'Recovery: median day of lasting return to grade <= 1 after the last grade 3; "not": share not back by the end.',
    ]
    if held.visits:
        lines.append(
            f"Own visits: {len(held.visits)} of the protocol; caught: true episodes of grade >= 3 that a draw showed."
        )
    if "monitoring_day" in result:
        chosen = result["monitoring_day"].notnull().any("arm").sum("pick").to_numpy()
        lines.append(
            f"Days to draw blood: the best {min(5, int(chosen.max()))}, chosen per arm on one half of the subjects and "
            "scored on the other."
        )
    out.print("\n".join(lines), markup=False, style="dim")


def _basis(held: Scenario, result: xr.Dataset) -> str:
    assumed = int(result.attrs["assumed_parameters"])
    total = len({name for arm in held.arms for name in arm.model.parameters})
    what = held.load.get("model")
    if what is None:
        drugs = held.load["drug"]
        what = drugs if isinstance(drugs, str) else ",".join(drugs)
        what += "".join(f" --{key} {held.load[key]}" for key in ("species", "variant", "gcsf") if key in held.load)
    return f'{assumed} of {total} parameters are assumed, not measured; "myelosim models {what}" names them and their sources.'
