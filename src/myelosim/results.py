"""From arrays to labelled results: dims, units and where a number comes from."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
import xarray as xr

from myelosim.errors import SpecError

CELLS = {"neutrophil": "10^9/L", "leukocyte": "10^9/L", "platelet": "10^9/L", "hemoglobin": "g/dL"}
EXTRA = {
    "rbc": ("10^12/L", "red blood cells"),
    "hematocrit": ("%", "hematocrit"),
    "reticulocyte": ("10^9/L", "reticulocytes"),
    "gcsf": ("pg/mL", "endogenous G-CSF"),
}
DAY_UNIT = "day"
ENDPOINTS_KEPT = 100  # numbers per subject and lineage, about


def stacked(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """Put one array per lineage side by side as the second dimension."""
    return arrays[0][:, None] if len(arrays) == 1 else np.stack(arrays, axis=1)


def coordinates(
    lineages: Sequence[str], drugs: Sequence[str], hours: np.ndarray, subjects: np.ndarray
) -> dict[str, Any]:
    """Return the coordinates of a result; ``time`` is elapsed days."""
    coords: dict[str, Any] = {"subject": subjects}
    if lineages:
        coords["lineage"] = list(lineages)
        coords["units"] = ("lineage", [CELLS.get(name, "10^9/L") for name in lineages])
    if drugs:
        coords["drug"] = list(drugs)
    coords["time"] = ("time", hours / 24.0, {"units": DAY_UNIT, "long_name": "days since time zero"})
    return coords


def variable(
    dims: tuple[str, ...], values: Any, unit: str, meaning: str
) -> tuple[tuple[str, ...], Any, dict[str, str]]:
    """Return a variable with its unit and meaning; an empty unit stands for the lineage's own."""
    attrs = {"long_name": meaning}
    if unit:
        attrs["units"] = unit
    return dims, values, attrs


def provenance(
    spec_hash: str, seed: int | None, tolerance: float, assumed: Sequence[str], warnings: Sequence[str]
) -> dict[str, Any]:
    """Return what every result says about itself."""
    return {
        "Conventions": "CF-1.11",
        "myelosim": _version("myelosim"),
        "numba": _version("numba"),
        "numpy": _version("numpy"),
        "python": platform.python_version(),
        "spec_hash": spec_hash,
        "seed": -1 if seed is None else int(seed),
        "tolerance": tolerance,
        "assumed_parameters": len(assumed),
        "assumed": ", ".join(assumed),
        "warnings": "\n".join(warnings),
        "note": "Research software: a simulation under stated assumptions, not advice for any patient.",
    }


@cache
def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def dataset(variables: Mapping[str, Any], coords: Mapping[str, Any], attrs: Mapping[str, Any]) -> xr.Dataset:
    """Return the dataset."""
    return xr.Dataset(dict(variables), dict(coords), dict(attrs))


def afford(subjects: int, times: int, series: int, lineages: int, arms: int = 1) -> None:
    """Raise :class:`SpecError` where a result would not fit into the machine's memory.

    ``series`` are the trajectories kept of each subject at ``times``; each lineage has its endpoints besides. Arms are held twice
    while they are put side by side.
    """
    needed = 8.0 * subjects * arms * (2 if arms > 1 else 1) * (times * series + ENDPOINTS_KEPT * lineages)
    try:
        there = float(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, OSError, ValueError):  # not every system tells
        return
    if needed > there:
        many = f"{subjects:,} subjects{f' in {arms} arms' if arms > 1 else ''} at {times:,} times"
        raise SpecError(
            f"{many} take about {needed / 1e9:,.0f} GB, and this machine has {there / 1e9:,.0f} GB; ask for fewer subjects or days"
        )
