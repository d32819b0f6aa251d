"""How the observations of an arm move with every parameter, at every time at which blood could be drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from myelosim.data.study import MEASURED, Course, Observations, Study
from myelosim.information.labels import entries
from myelosim.information.scatter import retained, scatter
from myelosim.linearize import Predictor
from myelosim.linearize.predict import Predictions
from myelosim.random import evenly
from myelosim.spec.estimation import Estimation
from myelosim.spec.model import Model
from myelosim.spec.regimen import DoseEvent
from myelosim.spec.scale import slope

Array = NDArray[np.float64]

POINTS = 32  # random effects at which a FOCE-type matrix is linearized
NOTHING = 1e-9  # of the largest prediction of an observable; one that is no more is none


@dataclass(frozen=True)
class Look:
    """An observation that could be made: of what, when (h), and whether after a dose of the same hour."""

    observable: str
    hour: float
    after: bool = False


@dataclass(frozen=True)
class Arm:
    """Subjects who are dosed alike: their events (doses, draws of blood), and what is known of them.

    ``occasions`` are the hours at which their occasions begin.
    """

    events: tuple[DoseEvent, ...]
    looks: tuple[Look, ...]
    covariates: Mapping[str, float | str] = field(default_factory=dict)
    occasions: tuple[float, ...] = (0.0,)


@dataclass(frozen=True)
class Sensitivity:
    """What one subject's looks depend on; all on the working scale of :mod:`myelosim.information.scatter`.

    Dimensions: point (at which it is linearized; one for FO), look, theta, effect (random), term (of errors). ``theta`` are
    derivatives by thetas in their units, ``random`` those by random effects. ``variance`` is that of the error,
    ``by_theta`` are its derivatives by thetas, ``by_term`` those by squared terms. ``both`` are the derivatives of
    ``random`` by thetas, None where they were not asked for. ``omega`` is the covariance of random effects (effect, effect), and
    ``omega_by`` (entry, effect, effect) its derivatives by the entries that are free. A look at nothing, such as at the
    concentration of a drug before its first dose, tells nothing: its derivatives are zero.
    """

    looks: tuple[Look, ...]
    f: Array  # (point, look), in the observables' units
    theta: Array  # (point, look, theta)
    random: Array  # (point, look, effect)
    variance: Array  # (point, look)
    by_theta: Array  # (point, look, theta)
    by_term: Array  # (point, look, term)
    both: Array | None  # (point, look, effect, theta)
    omega: Array
    omega_by: Array

    @property
    def parameters(self) -> int:
        """Number of rows of an information matrix."""
        return int(self.theta.shape[2]) + len(self.omega_by) + int(self.by_term.shape[2])


def sensitivities(
    model: Model,
    arms: Sequence[Arm],
    estimation: Estimation,
    *,
    linearization: str = "fo",
    full: bool = False,
    lloq: Mapping[str, float] | None = None,
    points: int = POINTS,
    seed: int = 1,
    tolerance: float = 1e-8,
    threads: int | None = None,
) -> tuple[Sensitivity, ...]:
    """Return the sensitivities of each arm.

    Parameters
    ----------
    model : Model
        What is designed for.
    arms : sequence of Arm
        With their looks.
    estimation : Estimation
        What is to be estimated; its starts are the values.
    linearization : {"fo", "foce"}
        Around the typical subject, or around ``points`` subjects drawn from the population; a matrix is then the mean of theirs.
        A subject's mean moves with thetas as its own prediction does, its effects held: information about a typical value then
        stays below what knowing every subject's value would give, as that of the likelihood does.
    full : bool
        Whether the derivatives of variances by thetas are wanted, too.
    lloq : mapping, optional
        Observable -> limit of quantification.
    points, seed : int
        Of "foce"; a Sobol sequence.
    tolerance : float
        Aim for the relative error of counts.
    """
    arms = [replace(arm, looks=tuple(sorted(arm.looks, key=lambda look: (look.hour, look.after)))) for arm in arms]
    study, owner = study_of(arms, [1 if linearization == "fo" else points] * len(arms))
    predictor = Predictor(model, study, estimation, tolerance=tolerance, threads=threads)
    mixed = predictor.mixed
    beta = mixed.start
    omega = mixed.covariance(estimation.omega.start, estimation.occasion.start)
    b = _drawn(omega, len(study.subjects) // len(arms), seed) if linearization != "fo" else np.zeros((1, len(omega)))
    b = np.tile(b, (len(arms), 1))
    found = predictor.differentiate(beta, b, order=2 if full else 1)
    parts = _Parts(
        estimation,
        mixed.Z,
        mixed.design(beta)[0],
        b,
        full,
        lloq or {},
        omega,
        _omega_by(mixed),
        above_nothing(found.f, study.observations.observable),
    )
    subject, made = study.observations.subject, []
    for k, arm in enumerate(arms):
        rows = [np.flatnonzero(subject == i) for i in np.flatnonzero(owner == k)]
        names = np.array([look.observable for look in arm.looks])
        points_of = [
            parts.at(found, names, own, i) for own, i in zip(rows, np.flatnonzero(owner == k).tolist(), strict=True)
        ]
        stacked = {
            name: np.stack([one[name] for one in points_of]) if points_of[0][name] is not None else None
            for name in points_of[0]
        }
        made.append(Sensitivity(arm.looks, omega=omega, omega_by=parts.omega_by, **stacked))  # type: ignore[arg-type]
    return tuple(made)


@dataclass(frozen=True)
class _Parts:
    """What turns derivatives by coordinates into those of an information matrix."""

    estimation: Estimation
    Z: Array
    X: Array  # (subject, coordinate, theta)
    b: Array
    full: bool
    lloq: Mapping[str, float]
    omega: Array
    omega_by: Array
    seen: NDArray[np.bool_]  # (row)

    def at(self, found: Predictions, names: NDArray[Any], rows: NDArray[np.intp], subject: int) -> dict[str, Any]:
        """Return one subject's sensitivities; ``names`` are the observables of its rows."""
        est = self.estimation
        natural = np.array([slope(one.start, one.scale) for one in est.thetas])
        X = self.X[subject] * natural
        f, theta, random = found.f[rows], found.g[rows] @ X, found.g[rows] @ self.Z
        variance, by_prediction, bend = np.ones_like(f), np.zeros_like(f), np.zeros_like(f)
        free = [one.name for one in est.sigmas if one.free]
        by_term = np.zeros((len(rows), len(free)))
        for name in dict.fromkeys(names.tolist()):
            own, residual = np.flatnonzero(names == name), est.residual[name]
            terms = tuple(one.rpartition(".")[2] for one in free if one.rpartition(".")[0] == name)
            places = np.array([free.index(f"{name}.{term}") for term in terms], int)
            one = scatter(residual, terms, f[own])
            kept = of_size = np.ones(len(own))
            if name in self.lloq:
                spread = np.sqrt(np.einsum("re,ef,rf->r", random[own], self.omega, random[own])) / np.maximum(
                    f[own], 1e-30
                )
                spread = np.zeros(len(own)) if np.any(self.b) else np.minimum(spread, 3.0)
                kept, of_size = retained(residual, f[own], spread, self.lloq[name], counted=est.blq == "m3")
                kept = np.maximum(kept, 1e-12)
            size = (
                np.sqrt(of_size) / kept
            )  # so that derivatives of the variance over itself tell what is kept of its size
            variance[own], by_prediction[own] = one.variance / kept, one.by_prediction * size
            bend[own] = one.bend
            by_term[np.ix_(own, places)] = one.by_term * size[:, None]
        both, by_theta = None, by_prediction[:, None] * theta
        if self.full:
            both = np.einsum("rcd,ce,dp->rep", found.h[rows], self.Z, X)
            both = both + bend[:, None, None] * random[:, :, None] * theta[:, None, :]
            both[~self.seen[rows]] = 0.0
        variance[~self.seen[rows]] = 1.0
        for part in (theta, random, by_theta, by_term):
            part[~self.seen[rows]] = 0.0
        return {
            "f": f, "theta": theta, "random": random, "variance": variance, "by_theta": by_theta,
            "by_term": by_term, "both": both,
        }  # fmt: skip


