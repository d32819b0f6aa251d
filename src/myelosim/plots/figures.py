"""The numbers that the pictures show: each a function of a result, and nothing drawn."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import xarray as xr

from myelosim.endpoints.interval import one_subject, proportion
from myelosim.errors import SpecError
from myelosim.grading import GRADES, Table, grade, thresholds
from myelosim.spec.grading import load_grading
from myelosim.spec.rule import cells

__all__ = [
    "OF_BASELINE",
    "QUANTILES",
    "Given",
    "alike",
    "as_graded",
    "boundary",
    "by_arm",
    "calendar",
    "doses_given",
    "grade_share",
    "grading_of",
    "most_affected",
    "plain",
    "share_at_grade3",
    "spread",
    "subjects",
    "thinned",
]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Bounds of the middle 90 % and 50 % of subjects, and the median."""


OF_BASELINE = "% of baseline"
"""Unit of counts that are graded by each subject's own baseline."""


@dataclass(frozen=True, slots=True)
class Given:
    """Consecutive elapsed days, ``start`` up to ``end``, on each of which a ``share`` of the subjects got a drug."""

    drug: str
    start: float
    end: float
    share: float


def plain(text: str) -> str:
    r"""Make a text one that is drawn as it reads: a dollar sign would begin a formula.

    Examples
    --------
    >>> plain("$5 to $9")
    '\\$5 to \\$9'
    """
    return text.replace("$", r"\$")


def by_arm(result: xr.Dataset) -> xr.Dataset:
    """Give a result the dims ``arm`` and ``lineage``, the limits of its grades, and names that can be drawn.

    Parameters
    ----------
    result : xarray.Dataset
        From :func:`myelosim.compare`, or of one regimen from :func:`myelosim.simulate`; one arm or lineage of it will do.

    Raises
    ------
    SpecError
        The result has no counts.
    """
    if "count" not in result or "lineage" not in result.coords or "subject" not in result.dims:
        raise SpecError(
            "plots: the result has no variable count [subject, lineage, time]; give what ms.compare or ms.simulate returned"
        )
    if "lineage" not in result.dims:
        units = np.atleast_1d(result["units"].to_numpy())
        result = result.drop_vars("units").expand_dims("lineage").assign_coords(units=("lineage", units))
    if "arm" not in result.dims:
        name = str(result["arm"].item()) if "arm" in result.coords else str(result.attrs.get("regimen", "")) or "arm"
        result = result.drop_vars("arm", errors="ignore").expand_dims(arm=[name])
        if "grade_limit" in result:  # is of all arms
            result["grade_limit"] = result["grade_limit"].isel(arm=0)
    if "grade_limit" not in result:
        table = grading_of(result)
        names = result["lineage"].to_numpy()
        typical = result["count"].isel(time=0).median([d for d in ("arm", "subject") if d in result.dims])
        rows = [thresholds(str(n), table, baseline=float(typical.sel(lineage=n))) for n in names]
        result = result.assign(grade_limit=(("lineage", "grade"), np.array(rows))).assign_coords(grade=list(GRADES))
    if "dose_drug" in result:
        result = result.assign(dose_drug=(result["dose_drug"].dims, _plain(result["dose_drug"])))
    texts = {key: plain(text) for key, text in result.attrs.items() if isinstance(text, str)}
    return result.assign_coords(arm=_plain(result["arm"])).assign_attrs(texts)


def _plain(names: xr.DataArray) -> np.ndarray:
    return np.array([plain(str(name)) for name in names.to_numpy().flat], dtype=str).reshape(names.shape)


def grading_of(result: xr.Dataset) -> Table:
    """Load the table by which a result was graded."""
    return load_grading(str(result.attrs.get("grading", "ctcae_v5")))


def as_graded(result: xr.Dataset) -> xr.Dataset:
    """Give counts, nadirs and limits in percent of each subject's own baseline, where the table grades by that alone.

    Elsewhere nothing changes. So a shaded grade means the same for every subject in a picture.
    """
    table = grading_of(result)
    names = [str(name) for name in result["lineage"].to_numpy()]
    own = [n for n in names if n in table.of_baseline and all(b is None for b in table.bounds[n].absolute)]
    if not own:
        return result
    is_own = xr.DataArray([name in own for name in names], dims="lineage", coords={"lineage": result["lineage"]})
    baseline = result["baseline"] if "baseline" in result else result["count"].isel(time=0, drop=True)
    out = {n: result[n].where(~is_own, 100.0 * result[n] / baseline) for n in ("count", "nadir") if n in result}
    relative = np.array([table.bounds[n].relative if n in own else (np.nan,) * 4 for n in names], dtype=float)
    limit = result["grade_limit"].transpose("lineage", "grade").to_numpy()
    mine = np.isin(names, own)
    out["grade_limit"] = xr.DataArray(np.where(mine[:, None], 100.0 * relative, limit), dims=("lineage", "grade"))
    units = np.where(mine, OF_BASELINE, result["units"].to_numpy())
    return result.assign(out).assign_coords(units=("lineage", units))


