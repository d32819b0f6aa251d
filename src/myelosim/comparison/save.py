"""Write a comparison: everything or nothing, and over nothing that is not its own earlier result."""

from __future__ import annotations

from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from myelosim import writing
from myelosim.comparison.table import summary


def save(result: xr.Dataset, folder: Path, *, figure: bool = True, overwrite: bool = False) -> list[Path]:
    """Write numbers, table and, with ``figure``, picture into a folder; see :func:`myelosim.writing.save`."""
    return writing.save(result, folder, summary, _draw if figure else None, overwrite=overwrite)


def _draw(result: xr.Dataset) -> Figure:
    from myelosim.plots import plot_summary

    return plot_summary(result)
