"""Three-compartment kinetics as exact modes (see :mod:`myelosim.components.pk.modes`).

    depot'    = -ka * depot
    central'  =  ka * depot - (cl + q2 + q3)/vc * central + q2/vp2 * shallow + q3/vp3 * deep
    shallow'  =  q2/vc * central - q2/vp2 * shallow
    deep'     =  q3/vc * central - q3/vp3 * deep
    concentration = central / vc

The rates are the roots of the characteristic cubic: real, positive and separated by q2/vp2 and q3/vp3.

Reference: Gibaldi and Perrier, Pharmacokinetics, 2nd ed. 1982, appendix B.
"""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared
from myelosim.components.pk.modes import absorption_channels, absorption_parameters, compartment_modes, cubic_rates

STRUCTURE = {"absorption": ("first_order", "zero_order", "none")}
DEFAULTS = {"absorption": "first_order"}

channels = absorption_channels


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the drug asks for."""
    return (
        *absorption_parameters(structure),
        Declared("cl", "L/h", "clearance"),
        Declared("vc", "L", "central volume"),
        Declared("q2", "L/h", "clearance between the central and the shallow compartment"),
        Declared("vp2", "L", "volume of the shallow compartment"),
        Declared("q3", "L/h", "clearance between the central and the deep compartment"),
        Declared("vp3", "L", "volume of the deep compartment"),
    )


def modes(p: Any, structure: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, tuple[Any, ...]]]:
    """Return the decay rates (1/h) and, per channel, the weight of a unit dose in each mode (1/L)."""
    k10, k12, k13, k21, k31 = p.cl / p.vc, p.q2 / p.vc, p.q3 / p.vc, p.q2 / p.vp2, p.q3 / p.vp3
    total = k10 + k12 + k13 + k21 + k31
    pairs = k10 * (k21 + k31) + k12 * k31 + k13 * k21 + k21 * k31
    return compartment_modes(cubic_rates(total, pairs, k10 * k21 * k31), (k21, k31), p, structure)
