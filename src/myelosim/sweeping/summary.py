"""From the subjects of a sweep to one number a cell."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from myelosim.endpoints.interval import Interval, proportion, quantile
from myelosim.results import CELLS as UNITS
from myelosim.results import provenance
from myelosim.spec.grading import grade_limits, load_grading
from myelosim.spec.model import observable
from myelosim.spec.sweep import Axis, Cell, Limit, Sweep
from myelosim.spec.sweeps import GRADED
from myelosim.sweeping.limit import dose_matters, highest_dose
from myelosim.sweeping.store import CELLS, KEPT, OF_SUBJECT, UNDOSED, Store, stored

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
BOUNDS = ("", "_low", "_high")
AS = {"": "", "_low": ", lower bound", "_high": ", upper bound"}
SHARES = {
    "p_grade3": ("worst_grade", 3, "share of subjects whose worst true grade is 3 or more"),
    "p_grade4": ("worst_grade", 4, "share of subjects whose worst true grade is 4"),
    "p_grade3_seen": ("observed_grade", 3, "share of subjects whose worst grade seen at a visit is 3 or more"),
    "p_grade4_seen": ("observed_grade", 4, "share of subjects whose worst grade seen at a visit is 4"),
    "at_baseline": ("baseline_grade", 3, "share of subjects at grade 3 or worse at time zero"),
}
MEANS = {
    "days_grade3": ("day", "days at grade 3 or worse, mean of all subjects"),
    "dose_intensity": ("1", "dose given over dose planned, mean"),
    "rescue_days": ("day", "days with unplanned G-CSF, mean"),
}


def collected(sweep: Sweep, store: Store, told: Callable[[str, float], None]) -> xr.Dataset:
    """Reduce all cells, one after the other."""
    grid = _Grid(sweep, sweep.axes)
    for k, cell in enumerate(sweep.cells):
        told("summary", k / len(sweep.cells))
        grid.add(cell, store.read(CELLS, cell, (*stored(sweep), *OF_SUBJECT)))
    ground = _Grid(sweep, sweep.ground)
    for cell in sweep.undosed:
        ground.add(cell, store.read(UNDOSED, cell, (*stored(sweep), *OF_SUBJECT)))
    shares = {name: one for name, one in ground.variables().items() if name.startswith("p_")}
    result = xr.Dataset(grid.variables() | {_undosed(name): one for name, one in shares.items()}, _coords(sweep))
    matters = [dose_matters(sweep, name) for name in sweep.lineages]
    result["dose_matters"] = (
        "lineage",
        matters,
        {"long_name": "an effect on it depends on the exposure to the swept drug"},
    )
    if sweep.limit is not None:
        result = result.assign(highest_dose(sweep, result))
    if sweep.keep.subjects:
        days = sweep.cells[0].scenario.days
        time = np.unique([*np.arange(math.floor(days) + 1.0), days])
        count = store.array(KEPT, "count")[..., : len(time)]
        about = {"long_name": "true count of the subjects kept"}
        result["count"] = ((*(axis.name for axis in sweep.axes), "kept", "lineage", "time"), np.asarray(count), about)
        at = ("time", time, {"units": "day", "long_name": "days since time zero"})
        result = result.assign_coords(kept=list(sweep.keep.subjects), time=at)
    result.attrs = _attrs(sweep, result)
    return result


class _Grid:
    """Numbers along some axes, filled cell by cell."""

    def __init__(self, sweep: Sweep, axes: tuple[Axis, ...]) -> None:
        self.sweep, self.axes = sweep, axes
        self.shape = tuple(len(axis.values) for axis in axes)
        self.values: dict[str, np.ndarray] = {}

    def add(self, cell: Cell, subjects: dict[str, np.ndarray]) -> None:
        """Reduce one cell."""
        held = cell.scenario
        model, table = held.arms[0].model, load_grading(held.grading)
        own = held.lineages or tuple(observable(name) for name in model.lineages)
        for k, lineage in enumerate(self.sweep.lineages):
            if lineage not in own:
                continue
            one = {name: v[:, k].astype(float) if v.ndim == 2 else v for name, v in subjects.items()}
            there = ~np.isnan(one["nadir"])
            one = {name: v[there] for name, v in one.items()}
            place = (*cell.index, k)
            self._put("subjects", place, int(there.sum()))
            self._put("failed", place, int((~there).sum()))
            known = ~np.isnan(grade_limits(model, table, lineage))
            for name, (endpoint, grade, _) in SHARES.items():
                if endpoint in one:
                    self._spread(name, place, proportion(one[endpoint] >= grade) if known[grade - 1] else None)
            limit = self.sweep.limit
            if limit is not None and limit.lineage == lineage:
                judged = limit.endpoint not in GRADED or known[int(limit.at_least) - 1]
                self._spread("p_limit", cell.index, _rate(limit, one) if judged else None)
            for name in ("nadir", "nadir_day"):
                self._put(name, (*place, slice(None)), _quantiles(one[name]))
                middle = quantile(one[name])
                self._put(f"{name}_low", place, middle.low)
                self._put(f"{name}_high", place, middle.high)
            self._put("days_grade3", place, float(np.mean(one["days_grade3"])) if known[2] and there.any() else np.nan)
        for name in OF_SUBJECT:
            self._put(name, cell.index, float(np.mean(subjects[name])))

    def variables(self) -> dict[str, Any]:
        """Return the variables of a dataset."""
        dims = tuple(axis.name for axis in self.axes)
        out = {}
        for name, values in self.values.items():
            also = ("lineage", "quantile") if values.ndim == len(dims) + 2 else ("lineage",)
            out[name] = ((*dims, *also)[: values.ndim], values, _about(name, self.sweep))
        return out

    def _spread(self, name: str, place: tuple[Any, ...], interval: Interval | None) -> None:
        for bound, value in zip(BOUNDS, interval or (np.nan,) * 3, strict=True):
            self._put(name + bound, place, value)

    def _put(self, name: str, place: tuple[Any, ...], value: Any) -> None:
        if name not in self.values:
            sizes = (len(self.sweep.lineages), len(QUANTILES))[: len(place) - len(self.shape)]
            counted = isinstance(value, int)
            self.values[name] = np.full(
                (*self.shape, *sizes), 0 if counted else np.nan, dtype=int if counted else float
            )
        self.values[name][place] = value


def _rate(limit: Limit, one: dict[str, np.ndarray]) -> Interval:
    values = one[limit.endpoint]
    return proportion(np.where(np.isnan(values), np.nan, values >= limit.at_least))


def _quantiles(values: np.ndarray) -> np.ndarray:
    return np.asarray(np.quantile(values, QUANTILES)) if values.size else np.full(len(QUANTILES), np.nan)


def _undosed(name: str) -> str:
    bound = next((one for one in ("_low", "_high") if name.endswith(one)), "")
    return f"{name.removesuffix(bound)}_undosed{bound}"


def _about(name: str, sweep: Sweep) -> dict[str, str]:
    bound = next((one for one in ("_low", "_high") if name.endswith(one)), "")
    plain = name.removesuffix(bound)
    if plain in SHARES:
        return {"units": "1", "long_name": SHARES[plain][2] + AS[bound]}
    if plain in MEANS:
        return dict(zip(("units", "long_name"), MEANS[plain], strict=True))
    if plain == "p_limit":
        assert sweep.limit is not None
        return {"units": "1", "long_name": f"P({sweep.limit.endpoint} >= {sweep.limit.at_least:g}){AS[bound]}"}
    words = {"nadir": "lowest true count", "nadir_day": "day of the nadir", "subjects": "subjects simulated"}
    said = words.get(plain, "subjects who could not be integrated")
    return {"long_name": said + (f", median{AS[bound]}" if bound else "")} | (
        {"units": "day"} if plain == "nadir_day" else {}
    )


def _coords(sweep: Sweep) -> dict[str, Any]:
    coords: dict[str, Any] = {axis.name: (axis.name, list(axis.values)) for axis in sweep.axes}
    for axis in sweep.axes:
        if axis.numbers:
            coords[f"{axis.name}_number"] = (axis.name, list(axis.numbers), {"units": axis.unit or "1"})
    if not {"species", "variant"} & set(coords):
        return coords | _of_lineages(sweep)
    name = "species" if "species" in coords else "variant"
    axis = next(one for one in sweep.axes if one.name == name)
    k = sweep.axes.index(axis)
    tables = {cell.index[k]: cell.scenario.grading for cell in sweep.cells}
    return coords | _of_lineages(sweep) | {"grading": (name, [tables[i] for i in range(len(axis.values))])}


def _of_lineages(sweep: Sweep) -> dict[str, Any]:
    return {
        "lineage": list(sweep.lineages), "quantile": list(QUANTILES),
        "units": ("lineage", [UNITS.get(name, "10^9/L") for name in sweep.lineages]),
    }  # fmt: skip


def _attrs(sweep: Sweep, result: xr.Dataset) -> dict[str, Any]:
    models = list({id(cell.scenario.arms[0].model): cell.scenario.arms[0].model for cell in sweep.cells}.values())
    assumed = sorted({name for model in models for name in model.assumed})
    said = list(dict.fromkeys(text for model in models for text in model.warnings))
    failed = int(result["failed"].max())
    if failed:
        said.append(f"up to {failed} subjects of a cell could not be integrated and are left out")
    held = sweep.cells[0].scenario
    attrs = provenance(sweep.spec_hash, held.seed, held.tolerance, assumed, said)
    limit = sweep.limit
    return attrs | {
        "title": sweep.title, "sweep": sweep.name, "scenario": held.name, "scenario_file": sweep.path, "drug": sweep.drug,
        "axes": ", ".join(axis.name for axis in sweep.axes), "days": held.days,
        "grading": "; ".join(dict.fromkeys(cell.scenario.grading for cell in sweep.cells)),
        "limit": "" if limit is None else f"P({limit.lineage} {limit.endpoint} >= {limit.at_least:g}) < {limit.probability:g}",
        "limit_probability": math.nan if limit is None else limit.probability,
        "limit_lineage": "" if limit is None else limit.lineage,
        "limit_grade": int(limit.at_least) if limit is not None and limit.endpoint == "worst_grade" else 0,
        "illustrative": int(any(model.illustrative for model in models)),
    }  # fmt: skip
