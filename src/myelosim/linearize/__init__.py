"""Predictions of a study and their derivatives; a perturbation is one more lane."""

from __future__ import annotations

from myelosim.linearize.mixed import Mixed
from myelosim.linearize.predict import Predictions, Predictor

__all__ = ["Mixed", "Predictions", "Predictor"]
