"""A simulated study as NONMEM rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.errors import DataError

EVID = {"dose": 1, "reset": 3, "reset_dose": 4}


def to_events(ds: xr.Dataset) -> pd.DataFrame:
    """Return doses and observations of a simulated study, one row each.

    Parameters
    ----------
    ds : xarray.Dataset
        From :func:`myelosim.simulate`. With ``visits`` the observations are what was seen; without, the true counts.

    Returns
    -------
    pandas.DataFrame
        Columns ID (from 1), TIME (h), AMT and RATE (1/h) in the drug's own amount unit, doses by weight or surface multiplied by
        the subject's, DV, EVID (0, 1, 3 or 4), MDV, CMT (the compartment dosed, from 1), YTYPE (the lineage's number, from 1; 0
        for a dose), and as text, which NONMEM has to drop, DVID (the lineage) and DRUG; by subject and time. ``attrs["YTYPE"]``
        maps numbers to lineages. An observation at the time of a dose comes before it. A count that was not seen has no row.

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
    lineages = [str(name) for name in ds["lineage"].to_numpy()]
    who, when, what = np.indices(values.shape).reshape(3, -1)
    observed = pd.DataFrame({
        "ID": who + 1, "TIME": hours[when], "AMT": 0.0, "RATE": 0.0, "DV": values.ravel(), "EVID": 0, "MDV": 0, "CMT": 0,
        "YTYPE": what + 1, "DVID": np.array(lineages)[what], "DRUG": "",
    }).dropna(subset="DV")  # fmt: skip
    rows = pd.concat([observed, _doses(ds)], ignore_index=True)
    rows = rows.sort_values(["ID", "TIME", "EVID"], kind="stable", ignore_index=True)
    rows.attrs["YTYPE"] = dict(enumerate(lineages, 1))
    return rows


def _doses(ds: xr.Dataset) -> pd.DataFrame:
    """Return the rows of what was given. Of a dose that was held there is nothing to tell; transfusions and draws are none."""
    ds = ds.isel(dose=np.isin(ds["dose_kind"], list(EVID)))
    amount = (ds["dose_given"] * ds["dose_factor"]).transpose("subject", "dose").to_numpy()
    for name in set(ds["dose_per"].to_numpy().tolist()) - {""}:
        amount = np.where(ds["dose_per"] == name, ds[name].to_numpy()[:, None] * amount, amount)
    subjects, lasting = len(amount), ds["dose_duration"].to_numpy()
    evid = [EVID[str(kind)] for kind in ds["dose_kind"].to_numpy()]
    return pd.DataFrame({
        "ID": np.repeat(np.arange(subjects) + 1, amount.shape[1]), "TIME": np.tile(24.0 * ds["dose_time"].to_numpy(), subjects),
        "AMT": amount.ravel(), "RATE": np.divide(amount, lasting, out=np.zeros(amount.shape), where=lasting > 0).ravel(),
        "DV": np.nan, "EVID": np.tile(np.array(evid, int), subjects), "MDV": 1,
        "CMT": np.tile(ds["dose_compartment"].to_numpy().astype(int), subjects), "YTYPE": 0, "DVID": "",
        "DRUG": np.tile(ds["dose_drug"].to_numpy(), subjects),
    }).query("AMT > 0 or EVID == 3")  # fmt: skip
