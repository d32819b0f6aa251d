"""Units: known values, every spelling, what is refused, and that conversion is what it must be."""

import math
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myelosim.units import convert, dimension, limits, parse, quantity, same_kind, split_dose

IN_GIGA_PER_LITRE = {
    1.0: [
        "10^9/L", "10^3/uL", "x10E3/uL", "x10^3/uL", "X10^3/uL", "10*3/uL", "10**9/L", "10e3/uL", "10E9/L", "10(9)/L",
        "x10(3)/uL", "×10³/µL", "×10⁹/L", "x 10^9/L", "10 9/L", "K/uL", "k/uL", "K/µL", "K/mcL", "Thou/uL", "thou/mm3",
        "Thousand/uL", "G/L", "Giga/L", "/nL", "1/nL", "cells/nL", "1000/uL", "10^9 cells/L", "10^3 cells/uL",
        "10^6/mL", "M/mL", "10^3/mm3", "10^3/mm³", "K/cumm", "10^9/l",
    ],
    1e-3: ["/uL", "1/uL", "cells/uL", "cell/uL", "cells/mm3", "/mm3", "/mm³", "/cmm", "10^6/L", "cells/mcL"],
    1e3: [
        "10^12/L", "T/L", "Tera/L", "10^6/uL", "M/uL", "Mio/uL", "mill/mm3", "Million/uL", "x10E6/uL", "/pL",
        "10^6/mm3",
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("factor", "unit"), [(factor, unit) for factor, all_ in IN_GIGA_PER_LITRE.items() for unit in all_]
)
def test_counts_in_every_spelling(factor, unit):
    assert convert(2.5, unit, "10^9/L") == 2.5 * factor
    assert dimension(unit) == "count per volume"


@pytest.mark.parametrize(
    ("value", "frm", "to", "expected"),
    [
        (1, "d", "h", 24), (2, "weeks", "h", 336), (90, "min", "h", 1.5), (1, "h", "s", 3600),
        (3, "days", "d", 3), (1, "kg", "mg", 1e6), (250, "mcg", "mg", 0.25), (250, "µg", "mg", 0.25),
        (3, "pg", "ng", 0.003), (1, "mol", "umol", 1e6), (5, "nmol", "umol", 0.005), (1, "dL", "mL", 100),
        (1, "L", "mm3", 1e6), (1, "cc", "mL", 1), (90, "fL", "L", 90e-15), (1, "mL/min", "L/h", 0.06),
        (8, "mL/min/kg", "L/h/kg", 0.48), (0.5, "1/d", "1/h", 0.5 / 24), (24, "/d", "/h", 1),
        (1, "mg/L", "ng/mL", 1000), (1, "ug/mL", "mg/L", 1), (1, "umol/L", "nM", 1000),
        (1, "mM", "umol/L", 1000), (14, "g/dL", "g/L", 140), (40, "%", "1", 0.4), (1, "1/(mg/L)", "L/mg", 1),
        (1, "L/umol", "1/(nmol/L)", 0.001), (1, "mg/kg", "ug/kg", 1000), (75, "mg/m2", "mg/m²", 75),
        (70, "mL/kg", "L/kg", 0.07), (1, "ng*h/mL", "ug*h/L", 1), (1, "mg·h/L", "mg*d/L", 1 / 24),
        (1, "10^9/L/d", "10^9/L/h", 1 / 24), (1, "1/h/(10^9/L)", "1/d/(10^9/L)", 24),
        (1, "L/h/(K/uL)", "L/h/(10^9/L)", 1), (1, "nmol/L/(10^9/L)", "pmol/L/(G/L)", 1000),
        (18.8, "ug/nmol", "g/mol", 18800), (2, "ug/kg/day", "ug/kg/h", 2 / 24), (1, "rel", "rel", 1),
    ],
)  # fmt: skip
def test_known_conversions(value, frm, to, expected):
    assert convert(value, frm, to) == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("value", "frm", "to", "expected"),
    [
        (807.9, "mg", "umol", 1000), (1, "umol/L", "ng/mL", 807.9), (1, "ng/mL", "nmol/L", 1000 / 807.9),
        (1, "1/(umol/L)", "L/mg", 1 / 0.8079), (100, "mg/m2", "umol/m2", 1e5 / 807.9), (1, "mol/kg", "g/kg", 807.9),
    ],
)  # fmt: skip
def test_mass_and_moles_convert_with_a_molar_mass_only(value, frm, to, expected):
    assert convert(value, frm, to, molar_mass=807.9) == pytest.approx(expected, rel=1e-14)
    with pytest.raises(ValueError, match="needs the molar mass; give molar_mass in g/mol"):
        convert(value, frm, to)


def test_a_body_weight_is_not_a_mass_of_drug():
    assert dimension("kg") == "mass"
    assert dimension("mg/kg") == "dose per body weight"
    assert convert(1, "mg/g", "1") == 1e-3
    with pytest.raises(ValueError, match="is not a plain number"):
        convert(1, "mg/kg", "1")


def test_case_tells_cells_from_mass():
    assert dimension("G/L") == "count per volume"
    assert dimension("g/L") == "mass concentration"
    assert dimension("M/uL") == "count per volume"
    assert dimension("M") == "molar concentration"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("75 mg/m2", (75.0, "mg/m2")), ("90h", (90.0, "h")), (" 1.5e-3 mg ", (0.0015, "mg")), (".5 h", (0.5, "h")),
        ("5 10^9/L", (5.0, "10^9/L")), ("5x10^9/L", (5.0, "x10^9/L")), ("-3 mg", (-3.0, "mg")), ("5", (5.0, "")),
    ],
)  # fmt: skip
def test_quantity(text, expected):
    assert quantity(text) == expected


