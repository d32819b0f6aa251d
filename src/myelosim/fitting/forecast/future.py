"""What individuals are going to do: their counts up to the horizon, and the endpoints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.fitting.forecast.subject import Subject
from myelosim.simulation.simulate import simulated
from myelosim.spec.regimen import Regimen

STEP = 0.5  # days between the counts that are kept


def future(
    subject: Subject, individuals: dict[str, np.ndarray], also: Sequence[float], grading: str | None, tolerance: float,
    threads: int | None,
) -> xr.Dataset:  # fmt: skip
    """Simulate individuals under the subject's doses; ``remaining_nadir`` and its day are those from now on.

    Counts are kept at the days ``also``, too.

    Raises
    ------
    SpecError
        Doses, grading or concentrations that cannot be simulated up to the horizon.
    """
    first = min((event.time for event in subject.events), default=0.0)
    later = subject.now > first
    regimen = Regimen(subject.events, (first, subject.now) if later else ())
    frame = pd.DataFrame({**individuals, **subject.known})
    ds = simulated(
        subject.model, regimen, times=24.0 * days(subject, also), days=subject.horizon / 24.0, individuals=frame, grading=grading,
        tolerance=tolerance, threads=threads, on_failure="mask", warn=False,
    ).dataset  # fmt: skip
    for name in ("nadir", "nadir_day"):
        rest = ds[f"cycle_{name}"].isel(cycle=-1, drop=True) if later else ds[name]
        ds[f"remaining_{name}"] = rest.assign_attrs(long_name=f"{ds[name].attrs['long_name']}, from now on")
    return ds


def days(subject: Subject, also: Sequence[float] = ()) -> np.ndarray:
    """Return the elapsed days at which counts are kept: every half day, now, the horizon, and ``also``."""
    horizon = subject.horizon / 24.0
    return np.unique(np.round([*np.arange(0.0, horizon, STEP), subject.now / 24.0, horizon, *also], 9))
