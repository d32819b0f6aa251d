"""Values: what files say, checked and frozen."""

from __future__ import annotations

from myelosim.spec.dosing import dose_channel, dose_factor, resolve
from myelosim.spec.grading import load_grading
from myelosim.spec.library import list_models, load_model
from myelosim.spec.model import Drug, Effect, Expected, Lineage, Model, Parameter, Residual, Subjects, observable
from myelosim.spec.regimen import DoseEvent, Regimen
from myelosim.spec.scenario import Arm, Recommend, Scenario
from myelosim.spec.scenarios import load_scenario
from myelosim.spec.visits import parse_visits

__all__ = [
    "Arm",
    "DoseEvent",
    "Drug",
    "Effect",
    "Expected",
    "Lineage",
    "Model",
    "Parameter",
    "Recommend",
    "Regimen",
    "Residual",
    "Scenario",
    "Subjects",
    "dose_channel",
    "dose_factor",
    "list_models",
    "load_grading",
    "load_model",
    "load_scenario",
    "observable",
    "parse_visits",
    "resolve",
]
