"""Two-compartment kinetics as exact modes (see :mod:`myelosim.components.pk.modes`).

    depot'      = -ka * depot
    central'    =  ka * depot - (cl/vc + q/vc) * central + q/vp * peripheral
    peripheral' =  q/vc * central - q/vp * peripheral
    concentration = central / vc

Reference: Gibaldi and Perrier, Pharmacokinetics, 2nd ed. 1982, chapter 2.
"""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared
from myelosim.components.pk.modes import absorption_channels, absorption_parameters, compartment_modes, quadratic_rates

STRUCTURE = {"absorption": ("first_order", "zero_order", "none")}
DEFAULTS = {"absorption": "first_order"}

channels = absorption_channels


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the drug asks for."""
    return (
        *absorption_parameters(structure),
        Declared("cl", "L/h", "clearance"),
        Declared("vc", "L", "central volume"),
        Declared("q", "L/h", "clearance between the compartments"),
        Declared("vp", "L", "peripheral volume"),
    )


def modes(p: Any, structure: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, tuple[Any, ...]]]:
    """Return the decay rates (1/h) and, per channel, the weight of a unit dose in each mode (1/L)."""
    k10, k12, k21 = p.cl / p.vc, p.q / p.vc, p.q / p.vp
    return compartment_modes(quadratic_rates(k10 + k12 + k21, k10 * k21), (k21,), p, structure)
