"""Nadirs and crossings against a fine grid of the same run."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from engine_cases import BENCH, bid, doses, run, varied

HOURS = 56 * 24.0
GRID = np.arange(0.0, HOURS + 0.1, 0.25)
LIMITS = np.array([4.0, 2.0, 1.5, 1.0, 0.5])


@pytest.fixture(scope="module")
def both():
    """Return a run with few times and one on a fine grid."""
    people = varied(60, seed=4)
    few = run(BENCH, bid(HOURS), [0.0, HOURS], people, limits={"neutrophil": LIMITS}, windows=[(0.0, HOURS)])
    fine = run(BENCH, bid(HOURS), GRID, people, tolerance=1e-9)
    return few.tracks["neutrophil"], fine.tracks["neutrophil"].count


def grid_crossings(count, limit):
    """Return the hours at which a fine course passes a limit, between the points by a straight line."""
    below = count < limit
    at = np.flatnonzero(below[1:] != below[:-1])
    share = (limit - count[at]) / (count[at + 1] - count[at])
    return GRID[at] + share * (GRID[at + 1] - GRID[at])


def test_minimum_is_the_lowest_point(both):
    few, fine = both
    lowest = fine.min(axis=1)
    np.testing.assert_allclose(few.minimum[:, 0], lowest, rtol=2e-6)
    assert np.all(few.minimum[:, 0] <= lowest * (1 + 1e-6))
    assert np.max(np.abs(few.minimum_time[:, 0] - GRID[fine.argmin(axis=1)])) < 0.5


def test_crossings_are_where_a_fine_course_crosses(both):
    few, fine = both
    found = 0
    for i in range(len(fine)):
        for j, limit in enumerate(LIMITS):
            hours = few.crossing[i, j][np.isfinite(few.crossing[i, j])]
            known = grid_crossings(fine[i], limit)
            if len(known) != len(hours):  # a course may graze a limit
                assert abs(fine[i].min() / limit - 1) < 1e-5
                continue
            np.testing.assert_allclose(hours, known, atol=0.02)
            found += len(hours)
    assert found > 150


def test_crossings_increase_and_pad(both):
    few, _ = both
    assert np.all(np.diff(few.crossing, axis=2)[np.isfinite(few.crossing[:, :, 1:])] > 0)
    gone = np.isnan(few.crossing)
    assert np.all(gone[:, :, 1:] >= gone[:, :, :-1])


def test_thresholds_of_their_own():
    people = varied(11)
    half = 0.5 * people["neutrophil.baseline"][:, None]
    own = run(BENCH, bid(HOURS), [0.0, HOURS], people, limits={"neutrophil": half}, windows=[(0.0, HOURS)]).tracks[
        "neutrophil"
    ]
    for i in range(11):
        one = {name: float(v[i]) for name, v in people.items()}
        alone = run(BENCH, bid(HOURS), [0.0, HOURS], one, limits={"neutrophil": half[i]}, windows=[(0.0, HOURS)])
        known = alone.tracks["neutrophil"].crossing[0, 0]
        np.testing.assert_allclose(own.crossing[i, 0][: len(known)], known, atol=1e-2)


def test_windows_share_what_there_is(both):
    edges = [0.0, 100.0, 337.3, 700.0, HOURS]
    people = varied(60, seed=4)
    windows = list(pairwise(edges))
    parts = run(BENCH, bid(HOURS), edges, people, limits={"neutrophil": LIMITS}, windows=windows).tracks["neutrophil"]
    few, fine = both
    np.testing.assert_allclose(parts.minimum.min(axis=1), few.minimum[:, 0], rtol=2e-6)
    width = min(parts.crossing.shape[2], few.crossing.shape[2])
    np.testing.assert_allclose(parts.crossing[:, :, :width], few.crossing[:, :, :width], atol=0.02)
    for k, (low, high) in enumerate(windows):
        within = (low <= GRID) & (high >= GRID)
        edge = np.minimum(parts.count[:, k], parts.count[:, k + 1])
        np.testing.assert_allclose(parts.minimum[:, k], np.minimum(fine[:, within].min(axis=1), edge), rtol=2e-6)
        assert np.all((parts.minimum_time[:, k] >= low) & (parts.minimum_time[:, k] <= high))


def test_nothing_outside_the_windows_is_seen():
    done = run(BENCH, bid(HOURS), [0.0], limits={"neutrophil": LIMITS}, windows=[(0.0, 24.0)]).tracks["neutrophil"]
    assert done.crossing.shape[2] == 0 and done.minimum[0, 0] > 4.9


def test_what_never_falls_has_its_minimum_at_the_start():
    done = run(BENCH, [], [0.0, HOURS], varied(8), limits={"neutrophil": LIMITS}, windows=[(0.0, HOURS)]).tracks[
        "neutrophil"
    ]
    np.testing.assert_allclose(done.minimum[:, 0], varied(8)["neutrophil.baseline"], rtol=1e-12)
    assert done.crossing.shape[2] == 0


def test_a_count_at_its_threshold_is_above_it():
    done = run(BENCH, [], [0.0, HOURS], limits={"neutrophil": np.array([5.0])}, windows=[(0.0, HOURS)]).tracks[
        "neutrophil"
    ]
    assert done.crossing.shape[2] == 0


def test_room_is_made_for_many_crossings():
    many = [{"TIME": 240.0 * i, "AMT": 900.0, "CMT": "central"} for i in range(40)]
    short, limits = {"neutrophil.mtt": 40.0}, {"neutrophil": np.array([4.0, 1.0])}
    done = run(BENCH, doses(*many), [0.0, 9600.0], short, limits=limits, windows=[(0.0, 9600.0)]).tracks["neutrophil"]
    hours = done.crossing[0, 0][np.isfinite(done.crossing[0, 0])]
    assert len(hours) > 60 and np.all(np.diff(hours) > 0)
    grid = np.arange(0.0, 9600.1, 2.0)
    fine = run(BENCH, doses(*many), grid, short).tracks["neutrophil"].count[0]
    assert len(hours) == np.sum((fine[1:] < 4.0) != (fine[:-1] < 4.0))


@pytest.mark.parametrize("kind", [3, 4])
def test_a_jump_over_a_threshold_is_a_crossing(kind):
    events = doses(
        {"TIME": 0.0, "AMT": 40.0, "II": 12.0, "ADDL": 24},
        {"TIME": 300.0, "AMT": 40.0 if kind == 4 else 0.0, "EVID": kind},
    )
    done = run(
        BENCH, events, [0.0, 299.0, 300.0, 400.0], limits={"neutrophil": LIMITS}, windows=[(0.0, 200.0), (200.0, 400.0)]
    )
    track = done.tracks["neutrophil"]
    assert track.count[0, 1] < 2.0 and track.count[0, 2] == 5.0
    assert track.crossing[0, 0, :2][1] == 300.0 and track.crossing[0, 1, 1] == 300.0
    assert np.isnan(track.crossing[0, 3]).all()
