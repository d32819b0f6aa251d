"""Who is simulated: individual parameters, covariates, counts at time zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from myelosim.errors import DataError, SpecError
from myelosim.population import Population, covariates, draw, from_frame
from myelosim.spec.check import count_limits
from myelosim.spec.document import is_number
from myelosim.spec.literal import found
from myelosim.spec.model import Model, observable
from myelosim.spec.regimen import DoseEvent
from myelosim.spec.scenario import TOLERANCES

LANES = 8  # subjects drawn beyond the last, so that a group of lanes is filled with who would come next


@dataclass(frozen=True)
class Subjects:
    """Individual parameters and covariates, over ``size`` subjects from the ``first`` on, or a few more."""

    size: int
    values: Mapping[str, Any]
    covariates: Mapping[str, Any]
    seed: int | None
    first: int = 0

    @property
    def numbers(self) -> np.ndarray:
        """Who they are."""
        return np.arange(self.first, self.first + self.size)


def check_asked(model: Any, population: Any, individuals: Any, tolerance: Any) -> None:
    """Refuse what is no model, population, table of individuals or tolerance.

    Raises
    ------
    SpecError, DataError
        With what to give instead.
    """
    if not isinstance(model, Model):
        raise SpecError(f"simulate: model = {found(model)} is no model; give what ms.load_model(...) returned")
    if population is not None and not isinstance(population, Population):
        raise SpecError(
            f"simulate: population = {found(population)} is no population; give e.g. ms.Population(200, seed=1)"
        )
    if individuals is not None and not isinstance(individuals, pd.DataFrame):
        raise DataError(
            f"individuals: {found(individuals)} is no table; give a pandas.DataFrame, one row a subject, parameters as columns"
        )
    if not (is_number(tolerance) and TOLERANCES[0] <= tolerance <= TOLERANCES[1]):
        raise SpecError(
            f"simulate: tolerance = {found(tolerance)} is not possible; give a relative error from {TOLERANCES[0]:g} to "
            f"{TOLERANCES[1]:g}"
        )


def subjects(
    model: Model, events: Sequence[DoseEvent], population: Population | None, individuals: pd.DataFrame | None
) -> Subjects:
    """Draw a population, or take a table of individuals; one typical subject without either."""
    if population is not None and individuals is not None:
        raise SpecError("simulate: give population or individuals, not both")
    daily = _daily_dose(model, events)
    if population is None:
        frame = pd.DataFrame(index=[0]) if individuals is None else individuals
        frame = frame.assign(**{name: value for name, value in daily.items() if name not in frame})
        about = {**model.subjects.covariates, **{c: frame[c].to_numpy() for c in ("weight", "surface") if c in frame}}
        return Subjects(len(frame), from_frame(model, frame), about, None)
    everyone = replace(population, covariates={**daily, **population.covariates})
    pad = -everyone.size % LANES
    who, about = draw(model, everyone, pad), covariates(model, everyone, pad)
    return Subjects(everyone.size, who, about, everyone.seed, everyone.first)


def _daily_dose(model: Model, events: Sequence[DoseEvent]) -> dict[str, float]:
    """Return the dose of the first day, where some parameter depends on it."""
    drugs = {name.split(".")[0] for name, p in model.parameters.items() if "daily_dose" in p.covariates}
    given = [e for e in events if e.drug in drugs and e.kind != "other"]
    if not drugs or ("daily_dose" in model.subjects.covariates and not given):
        return {}
    first = min((e.time for e in given), default=0.0)
    return {"daily_dose": sum(e.amount for e in given if e.time < first + 24.0)} if given else {}


def displaced(model: Model, start: Mapping[str, float]) -> Model:
    """Return the model with other counts at time zero."""
    names = {observable(name): name for name in model.lineages} | {name: name for name in model.lineages}
    if "hemoglobin" in start and "erythroid" in start:
        raise SpecError("start: hemoglobin and erythroid are the same count; give one")
    for name, count in start.items():
        if name not in names:
            raise SpecError(
                f"start: the model has no lineage {name!r}; it has {', '.join(map(observable, model.lineages))}"
            )
        low, high = count_limits(names[name])
        if not low <= count <= high:
            unit = "g/dL" if names[name] == "erythroid" else "10^9/L"
            raise SpecError(f"start: {name} = {count:g} is not a positive count of at most {high:g} {unit}")
    return replace(model, start={**model.start, **{names[name]: float(count) for name, count in start.items()}})


def blood_fraction(model: Model, drawn: Subjects) -> np.ndarray:
    """Return the part of the blood that one draw takes (subject)."""
    about = model.subjects
    weight = drawn.covariates.get("weight")
    if about.draw_volume is None or about.blood_volume is None or weight is None:
        raise SpecError(
            f"{model.name}: what a draw takes needs the subjects' weight, [blood] volume and draw; add them"
        )
    return np.broadcast_to(about.draw_volume / (about.blood_volume * np.asarray(weight, float)), (drawn.size + LANES,))[
        : drawn.size
    ]
