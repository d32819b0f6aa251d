"""``myelosim design``: on which days to draw blood, from how many subjects, and how well the parameters will be known."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from myelosim.cli.console import collected, console, progress, warn
from myelosim.cli.options import Changes, Gcsf, Overwrite, Sensitivity, Threads, Variant, whole
from myelosim.errors import SpecError

if TYPE_CHECKING:
    from myelosim.designing.run import Outcome
    from myelosim.spec.design import Design

Texts = list[str] | None
SEEDS = {"name": "days 3, 5, 7, 10, 14", "days": [3, 5, 7, 10, 14]}


def design(
    what: Annotated[
        str | None,
        typer.Argument(metavar="[DESIGN]", help='A design\'s name or file; "myelosim scenarios" lists them.'),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option("--model", "--drug", help="Instead of a file: a complete model, or a drug with --species."),
    ] = None,
    species: Annotated[str | None, typer.Option(help="Whom a drug is given to.")] = None,
    variant: Variant = None,
    gcsf: Gcsf = None,
    sensitivity: Sensitivity = None,
    changes: Changes = None,
    dose: Annotated[Texts, typer.Option(help='E.g. "75 ug QD d1-14", or none; repeat for more groups.')] = None,
    days: Annotated[str | None, typer.Option(help="Elapsed days to evaluate, e.g. 3,5,7,10,14.")] = None,
    candidate_days: Annotated[
        str | None, typer.Option(metavar="DAYS", help="Days to choose from, e.g. 1-28; with --visits.")
    ] = None,
    visits: Annotated[str | None, typer.Option(metavar="N|N-M", help="How many of them.")] = None,
    subjects: Annotated[int | None, typer.Option(parser=whole(1), metavar="N", help="Subjects of each group.")] = None,
    lineage: Annotated[Texts, typer.Option(help="What is counted; repeat. Default: every lineage.")] = None,
    free: Annotated[Texts, typer.Option(help="A parameter to estimate, instead of the usual ones; repeat.")] = None,
    gap: Annotated[str | None, typer.Option(help='Least time between two visits, e.g. "2 d".')] = None,
    draw: Annotated[str | None, typer.Option(help='Blood of one draw, e.g. "0.1 mL"; default the species\'.')] = None,
    criterion: Annotated[str | None, typer.Option(help="D (default) or A; others need a file.")] = None,
    verify: Annotated[
        int, typer.Option(parser=whole(0), metavar="N", help="Simulate and fit the study N times to check it.")
    ] = 0,
    front: Annotated[
        bool, typer.Option("--front", help="Show what more visits and subjects buy, where their number may vary.")
    ] = False,
    wanted: Annotated[
        float | None,
        typer.Option(
            metavar="PERCENT", help="With --front: a relative standard error of all typical values that would do."
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(parser=whole(0), metavar="N", help="Of searches and simulations.")] = None,
    threads: Threads = None,
    out: Annotated[Path | None, typer.Option(help="Folder for the result; default results/NAME_design.")] = None,
    overwrite: Overwrite = False,
    figure: Annotated[bool, typer.Option(help="Draw figure.png beside the numbers.")] = True,
) -> None:
    """Design a study: which days, how many animals, how much blood, and how well parameters will be known.

    A file says all of it; without one, --days evaluates and --candidate-days chooses.
    """
    began = time.perf_counter()
    named: dict[str, Any] = {
        "--model": model, "--species": species, "--variant": variant, "--gcsf": gcsf, "--sensitivity": sensitivity,
        "--set": changes, "--dose": dose, "--days": days, "--candidate-days": candidate_days, "--visits": visits,
        "--subjects": subjects, "--lineage": lineage, "--free": free, "--gap": gap, "--draw": draw, "--criterion": criterion,
    }  # fmt: skip
    given = {option: value for option, value in named.items() if value is not None}
    with collected() as said, progress("loading") as told:
        from myelosim.designing.run import run_design
        from myelosim.designing.save import check_folder
        from myelosim.spec.design import Front
        from myelosim.writing import alone

        asked = _asked(what, given)
        if front or wanted is not None:
            own = asked.front or Front()
            asked = replace(asked, front=own if wanted is None else replace(own, wanted=wanted))
        folder = None if what is None and out is None else _folder(out, asked, str(what))
        if folder is not None:
            check_folder(folder, asked.path, overwrite=overwrite)
        processes = 1 if threads is None else threads
        found, files = None, []
        if folder is None:
            found = run_design(asked, seed=seed, verify=verify, processes=processes, threads=threads, tell=told)
        else:
            with alone(folder):
                found = run_design(asked, seed=seed, verify=verify, processes=processes, threads=threads, tell=told)
                told("writing", 1.0)
                files = found.save(folder, figure=figure, overwrite=overwrite)
    printed = console()
    _print(found)
    warn(printed, said)
    printed.print(f"time: {time.perf_counter() - began:.2f} s", markup=False)
    if files:
        printed.print(f"written: {', '.join(map(str, files))}", markup=False, soft_wrap=True)


def _asked(what: str | None, given: Mapping[str, Any]) -> Design:
    """Return the design that is asked for: of a file, or of options."""
    from myelosim.spec.designs import load_design

    if what is not None:
        if given:
            raise SpecError(f"{next(iter(given))} is what {what} says; change it there, or give no file")
        return load_design(what)
    return load_design(_said(given))


def _said(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a file would say of options."""
    if not given:
        raise SpecError(
            'which design? Give a name or a file ("myelosim scenarios" lists them), or --model, --dose, --subjects, and --days or '
            "--candidate-days"
        )
    for option, example in (("--model", "cemsidomide"), ("--dose", '"75 ug QD d1-14"'), ("--subjects", "20")):
        if option not in given:
            raise SpecError(f"{option} is missing; give e.g. {option} {example}, or a design's file")
    if ("--days" in given) == ("--candidate-days" in given):
        raise SpecError("give either --days, to evaluate them, or --candidate-days and --visits, to choose")
    if "--candidate-days" in given and "--visits" not in given:
        raise SpecError("--visits is missing: how many of the candidate days? E.g. --visits 5")
    if "--days" in given and "--visits" in given:
        raise SpecError("--visits belongs to --candidate-days; with --days leave it out")
    doses = given["--dose"]
    made: dict[str, Any] = {
        "name": "design", "title": f"{given['--model']}, {'; '.join(doses)}", "model": _model(given),
        "candidate_days": listed(given.get("--days", given.get("--candidate-days"))),
        "group": [{"name": dose, "dose": dose, "subjects": given["--subjects"]} for dose in doses],
    }  # fmt: skip
    if "--visits" in given:
        made |= {"visits": spanned(given["--visits"]), "alternative": [SEEDS]}
    if "--set" in given:
        from myelosim.cli.request import pairs

        made["set"] = pairs(given["--set"], "--set")
    if "--free" in given:
        made |= {"free": "listed", "estimate": {name: {} for name in given["--free"]}}
    if "--draw" in given:
        made["blood"] = {"draw": given["--draw"]}
    for option, key in (("--lineage", "observe"), ("--gap", "gap"), ("--criterion", "criterion")):
        if option in given:
            made[key] = given[option]
    return made


