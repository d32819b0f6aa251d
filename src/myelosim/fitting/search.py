"""The outer search: a quasi-Newton method inside a trust region.

The first Hessian is the cross-product of the subjects' gradients, which in large samples is the information; from then on it
learns from the gradients (BFGS, damped). A point that cannot be predicted is infinitely bad and makes the region smaller.
References: Nocedal and Wright, Numerical Optimization, 2nd ed. 2006, sections 4.3 and 18.3; Berndt et al., Ann Econ Soc
Meas 1974;3:653-65.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
from scipy.optimize import brentq

FIRST_RADIUS, MOST_RADIUS, LEAST_RADIUS = 1.0, 100.0, 1e-4  # in units of the scale
LONGEST = 1.5  # a single entry may move in a step
ITERATIONS = 300
RESTARTS = 5  # looks for other modes
GAIN = 1e-3
WIDE = 0.1  # of a difference, in units of the scale
ROUGH = 0.02  # expected gain under which a search by wide differences is done
NOISE = 1e-3  # expected gain that the accuracy of the predictions may hide


class Objective(Protocol):
    """What is minimized; ``b`` are the random effects (subject, effect) near which modes are looked for."""

    b: np.ndarray | None

    def value(self, x: np.ndarray) -> Any:
        """Return the objective at ``x``, with attributes ``x``, ``total``, ``each`` (subject) and ``modes``."""

    def accept(self, value: Any) -> None:
        """Go on from a value."""

    def fresh(self, value: Any) -> Any:
        """Return the value found anew, without what earlier points suggest."""

    def slope(self, value: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the gradient, and a first Hessian where there is one."""


@dataclass
class Around:
    """What is made of another objective, near whose random effects the modes are looked for."""

    objective: Objective

    @property
    def b(self) -> np.ndarray | None:
        """Those of the other one."""
        return self.objective.b

    @b.setter
    def b(self, b: np.ndarray | None) -> None:
        self.objective.b = b

    def accept(self, value: Any) -> None:
        """Go on from a value."""
        self.objective.accept(value)

    def fresh(self, value: Any) -> Any:
        """Return the value: the modes stay those that lead here."""
        return value


@dataclass
class Search:
    """Where a search is; ``history`` holds objective, gradient's size and radius by iteration."""

    x: np.ndarray
    value: Any
    gradient: np.ndarray
    hessian: np.ndarray
    scale: np.ndarray
    radius: float = FIRST_RADIUS
    wide: bool = False  # gradients by wide differences
    history: list[tuple[float, float, float]] = field(default_factory=list)
    converged: bool = False
    why: str = ""

    @property
    def left(self) -> float:
        """What a Newton step is expected to gain."""
        return float(self.gradient @ np.linalg.solve(self.hessian, self.gradient)) / 2


def begin(objective: Objective, x: np.ndarray, hessian: np.ndarray | None = None) -> Search:
    """Return a search at its first point; a Hessian that is known already must be positive definite."""
    value = objective.value(x)
    objective.accept(value)
    gradient, first = objective.slope(value) if np.isfinite(value.total) else (np.full(len(x), np.nan), None)
    if hessian is None:
        hessian = np.eye(len(x)) if first is None or not np.all(np.isfinite(first)) else _definite(first)
    return Search(x, value, gradient, hessian, _scale(hessian))


def minimize(
    objective: Objective, search: Search, *, enough: float = 1e-5, iterations: int = ITERATIONS,
    tell: Callable[[Search], None] | None = None,
) -> Search:  # fmt: skip
    """Go on until a Newton step is expected to gain less than ``enough``, or nothing more is gained."""
    if not np.all(np.isfinite(search.gradient)):
        search.why = "some subject cannot be predicted at the start"
        return search
    restarts, looked = 0, False
    while len(search.history) < iterations:
        search.history.append((search.value.total, float(np.max(np.abs(search.gradient))), search.radius))
        if tell is not None:
            tell(search)
        done, stuck = search.left < enough, search.radius < LEAST_RADIUS
        done |= stuck and search.left < NOISE
        if done and not looked:
            looked = True
            if restarts < RESTARTS and _again(objective, search):
                restarts, looked = restarts + 1, False
                continue
        if done:
            search.converged, search.why = True, "a further step would gain less than asked for"
            if search.wide:
                search.why += ", by differences: predictions have kinks where a cap or a limit sets in"
            return search
        if stuck and not search.wide:
            search.wide, search.radius, enough = True, FIRST_RADIUS, max(enough, ROUGH)
            search.gradient = _differences(objective, search)
            continue
        if stuck:
            search.why = "no step improves the objective, though its gradient says that one should"
            return search
        _step(objective, search)
    search.why = f"{iterations} iterations were not enough"
    return search


