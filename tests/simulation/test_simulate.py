"""Simulations from the top: shapes, units, subjects, doses, endpoints, refusals."""

from __future__ import annotations

import sys
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import myelosim as ms
from myelosim.simulation import simulated
from myelosim.spec.regimen import DoseEvent

pytestmark = pytest.mark.filterwarnings("ignore:drug. .* fall on or after the horizon")
MODEL = ms.load_model("generic_oral_2cmt_friberg")
DOSE = "drug 40 mg BID d1-28"


def bench(**options):
    return ms.simulate(MODEL, DOSE, **{"days": 56, **options})


@pytest.fixture(scope="module")
def people():
    return bench(population=ms.Population(40, seed=3), visits="d1 weekly")


def test_dims_and_units(people):
    assert people["count"].dims == ("subject", "lineage", "time") and people["count"].shape == (40, 1, 57)
    assert people["concentration"].dims == ("subject", "drug", "time")
    assert people["observed"].dims == ("subject", "lineage", "visit") and people["observed"].shape[2] == 9
    assert people["dose_given"].dims == ("subject", "dose") and people["dose_given"].shape == (40, 56)
    assert people["nadir"].dims == ("subject", "lineage")
    assert people["units"].to_numpy().tolist() == ["10^9/L"] and people["concentration_unit"].item() == "mg/L"
    assert people["time"].attrs["units"] == "day" and people["time"].to_numpy().tolist() == list(range(57))
    assert all("long_name" in v.attrs for n, v in people.data_vars.items() if v.dtype.kind == "f")


def test_says_where_it_comes_from(people):
    about = people.attrs
    assert (about["model"], about["seed"], about["tolerance"], about["regimen"]) == (MODEL.name, 3, 1e-6, DOSE)
    assert about["spec_hash"] == MODEL.spec_hash and about["assumed_parameters"] == len(MODEL.assumed) > 0
    assert bench(days=2).attrs["seed"] == -1


def test_times_and_days():
    assert bench(days=2.5)["time"].to_numpy().tolist() == [0.0, 1.0, 2.0, 2.5]
    some = bench(days=None, times=[5.0, 7.5, 1344.0])
    assert (24 * some["time"]).to_numpy().tolist() == [5.0, 7.5, 1344.0]
    assert float(some["nadir"].squeeze()) == pytest.approx(float(bench()["nadir"].squeeze()), rel=1e-6)
    ahead = bench(times=[24.0], days=56)
    assert float(ahead["nadir"].squeeze()) == pytest.approx(float(bench()["nadir"].squeeze()), rel=1e-6)
    assert ahead.sizes["time"] == 1


