"""What is seen: pairing of noise, rounding, size of the scatter."""

import numpy as np
import pytest

from myelosim.simulation.observed import observe
from myelosim.spec.model import Residual

PROPORTIONAL = Residual("proportional", {"proportional": 0.2})


def test_arms_with_other_visits_stay_paired():
    weekly = observe(np.full((9, 3), 400.0), np.array([0.0, 168.0, 336.0]), "platelet", PROPORTIONAL, 5)
    sparse = observe(np.full((9, 1), 400.0), np.array([336.0]), "platelet", PROPORTIONAL, 5)
    np.testing.assert_array_equal(sparse[:, 0], weekly[:, 2])
    other = observe(np.full((9, 1), 400.0), np.array([336.0]), "hemoglobin", PROPORTIONAL, 5)
    assert np.all(other != sparse)


def test_visits_of_each_subject_and_rows_of_some():
    hours = np.array([[0.0, 168.0], [168.0, 336.0]])
    own = observe(np.full((2, 2), 400.0), hours, "platelet", PROPORTIONAL, 5)
    shared = observe(np.full((2, 3), 400.0), np.array([0.0, 168.0, 336.0]), "platelet", PROPORTIONAL, 5)
    np.testing.assert_array_equal(own, [shared[0, :2], shared[1, 1:]])
    alone = observe([[400.0, 400.0]], [168.0, 336.0], "platelet", PROPORTIONAL, 5, subjects=np.array([1]))
    np.testing.assert_array_equal(alone[0], own[1])


def test_where_nothing_is_drawn_nothing_is_seen():
    seen = observe([[np.nan, 4.0]], [0.0, 168.0], "neutrophil", PROPORTIONAL, 5)
    assert np.isnan(seen[0, 0]) and seen[0, 1] > 0
    paired = observe([[4.0, 4.0]], [0.0, 168.0], "neutrophil", PROPORTIONAL, 5)
    assert paired[0, 1] == seen[0, 1]


def test_scatter_is_the_residual_s():
    seen = observe(np.full((20_000, 1), 1e6), [24.0], "rbc", PROPORTIONAL, 5)
    assert seen.mean() == pytest.approx(1e6, rel=5 * 0.2 / 141)
    assert seen.std() == pytest.approx(2e5, rel=0.03)


def test_reports_round_and_are_not_negative():
    wild = Residual("additive", {"additive": 3.0})
    seen = observe(np.full((500, 1), 1.0), [24.0], "neutrophil", wild, 5)
    assert seen.min() == 0.0
    np.testing.assert_array_equal(seen, np.round(seen, 2))
    np.testing.assert_array_equal(observe([[49.6, 0.4]], [0.0, 1.0], "platelet", None, 0), [[50.0, 0.0]])
    np.testing.assert_array_equal(observe([[7.96]], [0.0], "hemoglobin", None, 0), [[8.0]])
