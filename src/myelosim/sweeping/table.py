"""A sweep as a table: one row a cell and lineage, and one row a limit."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.sweeping.limit import UNINFORMATIVE


def axes(result: xr.Dataset) -> list[str]:
    """Return the names of a sweep's axes."""
    return [str(dim) for dim in result["subjects"].dims if dim != "lineage"]


def outline(result: xr.Dataset) -> pd.DataFrame:
    """Reduce a sweep to a table.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.sweep`.

    Returns
    -------
    pandas.DataFrame
        One row per cell and lineage: the axes' values, then the variables of the dataset; ``nadir`` and ``nadir_day`` are
        medians, with ``_p5`` and ``_p95`` the quantiles of subjects.
    """
    along = [*axes(result), "lineage"]
    flat = result.drop_vars(["dose_matters", "count", "grading"], errors="ignore")
    flat = flat.drop_vars([name for name in flat.coords if name not in (*along, "units", "quantile")])
    for name in ("nadir", "nadir_day"):
        for q, suffix in ((0.05, "_p5"), (0.95, "_p95")):
            flat[f"{name}{suffix}"] = flat[name].sel(quantile=q, drop=True)
        flat[name] = flat[name].sel(quantile=0.5, drop=True)
    flat = flat.drop_vars([name for name in flat.data_vars if str(name).startswith("highest_dose")] + ["quantile"])
    if "p_limit" in flat:  # of one lineage
        own = xr.DataArray(flat["lineage"] == result.attrs["limit_lineage"])
        for name in [str(n) for n in flat.data_vars if str(n).startswith("p_limit")]:
            flat[name] = flat[name].where(own)
    frame = flat.to_dataframe(dim_order=along).reset_index()
    return frame.loc[frame["subjects"] > 0].reset_index(drop=True)


def highest(result: xr.Dataset) -> pd.DataFrame:
    """Return the highest dose under the limit, one row per combination of the other axes.

    Returns
    -------
    pandas.DataFrame
        The axes' values, ``highest_dose``; ``p``, ``p_low``, ``p_high`` at that dose, or at any where the dose does not matter;
        ``above``, the next dose, with the same of it; and the same without drug. Empty where there is no limit or no axis of
        doses.
    """
    if "highest_dose" not in result:
        return pd.DataFrame()
    other = [name for name in axes(result) if name != "dose"]
    order = np.argsort(result["dose_number"].to_numpy())
    doses = [str(result["dose"].to_numpy()[i]) for i in order]
    rows = []
    for place in np.ndindex(*(result.sizes[name] for name in other)):
        at = dict(zip(other, place, strict=True))
        one = result.isel(at)
        called = str(one["highest_dose"].item())
        row: dict[str, object] = {name: str(result[name].to_numpy()[i]) for name, i in at.items()}
        row["highest_dose"] = called
        row |= _at("p", one, called if called in doses else doses[0] if called == UNINFORMATIVE else None)
        after = doses.index(called) + 1 if called in doses else 0
        above = doses[after] if after < len(doses) and called in (*doses, "none") else None
        row["above"] = above or ""
        row |= _at("p_above", one, above)
        for bound in ("", "_low", "_high"):
            row[f"p_undosed{bound}"] = float(one[f"p_limit_undosed{bound}"])
        rows.append(row)
    return pd.DataFrame(rows)


def _at(name: str, one: xr.Dataset, dose: str | None) -> dict[str, float]:
    if dose is None:
        return {f"{name}{bound}": np.nan for bound in ("", "_low", "_high")}
    return {f"{name}{bound}": float(one[f"p_limit{bound}"].sel(dose=dose)) for bound in ("", "_low", "_high")}
