"""Write a comparison: everything or nothing."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import xarray as xr

from myelosim.comparison.table import summary
from myelosim.errors import SpecError

SINGLE = 1e-6
LARGE = 100_000  # values of a variable that are worth packing


def save(result: xr.Dataset, folder: str | os.PathLike[str], *, figure: bool = True) -> Path:
    """Write ``result.nc``, ``table.csv`` and ``figure.png`` into a folder, which replaces one of an earlier run.

    Without ``figure`` no picture is drawn.

    The files are written beside it first and moved in one go, so that no half of a result is ever seen.

    Raises
    ------
    SpecError
        The folder cannot be written, or holds something that is not a result.
    """
    target = Path(folder)
    if target.exists() and not _ours(target):
        raise SpecError(f"{target} exists and is not a result of an earlier run; choose another name with --out")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise SpecError(f"{target}: cannot be written ({error.strerror}); choose another folder with --out") from None
    try:
        result.to_netcdf(draft / "result.nc", engine="h5netcdf", encoding=_encoding(result))
        summary(result).to_csv(draft / "table.csv", index=False)
        if figure:
            _figure(result, draft / "figure.png")
        draft.chmod(0o755)
        if target.exists():
            shutil.rmtree(target)
        draft.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return target


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


def _ours(folder: Path) -> bool:
    return folder.is_dir() and {p.name for p in folder.iterdir()} <= {"result.nc", "table.csv", "figure.png"}


def _figure(result: xr.Dataset, path: Path) -> None:
    from myelosim.plots import plot_summary

    plot_summary(result).figure.savefig(path, dpi=200)
