"""A design as a frozen value: who is dosed how, and on which days what is looked at."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from myelosim.spec.digest import spec_hash
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen

FIMS = ("reduced", "full")
LINEARIZATIONS = ("fo", "foce")
DECISIONS = ("nadir", "nadir_day", "risk", "dose")
CRITERIA = ("D", "Ds", "A", "ED", "maximin", *DECISIONS)
STRUCTURES = ("together", "alternating", "terminal")
ORDERS = ("before", "after")
WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
LONGEST = 3650.0  # elapsed days


@dataclass(frozen=True, slots=True)
class Sampling:
    """Visits at which the same is looked at.

    ``days`` are elapsed days, ``observe`` the observables of each visit, ``draw`` the blood that one takes (mL), None for the
    species' own. ``order`` is "before" where blood is drawn before a dose of the same hour, else "after".
    """

    observe: tuple[str, ...]
    days: tuple[float, ...]
    draw: float | None = None
    order: str = "before"


@dataclass(frozen=True, slots=True)
class Group:
    """Subjects who are dosed and bled alike.

    ``covariates`` are those of the group's subjects where they differ from the model's (weight, an arm's name), ``occasions`` the
    elapsed days on which a subject's occasions begin. With ``terminal`` each subject is bled once, at its end, and limits on blood
    say nothing of that.
    """

    name: str
    regimen: Regimen
    subjects: int
    samplings: tuple[Sampling, ...]
    covariates: Mapping[str, float | str] = field(default_factory=dict)
    occasions: tuple[float, ...] = (0.0,)
    terminal: bool = False

    @property
    def days(self) -> tuple[float, ...]:
        """Elapsed days on which anything is looked at."""
        return tuple(sorted({day for one in self.samplings for day in one.days}))


@dataclass(frozen=True, slots=True)
class OpenSampling:
    """Visits to be chosen among ``days`` (elapsed): from so many to so many (``visits``), ``fixed`` days among them."""

    observe: tuple[str, ...]
    days: tuple[float, ...]
    visits: tuple[int, int]
    fixed: tuple[float, ...] = ()
    draw: float | None = None
    order: str = "before"


@dataclass(frozen=True, slots=True)
class OpenGroup:
    """A group to be designed.

    ``regimens`` are the doses to choose from, ``subjects`` the fewest and the most. ``structure`` is "together" (all at all
    visits), "alternating" (``parts`` of it, each with visits of its own), or "terminal" (each subject once: serial sacrifice).
    """

    name: str
    regimens: tuple[Regimen, ...]
    subjects: tuple[int, int]
    samplings: tuple[OpenSampling, ...]
    structure: str = "together"
    parts: int = 2
    covariates: Mapping[str, float | str] = field(default_factory=dict)
    occasions: tuple[float, ...] = (0.0,)

    def at(
        self, days: Sequence[Sequence[float]], subjects: int, regimen: Regimen | None = None, part: str = ""
    ) -> Group:
        """Return some of the subjects with the elapsed days of each sampling; of a sampling without days nothing is left."""
        looked = tuple(
            Sampling(one.observe, tuple(own), one.draw, one.order)
            for one, own in zip(self.samplings, days, strict=True)
            if own
        )
        name = f"{self.name}, {part}" if part else self.name
        once = self.structure == "terminal"
        return Group(name, regimen or self.regimens[0], subjects, looked, self.covariates, self.occasions, once)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a design must keep to.

    ``gap`` is the least number of days between two visits of a subject, ``weekdays`` forbids weekends (day 0 being ``first_day``),
    ``blood`` is "species" where the species' limits on drawing hold and "none" where they do not, ``capacity`` the most
    samples that can be measured on a day, ``subjects`` how many there are in all groups together. ``budget`` is the most that a
    study may cost, each subject costing ``per_subject``, each draw ``per_draw`` and each day with any visit ``per_day``.
    """

    gap: float = 0.0
    weekdays: bool = False
    first_day: str = "monday"
    blood: str = "species"
    capacity: int | None = None
    subjects: int | None = None
    budget: float | None = None
    per_subject: float = 0.0
    per_draw: float = 0.0
    per_day: float = 0.0

    def weekday(self, day: float) -> str:
        """Return what day of the week an elapsed day is.

        >>> Limits(first_day="friday").weekday(2.5)
        'sunday'
        """
        return WEEK[(WEEK.index(self.first_day) + math.floor(day)) % 7]

    def weekend(self, day: float) -> bool:
        """Tell whether an elapsed day is a Saturday or a Sunday."""
        return self.weekday(day) in WEEK[5:]


@dataclass(frozen=True, slots=True)
class Robust:
    """Over what a design is robust: coefficients of variation of thetas, and how many sets of values are drawn.

    ``uncertain`` maps a theta to the standard deviation on its scale; what it does not name keeps its value.
    """

    uncertain: Mapping[str, float] = field(default_factory=dict)
    draws: int = 16


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be decided with the estimates, and so what is to be predicted well.

    ``what`` is "nadir", "nadir_day" (of the typical subject), "risk" (the share of subjects who reach ``grade``) or "dose"
    (at which that share is ``limit``), in ``lineage`` under ``regimen`` within ``days``.
    """

    what: str
    lineage: str
    regimen: Regimen
    days: float
    grade: int = 3
    limit: float = 0.33
    grading: str = ""
    subjects: int = 2000


@dataclass(frozen=True, slots=True)
class Alternative:
    """A design to compare with: its days, the groups being as they are."""

    name: str
    days: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Front:
    """What more visits and more subjects buy is to be shown.

    ``wanted``: relative standard errors that would do, percent, of all thetas or by name. ``numbers`` of subjects in all; empty
    for those of the groups.
    """

    wanted: float | Mapping[str, float] | None = None
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Design:
    """What ``design`` does.

    ``estimate`` holds the arguments of :func:`myelosim.spec.estimate.estimation` that the file gives. ``prior`` is "", "model"
    or the folder of a fit. ``windows`` is the efficiency down to which visits may slip, None where that is not asked.
    """

    name: str
    title: str
    load: Mapping[str, object]
    model: Model
    groups: tuple[OpenGroup, ...]
    limits: Limits = field(default_factory=Limits)
    criterion: str = "D"
    interest: tuple[str, ...] = ()
    estimate: Mapping[str, object] = field(default_factory=dict)
    fim: str = "reduced"
    linearization: str = "fo"
    lloq: Mapping[str, float] = field(default_factory=dict)
    blood_loss: bool = False
    prior: str = ""
    robust: Robust | None = None
    decision: Decision | None = None
    alternatives: tuple[Alternative, ...] = ()
    windows: float | None = 0.9
    front: Front | None = None
    seed: int = 1
    text: str = ""
    path: str = field(default="", compare=False)

    @property
    def spec_hash(self) -> str:
        """SHA-256 of everything the design says."""
        return spec_hash(self)
