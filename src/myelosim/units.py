"""Units of this domain, from a closed table: mass, substance, time, volume, doses by weight or surface, blood counts.

A unit is a product of known names, ``mg/m2``, ``mL/min/kg``, ``1/(mg/L)``, ``ng*h/mL``. What analysers print for a
count, ``10^9/L``, ``x10E3/uL``, ``K/uL``, ``G/L``, ``cells/mm3``, is a number per volume. ``kg`` and ``m2`` in a
denominator are body weight and body surface. Case matters: ``G/L`` counts cells, ``g/L`` weighs them. Everything raises
:class:`ValueError`.
"""

from __future__ import annotations

import difflib
import math
import re
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

__all__ = ["DAY", "convert", "dimension", "limits", "most_dose", "parse", "quantity", "same_kind", "split_dose"]

DAY = 24.0
"""Hours in a day: days at the door, hours inside."""

# Exponents of: mass (g), substance (mol), time (h), volume (L), body weight (kg), body surface (m2), relative exposure.
_MASS, _MOLE, _TIME, _VOLUME, _WEIGHT, _SURFACE, _RELATIVE = (
    tuple(int(i == place) for i in range(7)) for place in range(7)
)
_NONE: tuple[int, ...] = (0,) * 7


@dataclass(frozen=True, slots=True)
class _Unit:
    factor: Fraction
    powers: tuple[int, ...]


def _ten(exponent: int) -> Fraction:
    return Fraction(10) ** exponent


def _names(base: str, powers: tuple[int, ...], prefixes: str, exponent: int = 0) -> dict[str, _Unit]:
    steps = {"f": -15, "p": -12, "n": -9, "u": -6, "µ": -6, "μ": -6, "mc": -6, "m": -3, "c": -2, "d": -1, "": 0, "k": 3}
    return {prefix + base: _Unit(_ten(steps[prefix] + exponent), powers) for prefix in [*prefixes.split(","), ""]}


def _times() -> dict[str, _Unit]:
    hours = {
        Fraction(1, 3600): ("s", "sec", "second", "seconds"),
        Fraction(1, 60): ("min", "minute", "minutes"),
        Fraction(1): ("h", "hr", "hrs", "hour", "hours"),
        Fraction(24): ("d", "day", "days"),
        Fraction(168): ("wk", "w", "week", "weeks"),
    }
    return {name: _Unit(size, _TIME) for size, names in hours.items() for name in names}


_TABLE: dict[str, _Unit] = {
    **_names("g", _MASS, "p,n,u,µ,μ,mc,m,k"),
    **_names("mol", _MOLE, "f,p,n,u,µ,μ,mc,m"),
    **_names("M", (0, 1, 0, -1, 0, 0, 0), "p,n,u,µ,μ,m"),
    **_times(),
    **_names("L", _VOLUME, "f,p,n,u,µ,μ,mc,m,c,d"),
    **_names("l", _VOLUME, "f,p,n,u,µ,μ,mc,m,c,d"),
    **{name: _Unit(_ten(-6), _VOLUME) for name in ("mm3", "mm^3", "cmm", "cumm")},
    **{name: _Unit(_ten(-3), _VOLUME) for name in ("cm3", "cm^3", "cc")},
    **{name: _Unit(Fraction(1), _SURFACE) for name in ("m2", "m^2")},
    "rel": _Unit(Fraction(1), _RELATIVE),
    "1": _Unit(Fraction(1), _NONE),
    "%": _Unit(Fraction(1, 100), _NONE),
    **{name: _Unit(Fraction(1), _NONE) for name in ("cell", "cells")},
}  # fmt: skip

_MANY = {
    "K": 3, "k": 3, "Thou": 3, "thou": 3, "Thousand": 3, "thousand": 3, "Tsd": 3, "Kilo": 3, "kilo": 3,
    "M": 6, "Mio": 6, "mio": 6, "Mill": 6, "mill": 6, "Million": 6, "million": 6, "Mega": 6, "mega": 6,
    "G": 9, "Giga": 9, "giga": 9, "T": 12, "Tera": 12, "tera": 12,
}  # fmt: skip

