"""What a design cannot tell, why, and what would help.

Changes of all parameters by fractions u of their values move the observations by u'Ru, R being the information about logarithms. A
direction u of unit length is known to a relative standard error of u'R^-1u, squared; its eigenvectors with small eigenvalues
are the combinations of parameters that may change together while next to nothing is seen to move.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from myelosim.information import Fisher, Look, Sensitivity, precision, spread
from myelosim.spec.design import Group, Sampling

if TYPE_CHECKING:
    from myelosim.designing.design import Design

Array = NDArray[np.float64]

POOR = 50.0  # percent, of a relative standard error that is no answer
HEAVY = 0.3  # of a direction, from which on a parameter is named
NOTHING = 1e-8  # of the largest eigenvalue, under which one counts as zero
MANY = 20  # times as many subjects as there are, up to which more are recommended
PRIOR = 0.3  # relative standard deviation of a prior that is tried
SOON = 3.0  # days, up to which a calendar of concentrations alone goes by the hour
COLUMNS = ["parameters", "rse", "what", "why", "help"]


@dataclass(frozen=True)
class Weakness:
    """A direction that is hardly known: what it is made of (the heaviest first), with which share, and to what percent."""

    names: tuple[str, ...]
    shares: tuple[float, ...]
    rse: float
    dimension: int = 1

    @property
    def what(self) -> str:
        """In words."""
        if len(self.names) == 1:
            return f"{self.names[0]} is not determined" if np.isinf(self.rse) else f"{self.names[0]} is hardly known"
        if self.dimension > 1:
            left = max(len(self.names) - self.dimension, 0)
            told = f"only {left} of {len(self.names)} combinations are told" if left else "none of them is told"
            return f"{', '.join(self.names)} cannot be told from each other: {told}"
        first = self.shares[0]
        moves = [
            f"{name} {100 * 0.1 * share / first:+.2g} %" for name, share in zip(self.names, self.shares, strict=True)
        ]
        text = f"{moves[0]} with {', '.join(moves[1:])} changes next to nothing that is seen"
        if len(self.names) == 2:
            power = -first / self.shares[1]
            other = self.names[1] + ("" if abs(abs(power) - 1.0) < 0.05 else f"^{abs(power):.2g}")
            text += f"; only {self.names[0]} {'*' if power > 0 else '/'} {other} is determined"
        return text


def weaknesses(design: Design) -> list[Weakness]:
    """Return the directions that are not determined or known worse than to 50 percent, the worst first."""
    names, blind = np.array(design.names), design.precision.blind
    found = [Weakness((name,), (1.0,), np.inf) for name in names[blind]]
    thetas = np.arange(len(names)) < len(design.question.estimation.thetas)
    apart = not np.any(design.information[np.ix_(thetas, ~thetas)])
    for block in (thetas, ~thetas) if apart else (np.ones(len(names), bool),):
        seen = np.flatnonzero(block & ~blind)
        if len(seen):
            found += _of_block(design, seen)
    return sorted(found, key=lambda one: -one.rse)


def _of_block(design: Design, seen: NDArray[np.intp]) -> list[Weakness]:
    """Return the weak directions among some parameters."""
    names, values = np.array(design.names)[seen], np.abs(design.question.values[seen])
    size = np.where(values > 0.0, values, 1.0)
    eigenvalues, vectors = np.linalg.eigh(design.information[np.ix_(seen, seen)] * np.outer(size, size))
    lost, found = eigenvalues <= NOTHING * eigenvalues[-1], []
    if np.sum(lost) > 1:
        share = np.sqrt(np.sum(vectors[:, lost] ** 2, axis=1))
        heavy = [k for k in np.argsort(-share, kind="stable") if share[k] > HEAVY]
        found.append(Weakness(tuple(names[heavy]), tuple(share[heavy].tolist()), np.inf, dimension=int(lost.sum())))
    for k, value in enumerate(eigenvalues):
        rse = np.inf if lost[k] else 100.0 / float(np.sqrt(value))
        if rse <= POOR or (lost[k] and np.sum(lost) > 1):
            continue
        order = np.argsort(-np.abs(vectors[:, k]), kind="stable")
        heavy = [i for i in order if abs(vectors[i, k]) > HEAVY]
        found.append(Weakness(tuple(names[heavy]), tuple(vectors[heavy, k].tolist()), rse))
    return found


def identifiability(design: Design) -> pd.DataFrame:
    """Return what a design cannot tell, in plain words.

    Returns
    -------
    pandas.DataFrame
        One row for each direction that is not determined, or not to 50 percent, the worst first: ``parameters`` that it is made
        of, ``rse`` (percent, of the direction), ``what`` it is, ``why`` it is so, and what would ``help``, with numbers.

    Examples
    --------
    >>> import myelosim as ms
    >>> model = ms.load_model("generic_oral_2cmt_friberg")
    >>> design = ms.evaluate_design(model, "drug 40 mg once", days=[1], subjects=20, parameters=["neutrophil.gamma"])
    >>> identifiability(design).loc["neutrophil.gamma", "what"]
    'neutrophil.gamma is hardly known'
    """
    about = _About(design)
    rows = [
        {"parameters": ", ".join(one.names), "rse": one.rse, "what": one.what, "why": about.why(one), "help": about.help(one)}
        for one in weaknesses(design)
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.set_index("parameters")


def sentences(table: pd.DataFrame) -> str:
    """Return the table as paragraphs."""
    if not len(table):
        return f"All parameters are known to better than {POOR:g} %."
    return "\n".join(f"{one.what}. Why: {one.why}. What would help: {one.help}." for one in table.itertuples())


@dataclass(frozen=True)
class _About:
    """A design, and the calendar of days on which it could have looked."""

    design: Design

    @cached_property
    def last(self) -> float:
        return max(self.design.days)

    @cached_property
    def hourly(self) -> bool:
        drugs = self.design.question.model.drugs
        seen = {name for group in self.design.groups for one in group.samplings for name in one.observe}
        return self.last <= SOON and seen <= set(drugs)

    @cached_property
    def calendar(self) -> tuple[float, ...]:
        """Days, or hours as days, of which one more visit may be."""
        step = 1.0 / 24.0 if self.hourly else 1.0
        end = max(1.0, 2.0 * self.last) if self.hourly else max(28.0, 1.5 * self.last)
        return tuple(k * step for k in range(ceil(end / step) + 1))

    def wider(self, calendar: Sequence[float]) -> tuple[Group, ...]:
        """Return the groups with visits on these days, too."""
        groups = []
        for group in self.design.groups:
            seen = tuple(dict.fromkeys(name for one in group.samplings for name in one.observe))
            more = Sampling(seen, tuple(day for day in calendar if day not in group.days), group.samplings[0].draw)
            groups.append(replace(group, samplings=(*group.samplings, more)))
        return tuple(groups)

    @cached_property
    def grids(self) -> tuple[Sensitivity, ...]:
        """Each group's sensitivities on its own and on all days of the calendar; blood loss does not count."""
        return replace(self.design.question, blood_loss=False).sensitivities(self.wider(self.calendar))

    def counts(self, day: float | None = None) -> list[Array]:
        """Return how often each look of the grids is made, with a visit more on one day."""
        made = []
        for group, grid in zip(self.design.groups, self.grids, strict=True):
            own = Counter(
                Look(name, 24.0 * on, one.order == "after")
                for one in group.samplings for on in one.days for name in one.observe
            )  # fmt: skip
            count = np.array([float(own[look]) for look in grid.looks])
            if day is not None:
                count += [float(abs(look.hour - 24.0 * day) < 1e-9) for look in grid.looks]
            made.append(count)
        return made

    def information(self, days: Sequence[float | None]) -> Array:
        """Return the information (day, parameter, parameter) of the design with a visit more on one day."""
        total = np.repeat(self.design.question.known[None], len(days), axis=0)
        for k, (group, grid) in enumerate(zip(self.design.groups, self.grids, strict=True)):
            total = total + group.subjects * Fisher(grid)(np.array([self.counts(day)[k] for day in days]))
        return total

    def rse(self, fim: Array, name: str) -> float:
        """Return a relative standard error, percent."""
        k = self.design.names.index(name)
        gradient = np.zeros(len(fim))
        gradient[k] = 1.0
        return 100.0 * spread(fim, gradient) / (abs(float(self.design.question.values[k])) or 1.0)

    def why(self, one: Weakness) -> str:
        """Return why, as far as it can be said."""
        thetas = [name for name in one.names if name in self._thetas]
        said = [self._variances(one)] if len(thetas) < len(one.names) else []
        said += [self._alike(thetas)] if len(thetas) > 1 else []
        said += [self._peak(name) for name in thetas[:2]]
        said += [self._imitated(thetas[0])] if thetas and not any(said) else []
        return "; ".join(dict.fromkeys(text for text in said if text)) or "too few looks for what is estimated"

    def help(self, one: Weakness) -> str:
        """Return what would raise the information, with numbers about the heaviest parameter."""
        name = one.names[0]
        now = self.rse(self.design.information, name)
        said = [self._visit(name, now)]
        if name in self._thetas:
            said += [self._prior(one), self._dose(name, now)]
        elif np.isfinite(now):
            more = ceil(self.design.subjects * (now / 30.0) ** 2)
            if self.design.subjects < more <= MANY * self.design.subjects:
                said.append(f"{more:,} subjects instead of {self.design.subjects} (then {name} is known to 30 %)")
        return "; ".join(text for text in said if text) or f"fix {name}, or look at something else"

    @cached_property
    def _thetas(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.design.question.estimation.thetas)

    def _along(self, name: str, grid: Sensitivity) -> Array:
        """Return how much a look's mean moves with a theta, in standard deviations of all that scatters (look)."""
        spread = grid.variance + np.einsum("kre,ef,krf->kr", grid.random, grid.omega, grid.random)
        return np.asarray((np.abs(grid.theta[:, :, self._thetas.index(name)]) / np.sqrt(spread)).mean(axis=0))

    def _peak(self, name: str) -> str:
        """Return when a theta is seen best, where nobody looks then."""
        best = max(
            (
                (float(size), look.hour / 24.0)
                for grid in self.grids for size, look in zip(self._along(name, grid), grid.looks, strict=True)
            ),
            default=(0.0, 0.0),
        )  # fmt: skip
        if not best[0] > 0.0:
            return f"nothing that is looked at moves with {name} under these doses, whatever the day"
        at = max(
            float(np.max(self._along(name, grid) * (count > 0), initial=0.0))
            for grid, count in zip(self.grids, self.counts(), strict=True)
        )
        if at > 0.8 * best[0]:
            return ""
        after = ", after the last visit" if best[1] > self.last else ""
        share = f"{100 * at / best[0]:.0f} % of that" if at > 0.005 * best[0] else "next to nothing"
        return f"{name} is seen best {self._when(best[1])}{after}; the planned visits see {share}"

    def _alike(self, thetas: Sequence[str]) -> str:
        names = list(self.design.names)
        i, j = names.index(thetas[0]), names.index(thetas[1])
        fim = self.design.information
        size = np.sqrt(fim[i, i] * fim[j, j])
        if not size > 0.0:
            return ""
        alike = float(fim[i, j] / size)
        said = ""
        if abs(alike) > 0.9:
            how = "alike" if alike > 0 else "oppositely"
            said = f"{thetas[0]} and {thetas[1]} move what is seen {how} on these days (correlation {alike:.3f})"
        drugs = set(self.design.question.model.drugs)
        doses = {group.regimen.events for group in self.design.groups}
        effects = [name for name in thetas if name.count(".") > 1 and name.split(".")[0] in drugs]
        if len(effects) > 1 and len(doses) == 1:
            said += ("; " if said else "") + f"there is one dose level for {' and '.join(effects[:3])}"
        return said

    def _imitated(self, name: str) -> str:
        """Return how much of what a theta does the other parameters together can do, too."""
        k = self.design.names.index(name)
        alone = 1.0 / np.sqrt(self.design.information[k, k]) if self.design.information[k, k] > 0 else np.inf
        error = float(self.design.precision.errors[k])
        share = 100.0 * (1.0 - (alone / error) ** 2) if np.isfinite(alone) else 0.0
        if share > 90.0:
            return (
                f"the other parameters together imitate {share:.1f} % of what {name} does to what is seen on these days"
            )
        return f"{name} moves what is seen on these days by too little against the scatter"

    def _variances(self, one: Weakness) -> str:
        """Return why a variance is hardly known."""
        est = self.design.question.estimation
        etas = sum(int(np.sum(np.diag(own.free))) for own in (est.omega, est.occasion))
        looks = max(sum(len(s.days) * len(s.observe) for s in group.samplings) for group in self.design.groups)
        if looks <= etas:
            often = "once" if looks == 1 else f"{looks} times"
            many = "an eta" if etas == 1 else f"{etas} etas"
            return f"a subject is looked at {often}, which cannot tell {many} and the error from each other"
        place = self.design.names.index(next(name for name in one.names if name not in self._thetas))
        pairs = zip(self.design.groups, self.design.sensitivities, strict=True)
        telling = sum(group.subjects for group, own in pairs if Fisher(own).once[place, place] > 0.0)
        if not telling:
            return ""
        known = f"{telling} subjects know no variance to better than {100.0 * np.sqrt(2.0 / telling):.0f} %"
        return f"{known}, and looks that scatter know it worse"

    def _visit(self, name: str, now: float) -> str:
        """Return the day on which one more visit helps most."""
        if all(group.terminal for group in self.design.groups):
            return "" if name in self._thetas else "animals bled more than once"
        taken = {day for group in self.design.groups for day in group.days}
        days = [day for day in self.calendar if day not in taken]
        found = self.information([None, *days])
        errors = np.array([self.rse(one, name) for one in found])
        if np.all(np.isinf(errors)):
            seen = [int(precision(one).determined.sum()) for one in found]
            best = int(np.argmax(seen))
            return "" if seen[best] <= seen[0] else f"a visit {self._when(days[best - 1])}, though it is not enough"
        best = int(np.argmin(errors))
        if not errors[best] < 0.95 * errors[0]:
            return ""
        day, then = days[best - 1], errors[best]
        if self.design.question.blood_loss:
            then = self.rse(self.design.question.information(self.wider([day])), name)
        return (
            f"a visit {self._when(day)}: rse of {name} {_percent(now)} -> {_percent(then)}" if then < 0.95 * now else ""
        )

    def _prior(self, one: Weakness) -> str:
        """Return what a prior on the heaviest parameter, and what fixing it, would do to all that it is mixed with."""
        name, names = one.names[0], list(self.design.names)
        k = names.index(name)
        fim = self.design.information.copy()
        fim[k, k] += (1.0 / (PRIOR * (abs(self.design.question.values[k]) or 1.0))) ** 2
        held = self.design.information.copy()
        held[k, k] += 1e6 * (fim[k, k] + held[k, k])
        others = [other for other in one.names[1:3] if other in self._thetas]
        text = f"a prior of {100 * PRIOR:.0f} % on {name}: rse {_percent(self.rse(fim, name))}"
        text += "".join(f", of {other} {_percent(self.rse(fim, other))}" for other in others)
        if others:
            text += f" (fixed: {', '.join(f'{_percent(self.rse(held, other))} of {other}' for other in others)})"
        return text

    def _dose(self, name: str, now: float) -> str:
        """Return what it does to give half of the subjects half the dose."""
        question, groups = self.design.question, []
        if len({group.regimen.events for group in self.design.groups}) > 1:
            return ""
        for group in self.design.groups:
            events = [replace(one, amount=0.5 * one.amount) if one.is_dose else one for one in group.regimen.events]
            half = replace(group.regimen, events=tuple(events))
            groups += [group, replace(group, name=f"{group.name}, half the dose", regimen=half)]
        found = question.sensitivities(groups)
        fim = question.known + sum(
            0.5 * group.subjects * Fisher(one).once for group, one in zip(groups, found, strict=True)
        )
        then = self.rse(fim, name)
        return f"half the dose for half of the subjects: rse {_percent(then)}" if then < 0.9 * now else ""

    def _when(self, day: float) -> str:
        return f"at {24.0 * day:.3g} h" if self.hourly else f"on day {day:g}"


def _percent(value: float) -> str:
    return "infinite" if np.isinf(value) else f"{value:,.0f} %"