def test_times_that_differ_by_round_off_all_have_values():
    ds = bench(times=[0.0, 2.4, 2.4 + 1e-10, 16.8], days=3, visits=[0.1, 0.7])
    assert not ds["count"].isnull().any() and not ds["observed"].isnull().any()


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({"days": None}, "give times"),
        ({"days": 0}, "positive number of days"),
        ({"days": float("nan")}, "positive number of days"),
        ({"times": [3.0, 2.0]}, "later than the one before"),
        ({"times": [-1.0, 2.0]}, "from 0 on"),
        ({"times": []}, "from 0 on"),
        ({"start": {"platelet": 100.0}}, "has no lineage 'platelet'"),
        ({"days": "3 mg"}, "days: unit 'mg' is not a time"),
        ({"days": "three weeks"}, "days: 'three weeks' does not begin with a number"),
        ({"start": {"neutrophil": 0.0}}, "not a positive count"),
        ({"start": {"neutrophil": 1200.0}}, "1200 is not a positive count of at most 100 10"),
        ({"population": 5}, "population = 5 is no population; give e.g."),
        ({"tolerance": 0}, "tolerance = 0 is not possible; give a relative error from 1e-12"),
        ({"visits": [60]}, "after the horizon"),
        ({"population": ms.Population(2), "individuals": pd.DataFrame({"drug.cl": [1.0]})}, "not both"),
        ({"grading": "ctcae_v99"}, "ctcae_v99"),
    ],
)
def test_refusals(options, sentence):
    with pytest.raises(ms.SpecError, match=sentence):
        bench(**options)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ({"drug.cl": [6.0, np.nan]}, r"row 1, column drug\.cl: nan is not a value"),
        ({"drug.clearance": [6.0, 7.0]}, r"drug\.clearance"),
        ({"drug.cl": ["a", "b"]}, r"drug\.cl: 'a' is not a value"),
        ({"drug.cl": [5.0, -5.0]}, r"row 1, column drug\.cl: -5 L/h is out of bounds; it must be above 0"),
        ({"neutrophil.baseline": [5.0, -1.0, 4.0]}, r"row 1, column neutrophil\.baseline: -1 10\^9/L is out of bounds"),
        ({"neutrophil.baseline": [5.0, 2500.0]}, r"row 1, column neutrophil\.baseline: 2500 10\^9/L cannot be meant"),
        ({"neutrophil.gamma": [-0.1]}, r"row 0, column neutrophil\.gamma: -0\.1 is out of bounds"),
        ({"drug.slope": [-15.0]}, r"row 0, column drug\.slope: -15 1/\(mg/L\) is out of bounds"),
        ({"weight": [70.0, -70.0]}, "row 1, column weight: -70 is not possible"),
    ],
)
def test_bad_individuals_are_refused(column, message):
    with pytest.raises(ms.DataError, match=message):
        bench(individuals=pd.DataFrame(column))


def test_individual_covariates_are_held_to_what_they_change():
    with pytest.raises(
        ms.DataError,
        match=r"row 1, column aag: docetaxel\.neutrophil\.slope is changed by a factor of -44\.1202 by aag 130",
    ):
        ms.simulate(
            ms.load_model("kloft_2006_docetaxel"), "75 mg/m2", days=21, individuals=pd.DataFrame({"aag": [1.3, 130.0]})
        )


@pytest.mark.parametrize(
    ("model", "dose", "options", "message"),
    [
        (MODEL, None, {}, "dose None is not a text"),
        (MODEL, 75, {}, "dose 75 is not a text"),
        ("kloft_2006_docetaxel", DOSE, {}, "model = 'kloft_2006_docetaxel' is no model; give what ms.load_model"),
        (None, DOSE, {}, "model = None is no model"),
        (MODEL, DOSE, {"individuals": [1, 2]}, r"individuals: \[1, 2\] is no table; give a pandas.DataFrame"),
        (MODEL, "75 kg", {}, "a dose of 75 kg cannot be meant; it is at most 1 kg"),
        (MODEL, ms.Regimen((DoseEvent("drug", 0.0, 2e6),)), {}, "a dose of 2e[+]06 mg cannot be meant"),
    ],
)
def test_what_is_no_model_dose_or_table(model, dose, options, message):
    for run in (ms.simulate, ms.sensitivity) if not options else (ms.simulate,):
        with pytest.raises(ms.MyelosimError, match=message):
            run(model, dose, days=21, **options)


def test_the_one_drug_need_not_be_named():
    assert bench(days="3 weeks")["count"].equals(ms.simulate(MODEL, "40 mg BID d1-28", days=21)["count"])


def test_doses_beyond_the_horizon():
    for late in ("40 mg once d60", "40 mg once d57", ["40 mg QD d57-60", "none"][:1]):
        with pytest.raises(ms.SpecError, match=r"drug starts on d(60|57), after the horizon of 56 days"):
            ms.simulate(MODEL, late, days=56)
    with pytest.warns(ms.MyelosimWarning, match=r"drug: 9 of its 10 doses fall on or after the horizon of 21 days"):
        ds = ms.simulate(MODEL, "40 mg q21d x10", days=21)
    assert "9 of its 10 doses" in ds.attrs["warnings"]
    assert "doses" not in ms.simulate(MODEL, "40 mg q21d x10", days=190).attrs["warnings"]
    assert "doses" not in ms.simulate(MODEL, "40 mg QD", days=7).attrs["warnings"]


