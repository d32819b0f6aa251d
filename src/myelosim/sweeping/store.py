"""Where the subjects of a sweep are kept: a zarr store that several processes fill, and that survives being killed.

Of each group ("cells", and "undosed" for the same without drug) there is one array per endpoint, its dims the axes, then
``subject`` and ``lineage``. A piece of an array is one cell and one block of subjects, which is what one task writes, so nobody
ever rewrites another's. ``done`` says of each block whether all of it is there.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import zarr

import myelosim
from myelosim.endpoints import ENDPOINTS
from myelosim.errors import SpecError
from myelosim.grading import NOT_GRADED
from myelosim.spec.sweep import Axis, Cell, Sweep

NAME = "subjects.zarr"
CELLS, UNDOSED, KEPT = "cells", "undosed", "kept"
STORED = ("nadir", "nadir_day", "worst_grade", "observed_grade", "baseline_grade", "days_grade3")
OF_SUBJECT = ("dose_intensity", "rescue_days")
SINGLE = 1e-6  # tolerance from which single precision is finer
LANES = 8


def stored(sweep: Sweep) -> tuple[str, ...]:
    """Return the endpoints kept of every subject and lineage."""
    also = () if sweep.limit is None or sweep.limit.endpoint in STORED else (sweep.limit.endpoint,)
    visits = sweep.cells[0].scenario.visits
    return tuple(name for name in (*STORED, *also) if visits or not ENDPOINTS[name].seen)


def block(sweep: Sweep) -> int:
    """Return how many subjects a task simulates: whole groups of lanes, no more than the largest cell has."""
    most = max(cell.size for cell in (*sweep.cells, *sweep.undosed))
    return min(sweep.block, -(-most // LANES) * LANES)


class Store:
    """The subjects of one sweep in a folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = zarr.open_group(path, mode="r+")

    @classmethod
    def of(cls, sweep: Sweep, folder: Path, *, overwrite: bool = False) -> Store:
        """Open a sweep's store in a folder, or begin it; ``overwrite`` begins anew where another's is.

        Raises
        ------
        SpecError
            What is there is of another sweep, or of another version of this package, or is no store.
        """
        path = folder / NAME
        if path.exists():
            other = _other(sweep, path)
            if other and (_about(path) is None or not overwrite):
                raise SpecError(f"{path}: {other}")
            if other:
                shutil.rmtree(path)
        if not path.exists():
            _begin(sweep, path)
            if other := _other(sweep, path):  # somebody else was first
                raise SpecError(f"{path}: {other}")
        return cls(path)

    def array(self, group: str, name: str) -> Any:
        """Return an array, to read from or write to."""
        return self.root[f"{group}/{name}"]

    def finished(self, group: str) -> np.ndarray:
        """Return which blocks are there: (axis ..., block)."""
        return np.asarray(self.array(group, "done")[...] == 1)

    def mark(self, group: str, index: tuple[int, ...], number: int) -> None:
        """Say that all of a block is there."""
        self.array(group, "done")[(*index, number)] = 1

    def read(self, group: str, cell: Cell, names: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Return endpoints of all subjects of a cell: (subject, lineage), or (subject)."""
        return {name: np.asarray(self.array(group, name)[(*cell.index, slice(0, cell.size))]) for name in names}


def _about(path: Path) -> Mapping[str, Any] | None:
    try:
        about = dict(zarr.open_group(path, mode="r").attrs)
    except (OSError, ValueError):
        return None
    return about if "subjects_hash" in about else None


def _other(sweep: Sweep, path: Path) -> str:
    """Say why a store is not this sweep's; nothing where it is."""
    about = _about(path)
    anew = "choose another folder with --out, or begin anew with --overwrite"
    if about is None:
        return "is there already and holds no sweep; choose another folder with --out"
    if about["subjects_hash"] != sweep.subjects_hash:
        return f"holds the subjects of another sweep, or of this one as it was ({about['sweep']}), and they cannot be mixed; {anew}"
    if about["myelosim"] != myelosim.__version__:
        return f"was begun by myelosim {about['myelosim']}, and {myelosim.__version__} may give other bits; {anew}"
    return ""


def _begin(sweep: Sweep, path: Path) -> None:
    """Lay out a store beside its place and move it there: of processes that begin at once, one does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{NAME}-", dir=path.parent))
    try:
        root = zarr.open_group(draft, mode="w", zarr_format=3)
        root.attrs.update({
            "title": sweep.title, "sweep": sweep.path or sweep.name, "subjects_hash": sweep.subjects_hash,
            "myelosim": myelosim.__version__, "axes": {axis.name: list(axis.values) for axis in sweep.axes},
            "lineages": list(sweep.lineages), "not_graded": NOT_GRADED,
        })  # fmt: skip
        _group(root, CELLS, sweep, sweep.axes, sweep.cells)
        _group(root, UNDOSED, sweep, sweep.ground, sweep.undosed)
        if sweep.keep.subjects:
            hours = math.floor(sweep.cells[0].scenario.days) + 2
            last = (len(sweep.keep.subjects), len(sweep.lineages), hours)
            dims = [axis.name for axis in sweep.axes] + ["kept", "lineage", "time"]
            ones = (1,) * (len(sweep.axes) + 1)
            root.create_array(
                f"{KEPT}/count", shape=(*sweep.shape, *last), chunks=(*ones, *last[1:]), dtype=_dtype(sweep),
                fill_value=np.nan, dimension_names=dims,
            )  # fmt: skip
        os.chmod(draft, 0o755)
        os.rename(draft, path)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)
        if not path.exists():
            raise


def _group(root: Any, name: str, sweep: Sweep, axes: tuple[Axis, ...], cells: tuple[Cell, ...]) -> None:
    most, size = max(cell.size for cell in cells), block(sweep)
    shape, ones = tuple(len(axis.values) for axis in axes), (1,) * len(axes)
    dims = [axis.name for axis in axes]
    lineages = len(sweep.lineages)
    for one in stored(sweep):
        graded = ENDPOINTS[one].unit == "grade"
        root.create_array(
            f"{name}/{one}", shape=(*shape, most, lineages), chunks=(*ones, size, lineages),
            dtype="int8" if graded else _dtype(sweep), fill_value=NOT_GRADED if graded else np.nan,
            dimension_names=[*dims, "subject", "lineage"],
        )  # fmt: skip
    for one in OF_SUBJECT:
        root.create_array(
            f"{name}/{one}", shape=(*shape, most), chunks=(*ones, size), dtype=_dtype(sweep), fill_value=np.nan,
            dimension_names=[*dims, "subject"],
        )  # fmt: skip
    root.create_array(
        f"{name}/done", shape=(*shape, -(-most // size)), chunks=(*ones, 1), dtype="uint8", fill_value=0,
        dimension_names=[*dims, "block"], compressors=None,
    )  # fmt: skip


def _dtype(sweep: Sweep) -> str:
    return "float32" if sweep.cells[0].scenario.tolerance >= SINGLE else "float64"
