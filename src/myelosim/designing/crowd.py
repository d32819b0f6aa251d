"""A population that can be moved: its subjects stay who they are while thetas and omegas change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from myelosim import engine
from myelosim.designing.question import Question
from myelosim.endpoints import lowest
from myelosim.information.labels import entries
from myelosim.random import evenly
from myelosim.simulation.subjects import subjects
from myelosim.spec.fitted import fitted
from myelosim.spec.model import Model, observable
from myelosim.spec.reach import reach
from myelosim.spec.regimen import DoseEvent
from myelosim.spec.scale import from_scale, to_scale

Array = NDArray[np.float64]

STEP = 5e-3  # of a parameter on its scale
TOLERANCE = 1e-6  # for the relative error of counts
SMALL = 1e-5  # of a theta, or of an omega, where nothing is simulated
PARTS = 8  # into which a crowd is divided, so that the scatter between them tells how well it stands for all
SOFT = 0.1  # of a parameter's standard deviation, over which the edge of eligibility is smoothed


@dataclass(frozen=True)
class Nadirs:
    """The lowest count of each subject, when it is reached (day), and the count at time zero."""

    count: Array
    day: Array
    baseline: Array


@dataclass(frozen=True)
class Crowd:
    """Subjects as a fit to the question's values would describe them; one typical subject where ``size`` is 0.

    Random effects are a scrambled Sobol sequence, in ``PARTS`` parts. What varies between occasions does not here.
    """

    question: Question
    lineage: str
    size: int

    @cached_property
    def model(self) -> Model:
        """What a fit to the question's values would give."""
        return self._fitted([one.start for one in self.question.estimation.thetas])

    @cached_property
    def moved(self) -> tuple[str, ...]:
        """Parameters that differ between subjects, or that a theta moves."""
        est = self.question.estimation
        own = [name for name, one in self.model.parameters.items() if one.omega_sd > 0 and self.size]
        based = [_parameter(one.name, self.model) for one in est.thetas]
        return tuple(dict.fromkeys([*(est.omega.names if self.size else ()), *own, *based]))

    @cached_property
    def moving(self) -> tuple[int, ...]:
        """Places in ``moved`` of what the lineage depends on."""
        known = reach(self.model, (observable(self.lineage),)).all
        return tuple(k for k, name in enumerate(self.moved) if name in known)

    @cached_property
    def normals(self) -> Array:
        """Independent standard normals (subject, moved)."""
        if not self.size:
            return np.zeros((1, len(self.moved)))
        each = 1 << max(self.size // PARTS - 1, 1).bit_length()
        parts = [evenly(self.question.seed, each, len(self.moved), k) for k in range(PARTS)]
        return np.asarray(ndtri(np.concatenate(parts)))

    def typical(self, events: Sequence[DoseEvent], theta: Sequence[float] | None = None) -> dict[str, Any]:
        """Return every parameter of the typical subject."""
        model = self.model if theta is None else self._fitted(theta)
        return dict(subjects(model, events, None, pd.DataFrame(index=[0])).values)

    def place(self, events: Sequence[DoseEvent]) -> Array:
        """Return where subjects stand (subject, moved), on the parameters' scales."""
        return np.asarray(self._scaled(self.typical(events)) + self.normals @ self._mixing(self._omega).T)

    def by_theta(self, events: Sequence[DoseEvent]) -> Array:
        """Return how subjects move with thetas in their units (moved, theta)."""
        start = [one.start for one in self.question.estimation.thetas]
        columns = []
        for k, value in enumerate(start):
            step = SMALL * abs(value) or SMALL
            ends = [
                self._scaled(self.typical(events, [*start[:k], value + sign * step, *start[k + 1 :]]))
                for sign in (1, -1)
            ]
            columns.append((ends[0] - ends[1]) / (2.0 * step))
        return np.array(columns).reshape(len(start), len(self.moved)).T

    def by_omega(self) -> Array:
        """Return how subjects move with the free entries of omega (entry, subject, moved)."""
        own, made = self.question.estimation.omega, []
        for i, j in entries(own):
            step = SMALL * np.sqrt(self._omega[i, i] * self._omega[j, j])
            unit = np.zeros_like(self._omega)
            unit[i, j] = unit[j, i] = step
            turned = (self._mixing(self._omega + unit) - self._mixing(self._omega - unit)) / (2.0 * step)
            made.append(self.normals @ turned.T)
        return np.array(made).reshape(len(made), *self.normals.shape)

    def nadirs(self, place: Array, events: Sequence[DoseEvent], horizon: float) -> Nadirs:
        """Return the nadirs of subjects who stand at ``place``, under doses, up to an hour."""
        model, every = self.model, self.typical(events)
        for k, name in enumerate(self.moved):
            parameter = model.parameters[name]
            values = from_scale(place[:, k], parameter.scale)
            every[name] = np.clip(values, parameter.floor, parameter.ceiling) if parameter.clip else values
        first = min((event.time for event in events), default=0.0)
        run = engine.run(
            self._needed, events, times=np.unique([0.0, first]), individuals=every, subjects=len(place),
            covariates=model.subjects.covariates, windows=[(first, horizon)], tolerance=TOLERANCE, threads=self.question.threads,
        )  # fmt: skip
        track = run.tracks[self.lineage]
        low, when = lowest(track.minimum, track.minimum_time, track.count[:, -1:], np.array([first]), TOLERANCE)
        return Nadirs(np.maximum(low[:, 0], 1e-300), when[:, 0] / 24.0, track.count[:, 0])

    @cached_property
    def _needed(self) -> Model:
        """The model without the lineages on which this one does not depend."""
        model, known = self.model, reach(self.model, (observable(self.lineage),)).all
        own = {name: one for name, one in model.lineages.items() if f"{name}.baseline" in known}
        return replace(model, lineages=own, effects=tuple(one for one in model.effects if one.lineage in own))

    def eligible(self, place: Array) -> tuple[Array, Array]:
        """Return the weight of each subject, 1 between floors and ceilings and 0 outside, and its slopes (subject, moved)."""
        terms, slopes = np.ones_like(place), np.zeros_like(place)
        for k, name in enumerate(self.moved):
            one = self.model.parameters[name]
            if one.clip or not one.omega_sd:
                continue
            for bound, sign in ((one.floor, 1.0), (one.ceiling, -1.0)):
                if bound is not None and (bound > 0 or one.scale == "identity"):
                    x = sign * (place[:, k] - to_scale(bound, one.scale))
                    step, slope = soft_step(x, SOFT * one.omega_sd)
                    slopes[:, k] = slopes[:, k] * step + terms[:, k] * slope * sign
                    terms[:, k] *= step
        return terms.prod(axis=1), np.stack(
            [slopes[:, k] * np.delete(terms, k, axis=1).prod(axis=1) for k in range(terms.shape[1])], axis=1
        )

    @cached_property
    def _omega(self) -> Array:
        omega = np.array(self.question.estimation.omega.start, float)
        return np.asarray(omega + np.diag(np.where(np.diag(omega) > 0.0, 0.0, 1e-12)))

    def _mixing(self, omega: Array) -> Array:
        """Return what turns independent normals into random effects (moved, moved)."""
        L, own = np.zeros((len(self.moved), len(self.moved))), len(omega)
        if not self.size:
            return L
        L[:own, :own] = np.linalg.cholesky(omega)
        others = [k for k in range(own, len(self.moved)) if self.model.parameters[self.moved[k]].omega_sd > 0]
        if others:
            sd = np.array([self.model.parameters[self.moved[k]].omega_sd for k in others])
            R = np.eye(len(others))
            for (a, b), value in self.model.correlation.items():
                pair = [n for n, k in enumerate(others) if self.moved[k] in (a, b)]
                if len(pair) == 2:
                    R[pair, pair[::-1]] = value
            L[np.ix_(others, others)] = np.linalg.cholesky(R * np.outer(sd, sd))
        return L

    def _scaled(self, values: Mapping[str, Any]) -> Array:
        return np.array([float(to_scale(values[name], self.model.parameters[name].scale)) for name in self.moved])

    def _fitted(self, theta: Sequence[float]) -> Model:
        est = self.question.estimation
        sigma = [one.start for one in est.sigmas]
        model = fitted(self.question.model, est, theta=theta, omega=est.omega.start, sigma=sigma, source="a design")
        return replace(model, warnings=())


def soft_step(x: Array, width: float) -> tuple[Array, Array]:
    """Return a step from 0 to 1 at zero, smoothed over a width without bias up to the third order, and its slope."""
    wide = np.sqrt(2.0) * width
    density = np.exp(-0.5 * np.array([x / width, x / wide]) ** 2) / np.sqrt(2.0 * np.pi)
    return 2.0 * ndtr(x / width) - ndtr(x / wide), 2.0 * density[0] / width - density[1] / wide


def _parameter(theta: str, model: Model) -> str:
    """Return the parameter that a theta is of, or of which it is a covariate's coefficient."""
    while theta not in model.parameters:
        theta = theta.rpartition(".")[0]
    return theta