def subjects(result: xr.Dataset) -> list[int]:
    """Count the subjects of each arm that have counts; arms may differ in size, and subjects may have failed."""
    count = result["count"].transpose("arm", "subject", "lineage", "time")
    return [int(n) for n in (~np.isnan(count.to_numpy())).any(axis=(2, 3)).sum(axis=1)]


def alike(result: xr.Dataset) -> bool:
    """Tell whether each arm is one subject, or copies of one: there are no shares and no intervals of them."""
    return one_subject(result["count"].transpose("subject", ...))


def spread(values: xr.DataArray) -> xr.DataArray:
    """Give the quantiles over subjects, as a first dim ``quantile``; subjects without a value are left out."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "All-NaN", RuntimeWarning)
        found = np.nanquantile(values.to_numpy(), QUANTILES, axis=values.get_axis_num("subject"))
    rest = [dim for dim in values.dims if dim != "subject"]
    coords = {dim: values[dim] for dim in rest if dim in values.coords}
    return xr.DataArray(
        found, dims=["quantile", *rest], coords={"quantile": list(QUANTILES), **coords}, attrs=values.attrs
    )


def grade_share(result: xr.Dataset, lineage: str) -> xr.DataArray:
    """Give the share of subjects in each grade, 0 to 4, by time.

    Parameters
    ----------
    result : xarray.Dataset
        With dim ``arm``.
    lineage : str
        Lineage coordinate.

    Returns
    -------
    xarray.DataArray
        (arm, grade, time), of the subjects that have a count then. A grade without a number in the table is 0 throughout.
        Where the table goes by percent of baseline, it is each subject's own.

    Raises
    ------
    SpecError
        The result has no such lineage, or the table does not grade it.
    """
    if lineage not in result["lineage"].to_numpy():
        raise SpecError(
            f"plots: no lineage {lineage!r}; the result has {', '.join(map(str, result['lineage'].to_numpy()))}"
        )
    limit = result["grade_limit"].sel(lineage=lineage).to_numpy()
    if np.isnan(limit).all():
        raise SpecError(
            f"plots: the grading {result.attrs.get('grading', '')} has no number for {lineage}; choose another lineage"
        )
    table = grading_of(result)
    count = result["count"].sel(lineage=lineage).transpose("arm", "subject", "time")
    first = (
        result["baseline"].sel(lineage=lineage).transpose("arm", "subject") if "baseline" in result else count[..., 0]
    )
    graded = np.stack(
        [
            grade(one, lineage, table, limit[0], begin)
            for one, begin in zip(count.to_numpy(), first.to_numpy(), strict=True)
        ]
    )
    known = np.maximum((graded >= 0).sum(axis=1), 1)
    share = np.stack([(graded == value).sum(axis=1) / known for value in (0, *GRADES)], axis=1)
    coords = {"arm": result["arm"], "grade": [0, *GRADES], "time": result["time"]}
    about = {"long_name": "share of subjects", "units": "1"}
    return xr.DataArray(share, dims=["arm", "grade", "time"], coords=coords, attrs=about)


def share_at_grade3(result: xr.Dataset) -> xr.DataArray:
    """Give P(worst true grade >= 3), (interval, arm, lineage): the estimate and its 95 % bounds.

    NaN without such a grade; bounds also where all subjects are alike.
    """
    worst = result["worst_grade"].transpose("arm", "subject", "lineage").to_numpy().astype(float)
    lost = np.isnan(result["nadir"].transpose("arm", "subject", "lineage").to_numpy())
    has = ~np.isnan(result["grade_limit"].sel(grade=3).to_numpy())
    flags = np.where(lost, np.nan, worst >= 3)
    found = np.full((3, flags.shape[0], flags.shape[2]), np.nan)
    for a in range(flags.shape[0]):
        for i in np.flatnonzero(has):
            found[:, a, i] = proportion(flags[:, :, i][a])
    if alike(result):
        found[1:] = np.nan
    coords = {"interval": ["estimate", "low", "high"], "arm": result["arm"], "lineage": result["lineage"]}
    return xr.DataArray(found, dims=["interval", "arm", "lineage"], coords=coords)


def most_affected(result: xr.Dataset) -> str:
    """Name the lineage of which most subjects reach grade 3, over all arms; of equals the one with the worse grades."""
    share = share_at_grade3(result).sel(interval="estimate").fillna(-1.0).mean("arm").to_numpy()
    worst = result["worst_grade"].mean(["arm", "subject"]).to_numpy()
    order = np.lexsort((np.arange(share.size), -worst, -share))
    return str(result["lineage"].to_numpy()[order[0]])


def thinned(values: np.ndarray, most: int = 80) -> np.ndarray:
    """Give at most so many of the values, evenly spaced in rank, both extremes among them; NaN is left out."""
    ranked = np.sort(values[~np.isnan(values)])
    if ranked.size <= most:
        return np.asarray(ranked)
    return np.asarray(ranked[np.linspace(0, ranked.size - 1, most).round().astype(int)])


MANY = 0.2  # of the subjects: fewer do not make a visit of an arm


def doses_given(result: xr.Dataset, arm: str) -> list[Given]:
    """Give the elapsed days with a dose, by drug, as runs of consecutive days with the same share of subjects (to 10 %).

    A day of dosing lasts a day, but not beyond the last time.
    """
    if "dose_time" not in result or result.sizes.get("dose", 0) == 0:
        return []
    one, horizon = result.sel(arm=arm), float(result["time"][-1])
    day, label = one["dose_time"].to_numpy(), one["dose_drug"].to_numpy().astype(object)
    if "dose_kind" in one:
        kind = one["dose_kind"].to_numpy()
        given_cells = kind == "transfusion"
        label[given_cells] = [cells(str(name)) for name in label[given_cells]]
        label[kind == "draw"] = ""
    amount = one["dose_given"].transpose("subject", "dose").to_numpy()
    there = ~np.isnan(amount).all(axis=1)
    given = amount[there] > 0
    found: list[Given] = []
    for drug in dict.fromkeys(str(name) for name in label if name):
        own = np.flatnonzero((label == drug) & ~np.isnan(day))
        on = np.floor(day[own] + 1e-9)
        runs: list[Given] = []
        for today in np.unique(on):
            share = float(given[:, own[on == today]].any(axis=1).mean())
            if share == 0.0 or today >= horizon:
                continue
            end = min(float(today) + 1.0, horizon)
            last = runs[-1] if runs else None
            if last and last.end == today and round(last.share, 1) == round(share, 1):
                runs[-1] = Given(drug, last.start, end, last.share)
            else:
                runs.append(Given(drug, float(today), end, share))
        found += runs
    return found


def calendar(result: xr.Dataset, draws: int) -> dict[str, np.ndarray]:
    """Give the recommended elapsed days of each arm, for a number of draws.

    Raises
    ------
    SpecError
        There is no recommendation, or not for that number.
    """
    if "monitoring_day" not in result:
        raise SpecError(
            "plots: the result recommends no days to draw blood; that takes ms.compare with two subjects or more"
        )
    known = result["draws"].to_numpy()
    if draws not in known:
        raise SpecError(f"plots: no calendar of {draws} draws; there are those of {', '.join(map(str, known))}")
    days = result["monitoring_day"].sel(draws=draws).transpose("arm", "pick").to_numpy()
    return {str(name): row[~np.isnan(row)] for name, row in zip(result["arm"].to_numpy(), days, strict=True)}


def boundary(values: np.ndarray, limit: float, between: bool, fine: int = 40) -> list[list[tuple[float, float]]]:
    """Give the lines that part the cells of a map under a limit from those at or above it.

    Parameters
    ----------
    values : array (row, column)
        One number a cell; the middle of cell (i, j) is at x = j, y = i.
    limit : float
        Where to part them.
    between : bool
        Whether values between two columns mean something: then lines cross a row where linear interpolation does. Between
        rows they follow the cells' edges.
    fine : int
        Places looked at per column.

    Returns
    -------
    list
        Segments ((x, y), (x, y)).

    Examples
    --------
    >>> boundary(np.array([[0.1, 0.3]]), 0.15, False)
    [[(0.5, -0.5), (0.5, 0.5)]]
    """
    rows, columns = values.shape
    edges = np.linspace(-0.5, columns - 0.5, columns * fine + 1)
    middle = 0.5 * (edges[1:] + edges[:-1])
    at = middle if between else np.round(middle)
    under = np.array([np.interp(at, np.arange(columns), row) < limit for row in values])
    lines = [
        [(float(edges[j + 1]), i - 0.5), (float(edges[j + 1]), i + 0.5)]
        for i in range(rows)
        for j in np.flatnonzero(under[i, 1:] != under[i, :-1])
    ]
    for i in range(rows - 1):
        differs = np.flatnonzero(under[i] != under[i + 1])
        for run in np.split(differs, np.flatnonzero(np.diff(differs) > 1) + 1):
            if run.size:
                lines.append([(float(edges[run[0]]), i + 0.5), (float(edges[run[-1] + 1]), i + 0.5)])
    return lines
