"""Whether there is an effect, and a delay, at all: the optima that look like a fit and are none."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from myelosim.fitting.doubts.evidence import Evidence
from myelosim.fitting.held import cost_of_holding
from myelosim.fitting.warning import FitWarning
from myelosim.spec.model import Effect, observable

SIGNIFICANT = 3.84  # chi-square of one degree of freedom at 5 %
CLEAR = 3.0  # standard errors from nothing, from which on no fit without it is needed
NOTHING = 20.0  # on the log or logit scale
OFF = {"slope": -1, "emax": -1, "level": -1, "ec50": 1, "c0": 1}  # which way an effect vanishes
FAR = 3.0  # times the highest concentration
BRIEF = 0.25  # of the shortest time between draws


def no_effect(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of effects without which the data are fitted as well."""
    fit = seen.fit
    if not fit.searched:
        return
    thetas = fit.problem.estimation.thetas
    names = [theta.name for theta in thetas]
    for effect in fit.problem.model.effects:
        where = _switch(effect, names)
        if where is None:
            continue
        k, sign = where
        scale = thetas[k].scale
        if _clear(seen, k, scale):
            continue
        off = 0.0 if scale == "identity" else fit.x[k] + sign * NOTHING
        cost = cost_of_holding(seen.linearized, fit.x, {k: off}, _own_eta(seen, names[k]), enough=SIGNIFICANT)
        if cost < SIGNIFICANT:
            yield FitWarning(
                "no_effect",
                f"no effect of {effect.drug} on {effect.lineage}: without it the objective is {max(cost, 0.0):.2f} higher at most, "
                f"which is within chance (under {SIGNIFICANT}); {names[k]} = {fit.theta[names[k]]:.3g} is a bound, not a value",
            )


def _switch(effect: Effect, names: list[str]) -> tuple[int, int] | None:
    """Return which theta turns an effect off, and which way."""
    for parameter, sign in OFF.items():
        if (name := f"{effect.prefix}.{parameter}") in names:
            return names.index(name), sign
    return None


def _clear(seen: Evidence, k: int, scale: str) -> bool:
    """Tell whether an effect is many standard errors from none."""
    error = seen.errors[k]
    share = 1.0 / error if scale != "identity" else abs(seen.fit.x[k]) / error
    return bool(np.isfinite(error) and error > 0 and share > CLEAR)


def _own_eta(seen: Evidence, name: str) -> list[int]:
    """Return the entries of the vector that say how a parameter varies."""
    parts = [one.partition(" ") for one in seen.fit.problem.parameters.names]
    return [k for k, (kind, _, of) in enumerate(parts) if kind in ("omega", "occasion") and name in of.split(", ")]


def beyond_exposures(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of half-maximal concentrations that nobody came near to."""
    fit = seen.fit
    for effect in fit.problem.model.effects:
        name = f"{effect.prefix}.ec50"
        if effect.driver != "concentration" or name not in fit.theta:
            continue
        highest = seen.exposures.get(effect.drug, np.nan)
        if fit.theta[name] > FAR * highest:
            yield FitWarning(
                "beyond_exposures",
                f"{name} = {fit.theta[name]:.4g} is {fit.theta[name] / highest:.0f} times the study's highest concentration "
                f"({highest:.3g}): only the ratio of emax and ec50 is known; make the effect linear",
            )


def no_delay(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of transit times that no draw could show."""
    fit, seen_rows = seen.fit, seen.fit.study.observations
    for name, value in fit.theta.items():
        lineage, _, parameter = name.rpartition(".")
        own = seen_rows.observable == observable(lineage)
        if parameter != "mtt" or not own.any():
            continue
        steps = np.diff(seen_rows.time[own])
        same = np.diff(seen_rows.subject[own]) == 0
        apart = steps[same & (steps > 0)]
        if apart.size and value < BRIEF * apart.min():
            yield FitWarning(
                "no_delay",
                f"{name} = {value:.3g} h is no delay at all: draws are at least {apart.min():.4g} h apart; the fit is a degenerate "
                "one: give it a prior, or start elsewhere",
            )
