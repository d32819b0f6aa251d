"""A model as a frozen value: drugs, lineages, effects, parameters and whom it describes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number with everything that must be said of it.

    ``value``, ``floor`` and ``ceiling`` are in ``unit``. ``omega_sd`` is the between-subject standard deviation of the
    parameter on ``scale`` ("log", "logit" or "identity"). Individuals outside ``floor``..``ceiling`` are drawn again
    (eligibility) or, with ``clip``, set to the bound. ``covariates`` maps a covariate to ``{"reference", "exponent"}``,
    ``{"reference", "slope"}`` or a mapping category -> factor. ``se`` is how uncertain ``value`` itself is: a standard error on
    ``scale``. ``occasion_sd`` is the standard deviation on ``scale`` between the occasions of one subject: what a fit found, and
    no part of a simulated subject.
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
    se: float = 0.0
    occasion_sd: float = 0.0


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
    routes: tuple[str, ...] = ()  # those whose kinetics are known; empty for all that the kinetics have a place for
    table: Mapping[str, Any] | None = None  # times (h), concentrations, interpolation
    supportive: bool = False  # given against what others do: a G-CSF, an erythropoietin
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
class Expected:
    """A number the model must give, as its source does; ``tolerance`` is absolute."""

    what: str
    endpoint: str
    value: float
    tolerance: float
    dose: str = ""
    days: float = 28.0
    lineage: str = ""
    drug: str = ""
    at: float | None = None  # h
    source: str = ""
    set: Mapping[str, float | str] = field(default_factory=dict)


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
    correlation: Mapping[tuple[str, str], float] = field(default_factory=dict)  # of etas
    error_correlation: Mapping[tuple[str, str], float] = field(default_factory=dict)  # of the values' errors
    residual: Mapping[str, Residual] = field(default_factory=dict)
    subjects: Subjects = field(default_factory=Subjects)
    warnings: tuple[str, ...] = ()
    illustrative: bool = False
    start: Mapping[str, float] = field(default_factory=dict)  # lineage -> count at time zero, where not the baseline
    expected: tuple[Expected, ...] = ()

    def replace(
        self, values: Mapping[str, Any], *, evidence: str = "assumed", source: str = "set by the user"
    ) -> Model:
        """Return the model with other parameter values.

        Parameters
        ----------
        values : mapping
            Full or short name -> ``"110 h"``, a plain number in the declared unit, a :class:`Parameter`, or a mapping
            of its fields (``{"value": 110, "omega_sd": 0.2}``).
        evidence, source : str
            What the changed values rest on.

        Raises
        ------
        SpecError
            A name is unknown, a unit does not fit, or the model can no longer be trusted; all of it together.
        """
        from myelosim.spec.change import replaced

        return replaced(self, values, evidence=evidence, source=source)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the complete model as a TOML file that loads back equal."""
        from myelosim.spec.write import save

        save(self, path)

    @property
    def spec_hash(self) -> str:
        """SHA-256 of everything the model says."""
        from myelosim.spec.digest import spec_hash

        return spec_hash(self)

    @property
    def assumed(self) -> tuple[str, ...]:
        """Names of the parameters whose value is an assumption; a component's own value, evidence "default", is none."""
        return tuple(name for name, one in self.parameters.items() if one.evidence == "assumed")


def observable(lineage: str) -> str:
    """Return the name under which a lineage is observed: its own, and hemoglobin for the erythroid lineage."""
    return "hemoglobin" if lineage == "erythroid" else lineage
