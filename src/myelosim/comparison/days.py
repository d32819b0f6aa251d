"""The calendars of a comparison as a table, and the question for nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.comparison.compare import compare
from myelosim.comparison.monitor import BOUNDS, BURDEN, MEASURES
from myelosim.errors import SpecError
from myelosim.spec.scenario import Scenario
from myelosim.spec.scenarios import load_scenario


def monitoring_days(
    scenario: Scenario | str | os.PathLike[str] | Mapping[str, Any],
    *,
    threads: int | None = None,
    progress: Callable[[str, float], None] | None = None,
    **asked: Any,
) -> pd.DataFrame:
    """Choose the days on which to draw blood, and compare them with other calendars.

    Parameters
    ----------
    scenario : Scenario, str, path or mapping
        As for :func:`myelosim.compare`.
    threads : int, optional
        Threads to use; the result does not depend on it.
    progress : callable, optional
        Called with what is being done and the fraction done.
    **asked
        Fields of :class:`myelosim.spec.scenario.Recommend` that shall not be the scenario's: ``draws=(5,)``, ``within=3.0``
        and ``gap=2.0`` (days), ...

    Returns
    -------
    pandas.DataFrame
        As from `days_table`.

    Raises
    ------
    SpecError
        Also where no days can be had: it says which limit stands against them, and how many draws are possible.
    """
    held = scenario if isinstance(scenario, Scenario) else load_scenario(scenario)
    result = compare(replace(held, recommend=replace(held.recommend, **asked)), threads=threads, progress=progress)
    if "draws" not in result:
        nothing = "monitoring: no subject reaches grade 3, so no day is better than another; raise the dose or the size"
        raise SpecError(result.attrs["monitoring_refused"] or nothing)
    return days_table(result)


def days_table(result: xr.Dataset) -> pd.DataFrame:
    """Put the calendars of a comparison into a table.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.compare`.

    Returns
    -------
    pandas.DataFrame
        One row per arm, calendar and lineage, arms with nothing to catch left out: the protocol's own visits, those of
        ``[recommend]``, and the ones chosen, of which ``draws`` is their number of draws. ``days`` are elapsed days after
        that of the baseline; ``in_time``, ``caught``, ``delay`` (days) and ``miss``, with ``_low`` and ``_high``, what they
        show of ``scored_on`` fresh subjects; ``number`` draws take ``blood`` (mL), which is the fraction ``limit`` of what
        is allowed. ``how`` says how days were found, among ``looked`` sets and on ``chosen_on`` subjects.
    """
    rows = []
    for arm in result["arm"].to_numpy():
        own = result.sel(arm=arm)
        size = int(own["nadir"].notnull().any("lineage").sum())
        named = own["calendar"].to_numpy().tolist() if "calendar" in own else []
        parts: list[tuple[str, Any]] = [("calendar", name) for name in named]
        parts += [("monitoring", int(k)) for k in own["draws"].to_numpy()] if "draws" in own else []
        for of, key in parts:
            one = own.sel({"draws" if of == "monitoring" else of: key})
            if np.isnan(one[f"{of}_number"]):
                continue
            day = one[f"{of}_day"].to_numpy()
            about: dict[str, Any] = {"arm": str(arm), "calendar": key, "draws": np.nan, "how": "", "looked": 0}
            if of == "monitoring":
                about |= {"calendar": f"{key} draw{'s' if key != 1 else ''} chosen", "draws": float(key)}
                about |= {name: one[f"monitoring_{name}"].item() for name in ("how", "looked")}
            about |= {
                "chosen_on": size,
                "scored_on": int(own["monitoring_fresh"]),
                "days": day[~np.isnan(day)].tolist(),
            }
            about |= {name: float(one[f"{of}_{name}"]) for name in BURDEN}
            for lineage in result["lineage"].to_numpy():
                seen = one.sel(lineage=lineage)
                values = {f"{m}{end}": float(seen[f"{of}_{m}{end}"]) for m in MEASURES for end in BOUNDS}
                rows.append({**about, "lineage": str(lineage), **values})
    return pd.DataFrame(rows)
