"""One-compartment kinetics as exact modes (see :mod:`myelosim.components.pk.modes`).

    depot'   = -ka * depot
    central' =  ka * depot - cl/vc * central
    concentration = central / vc

Reference: Gibaldi and Perrier, Pharmacokinetics, 2nd ed. 1982, chapter 1.
"""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared
from myelosim.components.pk.modes import absorption_channels, absorption_parameters, compartment_modes

STRUCTURE = {"absorption": ("first_order", "zero_order", "none")}
DEFAULTS = {"absorption": "first_order"}

channels = absorption_channels


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the drug asks for."""
    return (
        *absorption_parameters(structure),
        Declared("cl", "L/h", "clearance"),
        Declared("vc", "L", "volume of distribution"),
    )


def modes(p: Any, structure: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, tuple[Any, ...]]]:
    """Return the decay rates (1/h) and, per channel, the weight of a unit dose in each mode (1/L)."""
    return compartment_modes((p.cl / p.vc,), (), p, structure)
