"""Hold models to the numbers their files expect of them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from myelosim.errors import MyelosimError, MyelosimWarning, SpecError
from myelosim.simulation import simulate
from myelosim.spec.library import list_models, load_model
from myelosim.spec.model import Expected, Model, observable
from myelosim.spec.regimen import Regimen

__all__ = ["Check", "check", "validate"]

COARSE = 0.25  # h between the times at which a peak is first looked for
FINE = 400  # times around it for the second look
TOLERANCE = 1e-8  # of the integration: far below half of any digit a source gives


@dataclass(frozen=True, slots=True)
class Check:
    """A number expected of a model, and the one obtained.

    ``obtained`` is NaN where there is none; ``problem`` then says why.
    """

    model: str
    expected: Expected
    obtained: float
    problem: str = ""

    @property
    def met(self) -> bool:
        """Whether the two agree within the expected number's tolerance."""
        return abs(self.obtained - self.expected.value) <= self.expected.tolerance


def validate(
    names: Iterable[str] | None = None, *, progress: Callable[[str, float], None] | None = None
) -> list[Check]:
    """Run the checks of complete models, for the typical subject.

    Parameters
    ----------
    names : iterable of str, optional
        Complete models by name or path; default all published ones. Those without a check are passed over unless
        named.
    progress : callable, optional
        Called with the model's name and the fraction done.

    Returns
    -------
    list of Check
        In the order of the models and of their files.

    Raises
    ------
    SpecError
        A model named is not found, cannot be read or expects no number.
    """
    every = list_models()["published"] if names is None else names
    models = [load_model(name) for name in every]
    for model in models:
        if names is not None and not model.expected:
            raise SpecError(f"{model.name}: its file expects no number; add an [[expected]] entry to check it")
    told = progress or (lambda what, done: None)
    found: list[Check] = []
    for k, model in enumerate(models):
        told(model.name, k / len(models))
        found += check(model)
    told("done", 1.0)
    return found


def check(model: Model) -> list[Check]:
    """Run the checks of one model; expected numbers of the same dose, days and values share a simulation."""
    groups: dict[tuple[object, ...], list[Expected]] = {}
    for one in model.expected:
        groups.setdefault((one.dose, one.days, tuple(one.set.items())), []).append(one)
    obtained: dict[int, Check] = {}
    for group in groups.values():
        obtained |= _group(model, group)
    return [obtained[id(one)] for one in model.expected]


def _group(model: Model, group: list[Expected]) -> dict[int, Check]:
    first = group[0]
    try:
        changed = model.replace(first.set) if first.set else model
        regimen = Regimen.parse(first.dose) if first.dose else Regimen(())
        ds = _simulated(changed, regimen, first.days, group)
    except MyelosimError as error:
        return {id(one): Check(model.name, one, math.nan, str(error)) for one in group}
    out = {}
    for one in group:
        value = _peak(changed, regimen, ds, one) if one.endpoint == "cmax" else _read(ds, one)
        problem = "" if math.isfinite(value) else f"the model gives no {one.endpoint}"
        out[id(one)] = Check(model.name, one, value, problem)
    return out


def _simulated(model: Model, regimen: Regimen, days: float, group: list[Expected]) -> xr.Dataset:
    horizon = 24.0 * days
    wanted = [0.0, horizon, *(one.at for one in group if one.at is not None)]
    if any(one.endpoint == "cmax" for one in group):
        changes = [t for e in regimen.expand(horizon) for t in (e.time, e.time + e.duration)]
        wanted += [*np.arange(0.0, horizon, COARSE), *changes]
    return _run(model, regimen, np.unique([t for t in wanted if t <= horizon]), days)


def _run(model: Model, regimen: Regimen, hours: np.ndarray, days: float) -> xr.Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MyelosimWarning)
        return simulate(model, regimen, times=hours, days=days, tolerance=TOLERANCE)


def _peak(model: Model, regimen: Regimen, ds: xr.Dataset, one: Expected) -> float:
    """Return the largest concentration: on the coarse times, then on fine ones to either side."""
    values = ds["concentration"].sel(drug=one.drug)[0].to_numpy()
    hours = 24.0 * ds["time"].to_numpy()
    k = int(np.argmax(values))
    low, high = hours[max(k - 1, 0)], hours[min(k + 1, len(hours) - 1)]
    near = _run(model, regimen, np.linspace(low, high, FINE), one.days)
    return float(max(values[k], near["concentration"].sel(drug=one.drug).max()))


def _read(ds: xr.Dataset, one: Expected) -> float:
    if one.endpoint == "auc":
        return float(ds["area"].sel(drug=one.drug)[0, -1])
    own = ds.isel(subject=0).sel(lineage=observable(one.lineage))
    if one.endpoint in ("nadir", "nadir_day"):
        return float(own[one.endpoint])
    count = own["count"].sel(time=(24.0 * one.days if one.at is None else one.at) / 24.0, method="nearest")
    return float(count if one.endpoint == "count" else count / own["count"][0])
