"""Filgrastim: quasi-equilibrium binding to the receptors that circulating neutrophils carry.

    depot' = -ksc * depot                                      (nmol)
    total' =  ksc * depot / vd - cld/vd * free - kint * bound  (nmol/L, free and bound)
    receptors = sr * count
    free   = (g + sqrt(g^2 + 4 * kd * total)) / 2,   g = total - receptors - kd
    bound  = receptors * occupancy,   occupancy = free / (kd + free)

Doses are in micrograms; ``molar_mass`` (kDa = ug/nmol) turns them into nmol. Bound drug is taken up with its
receptor, so clearance grows with the neutrophil count, and falls when the drug is needed.

Endogenous G-CSF enters as published: a constant ``bsld`` on top of the free drug where a concentration is reported,
and nowhere else. Binding and occupancy are those of the drug alone, so without drug occupancy is zero and the count
stays at its baseline. Effects must therefore be driven by the occupancy, or ``bsld`` left at zero.

Reference: Melhem et al., Br J Clin Pharmacol 2018;84:911-25, restated by Harrold et al., Clin Transl Sci
2020;13:807-17.
"""

from __future__ import annotations

from typing import Any

from myelosim.arithmetic import maximum, power
from myelosim.components.contract import Declared, State

STRUCTURE: dict[str, tuple[str, ...]] = {}
DEFAULTS: dict[str, str] = {}


def parameters(structure: dict[str, Any]) -> tuple[Declared, ...]:
    """Return what the drug asks for."""
    return (
        Declared("ksc", "1/h", "absorption rate from under the skin"),
        Declared("vd", "L", "volume of distribution"),
        Declared("cld", "L/h", "clearance of free drug"),
        Declared("kd", "nmol/L", "dissociation constant of drug and receptor"),
        Declared("kint", "1/h", "rate at which bound drug is taken up"),
        Declared("sr", "nmol/L/(10^9/L)", "receptors per neutrophil count"),
        Declared("f", "1", "bioavailability, where it varies relative to the typical one", default=1.0),
        Declared("tlag", "h", "absorption lag", closed=True, default=0.0),
        Declared("bsld", "nmol/L", "endogenous G-CSF in reported concentrations", closed=True, default=0.0),
        Declared("molar_mass", "ug/nmol", "mass of a mole", default=18.8, setting=True),
    )


def channels(structure: dict[str, Any]) -> tuple[str, ...]:
    """Return where a dose can enter."""
    return ("depot", "central")


def entry(structure: dict[str, Any]) -> dict[str, int]:
    """Return the state that each channel leads to."""
    return {"depot": 0, "central": 1}


def dose(p: Any, structure: dict[str, Any]) -> dict[str, Any]:
    """Return, per channel, what one microgram adds to its state."""
    return {"depot": p.f / p.molar_mass, "central": 1.0 / p.molar_mass / p.vd}


def states(structure: dict[str, Any]) -> tuple[State, ...]:
    """Return the drug under the skin and in the blood."""
    return (State("depot", "nmol"), State("total", "nmol/L"))


def start(p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the states before the first dose."""
    return (0.0 * p.vd, 0.0 * p.vd)


def scale(p: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the size below which a state no longer matters: drug that would half fill the receptors."""
    return (p.kd * p.vd, p.kd)


def rhs(a: tuple[Any, ...], p: Any, count: Any, structure: dict[str, Any]) -> tuple[Any, ...]:
    """Return the derivatives at a neutrophil count in 10^9/L."""
    depot, total = a
    free = _free(total, p, count)
    bound = p.sr * count * free / (p.kd + free)
    absorbed = p.ksc * depot
    return (-absorbed, absorbed / p.vd - p.cld / p.vd * free - p.kint * bound)


def concentration(a: tuple[Any, ...], p: Any, count: Any, structure: dict[str, Any]) -> Any:
    """Return the free concentration with the endogenous one, in micrograms per litre."""
    return (_free(a[1], p, count) + p.bsld) * p.molar_mass


def signal(a: tuple[Any, ...], p: Any, count: Any, structure: dict[str, Any]) -> Any:
    """Return the share of receptors that hold drug."""
    free = _free(a[1], p, count)
    return free / (p.kd + free)


def _free(total: Any, p: Any, count: Any) -> Any:
    """Return the positive root of the binding quadratic, without the cancellation that g < 0 would bring."""
    excess = total - p.sr * count - p.kd
    root = power(excess * excess + 4 * p.kd * total, 0.5)
    return maximum(excess, 0.0) + 2 * p.kd * total / (root + maximum(excess, -excess))
