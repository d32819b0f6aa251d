"""Pegfilgrastim: saturable elimination beside a clearance that grows with the neutrophil count.

    depot'   = -ka * depot
    central' =  ka * depot - (cl_anc * count) * c - vmax * c / (km + c)
    c        =  central / vc

The dose enters the depot at a constant rate over ``duration``. Published is the rate, R1 = 2.84 mg/h, which makes
2.11 h for the 6 mg on the label and hardly shows beside 1/ka = 88 h: one duration for all doses is the simplification
made here.

The unit of the published neutrophil-dependent clearance, 2.80, is in doubt. Read as L/h per 10^9/L it would empty
the 1.81 L of distribution in a quarter of an hour at a normal count, and leave a tenth of the exposure that patients
have. Read as mL/h per 10^9/L, as here, it matters beside the saturable path once counts rise, which is what the
paper describes.

``kd`` is the concentration at half occupancy, for effects driven by occupancy; the published half-maximal concentration
of 9.24 ng/mL for proliferation and maturation serves.

Reference: Brekkan et al., AAPS J 2018;20:91.
"""

from __future__ import annotations

from typing import Any

from myelosim.components.contract import Declared, State

STRUCTURE = {"absorption": ("zero_order",)}
DEFAULTS = {"absorption": "zero_order"}


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the drug asks for."""
    return (
        Declared("duration", "h", "duration of the input into the depot"),
        Declared("ka", "1/h", "absorption rate from the depot"),
        Declared("vc", "L", "volume of distribution"),
        Declared("vmax", "{amount}/h", "maximal rate of saturable elimination"),
        Declared("km", "{amount}/L", "concentration at half the maximal rate"),
        Declared("cl_anc", "L/h/(10^9/L)", "clearance per neutrophil count"),
        Declared("kd", "{amount}/L", "concentration at half receptor occupancy"),
        Declared("f", "1", "bioavailability, where it varies relative to the typical one", default=1.0),
        Declared("tlag", "h", "absorption lag", closed=True, default=0.0),
    )


def channels(structure: dict[str, Any]) -> tuple[str, ...]:
    """Return where a dose can enter."""
    return ("depot",)


def entry(structure: dict[str, Any]) -> dict[str, int]:
    """Return the state that each channel leads to."""
    return {"depot": 0}


def dose(p: Any, structure: dict[str, Any]) -> dict[str, Any]:
    """Return, per channel, what one amount unit adds to its state."""
    return {"depot": p.f}


def states(structure: dict[str, Any]) -> tuple[State, ...]:
    """Return the drug under the skin and in the blood."""
    return (State("depot", "{amount}"), State("central", "{amount}"))


def start(p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the states before the first dose."""
    return (0.0 * p.vc, 0.0 * p.vc)


def scale(p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the size below which a state no longer matters: the amount at which elimination is half saturated."""
    return (p.km * p.vc, p.km * p.vc)


def rhs(a: tuple[Any, ...], p: Any, count: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the derivatives at a neutrophil count in 10^9/L."""
    depot, central = a
    c = central / p.vc
    return (-p.ka * depot, p.ka * depot - p.cl_anc * count * c - p.vmax * c / (p.km + c))


def concentration(a: tuple[Any, ...], p: Any, count: Any, structure: dict[str, Any]) -> Any:
    """Return the concentration in amount units per litre."""
    return a[1] / p.vc


def signal(a: tuple[Any, ...], p: Any, count: Any, structure: dict[str, Any]) -> Any:
    """Return the share of receptors that hold drug."""
    c = a[1] / p.vc
    return c / (p.kd + c)