def test_a_table_of_concentrations_says_what_follows_it():
    def run(**change):
        table = {"times": (0.0, 24.0), "values": (0.0, 2.0), "interpolation": "linear"} | change
        drug = replace(MODEL.drugs["drug"], kind="table", structure={}, table=table)
        own = {name: p for name, p in MODEL.parameters.items() if name.count(".") > 1 or not name.startswith("drug")}
        return ms.simulate(replace(MODEL, drugs={"drug": drug}, parameters=own), "none", days=28)

    with pytest.raises(
        ms.SpecError, match=r'the table ends at 24 h with 2 mg/L, before the horizon of 28 days; .* after = "zero"'
    ):
        run()
    with pytest.raises(ms.SpecError, match="ends at 0 h with 1 mg/L"):
        run(times=(0.0,), values=(1.0,))
    held, zero = run(after="last"), run(after="zero")
    assert held["concentration"].to_numpy()[0, 0, [2, -1]].tolist() == [2.0, 2.0]
    assert zero["concentration"].to_numpy()[0, 0, [2, -1]].tolist() == [0.0, 0.0]
    assert float(zero.nadir.squeeze()) > 1.2 * float(held.nadir.squeeze())
    assert run(values=(0.0, 0.0)).nadir.item() == pytest.approx(5.0)


def test_a_dose_of_an_unknown_drug_is_refused():
    with pytest.raises(ms.SpecError, match="no drug 'drog'"):
        ms.simulate(MODEL, "drog 40 mg BID", days=2)


def test_typical_subject_is_the_default():
    typical = bench()["count"]
    given = bench(individuals=pd.DataFrame({n: [p.value] for n, p in MODEL.parameters.items()}))["count"]
    np.testing.assert_array_equal(typical, given)
    assert typical.sizes["subject"] == 1


def test_populations_repeat_and_extend(people):
    again = bench(population=ms.Population(40, seed=3), visits="d1 weekly")
    more = bench(population=ms.Population(90, seed=3), visits="d1 weekly").isel(subject=slice(40))
    for name in ("count", "observed", "nadir", "nadir_day", "days_grade3", "observed_grade"):
        np.testing.assert_array_equal(people[name], again[name])
        np.testing.assert_array_equal(people[name], more[name])
    other = bench(population=ms.Population(40, seed=4))
    assert not np.any(other["nadir"] == people["nadir"])


def test_endpoints_are_those_of_a_fine_course():
    ds = bench(times=np.arange(0.0, 1344.1, 0.5), population=ms.Population(30, seed=3), tolerance=1e-8)
    count, days = ds["count"].to_numpy()[:, 0], ds["time"].to_numpy()
    np.testing.assert_allclose(ds["nadir"][:, 0], count.min(axis=1), rtol=2e-6)
    np.testing.assert_allclose(ds["nadir_day"][:, 0], days[count.argmin(axis=1)], atol=0.03)
    for grade, limit in ((3, 1.0), (4, 0.5)):
        below = np.mean(count[:, :-1] < limit, axis=1) * 56.0
        np.testing.assert_allclose(ds[f"days_grade{grade}"][:, 0], below, atol=0.06)
    worst = np.digitize(count.min(axis=1), [0.5, 1.0, 1.5])
    np.testing.assert_array_equal(ds["worst_grade"][:, 0] >= 3, worst <= 1)


def test_cycles_have_their_own_nadir():
    ds = ms.simulate(MODEL, "drug 100 mg BID d1-7 q21d x3", days=63)
    assert ds["cycle"].to_numpy().tolist() == [1, 2, 3]
    nadir, day = ds["cycle_nadir"].to_numpy()[0, 0], ds["cycle_nadir_day"].to_numpy()[0, 0]
    assert np.all(np.diff(np.concatenate([day[:1] * 0, day])) > 0)
    assert np.all((day >= [0, 21, 42]) & (day <= [21, 42, 63]))
    assert float(ds["nadir"].squeeze()) == nadir.min()
    assert float(ds["nadir_day"].squeeze()) == day[nadir.argmin()]


