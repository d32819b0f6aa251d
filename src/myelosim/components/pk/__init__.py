"""The pk components by name."""

from __future__ import annotations

from types import ModuleType

from myelosim.components.pk import (
    filgrastim,
    michaelis_menten,
    one_compartment,
    pegfilgrastim,
    three_compartment,
    two_compartment,
)

KINDS: dict[str, ModuleType] = {
    "one_compartment": one_compartment,
    "two_compartment": two_compartment,
    "three_compartment": three_compartment,
    "michaelis_menten": michaelis_menten,
    "filgrastim": filgrastim,
    "pegfilgrastim": pegfilgrastim,
}
