"""A simulated study as NONMEM rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.errors import DataError


def to_events(ds: xr.Dataset) -> pd.DataFrame:
    """Return doses and observations of a simulated study, one row each.

    Parameters
    ----------
    ds : xarray.Dataset
        From :func:`myelosim.simulate`. With ``visits`` the observations are what was seen; without, the true counts.

    Returns
    -------
    pandas.DataFrame
        Columns ID (from 1), TIME (h), AMT, RATE, DV, EVID, MDV, DVID (the lineage), DRUG and UNIT (of AMT, as it was
        written: mg/m2, say, is still to be multiplied by the surface), by subject and time; an
        observation at the time of a dose comes before it. A count that was not seen has no row.

    Raises
    ------
    DataError
        The dataset holds several arms, or no counts.
    """
    if "arm" in ds.dims:
        raise DataError("to_events: the dataset holds several arms; pick one first, ds.sel(arm=...)")
    if "count" not in ds:
        raise DataError("to_events: the dataset holds no counts")
    seen = ds["observed"] if "observed" in ds else ds["count"]
    hours = 24.0 * (ds["visit"] if "observed" in ds else ds["time"]).to_numpy()
    values = seen.transpose("subject", ..., "lineage").to_numpy()
    subjects, times, lineages = values.shape
    who, when, what = np.meshgrid(np.arange(subjects), np.arange(times), np.arange(lineages), indexing="ij")
    observed = pd.DataFrame({
        "ID": who.ravel() + 1, "TIME": hours[when.ravel()], "AMT": 0.0, "RATE": 0.0, "DV": values.ravel(), "EVID": 0, "MDV": 0,
        "DVID": ds["lineage"].to_numpy()[what.ravel()], "DRUG": "", "UNIT": "",
    }).dropna(subset="DV")  # fmt: skip
    # Of a dose that was held there is nothing to tell; transfusions and draws are no doses.
    ds = ds.isel(dose=np.isin(ds["dose_kind"], ("dose", "reset_dose")))
    given, lasting = ds["dose_given"].to_numpy(), ds["dose_duration"].to_numpy()
    doses = pd.DataFrame({
        "ID": np.repeat(np.arange(subjects) + 1, given.shape[1]), "TIME": np.tile(24.0 * ds["dose_time"].to_numpy(), subjects),
        "AMT": given.ravel(), "RATE": np.divide(given, lasting, out=np.zeros(given.shape), where=lasting > 0).ravel(),
        "DV": np.nan, "EVID": 1, "MDV": 1, "DVID": "",
        "DRUG": np.tile(ds["dose_drug"].to_numpy(), subjects), "UNIT": np.tile(ds["dose_unit"].to_numpy(), subjects),
    }).query("AMT > 0")  # fmt: skip
    rows = pd.concat([observed, doses], ignore_index=True)
    return rows.sort_values(["ID", "TIME", "EVID"], kind="stable", ignore_index=True)