_KINDS: dict[tuple[int, ...], tuple[str, str]] = {
    _NONE: ("plain number", "0.5"),
    _MASS: ("mass", "40 mg"),
    _MOLE: ("amount of substance", "40 umol"),
    _TIME: ("time", "90 h"),
    _VOLUME: ("volume", "5 L"),
    _SURFACE: ("surface", "1.8 m2"),
    _RELATIVE: ("relative concentration", "0.5 rel"),
    (0, 0, -1, 0, 0, 0, 0): ("rate", "0.1 1/h"),
    (0, 0, -1, 1, 0, 0, 0): ("flow", "6.3 L/h"),
    (0, 0, -1, 1, -1, 0, 0): ("flow per body weight", "8 mL/min/kg"),
    (0, 0, 0, 1, -1, 0, 0): ("volume per body weight", "70 mL/kg"),
    (0, 0, 0, -1, 0, 0, 0): ("count per volume", "5 10^9/L"),
    (0, 0, -1, -1, 0, 0, 0): ("count per volume and time", "0.2 10^9/L/h"),
    (1, 0, 0, -1, 0, 0, 0): ("mass concentration", "2 mg/L"),
    (0, 1, 0, -1, 0, 0, 0): ("molar concentration", "2 umol/L"),
    (-1, 0, 0, 1, 0, 0, 0): ("inverse of a mass concentration", "0.35 L/mg"),
    (0, -1, 0, 1, 0, 0, 0): ("inverse of a molar concentration", "8.6 L/umol"),
    (1, 0, 0, 0, -1, 0, 0): ("dose per body weight", "5 ug/kg"),
    (0, 1, 0, 0, -1, 0, 0): ("dose per body weight", "5 nmol/kg"),
    (1, 0, 0, 0, 0, -1, 0): ("dose per body surface", "75 mg/m2"),
    (0, 1, 0, 0, 0, -1, 0): ("dose per body surface", "200 umol/m2"),
}

# What a number of a kind may be, zero apart, in h, 1/h, 1/L, g/L and mol/L; other kinds in their own unit.
_LIMITS: dict[tuple[int, ...], tuple[float, float]] = {
    _NONE: (1e-9, 1e6),
    _TIME: (1e-3, 1e6),
    (0, 0, -1, 0, 0, 0, 0): (1e-6, 1e4),
    (0, 0, 0, -1, 0, 0, 0): (1e3, 1e15),
    (1, 0, 0, -1, 0, 0, 0): (1e-15, 1e3),
    (0, 1, 0, -1, 0, 0, 0): (1e-18, 1e1),
}
_LIMITS_ELSE = (1e-12, 1e12)

_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)(?![\d^])\s*(.*)", re.DOTALL)
_POWER_OF_TEN = re.compile(r"(?:[x×X]\s*)?10\s*(?:\^|\*\*|\*|[eE]|\s)?\s*(?:\(\s*(\d+)\s*\)|(?<=[\^*eE ])(\d+))")


def quantity(text: str) -> tuple[float, str]:
    """Split a number and its unit; the unit is empty where none is written.

    Examples
    --------
    >>> quantity("75 mg/m2")
    (75.0, 'mg/m2')
    """
    if not isinstance(text, str):
        raise ValueError(f'{text!r} is not a quantity; write a number and a unit, e.g. "90 h"')
    match = _NUMBER.fullmatch(text.strip())
    if match is None or _looks_like_power(text):
        raise ValueError(f'{_short(text)!r} does not begin with a number; write e.g. "90 h"')
    value, unit = float(match[1]), match[2].strip()
    if not math.isfinite(value):
        raise ValueError(f"{_short(text)!r} is not a finite number")
    if unit:
        _unit(unit)
    return value, unit


def parse(value: str | float, unit: str, molar_mass: float | None = None) -> float:
    """Return a quantity in ``unit``; a plain number is taken to be in ``unit`` already.

    Parameters
    ----------
    value : str or float
        ``"90 h"``, or a number.
    unit : str
        Unit of the result.
    molar_mass : float, optional
        g/mol, needed between mass and moles.

    Raises
    ------
    ValueError
        The text is no quantity, has no unit, or one of another kind.

    Examples
    --------
    >>> parse("3.75 d", "h")
    90.0
    """
    if isinstance(value, bool):
        raise ValueError(f'{value!r} is not a quantity; write e.g. "{_example(unit)}"')
    if isinstance(value, str):
        number, written = quantity(value)
        if not written and _unit(unit).powers != _NONE:
            raise ValueError(f'"{value.strip()}" has no unit; write e.g. "{_example(unit)}"')
        return convert(number, written or "1", unit, molar_mass)
    try:
        number = float(value)
    except (TypeError, OverflowError):
        raise ValueError(f'{value!r} is not a quantity; write e.g. "{_example(unit)}"') from None
    if not math.isfinite(number):
        raise ValueError(f"{value!r} is not a finite number")
    return number


