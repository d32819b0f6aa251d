"""The blood that a design takes, and what that does to the counts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from myelosim.designing.design import Design, DesignWarning
from myelosim.designing.question import Question, volume, weight, with_draws
from myelosim.monitoring import Limit, breaches, busiest, limits
from myelosim.results import variable
from myelosim.simulation.simulate import simulated
from myelosim.spec.design import Group
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen

STEP = 6.0  # hours between counts of a trajectory


def blood(design: Design) -> pd.DataFrame:
    """Return the blood that is taken from one subject of each group.

    Returns
    -------
    pandas.DataFrame
        One row per group and limit of the species, and one for the whole study: ``group``, ``limit``, ``days`` (of its window, 0
        for a single draw), ``taken`` and ``allowed`` (mL, in the window that holds most), ``share`` of what is allowed,
        ``of_blood``: share of all the subject has; ``breaks``: whether a limit is broken. NaN where a volume or weight is not
        known, and for what a study as a whole may take; terminal bleeds have no limit.
    """
    model, rows = design.question.model, []
    for group in design.groups:
        days, volumes = _draws(model, group)
        heavy = weight(model, group)
        has = np.nan if heavy is None or model.subjects.blood_volume is None else heavy * model.subjects.blood_volume
        for rule in _limits(model, group):
            taken = busiest(days, volumes, rule.days)
            rows.append((group.name, rule.name, rule.days, taken, rule.volume, taken / rule.volume, taken / has))
        total = float(np.sum(volumes)) if volumes else np.nan
        rows.append((group.name, "study", max(group.days) - min(group.days), total, np.nan, np.nan, total / has))
    table = pd.DataFrame(rows, columns=["group", "limit", "days", "taken", "allowed", "share", "of_blood"])
    return table.assign(breaks=table["share"] > 1.0 + 1e-9)


def bled(design: Design) -> list[DesignWarning]:
    """Return which limits on blood the design breaks, in which groups."""
    model = design.question.model
    return [
        DesignWarning("blood", f"group {group.name}: {one}; draw less, fewer times, or from alternating parts of the group")
        for group in design.groups for one in breaches(*_draws(model, group), _limits(model, group))
    ]  # fmt: skip


def trajectories(design: Design, step: float = STEP) -> xr.Dataset:
    """Return typical counts with and without the draws: what the design itself does to what it looks at.

    Parameters
    ----------
    design : Design
        Whose groups are simulated, up to the last visit of all.
    step : float
        Hours between counts.

    Returns
    -------
    xarray.Dataset
        ``count`` [group, drawn, lineage, time]; ``drawn`` is "no" or "yes", ``time`` in elapsed days.

    Raises
    ------
    SpecError
        The subjects' blood volume, weight or the volume of a draw is not known.
    """
    question, last = design.question, max(design.days)
    hours = np.unique(np.round([*np.arange(0.0, 24.0 * last, step), 24.0 * last], 6))
    made = []
    for group in design.groups:
        events = group.regimen.expand(24.0 * last)
        drawn = with_draws(events, question.model, group)
        pair = [_typical(question, group, Regimen(one), hours) for one in (events, drawn)]
        made.append(xr.concat(pair, pd.Index(["no", "yes"], name="drawn")))
    every = xr.concat(made, pd.Index([group.name for group in design.groups], name="group"))
    dims = ("group", "drawn", "lineage", "time")
    count = variable(dims, every.transpose(*dims).to_numpy(), "", "true count of the typical subject")
    coords = {name: every[name] for name in (*dims, "units")}
    return xr.Dataset({"count": count}, coords)


def _typical(question: Question, group: Group, regimen: Regimen, hours: np.ndarray) -> xr.DataArray:
    values = {one.name: one.start for one in question.estimation.thetas if one.name in question.model.parameters}
    about = pd.DataFrame([dict(group.covariates)]) if group.covariates else None
    ds = simulated(
        question.model.replace(values), regimen, times=hours, individuals=about, threads=question.threads, warn=False
    ).dataset
    return ds["count"].isel(subject=0, drop=True)


def _draws(model: Model, group: Group) -> tuple[list[float], list[float]]:
    """Return the days on which blood of a known volume is drawn, and the volumes (mL)."""
    known = [(day, taken) for one in group.samplings if (taken := volume(model, one)) is not None for day in one.days]
    return [day for day, _ in known], [taken for _, taken in known]


def _limits(model: Model, group: Group) -> tuple[Limit, ...]:
    heavy = weight(model, group)
    if group.terminal or heavy is None or model.subjects.blood_volume is None:
        return ()
    return limits(model.subjects, heavy)
