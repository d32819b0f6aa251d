"""Values: what files say, checked and frozen."""

from __future__ import annotations

from myelosim.spec.dosing import dose_channel, dose_factor
from myelosim.spec.grading import load_grading
from myelosim.spec.library import list_models, load_model
from myelosim.spec.model import Drug, Effect, Expected, Lineage, Model, Parameter, Residual, Subjects, observable
from myelosim.spec.regimen import DoseEvent, Regimen
from myelosim.spec.visits import parse_visits

__all__ = [
    "DoseEvent",
    "Drug",
    "Effect",
    "Expected",
    "Lineage",
    "Model",
    "Parameter",
    "Regimen",
    "Residual",
    "Subjects",
    "dose_channel",
    "dose_factor",
    "list_models",
    "load_grading",
    "load_model",
    "observable",
    "parse_visits",
]
