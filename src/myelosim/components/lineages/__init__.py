"""The lineages components by name."""

from __future__ import annotations

from types import ModuleType

from myelosim.components.lineages import friberg

KINDS: dict[str, ModuleType] = {
    "friberg": friberg,
}
