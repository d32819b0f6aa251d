"""The highest dose under a limit, and whether the dose matters at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from myelosim.components.effects import KINDS
from myelosim.spec.model import Model, observable
from myelosim.spec.shorthand import NONE
from myelosim.spec.sweep import Sweep

UNINFORMATIVE = "not by dose"


def dose_matters(sweep: Sweep, lineage: str) -> bool:
    """Tell whether, in any cell, an effect of the swept drug on a lineage depends on how much of it there is.

    A kind of effect that is ``SATURATED`` depends on the drug's presence alone. A lineage without any effect has nothing
    that depends on the dose, either.
    """
    models = {id(cell.scenario.arms[0].model): cell.scenario.arms[0].model for cell in sweep.cells}
    return any(_depends(model, sweep.drug, lineage) for model in models.values())


def _depends(model: Model, drug: str, lineage: str) -> bool:
    own = [effect for effect in model.effects if effect.drug == drug and observable(effect.lineage) == lineage]
    return any(not getattr(KINDS[effect.kind], "SATURATED", False) for effect in own)


def highest_dose(sweep: Sweep, result: xr.Dataset) -> dict[str, Any]:
    """Give the highest dose whose upper bound is under the limit, by the other axes.

    Returns
    -------
    dict
        ``highest_dose``: as the axis says it, "none" where there is none, "not by dose" where the model makes the lineage depend
        on the drug's presence alone; ``highest_dose_number`` in the axis' unit, NaN where there is none. Nothing without
        an axis of doses.
    """
    limit = sweep.limit
    axis = next((one for one in sweep.axes if one.name == "dose"), None)
    if limit is None or axis is None or not axis.numbers:
        return {}
    other = [one.name for one in sweep.axes if one is not axis]
    high = result["p_limit_high"].transpose("dose", *other).to_numpy()
    numbers = np.array(axis.numbers)
    under = np.where(high < limit.probability, numbers.reshape(-1, *(1,) * len(other)), -np.inf)
    best = np.argmax(under, axis=0)
    found = np.isfinite(under.max(axis=0))
    called = np.where(found, np.array(axis.values)[best], NONE).astype(object)
    if not dose_matters(sweep, limit.lineage):
        called[...] = UNINFORMATIVE
        found = np.zeros_like(found)
    about = {
        "long_name": f"highest dose with the upper bound of {result['p_limit'].attrs['long_name']} under {limit.probability:g}"
    }
    return {
        "highest_dose": (other, np.asarray(called).astype(str), about),
        "highest_dose_number": (other, np.where(found, numbers[best], np.nan), {**about, "units": axis.unit or "1"}),
    }