@pytest.mark.filterwarnings("ignore::myelosim.MyelosimWarning")
def test_where_nothing_happens_the_nadir_is_at_the_first_dose():
    healthy = ms.load_model("asciminib", species="human")
    ds = ms.simulate(healthy, "asciminib 80 mg QD d3-30", days=28, population=ms.Population(20, seed=1))
    assert float(abs(ds.nadir / ds.baseline - 1.0).max()) < 1e-6
    assert np.all(ds.nadir_day == 2.0) and np.all(ds.nadir_at_edge == 1.0)


def test_doses_by_weight_follow_the_subject():
    heavy = ms.simulate(MODEL, "drug 1 mg/kg QD", days=3, individuals=pd.DataFrame({"weight": [50.0, 70.0, 100.0]}))
    for i, weight in enumerate((50, 70, 100)):
        alone = ms.simulate(MODEL, f"drug {weight} mg QD", days=3)
        np.testing.assert_allclose(heavy["concentration"][i], alone["concentration"][0], rtol=1e-9, atol=1e-12)
    everybody = ms.simulate(
        MODEL, "drug 1 mg/kg QD", days=3, population=ms.Population(2, covariates={"weight": [50.0, 100.0]})
    )
    peak = everybody["area"].to_numpy()[:, 0, -1] * MODEL.parameters["drug.cl"].value
    assert np.all(peak > 0)


def test_start_off_the_baseline(people):
    low = bench(start={"neutrophil": 2.0}, population=ms.Population(40, seed=3))
    np.testing.assert_allclose(low["count"][:, 0, 0], 2.0, rtol=1e-13)
    np.testing.assert_allclose(low["baseline"], 2.0, rtol=1e-13)
    full = people["baseline"].to_numpy()[:, 0] > 2.2
    assert np.all(low["count"].to_numpy()[full, 0, 1] < people["count"].to_numpy()[full, 0, 1])


def test_what_a_model_warns_of_is_said():
    model = ms.load_model("generic_three_lineage")
    with pytest.warns(ms.MyelosimWarning, match="stability limit"):
        ds = ms.simulate(model, DOSE, days=7)
    assert "stability limit" in ds.attrs["warnings"] and ds.attrs["illustrative"] == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulated(model, DOSE, days=7, warn=False)


def test_all_lineages_run_under_one_exposure():
    model = ms.load_model("generic_three_lineage")
    with pytest.warns(ms.MyelosimWarning):
        ds = ms.simulate(model, DOSE, days=28, start={"hemoglobin": 12.0})
    assert ds["lineage"].to_numpy().tolist() == ["neutrophil", "platelet", "hemoglobin"]
    assert ds["units"].to_numpy().tolist() == ["10^9/L", "10^9/L", "g/dL"]
    np.testing.assert_allclose(ds["rbc"], ds["count"].sel(lineage="hemoglobin") * 10 / 30, rtol=1e-12)
    assert float(ds["count"].sel(lineage="hemoglobin")[0, 0]) == pytest.approx(12.0)
    alone = ms.simulate(MODEL, DOSE, days=28)
    np.testing.assert_allclose(ds["count"][:, :1], alone["count"], rtol=1e-6)


def test_subjects_that_cannot_be_integrated():
    model = MODEL.replace({"drug.neutrophil.slope": 5000.0})
    frame = pd.DataFrame({"drug.neutrophil.slope": [0.35, 1e9, 0.5]})
    with pytest.raises(ms.SimulationError, match=r"1 of 3 subjects failed; first: subject 1 \(neutrophil"):
        ms.simulate(model, DOSE, days=14, individuals=frame)
    with pytest.warns(ms.MyelosimWarning, match=r"1 subjects could not be integrated and are NaN: \[1\]"):
        ds = ms.simulate(model, DOSE, days=14, individuals=frame, on_failure="mask", visits="d1 weekly")
    for name in ("count", "nadir", "days_grade3", "recovery_day", "observed"):
        assert ds[name][1].isnull().all(), name
    for name in ("count", "nadir", "days_grade3", "observed"):
        assert not ds[name][[0, 2]].isnull().any(), name
    assert ds["worst_grade"][1, 0] == -1 and np.all(ds["worst_grade"][[0, 2], 0] >= 0)


