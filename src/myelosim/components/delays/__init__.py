"""The delays components by name."""

from __future__ import annotations

from types import ModuleType

from myelosim.components.delays import direct, effect_compartment, turnover

KINDS: dict[str, ModuleType] = {
    "direct": direct,
    "effect_compartment": effect_compartment,
    "turnover": turnover,
}
