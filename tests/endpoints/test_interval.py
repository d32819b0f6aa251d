"""Intervals: published numbers, another implementation, coverage."""

import numpy as np
import pytest
from scipy import stats

from myelosim.endpoints.interval import paired_difference, proportion, quantile
from myelosim.random import uniforms


@pytest.mark.parametrize(
    ("yes", "of", "low", "high"),
    # Newcombe, Stat Med 1998;17:857-72, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(yes, of, low, high):
    found = proportion([1] * yes + [0] * (of - yes))
    assert found.low == pytest.approx(low, abs=5e-5) and found.high == pytest.approx(high, abs=5e-5)
    mirrored = proportion([0] * yes + [1] * (of - yes))
    assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low), abs=1e-12)


def test_subjects_without_an_answer_are_left_out():
    assert proportion([1.0, 0.0, np.nan]) == proportion([True, False])
    assert np.isnan(proportion([np.nan])).all() and np.isnan(quantile([np.nan])).all()


@pytest.mark.parametrize("n", [5, 6, 10, 25, 100, 1001])
@pytest.mark.parametrize("q", [0.5, 0.1])
def test_order_statistics_are_those_of_the_exact_test(n, q):
    sample = np.exp(stats.norm.ppf((np.arange(n) + 0.5) / n))
    other = stats.quantile_test(sample, p=q).confidence_interval(0.95)
    found = quantile(sample, q)
    low, high = (np.nan_to_num(other.low, nan=-np.inf), np.nan_to_num(other.high, nan=np.inf))
    assert (found.low, found.high) == (low, high)


def test_times_beyond_the_horizon():
    found = quantile([3.0, 5.0, np.inf, np.inf])
    assert found.estimate == np.inf and found.high == np.inf
    assert quantile([1.0, 2.0, 3.0, np.inf, np.inf]).estimate == 3.0


def test_paired_difference_covers():
    """400 studies of 60 pairs with differing, correlated proportions: 95 % intervals miss the truth in about 20."""
    u = uniforms(1, "resample", 400 * 60, 2).reshape(400, 60, 2)
    first, second = u[..., 0] < 0.4, (0.7 * u[..., 0] + 0.3 * u[..., 1]) < 0.3
    truth = 0.4 - np.mean((0.7 * uniforms(2, "resample", 10**5, 1) + 0.3 * uniforms(3, "resample", 10**5, 1)) < 0.3)
    covered = [low <= truth <= high for _, low, high in map(paired_difference, first, second)]
    assert 0.92 <= np.mean(covered) <= 0.99


def test_paired_difference_is_narrower_than_unpaired():
    flags = np.arange(50) < 15
    other = np.arange(50) < 10
    width = np.ptp(paired_difference(flags, other)[1:])
    apart = np.ptp(paired_difference(flags, np.roll(other, 20))[1:])
    assert width < 0.7 * apart


def test_paired_difference_of_extremes_and_order():
    found = paired_difference([0] * 10, [0] * 10)
    # no event in either: the bounds are those of one Wilson interval
    assert found.estimate == 0 and found.high == pytest.approx(proportion([0] * 10).high)
    a, b = np.arange(30) < 12, np.arange(30) % 3 == 0
    one, two = paired_difference(a, b), paired_difference(b, a)
    assert (one.low, one.high) == pytest.approx((-two.high, -two.low))
    with pytest.raises(ValueError, match=r"same subjects, not \(2,\) and \(3,\)"):
        paired_difference([0, 1], [0, 1, 1])


@pytest.mark.parametrize("level", [0.0, 1.0, 95])
def test_levels_that_cannot_be(level):
    with pytest.raises(ValueError, match=r"for 95 % write 0\.95"):
        proportion([1, 0], level)
