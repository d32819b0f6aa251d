"""The likelihood of observed values, row by row, with every derivative a fit needs.

A residual component says in one place how an observation scatters; its density and information are traced, and the
derivatives here are those of the traced equations. In what follows f is a prediction, and

* ``loss`` is -log density of a row, less the constant log(2 pi)/2, as NONMEM counts it; twice the sum is -2 log L. On a
  transformed scale it holds the transformation's Jacobian, so that objectives of different kinds can be compared.
* A value known to be under a limit has the loss -log P(y < limit) ("m3"), one known to be over it -log P(y > limit), or
  none at all ("m1"). Reference: Beal, J Pharmacokinet Pharmacodyn 2001;28:481-504.
* ``weight`` is the expected information of a row about f, which FOCE-I puts in place of ``loss_ff``. A censored row has
  no expectation to take; there it is the information about the limit's standardized value z, carried over to f:
  max(0, d2 loss/dz2) (dz/df)^2. For a normal z that is smooth and positive, and the curvature that is left out is zero on
  the scale on which the scatter is constant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from myelosim.components.contract import Values
from myelosim.components.residuals import KINDS
from myelosim.data.study import ABOVE, BELOW, MEASURED
from myelosim.errors import DataError, SpecError
from myelosim.fitting.traced import Traced, fixed, trace
from myelosim.spec.estimation import Sigma
from myelosim.spec.model import Residual

__all__ = ["Likelihood", "Rows"]

Array = NDArray[Any]
FLOOR = 1e-30  # predictions nearer to zero count as this: powers of it can still be multiplied
SHOWN = 5  # rows that a message names
LETTERS = {"f": "f", "at": "0"}


@dataclass(frozen=True)
class Rows:
    """Losses and weights of rows (..., R) with their derivatives.

    ``_f`` is by the prediction; ``_s`` (..., R, S) by each sigma term on its own scale: log(sigma) for "log",
    log(sigma/(1 - sigma)) for "logit", sigma for "identity"; ``_0`` by the prediction at which the scatter was evaluated, all
    zero where that was the prediction itself.
    """

    loss: Array
    loss_f: Array
    loss_ff: Array
    weight: Array
    weight_f: Array
    loss_s: Array
    loss_fs: Array
    weight_s: Array
    loss_0: Array
    loss_f0: Array
    weight_0: Array


@dataclass(frozen=True)
class _Group:
    """Rows of one observable that are censored alike."""

    rows: NDArray[np.intp]
    y: Array
    kind: str
    sign: int  # 1 under a limit, -1 over it, 0 measured
    places: Mapping[str, int]  # where in sigma a term is
    given: Mapping[str, float]  # the terms that are no sigma

    def values(self, sigma: Array) -> dict[str, Any]:
        return {**self.given, **{term: sigma[place] for term, place in self.places.items()}}

    def traced(self, f: Array, at: Array | None, sigma: Array, terms: bool) -> tuple[Traced, dict[str, Any]]:
        """Return the programs of the rows and what they are evaluated with."""
        values, chosen = self.values(sigma), fixed(self.kind)
        wanted = tuple(term for term in self.places if term not in chosen) if terms else ()
        frozen = at is not None
        traced = trace(
            self.kind, tuple(float(values[one]) for one in chosen), (*wanted, *["at"] * (terms and frozen)), frozen
        )
        leaves = {"y": self.y, "f": f[..., self.rows], **values}
        if at is not None:
            leaves["at"] = at[..., self.rows]
        return traced, leaves


class Likelihood:
    """How likely observed values are, given predictions.

    Parameters
    ----------
    observables : array of str (R)
        What each row observes.
    values : array (R)
        Observed values, or limits where censored.
    censored : array of int (R)
        ``MEASURED``, ``BELOW`` or ``ABOVE`` of :mod:`myelosim.data.study`.
    residual : mapping
        Observable -> how it scatters; also the values of terms that are no sigma.
    sigmas : sequence of Sigma (S)
        Terms whose values each call is given, named ``<observable>.<term>``.
    blq : {"m3", "m1"}
        Whether censored rows count by their chance or not at all.
    numbers : array of int (R), optional
        What messages call the rows; by default their place, from 1.

    Raises
    ------
    SpecError
        A sigma is no term of an observable's residual error, or ``blq`` is not known.
    DataError
        An observable has no residual error, or a value that its residual error cannot give.

    Examples
    --------
    >>> residual = {"neutrophil": Residual("proportional", {"proportional": 0.25})}
    >>> sigmas = [Sigma("neutrophil.proportional", 0.25, "log")]
    >>> rows = Likelihood(["neutrophil"] * 2, [4.0, 0.1], [0, 1], residual, sigmas)
    >>> rows.loss([4.0, 0.5], [0.25]).round(4)
    array([0.   , 7.283])
    """

    def __init__(
        self,
        observables: ArrayLike,
        values: ArrayLike,
        censored: ArrayLike,
        residual: Mapping[str, Residual],
        sigmas: Sequence[Sigma],
        blq: str = "m3",
        numbers: ArrayLike | None = None,
    ) -> None:
        if blq not in ("m3", "m1"):
            raise SpecError(f"blq: '{blq}' is not known; allowed: m3 (the chance of being censored), m1 (leave out)")
        self.sigmas = tuple(sigmas)
        known = [f"{name}.{term.name}" for name, one in residual.items() for term in KINDS[one.kind].TERMS]
        for sigma in self.sigmas:
            if sigma.name not in known:
                raise SpecError(f"sigma '{sigma.name}' is no term of a residual error; there are: {', '.join(known)}")
        names, y, marks = np.asarray(observables), np.asarray(values, dtype=float), np.asarray(censored)
        called = np.arange(1, len(y) + 1) if numbers is None else np.asarray(numbers)
        self.groups: list[_Group] = []
        for name in dict.fromkeys(names.tolist()):
            if name not in residual:
                raise DataError(f"observations of {name} have no residual error; add [residual.{name}] to the model")
            kind, value = residual[name].kind, residual[name].sigma
            terms = {one.name: f"{name}.{one.name}" for one in KINDS[kind].TERMS}
            places = {term: i for term, full in terms.items() for i, one in enumerate(sigmas) if one.name == full}
            given = {term: float(value[term]) for term in terms if term not in places}
            for mark, sign in ((MEASURED, 0), (BELOW, 1), (ABOVE, -1)):
                rows = np.flatnonzero((names == name) & (marks == mark))
                if len(rows):
                    self.groups.append(_Group(rows, y[rows], kind, sign, places, given))
                    _check(name, self.groups[-1], called)
        self.counted = [one for one in self.groups if blq == "m3" or not one.sign]

    def loss(self, f: ArrayLike, sigma: ArrayLike, *, at: ArrayLike | None = None) -> Array:
        """Return the loss of every row, alone.

        Parameters
        ----------
        f : array (..., R)
            Predictions.
        sigma : array (S)
            Values of the sigma terms, in the order of ``sigmas``.
        at : array (..., R), optional
            Predictions at which the size of the scatter is evaluated, where not ``f`` (FOCE without interaction).
        """
        f, at, sigma = _prediction(f), None if at is None else _prediction(at), np.asarray(sigma)
        out = np.zeros(f.shape, _dtype(f, at, sigma))
        with np.errstate(all="ignore"):
            for one in self.counted:
                traced, leaves = one.traced(f, at, sigma, False)
                out[..., one.rows] = traced.loss(leaves, one.sign)
        return out

    def rows(self, f: ArrayLike, sigma: ArrayLike, *, at: ArrayLike | None = None, terms: bool = True) -> Rows:
        """Return losses, weights and their derivatives.

        Parameters
        ----------
        f, sigma, at
            As in :meth:`loss`.
        terms : bool
            Whether the derivatives ``_s`` and ``_0`` are wanted; without, they stay zero.
        """
        f, at, sigma = _prediction(f), None if at is None else _prediction(at), np.asarray(sigma)
        dtype, wide = _dtype(f, at, sigma), (*f.shape, len(sigma))
        out = {one.name: np.zeros(wide if one.name.endswith(("_s", "_fs")) else f.shape, dtype) for one in fields(Rows)}
        with np.errstate(all="ignore"):
            for one in self.counted:
                traced, leaves = one.traced(f, at, sigma, terms)
                found = traced.rows(leaves, one.sign)
                out["loss"][..., one.rows], out["weight"][..., one.rows] = found["loss"], found["weight"]
                for v in traced.variables:
                    letter = LETTERS.get(v, "s")
                    for name, key in (("loss_", "loss"), ("loss_f", "loss_f"), ("weight_", "weight")):
                        target = out[name + letter]
                        if letter != "s":
                            target[..., one.rows] = found[v, key]
                        else:
                            place = one.places[v]
                            target[..., one.rows, place] = found[v, key] * _slope(
                                self.sigmas[place].scale, sigma[place]
                            )
        return Rows(**out)

    def standardized(self, f: ArrayLike, sigma: ArrayLike) -> Array:
        """Return where each measured value lies in its distribution (..., R), in standard deviations; NaN if censored."""
        f, sigma = _prediction(f), np.asarray(sigma)
        out = np.full(f.shape, np.nan)
        for one in self.groups:
            if not one.sign:
                out[..., one.rows] = KINDS[one.kind].standardized(one.y, f[..., one.rows], Values(**one.values(sigma)))
        return out

    def working(self, f: ArrayLike, sigma: ArrayLike) -> tuple[Array, Array]:
        """Return values on a scale where their scatter about ``f`` is constant, and its variance (..., R).

        That is the transformed scale divided by its slope at ``f``, and the same as before where nothing is transformed: what
        weighted residuals (CWRES) are computed from. Censored values are NaN.
        """
        f, sigma = _prediction(f), np.asarray(sigma)
        unit, variance = np.empty(f.shape), np.empty(f.shape)
        for one in self.groups:
            traced, leaves = one.traced(f, f, sigma, False)
            unit[..., one.rows] = -1.0 / traced.limit({**leaves, "y": leaves["f"]})["f", 1]
            variance[..., one.rows] = traced.variance
        return f + self.standardized(f, sigma) * unit, variance * unit * unit

    def simulate(self, f: ArrayLike, sigma: ArrayLike, z: ArrayLike) -> Array:
        """Return values that might have been observed (..., R), for standard normal ``z`` (..., R); not rounded or censored."""
        f, sigma, z = np.asarray(f), np.asarray(sigma), np.asarray(z)
        out = np.empty(np.broadcast_shapes(f.shape, z.shape))
        for one in self.groups:
            drawn = KINDS[one.kind].sample(f[..., one.rows], z[..., one.rows], Values(**one.values(sigma)))
            out[..., one.rows] = drawn
        return out


def _prediction(f: ArrayLike) -> Array:
    f = np.asarray(f)
    return np.where(np.abs(f) < FLOOR, FLOOR, f)


def _dtype(f: Array, at: Array | None, sigma: Array) -> np.dtype[Any]:
    return np.result_type(f, f if at is None else at, sigma, float)


def _slope(scale: str, value: Any) -> Any:
    """Return the derivative of a term by what it is on its scale."""
    return {"log": value, "logit": value * (1.0 - value), "identity": 1.0}[scale]


def _check(name: str, group: _Group, called: Array) -> None:
    """Refuse values that have no density whatever the terms are."""
    terms = dict.fromkeys((one.name for one in KINDS[group.kind].TERMS), 0.5)
    ones = np.ones(len(group.y))
    with np.errstate(all="ignore"):
        traced = trace(group.kind, (0.5,) * len(fixed(group.kind)), (), False)
        loss = traced.loss({"y": group.y, "f": ones, **terms}, group.sign)
    bad = np.flatnonzero(~np.isfinite(loss))
    if len(bad):
        what = {0: "a value", 1: "an upper limit", -1: "a lower limit"}[group.sign]
        rows = ", ".join(map(str, called[group.rows[bad[:SHOWN]]]))
        more = f" and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
        raise DataError(
            f"row{'s' if len(bad) > 1 else ''} {rows}{more}: {name}: {what} of {group.y[bad[0]]:g} has no chance at all where the "
            f"residual error is {group.kind}; give it as below its limit of quantification, or choose proportional, "
            "additive or combined"
        )
