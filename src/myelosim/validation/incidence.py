"""A calibrated model's incidences beside the reported ones, under the definition of its calibration file."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.endpoints.interval import Interval, proportion, quantile
from myelosim.errors import MyelosimWarning
from myelosim.simulation import simulate
from myelosim.spec.calibration import PERCENT, Calibration, Target, load_calibration
from myelosim.spec.model import Model
from myelosim.trial import run_arm

Datasets = Mapping[str, xr.Dataset]

STEADY_DAYS = 21  # after which the kinetics of a typical subject are periodic
EVERY = 0.05  # h between the times of the last day


@dataclass(frozen=True, slots=True)
class Reported:
    """A reported number and the model's.

    ``source`` is the reported one with the interval of its patients, ``model`` the one formed as the source's with the interval of
    the subjects simulated, ``true`` the same of true counts, and ``none`` as observed without any drug; NaN where there is none.
    """

    calibration: str
    target: Target
    source: Interval
    model: Interval
    true: float
    none: float


def reported(
    name: str,
    *,
    size: int | None = None,
    model: Model | None = None,
    progress: Callable[[str, float], None] | None = None,
) -> list[Reported]:
    """Compute every target of a calibration.

    Parameters
    ----------
    name : str
        Name or path of a calibration.
    size : int, optional
        Subjects in each arm; the calibration's own by default.
    model : Model, optional
        Instead of the scenario's, with other values of its parameters.
    progress : callable, optional
        Called with what is done and the fraction done.
    """
    calibration = load_calibration(name)
    scenario = calibration.scenario if size is None else replace(calibration.scenario, size=size)
    told = progress or (lambda what, done: None)
    datasets = {}
    for k, arm in enumerate(scenario.arms):
        told(f"{calibration.name}: {arm.name}", k / len(scenario.arms))
        own = arm if model is None else replace(arm, model=replace(arm.model, parameters=model.parameters))
        datasets[arm.name] = run_arm(scenario, own).dataset
    return [_row(calibration, one, datasets) for one in calibration.targets]


def table(rows: Sequence[Reported]) -> pd.DataFrame:
    """Return reported numbers and the model's side by side, percentages as such; NaN where there is none."""

    def row(one: Reported) -> dict[str, object]:
        scale = 100.0 if one.target.endpoint in PERCENT else 1.0
        unit = "%" if scale > 1 else "1" if one.target.endpoint.endswith("ratio") else "day"
        bounds = {
            f"{who}{bound}": scale * value
            for who, interval in (("source", one.source), ("model", one.model))
            for bound, value in zip(("", "_low", "_high"), interval, strict=True)
        }
        about = {
            "calibration": one.calibration,
            "id": one.target.id,
            "what": one.target.what,
            "unit": unit,
            "use": one.target.use,
        }
        return {**about, **bounds, "true": scale * one.true, "none": scale * one.none, "reference": one.target.source}

    return pd.DataFrame([row(one) for one in rows])


def _row(calibration: Calibration, target: Target, datasets: Datasets) -> Reported:
    if target.endpoint.endswith("ratio"):
        found = _ratio(calibration, target)
        exact = Interval(target.value, np.nan, np.nan)
        return Reported(calibration.name, target, exact, Interval(found, np.nan, np.nan), np.nan, np.nan)
    arms = [datasets[name] for name in target.arms or [n for n in datasets if n != calibration.none]]
    by_arm = [_seen(target, ds) for ds in arms]
    seen = np.concatenate(by_arm)
    true = np.concatenate([_true(target, ds) for ds in arms])
    none = _seen(target, datasets[calibration.none]) if calibration.none else np.zeros(0)
    if target.endpoint in PERCENT:
        events = round(target.value / 100 * target.n)
        source = proportion(np.arange(target.n) < events) if target.n else Interval(*[np.nan] * 3)
        return Reported(
            calibration.name, target, Interval(target.value / 100, source.low, source.high), _pooled(by_arm),
            float(np.mean(true)) if len(true) else np.nan, float(np.mean(none)) if len(none) else np.nan,
        )  # fmt: skip
    exact = Interval(target.value, np.nan, np.nan)
    return Reported(calibration.name, target, exact, quantile(seen), _median(true), _median(none))


def _pooled(by_arm: Sequence[np.ndarray]) -> Interval:
    """Return the proportion over arms that share their subjects, with the interval of as many as these are worth."""
    shares = np.mean([values.astype(float) for values in by_arm], axis=0)
    p, spread = float(shares.mean()), float(shares.var())
    worth = round(len(shares) * p * (1 - p) / spread) if spread > 0 else len(shares)
    found = proportion(np.arange(worth) < round(p * worth))
    return Interval(p, found.low, found.high)


def _median(values: np.ndarray) -> float:
    return float(np.nanmedian(values)) if np.any(~np.isnan(values)) else np.nan


def _seen(target: Target, ds: xr.Dataset) -> np.ndarray:
    if target.endpoint == "held":
        return np.asarray(ds["hold_days"] > 0) if "hold_days" in ds else np.zeros(0)
    own = ds.sel(lineage=target.lineage)
    if target.endpoint == "return":
        return _return(own, ds)
    emergent = np.asarray(
        (own["observed_grade"] >= target.grade) & (own["observed_grade"] > own["observed_baseline_grade"])
    )
    return emergent if target.endpoint == "grade" else np.where(emergent, own["onset"], np.nan)


def _true(target: Target, ds: xr.Dataset) -> np.ndarray:
    if target.endpoint in ("held", "return"):
        return np.zeros(0)
    own = ds.sel(lineage=target.lineage)
    emergent = np.asarray((own["worst_grade"] >= target.grade) & (own["worst_grade"] > own["baseline_grade"]))
    return emergent if target.endpoint == "grade" else np.where(emergent, own["true_onset"], np.nan)


def _return(own: xr.Dataset, ds: xr.Dataset) -> np.ndarray:
    """Return the days from each subject's last dose to the first day at 90 % of the true baseline or more."""
    given = ds["dose_given"].transpose("subject", "dose").to_numpy() > 0
    if not given.any():
        return np.full(ds.sizes["subject"], np.nan)
    last = np.max(np.where(given, ds["dose_time"].to_numpy(), -np.inf), axis=1)
    days = own["time"].to_numpy()
    back = (own["count"].to_numpy() >= 0.9 * own["baseline"].to_numpy()[:, None]) & (days >= last[:, None])
    return np.where(back.any(axis=1), days[np.argmax(back, axis=1)] - last, np.inf)


def _ratio(calibration: Calibration, target: Target) -> float:
    hours = 24.0 * STEADY_DAYS + np.arange(0.0, 24.0 + EVERY / 2, EVERY)
    sizes = []
    for name in target.arms:
        arm = next(arm for arm in calibration.scenario.arms if arm.name == name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", MyelosimWarning)
            ds = simulate(arm.model, arm.regimen, times=hours)
        drug = arm.regimen.drugs[0]
        course, area = (ds[what].sel(drug=drug)[0].to_numpy() for what in ("concentration", "area"))
        sizes.append(
            {"auc": area[-1] - area[0], "cmax": course.max(), "cmin": course.min()}[
                target.endpoint.removesuffix("_ratio")
            ]
        )
    return float(sizes[0] / sizes[1])
