"""Shrinkage where it is known."""

import numpy as np
import pytest

from myelosim.fitting.diagnostics import eta_correlation, shrinkage


def test_a_balanced_linear_model_shrinks_by_the_share_of_the_error():
    subjects, rows, omega, noise = 40, 4, 0.3, 1.5
    # Means of subjects whose variance is exactly what the model says.
    means = np.random.default_rng(1).normal(size=subjects)
    means *= np.sqrt((omega + noise / rows) / means.var(ddof=1))
    etas = means * rows * omega / (rows * omega + noise)
    found = shrinkage(etas[:, None], [[omega]])
    expected = noise / (rows * omega + noise)
    assert found.loc[0, "variance"] == pytest.approx(expected)
    assert found.loc[0, "sd"] == pytest.approx(1.0 - np.sqrt(1.0 - expected))


def test_etas_of_the_model_s_own_spread_do_not_shrink_and_equal_ones_shrink_to_nothing():
    chance = np.random.default_rng(2)
    own = chance.normal(size=30)
    own /= own.std(ddof=1)
    etas = np.column_stack([own, np.zeros(30), own])
    found = shrinkage(etas, np.diag([1.0, 0.5, 0.0]), ["a", "b", "c"])
    assert found.loc["a", "sd"] == pytest.approx(0.0) and found.loc["a", "p"] > 0.0
    assert found.loc["b", "variance"] == 1.0 and np.isnan(found.loc["b", "p"])
    assert found.loc["c"].isna().all()


def test_subjects_without_observations_are_left_out():
    etas = np.random.default_rng(3).normal(size=(10, 2))
    more = np.vstack([etas, [[np.nan, np.nan]]])
    assert shrinkage(more, np.eye(2)).equals(shrinkage(etas, np.eye(2)))


def test_the_mean_of_etas_is_tested_at_its_rate():
    chance = np.random.default_rng(4)
    p = [shrinkage(chance.normal(size=(12, 1)), [[1.0]]).loc[0, "p"] for _ in range(400)]
    assert 8 <= np.sum(np.array(p) < 0.05) <= 36


def test_correlations_stand_beside_the_model_s():
    chance = np.random.default_rng(5)
    one = chance.normal(size=50)
    etas = np.column_stack([one, -2.0 * one, np.zeros(50)])
    found = eta_correlation(etas, [[4.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.0]], ["a", "b", "c"])
    assert found[["one", "other"]].to_numpy().tolist() == [["a", "b"], ["a", "c"], ["b", "c"]]
    assert found.loc[0, "correlation"] == pytest.approx(-1.0) and found.loc[0, "model"] == 0.5
    assert found.loc[1:, ["correlation", "model"]].isna().all(axis=None)
