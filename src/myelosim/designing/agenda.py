"""What a technician needs of a design: which animals are bled when."""

from __future__ import annotations

import math

import pandas as pd

from myelosim.designing.design import Design
from myelosim.designing.question import volume
from myelosim.spec.design import Group, Limits


def numbered(design: Design) -> dict[str, str]:
    """Return the numbers of each group's subjects, who are counted through all groups from 1."""
    made, first = {}, 1
    for group in design.groups:
        last = first + group.subjects - 1
        made[group.name] = f"{first}-{last}" if last > first else str(first)
        first = last + 1
    return made


def calendar(design: Design, limits: Limits | None = None, windows: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return who is bled when, a row for each day, group and kind of visit.

    Returns
    -------
    pandas.DataFrame
        ``day`` (elapsed), ``study_day``, ``weekday`` (where the calendar knows weekends), ``group``, ``numbers`` of the subjects,
        ``subjects``, ``draw`` and ``total`` (mL: of each, of all), ``observe``, ``order`` to a dose of the same hour; with
        ``windows`` ``earliest`` and ``latest`` (elapsed days).
    """
    model, numbers, rows = design.question.model, numbered(design), []
    for group in design.groups:
        for one in group.samplings:
            draw = volume(model, one)
            draw = math.nan if draw is None else draw
            for day in one.days:
                rows.append({
                    "day": day, "study_day": day + 1.0, "weekday": (limits or Limits()).weekday(day), "group": group.name,
                    "numbers": numbers[group.name], "subjects": group.subjects, "draw": draw, "total": draw * group.subjects,
                    "observe": ", ".join(one.observe), "order": one.order, **_window(windows, group, day),
                })  # fmt: skip
    table = pd.DataFrame(rows)
    order = {group.name: k for k, group in enumerate(design.groups)}
    table = table.sort_values(["day", "group"], key=lambda c: c.map(order) if c.name == "group" else c, kind="stable")
    return table.drop(columns=[] if limits is not None and limits.weekdays else ["weekday"]).reset_index(drop=True)


def _window(windows: pd.DataFrame | None, group: Group, day: float) -> dict[str, float]:
    if windows is None:
        return {}
    own = windows[(windows["group"] == group.name) & ((windows["day"] - day).abs() < 1e-9)]
    return {end: float(own[end].iloc[0]) if len(own) else day for end in ("earliest", "latest")}