def test_a_model_without_lineages_has_concentrations_only():
    ds = ms.simulate(ms.load_model("generic_iv_1cmt"), "drug 100 mg once", days=2)
    assert "count" not in ds and "nadir" not in ds and "lineage" not in ds.dims
    assert float(ds["concentration"].squeeze()[0]) > 0


def test_no_dose_at_all():
    ds = ms.simulate(MODEL, ms.Regimen(()), days=14)
    np.testing.assert_allclose(ds["count"], 5.0, rtol=1e-12)
    assert ds.sizes["dose"] == 0 and float(ds["days_grade3"].squeeze()) == 0


def test_rows_give_the_same_simulation_back():
    ds = ms.simulate(MODEL, "drug 40 mg BID d1-7 + drug 60 mg over 2 h iv once d3", days=14)
    rows = ms.to_events(ds)
    assert list(rows.columns[:4]) == ["ID", "TIME", "AMT", "RATE"] and set(rows["EVID"]) == {0, 1}
    assert rows["TIME"].is_monotonic_increasing and rows["EVID"].iloc[0] == 0
    np.testing.assert_allclose(rows.loc[rows["EVID"] == 0, "DV"], ds["count"].to_numpy().ravel())


def test_rows_are_numbers_in_the_drugs_own_unit_and_give_each_subject_back():
    model = ms.load_model("kloft_2006_docetaxel")
    about = pd.DataFrame({"surface": [1.5, 2.0], "weight": [50.0, 90.0]})
    ds = ms.simulate(model, "docetaxel 75 mg/m2 over 2 h q21d x2", days=30, individuals=about)
    rows = ms.to_events(ds)
    given = rows[rows["EVID"] == 1]
    np.testing.assert_allclose(given["AMT"], np.repeat([1.5, 2.0], 2) * 75 * 1000 / 807.9, rtol=1e-12)
    np.testing.assert_allclose(given["RATE"], given["AMT"] / 2.0)
    assert set(given["CMT"]) == {1} and rows.attrs["YTYPE"] == {1: "neutrophil"}
    assert set(rows.select_dtypes(exclude="number")) == {"DVID", "DRUG"}
    with pytest.raises(ms.SpecError, match="column 'ID' names several subjects"):
        ms.Regimen.from_events(rows)
    for k in (0, 1):
        one = ms.simulate(
            model, ms.Regimen.from_events(rows[rows["ID"] == k + 1]), days=30, individuals=about[k : k + 1]
        )
        np.testing.assert_allclose(one["count"][0], ds["count"][k], rtol=1e-6)
    two = ms.compare({"format": 1, "title": "T", "model": "kloft_2006_docetaxel", "days": 7, "population": {"size": 2}, "arm": [
        {"name": "a", "dose": "none"}, {"name": "b", "dose": "docetaxel 75 mg/m2 over 2 h once"}]})  # fmt: skip
    assert ms.to_events(two.sel(arm="a"))["EVID"].max() == 0
    np.testing.assert_allclose(ms.to_events(two.sel(arm="b")).query("EVID == 1")["AMT"], 1.8 * 75 * 1000 / 807.9)


def test_a_reset_is_a_row_of_its_own():
    rows = pd.DataFrame({"TIME": [0.0, 24.0, 48.0], "AMT": [40.0, 0.0, 20.0], "EVID": [1, 3, 4]})
    back = ms.to_events(ms.simulate(MODEL, ms.Regimen.from_events(rows, drug="drug"), days=4)).query("EVID > 0")
    assert back[["TIME", "AMT", "EVID"]].to_numpy().tolist() == rows.to_numpy().tolist()


def test_no_dose_is_no_share_of_one():
    assert np.isnan(ms.simulate(MODEL, "none", days=3)["dose_intensity"]).all()
    assert (ms.simulate(MODEL, "drug 40 mg QD", days=3)["dose_intensity"] == 1).all()


