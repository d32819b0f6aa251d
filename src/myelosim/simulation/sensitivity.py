"""Which parameter drives an endpoint of the typical subject."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from myelosim.endpoints import ENDPOINTS
from myelosim.errors import SimulationError, SpecError
from myelosim.simulation.simulate import simulate
from myelosim.simulation.subjects import check_asked
from myelosim.spec.check import value_problem
from myelosim.spec.declared import of_model
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen


def sensitivity(
    model: Model,
    regimen: Regimen | str | Sequence[str],
    *,
    endpoint: str = "nadir",
    lineage: str | None = None,
    days: float = 56.0,
    parameters: Sequence[str] | None = None,
    change: float = 0.01,
    tolerance: float = 1e-8,
) -> pd.DataFrame:
    """Return the elasticity of an endpoint: percent change per percent change of each parameter, one at a time.

    Parameters
    ----------
    model, regimen, days
        As for :func:`myelosim.simulate`.
    endpoint : str
        A variable [subject, lineage] of the simulation that changes steadily: a count, a day or a number of days.
    lineage : str, optional
        Default: the first.
    parameters : list of str, optional
        Default: every parameter that is not zero.
    change : float
        Relative step of the central difference.

    Returns
    -------
    pandas.DataFrame
        Columns parameter, value, unit, evidence, elasticity, by falling size of the elasticity; NaN where the change leaves the
        endpoint without a value.

    Raises
    ------
    SpecError
        The endpoint, lineage or a parameter is unknown, or the typical subject has no such endpoint, or one of zero.
    SimulationError
        The typical subject, or one with a parameter changed by so little, cannot be integrated.
    """
    check_asked(model, None, None, tolerance)
    names = list(parameters) if parameters is not None else [n for n, p in model.parameters.items() if p.value != 0]
    unknown = [n for n in names if n not in model.parameters]
    if unknown:
        raise SpecError(f"sensitivity: the model has no parameter {unknown[0]!r}")
    if endpoint in ENDPOINTS and ENDPOINTS[endpoint].unit in ("grade", "flag"):
        raise SpecError(
            f"sensitivity: {endpoint} is a {ENDPOINTS[endpoint].unit}, which changes in steps or not at all; take one that changes "
            "steadily, e.g. nadir, nadir_day or days_grade3"
        )
    table = pd.DataFrame({n: np.full(2 * len(names) + 1, model.parameters[n].value) for n in names})
    asked = of_model(model)
    for i, name in enumerate(names):
        value = model.parameters[name].value
        for row, moved in ((2 * i, value * (1 - change)), (2 * i + 1, value * (1 + change))):
            table.loc[row, name] = value if value_problem(name, moved, asked[name]) else moved
    try:
        ds = simulate(model, regimen, days=days, individuals=table, tolerance=tolerance)
    except SimulationError as error:
        given = regimen.text if isinstance(regimen, Regimen) else regimen
        raise SimulationError(
            f"sensitivity: the typical subject, a parameter at a time changed by {100 * change:g} %, cannot be integrated for "
            f"{days:g} days under {given!r}; give a smaller dose or fewer days"
        ) from error
    if endpoint not in ds or set(ds[endpoint].dims) != {"subject", "lineage"}:
        known = [str(n) for n, v in ds.data_vars.items() if set(v.dims) == {"subject", "lineage"}]
        raise SpecError(f"sensitivity: {endpoint!r} is not an endpoint; known: {', '.join(known)}")
    if lineage is not None and lineage not in ds["lineage"]:
        raise SpecError(f"sensitivity: no lineage {lineage!r}; the model has {', '.join(ds['lineage'].to_numpy())}")
    values = (ds[endpoint].sel(lineage=lineage) if lineage else ds[endpoint].isel(lineage=0)).to_numpy().astype(float)
    low, high, typical = values[0:-1:2], values[1::2], values[-1]
    if not np.isfinite(typical) or typical == 0:
        none = "is 0" if typical == 0 else "has no value"
        raise SpecError(
            f"sensitivity: {endpoint} {none} for the typical subject under these doses, and of nothing there is no percent; "
            "take another endpoint, lineage or dose"
        )
    steps = np.array([np.ptp(table[n].to_numpy()) / abs(model.parameters[n].value) for n in names])
    elasticity = (high - low) / (0.5 * (high + low)) / steps
    out = pd.DataFrame({
        "parameter": names, "value": [model.parameters[n].value for n in names],
        "unit": [model.parameters[n].unit for n in names], "evidence": [model.parameters[n].evidence for n in names],
        "elasticity": elasticity,
    })  # fmt: skip
    return out.sort_values("elasticity", key=lambda e: -e.abs(), ignore_index=True)
