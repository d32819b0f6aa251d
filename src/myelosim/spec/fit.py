"""A fit as a frozen value: which data, which model, what is estimated and how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from myelosim.spec.digest import spec_hash
from myelosim.spec.model import Model

METHODS = ("fo", "foce", "focei", "laplace", "agq", "importance", "saem", "nuts")

OPTIONS: Mapping[str, Mapping[str, int]] = {
    "agq": {"points": 1},
    "importance": {"samples": 1},
    "saem": {"burn_in": 0, "iterations": 1, "chains": 1},
    "nuts": {"draws": 1, "tune": 0, "chains": 1},
}
"""Whole numbers that a method may be told, each with the least it can be."""

COVARIANCES = ("auto", "sandwich", "r", "s", "none")
BOOTSTRAPS = ("case", "parametric")


@dataclass(frozen=True, slots=True)
class DataFile:
    """Where the data are, and how they are to be read; ``settings`` are the arguments of :func:`myelosim.data.read`."""

    file: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    path: Path = field(default_factory=Path, compare=False)

    @property
    def arguments(self) -> dict[str, Any]:
        """The settings, a file of doses named from where the data are."""
        doses = self.settings.get("doses")
        return {**self.settings, **({"doses": self.path.parent / doses} if isinstance(doses, str) else {})}


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How sure the estimates are to be known.

    ``covariance`` is the kind of matrix, ``sir`` and ``bootstrap`` how many samples (0 for none), ``profile`` the parameters
    whose likelihood is profiled.
    """

    covariance: str = "auto"
    sir: int = 0
    bootstrap: int = 0
    bootstrap_kind: str = "case"
    profile: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fit:
    """What ``fit`` does.

    ``estimate`` holds the arguments of :func:`myelosim.spec.estimate.estimation` that the file gives; what it estimates is known
    only with the data. ``starts`` is the number of starting points, None for the usual one. ``options`` are the method's own.
    """

    name: str
    title: str
    load: Mapping[str, Any]
    model: Model
    data: DataFile
    method: str = "focei"
    estimate: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 1
    starts: int | None = None
    tolerance: float | None = None
    options: Mapping[str, int] = field(default_factory=dict)
    uncertainty: Uncertainty = field(default_factory=Uncertainty)
    text: str = ""
    path: str = field(default="", compare=False)

    @property
    def spec_hash(self) -> str:
        """SHA-256 of everything the fit says; of the data it is where they are and how they are read."""
        return spec_hash(self)
