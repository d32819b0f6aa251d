"""Two-compartment kinetics as exact modes.

    depot'      = -ka * depot
    central'    =  ka * depot - (cl/vc + q/vc) * central + q/vp * peripheral
    peripheral' =  q/vc * central - q/vp * peripheral
    concentration = central / vc

Every mode decays as exp(-rate * t); a dose of one unit adds its weight to each mode, and the concentration is the sum of the
modes. ``ka`` equal to a disposition rate takes the limit form (see :mod:`myelosim.components.pk.modes`).

Reference: Gibaldi and Perrier, Pharmacokinetics, 2nd ed. 1982, chapter 2.
"""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared
from myelosim.components.pk.modes import absorbed, absorption_parameters, quadratic_rates

STRUCTURE = {"absorption": ("first_order", "zero_order", "none")}
DEFAULTS = {"absorption": "first_order"}


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the drug asks for."""
    return (
        *absorption_parameters(structure),
        Declared("cl", "L/h", "clearance"),
        Declared("vc", "L", "central volume"),
        Declared("q", "L/h", "clearance between the compartments"),
        Declared("vp", "L", "peripheral volume"),
    )


def channels(structure: dict[str, Any]) -> tuple[str, ...]:
    """Return where a dose can enter."""
    return ("depot", "central") if structure["absorption"] == "first_order" else ("central",)


def modes(p: Any, structure: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, tuple[Any, ...]]]:
    """Return the decay rates (1/h) and, per channel, the weight of a unit dose in each mode (1/L)."""
    k10, k12, k21 = p.cl / p.vc, p.q / p.vc, p.q / p.vp
    alpha, beta = quadratic_rates(k10 + k12 + k21, k10 * k21)
    span = alpha - beta
    weights = ((alpha - k21) / span / p.vc, (k21 - beta) / span / p.vc)
    return absorbed((alpha, beta), weights, p, structure)
