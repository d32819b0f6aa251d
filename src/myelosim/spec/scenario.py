"""A scenario as a frozen value: a model, arms, visits and how many subjects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen
from myelosim.spec.rule import Conduct, Rule


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
class Recommend:
    """What to choose visits by.

    ``draws`` are the numbers of draws to choose, among the elapsed days ``candidates`` (every day where there are none)
    and beside the ``fixed`` ones. ``nadir_weight`` is 0 to catch grade 3, 1 to see the nadir, between them for both;
    ``depth`` is how far above the true nadir, as a fraction of it, a count still shows it. ``draw`` is the volume of
    one draw (mL), the species' own if None; ``blood`` is "species" where the species' limits on drawing hold, "none"
    where they do not.
    """

    draws: tuple[int, ...]
    candidates: tuple[float, ...] = ()
    fixed: tuple[float, ...] = ()
    nadir_weight: float = 0.0
    depth: float = 0.25
    draw: float | None = None
    blood: str = "species"
    lineages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scenario:
    """What ``compare`` runs: ``days`` is the horizon, ``visits`` are elapsed days, ``load`` is how to get ``model``.

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
    recommend: Recommend | None = None
    conduct: Conduct = field(default_factory=Conduct)
    dlt: str = "hematologic"
    text: str = ""
    path: str = field(default="", compare=False)

    @property
    def spec_hash(self) -> str:
        """SHA-256 of everything the scenario says."""
        from myelosim.spec.digest import spec_hash

        return spec_hash(self)
