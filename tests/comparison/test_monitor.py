"""What a comparison says of the days to draw blood."""

import warnings

import numpy as np
import pytest

import myelosim as ms
from myelosim.comparison import days_table
from myelosim.comparison.monitor import SEEN, fresh_courses, looked_at
from myelosim.simulation import simulated
from myelosim.spec import load_scenario
from myelosim.trial import run_arm

SCENARIO = {
    "format": 1,
    "title": "By percent of baseline",
    "model": {"drug": "cemsidomide", "species": "cynomolgus"},
    "days": 28,
    "grading": "percent_of_baseline",
    "population": {"size": 60, "seed": 1},
    "arm": [
        {"name": "none", "dose": "none"},
        {"name": "high", "dose": "cemsidomide 200 ug QD d1-14"},
    ],
}
MOUSE = SCENARIO | {"model": {"drug": "cemsidomide", "species": "mouse", "variant": "humanized_crbn"}}


def quietly(ask, *arguments, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        return ask(*arguments, **options)


def compared(**changes):
    return quietly(ms.compare, SCENARIO | changes)


@pytest.fixture(scope="module")
def visited():
    return compared(visits=[0, 3, 5, 7])


def test_draws_are_counted_beside_that_of_the_baseline(visited):
    own = visited.sel(arm="high", calendar="own visits")
    assert float(own["calendar_number"]) == 3
    # four draws of 0.5 mL with the baseline's; most is taken of what a week allows, three of 0.5 % of 4 kg
    assert float(own["calendar_blood"]) == 2.0
    assert float(own["calendar_limit"]) == pytest.approx(3 * 0.5 / 20.0)
    assert float(visited["monitoring_number"].sel(arm="high", draws=4)) == 4


def test_more_draws_never_catch_less(visited):
    for name, sign in (("in_time", 1), ("caught", 1), ("miss", -1)):
        seen = visited[f"monitoring_{name}"]
        assert seen.dims == ("arm", "lineage", "draws") and seen.sizes["draws"] == 8
        own = seen.sel(arm="high", lineage="neutrophil").to_numpy()
        assert np.all(sign * np.diff(own) >= 0) and own[0] != own[-1]
        low, high = (
            visited[f"monitoring_{name}_{end}"].sel(arm="high", lineage="neutrophil") for end in ("low", "high")
        )
        assert bool(((low <= own) & (own <= high)).all())
        assert seen.sel(arm="none").isnull().all()
    caught, in_time = visited["monitoring_caught"], visited["monitoring_in_time"]
    assert caught.sel(lineage="hemoglobin").isnull().all()
    assert bool((in_time <= caught).where(caught.notnull(), True).all())
    assert visited["monitoring_how"].sel(arm="high", draws=5).item() == "exact"


def test_days_are_found_without_visits_where_grades_go_by_the_baseline(visited):
    """The baseline is drawn in any case: without it no draw could be graded."""
    alone = compared()
    assert "own visits" not in alone["calendar"]
    np.testing.assert_array_equal(alone["monitoring_day"], visited["monitoring_day"])
    np.testing.assert_array_equal(alone["monitoring_caught"], visited["monitoring_caught"])
    assert not bool((alone["monitoring_day"] == 0.0).any())


def test_scored_on_those_who_come_next(monkeypatch):
    """The fresh subjects of 20 are subjects 20 to 39 of 40, with the counts and the scatter those have."""
    held = load_scenario(SCENARIO | {"population": {"size": 20, "seed": 3}})
    arm, days = held.arms[1], looked_at(held)
    fresh = quietly(fresh_courses, held, arm)["neutrophil"]
    own = quietly(run_arm, held, arm, days).candidates["neutrophil"]
    many = simulated(
        arm.model, arm.regimen, days=28, population=ms.Population(40, seed=3), candidates=days, warn=False,
        grading=held.grading,
    ).candidates["neutrophil"]  # fmt: skip
    np.testing.assert_array_equal(own.observed, many.observed[:20])
    np.testing.assert_array_equal(fresh.baseline, many.baseline[20:])
    np.testing.assert_allclose(fresh.count, many.count[20:], rtol=1e-3)
    np.testing.assert_allclose(fresh.observed, many.observed[20:], rtol=0, atol=0.02)  # rounded to 0.01 as reports are
    table = days_table(compared(population={"size": 20, "seed": 3}))
    assert set(table["chosen_on"]) == set(table["scored_on"]) == {20}
    monkeypatch.setattr("myelosim.comparison.monitor.MOST_FRESH", 5)
    assert quietly(fresh_courses, held, arm)["neutrophil"].count.shape[0] == 5


def test_days_keep_to_weekdays_gap_and_blood():
    table = quietly(ms.monitoring_days, SCENARIO, draws=(4,), weekdays=(0, 3), first_day=2, gap=4.0, within=3.0)
    (days,) = table[table["draws"] == 4]["days"].map(tuple).unique()
    # study day 1 is a Wednesday: Thursdays are elapsed days 1, 8, 15, 22, Mondays 5, 12, 19, 26
    assert len(days) == 4 and {day % 7 for day in days} <= {1.0, 5.0}
    assert min(np.diff([0.0, *days])) >= 4.0


def test_more_blood_than_allowed():
    """A 25 g mouse gives 0.1 mL at most twice in any 28 days: at the baseline, once, and on day 28 again."""
    said = r"3 draws beside the 1 drawn anyway cannot be had: .*four_weeks allows 0.281 mL within 28 days, .*; 2 are "
    with pytest.raises(ms.SpecError, match=said):
        quietly(ms.monitoring_days, MOUSE, draws=(3,))
    result = quietly(ms.compare, MOUSE | {"recommend": {"draws": [3]}})
    assert "four_weeks allows" in result.attrs["warnings"] and "monitoring_day" not in result
    two = quietly(ms.monitoring_days, MOUSE, draws=(1, 2, 3))
    assert set(two["draws"].dropna()) == {1.0, 2.0}
    chosen = two["draws"].notna()
    assert (two["limit"][chosen] <= 1.0).all() and (two["limit"][~chosen] > 1.0).all()
    free = quietly(ms.monitoring_days, MOUSE, draws=(3,), blood="none")
    assert set(free["draws"].dropna()) == {3.0} and free["limit"].isna().all()


def test_nothing_to_choose_by():
    with pytest.raises(ms.SpecError, match="no subject reaches grade 3"):
        quietly(ms.monitoring_days, SCENARIO | {"arm": SCENARIO["arm"][:1]})


def test_the_nadir_alone():
    table = quietly(ms.monitoring_days, SCENARIO, draws=(1,), nadir_weight=1.0)
    high = table[(table["arm"] == "high") & (table["lineage"] == "neutrophil")].set_index("calendar")
    assert high["miss"]["1 draw chosen"] < 0.1
    # without drug nothing falls, and nothing is missed
    assert table[table["arm"] == "none"]["miss"].max() < 1e-3


def test_fresh_subjects_are_treated_by_the_rules():
    """Subjects 12 to 23 alone are held, miss doses and leave as they do in company."""
    rule = {"when": "neutrophil < 2.0", "do": "hold cemsidomide", "until": "neutrophil >= 2.5"}
    held = load_scenario(
        SCENARIO | {
            "population": {"size": 12, "seed": 3}, "visits": "d1 weekly", "rule": {"hold": rule},
            "conduct": {"missed": 0.1, "dropout": 0.9},
            "arm": [{"name": "high", "dose": "cemsidomide 200 ug QD d1-14", "rules": ["hold"]}],
        }
    )  # fmt: skip
    arm, days = held.arms[0], looked_at(held)
    fresh = quietly(fresh_courses, held, arm)["neutrophil"]
    everybody = simulated(
        arm.model, arm.regimen, days=28, population=ms.Population(24, seed=3), candidates=days, warn=False,
        grading=held.grading, visits=list(held.visits), rules=arm.rules, conduct=held.conduct, tolerance=SEEN,
    )  # fmt: skip
    given = everybody.dataset["dose_given"].to_numpy()
    assert (given[12:] == 0).any() and (given[12:] > 0).any()
    np.testing.assert_allclose(fresh.count, everybody.candidates["neutrophil"].count[12:], rtol=SEEN)
