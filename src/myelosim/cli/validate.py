"""``myelosim validate``: models held to the numbers their files expect, and to reported incidences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myelosim.cli.console import add, collected, console, progress, table, warn

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from myelosim.validation import Check


def validate(
    name: Annotated[
        list[str] | None, typer.Argument(help="Complete models, by name or file, and calibrations; default all.")
    ] = None,
    missed: Annotated[
        bool, typer.Option("--missed", help="Print only published numbers that do not come out.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for incidence.csv and incidence.png.")] = Path("results/validate"),
) -> None:
    """Hold published models to the numbers of their sources, and calibrated ones to reported incidences.

    Exit 1 if a published number is missed; incidences are shown beside their source, fitted or not, and judged by nobody but you.
    """
    with progress("validating") as told, collected() as said:
        from myelosim.spec.library import files
        from myelosim.validation import reported, validate
        from myelosim.validation import table as incidences
        from myelosim.writing import check

        known = files("calibration")
        if not name or any(one in known for one in name):
            for file in ("incidence.csv", "incidence.png"):
                check(out / file, "--out", overwrite=True)
        models = None if not name else [one for one in name if one not in known]
        checks = [] if name and not models else validate(models, progress=told)
        rows = incidences([row for one in known if not name or one in name for row in reported(one, progress=told)])
        if len(rows):
            _write(rows, out)
    printed = console()
    if len(rows):
        _incidences(printed, rows)
        printed.print(f"written: {out / 'incidence.csv'}, {out / 'incidence.png'}", markup=False, soft_wrap=True)
    bad = _published(printed, checks, missed)
    warn(printed, said)
    if checks:
        printed.print(f"{len(checks) - bad} of {len(checks)} published numbers come out as expected")
    if bad:
        raise typer.Exit(1)


def _published(out: Console, checks: list[Check], missed: bool) -> int:
    from rich.text import Text

    numbers = ("expected", "obtained", "tolerance")
    listed = table("model", "what", *numbers, "", right=numbers)
    for one in checks:
        if one.met and missed:
            continue
        verdict = Text("ok", style="green") if one.met else Text(one.problem or "MISSED", style="bold red")
        wanted = one.expected
        cells = (one.model, wanted.what, f"{wanted.value:.6g}", f"{one.obtained:.6g}", f"{wanted.tolerance:g}")
        add(listed, *cells, verdict)
    if listed.rows:
        out.print(listed)
    return sum(not one.met for one in checks)


def _incidences(out: Console, rows: pd.DataFrame) -> None:
    from myelosim.spec.calibration import load_calibration

    for name, own in rows.groupby("calibration", sort=False):
        calibration = load_calibration(str(name))
        model = calibration.scenario.model
        numbers = ("source", "model", "true", "no drug")
        listed = table("", "what", *numbers, "use", right=numbers, title=calibration.title)
        for _, row in own.iterrows():
            cells = [_number(row, "source"), _number(row, "model"), _number(row, "true"), _number(row, "none")]
            add(listed, row["id"], row["what"], *cells, row["use"])
        out.print(listed)
        assumed = f"{len(model.assumed)} of {len(model.parameters)} parameters assumed"
        out.print(
            f"{calibration.statement} {assumed}. Intervals: 95 %, of the source's patients, of the subjects simulated."
        )


def _number(row: pd.Series, key: str) -> str:
    value, low = row[key], row.get(f"{key}_low", float("nan"))
    if value != value:
        return "-"
    digits = ".1f" if row["unit"] == "%" else ".3g"
    unit = " %" if row["unit"] == "%" else ""
    bounds = f" ({low:{digits}}-{row[f'{key}_high']:{digits}})" if low == low else ""
    return f"{value:{digits}}{unit}{bounds}"


def _write(rows: pd.DataFrame, folder: Path) -> None:
    from myelosim.plots import plot_incidence
    from myelosim.writing import written

    figure = plot_incidence(rows).get_figure(root=True)
    assert figure is not None
    written(folder / "incidence.csv", lambda draft: rows.to_csv(draft, index=False))
    written(folder / "incidence.png", lambda draft: figure.savefig(draft, dpi=200))
