"""The estimated parameters as one vector without bounds, and what it stands for.

Fixed effects are on their scales, a free block of omega is its Cholesky factor: the logarithm of the diagonal, and the other
entries of a row over its diagonal. Error terms are on their scales.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.sparse.csgraph import connected_components

from myelosim.errors import SpecError
from myelosim.spec.estimation import Estimation, Omega
from myelosim.spec.scale import from_scale, to_scale


@dataclass(frozen=True)
class Point:
    """Fixed effects on their scales, covariances of etas between subjects and between occasions, error terms."""

    beta: np.ndarray
    omega: np.ndarray
    occasion: np.ndarray
    sigma: np.ndarray


@dataclass(frozen=True)
class _Entry:
    """A free entry of a covariance's factor."""

    row: int
    column: int
    block: tuple[int, ...]


class Parameters:
    """How an estimation's free parameters are laid out in a vector: thetas, omegas, occasions, sigmas."""

    def __init__(self, estimation: Estimation) -> None:
        self.estimation = estimation
        self.between, self.within = _entries(estimation.omega), _entries(estimation.occasion)
        self.free_sigma = [k for k, s in enumerate(estimation.sigmas) if s.free]
        counts = (len(estimation.thetas), len(self.between), len(self.within), len(self.free_sigma))
        edges = np.cumsum([0, *counts])
        self.parts = tuple(slice(int(a), int(b)) for a, b in pairwise(edges))
        self.size = int(edges[-1])

    @property
    def names(self) -> tuple[str, ...]:
        """What each entry of the vector belongs to."""
        est = self.estimation
        sigmas = [est.sigmas[k].name for k in self.free_sigma]
        return (
            *(t.name for t in est.thetas),
            *(_entry_name("omega", e, est.omega.names) for e in self.between),
            *(_entry_name("occasion", e, est.occasion.names) for e in self.within),
            *sigmas,
        )

    def pack(self, point: Point) -> np.ndarray:
        """Return the vector of a point."""
        sigmas = [to_scale(point.sigma[k], self.estimation.sigmas[k].scale) for k in self.free_sigma]
        omegas = _packed(point.omega, self.between), _packed(point.occasion, self.within)
        return np.concatenate([point.beta, *omegas, np.array(sigmas, float)])

    def unpack(self, x: np.ndarray) -> Point:
        """Return the point a vector stands for."""
        est = self.estimation
        sigma = np.array([s.start for s in est.sigmas], float)
        for k, value in zip(self.free_sigma, x[self.parts[3]], strict=True):
            sigma[k] = from_scale(value, est.sigmas[k].scale)
        omega = _unpacked(est.omega.start, self.between, x[self.parts[1]])
        occasion = _unpacked(est.occasion.start, self.within, x[self.parts[2]])
        return Point(np.asarray(x[self.parts[0]], float), omega, occasion, sigma)

    @property
    def start(self) -> Point:
        """The point the estimation starts from."""
        est = self.estimation
        beta = np.array([to_scale(t.start, t.scale) for t in est.thetas], float)
        sigma = np.array([s.start for s in est.sigmas], float)
        return Point(beta, np.asarray(est.omega.start, float), np.asarray(est.occasion.start, float), sigma)

    def scattered(self, sigma: np.ndarray, steps: Mapping[int, float]) -> np.ndarray:
        """Return error terms of which some are moved on their scales."""
        sigma = sigma.copy()
        for k, step in steps.items():
            scale = self.estimation.sigmas[k].scale
            sigma[k] = from_scale(to_scale(sigma[k], scale) + step, scale)
        return sigma

    def omega_slopes(self, point: Point) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Return the derivatives of omega and of the occasions' omega by their entries of the vector."""
        return _slopes(point.omega, self.between), _slopes(point.occasion, self.within)


def _entry_name(kind: str, entry: _Entry, names: tuple[str, ...]) -> str:
    first, second = names[entry.row], names[entry.column]
    return f"{kind} {first}" if first == second else f"{kind} {first}, {second}"


def _entries(omega: Omega) -> list[_Entry]:
    free = np.asarray(omega.free, bool)
    if not len(omega.names):
        return []
    _, label = connected_components(free & ~np.eye(len(free), dtype=bool), directed=False)
    entries = []
    for block in np.unique(label):
        members = np.flatnonzero(label == block)
        if len(members) > 1 and not np.all(free[np.ix_(members, members)]):
            names = ", ".join(omega.names[k] for k in members)
            raise SpecError(f"omega: the covariances of {names} must all be given and free together, or none of them")
        if not free[members[0], members[0]]:
            continue
        entries += [_Entry(i, j, tuple(members.tolist())) for i in members.tolist() for j in members.tolist() if j <= i]
    return entries


def _packed(omega: np.ndarray, entries: list[_Entry]) -> np.ndarray:
    x = []
    for e in entries:
        lower = np.linalg.cholesky(omega[np.ix_(e.block, e.block)])
        i, j = e.block.index(e.row), e.block.index(e.column)
        x.append(np.log(lower[i, i]) if i == j else lower[i, j] / lower[i, i])
    return np.array(x, float)


def _unpacked(start: np.ndarray, entries: list[_Entry], x: np.ndarray) -> np.ndarray:
    omega = np.array(start, float)
    lower = np.zeros_like(omega)
    for e, value in zip(entries, x, strict=True):
        lower[e.row, e.column] = 1.0 if e.row == e.column else value
    for e, value in zip(entries, x, strict=True):
        if e.row == e.column:
            lower[e.row] *= np.exp(value)
    for block in {e.block for e in entries}:
        own = np.ix_(block, block)
        omega[own] = lower[own] @ lower[own].T
    return omega


def _slopes(omega: np.ndarray, entries: list[_Entry]) -> list[np.ndarray]:
    slopes = []
    for e in entries:
        lower = np.zeros_like(omega)
        own = np.ix_(e.block, e.block)
        lower[own] = np.linalg.cholesky(omega[own])
        change = np.zeros_like(omega)
        if e.row == e.column:
            change[e.row] = lower[e.row]
        else:
            change[e.row, e.column] = lower[e.row, e.row]
        slopes.append(change @ lower.T + lower @ change.T)
    return slopes
