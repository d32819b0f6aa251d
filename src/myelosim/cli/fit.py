"""``myelosim fit``: what counts say about a model's parameters, how sure, and whether to believe it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelosim.cli.console import collected, console, progress, warn
from myelosim.cli.failure import INTERRUPTED
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
    whole,
)
from myelosim.errors import SpecError

if TYPE_CHECKING:
    from myelosim.fitting import Fit
    from myelosim.fitting.kept import Kept
    from myelosim.spec.fit import Fit as Asked

ENDED = 1e-6  # expected gain at which a search ends
USUAL = 3  # starts that are enough where they agree
SURE = 0.1  # of the work, from which on what is left can be told


def fit(
    what: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="Doses and counts (a table, Excel, SEND ...) with --model, or a fit's name or file, .toml.",
        ),
    ],
    model: ModelName = None,
    species: Species = None,
    variant: Variant = None,
    gcsf: Gcsf = None,
    sensitivity: Sensitivity = None,
    changes: Changes = None,
    free: Annotated[
        list[str] | None, typer.Option(help="A parameter to estimate, instead of the usual ones; repeat for more.")
    ] = None,
    fixed: Annotated[list[str] | None, typer.Option(help="One of the usual ones not to estimate; repeat.")] = None,
    priors: Annotated[
        str | None, typer.Option(metavar="literature|WEIGHT", help="Take the model's values and errors as priors.")
    ] = None,
    blq: Annotated[str | None, typer.Option(help="Values below the limit: m3 (their chance) or m1 (left out).")] = None,
    column: Column = None,
    method: Annotated[str | None, typer.Option(help="focei (default), foce, fo, agq, importance, saem ...")] = None,
    starts: Annotated[
        int | None, typer.Option(parser=whole(1), metavar="N", help="Most starting points; default 8.")
    ] = None,
    seed: Annotated[int | None, typer.Option(parser=whole(0), metavar="N", help="Of starts and simulations.")] = None,
    covariance: Annotated[
        str | None, typer.Option(help="auto (sandwich; r for few subjects), sandwich, r, s or none.")
    ] = None,
    evaluate_only: Annotated[
        bool, typer.Option("--evaluate-only", help="The objective at the start, and no search.")
    ] = False,
    threads: Threads = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the result; default results/NAME.")] = None,
    overwrite: Overwrite = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an interrupted fit was.")] = False,
    figure: Annotated[bool, typer.Option(help="Draw the figures, too.")] = True,
) -> None:
    """Fit a model to counts: estimates, how sure they are, and what speaks against them.

    Interrupted, it leaves the best so far on disk, and --resume goes on. An earlier fit of the same file is replaced.
    """
    began = time.perf_counter()
    for option, asked_for in (("--evaluate-only", evaluate_only), ("--overwrite", overwrite)):
        if resume and asked_for:
            raise SpecError(f"--resume goes on with a fit, which {option} contradicts; leave one of them out")
    named = {
        "--model": model, "--species": species, "--variant": variant, "--gcsf": gcsf, "--sensitivity": sensitivity,
        "--set": changes, "--free": free, "--fixed": fixed, "--priors": priors, "--blq": blq, "--column": column,
    }  # fmt: skip
    options = {"method": method, "starts": starts, "seed": seed, "covariance": covariance}
    with collected() as said:
        with progress("reading"):
            from myelosim.fitting.fit import UNKEPT
            from myelosim.fitting.run import changed
            from myelosim.fitting.save import check_folder
            from myelosim.writing import alone

            asked, file = _asked(what, named)
            given = {key: value for key, value in options.items() if value is not None}
            asked = changed(asked, evaluate_only=evaluate_only, **given)
            if resume and asked.method in UNKEPT:
                raise SpecError(f"--resume: a fit by {asked.method} keeps nothing to go on from; leave it out")
            folder = _folder(out, asked, what)
            check_folder(folder, file, overwrite=overwrite)
        with alone(folder):
            found, files = _done(asked, file, folder, evaluate_only, threads, resume, figure, overwrite)
    printed = console()
    _print(found)
    warn(printed, said)
    for one in _left_out(folder):
        printed.print(f"left out: {one}", markup=False, soft_wrap=True)
    printed.print(f"time: {time.perf_counter() - began:.2f} s", markup=False)
    printed.print(f"written: {', '.join(map(str, files))}", markup=False, soft_wrap=True)


def _done(
    asked: Asked, file: str, folder: Path, evaluate_only: bool, threads: int | None, resume: bool, figure: bool,
    overwrite: bool,
) -> tuple[Fit, list[Path]]:  # fmt: skip
    """Read, fit and write; return the fit and its files."""
    from myelosim.data import report
    from myelosim.fitting.kept import Kept
    from myelosim.fitting.run import check, intervals_of, run_fit, study_of

    kept = None if evaluate_only else Kept(folder / "so_far.npz", resume=resume)
    with progress("reading"):
        study = study_of(asked)
        check(asked, study)
    console().print(report(study) + "\n", markup=False, soft_wrap=True)
    with progress("fitting") as told:
        try:
            watch = Watch(told, asked.starts)
            found = run_fit(asked, study=study, evaluate_only=evaluate_only, threads=threads, kept=kept, tell=watch)
            told("intervals", 1.0)
            intervals = {} if evaluate_only else intervals_of(asked, found)
        except KeyboardInterrupt:
            _interrupted(kept, folder, asked.method)
        told("writing", 1.0)
        about = {"fit_file": file, "spec_hash": asked.spec_hash, "name": asked.name}
        files = found.save(folder, figures=figure, about=about, intervals=intervals, overwrite=overwrite)
        if kept is not None:
            kept.path.unlink(missing_ok=True)
            (folder / "so_far.csv").unlink(missing_ok=True)
    return found, files


class Watch:
    """What a search is told to: how far it is, and how long it may take."""

    def __init__(self, told: Callable[[str, float], None], starts: int | None) -> None:
        self.told, self.starts = told, starts or 8
        self.began, self.first, self.name, self.done = time.perf_counter(), math.nan, "", 0.0

    def __call__(self, name: str, search: Any) -> None:
        """Take notice of an iteration."""
        objective = getattr(getattr(search, "value", None), "total", math.nan)
        at = f", objective {objective:.3f}" if math.isfinite(objective) else ""
        number = name.removeprefix("start ")
        if not number.isdigit():
            self.told(f"{name}{at}", 1.0)
            return
        share = self.share(name, int(number), float(search.left))
        self.told(f"{name} of {self.expected(int(number))}{at}{self.left(share)}", share)

    def expected(self, number: int) -> int:
        """Return how many starts there will be, as far as can be told."""
        return min(self.starts, max(USUAL, number))

    def share(self, name: str, number: int, left: float) -> float:
        """Return the share of the work that is done; a search's by how much it still expects to gain."""
        if name != self.name:
            self.name, self.first, self.done = name, max(left, ENDED), 0.0
        if ENDED < left < math.inf and self.first > ENDED:
            self.done = max(self.done, math.log(self.first / left) / math.log(self.first / ENDED))
        return (number - 1 + min(self.done, 1.0)) / self.expected(number)

    def left(self, share: float) -> str:
        """Say how long it may take."""
        if not SURE < share < 1.0:
            return ""
        seconds = (time.perf_counter() - self.began) * (1.0 - share) / share
        return f", about {seconds:.0f} s left" if seconds < 90 else f", about {seconds / 60:.0f} min left"


