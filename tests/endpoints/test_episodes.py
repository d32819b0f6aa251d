"""Crossings into episodes, visits into runs; a dense grid as the judge."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myelosim.endpoints.episodes import episodes, runs

NAN = np.nan


def test_pairing():
    crossing = np.array(
        [
            [NAN, NAN, NAN],  # never crosses
            [10.0, 30.0, NAN],  # one episode
            [10.0, 30.0, 50.0],  # a second one, still open at 100
            [20.0, NAN, NAN],  # begins below, leaves at 20
            [NAN, NAN, NAN],  # below throughout
            [20.0, 40.0, 60.0],  # below 0-20 and 40-60
        ]
    )
    found = episodes(crossing, np.array([False, False, False, True, True, True]), 0.0, 100.0)
    np.testing.assert_array_equal(found.start, [[NAN, NAN], [10, NAN], [10, 50], [0, NAN], [0, NAN], [0, 40]])
    np.testing.assert_array_equal(found.end, [[NAN, NAN], [30, NAN], [30, 100], [20, NAN], [100, NAN], [20, 60]])
    assert found.open.tolist() == [False, False, True, False, True, False]
    assert found.any.tolist() == [False, True, True, True, True, True]
    assert found.total().tolist() == [0, 20, 70, 20, 100, 40]
    assert found.longest().tolist() == [0, 20, 50, 20, 100, 20]
    np.testing.assert_array_equal(found.last_end(), [NAN, 30, NAN, 20, NAN, 60])


def test_no_room_for_crossings_at_all():
    found = episodes(np.empty((2, 0)), np.array([True, False]), 0.0, 100.0)
    assert found.total().tolist() == [100, 0]


waves = st.lists(st.tuples(st.floats(0.1, 2), st.floats(0.01, 0.3), st.floats(0, 6.3)), min_size=1, max_size=3)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(waves, st.floats(-1, 1))
def test_times_below_agree_with_a_dense_grid(parts, level):
    grid = np.linspace(0.0, 200.0, 200_001)  # 1/1000 h apart; the fastest wave has a period of 20 h
    values = sum(a * np.sin(w * grid + phase) for a, w, phase in parts)
    below = values < level
    change = np.nonzero(below[1:] != below[:-1])[0]
    found = episodes((grid[change] + 0.0005)[None, :], below[:1], 0.0, 200.0)
    assert found.total()[0] == pytest.approx(below.mean() * 200.0, abs=0.002 * (len(change) + 1))
    stretches = np.diff(np.concatenate([[0.0], grid[change] + 0.0005, [200.0]]))[int(not below[0]) :: 2]
    assert found.longest()[0] == pytest.approx(stretches.max(initial=0.0), abs=1e-9)
    assert bool(found.open[0]) == bool(below[-1])


def test_runs_of_visits():
    time = 24.0 * np.array([1, 3, 5, 7, 9])
    seen = np.ones((5, 5), dtype=bool)
    seen[3, 2] = False
    low = np.array(
        [
            [0, 0, 0, 0, 0],  # never
            [0, 1, 1, 0, 0],  # days 3 and 5, recovered when seen on day 7
            [1, 0, 0, 1, 1],  # day 1, until day 3; days 7 and 9, to the horizon on day 12
            [0, 1, 0, 1, 0],  # nothing drawn on day 5: one run from 3 to 7, until 9
            [0, 1, 0, 1, 0],  # the same seen: two runs
        ],
        dtype=bool,
    )
    found = runs(time, low, seen, 24.0 * 12)
    np.testing.assert_array_equal(found.first / 24, [[NAN, NAN], [3, NAN], [1, 7], [3, NAN], [3, 7]])
    np.testing.assert_array_equal(found.last / 24, [[NAN, NAN], [5, NAN], [1, 9], [7, NAN], [3, 7]])
    np.testing.assert_array_equal(found.until / 24, [[NAN, NAN], [7, NAN], [3, 12], [9, NAN], [5, 9]])
    np.testing.assert_array_equal(found.open, [[0, 0], [0, 0], [0, 1], [0, 0], [0, 0]])


def test_a_run_before_missing_visits_is_censored():
    # day 3 qualifies, nothing is drawn afterwards: it may have lasted to the horizon
    found = runs(np.array([72.0, 120.0]), np.array([[True, False]]), np.array([[True, False]]), 240.0)
    assert found.until.tolist() == [[240.0]] and found.open.tolist() == [[True]]


def test_no_visits():
    assert np.isnan(runs(np.empty(0), np.empty((3, 0), dtype=bool), np.empty((3, 0), dtype=bool), 240.0).first).all()


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([0, 1, None]), min_size=1, max_size=12))
def test_runs_agree_with_walking_through_the_visits(values):
    time = 24.0 * np.arange(len(values))
    expected, current = [], None
    for t, value in zip(time, values, strict=True):
        if value == 1:
            current = current or [t, t, 24.0 * len(values), True]
            current[1] = t
        elif value == 0 and current:
            expected.append([*current[:2], t, False])
            current = None
    if current:
        expected.append(current)
    low, seen = np.array([[v == 1 for v in values]]), np.array([[v is not None for v in values]])
    found = runs(time, low, seen, 24.0 * len(values))
    for i, run in enumerate(expected):
        assert [found.first[0, i], found.last[0, i], found.until[0, i], bool(found.open[0, i])] == run
    assert np.sum(~np.isnan(found.first)) == len(expected)
