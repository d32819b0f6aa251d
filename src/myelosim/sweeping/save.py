"""Write the summary of a sweep: everything or nothing."""

from __future__ import annotations

from pathlib import Path

import xarray as xr
from matplotlib.figure import Figure

from myelosim import writing
from myelosim.sweeping.table import outline


def save(result: xr.Dataset, folder: Path, *, figure: bool = True, overwrite: bool = False) -> list[Path]:
    """Write numbers, table and, with ``figure``, picture into a folder; see :func:`myelosim.writing.save`."""
    return writing.save(result, folder, outline, _draw if figure else None, overwrite=overwrite)


def _draw(result: xr.Dataset) -> Figure:
    from myelosim.plots import plot_surface

    figure: Figure = plot_surface(result)[0, 0].figure
    return figure
