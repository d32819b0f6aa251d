"""Intervals of estimates: Wald, by profile likelihood, by sampling importance resampling, by the bootstrap."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from myelosim.errors import SpecError
from myelosim.fitting.bootstrap import bootstrap
from myelosim.fitting.covariance import Covariance, definite, precisions
from myelosim.fitting.fit import METHODS
from myelosim.fitting.profile import REACH, profile
from myelosim.fitting.quantities import Quantity, natural, standard_errors, unshaped, wald
from myelosim.fitting.result import LEVEL, Fit
from myelosim.fitting.sir import Posterior, centered, measure, sir

KINDS = ("wald", "profile", "sir", "bootstrap")


def intervals(
    fit: Fit, method: str = "wald", level: float = LEVEL, parameters: Sequence[str] | None = None, seed: int | None = None,
    **options: Any,
) -> pd.DataFrame:  # fmt: skip
    """Return intervals of thetas, omegas (as variances and covariances) and sigmas; see :meth:`Fit.intervals`."""
    if method not in KINDS:
        raise SpecError(f"intervals: '{method}' is not known; allowed: {', '.join(KINDS)}")
    if not 0.0 < level < 1.0:
        raise SpecError(f"intervals: level is {level:g}; it must be between 0 and 1, as 0.9")
    chosen = _chosen(fit, parameters, method)
    work = {"wald": _wald, "profile": _profile, "sir": _sir, "bootstrap": _bootstrap}[method]
    low, high, details = work(fit, chosen, level, fit.seed if seed is None else seed, **options)
    values = natural(chosen, fit.problem.parameters, fit.x)
    table = pd.DataFrame({"low": low, "estimate": values, "high": high}, index=[one.name for one in chosen])
    table.index.name = "name"
    table.attrs.update({"method": method, "level": level, **details})
    return table


def _chosen(fit: Fit, parameters: Sequence[str] | None, method: str) -> list[Quantity]:
    listed = {one.name: one for one in fit.reported if one.scale not in ("sd", "correlation")}
    if parameters is None:
        return [one for one in listed.values() if method != "profile" or one.entry is not None]
    unknown = [name for name in parameters if name not in listed]
    if unknown:
        raise SpecError(f"intervals: '{unknown[0]}' is not estimated; there are: {', '.join(listed)}")
    joint = [name for name in parameters if listed[name].entry is None]
    if joint and method == "profile":
        raise SpecError(
            f"intervals: '{joint[0]}' is part of a block of omega, of which no entry can be held alone; take sir or bootstrap"
        )
    return [listed[name] for name in parameters]


def _objective(fit: Fit) -> Any:
    if fit.method not in METHODS:
        raise SpecError(
            f"intervals: of a fit by {fit.method} there are wald and bootstrap; fit by focei for profile and sir"
        )
    return METHODS[fit.method](fit.problem, b=fit.b.copy(), **fit.options)


def _covariance(fit: Fit) -> Covariance:
    if fit.uncertainty is None:
        raise SpecError("intervals need the covariance of the estimates; fit with covariance='sandwich', 'r' or 's'")
    return fit.uncertainty


def _wald(fit: Fit, chosen: list[Quantity], level: float, seed: int) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    known, parameters = _covariance(fit), fit.problem.parameters
    values = natural(chosen, parameters, fit.x)
    _, error = standard_errors(chosen, parameters, fit.x, known.matrix)
    low, high = wald(values, error, [one.shape for one in chosen], level)
    return low, high, {"covariance": known.kind}


def _profile(
    fit: Fit, chosen: list[Quantity], level: float, seed: int, adjusted: bool = False
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    objective, parameters = _objective(fit), fit.problem.parameters
    if adjusted:
        best, r = centered(objective, fit.x, parameters, precisions(fit.problem))
        objective = Posterior(objective, measure(parameters))
    else:
        best, r = objective.value(fit.x), definite(_covariance(fit).r)
        objective.accept(best)
    ends, curve, open_ends, better = [], [], [], 0.0
    for one in chosen:
        assert one.entry is not None
        found = profile(objective, best, r, one.entry, level, np.inf if one.shape == "identity" else REACH)
        at = np.array([found.low, found.high, *(place.at for place in found.places)])
        values = _values(one, at)
        ends.append(values[:2])
        curve += [
            {"theta": one.name, "value": float(value), "difference": float(place.rise), "unit": one.unit}
            for value, place in zip(values[2:], found.places, strict=True)
        ]
        open_ends += [f"{one.name} ({side})" for side, end in zip(("low", "high"), at, strict=False) if np.isinf(end)]
        better = max(better, found.better)
    low, high = np.array(ends).reshape(-1, 2).T
    return low, high, {"curve": curve, "unbounded": open_ends, "better": better, "adjusted": adjusted}


def _values(one: Quantity, at: np.ndarray) -> np.ndarray:
    """Return a quantity's values at places of its entry; a place may be infinite."""
    assert one.entry is not None
    power = 2.0 if one.scale == "variance" else 1.0  # the vector holds the logarithm of a standard deviation
    return np.array([unshaped(power * x, one.shape) for x in at])


def _sir(
    fit: Fit, chosen: list[Quantity], level: float, seed: int, **options: Any
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    objective, parameters = _objective(fit), fit.problem.parameters
    mode, r = centered(objective, fit.x, parameters, precisions(fit.problem))
    found = sir(objective, mode.x, np.linalg.inv(r), parameters, seed, least=fit.objective, **options)
    low, high = found.quantiles(lambda x: natural(chosen, fit.problem.parameters, x), level)
    return low, high, {"effective": found.effective, "degrees": found.degrees, "samples": len(found.x)}


def _bootstrap(
    fit: Fit, chosen: list[Quantity], level: float, seed: int, **options: Any
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    found = bootstrap(fit, seed=seed, **options)
    each = np.array([natural(chosen, fit.problem.parameters, x) for x in found.x])
    low, high = np.quantile(each, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    return low, high, {"replicates": len(found.x), "failed": len(found.failed), "why": found.why}
