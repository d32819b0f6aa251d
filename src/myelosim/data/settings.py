"""How a table is to be read: what a caller says of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from myelosim import units
from myelosim.data.analytes import analyte
from myelosim.data.check import Ledger
from myelosim.data.observables import units_of
from myelosim.data.values import nearest
from myelosim.spec.document import suggestion
from myelosim.spec.model import Model


@dataclass(frozen=True)
class Sheet:
    """A table as it was read: its rows' numbers in the file (the first after the header is 1) and what messages call it."""

    frame: pd.DataFrame
    rows: np.ndarray
    name: str


@dataclass(frozen=True)
class Settings:
    """What :func:`myelosim.data.read` is told; see there."""

    columns: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    observables: Mapping[Any, str] = field(default_factory=dict)
    previous: bool = False
    interpolation: str | Mapping[str, str] | None = None
    strict: bool = False
    lloq: Any = None
    drug: str | None = None
    hours: float = 1.0  # in the unit of II and RATE
    there: tuple[str, ...] = ()  # columns of all tables


def checked(settings: Settings, model: Model, columns: Sequence[str], ledger: Ledger) -> Settings:
    """Return settings whose units and limits go by canonical names; those of nothing are wrong, and so is an unknown drug."""
    names = units_of(model)
    others = [*model.parameters, *model.subjects.covariates, *columns]
    out, hours = {}, 1.0
    for key, unit in settings.units.items():
        known = key.upper() if key.upper() in ("TIME", "AMT") else analyte(key, names) or nearest(key, others)
        if known is None:
            ledger.wrong(
                0, "units", key, f"is nothing that has a unit here{suggestion(key, ['TIME', 'AMT', *names, *columns])}"
            )
        else:
            out[known] = unit
    try:
        hours = units.convert(1.0, out.get("TIME", "h"), "h")
    except ValueError as error:
        ledger.wrong(0, "units", None, f"TIME: {error}")
        out.pop("TIME")
    lloq = settings.lloq
    if isinstance(lloq, Mapping):
        lloq = {analyte(str(key), names) or str(key): value for key, value in lloq.items()}
        for key in [key for key in lloq if key not in names]:
            ledger.wrong(0, "lloq", key, f"is not observed of the model{suggestion(key, names)}")
    if settings.drug is not None and settings.drug not in model.drugs:
        ledger.wrong(
            0, "drug", settings.drug, f"is no drug of model {model.name}{suggestion(settings.drug, model.drugs)}"
        )
    return replace(settings, units=out, hours=hours, lloq=lloq, there=tuple(columns))