def _model(given: Mapping[str, Any]) -> Any:
    """Return the model as a file would say it."""
    from myelosim.spec.library import files

    name, species = given["--model"], given.get("--species")
    more = {key: given[f"--{key}"] for key in ("variant", "gcsf", "sensitivity") if f"--{key}" in given}
    if species is None and not more and name not in files("drugs"):
        return name
    if species is None:
        known = ", ".join(sorted(files("species")))
        raise SpecError(f"{name}: whom is it given to? Name a species, e.g. --species human (known: {known})")
    return {"drug": name.split(","), "species": species, **more}


def listed(text: str) -> Any:
    """Read days: ``3,5,7``, ``1-28``, both, or study days as visits are written.

    >>> listed("0,3-5"), listed("d1 weekly until d28")
    ([0.0, 3.0, 4.0, 5.0], 'd1 weekly until d28')
    """
    if re.match(r"\s*[dD]", text):
        return text
    days: list[float] = []
    for part in text.split(","):
        ends = re.fullmatch(r"\s*(\d{1,4})\s*-\s*(\d{1,4})\s*", part)
        if ends is not None:
            days += [float(day) for day in range(int(ends[1]), int(ends[2]) + 1)]
            continue
        try:
            days.append(float(part))
        except ValueError:
            raise SpecError(
                f"'{part.strip()}' is no day; write e.g. 3,5,7 or 1-28, or study days \"d1 weekly until d28\""
            ) from None
    if len(set(days)) < len(days):
        raise SpecError(f"days {text}: one is named twice; name each once")
    return days


def spanned(text: str) -> Any:
    """Read a number, or from so many to so many: ``3-7``."""
    match = re.fullmatch(r"\s*(\d{1,4})(?:\s*-\s*(\d{1,4}))?\s*", text)
    if match is None:
        raise SpecError(f"--visits '{text}' is no number of visits; write e.g. 5, or 3-7")
    return int(match[1]) if match[2] is None else {"from": int(match[1]), "to": int(match[2])}


def _folder(out: Path | None, asked: Design, what: str) -> Path:
    if out is None and asked.name != Path(asked.name).name:
        raise SpecError(f"{what}: its name '{asked.name}' is no name of a folder; say where to write with --out")
    return out or Path("results") / f"{asked.name}_design"


def _print(found: Outcome) -> None:
    """Print the report, warnings in red."""
    from myelosim.designing.report import BEFORE

    out, alarm = console(), False
    for line in found.report().splitlines():
        alarm = line.startswith("! ") or (alarm and line.startswith("    "))
        style = "bold red" if alarm or "BROKEN" in line or line == BEFORE else None
        out.print(line, markup=False, soft_wrap=True, style=style)