def _asked(what: str, named: Mapping[str, Any]) -> tuple[Asked, str]:
    """Return the fit that is asked for, and the file that tells it from others."""
    from myelosim.spec.fits import load_fit
    from myelosim.spec.library import find

    if what.endswith(".toml") or (not Path(what).exists() and find(what, ("scenarios", "pilots")) is not None):
        if given := [option for option, value in named.items() if value is not None]:
            raise SpecError(f"{given[0]} is what {what} says; change it there, or give the data instead of the file")
        held = load_fit(what)
        return held, held.path
    return _of_data(Path(what), named), str(Path(what).resolve())


def _of_data(path: Path, named: Mapping[str, Any]) -> Asked:
    """Return what a fit file would say of data and a model that are named."""
    from myelosim.cli.request import chosen, columns_of
    from myelosim.spec.fit import DataFile
    from myelosim.spec.fit import Fit as Asked

    if not path.exists():
        raise SpecError(f'{path}: there is no such file, and no fit of that name ("myelosim scenarios" lists them)')
    model, species, variant, gcsf, sensitivity, changes = (
        named[f"--{key}"] for key in ("model", "species", "variant", "gcsf", "sensitivity", "set")
    )
    made = chosen(model, species, variant, gcsf, sensitivity, changes)
    columns = columns_of(named["--column"])
    estimate = {key: named[f"--{key}"] for key in ("free", "fixed", "blq")} | {"priors": _weight(named["--priors"])}
    return Asked(
        name=path.stem, title=path.stem, load={"model": model}, model=made,
        data=DataFile(path.name, {"columns": columns} if columns else {}, path),
        estimate={key: value for key, value in estimate.items() if value is not None},
    )  # fmt: skip


def _weight(text: str | None) -> str | float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def _folder(out: Path | None, asked: Asked, what: str) -> Path:
    if out is None and asked.name != Path(asked.name).name:
        raise SpecError(f"{what}: its name '{asked.name}' is no name of a folder; say where to write with --out")
    return out or Path("results") / asked.name


def _interrupted(kept: Kept | None, folder: Path, method: str) -> None:
    """Leave the best so far on disk."""
    from myelosim.fitting.fit import UNKEPT
    from myelosim.writing import written

    best = None if kept is None else kept.best()
    if kept is None or best is None:
        kind = "an evaluation" if kept is None else f"a fit by {method}" if method in UNKEPT else ""
        why = (
            f"{kind} keeps nothing on the way"
            if kind
            else "no iteration had ended yet, so there is nothing to go on from"
        )
        typer.echo(f"interrupted; nothing was written: {why}", err=True)
        raise typer.Exit(INTERRUPTED)
    total, table = best
    kept.write()
    written(folder / "so_far.csv", lambda draft: table.to_csv(draft, index=False))
    typer.echo(
        f"interrupted; the best so far, objective {total:.4f}, is in {folder / 'so_far.csv'}; "
        "the same command with --resume goes on",
        err=True,
    )
    raise typer.Exit(INTERRUPTED)


def _left_out(folder: Path) -> list[str]:
    """Return what a fit could not be written as."""
    import json

    from myelosim.fitting.save import ABOUT

    return list(json.loads((folder / ABOUT).read_text(encoding="utf-8"))["left_out"])


def _print(found: Fit) -> None:
    """Print the summary, warnings in red."""
    out, alarm = console(), False
    for line in found.summary().splitlines():
        alarm = line.startswith("! ") or (alarm and line.startswith("    "))
        out.print(line, markup=False, soft_wrap=True, style="bold red" if alarm or "NOT CONVERGED" in line else None)
