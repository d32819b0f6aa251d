"""The residuals components by name."""

from __future__ import annotations

from types import ModuleType

from myelosim.components.residuals import additive, box_cox, combined, counting, log_normal, proportional

KINDS: dict[str, ModuleType] = {
    "proportional": proportional,
    "additive": additive,
    "combined": combined,
    "log_normal": log_normal,
    "box_cox": box_cox,
    "counting": counting,
}
