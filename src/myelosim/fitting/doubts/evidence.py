"""What rules look at, computed once and only where a rule asks for it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from myelosim.fitting import checked
from myelosim.fitting.covariance import precisions
from myelosim.fitting.curves import curves
from myelosim.fitting.objective import Linearized, Value

if TYPE_CHECKING:
    from myelosim.fitting.result import Fit

LINEARIZED = ("foce", "focei")
FLAT = 0.02  # curvature added to that of every parameter, so that nothing is expected far away in a flat direction
BEYOND = 28 * 24.0  # hours after a subject's last draw in which a nadir is looked for


class Evidence:
    """A fit, and what is computed of it to judge it."""

    def __init__(self, fit: Fit) -> None:
        self.fit = fit

    @cached_property
    def linearized(self) -> Linearized:
        """The objective of a linearized method, of FOCE-I where the fit is by another."""
        fit = self.fit
        return Linearized(fit.problem, fit.method != "foce", fit.b.copy())

    @cached_property
    def value(self) -> Value | None:
        """The objective at the estimates, found anew, where the fit is by a linearized method."""
        fit = self.fit
        return self.linearized.value(fit.x) if fit.method in LINEARIZED and len(fit.x) else None

    @cached_property
    def left(self) -> tuple[float, str]:
        """What a further step is expected to gain of the objective, and by which parameter most."""
        if self.value is None:
            return 0.0, ""
        gradient, hessian = self.linearized.slope(self.value)
        hessian = hessian + np.diag(2.0 * precisions(self.fit.problem) + FLAT)
        parts = gradient * np.linalg.solve(hessian, gradient)
        return float(parts.sum()) / 2.0, self.fit.problem.parameters.names[int(np.argmax(parts))]

    @cached_property
    def errors(self) -> np.ndarray:
        """Standard errors of the vector, NaN where they are not known."""
        covariance = self.fit.covariance
        if covariance is None:
            return np.full(len(self.fit.x), np.nan)
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sqrt(np.diag(covariance)))

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Observations beside predictions and residuals."""
        return checked.residuals(self.fit)

    @cached_property
    def shrinkage(self) -> pd.DataFrame:
        """Shrinkage of the etas."""
        return checked.shrinkage(self.fit)

    @cached_property
    def courses(self) -> pd.DataFrame:
        """Curves of what was observed, and on for weeks."""
        return curves(self.fit, beyond=BEYOND)

    @cached_property
    def exposures(self) -> dict[str, float]:
        """The highest concentration of each drug with an effect in anyone observed, until its last draw."""
        drugs = tuple(dict.fromkeys(effect.drug for effect in self.fit.problem.model.effects))
        found = curves(self.fit, drugs)
        return {str(drug): float(own["individual"].max()) for drug, own in found.groupby("observable")}
