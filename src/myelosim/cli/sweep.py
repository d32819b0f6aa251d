"""``myelosim sweep``: a grid of doses, schedules and species, and the highest dose under a limit."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myelosim.cli.console import collected, console, progress, warn
from myelosim.cli.failure import INTERRUPTED
from myelosim.cli.options import Overwrite, Threads, whole
from myelosim.errors import SpecError

if TYPE_CHECKING:
    import xarray as xr
    from rich.console import Console

    from myelosim.spec.sweep import Sweep


def parted(text: str) -> str:
    """Refuse what is not ``k/n``."""
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        raise typer.BadParameter(f"{text!r} is no part of a sweep; write e.g. 3/64, the third of 64")
    return text


def sweep(
    file: Annotated[
        str, typer.Argument(metavar="SWEEP", help='A sweep\'s name or file; "myelosim scenarios" lists them.')
    ],
    subjects: Annotated[
        int | None, typer.Option(parser=whole(1), metavar="N", help="Virtual subjects, instead of the scenario's.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(parser=whole(0), metavar="N", help="Which subjects, instead of the scenario's seed.")
    ] = None,
    threads: Threads = None,
    shard: Annotated[
        str, typer.Option(metavar="K/N", help="Only the k-th of n parts: as a job of a batch queue.", callback=parted)
    ] = "1/1",
    collect: Annotated[
        bool, typer.Option("--collect", help="Only make the summary of what other shards simulated.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Folder for the result; default results/NAME.")] = None,
    overwrite: Overwrite = False,
    figure: Annotated[bool, typer.Option(help="Draw figure.png beside the numbers.")] = True,
) -> None:
    """Sweep over doses, schedules and species: P(grade >= 3), and the highest dose that keeps it under a limit.

    The subjects go to a store in the folder. When a sweep was interrupted, run it again: it goes on where it was.
    """
    began = time.perf_counter()
    with progress("loading") as told, collected() as said:
        from myelosim.spec.sweeps import load_sweep
        from myelosim.sweeping import Filling, save
        from myelosim.writing import check_folder

        held = load_sweep(file, size=subjects, seed=seed)
        folder = _folder(out, held, file)
        check_folder(folder, held.path, overwrite=overwrite)
        filling = Filling(held, folder, overwrite=overwrite)
        try:
            if not collect:
                k, n = map(int, shard.split("/"))
                filling.run(threads=threads, shard=(k, n), progress=told)
        except KeyboardInterrupt:
            typer.echo("interrupted; the same command goes on with what is missing", err=True)
            raise typer.Exit(INTERRUPTED) from None
        missing = 0 if collect else len(filling.missing())
        result = None if missing else filling.collect(told)
        if result is not None:
            told("writing", 1.0)
            files = save(result, folder, figure=figure, overwrite=overwrite)
    printed = console()
    if result is None:
        printed.print(
            f"{missing} blocks are left to the other shards; the last to end, or --collect, writes the result",
            markup=False,
        )
        return
    _report(printed, held, result, said)
    printed.print(f"time: {time.perf_counter() - began:.2f} s", markup=False)
    printed.print(f"written: {', '.join(map(str, [*files, filling.store.path]))}", markup=False, soft_wrap=True)


def _report(out: Console, held: Sweep, result: xr.Dataset, said: list[str]) -> None:
    from myelosim.cli.grid import grid

    grid(out, held, result)
    warn(out, [*said, *str(result.attrs["warnings"]).splitlines()])
    named = {name for cell in held.cells for name in cell.scenario.arms[0].model.parameters}
    out.print(
        f"{result.attrs['assumed_parameters']} of {len(named)} parameters are assumed, not measured.", markup=False
    )


def _folder(out: Path | None, held: Sweep, file: str) -> Path:
    if out is None and held.name != Path(held.name).name:
        raise SpecError(f"{file}: its name '{held.name}' is no name of a folder; say where to write with --out")
    return out or Path("results") / held.name
