"""Whether the estimates can be, and whether data or prior made them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from myelosim.errors import SpecError
from myelosim.fitting.doubts.evidence import Evidence
from myelosim.fitting.warning import FitWarning
from myelosim.spec.scale import from_scale, to_scale

HARDLY = 100.0  # percent: relative standard error of a value that is hardly known
FLAT = 1.0  # curvature of half the objective by a logarithm, below which an e-fold change is not seen
CONDITION = 1000.0
SINGULAR = 1e7  # condition number from which a fit is not called converged
EDGE = 0.01  # of a range
DECIDES = 0.9  # of a prior's standard deviation that is left
AWAY = 2.0  # of a prior's standard deviations


def impossible(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of estimates that no model can have."""
    try:
        _ = seen.fit.model
    except SpecError as error:
        yield FitWarning("impossible", f"the estimates make no model that can be trusted: {error}; estimate less")


def out_of_range(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of values outside, or at an end, of where further starts were drawn from."""
    fit = seen.fit
    for x, theta in zip(fit.point.beta, fit.problem.estimation.thetas, strict=True):
        low, high = (float(to_scale(end, theta.scale)) for end in (theta.low, theta.high))
        place = (x - low) / (high - low) if high > low else 0.5
        if not EDGE < place < 1.0 - EDGE:
            value = from_scale(x, theta.scale)
            yield FitWarning(
                "out_of_range",
                f"{theta.name} = {value:.4g} {theta.unit} is at or {'below' if place < 0.5 else 'above'} the end of what was "
                f"thought possible, {theta.low:.4g} to {theta.high:.4g}; look whether units and doses are right, and whether the "
                "data tell of it",
            )


def uncertain(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of values that the data hardly tell of; a flat feedback has a name of its own."""
    fit = seen.fit
    table = fit.table
    rse = dict(zip(table["name"], table["rse"], strict=True))
    for k, theta in enumerate(fit.problem.estimation.thetas):
        curvature = np.inf if fit.uncertainty is None else float(fit.uncertainty.r[k, k])
        flat = theta.scale == "log" and curvature < FLAT
        if not (rse[theta.name] > HARDLY or flat):
            continue
        gamma = theta.name.endswith(".gamma")
        said = f"its relative standard error is {rse[theta.name]:.0f} %" if not flat else "the objective is flat in it"
        why = "; the feedback shows only where recovery is observed" if gamma else ""
        yield FitWarning(
            "flat_gamma" if gamma else "uncertain",
            f"{theta.name} is hardly known from these data: {said}{why}; fix it, or give it a prior",
        )


def condition(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of estimates of which only a combination is known."""
    found = seen.fit.uncertainty
    if found is None or not found.condition > CONDITION:
        return
    size, told = len(seen.fit.x), len(np.unique(seen.fit.study.observations.subject))
    if found.kind != "r" and told < size:
        yield FitWarning(
            "condition",
            f"the condition number is {found.condition:.3g}: the scatter of {told} subjects cannot give the covariance of "
            f"{size} estimates, so that standard errors come out too small; fit with covariance r, or estimate less",
        )
        return
    correlation = np.nan_to_num(found.correlation) - np.eye(len(seen.fit.x))
    i, j = np.unravel_index(int(np.argmax(np.abs(correlation))), correlation.shape)
    names = seen.fit.problem.parameters.names
    yield FitWarning(
        "condition" if found.condition < SINGULAR else "covariance",
        f"the condition number is {found.condition:.3g}, over {CONDITION:g}: only combinations of the estimates are known; "
        f"{names[i]} and {names[j]} are most correlated ({correlation[i, j]:.3f}): fix one of them",
    )


def few_subjects(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of standard errors that rest on the scatter of fewer subjects than there are estimates."""
    fit = seen.fit
    subjects, estimates = np.unique(fit.study.observations.subject).size, len(fit.x)
    if fit.uncertainty is not None and fit.uncertainty.kind in ("sandwich", "s") and subjects <= estimates:
        yield FitWarning(
            "few_subjects",
            f"{estimates} estimates from {subjects} subjects, whose gradients' scatter (S) standard errors rest on: they are no "
            "better than that; fit with covariance r, or give intervals by profile",
        )


def prior_decides(seen: Evidence) -> Iterator[FitWarning]:
    """Warn where the data add nothing to what was believed."""
    for k, theta in enumerate(seen.fit.problem.estimation.thetas):
        if theta.prior is None or abs(seen.fit.point.beta[k] - theta.prior[0]) > AWAY * theta.prior[1]:
            continue
        if seen.errors[k] > DECIDES * theta.prior[1]:
            share = 100.0 * seen.errors[k] / theta.prior[1]
            yield FitWarning(
                "prior_decides",
                f"{theta.name} is what its prior says: its standard error is {share:.0f} % of the prior's; report it as "
                "believed, not as found",
            )


def prior_contradicted(seen: Evidence) -> Iterator[FitWarning]:
    """Warn where data and prior disagree."""
    fit = seen.fit
    for x, theta in zip(fit.point.beta, fit.problem.estimation.thetas, strict=True):
        if theta.prior is None:
            continue
        away = (x - theta.prior[0]) / theta.prior[1]
        if abs(away) > AWAY:
            yield FitWarning(
                "prior_contradicted",
                f"{theta.name} = {from_scale(x, theta.scale):.4g} {theta.unit} lies {abs(away):.1f} of its prior's standard "
                f"deviations from {from_scale(theta.prior[0], theta.scale):.4g}, which adds {away * away:.1f} to the objective; "
                "look whether the prior is about these subjects, or widen it",
            )
