"""Criteria: concave, in proportion to the information, also where something they do not depend on is undetermined."""

import numpy as np
import pytest

from myelosim.designing.criterion import Criterion, relative

RNG = np.random.default_rng(3)


def information(rows=9, size=4):
    looks = RNG.normal(size=(rows, size)) * [1.0, 30.0, 0.2, 5.0][:size]
    return looks.T @ looks


def padded(fim, extra=2):
    """Return the information with parameters that nothing is known of."""
    wide = np.zeros((len(fim) + extra, len(fim) + extra))
    wide[: len(fim), : len(fim)] = fim
    return wide


CASES = {
    "D": Criterion("D"),
    "Ds": Criterion("Ds", interest=(0, 2)),
    "A": Criterion("A", weights=relative([1.0, 2.0, 3.0, 4.0])),
    "decision": Criterion("nadir", weights=np.outer([1.0, -2.0, 0.0, 0.3], [1.0, -2.0, 0.0, 0.3])[None]),
}


def score(criterion, fim):
    return float(criterion(np.asarray(fim)[None, None])[0])


@pytest.mark.parametrize("name", CASES)
def test_scores_are_concave_and_proportional_and_their_gradient_bounds_every_other(name):
    criterion = CASES[name]
    for _ in range(20):
        one, two = information(), information()
        assert score(criterion, 3.0 * one) == pytest.approx(3.0 * score(criterion, one))
        assert score(criterion, one + two) >= score(criterion, one) + score(criterion, two) - 1e-9
        slope = criterion.gradient(one[None])[0]
        assert np.trace(slope @ one) == pytest.approx(score(criterion, one))
        assert np.trace(slope @ two) >= score(criterion, two) * (1 - 1e-9)


@pytest.mark.parametrize("name", ["Ds", "decision"])
def test_an_unknown_that_does_not_matter_leaves_the_score(name):
    criterion = CASES[name]
    wide = Criterion(
        name, criterion.interest, None if criterion.weights is None else padded(criterion.weights[0])[None]
    )
    for _ in range(5):
        one, two = information(), information(rows=12, size=4)
        assert score(wide, padded(one)) == pytest.approx(score(criterion, one), rel=1e-9)
        other = padded(two)
        other[4:, 4:] = np.eye(2)
        slope = wide.gradient(padded(one)[None])[0]
        assert np.trace(slope @ padded(one)) == pytest.approx(score(wide, padded(one)))
        assert np.trace(slope @ other) >= score(wide, other) * (1 - 1e-9)


def test_a_score_is_zero_where_what_it_weighs_is_unknown():
    fim = np.diag([2.0, 0.0])
    assert score(Criterion("A", weights=relative([1.0, 1.0])), fim) == 0.0
    assert score(Criterion("Ds", interest=(1,)), fim) == 0.0
    assert score(Criterion("D"), fim) == 0.0
    alike = np.array([[1.0, 1.0], [1.0, 1.0]])
    together = np.array([1.0, 1.0])
    assert score(Criterion("nadir", weights=np.outer(together, together)[None]), alike) == pytest.approx(1.0)
    assert score(Criterion("nadir", weights=np.outer([1.0, 0.9], [1.0, 0.9])[None]), alike) == 0.0
