"""Values: what files say, checked and frozen."""

from __future__ import annotations

from myelosim.spec.dosing import dose_channel, dose_factor
from myelosim.spec.library import list_models, load_model
from myelosim.spec.model import Drug, Effect, Expected, Lineage, Model, Parameter, Residual, Subjects, observable
from myelosim.spec.regimen import DoseEvent, Regimen

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
    "load_model",
    "observable",
]
