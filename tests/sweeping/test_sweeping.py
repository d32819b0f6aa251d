"""What a sweep finds: the numbers of a comparison, cell by cell, from common subjects."""

import numpy as np
import pytest
import xarray as xr
from sweep_cases import AXIS, LIMIT, SCENARIO, small

import myelosim as ms
from myelosim.comparison import summary
from myelosim.spec.sweeps import load_sweep
from myelosim.sweeping import highest, outline
from myelosim.sweeping.limit import dose_matters, highest_dose


@pytest.fixture(scope="module")
def result():
    return ms.sweep(small(keep=[3, 17]))


def test_cells_are_the_arms_of_a_comparison(result):
    doses = [f"drug {dose} {schedule}" for dose in AXIS["dose"] for schedule in AXIS["schedule"]]
    compared = ms.compare({**SCENARIO, "arm": [{"name": one, "dose": one} for one in ["none", *doses]]})
    rows = summary(compared).set_index("arm")
    for dose in AXIS["dose"]:
        for schedule in AXIS["schedule"]:
            one = result.sel(dose=dose, schedule=schedule, lineage="neutrophil")
            row = rows.loc[f"drug {dose} {schedule}"]
            for name in ("p_grade3", "p_grade3_low", "p_grade3_high", "p_grade3_seen", "p_grade4_high", "at_baseline"):
                assert float(one[name]) == row[name]
            assert float(one["nadir"].sel(quantile=0.5)) == pytest.approx(row["nadir"], rel=1e-5)
            assert float(one["nadir_day"].sel(quantile=0.5)) == pytest.approx(row["nadir_day"], abs=1e-3)
            assert float(one["days_grade3"]) == pytest.approx(row["days_grade3"], rel=1e-5)
    none = rows.loc["none"]
    assert float(result["p_grade3_undosed"].sel(lineage="neutrophil")) == none["p_grade3"]
    course = compared["count"].sel(arm=f"drug 80 mg {AXIS['schedule'][1]}", subject=[3, 17], lineage="neutrophil")
    kept = result["count"].sel(dose="80 mg", schedule=AXIS["schedule"][1], lineage="neutrophil")
    np.testing.assert_allclose(kept, course, rtol=1e-6)
    assert np.array_equal(kept["time"], course["time"])


def test_the_highest_dose_has_its_upper_bound_under_the_limit(result):
    for schedule in AXIS["schedule"]:
        under = [
            d for d in AXIS["dose"] if result["p_limit_high"].sel(dose=d, schedule=schedule) < LIMIT["probability"]
        ]
        expected = under[-1] if under else "none"
        assert str(result["highest_dose"].sel(schedule=schedule).item()) == expected
    table = highest(result)
    assert list(table["schedule"]) == AXIS["schedule"]
    assert (table["p_high"].dropna() < LIMIT["probability"]).all()
    assert (table["p_above_high"].dropna() >= LIMIT["probability"]).all()
    assert len(set(table["highest_dose"])) > 1  # else the case says nothing


def test_none_where_no_dose_is_under_the_limit():
    found = ms.sweep(small(axis={"dose": ["400 mg", "800 mg"]}))
    assert str(found["highest_dose"].item()) == "none"
    assert np.isnan(found["highest_dose_number"])
    assert highest(found)["above"].item() == "400 mg"


def test_doses_are_ordered_by_amount():
    found = ms.sweep(
        small(axis={"dose": ["0.04 g", "none", "20 mg"]}, limit={"lineage": "neutrophil", "probability": 0.999})
    )
    assert str(found["highest_dose"].item()) == "0.04 g"
    assert float(found["p_grade3"].sel(dose="none").item()) == float(found["p_grade3_undosed"].item())


def test_table_has_a_row_per_cell_and_lineage(result):
    table = outline(result)
    assert len(table) == 6
    row = table[(table["dose"] == "80 mg") & (table["schedule"] == "BID d1-14")].iloc[0]
    assert row["nadir_p5"] < row["nadir_low"] < row["nadir"] < row["nadir_high"] < row["nadir_p95"]


def test_blocks_threads_and_company_change_no_bit(result):
    other = ms.sweep(small(block=40, keep=[3, 17]), threads=1)
    for one in (result, other):
        for name in ("seconds", "spec_hash"):
            one.attrs.pop(name, None)
    xr.testing.assert_identical(result, other)


def test_axes_of_size_parameter_and_population():
    found = ms.sweep(
        small(
            axis={
                "size": [8, 24],
                "neutrophil.mtt": ["100 h", "5 d"],
                "population": [{"name": "as they are"}, {"name": "low", "start": {"neutrophil": "1.2 10^9/L"}}],
            },
            limit={"endpoint": "days_grade3", "lineage": "neutrophil", "at_least": 7, "probability": 0.3},
        )
    )
    assert list(found["subjects"].sel(lineage="neutrophil")[:, 0, 0]) == [8, 24]
    assert list(found["neutrophil.mtt_number"].to_numpy()) == [100.0, 120.0]
    later = found["nadir_day"].sel(quantile=0.5, population="as they are").diff("neutrophil.mtt")
    assert (later > 0).all()
    assert found["p_grade3_undosed"].dims == ("size", "neutrophil.mtt", "population", "lineage")
    assert "highest_dose" not in found and found["p_limit"].dims == ("size", "neutrophil.mtt", "population")


def test_the_dose_of_a_saturated_effect_is_uninformative():
    sweep = load_sweep({
        "scenario": "asciminib_human_cml", "axis": {"dose": ["40 mg", "80 mg"]},
        "limit": {"lineage": "platelet", "probability": 0.5},
    })  # fmt: skip
    assert not dose_matters(sweep, "platelet") and not dose_matters(sweep, "neutrophil")
    rates = xr.Dataset({"p_limit": ("dose", [0.1, 0.1], {"long_name": "p"}), "p_limit_high": ("dose", [0.2, 0.2])})
    assert str(highest_dose(sweep, rates)["highest_dose"][1]) == "not by dose"


def test_the_dose_of_a_graded_effect_is_informative():
    sweep = load_sweep({"scenario": "cemsidomide_human_schedules", "axis": {"dose": ["50 ug"]}})
    assert all(dose_matters(sweep, lineage) for lineage in sweep.lineages)


def test_rules_hold_and_rescue_in_any_block():
    scenario = {
        **SCENARIO, "days": 42,
        "conduct": {"missed": 0.1, "dropout": 0.5, "signs": {"fever": {"21": [8]}}},
        "rule": {"hold": {"when": "neutrophil < 1.5", "do": "hold drug", "until": "neutrophil >= 1.5"}},
        "arm": [{"name": "a", "dose": "drug 40 mg BID d1-28", "rules": ["hold"]}],
    }  # fmt: skip
    axis = {"dose": ["40 mg", "160 mg"], "rules": ["none", ["hold"]]}
    one, other = (ms.sweep(small(scenario=scenario, axis=axis, block=block)) for block in (8, 40))
    xr.testing.assert_identical(one.drop_attrs(), other.drop_attrs())
    free, held = (one.sel(dose="160 mg", rules=name) for name in ("none", "hold"))
    assert float(held["dose_intensity"]) < float(free["dose_intensity"]) - 0.05
    assert float(held["days_grade3"].item()) < float(free["days_grade3"].item())
