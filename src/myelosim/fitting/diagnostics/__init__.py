"""What shows whether a fit can be believed: residuals, prediction errors, shrinkage, visual checks. Arrays in, tables out.

R observation rows in the order of :class:`~myelosim.data.study.Observations`, K simulations, N subjects, E etas.
"""

from __future__ import annotations

from myelosim.fitting.diagnostics.censoring import quantification_limits
from myelosim.fitting.diagnostics.npde import npde, npde_tests
from myelosim.fitting.diagnostics.residuals import conditional_residuals
from myelosim.fitting.diagnostics.shrinkage import eta_correlation, shrinkage
from myelosim.fitting.diagnostics.table import dose_table, fit_table
from myelosim.fitting.diagnostics.visual_check import visual_check

__all__ = [
    "conditional_residuals",
    "dose_table",
    "eta_correlation",
    "fit_table",
    "npde",
    "npde_tests",
    "quantification_limits",
    "shrinkage",
    "visual_check",
]
