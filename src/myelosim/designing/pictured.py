"""Tables of what a picture of a design shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from myelosim.data.observables import units_of
from myelosim.designing.design import Design
from myelosim.designing.instead import parts_of
from myelosim.designing.report import aim, assumed, broken
from myelosim.plots import plot_design, plot_front
from myelosim.spec.design import Group, OpenGroup, Sampling

if TYPE_CHECKING:
    from myelosim.designing.run import Outcome

STEP = 0.25  # days between values of a curve
OUTSIDE = (0.05, 0.95)  # between which quantiles 90 % of subjects are
LEAST = 1e-6  # of the largest value, under which there is next to nothing


def draw(found: Outcome) -> Figure:
    """Draw a design: typical counts, what they tell of each parameter, the days, and how good alternatives are."""
    lines = curves(found)
    remarks = {
        name: f"{one.draws} draws{', breaks limits' if broken(one).startswith('breaks') else ''}"
        for name, one in found.designs.items()
    }
    units = units_of(found.design.question.model)
    axes = plot_design(lines, visits(found), found.efficiency, remarks=remarks, units=units, note=_note(found))
    figure = np.ravel(axes)[0].get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def draw_front(found: Outcome) -> Figure:
    """Draw what more visits and subjects buy."""
    assert found.front is not None
    figure = plot_front(found.front, note=_note(found)).get_figure(root=True)
    assert isinstance(figure, Figure)
    return figure


def _note(found: Outcome) -> str:
    """Return what a picture must say about itself."""
    title, model = found.asked.title, found.design.question.model
    said = [title if title[-1] in ".?!" else f"{title}.", f"Criterion: {aim(found)}.", assumed(model)]
    return " ".join(["ILLUSTRATIVE, not data.", *said] if model.illustrative else said)


def curves(found: Outcome, step: float = STEP) -> pd.DataFrame:
    """Return typical values of what is looked at, and how they move with parameters, over time.

    Returns
    -------
    pandas.DataFrame
        ``group`` (of the file), ``observable``, ``day``, ``value``; ``low`` and ``high``, between which 90 % of subjects drawn
        from the population are; and a column for each theta: d log value / d log parameter, NaN where the value
        is next to nothing.
    """
    question, design = found.design.question, found.design
    last = max(day for one in found.designs.values() for day in one.days)
    days = tuple(np.unique(np.round([*np.arange(0.0, last, step), last], 6)).tolist())
    plain = replace(question, linearization="fo", fim="reduced", lloq=None)
    arms = [plain.arm(_seen(design, group, days), bled=parts_of(design, group)[0]) for group in found.asked.groups]
    thetas, made = question.estimation.thetas, []
    typical = plain.of_arms(arms)
    drawn = replace(plain, linearization="foce").of_arms(arms) if typical[0].omega.size else typical
    for group, one, many in zip(found.asked.groups, typical, drawn, strict=True):
        f, looked = one.f[0], pd.Series([look.observable for look in one.looks])
        scale = np.where(f > LEAST * pd.Series(f).groupby(looked).transform("max"), f, np.nan)
        low, high = np.quantile(many.f, OUTSIDE, axis=0)
        table = pd.DataFrame({
            "group": group.name, "observable": looked,
            "day": [look.hour / 24.0 for look in one.looks], "value": f,
            "low": low, "high": high,
        })  # fmt: skip
        made.append(table.assign(**{t.name: one.theta[0][:, k] * t.start / scale for k, t in enumerate(thetas)}))
    table = pd.concat(made, ignore_index=True)
    table.attrs["parameters"] = [one.name for one in thetas]
    return table


def visits(found: Outcome) -> pd.DataFrame:
    """Return who is bled on which days in each design: ``design``, ``group``, ``day``; groups with the same days are one."""
    rows = []
    for name, one in found.designs.items():
        together: dict[tuple[float, ...], list[str]] = {}
        for group in one.groups:
            together.setdefault(group.days, []).append(group.name)
        for days, names in together.items():
            label = "all" if len(together) == 1 else ", ".join(names)
            rows += [(name, label, day) for day in days]
    return pd.DataFrame(rows, columns=["design", "group", "day"])


def _seen(design: Design, group: OpenGroup, days: tuple[float, ...]) -> Group:
    """Return a group of the file, as it was chosen, looked at all the time."""
    own = parts_of(design, group)[0]
    observe = tuple(dict.fromkeys(name for one in group.samplings for name in one.observe))
    return replace(own, name=group.name, samplings=(Sampling(observe, days, order="after"),))
