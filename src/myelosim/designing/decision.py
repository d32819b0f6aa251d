"""What is to be decided with a study's estimates: a nadir, its day, the share of subjects at risk, or a dose.

A prediction q moves with everything that is estimated; with g its gradient and F the information, its variance is g'F^-1 g (delta
method). The share P of a population that falls under a limit is the mean of a step in m, the logarithm of a subject's nadir over
the limit. The subjects stay who they are (their normals), so m moves smoothly, by central differences of simulations; the step
is smoothed over a width h by a kernel without bias up to the third order (2K_h - K_{sqrt(2)h}, K normal). The dose D at which P
meets a limit moves by the implicit function theorem, dlog D/dp = -(dP/dp)/(dP/dlog D).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq

from myelosim.designing.crowd import PARTS, STEP, Crowd, Nadirs, soft_step
from myelosim.designing.design import Design
from myelosim.designing.predicted import Predicted
from myelosim.designing.question import Question
from myelosim.errors import SpecError
from myelosim.grading import Table, thresholds
from myelosim.information.labels import entries
from myelosim.spec.design import DECISIONS, Decision
from myelosim.spec.document import suggestion
from myelosim.spec.dosing import dosed_drug
from myelosim.spec.grading import load_grading, usual_grading
from myelosim.spec.literal import found
from myelosim.spec.model import observable
from myelosim.spec.regimen import DoseEvent

Array = NDArray[np.float64]

WIDTH = 0.25  # of the subjects' standard deviation, over which the step at the limit is smoothed
NEAR = 8.0  # subjects within that of the limit, fewer than which tell no slope
FACTORS = 2.0 ** np.arange(0, 11)  # by which doses are multiplied and divided in the search for one


def predict(question: Question, decision: Decision) -> Predicted:
    """Return what a decision rests on, and how it moves with all that is estimated.

    Parameters
    ----------
    question : Question
        What is estimated, and the values that are taken as true. Subjects are those that a fit with these values would
        describe: etas are the question's, parameters without one do not vary.
    decision : Decision
        "nadir" is in the lineage's unit and "nadir_day" in elapsed days, of the typical subject; "risk" is a share (0 to 1);
        "dose" is the amount of the first dose, all doses of drugs that are not supportive being multiplied alike.

    Raises
    ------
    SpecError
        The decision asks for something that is not there, or under these doses there is nothing to be predicted: no nadir,
        nobody near the grade's limit, no dose with that risk.
    """
    found = _Deciding(question, decision)
    if decision.what in ("nadir", "nadir_day"):
        return found.typical()
    return found.risk() if decision.what == "risk" else found.dose()


def predicted(design: Design, decision: Decision) -> pd.DataFrame:
    """Return what a design promises of a decision: ``value``, ``se``, ``low``, ``high`` (95 %) and ``noise``, one row.

    Examples
    --------
    >>> import myelosim as ms
    >>> model = ms.load_model("generic_oral_2cmt_friberg")
    >>> design = ms.evaluate_design(model, "drug 40 mg once", days=[0, 5, 10, 14, 21], subjects=20)
    >>> decision = Decision("nadir", "neutrophil", ms.Regimen.parse("drug 40 mg once"), 28)
    >>> predicted(design, decision).round(2)
             unit  value    se   low  high  noise
    nadir  10^9/L   4.69  0.46  3.87  5.68    0.0
    """
    if not isinstance(decision, Decision):
        raise SpecError(
            f'predicted: {found(decision)} is no decision; give e.g. Decision("nadir", "neutrophil", regimen, 28), from '
            "myelosim.spec.design"
        )
    one = predict(design.question, decision)
    low, high = one.interval(design.information)
    row = {"unit": one.unit, "value": one.value, "se": one.error(design.information), "low": low, "high": high}
    return pd.DataFrame([row | {"noise": one.noise}], index=[one.what])


@dataclass(frozen=True)
class _Slope:
    """A risk, how it moves with parameters and with the logarithm of doses, and the parts' own of each (part, ...)."""

    risk: Array
    by: Array
    by_dose: Array


