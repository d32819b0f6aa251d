"""``myelosim explain``: what happened to one subject, visit by visit, and why."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from myelosim.cli.console import add, console, table
from myelosim.cli.figures import NONE
from myelosim.cli.options import Overwrite, named, whole
from myelosim.errors import SpecError
from myelosim.writing import RESULT, written

if TYPE_CHECKING:
    import xarray as xr


def explain(
    result: Annotated[Path, typer.Argument(help="A result: the folder that compare wrote, or a file result.nc.")],
    subject: Annotated[int, typer.Option(parser=whole(0), metavar="N", help="Which subject.")],
    arm: Annotated[str | None, typer.Option(help="Which arm; needed where there are several.")] = None,
    figure: Annotated[
        Path | None, typer.Option(help="Where to draw; default subject_N.png beside the result. A .png, .pdf or .svg.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Print what was seen, decided and given at each visit of one subject, and draw it."""
    path = result / RESULT if result.is_dir() else result
    drawn = figure or path.parent / f"subject_{subject}.png"
    named(drawn, "--figure", ".png", ".pdf", ".svg", overwrite=overwrite or figure is None)
    ds = _opened(path)
    from myelosim.history import explain as told
    from myelosim.plots import plot_subject

    rows = told(ds, subject, arm)
    lineages = [str(name) for name in ds["lineage"].to_numpy()]
    units = dict(zip(lineages, ds["units"].to_numpy().tolist(), strict=True))
    called = ds["arm"].to_numpy().tolist()[0] if arm is None and "arm" in ds.dims else arm
    listed = table(
        "elapsed day", *(f"{name} ({units[name]})" for name in lineages), "rule", "decision", "from day", "doses to the next visit",
        right=["elapsed day", *(f"{name} ({units[name]})" for name in lineages), "from day"],
        title=f"{ds.attrs.get('title', '')}\nsubject {subject}" + (f", {called}" if called else ""),
    )  # fmt: skip
    before = None
    for row in rows.to_dict("records"):
        again = row["day"] == before
        seen = ["" if again else f"{row[name]:g}" for name in lineages]
        effect = row["effect_day"]
        late = NONE if math.isnan(effect) else f"{effect:g}"
        add(listed, "" if again else f"{row['day']:g}", *seen, row["rule"], row["decision"] or NONE, late, row["doses"])
        before = row["day"]
    out = console()
    out.print(listed)
    out.print(
        'Counts are those seen at the visit. Study day d1 is elapsed day 0. "myelosim models RULE" prints a shipped rule.'
    )
    drawing = plot_subject(ds, subject, arm)[0].figure
    written(drawn, lambda draft: drawing.savefig(draft, dpi=200))
    out.print(f"written: {drawn}", markup=False, soft_wrap=True)


def _opened(path: Path) -> xr.Dataset:
    """Read a result whole."""
    import xarray as xr

    if not path.is_file():
        raise SpecError(f"{path}: there is no such result; give a folder that compare wrote, or a file {RESULT}")
    try:
        return xr.load_dataset(path, engine="h5netcdf")
    except (OSError, ValueError) as error:
        raise SpecError(f"{path}: is no result: {error}") from None
