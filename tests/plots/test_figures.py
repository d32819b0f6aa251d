"""The numbers behind the pictures, each worked out otherwise."""

import numpy as np
import pytest

import myelosim as ms
from myelosim.endpoints.interval import proportion
from myelosim.errors import SpecError
from myelosim.plots import figures


def test_spread_is_the_quantiles_of_those_present(by_hand):
    found = figures.spread(by_hand["count"])
    assert found.dims == ("quantile", "arm", "lineage", "time")
    np.testing.assert_allclose(found.sel(quantile=0.5, arm="b", lineage="neutrophil"), np.median([2.0, 1.0, 0.99, 0.4]))
    np.testing.assert_allclose(found[0, 1, 0, 2], np.quantile([2.0, 1.0, 0.99, 0.4], 0.05))


def test_grade_share_counts_each_grade_and_takes_the_milder_at_a_boundary(by_hand):
    share = figures.grade_share(by_hand, "neutrophil")
    np.testing.assert_allclose(share.sel(arm="b", time=1.0), [0.25, 0.0, 0.25, 0.25, 0.25])
    np.testing.assert_allclose(share.sum("grade"), 1.0)


def test_grade_share_goes_by_each_subject_s_own_baseline(by_hand):
    by_hand.attrs["grading"] = "percent_of_baseline"
    # Percent of baseline in arm a after time zero: 50, 25, 49.5, 40; boundaries at 90, 75, 50 and 25 %.
    share = figures.grade_share(by_hand, "neutrophil")
    np.testing.assert_allclose(share.sel(arm="a", time=2.0), [0.0, 0.0, 0.25, 0.75, 0.0])


def test_grade_share_of_what_is_not_there(by_hand):
    with pytest.raises(SpecError, match=r"platelet.*has neutrophil, hemoglobin"):
        figures.grade_share(by_hand, "platelet")
    none = by_hand.assign(grade_limit=by_hand["grade_limit"] * np.nan)
    with pytest.raises(SpecError, match="no number for neutrophil"):
        figures.grade_share(none, "neutrophil")


def test_occupancy_never_exceeds_who_ever_reaches_the_grade(compared):
    share = figures.grade_share(compared, "neutrophil").sel(grade=[3, 4]).sum("grade")
    ever = figures.share_at_grade3(compared).sel(interval="estimate", lineage="neutrophil")
    assert bool((share <= ever + 1e-12).all())
    assert float(share.sel(arm="40 mg").max()) > 0.2


def test_share_at_grade3_has_wilson_s_interval_and_leaves_the_lost_out(by_hand):
    found = figures.share_at_grade3(by_hand)
    np.testing.assert_allclose(found.sel(arm="a", lineage="neutrophil"), proportion([0, 0, 1, 1]))
    np.testing.assert_allclose(found.sel(arm="a", lineage="hemoglobin"), proportion([0, 0, 0, 1]))
    without = by_hand.assign(grade_limit=by_hand["grade_limit"].where(by_hand["grade"] != 3))
    assert np.isnan(figures.share_at_grade3(without)).all()


def test_most_affected(by_hand):
    assert figures.most_affected(by_hand) == "neutrophil"
    assert figures.most_affected(by_hand.isel(lineage=[1, 0])) == "neutrophil"
    nobody = by_hand.assign(worst_grade=0 * by_hand["worst_grade"] + [1.0, 2.0])
    assert figures.most_affected(nobody) == "hemoglobin"


def test_as_graded_is_percent_of_own_baseline_only_where_grades_are(by_hand):
    assert figures.as_graded(by_hand) is by_hand
    by_hand.attrs["grading"] = "percent_of_baseline"
    own = figures.as_graded(by_hand)
    np.testing.assert_allclose(own["count"].sel(arm="a", lineage="neutrophil", time=2.0)[:4], [50.0, 25.0, 49.5, 40.0])
    np.testing.assert_allclose(own["nadir"].sel(arm="b", lineage="neutrophil")[:4], 100.0)
    np.testing.assert_allclose(own["grade_limit"].sel(lineage="neutrophil"), [90.0, 75.0, 50.0, 25.0])
    assert str(own["units"].sel(lineage="neutrophil").item()) == "% of baseline"


def test_thinned_keeps_the_extremes():
    values = np.append(np.random.default_rng(1).normal(size=1000), np.nan)
    kept = figures.thinned(values, 50)
    assert kept.size == 50 and kept[0] == np.nanmin(values) and kept[-1] == np.nanmax(values)
    assert np.median(kept) == pytest.approx(np.nanmedian(values), abs=0.1)
    assert figures.thinned(np.array([2.0, np.nan, 1.0])).tolist() == [1.0, 2.0]


def test_doses_given_joins_days_and_parts_shares(by_hand):
    assert figures.doses_given(by_hand, "a") == [figures.Given("x", 0.0, 2.0, 1.0), figures.Given("x", 3.0, 4.0, 0.75)]
    assert figures.doses_given(by_hand, "b") == [figures.Given("y", 0.0, 2.0, 1.0)]
    assert figures.doses_given(by_hand.drop_dims("dose"), "a") == []


def test_doses_of_a_schedule(compared):
    runs = [(given.start, given.end) for given in figures.doses_given(compared, "40 mg")]
    assert runs == [(0.0, 14.0), (28.0, 42.0)]
    assert figures.doses_given(compared, "none") == []


def test_subjects_of_each_arm(by_hand):
    assert figures.subjects(by_hand) == [4, 4]


def test_calendar(compared, by_hand):
    days = figures.calendar(compared, 2)
    assert [own.size for own in days.values()] == [0, 2, 2] or all(own.size <= 2 for own in days.values())
    assert days["40 mg"].size == 2
    with pytest.raises(SpecError, match="no calendar of 9 draws; there are those of 1, 2, 3"):
        figures.calendar(compared, 9)
    with pytest.raises(SpecError, match="recommends no days"):
        figures.calendar(by_hand, 2)


def test_by_arm_takes_a_simulation_one_arm_or_one_lineage(compared):
    alone = ms.simulate(ms.load_model("generic_oral_2cmt_friberg"), "drug 40 mg BID d1-14", days=28)
    result = figures.by_arm(alone)
    assert result["arm"].to_numpy().tolist() == ["drug 40 mg BID d1-14"]
    np.testing.assert_allclose(result["grade_limit"][0], [np.nan, 1.5, 1.0, 0.5])
    assert figures.doses_given(result, "drug 40 mg BID d1-14") == [figures.Given("drug", 0.0, 14.0, 1.0)]
    one = figures.by_arm(compared.sel(arm="40 mg", lineage="neutrophil"))
    assert one.sizes["arm"] == one.sizes["lineage"] == 1 and str(one["arm"].item()) == "40 mg"
    with pytest.raises(SpecError, match="has no variable count"):
        figures.by_arm(compared.drop_vars("count"))
