"""The outer search, on functions that are known."""

from types import SimpleNamespace

import numpy as np
import pytest

from myelosim.fitting.fit import _history
from myelosim.fitting.search import begin, minimize


class Kinked:
    """A kink at 1, and nothing from ``edge`` on: one that wide differences step over."""

    b = None

    def __init__(self, edge):
        self.edge = edge

    def value(self, x):
        total = abs(float(x[0]) - 1.0) + float(x[1]) ** 2 if x[0] < self.edge else np.inf
        return SimpleNamespace(x=x, total=total)

    def accept(self, value):
        pass

    def fresh(self, value):
        return value

    def slope(self, value):
        return np.array([np.sign(value.x[0] - 1.0), 2.0 * value.x[1]]), None


@pytest.mark.parametrize("edge", [np.inf, 1.09])
def test_a_search_that_is_stuck_at_a_kink_ends_there(edge):
    objective = Kinked(edge)
    found = minimize(objective, begin(objective, np.array([0.3, 0.4])))
    assert found.wide and found.why
    np.testing.assert_allclose(found.x, [1.0, 0.0], atol=0.05)
    assert np.isfinite(found.gradient).all()


def test_a_search_that_ended_at_its_start_has_a_history_of_numbers():
    held = begin(Kinked(1.0), np.array([0.3, 0.4]))
    assert list(_history(1, held).select_dtypes("float64")) == ["objective", "gradient", "radius"]
