"""One compartment with saturable elimination, as an ODE.

    depot'   = -ka * depot
    central' =  ka * depot - vmax * c / (km + c)
    c        =  central / v

Everything is in the drug's amount unit and litres: ``km`` is in amount per litre, whatever unit concentrations are
reported in.

Reference: Gibaldi and Perrier, Pharmacokinetics, 2nd ed. 1982, chapter 7.
"""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared, State
from myelosim.components.pk.modes import absorption_channels, absorption_parameters

STRUCTURE = {"absorption": ("first_order", "zero_order", "none")}
DEFAULTS = {"absorption": "first_order"}

channels = absorption_channels


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the drug asks for."""
    return (
        *absorption_parameters(structure),
        Declared("vmax", "{amount}/h", "maximal rate of elimination"),
        Declared("km", "{amount}/L", "concentration at half the maximal rate"),
        Declared("v", "L", "volume of distribution"),
    )


def entry(structure: dict[str, Any]) -> dict[str, int]:
    """Return the state that each channel leads to."""
    return {channel: index for index, channel in enumerate(channels(structure))}


def dose(p: Any, structure: dict[str, Any]) -> dict[str, Any]:
    """Return, per channel, what one amount unit adds to its state; of what is absorbed into the central one, times ``f``."""
    return {"depot": p.f, "central": 1.0} if structure["absorption"] == "first_order" else {"central": 1.0}


def states(structure: dict[str, Any]) -> tuple[State, ...]:
    """Return the amounts that are followed."""
    return tuple(State(channel, "{amount}") for channel in channels(structure))


def start(p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the states before the first dose."""
    return tuple(0.0 * p.v for _ in channels(structure))


def scale(p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the size below which a state no longer matters: the amount at which elimination is half saturated."""
    return tuple(p.km * p.v for _ in channels(structure))


def rhs(a: tuple[Any, ...], p: Any, count: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the derivatives; the neutrophil count plays no part."""
    c = a[-1] / p.v
    eliminated = p.vmax * c / (p.km + c)
    if structure["absorption"] != "first_order":
        return (-eliminated,)
    return (-p.ka * a[0], p.ka * a[0] - eliminated)


def concentration(a: tuple[Any, ...], p: Any, count: Any, structure: dict[str, Any]) -> Any:
    """Return the concentration in amount units per litre."""
    return a[-1] / p.v


def signal(a: tuple[Any, ...], p: Any, count: Any, structure: dict[str, Any]) -> Any:
    """Return how far elimination is saturated, from 0 to 1."""
    c = a[-1] / p.v
    return c / (p.km + c)
