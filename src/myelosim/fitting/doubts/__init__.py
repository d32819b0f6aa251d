"""What speaks against a fit: named warnings, each a small rule.

To add a rule: a function from :class:`Evidence` to warnings in one of the files here, a line in `RULES`, and a test with a case
that it is for and one that it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from myelosim.fitting.doubts import data, effects, estimates, etas, search
from myelosim.fitting.doubts.evidence import Evidence
from myelosim.fitting.warning import AGAINST, FitWarning

if TYPE_CHECKING:
    from myelosim.fitting.result import Fit

__all__ = ["RULES", "doubts", "judged"]

RULES: tuple[Callable[[Evidence], Iterator[FitWarning]], ...] = (
    search.not_converged,
    search.gradient,
    search.inner,
    search.local_optimum,
    estimates.impossible,
    effects.no_effect,
    effects.beyond_exposures,
    effects.no_delay,
    estimates.out_of_range,
    estimates.uncertain,
    estimates.condition,
    estimates.few_subjects,
    estimates.prior_decides,
    estimates.prior_contradicted,
    etas.no_variability,
    etas.too_variable,
    etas.far_off,
    etas.off_center,
    etas.shrunken,
    etas.one_occasion,
    data.few_values,
    data.before_nadir,
    data.censored,
    data.no_error,
    data.unpredicted,
)


def doubts(fit: Fit) -> tuple[FitWarning, ...]:
    """Return all that speaks against a fit, what it says itself first."""
    seen = Evidence(fit)
    return tuple(dict.fromkeys((*fit.warnings, *(one for rule in RULES for one in rule(seen)))))


def judged(fit: Fit) -> Fit:
    """Return the fit with its warnings, converged only where search, gradient, etas and covariance agree that it is."""
    warnings = doubts(fit)
    return replace(fit, warnings=warnings, converged=fit.converged and not AGAINST & {one.code for one in warnings})
