"""Checks of a model's own numbers, held to closed forms."""

import dataclasses
import math

import pytest

import myelosim as ms
from myelosim.errors import SpecError
from myelosim.spec.model import Expected
from myelosim.validation import check, validate


def obtained(name, **expected):
    model = dataclasses.replace(ms.load_model(name), expected=(Expected("x", value=0.0, tolerance=0.0, **expected),))
    (one,) = check(model)
    assert one.problem == ""
    return one.obtained


def test_a_peak_between_the_times_looked_at_first():
    p = {name: one.value for name, one in ms.load_model("generic_oral_1cmt").parameters.items()}
    ka, k = p["drug.ka"], p["drug.cl"] / p["drug.vc"]
    top = math.log(ka / k) / (ka - k)
    assert abs(top / 0.25 - round(top / 0.25)) > 0.05
    peak = p["drug.f"] * 70 / p["drug.vc"] * math.exp(-k * top)
    value = obtained("generic_oral_1cmt", endpoint="cmax", dose="drug 70 mg once", days=10, drug="drug")
    assert value == pytest.approx(peak, rel=1e-6)


def test_a_peak_at_the_end_of_an_infusion():
    p = {name: one.value for name, one in ms.load_model("generic_iv_1cmt").parameters.items()}
    k, hours = p["drug.cl"] / p["drug.vc"], 1.03
    peak = 10 / hours / p["drug.cl"] * (1 - math.exp(-k * hours))
    value = obtained("generic_iv_1cmt", endpoint="cmax", dose="drug 10 mg over 1.03 h once", days=3, drug="drug")
    assert value == pytest.approx(peak, rel=1e-9)


def test_an_area_is_dose_over_clearance():
    p = {name: one.value for name, one in ms.load_model("generic_iv_1cmt").parameters.items()}
    value = obtained("generic_iv_1cmt", endpoint="auc", dose="drug 10 mg once", days=200, drug="drug")
    assert value == pytest.approx(10 / p["drug.cl"], rel=1e-9)


def test_counts_before_and_under_a_lasting_effect():
    """Under a constant effect E the chain settles at baseline * (1 - E)^(1 / gamma)."""
    name = "generic_oral_2cmt_friberg"
    p = {key: one.value for key, one in ms.load_model(name).parameters.items()}
    settings = {"lineage": "neutrophil", "dose": "drug 2000 mg over 8000 h iv once", "days": 300, "at": 7000.0}
    effect = p["drug.neutrophil.slope"] * 0.25 / p["drug.cl"]
    lasting = (1 - effect) ** (1 / p["neutrophil.gamma"])
    assert obtained(name, endpoint="ratio", **settings) == pytest.approx(lasting, rel=1e-5)
    assert obtained(name, endpoint="count", **settings) == pytest.approx(p["neutrophil.baseline"] * lasting, rel=1e-5)
    doubled = settings | {"set": {"neutrophil.baseline": 2 * p["neutrophil.baseline"]}}
    assert obtained(name, endpoint="count", **(doubled | {"at": 0.0})) == 2 * p["neutrophil.baseline"]


def test_a_nadir_is_the_simulation_s():
    settings = {"lineage": "neutrophil", "dose": "drug 40 mg BID d1-28", "days": 56}
    ds = ms.simulate(ms.load_model("generic_oral_2cmt_friberg"), settings["dose"], days=56, tolerance=1e-8)
    assert obtained("generic_oral_2cmt_friberg", endpoint="nadir", **settings) == float(ds.nadir[0, 0])
    assert obtained("generic_oral_2cmt_friberg", endpoint="nadir_day", **settings) == float(ds.nadir_day[0, 0])


def test_what_misses_and_what_cannot_be_run_is_told():
    def expect(value, dose):
        return Expected("x", "auc", value, 1e-3, dose=dose, days=200, drug="drug")

    model = ms.load_model("generic_iv_1cmt")
    right = 10 / model.parameters["drug.cl"].value
    expected = (
        expect(right, "drug 10 mg once"),
        expect(right + 2e-3, "drug 10 mg once"),
        expect(1.0, "drug 10 parsecs"),
    )
    met, missed, broken = check(dataclasses.replace(model, expected=expected))
    assert (met.met, missed.met, broken.met) == (True, False, False)
    assert math.isnan(broken.obtained) and "parsecs" in broken.problem


def test_models_named_must_expect_something():
    with pytest.raises(SpecError, match="expects no number"):
        validate(["generic_oral_2cmt_friberg"])
    assert [one.met for one in validate(["generic_iv_1cmt"])] == [True]
