"""A scenario as a frozen value: a model, arms, visits and how many subjects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen
from myelosim.spec.rule import Conduct, Rule

TOLERANCES = 1e-12, 1e-2
"""The least and the most that one may aim for as the relative error of counts."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way of dosing.

    ``model`` is the scenario's model with everything the arm changes: parameters (``set``), counts at time zero
    (``start``), covariates, and concentration tables in the place of kinetics. ``size`` is the number of subjects of a
    group that really is so large, as in animal studies; None takes the scenario's population. ``rules`` are what is done about
    what is seen at the visits, in the order in which they are looked at.
    """

    name: str
    model: Model
    regimen: Regimen
    size: int | None = None
    set: Mapping[str, Any] = field(default_factory=dict)
    start: Mapping[str, float] = field(default_factory=dict)
    covariates: Mapping[str, float | str] = field(default_factory=dict)
    concentration: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Calendar:
    """Elapsed days of draws; with ``until_recovery`` also 3 and 7 days after a grade 3 is seen, and so on until it is over."""

    days: tuple[float, ...]
    until_recovery: bool = False


@dataclass(frozen=True, slots=True)
class Recommend:
    """What to choose the days of draws by.

    ``draws`` are the numbers of draws to choose, beside one before the first dose and those on ``fixed`` days, among the elapsed
    days ``candidates`` (every day where there are none) that fall on one of the ``weekdays`` (0 is Monday; all where there are
    none; ``first_day`` is that of study day 1), at least ``gap`` days apart. ``within`` is in how many days of its onset grade 3
    is to be caught; ``nadir_weight`` is 0 to catch it, 1 to come near the nadir, between them for both. ``draw`` is the volume of
    one draw (mL), the species' own if None; ``blood`` is "species" where the species' limits on drawing hold, "none" where they
    do not. ``calendars`` are others to compare with, by name.
    """

    draws: tuple[int, ...] = (1, 2, 3, 4, 5, 6, 7, 8)
    candidates: tuple[float, ...] = ()
    fixed: tuple[float, ...] = ()
    weekdays: tuple[int, ...] = ()
    first_day: int = 0
    gap: float = 0.0
    within: float = 7.0
    nadir_weight: float = 0.0
    draw: float | None = None
    blood: str = "species"
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    lineages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Uncertainty:
    """How often the parameters are drawn from their errors, and for how many subjects each time."""

    draws: int = 0
    size: int = 200


@dataclass(frozen=True, slots=True)
class Scenario:
    """What ``compare`` runs: ``days`` is the horizon, ``visits`` are elapsed days, ``load`` is how to get ``model``.

    With ``strict`` visits that draw more blood than the species' limits are an error instead of a warning.
    ``path`` is the file it was read from, if any: where it lies changes nothing of what it says.
    """

    name: str
    title: str
    load: Mapping[str, Any]
    model: Model
    days: float
    arms: tuple[Arm, ...]
    visits: tuple[float, ...] = ()
    grading: str = "ctcae_v5"
    size: int = 1000
    seed: int = 1
    lineages: tuple[str, ...] = ()
    tolerance: float = 1e-6
    recommend: Recommend = field(default_factory=Recommend)
    conduct: Conduct = field(default_factory=Conduct)
    dlt: str = "hematologic"
    uncertainty: Uncertainty = field(default_factory=Uncertainty)
    strict: bool = False
    text: str = ""
    path: str = field(default="", compare=False)

    @property
    def spec_hash(self) -> str:
        """SHA-256 of everything the scenario says."""
        from myelosim.spec.digest import spec_hash

        return spec_hash(self)
