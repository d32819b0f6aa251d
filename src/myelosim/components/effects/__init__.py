"""The effects components by name.

A kind that depends on the drug's presence alone, and not on how much of it there is, says ``SATURATED = True``.
"""

from __future__ import annotations

from types import ModuleType

from myelosim.components.effects import emax, linear, log_linear, sigmoid_emax, sustained

KINDS: dict[str, ModuleType] = {
    "linear": linear,
    "emax": emax,
    "sigmoid_emax": sigmoid_emax,
    "log_linear": log_linear,
    "sustained": sustained,
}