@dataclass(frozen=True)
class _Deciding:
    """One decision."""

    question: Question
    decision: Decision

    def __post_init__(self) -> None:
        asked, model = self.decision, self.question.model
        if asked.what not in DECISIONS:
            raise SpecError(f"decision: what '{asked.what}' is not known{suggestion(asked.what, DECISIONS)}")
        known = [observable(name) for name in model.lineages]
        if observable(asked.lineage) not in known:
            raise SpecError(f"decision: the model has no lineage '{asked.lineage}'{suggestion(asked.lineage, known)}")
        if not 0.0 < asked.days < np.inf:
            raise SpecError(f"decision: days = {asked.days:g} is not possible; give a number above 0")
        for event in asked.regimen.events:
            if event.is_dose:
                dosed_drug(event, model)
        if asked.what in ("risk", "dose"):
            self._check_population()

    def _check_population(self) -> None:
        asked = self.decision
        if not 64 <= asked.subjects <= 200_000:
            raise SpecError(f"decision: subjects = {asked.subjects} is not possible; give from 64 to 200000")
        if not 0.0 < asked.limit < 1.0:
            raise SpecError(f"decision: limit = {asked.limit:g} is not a share; give a number between 0 and 1")
        if asked.grade not in (1, 2, 3, 4):
            raise SpecError(f"decision: grade {asked.grade} is not possible; grades are 1 to 4")
        lineage = observable(asked.lineage)
        if not self.table.has(lineage, asked.grade) or not np.all(np.isfinite(self._limit(np.ones(1)))):
            raise SpecError(
                f"decision: {self.table.name} has no number for grade {asked.grade} of {lineage} in this species; take another "
                "grade or another grading"
            )

    @property
    def lineage(self) -> str:
        """The model's own name."""
        return next(
            name for name in self.question.model.lineages if observable(name) == observable(self.decision.lineage)
        )

    @cached_property
    def table(self) -> Table:
        """The grading."""
        return load_grading(self.decision.grading or usual_grading(self.question.model.subjects.species))

    @cached_property
    def crowd(self) -> Crowd:
        """Who is predicted."""
        many = self.decision.subjects if self.decision.what in ("risk", "dose") else 0
        return Crowd(self.question, self.lineage, many)

    def typical(self) -> Predicted:
        """Predict the typical subject's nadir or its day."""
        crowd, events, horizon = self.crowd, self._events(), 24.0 * self.decision.days
        day, what = self.decision.what == "nadir_day", self.decision.what
        found = crowd.nadirs(self._around(crowd.place(events)), events, horizon)
        if (events or day) and (  # without a drug the lowest count is the baseline
            not min((event.time for event in events), default=0.0) / 24.0 + 1e-6
            < found.day[0]
            < self.decision.days - 1e-6
        ):
            raise SpecError(
                f"decision: the typical subject has no {what} within {self.decision.days:g} days: the lowest count is at day "
                f"{found.day[0]:.3g}; give more days, or another dose"
            )
        values = found.day if day else found.count
        along = self._differences(values, 1)[0]
        theta = along @ crowd.by_theta(events)[list(crowd.moving)]
        gradient = np.zeros(len(self.question.names))
        gradient[: len(theta)] = theta
        unit = "day" if day else _unit(observable(self.lineage))
        return Predicted(what, unit, self.question.names, float(values[0]), gradient, "identity" if day else "log")

    def risk(self) -> Predicted:
        """Predict the share of subjects who reach the grade."""
        one = self._slope(0.0)
        return Predicted(
            "risk", "1", self.question.names, float(one.risk[-1]), one.by[-1], "logit",
            noise=_noise(one.risk), gradient_noise=np.array([_noise(each) for each in one.by.T]),
        )  # fmt: skip

    def dose(self) -> Predicted:
        """Predict the dose at which the share of subjects who reach the grade is the limit."""
        dosed = [event for event in self._events() if self._scaled(event)]
        if not dosed or not dosed[0].amount > 0.0:
            raise SpecError("decision: there is no dose to be found; give a regimen with a dose above 0")
        low, high = self._bracket()
        place = float(brentq(self._excess, low, high, xtol=1e-5))
        one = self._slope(place)
        amount = dosed[0].amount * float(np.exp(place))
        each = -one.by / one.by_dose[:, None]
        scatter = np.array([_noise(part) for part in each.T])
        return Predicted(
            "dose", dosed[0].unit or self.question.model.drugs[dosed[0].drug].amount_unit, self.question.names, amount,
            amount * each[-1], "log", noise=amount * _noise(one.risk) / abs(float(one.by_dose[-1])),
            gradient_noise=amount * scatter,
        )  # fmt: skip

    def _bracket(self) -> tuple[float, float]:
        """Return logarithms of factors between which the risk meets the limit."""
        here, last = self._excess(0.0), 0.0
        for factor in np.log(FACTORS[1:]) * (-1.0 if here > 0 else 1.0):
            if self._excess(float(factor)) * here <= 0.0:
                return min(last, float(factor)), max(last, float(factor))
            last = float(factor)
        reached = 100.0 * (self._excess(last) + self.decision.limit)
        raise SpecError(
            f"decision: no dose has a risk of {100 * self.decision.limit:g} %: at {np.exp(last):.3g} times the regimen's it is "
            f"{reached:.3g} %, at the regimen's {100 * (here + self.decision.limit):.3g} %; give another limit, grade or regimen"
        )

    def _excess(self, factor: float) -> float:
        events = self._events(factor)
        place = self.crowd.place(events)
        found = self.crowd.nadirs(place, events, 24.0 * self.decision.days)
        step, _ = self._steps(self._margin(found))
        weight = self.crowd.eligible(place)[0]
        return float(weight @ step / weight.sum()) - self.decision.limit

    def _slope(self, factor: float) -> _Slope:
        """Return the risk and its slopes, doses being multiplied by exp(factor); the last of each is all subjects'."""
        crowd, horizon, events = self.crowd, 24.0 * self.decision.days, self._events(factor)
        place = crowd.place(events)
        size, moving = len(place), list(crowd.moving)
        margins = self._margin(crowd.nadirs(self._around(place), events, horizon))
        step, density = self._steps(margins[:size])
        weight, edge = crowd.eligible(place)
        if density.sum() * self._width(margins[:size]) < NEAR:
            share = 100 * float(weight @ step / weight.sum())
            raise SpecError(
                f"decision: {share:.2g} % reach grade {self.decision.grade} under these doses, and hardly any subject comes "
                "near its limit: such a risk says nothing of the parameters; take another dose or grade"
            )
        by_place = np.zeros_like(place)
        by_place[:, moving] = -(weight * density)[:, None] * self._differences(margins, size)
        up, down = (
            self._margin(
                crowd.nadirs(crowd.place(e := self._events(factor + sign * STEP)), e, horizon)
            ) for sign in (1.0, -1.0)
        )  # fmt: skip
        by_dose = -(weight * density) * (up - down) / (2.0 * STEP)
        along, turned = crowd.by_theta(events), crowd.by_omega()
        parts = [slice(k * size // PARTS, (k + 1) * size // PARTS) for k in range(PARTS)]
        risks, slopes, doses = [], [], []
        for own in (*parts, slice(0, size)):
            total = weight[own].sum()
            risk = float(weight[own] @ step[own]) / total
            moves = by_place[own] + (step[own] - risk)[:, None] * edge[own]
            gradient = np.zeros(len(self.question.names))
            gradient[: along.shape[1]] = moves.sum(axis=0) @ along / total
            first, count = along.shape[1], len(entries(self.question.estimation.omega))
            gradient[first : first + count] = np.einsum("nk,enk->e", moves, turned[:, own]) / total
            risks.append(risk)
            slopes.append(gradient)
            doses.append(by_dose[own].sum() / total)
        return _Slope(np.array(risks), np.array(slopes), np.array(doses))

    def _around(self, place: Array) -> Array:
        """Return the subjects, then those moved up and those moved down in each of what moves."""
        moved = [place]
        for k in self.crowd.moving:
            for sign in (1.0, -1.0):
                one = place.copy()
                one[:, k] += sign * STEP
                moved.append(one)
        return np.concatenate(moved)

    def _differences(self, values: Array, size: int) -> Array:
        pairs = values[size:].reshape(len(self.crowd.moving), 2, size)
        return np.asarray((pairs[:, 0] - pairs[:, 1]).T / (2.0 * STEP))

    def _margin(self, found: Nadirs) -> Array:
        return np.asarray(np.log(found.count / self._limit(found.baseline)))

    def _limit(self, baseline: Array) -> Array:
        lineage, about = observable(self.decision.lineage), self.question.model.subjects
        own = about.lower_limit.get(lineage, about.lower_limit.get(self.decision.lineage))
        begins = thresholds(lineage, self.table, own, baseline)
        return np.broadcast_to(begins[..., self.decision.grade - 1], np.shape(baseline))

    def _width(self, margins: Array) -> float:
        low, high = np.quantile(margins, [0.25, 0.75])
        if not high > low:
            raise SpecError("decision: all subjects have the same nadir, so that a risk is all or nothing; give omega")
        return float(WIDTH * (high - low) / 1.349)

    def _steps(self, margins: Array) -> tuple[Array, Array]:
        return soft_step(-margins, self._width(margins))

    def _scaled(self, event: DoseEvent) -> bool:
        drugs = self.question.model.drugs
        return event.is_dose and not drugs[event.drug].supportive

    def _events(self, factor: float = 0.0) -> tuple[DoseEvent, ...]:
        events = self.decision.regimen.expand(24.0 * self.decision.days)
        if not factor:
            return events
        times = float(np.exp(factor))
        return tuple(replace(one, amount=one.amount * times) if self._scaled(one) else one for one in events)


def _noise(parts: Array) -> float:
    """Return the standard error of the whole from its parts; the last is the whole itself."""
    return float(np.std(parts[:-1], ddof=1) / np.sqrt(len(parts) - 1))


def _unit(lineage: str) -> str:
    return "g/dL" if lineage == "hemoglobin" else "10^9/L"
