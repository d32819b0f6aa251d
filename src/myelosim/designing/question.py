"""What a design is to answer: the model, what is estimated, and how information is reckoned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from myelosim.errors import SpecError
from myelosim.information import Arm, Fisher, Look, Sensitivity, labels, sensitivities
from myelosim.information.labels import entries
from myelosim.spec.design import Group, OpenGroup, OpenSampling, Sampling
from myelosim.spec.estimation import Estimation
from myelosim.spec.model import Model
from myelosim.spec.regimen import DoseEvent
from myelosim.spec.scale import slope

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """What a design is to answer.

    ``fim`` is "reduced" or "full", ``linearization`` "fo" or "foce", ``lloq`` maps an observable to its limit of quantification,
    ``prior`` is information that is there already (parameter, parameter), in the order of ``names``, and ``doubts`` say
    where it does not fit the question. With ``blood_loss`` drawn blood is missing from the subjects afterwards.
    """

    model: Model
    estimation: Estimation
    fim: str = "reduced"
    linearization: str = "fo"
    lloq: Mapping[str, float] | None = None
    prior: Array | None = None
    blood_loss: bool = False
    seed: int = 1
    tolerance: float = 1e-8
    threads: int | None = None
    doubts: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """What is estimated: thetas, ``omega <name>``, ``iov <name>``, terms of errors."""
        return labels(self.estimation)

    @cached_property
    def values(self) -> Array:
        """What they are, in natural units; omegas and terms of errors as variances."""
        est = self.estimation
        return np.array(
            [
                *(theta.start for theta in est.thetas),
                *(own.start[i, j] for own in (est.omega, est.occasion) for i, j in entries(own)),
                *(sigma.start**2 for sigma in est.sigmas if sigma.free),
            ]
        )

    @cached_property
    def known(self) -> Array:
        """Information that there is without any look: the prior, and what is believed of thetas."""
        total = np.zeros((len(self.names), len(self.names))) if self.prior is None else np.array(self.prior, float)
        for k, theta in enumerate(self.estimation.thetas):
            if theta.prior is not None:
                total[k, k] += (slope(theta.start, theta.scale) / theta.prior[1]) ** 2
        return total

    def sensitivities(self, groups: Sequence[Group]) -> tuple[Sensitivity, ...]:
        """Return each group's sensitivities at all looks of its samplings."""
        return self.of_arms([self.arm(group) for group in groups])

    def of_arms(self, arms: Sequence[Arm]) -> tuple[Sensitivity, ...]:
        """Return each arm's sensitivities at all its looks."""
        return sensitivities(
            self.model, arms, self.estimation, linearization=self.linearization, full=self.fim == "full", lloq=self.lloq,
            seed=self.seed, tolerance=self.tolerance, threads=self.threads,
        )  # fmt: skip

    def elsewhere(self, theta: Mapping[str, float]) -> Question:
        """Return the question with other values of thetas, in their units."""
        thetas = tuple(replace(one, start=theta.get(one.name, one.start)) for one in self.estimation.thetas)
        return replace(self, estimation=replace(self.estimation, thetas=thetas))

    def information(self, groups: Sequence[Group], of: Sequence[Sensitivity] | None = None) -> Array:
        """Return the information of all groups together (whose sensitivities are ``of``), with what was known before."""
        total = self.known.copy()
        for group, one in zip(groups, of or self.sensitivities(groups), strict=True):
            total += group.subjects * Fisher(one).once
        return total

    def arm(self, group: Group, bled: Group | None = None) -> Arm:
        """Return what a subject of a group is given, and what is looked at in it.

        With ``blood_loss`` blood is drawn as from ``bled``, by default at the group's own visits.
        """
        looks = tuple(
            Look(name, 24.0 * day, one.order == "after")
            for one in group.samplings for day in one.days for name in one.observe
        )  # fmt: skip
        events = group.regimen.expand(24.0 * max(group.days, default=0.0))
        if self.blood_loss:
            events = with_draws(events, self.model, bled or group)
        return Arm(events, looks, group.covariates, tuple(24.0 * day for day in group.occasions))


def weight(model: Model, group: Group | OpenGroup) -> float | None:
    """Return the weight of a subject, kg, None where it is not known."""
    value = group.covariates.get("weight", model.subjects.covariates.get("weight"))
    return float(value) if isinstance(value, int | float) else None


def volume(model: Model, sampling: Sampling | OpenSampling) -> float | None:
    """Return the blood that one draw takes, mL, None where it is not known."""
    return sampling.draw if sampling.draw is not None else model.subjects.draw_volume


def with_draws(events: Sequence[DoseEvent], model: Model, group: Group) -> tuple[DoseEvent, ...]:
    """Return events and the draws of blood of a group's subjects, as fractions of all they have, in the order of time.

    Raises
    ------
    SpecError
        Blood volume, weight or the volume of a draw is not known.
    """
    total, heavy = model.subjects.blood_volume, weight(model, group)
    found = [*events]
    for one in group.samplings:
        taken = volume(model, one)
        if total is None or heavy is None or taken is None:
            lacks = "blood volume" if total is None else "weight" if heavy is None else "volume of a draw"
            raise SpecError(
                f"group {group.name}: blood_loss needs the {lacks}, which the model lacks; say it, or leave blood_loss out"
            )
        found += [DoseEvent("blood", 24.0 * day, taken / (total * heavy), kind="draw") for day in one.days]
    return tuple(sorted(found, key=lambda event: event.time))
