"""Random streams: prefixes, independence, and what is refused."""

import numpy as np
import pytest
from scipy import stats

from myelosim.random import PURPOSES, normals, uniforms


@pytest.mark.parametrize("draw", [normals, uniforms])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 64, 333])
def test_a_subject_is_the_same_in_any_company(draw, size):
    np.testing.assert_array_equal(draw(5, "eta", size, 3, "a"), draw(5, "eta", 1000, 3, "a")[:size])


def test_rows_are_taken_not_drawn_anew():
    rows = np.array([17, 3, 99])
    np.testing.assert_array_equal(normals(5, "eta", 100, 2, rows=rows), normals(5, "eta", 100, 2)[rows])


def test_streams_differ_by_seed_purpose_and_label():
    base = (1, "eta", 50, 1, "neutrophil", 7)
    others = [
        (2, "eta", 50, 1, "neutrophil", 7),
        (1, "noise", 50, 1, "neutrophil", 7),
        (1, "eta", 50, 1, "platelet", 7),
        (1, "eta", 50, 1, "neutrophil", 8),
        (1, "eta", 50, 1, "neutrophil", "7"),
        (1, "eta", 50, 1, "neutrophil7"),
    ]
    for other in others:
        assert not np.any(normals(*base) == normals(*other))
        # 50 draws each: a correlation of 0.6 between independent streams has probability 5e-6
        assert abs(np.corrcoef(normals(*base).ravel(), normals(*other).ravel())[0, 1]) < 0.6


def test_a_day_that_went_through_hours_is_the_same_day():
    hours = 0.1 * 3 * 24  # 7.200000000000001
    assert hours / 24 != 0.3
    np.testing.assert_array_equal(normals(1, "noise", 9, 1, hours / 24), normals(1, "noise", 9, 1, 0.3))
    np.testing.assert_array_equal(normals(1, "noise", 9, 1, np.float64(7)), normals(1, "noise", 9, 1, 7))
    np.testing.assert_array_equal(normals(1, "noise", 9, 1, -0.0), normals(1, "noise", 9, 1, 0))


def test_distribution():
    z = normals(3, "eta", 20_000, 5, "x")
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3
    # columns are independent: 10 correlations of 20,000 draws, each with standard error 0.007
    assert np.max(np.abs(np.corrcoef(z.T) - np.eye(5))) < 0.03
    assert np.all(np.isfinite(z))


def test_the_numbers_stay_what_they_are():
    """A change here changes every published result: Philox is stable across NumPy versions, and so must its key be."""
    np.testing.assert_allclose(uniforms(1, "eta", 2, 2, "a", 7), FROZEN, rtol=1e-15)


FROZEN = [[0.9174696279034188, 0.5853081408769453], [0.8281493455621315, 0.3498839328272819]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1, "etas", 3, 1), f"'etas' is not a purpose of random numbers; known: {', '.join(PURPOSES)}"),
        ((-1, "eta", 3, 1), "seed of a random stream is -1"),
        ((1.5, "eta", 3, 1), "seed of a random stream is 1.5"),
        ((2**64, "eta", 3, 1), "seed of a random stream is"),
        ((1, "eta", -3, 1), "size of a random stream is -3"),
        ((1, "eta", 3, 0), "width of a random stream is 0"),
        ((1, "eta", 3, 1, None), "None cannot label"),
        ((1, "eta", 3, 1, True), "True cannot label"),
        ((1, "eta", 3, 1, float("nan")), "nan cannot label"),
    ],
)
def test_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        normals(*arguments)
