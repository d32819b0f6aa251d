"""The mixed model: how fixed and random effects move each subject's parameters.

Parameters move on their scales, u. A *coordinate* is a direction in which the parameters of a subject can be moved:
one parameter, in all periods or in those of one occasion, or a fixed effect whose weight differs between periods. With
beta the fixed effects and b the random ones, du = X dbeta + Z db, and all derivatives are those by coordinates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from myelosim.linearize.people import Periods
from myelosim.population.individuals import factor
from myelosim.spec.estimation import Estimation
from myelosim.spec.model import Model, Parameter
from myelosim.spec.scale import from_scale, to_scale

INSIDE = 0.37  # of the way between bounds


@dataclass(frozen=True)
class Coordinate:
    """A direction: the parameter it moves, how much in each period, and where it comes from."""

    parameter: str
    weight: np.ndarray  # (period,); of a fixed effect, whose weight depends on beta, zero
    occasion: int | None = None
    theta: int | None = None


@dataclass(frozen=True)
class Mixed:
    """A model, what is estimated of it, and the periods in which it is wanted."""

    model: Model
    estimation: Estimation
    periods: Periods
    coordinates: tuple[Coordinate, ...] = field(init=False)
    moved: tuple[str, ...] = field(init=False)  # parameters that any effect moves
    Z: np.ndarray = field(init=False)  # (coordinate, random effect)

    def __post_init__(self) -> None:
        est = self.estimation
        moved = tuple(
            dict.fromkeys([*(_split(t.name, self.model)[0] for t in est.thetas), *est.omega.names, *est.occasion.names])
        )
        object.__setattr__(self, "moved", moved)
        coordinates: list[Coordinate] = []
        for name in moved:
            if name in est.occasion.names:
                coordinates += [
                    Coordinate(name, (self.periods.occasion == o).astype(float), o) for o in range(self.occasions)
                ]
            else:
                coordinates.append(Coordinate(name, np.ones(len(self.periods))))
        object.__setattr__(self, "coordinates", tuple(coordinates))
        weights = self.weights(self.inside)
        own = [
            Coordinate(_split(t.name, self.model)[0], np.zeros(len(self.periods)), theta=m)
            for m, t in enumerate(est.thetas) if not self._shared(m, weights)
        ]  # fmt: skip
        object.__setattr__(self, "coordinates", (*coordinates, *own))
        object.__setattr__(self, "Z", self._random())

    @property
    def start(self) -> np.ndarray:
        """The fixed effects' starts on their scales."""
        return np.array([to_scale(t.start, t.scale) for t in self.estimation.thetas])

    @property
    def inside(self) -> np.ndarray:
        """A place between the fixed effects' bounds, on their scales: a coefficient is nothing there only by chance."""
        ends = [(to_scale(t.low, t.scale), to_scale(t.high, t.scale)) for t in self.estimation.thetas]
        return np.array([low + INSIDE * (high - low) for low, high in ends])

    @property
    def occasions(self) -> int:
        """Number of occasions; one where nothing varies between them."""
        return int(self.periods.occasion.max(initial=0)) + 1

    @property
    def random(self) -> int:
        """Number of random effects of a subject, those of each occasion among them."""
        est = self.estimation
        return len(est.omega.names) + self.occasions * len(est.occasion.names)

    @property
    def random_names(self) -> tuple[str, ...]:
        """The parameters that the random effects belong to."""
        est = self.estimation
        return (*est.omega.names, *(name for _ in range(self.occasions) for name in est.occasion.names))

    def covariance(self, omega: np.ndarray, occasion: np.ndarray) -> np.ndarray:
        """Return the covariance matrix of a subject's random effects."""
        n, k = len(omega), len(occasion)
        full = np.zeros((self.random, self.random))
        full[:n, :n] = omega
        for o in range(self.occasions if k else 0):
            at = n + o * k
            full[at : at + k, at : at + k] = occasion
        return full

    def blocks(self, full: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the part of such a matrix that is between subjects, and the mean of those of the occasions."""
        n, k = len(self.estimation.omega.names), len(self.estimation.occasion.names)
        within = [full[at : at + k, at : at + k] for at in range(n, self.random, k)] if k else [np.zeros((0, 0))]
        return full[:n, :n], np.mean(within, axis=0)

    def values(self, beta: np.ndarray, b: np.ndarray) -> dict[str, Any]:
        """Return every parameter for fixed effects and random ones (subject, effect): a number, or (period,) on its scale.

        Only parameters that are moved are on their scale.
        """
        effects = b @ self.Z[: len(self.coordinates)].T
        moved: dict[str, Any] = {}
        theta = {t.name: from_scale(x, t.scale) for t, x in zip(self.estimation.thetas, beta, strict=True)}
        for name in self.moved:
            moved[name] = self._typical(name, theta)
        for c, one in enumerate(self.coordinates):
            if one.theta is None:
                moved[one.parameter] = moved[one.parameter] + one.weight * effects[self.periods.subject, c]
        fixed: dict[str, Any] = {}
        for name, parameter in self.model.parameters.items():
            if name in self.periods.values:
                fixed[name] = self.periods.values[name]
            elif name not in moved:
                fixed[name] = self._factored(parameter, name, parameter.value, theta)
        return {**fixed, **moved}

    def weights(self, beta: np.ndarray) -> np.ndarray:
        """Return how much each fixed effect moves its parameter in each period, (period, theta), on the parameter's scale."""
        thetas = self.estimation.thetas
        result = np.ones((len(self.periods), len(thetas)))
        theta = {t.name: from_scale(x, t.scale) for t, x in zip(thetas, beta, strict=True)}
        for m, t in enumerate(thetas):
            name, covariate = _split(t.name, self.model)
            if covariate is None and not self._covariates(name):
                continue
            if covariate is None and t.scale == "log":
                continue
            h = 1e-5 * max(1.0, abs(beta[m]))
            up, down = ({**theta, t.name: from_scale(beta[m] + s * h, t.scale)} for s in (1, -1))
            result[:, m] = (self._typical(name, up) - self._typical(name, down)) / (2 * h)
        return result

    def design(self, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return X (subject, coordinate, theta) and the coordinates' weights (coordinate, period)."""
        weights = self.weights(beta)
        subjects = int(self.periods.subject.max()) + 1
        X = np.zeros((subjects, len(self.coordinates), len(self.estimation.thetas)))
        own = {one.theta: c for c, one in enumerate(self.coordinates) if one.theta is not None}
        for m, t in enumerate(self.estimation.thetas):
            if m in own:
                X[:, own[m], m] = 1.0
                continue
            for c, one in enumerate(self.coordinates):
                if one.theta is None and one.parameter == _split(t.name, self.model)[0]:
                    some = np.flatnonzero(one.weight)
                    X[self.periods.subject[some], c, m] = weights[some, m]
        along = np.stack([weights[:, one.theta] if one.theta is not None else one.weight for one in self.coordinates])
        return X, along

    def _shared(self, m: int, weights: np.ndarray) -> bool:
        """Tell whether a fixed effect weighs the same in all periods of each coordinate of its parameter."""
        name = _split(self.estimation.thetas[m].name, self.model)[0]
        for one in self.coordinates:
            if one.parameter != name:
                continue
            some = np.flatnonzero(one.weight)
            for subject in np.unique(self.periods.subject[some]):
                w = weights[some[self.periods.subject[some] == subject], m]
                if not np.ptp(w) <= 1e-9 * np.abs(w).max():
                    return False
        return True

    def _covariates(self, name: str) -> Mapping[str, Any]:
        return self.model.parameters[name].covariates

    def _typical(self, name: str, theta: Mapping[str, float]) -> np.ndarray:
        """Return a parameter's typical value in each period, on its scale."""
        parameter = self.model.parameters[name]
        value = self._factored(parameter, name, theta.get(name, parameter.value), theta)
        return np.asarray(to_scale(np.broadcast_to(value, len(self.periods)), parameter.scale))

    def _factored(self, parameter: Parameter, name: str, value: Any, theta: Mapping[str, float]) -> Any:
        for covariate, relation in parameter.covariates.items():
            own = {key: theta.get(_coefficient(name, covariate, key, relation), x) for key, x in relation.items()}
            x = self.periods.covariates.get(covariate, self.model.subjects.covariates.get(covariate))
            value = value * factor(name, covariate, own, x)
        return value

    def _random(self) -> np.ndarray:
        est = self.estimation
        Z = np.zeros((len(self.coordinates), self.random))
        for c, one in enumerate(self.coordinates):
            if one.theta is not None:
                continue
            if one.parameter in est.omega.names:
                Z[c, est.omega.names.index(one.parameter)] = 1.0
            if one.parameter in est.occasion.names:
                at = len(est.omega.names) + (one.occasion or 0) * len(est.occasion.names)
                Z[c, at + est.occasion.names.index(one.parameter)] = 1.0
        return Z


def _coefficient(name: str, covariate: str, key: str, relation: Mapping[str, Any]) -> str:
    """Return what a relation's coefficient is called among the fixed effects."""
    if "reference" in relation:
        return f"{name}.{covariate}" if key != "reference" else ""
    return f"{name}.{covariate}.{key}"


def _split(theta: str, model: Model) -> tuple[str, str | None]:
    """Return the parameter a fixed effect moves, and the covariate it is the coefficient of."""
    if theta in model.parameters:
        return theta, None
    parts = theta.split(".")
    for k in range(len(parts) - 1, 0, -1):
        name = ".".join(parts[:k])
        if name in model.parameters:
            return name, parts[k]
    raise KeyError(theta)
