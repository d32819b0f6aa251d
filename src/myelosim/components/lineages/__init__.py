"""The lineages components by name."""

from __future__ import annotations

from types import ModuleType

from myelosim.components.lineages import erythroid, friberg, gcsf_friberg, maturation_block, platelet, production

KINDS: dict[str, ModuleType] = {
    "friberg": friberg,
    "maturation_block": maturation_block,
    "gcsf_friberg": gcsf_friberg,
    "production": production,
    "platelet": platelet,
    "erythroid": erythroid,
}
