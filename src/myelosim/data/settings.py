"""How a table is to be read: what a caller says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

INTERPOLATIONS = ("previous", "next", "linear")


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
