"""Design studies: on which days, how many subjects, how much blood. The job."""

from __future__ import annotations

from myelosim.designing.design import Design, DesignWarning
from myelosim.designing.evaluate import evaluate_design
from myelosim.designing.front import design_front
from myelosim.designing.optimize import optimize_design
from myelosim.designing.run import Outcome, run_design

__all__ = ["Design", "DesignWarning", "Outcome", "design_front", "evaluate_design", "optimize_design", "run_design"]
