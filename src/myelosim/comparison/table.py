"""One line per arm and lineage: what compare prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.comparison.monitor import OWN
from myelosim.endpoints.interval import Interval, one_subject, paired_difference, proportion, quantile
from myelosim.monitoring import shown
from myelosim.spec.grading import grade_limits, load_grading
from myelosim.spec.model import Model


def summary(result: xr.Dataset) -> pd.DataFrame:
    """Reduce a comparison to a table, with an interval on every percentage and median.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.compare`.

    Returns
    -------
    pandas.DataFrame
        One row per arm and lineage. ``nadir`` and ``nadir_day`` are medians over subjects, ``p_grade3`` is P(worst true
        grade >= 3), ``p_grade3_seen`` the same as seen at visits, ``at_baseline`` the share already at grade 3 at time
        zero, ``difference`` the paired difference of ``p_grade3`` to the first arm; ``_low`` and ``_high`` bound 95 % for
        the number of subjects simulated, and are NaN where all subjects are alike. ``days_grade3`` and ``days_grade4`` are
        means over all subjects, ``recovery_day`` the median among those with an event that recovered, ``unrecovered`` the
        share of events that had not by the horizon. Probabilities of a grade without a number in its table are NaN.
    """
    rows = []
    for arm in result["arm"].to_numpy():
        for lineage in result["lineage"].to_numpy():
            one = result.sel(arm=arm, lineage=lineage)
            first = result.isel(arm=0).sel(lineage=lineage)
            rows.append(
                {"arm": str(arm), "lineage": str(lineage), "unit": str(one["units"].item()), **_row(one, first)}
            )
    return pd.DataFrame(rows)


def outline(ds: xr.Dataset, model: Model) -> pd.DataFrame:
    """Reduce one simulation of a model as :func:`summary` does a comparison: one row per lineage."""
    table = load_grading(ds.attrs["grading"])
    limit = [grade_limits(model, table, str(name)) for name in ds["lineage"].to_numpy()]
    whole = ds.assign(grade_limit=(("lineage", "grade"), np.array(limit)))
    if "hold_days" not in ds:  # nobody could decide otherwise: all of the dose is given
        whole = whole.drop_vars("dose_intensity", errors="ignore")
    return summary(whole.expand_dims(arm=[ds.attrs["regimen"] or "none"]))


def _row(one: xr.Dataset, first: xr.Dataset) -> dict[str, object]:
    out: dict[str, object] = {"subjects": int(one["nadir"].notnull().sum())}
    alike = one_subject(one["count"].transpose("subject", ...))
    out |= _spread("nadir", quantile(_of(one, "nadir")), alike)
    out |= _spread("nadir_day", quantile(_of(one, "nadir_day")), alike)
    worst, limit = _of(one, "worst_grade"), one["grade_limit"].to_numpy()
    for grade in (3, 4):
        known = not np.isnan(limit[grade - 1])
        out |= _spread(f"p_grade{grade}", proportion(worst >= grade) if known else None, alike)
        out[f"days_grade{grade}"] = float(np.nanmean(_of(one, f"days_grade{grade}"))) if known else np.nan
        if "observed_grade" in one:
            out |= _spread(f"p_grade{grade}_seen", proportion(_of(one, "observed_grade") >= grade) if known else None)
        if f"p_grade{grade}_draw" in one:
            out |= _in_all(out, one, f"p_grade{grade}", known)
    known = not np.isnan(limit[2])
    out["at_baseline"] = float(np.mean(_of(one, "baseline_grade") >= 3)) if known else np.nan
    other = _of(first, "worst_grade")
    paired = known and len(other) == len(worst) and str(one["arm"].item()) != str(first["arm"].item())
    out |= _spread("difference", paired_difference(worst >= 3, other >= 3) if paired else None, alike)
    out |= _spread("recovery_day", quantile(_of(one, "recovery_day")), alike)
    events = worst >= 3
    out["unrecovered"] = float(np.nanmean(_of(one, "unrecovered")[events])) if known and events.any() else np.nan
    if "dose_intensity" in one:
        out["dose_intensity"] = float(one["dose_intensity"].mean())
    if "calendar" in one and OWN in one["calendar"]:
        out |= _stored("protocol_caught", one.sel(calendar=OWN), "calendar_in_time")
    if "monitoring_day" in one:
        held = one.sel(draws=shown(one["draws"].to_numpy().tolist()))
        days = held["monitoring_day"].to_numpy()
        out["recommended_days"] = ", ".join(f"{day:g}" for day in days if not np.isnan(day))
        out |= _stored("recommended_caught", held, "monitoring_in_time")
    return out


def _in_all(out: Mapping[str, Any], one: xr.Dataset, name: str, known: bool) -> dict[str, float]:
    """Return the interval of a percentage that holds the parameters' errors too: both parts of it added in squares."""
    if not known:
        return {f"{name}_all_low": np.nan, f"{name}_all_high": np.nan}
    estimate, low, high = (float(out[f"{name}{bound}"]) for bound in ("", "_low", "_high"))
    draws = one[f"{name}_draw"].to_numpy()
    below, above = (
        max(0.0, side) for side in (estimate - np.quantile(draws, 0.025), np.quantile(draws, 0.975) - estimate)
    )
    return {
        f"{name}_all_low": max(0.0, estimate - float(np.hypot(below, estimate - low))),
        f"{name}_all_high": min(1.0, estimate + float(np.hypot(above, high - estimate))),
    }


def _of(one: xr.Dataset, name: str) -> np.ndarray:
    values = one[name].to_numpy().astype(float)
    return np.asarray(values[~np.isnan(one["nadir"].to_numpy())])


def _stored(name: str, one: xr.Dataset, variable: str) -> dict[str, float]:
    return {f"{name}{bound}": float(one[f"{variable}{bound}"]) for bound in ("", "_low", "_high")}


def _spread(name: str, interval: Interval | None, alike: bool = False) -> dict[str, float]:
    """Return an estimate and its bounds; what all subjects have alike has none."""
    estimate, low, high = interval or (np.nan, np.nan, np.nan)
    if alike:
        low = high = np.nan
    return {name: estimate, f"{name}_low": low, f"{name}_high": high}