def test_sensitivity_of_what_cannot_be_integrated_speaks_of_the_typical_subject(monkeypatch):
    def fails(*arguments, **options):
        raise ms.SimulationError("24 of 24 subjects failed")

    monkeypatch.setattr(sys.modules["myelosim.simulation.sensitivity"], "simulate", fails)
    with pytest.raises(ms.SimulationError, match=r"the typical subject, .* 'drug 40 mg QD'; give a smaller dose"):
        ms.sensitivity(MODEL, "drug 40 mg QD")


def test_observed_scatter_is_there_only_with_visits(people):
    assert "observed" not in bench(days=7) and "observed_grade" not in bench(days=7)
    ratio = people["observed"].to_numpy()[:, 0] / people["count"].to_numpy()[:, 0, ::7]
    assert 0.1 < np.std(np.log(ratio[ratio > 0.2])) < 0.3


def test_sensitivity_finds_what_drives_the_nadir():
    table = ms.sensitivity(MODEL, DOSE, endpoint="nadir", days=56)
    assert set(table["parameter"]) <= set(MODEL.parameters)
    by_name = table.set_index("parameter")["elasticity"]
    assert by_name["neutrophil.baseline"] == pytest.approx(1.0, abs=1e-4)
    assert by_name["drug.cl"] > 0 > by_name["drug.neutrophil.slope"]
    assert table["elasticity"].abs().is_monotonic_decreasing
    with pytest.raises(ms.SpecError, match="not an endpoint"):
        ms.sensitivity(MODEL, DOSE, endpoint="nadyr")


def test_threads_change_no_bit(people):
    ds = bench(population=ms.Population(40, seed=3), visits="d1 weekly", threads=3)
    for name in people.data_vars:
        np.testing.assert_array_equal(ds[name], people[name], err_msg=str(name))


def test_models_differ_by_what_they_say():
    assert bench(days=7)["count"].equals(bench(days=7)["count"])
    weaker = ms.simulate(MODEL.replace({"drug.neutrophil.slope": 0.2}), DOSE, days=56)
    assert float(weaker["nadir"].squeeze()) > float(bench()["nadir"].squeeze())
    same = ms.simulate(replace(MODEL, name="other"), DOSE, days=56)
    assert same["count"].equals(bench()["count"])


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("days_grade3", "days_grade3 is 0 for the typical subject"),
        ("true_onset", "true_onset has no value for the typical subject"),
        ("worst_grade", "worst_grade is a grade, which changes in steps"),
        ("grade3_at_horizon", "grade3_at_horizon is a flag"),
    ],
)
def test_an_endpoint_that_cannot_change_by_a_percent_has_no_elasticity(endpoint, message):
    with pytest.raises(ms.SpecError, match=message):
        ms.sensitivity(MODEL, "drug 1 mg once", endpoint=endpoint, days=7)


def test_sensitivity_stays_inside_the_bounds():
    model = ms.load_model("puisset_2007_docetaxel")
    level = replace(model.parameters["neutrophil.baseline"], value=100.0)  # the most that is accepted
    model = replace(model, parameters={**model.parameters, "neutrophil.baseline": level})
    table = ms.sensitivity(model, "75 mg/m2 over 1 h", days=21, parameters=["neutrophil.baseline"])
    assert table["elasticity"].item() == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(
    ("doses", "message"),
    [
        ("drug 40", "40 has no unit; drug takes mg, mg/kg, mg/m2; write e.g"),
        (["drug 40 mg QD", "drug 40 mg QD d8"], "drug is dosed twice at the same time, first on d8"),
        (["drug 40 mg QD", "none"], "'none' stands beside 'drug 40 mg QD'"),
        ("seventy mg", "no amount, and no drug 'seventy'; write e.g. \"drug 40 mg BID\""),
    ],
)
def test_doses_are_refused_as_in_a_scenario(doses, message):
    with pytest.raises(ms.SpecError, match=message):
        ms.simulate(MODEL, doses, days=14)
