"""Visual predictive checks: quantiles of what was seen, beside those of what the model would have seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.data.study import ABOVE, BELOW, MEASURED
from myelosim.errors import SpecError
from myelosim.fitting.diagnostics.bins import Bins, time_bins
from myelosim.fitting.diagnostics.censoring import quantification_limits

BAND = ("low", "middle", "high")


def visual_check(
    time: np.ndarray,
    y: np.ndarray,
    simulated: np.ndarray,
    *,
    censored: np.ndarray | None = None,
    limits: np.ndarray | None = None,
    bins: Bins = None,
    quantiles: Sequence[float] = (0.05, 0.5, 0.95),
    interval: float = 0.9,
    prediction: np.ndarray | None = None,
    groups: np.ndarray | None = None,
) -> xr.Dataset:
    """Compute a visual predictive check (VPC), prediction-corrected where the typical predictions are given.

    Parameters
    ----------
    time : array (R,)
        When, in hours.
    y : array (R,)
        Observed values, the limit itself where censored. Rows without a value are left out.
    simulated : array (K, R)
        The same rows simulated with etas and residual error drawn anew each time; missing values are left out.
    censored : array (R,), optional
        ``BELOW``, ``ABOVE`` or ``MEASURED``. Default: all are measured.
    limits : array (R,), optional
        Lower limit of quantification of each row, NaN where there is none. Default: :func:`quantification_limits` by group.
    bins : int or sequence of float, optional
        See :func:`time_bins`; by group.
    quantiles : sequence of float
        Of the values in a bin.
    interval : float
        What share of the simulations the bands hold.
    prediction : array (R,), optional
        Typical predictions, positive: each value is multiplied by the median prediction of its bin over its own.
    groups : array (R,), optional
        What is checked apart: the observable, the dose group. Default: all rows together.

    Returns
    -------
    xarray.Dataset
        ``observed`` (quantile, bin) and ``simulated`` (quantile, bin, band) with the bands ``low``, ``middle`` and ``high``;
        ``count`` of observations, ``start``, ``time`` (median) and ``end`` of a bin (h). Where some rows have limits,
        ``below_observed`` (bin) and ``below_simulated`` (bin, band), shares of them. By row, for drawing: ``value`` (row),
        corrected or not, with ``value_time`` and ``value_censored``. With ``groups`` all but these have the dim ``group`` first,
        and rows say their ``value_group``. Attributes ``interval``, ``prediction_corrected``, ``simulations``.

    Raises
    ------
    SpecError
        Shapes do not agree, nothing was observed, a typical prediction is not positive, or bins are no bins.

    Notes
    -----
    An observed quantile is NaN where it depends on what censored values are: where it differs between taking each as its limit
    and as far beyond. Others are those that uncensored data would have, and simulated values are used uncensored.
    Prediction correction: Bergstrand et al., AAPS J 2011;13:143-51, with a lower bound of zero.

    Examples
    --------
    >>> chance = np.random.default_rng(1)
    >>> found = visual_check(np.repeat([0.0, 24.0], 50), chance.normal(size=100), chance.normal(size=(200, 100)))
    >>> found["observed"].dims, found["simulated"].sizes["band"]
    (('quantile', 'bin'), 3)
    """
    y, simulated = np.asarray(y, float), np.asarray(simulated, float)
    measured = np.full(len(y), MEASURED)
    seen = {"time": np.asarray(time, float), "y": y, "censored": measured if censored is None else np.asarray(censored)}
    seen["group"] = measured if groups is None else np.asarray(groups)
    seen["prediction"] = np.ones(len(y)) if prediction is None else np.asarray(prediction, float)
    seen["limit"] = quantification_limits(y, seen["censored"], groups) if limits is None else np.asarray(limits, float)
    if {*map(len, seen.values())} != {simulated.shape[-1]}:
        raise SpecError(
            f"visual check: simulations of {simulated.shape[-1]} rows, and columns of {sorted({*map(len, seen.values())})}; give "
            "all of the same rows"
        )
    rows = pd.DataFrame(seen)
    rows = rows[np.isfinite(y)]
    if rows.empty:
        raise SpecError("visual check: no row has an observed value; give some")
    if bad := rows.index[~(rows["prediction"] > 0.0)].tolist():
        raise SpecError(
            f"visual check: the typical prediction of observation {bad[0]} is {rows.loc[bad[0], 'prediction']:g} ({len(bad)} are "
            "not positive); leave these rows out, or leave prediction= out"
        )
    by_group = rows.groupby("group", sort=False)["time"]
    rows["bin"] = by_group.transform(lambda own: time_bins(own.to_numpy(), bins))
    typical = rows.groupby(["group", "bin"])["prediction"]
    rows["factor"] = typical.transform("median") / rows["prediction"]
    labels = xr.DataArray(rows["group"].unique(), dims="group", name="group")
    checks = [
        _check(own, simulated, np.asarray(quantiles, float), interval) for _, own in rows.groupby("group", sort=False)
    ]
    found = xr.concat(checks, labels, data_vars="all", coords="minimal", compat="equals", join="outer")
    by_row = {"value": rows["y"] * rows["factor"], "value_time": rows["time"], "value_censored": rows["censored"]}
    found = found.assign({name: ("row", column.to_numpy()) for name, column in by_row.items()})
    about = {"interval": interval, "prediction_corrected": int(prediction is not None), "simulations": len(simulated)}
    found = found.assign_attrs(about)
    if groups is None:
        return found.isel(group=0, drop=True)
    return found.assign(value_group=("row", rows["group"].to_numpy()))


def _check(rows: pd.DataFrame, simulated: np.ndarray, quantiles: np.ndarray, interval: float) -> xr.Dataset:
    """Check the rows of one group."""
    edges = 0.5 * (1.0 - interval), 0.5, 0.5 * (1.0 + interval)
    observed, bands, below, shares = [], [], [], []
    for _, own in rows.groupby("bin"):
        factor = own["factor"].to_numpy()
        observed.append(_known(own["y"].to_numpy() * factor, own["censored"].to_numpy(), quantiles))
        bands.append(_spread(_present(simulated[:, own.index] * factor), quantiles, edges))
        limited = own[np.isfinite(own["limit"])]
        drawn = _present(simulated[:, limited.index])
        under = np.where(np.isnan(drawn), np.nan, drawn < limited["limit"].to_numpy())
        below.append((limited["censored"] == BELOW).mean())
        shares.append(np.quantile(np.nanmean(under, axis=1), edges) if under.size else np.full(3, np.nan))
    when = rows.groupby("bin")["time"].agg(start="min", time="median", end="max", count="size")
    found = xr.Dataset(
        {
            "observed": (("quantile", "bin"), np.array(observed).T),
            "simulated": (("quantile", "bin", "band"), np.moveaxis(np.array(bands), 1, 0)),
            "count": ("bin", when["count"].to_numpy()),
            **{name: ("bin", when[name].to_numpy(), {"units": "h"}) for name in ("start", "time", "end")},
        },
        {"quantile": quantiles, "bin": when.index.to_numpy(), "band": list(BAND)},
    )
    if np.isfinite(rows["limit"]).any():
        found["below_observed"] = ("bin", np.array(below))
        found["below_simulated"] = (("bin", "band"), np.array(shares))
    return found


def _present(simulated: np.ndarray) -> np.ndarray:
    """Leave out the simulations that have no value at all."""
    return np.asarray(simulated[np.isfinite(simulated).any(axis=1)])


def _spread(simulated: np.ndarray, quantiles: np.ndarray, edges: tuple[float, float, float]) -> np.ndarray:
    """Return the band (quantile, band) that quantiles of one simulation lie in."""
    if not simulated.size:
        return np.full((len(quantiles), len(edges)), np.nan)
    quantile: Any = np.quantile if np.isfinite(simulated).all() else np.nanquantile
    each = quantile(simulated, quantiles, axis=1)
    return np.asarray(np.quantile(each, edges, axis=1).T)


def _known(values: np.ndarray, censored: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """Return quantiles, NaN where they depend on what censored values are."""
    at_limit = np.quantile(values, quantiles)
    far = 1.0 + 10.0 * np.abs(values).max()
    moved = np.select([censored == BELOW, censored == ABOVE], [values - far, values + far], values)
    return np.where(np.quantile(moved, quantiles) == at_limit, at_limit, np.nan)
