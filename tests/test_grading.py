"""Grading: boundaries, missing numbers, percent of baseline."""

import numpy as np
import pytest

from myelosim.grading import NOT_GRADED, Bounds, Table, grade, thresholds

CTCAE = Table(
    "ctcae_v5",
    {
        "neutrophil": Bounds(("lln", 1.5, 1.0, 0.5)),
        "platelet": Bounds(("lln", 75.0, 50.0, 25.0)),
        "hemoglobin": Bounds(("lln", 10.0, 8.0, None)),
    },
)
# iwCLL: a fall of more than 10, 25, 50, 75 % of baseline; platelets under 20 are grade 4 whatever the baseline
CLL = Table("cll", {"platelet": Bounds((None, None, None, 20.0), (0.9, 0.75, 0.5, 0.25))})


@pytest.mark.parametrize(
    ("count", "expected"),
    # CTCAE v5: grade 2 is "<1.5 - 1.0", so 1.0 itself is grade 2 and anything under it grade 3
    [(2.0, 0), (1.99, 1), (1.5, 1), (1.49, 2), (1.0, 2), (0.99, 3), (0.5, 3), (0.49, 4), (0.0, 4)],
)
def test_a_count_at_a_boundary_takes_the_milder_grade(count, expected):
    assert grade(count, "neutrophil", CTCAE, lln=2.0) == expected


def test_a_grade_without_a_number_is_never_given():
    assert grade([7.9, 0.1], "hemoglobin", CTCAE, lln=12.0).tolist() == [3, 3]
    np.testing.assert_array_equal(thresholds("hemoglobin", CTCAE, lln=12.0), [12.0, 10.0, 8.0, np.nan])
    assert CTCAE.has("hemoglobin", 3) and not CTCAE.has("hemoglobin", 4)


def test_what_cannot_be_graded():
    assert grade([np.nan, 1.2], "neutrophil", CTCAE, lln=2.0).tolist() == [NOT_GRADED, 2]
    assert grade([5.0], "leukocyte", CTCAE).tolist() == [NOT_GRADED]
    assert np.isnan(thresholds("leukocyte", CTCAE)).all() and not CTCAE.has("leukocyte", 3)


def test_without_a_lower_limit_grade_one_has_no_number():
    assert grade([1.7, 1.4], "neutrophil", CTCAE).tolist() == [0, 2]
    assert np.isnan(thresholds("neutrophil", CTCAE)[0])


def test_a_lower_limit_under_grade_two_hides_grade_one():
    # a mouse: normal from 0.6 on; 1.2 is nevertheless under 1.5, so "grade 1 or worse" begins at 1.5
    np.testing.assert_array_equal(thresholds("neutrophil", CTCAE, lln=0.6), [1.5, 1.5, 1.0, 0.5])
    assert grade(1.2, "neutrophil", CTCAE, lln=0.6) == 2


def test_limits_of_each_subject():
    begins = thresholds("hemoglobin", CTCAE, lln=[12.0, 13.0])
    assert begins.shape == (2, 4) and begins[:, 0].tolist() == [12.0, 13.0]
    counts = [[12.5, 11.0, 9.0], [12.5, 13.0, 7.0]]
    assert grade(counts, "hemoglobin", CTCAE, lln=[12.0, 13.0]).tolist() == [[0, 1, 2], [1, 0, 3]]


def test_percent_of_baseline():
    # of 400: 360, 300, 200, 100; of 60: 54, 45, 30, 15, but grade 4 from 20 on
    begins = thresholds("platelet", CLL, baseline=[400.0, 60.0])
    np.testing.assert_allclose(begins, [[360, 300, 200, 100], [54, 45, 30, 20]])
    assert grade([[200.0, 199.0], [30.0, 19.0]], "platelet", CLL, baseline=[400.0, 60.0]).tolist() == [[2, 3], [2, 4]]
    assert CLL.of_baseline == ("platelet",) and CTCAE.of_baseline == ()
    with pytest.raises(ValueError, match="platelet is graded by percent of baseline; give the baseline"):
        grade([1.0], "platelet", CLL)


def test_an_absolute_bound_carries_milder_grades_with_it():
    # baseline 30: half of it is 15, under 20, which already is grade 4; grade 3 "or worse" therefore begins at 20
    np.testing.assert_allclose(thresholds("platelet", CLL, baseline=30.0), [27, 22.5, 20, 20])


def test_grades_and_thresholds_agree():
    counts = np.linspace(0, 3, 601)
    begins = thresholds("neutrophil", CTCAE, lln=2.0)
    graded = grade(counts, "neutrophil", CTCAE, lln=2.0)
    for value in (1, 2, 3, 4):
        np.testing.assert_array_equal(graded >= value, counts < begins[value - 1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((1.0, 1.5, 0.5, 0.2),), "must fall from grade to grade"),
        (((1.5, 1.0, 1.0, 0.2),), "must fall from grade to grade"),
        (((1.5, 1.0, 0.5),), "one entry for each of the grades"),
        ((("uln", 1.0, 0.5, 0.2),), "'uln' is not a positive number"),
        (((-1.0, None, None, None),), "-1.0 is not a positive number"),
        (((None,) * 4, ("lln", 0.5, None, None)), "relative bound 'lln'"),
        ((), "without any number"),
    ],
)
def test_bounds_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        Bounds(*arguments)
