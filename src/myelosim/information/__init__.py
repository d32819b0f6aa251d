"""Fisher information: what observations of a population are expected to tell of a model's parameters."""

from __future__ import annotations

from myelosim.information.fisher import Fisher
from myelosim.information.labels import labels
from myelosim.information.precision import Precision, precision, spread
from myelosim.information.sensitivity import Arm, Look, Sensitivity, above_nothing, sensitivities, study_of

__all__ = [
    "Arm",
    "Fisher",
    "Look",
    "Precision",
    "Sensitivity",
    "above_nothing",
    "labels",
    "precision",
    "sensitivities",
    "spread",
    "study_of",
]
