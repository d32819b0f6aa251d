"""Drug-induced myelosuppression: counts, grades, nadirs and the days to draw blood."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "ConvergenceError": "errors",
    "DataError": "errors",
    "MyelosimError": "errors",
    "MyelosimWarning": "errors",
    "Population": "population",
    "Regimen": "spec.regimen",
    "SimulationError": "errors",
    "SpecError": "errors",
    "compare": "comparison",
    "design_front": "designing",
    "evaluate_design": "designing",
    "explain": "history",
    "fit": "fitting",
    "forecast": "fitting",
    "list_models": "spec.library",
    "load_design": "spec.designs",
    "load_grading": "spec.grading",
    "load_model": "spec.library",
    "load_scenario": "spec.scenarios",
    "load_sweep": "spec.sweeps",
    "monitoring_days": "comparison",
    "optimize_design": "designing",
    "plot_subject": "plots",
    "run_design": "designing",
    "run_fit": "fitting",
    "sensitivity": "simulation",
    "simulate": "simulation",
    "sweep": "sweeping",
    "to_events": "simulation",
    "virtual_patients": "population",
}

__all__ = sorted(_PUBLIC)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(f"myelosim.{_PUBLIC[name]}"), name)
    raise AttributeError(f"module 'myelosim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_PUBLIC])