def convert(value: float, frm: str, to: str, molar_mass: float | None = None) -> float:
    """Return ``value`` of unit ``frm`` in unit ``to``.

    Mass and moles convert into each other only with ``molar_mass`` (g/mol).

    Examples
    --------
    >>> convert(5000, "cells/uL", "10^9/L")
    5.0
    >>> round(convert(1, "mg/L", "umol/L", molar_mass=807.9), 4)
    1.2378
    """
    if frm == to:
        return float(value)
    source, target = _unit(frm), _unit(to)
    ratio = source.factor / target.factor
    moles = source.powers[1] - target.powers[1]
    if source.powers == target.powers:
        return _scaled(value, ratio)
    if source.powers[0] + moles == target.powers[0] and source.powers[2:] == target.powers[2:]:
        if molar_mass is None:
            raise ValueError(f"converting '{frm}' to '{to}' needs the molar mass; give molar_mass in g/mol")
        if not (math.isfinite(molar_mass) and molar_mass > 0):
            raise ValueError(f"molar mass {molar_mass!r} g/mol is not a positive number")
        return _scaled(value, ratio) * molar_mass**moles
    name = _KINDS.get(target.powers, (f"unit like '{to}'", ""))[0]
    article = "an" if name[0] in "aeio" else "a"
    raise ValueError(f"unit '{frm}' is not {article} {name}; write e.g. \"{_example(to)}\"")


def dimension(unit: str) -> str:
    """Return what a unit measures in words, e.g. ``"time"`` or ``"dose per body weight"``.

    Examples
    --------
    >>> dimension("K/uL")
    'count per volume'
    """
    powers = _unit(unit).powers
    return _KINDS.get(powers, (f"unit like '{unit}'", ""))[0]


def limits(unit: str) -> tuple[float, float]:
    """Return the least and the most, zero apart, that a quantity of this kind can sensibly be, in ``unit``.

    They are far outside whatever occurs, and inside what can be computed.

    Examples
    --------
    >>> limits("h"), limits("10^9/L")
    ((0.001, 1000000.0), (1e-06, 1000000.0))
    """
    held = _unit(unit)
    if held.powers not in _LIMITS:
        return _LIMITS_ELSE
    low, high = _LIMITS[held.powers]
    return _scaled(low, 1 / held.factor), _scaled(high, 1 / held.factor)


def most_dose(unit: str) -> float:
    """Return the most that a dose can sensibly be, in ``unit``: a kilogram or 10 mol, also by weight or surface.

    Examples
    --------
    >>> most_dose("mg/m2"), most_dose("umol"), most_dose("rel")
    (1000000.0, 10000000.0, 1000000.0)
    """
    plain, _ = split_dose(unit)
    return next((convert(size, of, plain) for size, of in ((1.0, "kg"), (10.0, "mol")) if same_kind(of, plain)), 1e6)


def same_kind(first: str, second: str, *, molar: bool = False) -> bool:
    """Tell whether two units convert into each other; with ``molar``, also across mass and moles."""
    a, b = _unit(first).powers, _unit(second).powers
    return a == b or (molar and a[0] + a[1] == b[0] + b[1] and a[2:] == b[2:])


def split_dose(unit: str) -> tuple[str, str]:
    """Return a dose unit without its body measure, and that measure: ``"weight"``, ``"surface"`` or ``""``.

    Examples
    --------
    >>> split_dose("mg/m2")
    ('mg', 'surface')
    >>> split_dose("umol")
    ('umol', '')
    """
    powers = _unit(unit).powers
    if powers in (_MASS, _MOLE, _RELATIVE):
        return unit, ""
    for place, measure in ((4, "weight"), (5, "surface")):
        plain = tuple(p + int(i == place) for i, p in enumerate(powers))
        if powers[place] == -1 and plain in (_MASS, _MOLE):
            head, slash, tail = unit.partition("/")
            if slash and tail.strip() in ("kg", "m2", "m^2", "m²"):
                return head.strip(), measure
    raise ValueError(f'unit \'{unit}\' is not a dose; write e.g. "40 mg", "5 ug/kg" or "75 mg/m2"')


def _scaled(value: float, ratio: Fraction) -> float:
    if ratio.denominator == 1:
        return float(value) * float(ratio.numerator)
    if ratio.numerator == 1:
        return float(value) / float(ratio.denominator)
    return float(value) * float(ratio.numerator) / float(ratio.denominator)


