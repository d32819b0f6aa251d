"""The forecast as a dataset, and what must be said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from myelosim.endpoints.interval import proportion
from myelosim.fitting.forecast.choice import Choice, log_seen
from myelosim.fitting.forecast.draws import LEAST
from myelosim.fitting.forecast.posterior import Posterior
from myelosim.fitting.forecast.subject import Subject
from myelosim.grading import GRADES, thresholds
from myelosim.results import provenance, variable
from myelosim.simulation.observed import observe
from myelosim.spec.grading import load_grading

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FORECAST = (
    "nadir", "nadir_day", "remaining_nadir", "remaining_nadir_day", "worst_grade", "days_grade3", "recovery_day", "baseline",
)  # fmt: skip
ALSO_PRIOR = ("nadir", "nadir_day")
NOTE = (
    "It holds under the model and its population, and is no advice for any patient or animal, nor on whether to dose or "
    "to draw blood."
)


def told(
    subject: Subject, found: Posterior, after: xr.Dataset, before: xr.Dataset, choice: Choice, seed: int, tolerance: float,
) -> xr.Dataset:  # fmt: skip
    """Put everything into one dataset."""
    lineages = [str(name) for name in after["lineage"].to_numpy()]
    variables = _counts(subject, after, lineages, seed) | _endpoints(after, before, found.effective, subject.now / 24.0)
    variables |= _parameters(found) | _seen(subject, found) | choice.variables()
    table = load_grading(after.attrs["grading"])
    lower = subject.model.subjects.lower_limit
    base = variables["baseline"][1][QUANTILES.index(0.5)]
    limits = [thresholds(name, table, lower.get(name), float(b)) for name, b in zip(lineages, base, strict=True)]
    variables["grade_limit"] = variable(("lineage", "grade"), np.array(limits), "", "counts below which a grade begins")
    coords: dict[str, Any] = {
        "quantile": list(QUANTILES), "lineage": lineages, "units": ("lineage", after["units"].to_numpy()),
        "time": ("time", after["time"].to_numpy(), after["time"].attrs), "grade": list(GRADES), "parameter": list(found.names),
        "target": list(choice.targets.names),
        "visit": ("visit", choice.ahead.days, {"units": "day", "long_name": "days since time zero"}),
        "parameter_unit": ("parameter", [subject.model.parameters[n].unit for n in found.names]),
    }  # fmt: skip
    warnings = list(filter(None, after.attrs["warnings"].split("\n")))
    attrs = provenance(subject.model.spec_hash, seed, tolerance, subject.model.assumed, warnings)
    attrs["note"] = f"{attrs['note']} {NOTE}"
    attrs |= {
        "title": subject.model.title, "model": subject.model.name, "subject": subject.name, "now": subject.now / 24.0,
        "grading": after.attrs["grading"], "illustrative": after.attrs["illustrative"], "data": subject.study.digest,
        "effective_samples": round(found.effective, 1), "samples": len(found.b), "prior_samples": len(found.prior),
        "method": "mode and importance resampling; next draw by reweighting the individuals with counts they might give",
        "criterion": choice.ahead.criterion, "asked_of": ", ".join(choice.chosen), "sets": len(choice.ahead.sets),
    }  # fmt: skip
    return xr.Dataset(variables, coords, attrs)


def _quantiles(values: np.ndarray) -> np.ndarray:
    """Return quantiles over the first dimension, of what there is; NaN where there is nothing."""
    if not values.size:
        return np.full((len(QUANTILES), *values.shape[1:]), np.nan)
    some = np.isfinite(values).any(axis=0)
    filled = np.where(some, values, 0.0)
    return np.where(some, np.nanquantile(filled, QUANTILES, axis=0), np.nan)


def _counts(subject: Subject, after: xr.Dataset, lineages: list[str], seed: int) -> dict[str, Any]:
    count, hours = after["count"].to_numpy(), 24.0 * after["time"].to_numpy()
    seen = [
        observe(count[:, k], hours, name, subject.model.residual.get(name), seed) for k, name in enumerate(lineages)
    ]
    dims = ("quantile", "lineage", "time")
    return {
        "count": variable(dims, _quantiles(count), "", "true count"),
        "observed": variable(dims, _quantiles(np.stack(seen, axis=1)), "", "count as a report would give it"),
    }


def _endpoints(after: xr.Dataset, before: xr.Dataset, effective: float, now: float) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for prefix, ds, names in (("", after, FORECAST), ("prior_", before, ALSO_PRIOR)):
        for name in names:
            unit, meaning = ds[name].attrs.get("units", ""), ds[name].attrs["long_name"]
            what = f"{meaning}, of the population" if prefix else meaning
            out[prefix + name] = variable(
                ("quantile", "lineage"), _quantiles(ds[name].to_numpy().astype(float)), unit, what
            )
        for grade in (3, 4):
            flags = _flags(ds, grade)
            worth = effective if not prefix else None
            each = np.array([proportion(flags[:, k], worth=worth) for k in range(flags.shape[1])])
            for k, end in enumerate(("", "_low", "_high")):
                what = f"probability of grade {grade} or worse" + (", of the population" if prefix else "")
                out[f"{prefix}p_grade{grade}{end}"] = variable(("lineage",), each[:, k], "1", what)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.array([
            [np.nanstd(log_seen(ds["nadir"].sel(lineage=name).to_numpy(), str(name))) for name in ds["lineage"].to_numpy()]
            for ds in (after, before)
        ])  # fmt: skip
        left = np.where(spread[1] > LEAST, spread[0] / spread[1], np.nan)
    out["nadir_left"] = variable(("lineage",), left, "1", "standard deviation of log nadir over the population's")
    passed = np.nanmean(after["nadir_day"].to_numpy() <= now, axis=0)
    out["p_passed"] = variable(("lineage",), passed, "1", "probability that the nadir has passed")
    edge = np.nanmean(after["nadir_at_edge"].to_numpy(), axis=0)
    out["p_at_edge"] = variable(
        ("lineage",), edge, "1", "probability that the nadir lies at the first dose or the horizon"
    )
    return out


def _flags(ds: xr.Dataset, grade: int) -> np.ndarray:
    """Return whether a grade is reached (sample, lineage); NaN where the table has no number for it."""
    table, worst = load_grading(ds.attrs["grading"]), ds["worst_grade"].to_numpy().astype(float)
    has = np.array([table.has(str(name), grade) for name in ds["lineage"].to_numpy()])
    failed = np.isnan(ds["nadir"].to_numpy())
    return np.where(has & ~failed, worst >= grade, np.nan)


def _parameters(found: Posterior) -> dict[str, Any]:
    individual = np.stack(list(found.values(found.b).values()), axis=1)
    mode = [float(value[0]) for value in found.values(found.mode[None]).values()]
    typical = [float(value[0]) for value in found.values(np.zeros((1, len(found.names)))).values()]
    left = np.var(found.b, axis=0) / np.var(found.prior, axis=0)
    dims = ("parameter",)
    return {
        "individual": variable(("sample", "parameter"), individual, "", "individuals, all equally likely"),
        "parameter_value": variable(("quantile", "parameter"), _quantiles(individual), "", "the subject's parameters"),
        "mode": variable(dims, mode, "", "the most likely parameters"),
        "typical": variable(dims, typical, "", "those of the typical subject"),
        "eta": variable(dims, found.mode / found.sd, "1", "deviation of the mode, in the population's standard deviations"),
        "shrinkage": variable(
            dims, np.minimum(left, 1.0), "1", "variance left of the population's, on the parameter's scale; 1: nothing is learned"
        ),
    }  # fmt: skip


def _seen(subject: Subject, found: Posterior) -> dict[str, Any]:
    seen = subject.study.observations
    return {
        "seen": variable(("observation",), seen.value.astype(float), "", "what was observed"),
        "seen_day": variable(("observation",), seen.time / 24.0, "day", "days since time zero"),
        "seen_of": (("observation",), seen.observable.astype(str)),
        "seen_censored": variable(("observation",), seen.censored.astype(int), "1", "1 under the value, -1 over it"),
        "seen_row": variable(("observation",), seen.row.astype(int), "1", "row in the data"),
        "seen_predicted": variable(("quantile", "observation"), _quantiles(found.predicted.T), "", "true value"),
        "seen_residual": variable(
            ("observation",), found.residual, "1", "observed less predicted at the mode, in standard deviations"
        ),
    }  # fmt: skip
