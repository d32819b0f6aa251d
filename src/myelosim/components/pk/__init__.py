"""The pk components by name."""

from __future__ import annotations

from types import ModuleType

from myelosim.components.pk import two_compartment

KINDS: dict[str, ModuleType] = {
    "two_compartment": two_compartment,
}