def _example(unit: str) -> str:
    known = _KINDS.get(_unit(unit).powers)
    return known[1] if known and not unit.startswith("10") else f"1 {unit}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:40]}..."


def _looks_like_power(text: str) -> bool:
    return re.match(r"\s*10\s*(?:\^|\*|[⁰¹²³⁴⁵⁶⁷⁸⁹])", text) is not None


@lru_cache(maxsize=1024)
def _unit(text: str) -> _Unit:
    if not isinstance(text, str) or not text.strip():
        raise ValueError('a unit is missing; write e.g. "h", "mg/L" or "1" for a plain number')
    tidy = text.replace("²", "2").replace("³", "3").translate(_SUPERSCRIPT) if "10" not in text else _tens(text)
    factor, powers, rest = _product(tidy.strip(), text)
    if rest:
        raise ValueError(
            f"unit '{_short(text)}' is not understood from '{_short(rest)}' on; write e.g. \"mL/min/kg\" or \"1/(mg/L)\""
        )
    return _Unit(factor, powers)


def _hint(name: str, whole: str) -> str:
    """Say what was probably meant by a unit in which a name is not known."""
    if re.match(r",\s*\d", whole):
        return "write a number with a decimal point and without a comma"
    lower = {known.lower(): known for known in reversed(_TABLE)}
    cased = re.sub(r"[A-Za-zµμ]+[23]?", lambda m: m[0] if m[0] in _TABLE else lower.get(m[0].lower(), m[0]), whole)
    with suppress(ValueError):
        if cased != whole and _unit(cased):
            return f"did you mean '{_short(cased)}'?"
    close = difflib.get_close_matches(name, _TABLE, n=1, cutoff=0.6) if name else []
    return (
        f"did you mean '{close[0]}'?" if close else "known are mass, mol, time, volume, kg, m2 and counts like 10^9/L"
    )


def _tens(text: str) -> str:
    """Rewrite every spelling of a power of ten as ``10^n``."""
    plain = re.sub(r"10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "10^" + m[1].translate(_SUPERSCRIPT), text)
    return _POWER_OF_TEN.sub(lambda m: f"10^{m[1] or m[2]}", plain).translate(_SUPERSCRIPT)


def _product(text: str, whole: str) -> tuple[Fraction, tuple[int, ...], str]:
    """Read factors joined by ``/`` and ``*`` up to a closing parenthesis or the end."""
    factor, powers = Fraction(1), _NONE
    sign, rest = 1, text
    if rest.startswith("/"):
        sign, rest = -1, rest[1:].lstrip()
    while True:
        part, unit, rest = _factor(rest, sign, whole)
        factor *= part**sign
        powers = tuple(p + sign * u for p, u in zip(powers, unit, strict=True))
        rest = rest.lstrip()
        if rest[:1] in ("/", "*", "·"):
            sign, rest = (-1 if rest[0] == "/" else 1), rest[1:].lstrip()
        elif rest and rest[0] != ")" and re.match(r"cells?\b", rest):
            sign = 1
        else:
            return factor, powers, rest


def _factor(text: str, sign: int, whole: str) -> tuple[Fraction, tuple[int, ...], str]:
    if text.startswith("("):
        factor, powers, rest = _product(text[1:].lstrip(), whole)
        if not rest.startswith(")"):
            raise ValueError(f"unit '{_short(whole)}' opens a parenthesis that it does not close")
        return factor, powers, rest[1:]
    power = re.match(r"10\^(\d{1,2})(?!\d)|(1(?:0{1,12}))(?!\d)", text)
    if power:
        size = _ten(int(power[1])) if power[1] else Fraction(int(power[2]))
        return size, _NONE, text[power.end() :]
    match = re.match(r"[A-Za-zµμ%]+(?:\^?[23](?!\d))?|1(?!\d)", text)
    name = match[0] if match else ""
    after = text[len(name) :]
    many = re.match(r"\s*(?:cells?)?\s*/\s*([A-Za-zµμ]+3?)", after)
    if sign > 0 and name in _MANY and many and _TABLE.get(many[1], _TABLE["1"]).powers == _VOLUME:
        return _ten(_MANY[name]), _NONE, after
    unit = _TABLE.get(name)
    if unit is None:
        raise ValueError(f"unit '{_short(whole)}' is not known; {_hint(name, whole)}")
    if sign < 0 and name == "kg":
        return Fraction(1), _WEIGHT, after
    return unit.factor, unit.powers, after
