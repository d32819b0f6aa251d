"""What a fit reports of its estimates: natural values, the scale on which each is uncertain, and standard errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import ndtri

from myelosim.components.residuals import KINDS
from myelosim.fitting.point import Parameters, Point
from myelosim.spec.estimation import Estimation, Omega
from myelosim.spec.scale import from_scale, to_scale

H = 1e-5


@dataclass(frozen=True)
class Quantity:
    """A number that a fit reports.

    ``kind`` is "theta", "omega", "occasion" or "sigma". ``scale`` says what the number is: the scale of a theta's or sigma's
    search, "variance" or "sd" of an eta, "covariance" or "correlation" of two. ``entry`` is its place in the vector where it
    depends on that one alone.
    """

    name: str
    kind: str
    scale: str
    unit: str
    value: Callable[[Point], float]
    entry: int | None

    @property
    def shape(self) -> str:
        """The scale on which its error is taken to be normal."""
        known = {"variance": "log", "sd": "log", "covariance": "identity", "correlation": "fisher"}
        return known.get(self.scale, self.scale)


def quantities(parameters: Parameters, units: Mapping[str, str]) -> list[Quantity]:
    """Return everything a fit reports, in the order of the vector; fixed omegas and sigmas are left out.

    ``units`` are those of observables.

    An eta's variance is called ``omega <name>``, as in the vector; of two etas the covariance ``omega <name>, <name>``.
    """
    est = parameters.estimation
    return [
        *_thetas(est),
        *_etas("omega", est.omega, parameters, 1),
        *_etas("occasion", est.occasion, parameters, 2),
        *_sigmas(parameters, units),
    ]


def natural(listed: list[Quantity], parameters: Parameters, x: np.ndarray) -> np.ndarray:
    """Return the values at a vector."""
    point = parameters.unpack(x)
    return np.array([one.value(point) for one in listed])


def standard_errors(
    listed: list[Quantity], parameters: Parameters, x: np.ndarray, covariance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return standard errors of the values, and of what they are on their shape, by the delta method."""
    ahead, behind = ([natural(listed, parameters, x + step) for step in sign * H * np.eye(len(x))] for sign in (1, -1))
    errors = []
    for move in (np.asarray, partial(_shaped, listed)):
        rows = [(move(up) - move(down)) / (2 * H) for up, down in zip(ahead, behind, strict=True)]
        jacobian = np.reshape(rows, (len(x), len(listed)))
        variance = np.einsum("iq,ij,jq->q", jacobian, covariance, jacobian)
        errors.append(np.sqrt(np.maximum(variance, 0.0)))
    return errors[0], errors[1]


def wald(values: np.ndarray, errors: np.ndarray, shapes: list[str], level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of intervals of values whose errors are normal on their shape."""
    z = float(ndtri(0.5 + level / 2))
    ends = []
    for sign in (-1, 1):
        moved = [shaped(v, one) + sign * z * e for v, e, one in zip(values, errors, shapes, strict=True)]
        ends.append(np.array([unshaped(x, one) for x, one in zip(moved, shapes, strict=True)], float))
    return ends[0], ends[1]


def table(
    listed: list[Quantity], parameters: Parameters, x: np.ndarray, covariance: np.ndarray | None, level: float
) -> pd.DataFrame:
    """Return estimates with standard errors and Wald intervals; see :attr:`Fit.table`."""
    values = natural(listed, parameters, x)
    unknown = np.full(len(listed), np.nan)
    se, low, high = unknown, unknown, unknown
    if covariance is not None:
        se, error = standard_errors(listed, parameters, x, covariance)
        low, high = wald(values, error, [one.shape for one in listed], level)
    with np.errstate(divide="ignore", invalid="ignore"):
        rse = 100.0 * se / np.abs(values)
    texts = {name: [getattr(one, name) for one in listed] for name in ("name", "kind", "unit", "scale")}
    numbers = {"estimate": values, "se": se, "rse": rse, "low": low, "high": high}
    order = ["name", "kind", "estimate", "se", "rse", "low", "high", "unit", "scale"]
    frame = pd.DataFrame({**texts, **numbers})[order]
    frame.attrs["level"] = level
    return frame


def shaped(value: float, shape: str) -> float:
    """Return a value on the scale on which its error is taken to be normal."""
    with np.errstate(divide="ignore"):
        return float(np.arctanh(value) if shape == "fisher" else to_scale(value, shape))


def unshaped(x: float, shape: str) -> float:
    """Return the value that stands at a place on such a scale."""
    with np.errstate(over="ignore"):
        return float(np.tanh(x) if shape == "fisher" else from_scale(x, shape))


def _shaped(listed: list[Quantity], values: np.ndarray) -> np.ndarray:
    return np.array([shaped(value, one.shape) for value, one in zip(values, listed, strict=True)])


def _thetas(est: Estimation) -> Iterator[Quantity]:
    for k, theta in enumerate(est.thetas):
        yield Quantity(theta.name, "theta", theta.scale, theta.unit, _theta(k, theta.scale), k)


def _theta(k: int, scale: str) -> Callable[[Point], float]:
    return lambda point: float(from_scale(point.beta[k], scale))


def _etas(kind: str, omega: Omega, parameters: Parameters, part: int) -> Iterator[Quantity]:
    entries = parameters.between if kind == "omega" else parameters.within
    first, which = parameters.parts[part].start, "omega" if kind == "omega" else "occasion"
    for k, entry in enumerate(entries):
        i, j = entry.row, entry.column
        names = omega.names[i] if i == j else f"{omega.names[i]}, {omega.names[j]}"
        alone = first + k if entry.row == entry.column == entry.block[0] else None
        for scale in ("variance", "sd") if i == j else ("covariance", "correlation"):
            yield Quantity(f"{kind} {names}", kind, scale, "1", _eta(which, i, j, scale), alone)


def _eta(which: str, i: int, j: int, scale: str) -> Callable[[Point], float]:
    def value(point: Point) -> float:
        omega = getattr(point, which)
        if scale == "sd":
            return float(np.sqrt(omega[i, i]))
        return float(omega[i, j] / (np.sqrt(omega[i, i] * omega[j, j]) if scale == "correlation" else 1.0))

    return value


def _sigmas(parameters: Parameters, units: Mapping[str, str]) -> Iterator[Quantity]:
    est, first = parameters.estimation, parameters.parts[3].start
    for k, place in enumerate(parameters.free_sigma):
        sigma = est.sigmas[place]
        observable, _, term = sigma.name.rpartition(".")
        said = {one.name: one.unit for one in KINDS[est.residual[observable].kind].TERMS}
        unit = said[term].replace("{observation}", units.get(observable, "1"))
        yield Quantity(sigma.name, "sigma", sigma.scale, unit, _sigma(place), first + k)


def _sigma(place: int) -> Callable[[Point], float]:
    return lambda point: float(point.sigma[place])
