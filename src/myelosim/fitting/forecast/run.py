"""Forecast one subject."""

from __future__ import annotations

import os
import time
import warnings as python_warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.blas import unthreaded
from myelosim.data.read import read
from myelosim.data.study import Study
from myelosim.errors import MyelosimWarning, SpecError
from myelosim.fitting.forecast.ahead import ahead
from myelosim.fitting.forecast.choice import Choice, asked_of, targets_of
from myelosim.fitting.forecast.draws import Outlook
from myelosim.fitting.forecast.findings import findings
from myelosim.fitting.forecast.future import future
from myelosim.fitting.forecast.posterior import posterior
from myelosim.fitting.forecast.subject import only
from myelosim.fitting.forecast.table import told
from myelosim.spec.document import suggestion
from myelosim.spec.grading import load_grading
from myelosim.spec.model import Model, observable
from myelosim.spec.regimen import Regimen
from myelosim.units import parse

SAMPLES = 1000


@unthreaded
def forecast(
    model: Model, data: pd.DataFrame | str | os.PathLike[str] | Study, days: float | str = 28.0, *,
    regimen: Regimen | str | Sequence[str] | None = None, subject: Any = None, now: float | str | None = None,
    lineages: Sequence[str] | None = None, visits: int = 1, candidate_days: Any = None, gap: float | str = 0.0,
    weekdays: bool = False, first_day: str = "monday", criterion: str = "forecast", at: float | str | None = None,
    grading: str | None = None, samples: int = SAMPLES, seed: int = 1,
    tolerance: float = 1e-6, threads: int | None = None, read_as: Mapping[str, Any] | None = None,
) -> xr.Dataset:  # fmt: skip
    """Forecast one subject's counts, given those so far.

    The model's population is the prior: differences between subjects, and the errors ``se`` of its values where it has them. The
    subject's own parameters are found by their mode and importance resampling, and the individuals that are left are simulated.
    Typical values, variances and residual errors are not fitted: that is what :func:`myelosim.fit` is for, whose ``fit.model`` can
    be given here. Variability between occasions is no part of it.

    Parameters
    ----------
    model : Model
        With variability between subjects, and a residual error for what was observed.
    data : pandas.DataFrame, str, Path or Study
        Doses and observations of the subject, as :func:`myelosim.fit` reads them; dose rows of the future are the plan.
    days : float or str
        Horizon in elapsed days.
    regimen : Regimen, str or list of str, optional
        What is going to be given, in time since time zero; all that is given where the data hold no dose.
    subject : optional
        ID, where the data are of several.
    now : float or str, optional
        Elapsed days that are over. Default: the day of the last observation.
    lineages : sequence of str, optional
        Lineages for which the next draw is looked for. Default: all; where it is for a nadir, those whose lowest count lies mostly
        between first dose and horizon, if there are any.
    visits : int
        How many next draws are chosen together, 1 to 3; all sets of days are compared.
    candidate_days : list of float, or str, optional
        Elapsed days that they are chosen from, or ``"d8,11,15"``. Default: every whole day after now.
    gap : float or str
        Least number of days between two draws, and from the last count on.
    weekdays, first_day : bool, str
        Whether there is no draw on a weekend, and what day of the week day 0 is.
    criterion : {"forecast", "nadir", "nadir_day", "grade3", "count", "D"}
        What draws are to tell: depth of the nadir, its day, whether grade 3 is reached, or the three together ("forecast"); a
        count on the day ``at``; or all parameters of the subject together ("D": the information gained about them).
    at : float or str, optional
        Elapsed day of that count.
    grading : str, optional
        Grading table. Default: CTCAE v5 for people, percent of baseline for animals.
    samples : int
        Individuals to keep, and effective samples to reach.
    seed : int
        Of all random numbers.
    tolerance : float
        Aim for the relative error of counts.
    threads : int, optional
        Threads to use; the result does not depend on it.
    read_as : mapping, optional
        Arguments of :func:`myelosim.data.read`, such as ``columns`` and ``units``.

    Returns
    -------
    xarray.Dataset
        ``count`` and ``observed`` [quantile, lineage, time]; ``nadir``, ``nadir_day``, ``remaining_nadir``, ...
        [quantile, lineage], with ``prior_`` before what the population alone would say; ``p_grade3``, ``p_grade4``,
        ``p_passed`` [lineage]; ``parameter_value`` [quantile, parameter], ``shrinkage`` [parameter], ``individual``
        [sample, parameter]. ``information`` [visit], the share of variance that a count on a candidate day is expected to take
        from what ``criterion`` names, and ``reduction`` [visit, lineage, target], that of each target;
        ``target_sd`` [lineage, target] is today's standard deviation (of the nadir's and the count's logarithm), and
        ``expected_sd`` [visit, lineage, target] that to be expected after the count. ``choice_days`` [choice, turn] are the best
        sets of days, with ``choice_information``, ``choice_sd``, and ``choice_efficiency``, the variance left by the best over
        that left by each. ``next_draws`` [turn] is the best, ``next_draw`` its first day; NaN where nothing tells anything.
        ``attrs["findings"]`` is what must be known beside the numbers.

    Raises
    ------
    DataError, SpecError
        Data, doses or options that cannot be.
    SimulationError
        No individual of the population could have given these counts.

    Examples
    --------
    >>> import pandas as pd
    >>> import myelosim as ms
    >>> model = ms.load_model("generic_oral_2cmt_friberg").replace(
    ...     {"neutrophil.baseline": {"omega_sd": 0.4}, "drug.neutrophil.slope": {"omega_sd": 0.4}})
    >>> seen = pd.DataFrame({"TIME": [0, 72, 120], "DV": [4.1, 3.6, 3.2], "DVID": "neutrophil"})
    >>> ds = ms.forecast(model, seen, regimen="drug 40 mg BID d1-14", samples=200)
    >>> bool(ds.nadir.sel(quantile=0.05) < ds.nadir.sel(quantile=0.95))
    True
    """
    began = time.perf_counter()
    _check(model, samples, lineages, grading)
    held = data if isinstance(data, Study) else read(_named(data, read_as or {}), model, **(read_as or {}))
    one = only(
        held, model, subject, regimen, None if now is None else 24.0 * _days(now, "now"), 24.0 * _days(days, "days")
    )
    days_at = None if at is None else _days(at, "at")
    draws = ahead(one, visits, candidate_days, _days(gap, "gap"), weekdays, first_day, criterion, days_at)
    found = posterior(one, samples, seed, tolerance, threads)
    also = [*draws.days.tolist(), *([] if days_at is None else [days_at])]
    after = future(one, found.values(found.b), also, grading, tolerance, threads)
    before = future(one, found.values(found.prior), (), grading, tolerance, threads)
    wanted = [str(name) for name in after["lineage"].to_numpy()]
    chosen = asked_of(after, criterion) if lineages is None else [name for name in wanted if name in lineages]
    counts = after["count"].sel(time=np.round(draws.days, 9)).to_numpy()
    targets = targets_of(after, days_at)
    outlook = Outlook(counts, targets.values.reshape(len(counts), -1), wanted, one.model.residual, draws.days, seed)
    choice = Choice(draws, outlook, targets, tuple(chosen), len(found.names))
    result = told(one, found, after, before, choice, seed, tolerance)
    said, loud = findings(result)
    result.attrs["findings"] = "\n".join([*loud, *said])
    result.attrs["seconds"] = round(time.perf_counter() - began, 3)
    for text in [*filter(None, after.attrs["warnings"].split("\n")), *loud]:
        python_warnings.warn(text, MyelosimWarning, stacklevel=2)
    return result


def _named(data: Any, read_as: Mapping[str, Any]) -> Any:
    """Return a table with an ID, which one of a single subject need not have."""
    if not isinstance(data, pd.DataFrame) or "ID" in read_as.get("columns", {}):
        return data
    return data if "ID" in map(str.upper, map(str, data.columns)) else data.assign(ID=1)


def _days(value: float | str, name: str) -> float:
    try:
        return float(parse(value, "d"))
    except ValueError as error:
        raise SpecError(f"forecast: {name}: {error}; give a number of elapsed days") from None


def _check(model: Model, samples: int, lineages: Sequence[str] | None, grading: str | None) -> None:
    known = [observable(name) for name in model.lineages]
    if not known:
        raise SpecError(f"forecast: {model.name} has no lineage; give a model that has one")
    if not 10 <= samples <= 100_000:
        raise SpecError(f"forecast: samples = {samples} is not possible; give 10 to 100000")
    for name in lineages or ():
        if name not in known:
            raise SpecError(f"forecast: lineages: the model has no '{name}'{suggestion(name, known)}")
    if grading is not None:
        load_grading(grading)
