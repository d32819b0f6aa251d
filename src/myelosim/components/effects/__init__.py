"""The effects components by name."""

from __future__ import annotations

from types import ModuleType

from myelosim.components.effects import linear

KINDS: dict[str, ModuleType] = {
    "linear": linear,
}
