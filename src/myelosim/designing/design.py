"""What a design promises."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from myelosim.designing.criterion import Criterion
from myelosim.designing.identifiability import identifiability, sentences
from myelosim.designing.power import power as power_of
from myelosim.designing.power import power_between, subjects_needed
from myelosim.designing.question import Question, volume
from myelosim.information import Precision, Sensitivity, precision
from myelosim.information.precision import relative
from myelosim.information.shrinkage import shrinkage
from myelosim.spec.design import Decision, Group

Array = NDArray[np.float64]


@dataclass(frozen=True)
class DesignWarning:
    """Something that a design must not keep quiet about: ``code`` names it, ``text`` says what was seen and what to do."""

    code: str
    text: str

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


@dataclass(frozen=True)
class Design:
    """A design, evaluated.

    Attributes
    ----------
    question : Question
        Model, what is estimated, and how information is reckoned.
    groups : tuple of Group
        Who is dosed how and bled when.
    information : array (parameter, parameter)
        Of all subjects together, with what was known before; in natural units, omegas and terms of errors as variances.
    sensitivities : tuple of Sensitivity
        Of each group's looks.
    scored_by : Criterion
        What ``criterion`` is a value of.
    criterion : float
        The score; greater is better, and twice the subjects are twice the score (without a prior).
    warnings : tuple of DesignWarning
        What is not determined, or hardly; limits on blood that are broken.
    found : mapping
        How the design was found, where it was: ``how``, ``looked`` (sets of days), ``bound`` (of its efficiency), ``alternatives``.
    """

    question: Question
    groups: tuple[Group, ...]
    information: Array
    sensitivities: tuple[Sensitivity, ...]
    scored_by: Criterion
    criterion: float
    warnings: tuple[DesignWarning, ...] = ()
    found: Mapping[str, Any] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """What is estimated: thetas, ``omega <name>``, ``iov <name>``, terms of errors."""
        return self.question.names

    @property
    def days(self) -> list[float]:
        """Elapsed days on which anybody is bled."""
        return sorted({day for group in self.groups for day in group.days})

    @property
    def subjects(self) -> int:
        """Number of subjects."""
        return sum(group.subjects for group in self.groups)

    @property
    def draws(self) -> int:
        """Number of draws, all subjects together."""
        return sum(group.subjects * len(one.days) for group in self.groups for one in group.samplings)

    @cached_property
    def precision(self) -> Precision:
        """What the information promises."""
        return precision(self.information)

    @property
    def fim(self) -> pd.DataFrame:
        """The information matrix, named."""
        return pd.DataFrame(self.information, index=list(self.names), columns=list(self.names))

    @property
    def cov(self) -> pd.DataFrame:
        """The expected covariance of the estimates; infinite on the diagonal where something is not determined."""
        return pd.DataFrame(self.precision.covariance, index=list(self.names), columns=list(self.names))

    @property
    def se(self) -> Mapping[str, float]:
        """Expected standard errors, infinite where something is not determined."""
        return dict(zip(self.names, self.precision.errors.tolist(), strict=True))

    @property
    def rse(self) -> Mapping[str, float]:
        """Expected relative standard errors, percent; of omegas and terms of errors those of variances."""
        return dict(zip(self.names, relative(self.question.values, self.precision.errors).tolist(), strict=True))

    @property
    def table(self) -> pd.DataFrame:
        """Value, expected standard error and its percentage by name."""
        return pd.DataFrame({"value": self.question.values, "se": self.se, "rse": self.rse}, index=list(self.names))

    @cached_property
    def shrinkage(self) -> pd.DataFrame:
        """Expected shrinkage of individual parameters, percent of the variance, (eta, group)."""
        pairs = zip(self.groups, self.sensitivities, strict=True)
        return pd.DataFrame({group.name: shrinkage(one) for group, one in pairs}, index=self._etas)

    @property
    def calendar(self) -> pd.DataFrame:
        """One row per group, day and sampling: ``group``, ``day`` (elapsed), ``subjects``, ``observe``, ``draw`` (mL, each)."""
        rows = [
            (group.name, day, group.subjects, ", ".join(one.observe), volume(self.question.model, one))
            for group in self.groups for one in group.samplings for day in one.days
        ]  # fmt: skip
        table = pd.DataFrame(rows, columns=["group", "day", "subjects", "observe", "draw"])
        return table.astype({"draw": float}).sort_values(["day", "group"], kind="stable", ignore_index=True)

    def verify(self, replicates: int = 200, seed: int = 1, **how: Any) -> pd.DataFrame:
        """Simulate the study and fit it, again and again; see :func:`myelosim.designing.verify.verify`."""
        from myelosim.designing.verify import verify

        return verify(self, replicates, seed, **how)

    def power(self, name: str, null: float | None = None, alpha: float = 0.05, sided: int = 2) -> float:
        """Return the chance (0 to 1) that the study will show, by a Wald test, that a parameter is not ``null``.

        Parameters
        ----------
        name : str
            One of ``names``: the slope of an effect, or the coefficient of a covariate, ``neutrophil.mtt.arm.treated``.
        null : float, optional
            What it is tested against. Default: 1 for a factor of a category, else 0.
        alpha, sided
            Level of the test, and 2, or 1 for a test in the direction of the true difference.
        """
        return power_of(self, name, null=null, alpha=alpha, sided=sided)

    def power_between(self, first: Any, second: Any, **asked: Any) -> float:
        """Return the chance (0 to 1) that the study will show two regimens to differ in what is predicted of them.

        ``first`` and ``second`` are names of groups, or doses; ``asked`` are ``lineage``, ``days``, ``what`` ("nadir",
        "nadir_day", "risk", "dose"; default "nadir"), ``grade``, ``alpha`` and ``sided``.
        """
        return power_between(self, first, second, **asked)

    def subjects_needed(self, name: str, power: float = 0.8, **how: Any) -> Mapping[str, int]:
        """Return how many subjects of each group the study needs for a power, the groups' shares being as they are.

        ``how`` are ``null``, ``alpha`` and ``sided`` of :meth:`power`.
        """
        return subjects_needed(self, name, power, **how)

    def windows(self, efficiency: float = 0.9, **how: Any) -> pd.DataFrame:
        """Return how far each visit may slip; see :func:`myelosim.designing.windows.windows`."""
        from myelosim.designing.windows import windows

        return windows(self, efficiency, **how)

    @property
    def blood(self) -> pd.DataFrame:
        """Blood taken from each subject, against the species' limits; see :func:`myelosim.designing.blood.blood`."""
        from myelosim.designing.blood import blood

        return blood(self)

    def trajectories(self, **how: Any) -> xr.Dataset:
        """Return typical counts with and without the draws; see :func:`myelosim.designing.blood.trajectories`."""
        from myelosim.designing.blood import trajectories

        return trajectories(self, **how)

    def predicted(self, decision: Decision) -> pd.DataFrame:
        """Return how sure a decision will be: ``value``, ``unit``, ``se``, ``low``, ``high`` (95 %) and ``noise``, one row.

        ``decision`` says what: ``from myelosim.spec.design import Decision``, then ``Decision("risk", "neutrophil",
        ms.Regimen.parse("drug 40 mg once"), days=28, grade=3)``; or "nadir", "nadir_day", or "dose" (with ``limit``).
        ``noise`` is the standard error that ``value`` has as subjects are drawn.
        """
        from myelosim.designing.decision import predicted

        return predicted(self, decision)

    def identifiability(self) -> pd.DataFrame:
        """Return what is not determined, why, and what helps; see :mod:`myelosim.designing.identifiability`."""
        return identifiability(self)

    def report(self) -> str:
        """Return what is not determined, why, and what helps, as paragraphs."""
        return sentences(identifiability(self))

    def efficiency(self, other: Design) -> float:
        """Return this design's score over another's: the share of its subjects that the other would need.

        It is not a number where neither determines what the criterion asks for.
        """
        if other.criterion == 0.0:
            return math.inf if self.criterion > 0.0 else math.nan
        return self.criterion / other.criterion

    @property
    def _etas(self) -> list[str]:
        est = self.question.estimation
        later = max((len(group.occasions) for group in self.groups), default=1)
        return [*est.omega.names, *(f"{name} {k + 1}" for k in range(later) for name in est.occasion.names)]


def scored(
    question: Question, groups: tuple[Group, ...], criterion: Criterion, worlds: Sequence[Question] = ()
) -> Design:
    """Return a design with its information and its score; of ``worlds``, where there are several, all together."""
    own = question.sensitivities(groups)
    total = question.information(groups, own)
    value = score(criterion, worlds, groups) if len(worlds) > 1 else float(criterion(total[None, None])[0])
    if not criterion.partial and not np.all(precision(total).determined):
        value = 0.0  # the determinant is, but for rounding
    return Design(question, groups, total, own, criterion, value)


def score(criterion: Criterion, worlds: Sequence[Question], groups: Sequence[Group]) -> float:
    """Return the score of a design in all worlds together."""
    total = np.stack([one.information(groups) for one in worlds])
    return float(criterion(total[:, None])[0])