def _differences(objective: Objective, search: Search) -> np.ndarray:
    """Return the gradient by differences so wide that kinks are looked over; it stays where they leave what can be predicted."""
    gradient = search.gradient.copy()
    for k, size in enumerate(WIDE / search.scale):
        move = size * np.eye(len(search.x))[k]
        up, down = objective.value(search.x + move).total, objective.value(search.x - move).total
        if np.isfinite(up - down):
            gradient[k] = (up - down) / (2.0 * size)
    return gradient


def _again(objective: Objective, search: Search) -> bool:
    """Look for better modes where the search stopped; return whether it is to go on from there."""
    value = objective.fresh(search.value)
    gained = search.value.total - value.total
    if not gained > GAIN:
        objective.accept(search.value)
        return False
    objective.accept(value)
    gradient, hessian = objective.slope(value)
    search.value, search.gradient, search.radius = value, gradient, FIRST_RADIUS
    if hessian is not None:
        search.hessian = _definite(hessian)
        search.scale = _scale(search.hessian)
    return True


def _step(objective: Objective, search: Search) -> None:
    step = _within(search.gradient / search.scale, search.hessian / np.outer(search.scale, search.scale), search.radius)
    step /= search.scale
    step *= min(1.0, LONGEST / float(np.max(np.abs(step))))
    expected = -(search.gradient @ step + step @ search.hessian @ step / 2)
    new = objective.value(search.x + step)
    gained = search.value.total - new.total
    ratio = gained / expected if np.isfinite(gained) else -1.0
    length = float(np.linalg.norm(step * search.scale))
    if ratio < 0.1:
        search.radius = 0.3 * length if np.isfinite(new.total) else 0.1 * length
    elif ratio > 0.7 and length > 0.8 * search.radius:
        search.radius = min(2.0 * search.radius, MOST_RADIUS)
    if not gained > 0:
        return
    objective.accept(new)
    gradient, _ = objective.slope(new)
    if search.wide:
        gradient = _differences(objective, replace(search, x=search.x + step, gradient=gradient))
    if not np.all(np.isfinite(gradient)):  # at the edge of what can be predicted
        objective.accept(search.value)
        search.radius = 0.1 * length
        return
    search.hessian = _learned(search.hessian, step, gradient - search.gradient)
    search.x, search.value, search.gradient = search.x + step, new, gradient


def _scale(hessian: np.ndarray) -> np.ndarray:
    """Return by what entries are multiplied for the region to be a ball: what is known well moves little."""
    return np.sqrt(np.maximum(np.diag(hessian), 1.0))


def _within(gradient: np.ndarray, hessian: np.ndarray, radius: float) -> np.ndarray:
    """Return the step that minimizes the quadratic model within the trust region."""
    values, vectors = np.linalg.eigh(hessian)
    along = vectors.T @ gradient

    def length(shift: float) -> float:
        return float(np.linalg.norm(along / (values + shift)))

    if length(0.0) <= radius:
        return np.asarray(-vectors @ (along / values))
    most = float(np.linalg.norm(along)) / radius
    shift = brentq(lambda s: length(s) - radius, 0.0, most, rtol=1e-6)
    return np.asarray(-vectors @ (along / (values + shift)))


def _learned(hessian: np.ndarray, step: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Return the Hessian after a step, kept positive definite by damping."""
    along = hessian @ step
    bend, seen = float(step @ along), float(step @ change)
    if seen < 0.2 * bend:
        mix = 0.8 * bend / (bend - seen)
        change = mix * change + (1.0 - mix) * along
        seen = float(step @ change)
    learned = hessian - np.outer(along, along) / bend + np.outer(change, change) / seen
    return learned if np.all(np.isfinite(learned)) else hessian


def _definite(hessian: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(hessian)
    floor = 1e-4 * max(float(values[-1]), 1e-3)
    return np.asarray((vectors * np.maximum(values, floor)) @ vectors.T)
