"""Rules as frozen values: on what a clinic would act, what it would do, and until when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from myelosim.spec.model import observable
from myelosim.spec.regimen import DoseEvent


@dataclass(frozen=True, slots=True)
class Compare:
    """An observed value against a number.

    ``lineage`` is the lineage coordinate; ``of`` is "count", "baseline" (the count over the observed baseline) or "grade".
    """

    lineage: str
    of: str
    operator: str
    value: float


@dataclass(frozen=True, slots=True)
class Sign:
    """A clinical sign that the user has declared, noted since the visit before."""

    name: str


@dataclass(frozen=True, slots=True)
class Lasting:
    """A condition that has held at every visit for a number of ``unit``: "visits", or "days" from its first visit to this one.

    ``number`` days are those of protocols: two consecutive days are yesterday and today, one day apart.
    """

    term: Condition
    number: int
    unit: str


@dataclass(frozen=True, slots=True)
class Every:
    """All of some conditions."""

    terms: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of some conditions."""

    terms: tuple[Condition, ...]


Condition: TypeAlias = Compare | Sign | Lasting | Every | Either


def leaves(condition: Condition) -> Iterator[Compare | Sign]:
    """Yield the comparisons and signs of a condition, from left to right.

    Examples
    --------
    >>> low = Compare("neutrophil", "count", "<", 1.0)
    >>> [leaf.lineage for leaf in leaves(Either((low, Lasting(low, 2, "visits"))))]
    ['neutrophil', 'neutrophil']
    """
    if isinstance(condition, Every | Either):
        for term in condition.terms:
            yield from leaves(term)
    elif isinstance(condition, Lasting):
        yield from leaves(condition.term)
    else:
        yield condition


@dataclass(frozen=True, slots=True)
class Hold:
    """Give none of a drug until the rule lets go; the calendar goes on."""

    drug: str


@dataclass(frozen=True, slots=True)
class Reduce:
    """Give a drug one level down from now on."""

    drug: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Give a drug never again."""

    drug: str


@dataclass(frozen=True, slots=True)
class Delay:
    """Put off the next cycle of a drug until the rule lets go; its later cycles move with it."""

    drug: str


@dataclass(frozen=True, slots=True)
class Give:
    """Give a drug, once or every ``event.interval`` hours until the rule lets go; ``text`` is the dose as written."""

    event: DoseEvent
    text: str

    @property
    def drug(self) -> str:
        """What is given."""
        return self.event.drug


CELLS = {"hemoglobin": "red cells", "platelet": "platelets"}  # what is transfused, by the lineage coordinate it raises


def cells(lineage: str) -> str:
    """Return what is transfused for a lineage, by its own name or the one it is observed by; else the name itself.

    Examples
    --------
    >>> cells("erythroid"), cells("platelet"), cells("filgrastim")
    ('red cells', 'platelets', 'filgrastim')
    """
    return CELLS.get(observable(lineage), lineage)


@dataclass(frozen=True, slots=True)
class Transfuse:
    """Give units of red cells or platelets, once."""

    lineage: str
    units: float


Action: TypeAlias = Hold | Reduce | Stop | Delay | Give | Transfuse

RELEASES = ("resume", "resume one level down", "stop")
RECOVERS = ("named", "triggered")


@dataclass(frozen=True, slots=True)
class Rule:
    """What a clinic does about what it sees.

    Parameters
    ----------
    name : str
        What the scenario calls it.
    when : Condition
        At a visit, begins an occurrence.
    do : tuple of tuple of actions
        What is done at the first occurrence, the second, ...; the last one holds for all later ones.
    until : Condition, optional
        At a later visit, ends the occurrence. Without it the actions are done and the occurrence is over at once.
    recover : tuple of str
        By occurrence: "named", all of ``until`` must hold, or "triggered", only what it says of the lineages that met ``when`` at
        its beginning or since.
    then : tuple of str
        By occurrence, how a held drug goes on: one of `RELEASES`.
    within, later
        ``then`` holds for what is over within so many hours of the decision to act, ``later`` for what takes longer.
    levels : tuple of float
        Doses of the drug from the planned one down, as fractions of the planned one; ``level_names`` as written.
    below : {"stop", "stay"}
        What one level down from the lowest is; where an occurrence can end in nothing else, the drug is stopped at once.
    cycle, since : int, float
        The first cycle (from 1), and hour, in which an occurrence may begin.
    most : int, optional
        How many occurrences there may be.
    gap : float
        Hours from one occurrence to the next at least.
    rest_drugs, rest : tuple of str, float
        Nothing is over before so many hours after the last dose of any of these drugs.
    visits : float, optional
        Days between the visits while an occurrence lasts.
    turnaround : float
        Hours from a draw to what is done about it.
    precedence : int, optional
        Of rules that contradict each other the one with the smaller number is followed.
    source, warnings : str, tuple of str
        Where it is from, and what must be read before a result of it.
    """

    name: str
    when: Condition
    do: tuple[tuple[Action, ...], ...]
    until: Condition | None = None
    recover: tuple[str, ...] = ("named",)
    then: tuple[str, ...] = ("resume",)
    within: float | None = None
    later: tuple[str, ...] = ()
    levels: tuple[float, ...] = ()
    level_names: tuple[str, ...] = ()
    below: str = "stop"
    cycle: int = 1
    since: float = 0.0
    most: int | None = None
    gap: float = 0.0
    rest_drugs: tuple[str, ...] = ()
    rest: float = 0.0
    visits: float | None = None
    turnaround: float = 0.0
    precedence: int | None = None
    source: str = ""
    warnings: tuple[str, ...] = ()
    text: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def actions(self) -> tuple[Action, ...]:
        """Everything the rule may do, each once."""
        return tuple(dict.fromkeys(action for occurrence in self.do for action in occurrence))

    @property
    def withheld(self) -> frozenset[str]:
        """The drugs that the rule holds, reduces, stops or delays."""
        return frozenset(a.drug for a in self.actions if not isinstance(a, Give | Transfuse))

    def at(self, occurrence: int) -> tuple[Action, ...]:
        """Return what is done at an occurrence, counted from 1."""
        return self.do[min(occurrence, len(self.do)) - 1]


@dataclass(frozen=True, slots=True)
class Conduct:
    """How well a clinic keeps to the plan.

    ``turnaround`` (h) is from draw to decision where a rule does not say; with ``blood_loss`` what is drawn is missing from the
    blood; ``missed`` is the probability that a dose is not given, ``dose_cv`` the scatter of what is given of it;
    ``dropout`` is the fraction of subjects that leave within a year for reasons of their own, without further doses or visits;
    ``signs`` maps a sign to subject -> elapsed days on which it is noted.
    """

    turnaround: float = 0.0
    blood_loss: bool = False
    missed: float = 0.0
    dose_cv: float = 0.0
    dropout: float = 0.0
    signs: dict[str, dict[int, tuple[float, ...]]] = field(default_factory=dict)

    @property
    def unsteady(self) -> bool:
        """Whether anything makes what is given differ from the plan."""
        return bool(self.missed or self.dose_cv or self.blood_loss or self.dropout)