def above_nothing(predictions: Array, observables: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which rows' predictions are more than nothing against the largest of their observable.

    >>> above_nothing(np.array([0.0, 3.0, 1e-12, 5.0]), np.array(["drug", "drug", "drug", "neutrophil"]))
    array([False,  True, False,  True])
    """
    of = observables.astype(str)
    peak = {name: np.max(predictions[of == name]) for name in dict.fromkeys(of.tolist())}
    return np.asarray(predictions > NOTHING * np.array([peak[name] for name in of.tolist()]))


def study_of(arms: Sequence[Arm], sizes: Sequence[int]) -> tuple[Study, NDArray[np.intp]]:
    """Return a study in which each arm has so many subjects and all its looks are made, and whose arm each subject is."""
    owner = np.repeat(np.arange(len(arms)), sizes)
    looks = [(i, look) for i, k in enumerate(owner.tolist()) for look in arms[k].looks]
    size = len(looks)
    seen = Observations(
        row=np.arange(1, size + 1), subject=np.array([i for i, _ in looks], int),
        time=np.array([look.hour for _, look in looks], float),
        observable=np.array([look.observable for _, look in looks], dtype=object),
        value=np.ones(size), censored=np.full(size, MEASURED), after=np.array([look.after for _, look in looks], bool),
        occasion=np.zeros(size, int),
    )  # fmt: skip
    known = sorted({name for arm in arms for name in arm.covariates})
    covariates = {
        name: tuple(Course(np.zeros(1), np.array([arms[k].covariates[name]])) for k in owner.tolist()) for name in known
    }
    return Study(
        tuple(str(i + 1) for i in range(len(owner))), seen, tuple(arms[k].events for k in owner.tolist()), covariates=covariates,
        occasions=tuple(np.array(arms[k].occasions, float) for k in owner.tolist()),
    ), owner  # fmt: skip


def _omega_by(mixed: Any) -> Array:
    """Return the derivatives of the covariance of random effects by the free entries of the omegas."""
    est, found = mixed.estimation, []
    for own, first in ((est.omega, True), (est.occasion, False)):
        for i, j in entries(own):
            unit = np.zeros_like(own.start)
            unit[i, j] = unit[j, i] = 1.0
            parts = (unit, est.occasion.start * 0.0) if first else (est.omega.start * 0.0, unit)
            found.append(mixed.covariance(*parts))
    return np.array(found).reshape(len(found), mixed.random, mixed.random)


def _drawn(omega: Array, points: int, seed: int) -> Array:
    """Return random effects (point, effect), normal and evenly spread."""
    values, vectors = np.linalg.eigh(omega)
    return np.asarray(ndtri(evenly(seed, points, len(omega))) @ (vectors * np.sqrt(np.maximum(values, 0.0))).T)