@pytest.mark.parametrize(
    ("text", "unit", "message"),
    [
        ("3 mg", "h", "unit 'mg' is not a time; write e.g. \"90 h\""),
        ("90", "h", '"90" has no unit; write e.g. "90 h"'),
        ("ninety h", "h", "does not begin with a number"),
        ("10^9/L", "10^9/L", "does not begin with a number"),
        ("nan h", "h", "does not begin with a number"),
        ("1e999 h", "h", "not a finite number"),
        ("5 mgg", "mg", "unit 'mgg' is not known; did you mean 'mg'?"),
        ("5 MG/M2", "mg/m2", "unit 'MG/M2' is not known; did you mean 'mg/m2'?"),
        ("5 ML/MIN/KG", "mL/min/kg", "did you mean 'mL/min/kg'?"),
        ("7,5 mg", "mg", "write a number with a decimal point and without a comma"),
        ("5 zorkmid", "mg", "'zorkmid' is not known; known are"),
        ("5 K", "mg", "'K' is not known"),
        ("5 1/(mg/L", "L/mg", "does not close"),
        ("5 mg mL", "mg", "is not understood from 'mL' on"),
        ("5 mg/", "mg", "is not known"),
        ("5 L", "mg", "unit 'L' is not a mass"),
        ("5 h", "10^9/L", "is not a count per volume"),
        ("5 h", "L/h", "unit 'h' is not a flow; write e.g. \"6.3 L/h\""),
        ("5 mg", "umol", "needs the molar mass"),
        ("5 ug", "rel", "is not a relative concentration"),
    ],
)
def test_what_is_no_quantity_says_why(text, unit, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        parse(text, unit)


@pytest.mark.parametrize("value", [math.nan, math.inf, True])
def test_numbers_must_be_numbers(value):
    with pytest.raises(ValueError, match=r"not a (finite number|quantity)"):
        parse(value, "h")


@pytest.mark.parametrize("molar_mass", [0.0, -1.0, math.nan])
def test_a_molar_mass_is_positive(molar_mass):
    with pytest.raises(ValueError, match="is not a positive number"):
        convert(1, "mg", "mol", molar_mass)


def test_empty_unit():
    with pytest.raises(ValueError, match="a unit is missing"):
        convert(1, "", "h")


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("mg", ("mg", "")),
        ("umol", ("umol", "")),
        ("rel", ("rel", "")),
        ("ug/kg", ("ug", "weight")),
        ("mg/m²", ("mg", "surface")),
    ],
)
def test_dose_units(unit, expected):
    assert split_dose(unit) == expected


@pytest.mark.parametrize("unit", ["h", "mg/L", "mg/h", "mg/kg/d", "1"])
def test_no_dose_units(unit):
    with pytest.raises(ValueError, match="is not a dose"):
        split_dose(unit)


def test_same_kind():
    assert same_kind("mg/L", "ng/mL")
    assert not same_kind("mg/L", "umol/L")
    assert same_kind("mg/L", "umol/L", molar=True)
    assert not same_kind("mg/L", "h", molar=True)


GROUPS = [
    ["ng", "ug", "mg", "g", "kg"], ["pmol", "nmol", "umol", "mmol", "mol"], ["s", "min", "h", "d", "wk"],
    ["L/h", "mL/min", "L/d", "uL/s"], ["10^9/L", "cells/uL", "K/uL", "10^12/L"], ["mg/L", "ng/mL", "g/dL", "pg/mL"],
    ["1/h", "/d", "1/min"], ["mg/kg", "ug/kg", "g/kg"],
]  # fmt: skip
PAIRS = st.sampled_from(GROUPS).flatmap(lambda group: st.tuples(*(st.sampled_from(group) for _ in range(3))))
VALUES = st.floats(1e-9, 1e9)


@settings(deadline=None)
@given(VALUES, PAIRS)
def test_conversion_is_transitive_and_turns_back(value, three):
    first, second, third = three
    assert convert(convert(value, first, second), second, first) == pytest.approx(value, rel=1e-14)
    by_way_of = convert(convert(value, first, second), second, third)
    assert by_way_of == pytest.approx(convert(value, first, third), rel=1e-14)


@settings(deadline=None)
@given(VALUES, PAIRS)
def test_text_and_number_agree(value, three):
    assert parse(f"{value!r} {three[0]}", three[1]) == convert(value, three[0], three[1])


@settings(deadline=None)
@given(VALUES, st.floats(10.0, 1e5))
def test_moles_turn_back(value, molar_mass):
    there = convert(value, "mg/L", "nmol/mL", molar_mass)
    assert convert(there, "nmol/mL", "mg/L", molar_mass) == pytest.approx(value, rel=1e-14)


@settings(deadline=None)
@given(st.text(max_size=12))
def test_any_text_is_read_or_refused_with_a_value_error(text):
    try:
        number, unit = quantity(text)
    except ValueError:
        return
    assert math.isfinite(number)
    assert not unit or dimension(unit)


@pytest.mark.parametrize(
    ("unit", "low", "high"),
    [
        ("h", 1e-3, 1e6), ("d", 1e-3 / 24, 1e6 / 24), ("10^9/L", 1e-6, 1e6), ("cells/uL", 1e-3, 1e9), ("1/d", 2.4e-5, 2.4e5),
        ("ng/mL", 1e-9, 1e9), ("nmol/L", 1e-9, 1e10), ("1", 1e-9, 1e6), ("%", 1e-7, 1e8), ("L/h/(10^9/L)", 1e-12, 1e12),
    ],
)  # fmt: skip
def test_limits_are_the_same_in_every_unit_of_a_kind(unit, low, high):
    assert limits(unit) == pytest.approx((low, high), rel=1e-12)
