"""Lineages with plausible human parameters, one for each form a structure can take."""

from __future__ import annotations

from myelosim.components.contract import Values
from myelosim.components.lineages import KINDS

NEUTROPHIL = {"baseline": 5.05, "mtt": 88.7, "gamma": 0.161}
PLATELET = {"baseline": 240.0, "mtt": 134.0, "gamma": 0.22, "lifespan": 216.0, "cap": 1e30}
RED_CELL = {"baseline": 14.0, "mtt": 144.0, "gamma": 0.5, "lifespan": 2760.0, "cap": 5.0}
RED_CELL |= {"mch": 29.0, "mcv": 88.0, "reticulocyte_time": 24.0}
BLOCK = {"baseline": 4.5, "gamma": 0.02, "beta": 20.0, "reservoir_ratio": 3.0, "km_fraction": 0.6}
BLOCK |= {"half_life": 30.0, "apoptosis": 0.001, "egress_cap": 1e30}
GCSF = {"baseline": 3.53, "mtt": 133.0, "half_life": 7.0, "gamma": 0.444, "beta": 0.234}
GCSF |= {"ke": 0.592, "kanc": 5.64, "gcsf0": 24.3}
HARROLD = {"baseline": 0.0276 / 0.120 / 0.0590, "mtt": 4 / 0.0330, "gamma": 0.0, "kcirc": 0.120, "cap": 1e30}

CASES = [
    ("friberg", {}, NEUTROPHIL),
    ("friberg", {"n_transits": 1}, NEUTROPHIL),
    ("friberg", {"kcirc": "free"}, NEUTROPHIL | {"kcirc": 0.1}),
    ("maturation_block", {}, BLOCK),
    ("maturation_block", {}, BLOCK | {"egress_cap": 50.0}),
    ("gcsf_friberg", {}, GCSF),
    ("production", {}, HARROLD),
    ("production", {}, HARROLD | {"gamma": 0.2, "cap": 3.0}),
    ("production", {"precursors": "self_renewing"}, HARROLD | {"gamma": 0.2}),
    ("production", {"loss": "half_life"}, {"baseline": 2.7, "mtt": 120.0, "gamma": 0.0, "half_life": 7.0, "cap": 1e30}),
    ("platelet", {}, PLATELET),
    ("platelet", {"loss": "lifespan"}, PLATELET),
    ("platelet", {"precursors": "self_renewing"}, PLATELET),
    ("platelet", {"precursors": "self_renewing", "n_precursors": 1, "loss": "lifespan", "n_ages": 2}, PLATELET),
    ("erythroid", {}, RED_CELL),
    ("erythroid", {"precursors": "self_renewing", "n_precursors": 4, "n_ages": 8}, RED_CELL | {"gamma": 0.25}),
]
IDS = ["-".join([kind, *map(str, structure.values())]) + f"-{i}" for i, (kind, structure, _) in enumerate(CASES)]


def build(kind, structure, values):
    """Return module, complete structure, parameters and the site factors without drug."""
    module = KINDS[kind]
    return module, {**module.DEFAULTS, **structure}, Values(**values), Values(**dict.fromkeys(module.SITES, 1.0))


def with_site(module, **factors):
    """Return site factors, one where nothing is said."""
    return Values(**{**dict.fromkeys(module.SITES, 1.0), **factors})
