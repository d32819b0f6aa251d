"""What a comparison says of the days to draw blood."""

import warnings

import numpy as np
import pytest

import myelosim as ms

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


def compared(**changes):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        return ms.compare(SCENARIO | changes)


@pytest.fixture(scope="module")
def visited():
    return compared(visits=[0, 3, 5, 7])


def test_every_draw_of_the_protocol_counts_also_that_of_the_baseline(visited):
    assert visited["protocol_draws"].to_numpy().tolist() == [4, 4]


def test_more_draws_never_catch_less(visited):
    caught = visited["monitoring_caught"]
    assert caught.dims == ("arm", "lineage", "draws") and caught.sizes["draws"] == 8
    own = caught.sel(arm="high", lineage="neutrophil").to_numpy()
    assert np.all(np.diff(own) >= 0) and own[0] < own[-1] <= 1.0
    assert caught.sel(arm="none").isnull().all() and caught.sel(lineage="hemoglobin").isnull().all()
    low, high = (visited[f"monitoring_caught_{end}"].sel(arm="high", lineage="neutrophil") for end in ("low", "high"))
    assert bool(((low <= own) & (own <= high)).all())


def test_days_are_found_without_visits_where_grades_go_by_the_baseline(visited):
    """The baseline is drawn in any case: without it no draw could be graded."""
    alone = compared()
    assert "protocol_draws" not in alone
    np.testing.assert_array_equal(alone["monitoring_day"], visited["monitoring_day"])
    np.testing.assert_array_equal(alone["monitoring_caught"], visited["monitoring_caught"])
    assert not bool((alone["monitoring_day"] == 0.0).any())
