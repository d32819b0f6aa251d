"""A model as a frozen value: drugs, lineages, effects, parameters and whom it describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number with everything that must be said of it.

    ``value``, ``floor`` and ``ceiling`` are in ``unit``. ``omega_sd`` is the between-subject standard deviation of the
    parameter on ``scale`` ("log", "logit" or "identity"). Individuals outside ``floor``..``ceiling`` are drawn again
    (eligibility) or, with ``clip``, set to the bound. ``covariates`` maps a covariate to ``{"reference", "exponent"}``,
    ``{"reference", "slope"}`` or a mapping category -> factor.
    """

    value: float
    unit: str
    meaning: str = ""
    omega_sd: float = 0.0
    scale: str = "log"
    evidence: str = "assumed"
    source: str = ""
    floor: float | None = None
    ceiling: float | None = None
    clip: bool = False
    covariates: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    estimate: bool = True
    prior: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Drug:
    """How a drug moves: a PK component, or ``kind = "table"`` for measured concentrations."""

    name: str
    kind: str
    structure: Mapping[str, Any]
    amount_unit: str
    concentration_unit: str
    molar_mass: float | None = None  # g/mol
    default_route: str = "oral"
    table: Mapping[str, Any] | None = None  # times (h), concentrations, interpolation
    text: str = ""


@dataclass(frozen=True, slots=True)
class Effect:
    """What a drug does to one process of one lineage.

    ``prefix`` is what its parameters' names start with: ``<drug>.<lineage>`` or, where a drug has several effects on a
    lineage, ``<drug>.<lineage>.<site>``.
    """

    drug: str
    lineage: str
    kind: str
    site: str
    action: str = "inhibit"
    driver: str = "concentration"
    delay: str = "direct"
    structure: Mapping[str, Any] = field(default_factory=dict)
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Lineage:
    """A blood-cell lineage: a component, its structure and the unit of its count."""

    name: str
    kind: str
    structure: Mapping[str, Any]
    combine: str = "bliss"


@dataclass(frozen=True, slots=True)
class Residual:
    """How an observation scatters around the model; ``sigma`` maps the kind's terms to standard deviations."""

    kind: str
    sigma: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Subjects:
    """Whom the model describes: covariates of the typical subject, blood, and lower limits of normal."""

    species: str = ""
    variant: str = ""
    covariates: Mapping[str, float | str] = field(default_factory=dict)  # weight kg, surface m2, sex, strain, food ...
    blood_volume: float | None = None  # mL/kg
    blood_limits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    lower_limit: Mapping[str, float] = field(default_factory=dict)  # lineage -> lower limit of normal
    draw_volume: float | None = None  # mL


@dataclass(frozen=True, slots=True)
class Model:
    """Everything needed to simulate, except who is dosed when."""

    name: str
    title: str
    source: str
    drugs: Mapping[str, Drug]
    lineages: Mapping[str, Lineage]
    effects: tuple[Effect, ...]
    parameters: Mapping[str, Parameter]
    correlation: Mapping[tuple[str, str], float] = field(default_factory=dict)
    residual: Mapping[str, Residual] = field(default_factory=dict)
    subjects: Subjects = field(default_factory=Subjects)
    warnings: tuple[str, ...] = ()
    illustrative: bool = False
    start: Mapping[str, float] = field(default_factory=dict)  # lineage -> count at time zero, where not the baseline
