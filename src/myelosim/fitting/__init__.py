"""Parameters from counts: objectives, searches, uncertainty, and what shows whether to believe them."""

from __future__ import annotations

from myelosim.fitting.fit import fit
from myelosim.fitting.forecast import forecast
from myelosim.fitting.result import Fit
from myelosim.fitting.run import run_fit
from myelosim.fitting.warning import FitWarning

__all__ = ["Fit", "FitWarning", "fit", "forecast", "run_fit"]
