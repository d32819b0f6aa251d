"""Write a comparison: everything or nothing, and over nothing that is not its own earlier result."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import xarray as xr

from myelosim.comparison.table import summary
from myelosim.errors import SpecError
from myelosim.writing import check

RESULT, TABLE, FIGURE = FILES = ("result.nc", "table.csv", "figure.png")
SINGLE = 1e-6
LARGE = 100_000  # values of a variable that are worth packing


def check_folder(folder: Path, scenario_file: str, *, overwrite: bool = False) -> None:
    """Look whether a result can be written into a folder, before the work.

    A result of the same scenario file is replaced; one of another file, or files that are no result, only with ``overwrite``.

    Raises
    ------
    SpecError
        The folder cannot be written, or holds something else under the names of a result's files.
    """
    for name in FILES:
        check(folder / name, "--out", overwrite=True)
    there = [name for name in FILES if (folder / name).exists()]
    if overwrite or not there:
        return
    found = _scenario_file(folder / RESULT)
    if found != scenario_file:
        what = (
            f"the result of {found or 'another scenario'}"
            if found is not None
            else f"{', '.join(there)} of something else"
        )
        raise SpecError(
            f"{folder} holds {what}, not of {scenario_file or 'this scenario'}; choose another folder with --out, or replace it "
            "with --overwrite"
        )


def save(result: xr.Dataset, folder: Path, *, figure: bool = True, overwrite: bool = False) -> list[Path]:
    """Write ``result.nc``, ``table.csv`` and, with ``figure``, ``figure.png`` into a folder; return their paths.

    All are drafted beside it before any is moved there, and other files in the folder stay as they are.

    Raises
    ------
    SpecError
        As :func:`check_folder`.
    """
    check_folder(folder, str(result.attrs["scenario_file"]), overwrite=overwrite)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as held:
        draft = Path(held)
        result.to_netcdf(draft / RESULT, engine="h5netcdf", encoding=_encoding(result))
        summary(result).to_csv(draft / TABLE, index=False)
        if figure:
            _figure(result, draft / FIGURE)
        folder.mkdir(exist_ok=True)
        for name in FILES:
            if (draft / name).exists():
                os.replace(draft / name, folder / name)
            else:
                (folder / name).unlink(missing_ok=True)
    return [folder / name for name in FILES if (folder / name).exists()]


def _scenario_file(path: Path) -> str | None:
    """Return the scenario file whose result a file holds; None where it holds none."""
    try:
        with xr.open_dataset(path, engine="h5netcdf") as held:
            found = held.attrs.get("scenario_file")
    except (OSError, ValueError):
        return None
    return None if found is None else str(found)


def _encoding(result: xr.Dataset) -> dict[str, dict[str, object]]:
    """Return how large variables are stored: compressed, in single precision where that is finer than the tolerance."""
    fine = float(result.attrs.get("tolerance", 0.0)) >= SINGLE
    packed: dict[str, object] = {
        "dtype": "float32" if fine else "float64",
        "zlib": True,
        "complevel": 1,
        "shuffle": True,
    }
    return {str(name): packed for name, v in result.data_vars.items() if v.dtype == "float64" and v.size > LARGE}


def _figure(result: xr.Dataset, path: Path) -> None:
    from myelosim.plots import plot_summary

    plot_summary(result).figure.savefig(path, dpi=200)
