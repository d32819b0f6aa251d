"""What more visits and more subjects buy: the best design for each number of them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from myelosim.blas import unthreaded
from myelosim.designing.alternatives import price
from myelosim.designing.design import Design, scored
from myelosim.designing.opened import span
from myelosim.designing.question import volume
from myelosim.designing.run import arguments_of
from myelosim.designing.search import search
from myelosim.designing.space import Space
from myelosim.designing.task import Task, prepared
from myelosim.errors import SpecError
from myelosim.spec import design as spec
from myelosim.spec.design import OpenGroup
from myelosim.spec.designs import load_design
from myelosim.spec.document import suggestion
from myelosim.spec.literal import found
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen

NUMBERS = 6  # of subjects that are tried, where there may be more


@unthreaded
def design_front(
    model: Model | spec.Design | str | os.PathLike[str], regimen: Regimen | str | Sequence[str] | None = None, *,
    wanted: float | Mapping[str, float] | None = None, numbers: Sequence[int] | None = None, **arguments: Any,
) -> pd.DataFrame:  # fmt: skip
    """Show what more visits and more subjects buy: the best design for each number of both.

    Parameters
    ----------
    model, regimen
        As for :func:`optimize_design`; or a design of a file, its name or path, which says all the rest, too.
    wanted : float or mapping, optional
        Relative standard errors that would do, percent: of all thetas, or by name.
    numbers : sequence of int, optional
        Numbers of subjects in all. Default: the groups' own; where these are ranges, six of them.
    **arguments
        Of :func:`optimize_design`, before those of a file. ``visits`` is the fewest and the most of a subject.

    Returns
    -------
    pandas.DataFrame
        One row for each number of visits and of subjects that is allowed: ``visits``, ``subjects``, ``days`` (elapsed, of each
        group), ``draws`` (all subjects together), ``blood`` (mL, of one subject, at most), ``cost``, ``criterion``,
        ``efficiency`` (against the best row), ``worst`` (the theta known least well) and its ``rse`` (percent), ``meets``
        (whether all is known as well as ``wanted``), ``knee`` (up to there, visits and subjects pay most) and ``cheapest`` (the
        least draws, or cost, that meet what is wanted).

    Raises
    ------
    SpecError
        As :func:`optimize_design`, where no number is allowed.

    Examples
    --------
    >>> import myelosim as ms
    >>> model = ms.load_model("generic_oral_1cmt")
    >>> front = ms.design_front(
    ...     model, "drug 100 mg once", candidate_days=[0.05, 0.1, 0.25, 0.5, 1, 2], visits=(3, 5), subjects=12, observe=["drug"],
    ...     parameters=["drug.ka", "drug.cl", "drug.vc"], omega={"drug.cl": 0.09}, sigma={"drug.proportional": 0.15}, wanted=12,
    ... )
    >>> front[["visits", "draws", "efficiency", "meets", "cheapest"]].round(2)
       visits  draws  efficiency  meets  cheapest
    0       3     36        0.72  False     False
    1       4     48        0.88   True      True
    2       5     60        1.00   True     False
    """
    if not isinstance(model, Model):
        asked = model if isinstance(model, spec.Design) else load_design(model)
        model, arguments = (
            asked.model,
            {"groups": asked.groups, "limits": asked.limits, **arguments_of(asked), **arguments},
        )
        if wanted is None and numbers is None and asked.front is not None:
            wanted, numbers = asked.front.wanted, asked.front.numbers or None
    task = prepared(model, regimen, **{name: value for name, value in arguments.items() if name != "alternatives"})
    return front(task, wanted=wanted, numbers=numbers)


def front(
    task: Task, *, wanted: float | Mapping[str, float] | None = None, numbers: Sequence[int] | None = None
) -> pd.DataFrame:
    """Return the table of :func:`design_front` for what is to be found."""
    thetas = [one.name for one in task.question.estimation.thetas]
    limits = _wanted(wanted, thetas)
    space, rows, refused = task.space(), [], None
    most = max(one.visits[1] for group in task.groups for one in group.samplings)
    least = min(one.visits[0] for group in task.groups for one in group.samplings)
    for subjects in _numbers(task.groups, numbers):
        for visits in range(least, most + 1):
            try:
                design = _best(task, space, visits, subjects)
            except SpecError as error:
                refused = refused or error
            else:
                rows.append(_row(task, design, visits, thetas, limits))
    if len(rows) == 1 and refused is None:
        raise SpecError(
            "front: there is one number of visits and one of subjects; give visits or subjects from so many to so many, or numbers"
        )
    if not rows:
        raise refused or SpecError("design_front: there is no number of visits to try")
    return _marked(pd.DataFrame(rows), "cost" if any(row["cost"] > 0 for row in rows) else "draws", limits)


def _wanted(wanted: float | Mapping[str, float] | None, thetas: list[str]) -> dict[str, float]:
    said = dict.fromkeys(thetas, wanted) if isinstance(wanted, int | float) else dict(wanted or {})
    for name, value in said.items():
        if name not in thetas:
            raise SpecError(f"wanted: '{name}' is not estimated{suggestion(str(name), thetas)}")
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise SpecError(f"wanted: {name} = {found(value)} is no relative standard error; give a percentage above 0")
    return {name: float(value) for name, value in said.items() if value is not None}


def _numbers(groups: Sequence[OpenGroup], numbers: Sequence[int] | None) -> list[int]:
    """Return numbers of subjects in all."""
    low, high = (sum(group.subjects[k] for group in groups) for k in (0, 1))
    if numbers is None:
        return sorted({round(float(n)) for n in np.linspace(low, high, NUMBERS)})
    return sorted({span("numbers", n)[0] for n in numbers})


def _best(task: Task, space: Space, visits: int, subjects: int) -> Design:
    """Return the best design with so many visits of each subject (as near as a group's range allows) and so many subjects."""
    fewest = sum(group.subjects[0] for group in task.groups)
    alone = len(task.groups) == 1
    made = []
    for group in task.groups:
        samplings = tuple(
            replace(one, visits=(min(max(visits, one.visits[0]), one.visits[1]),) * 2) for one in group.samplings
        )
        own = (subjects, subjects) if alone else (group.subjects[0], max(group.subjects[1], subjects - fewest))
        made.append(replace(group, subjects=own, samplings=samplings))
    if not alone and subjects < fewest:
        raise SpecError(f"numbers: {subjects} subjects are fewer than the groups' least, {fewest}")
    limits = replace(task.limits, subjects=subjects)
    if limits.budget is None:
        limits = replace(limits, per_subject=0.0, per_draw=0.0, per_day=0.0)
    narrow = space.narrowed(made, limits)
    states = search(narrow, way=task.way, starts=task.starts, seed=task.question.seed).states
    return scored(task.question, narrow.groups(states[0]), task.criterion, worlds=task.worlds)


def _row(task: Task, design: Design, visits: int, thetas: list[str], limits: Mapping[str, float]) -> dict[str, Any]:
    rse = {name: design.rse[name] for name in thetas}
    worst = max(rse, key=lambda name: (rse[name], name)) if rse else ""
    each = [[(volume(design.question.model, one), len(one.days)) for one in group.samplings] for group in design.groups]
    blood = [sum(np.nan if draw is None else draw * days for draw, days in own) for own in each]
    told = task.criterion.partial or bool(np.all(design.precision.determined))
    return {
        "visits": visits, "subjects": design.subjects,
        "days": " | ".join(dict.fromkeys(", ".join(f"{day:g}" for day in group.days) for group in design.groups)),
        "draws": design.draws, "blood": max(blood), "cost": price(task.limits, design.groups),
        "criterion": design.criterion if told else 0.0, "worst": worst, "rse": rse.get(worst, np.nan),
        "meets": all(design.rse[name] <= value for name, value in limits.items()),
    }  # fmt: skip


def _marked(table: pd.DataFrame, by: str, limits: Mapping[str, float]) -> pd.DataFrame:
    """Return the table with efficiencies, the knee, and the cheapest row that meets what is wanted."""
    score, paid = table.criterion.to_numpy(float), table[by].to_numpy(float)
    table.insert(table.columns.get_loc("criterion") + 1, "efficiency", score / max(score.max(), 1e-300))
    table["knee"] = table["cheapest"] = False
    told = np.flatnonzero(score > 0)
    if len(told) > 2 and np.ptp(paid[told]) > 0 and np.ptp(score[told]) > 0:
        above = (score - score[told].min()) / np.ptp(score[told]) - (paid - paid[told].min()) / np.ptp(paid[told])
        table.loc[int(told[np.argmax(above[told])]), "knee"] = True
    if limits and table.meets.any():
        order = np.lexsort((-score, paid))
        table.loc[next(int(k) for k in order if table.meets[k]), "cheapest"] = True
    if not limits:
        table = table.drop(columns=["meets", "cheapest"])
    return table
