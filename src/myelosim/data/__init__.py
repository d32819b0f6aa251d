"""The data of a study: doses, observations and what changes by row."""

from __future__ import annotations

from myelosim.data.check import report
from myelosim.data.read import read
from myelosim.data.study import ABOVE, BELOW, MEASURED, Check, Course, Observations, Study

__all__ = ["ABOVE", "BELOW", "MEASURED", "Check", "Course", "Observations", "Study", "read", "report"]
