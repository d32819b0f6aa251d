"""Endpoints of hand-made courses; each expectation with its reason."""

import numpy as np
import pytest
from endpoint_courses import CTCAE, make, through

from myelosim.endpoints import ENDPOINTS, evaluate, levels, lowest
from myelosim.endpoints.detection import incidence
from myelosim.endpoints.toxicity import DEFINITIONS, Condition, Definition, toxicity
from myelosim.grading import Bounds, Table

NAN = np.nan

# Falls by 0.5 a day from 5.0: grade 2 begins at day 7 (1.5), grade 3 at day 8 (1.0), grade 4 at day 9 (0.5), nadir 0.25
# at day 9.5; back up by 0.25 a day: 0.5 at day 10.5, 1.0 at 12.5, 1.5 at 14.5, 4.5 (90 %) at 26.5.
ONE_DIP = through([0, 9.5, 28.5], [5.0, 0.25, 5.0])
STEADY = through([0, 28], [3.0, 3.0])
# Below 1.0 on days 5-7 and 19-23, each time touching 0.8 or 0.6; above 1.5 between.
TWO_DIPS = through([0, 4, 5, 6, 7, 8, 14, 18, 19, 21, 23, 24, 28], [4, 1.5, 1, 0.8, 1, 1.5, 4, 1.5, 1, 0.6, 1, 1.5, 4])
# Begins at 0.9, recovers to 1.0 on day 2, 1.5 on day 3, and stays at 2.
LOW_START = through([0, 2, 3, 4, 28], [0.9, 1.0, 1.5, 2.0, 2.0])
# Falls through 1.0 at day 20 and goes on falling: 0.6 at the horizon.
STILL_FALLING = through([0, 20, 28], [5.0, 1.0, 0.6])

CURVES = [ONE_DIP, STEADY, TWO_DIPS, LOW_START, STILL_FALLING]
DAYS = [0, 7, 14, 21, 28]


@pytest.fixture(scope="module")
def course():
    return make(CURVES, DAYS, cycles=(0, 14))


@pytest.fixture(scope="module")
def found(course):
    return evaluate(course)


def check(found, name, expected, **tolerance):
    np.testing.assert_allclose(found[name], expected, **({"atol": 1e-9, "rtol": 0} | tolerance), err_msg=name)


def test_nadir(found):
    check(found, "nadir", [0.25, 3.0, 0.6, 0.9, 0.6], atol=1e-3)
    # the earliest of equals: the steady subject's minimum is at once
    check(found, "nadir_day", [9.5, 0, 21, 0, 28], atol=2e-3)
    check(found, "nadir_at_edge", [0, 1, 0, 1, 1])


def test_what_the_solver_cannot_tell_apart_is_one_nadir():
    nothing = 5.0 * (1.0 - np.array([[3e-7, 2e-7], [5e-3, 4e-3]]))  # the first never falls, the second by 0.5 %
    begin, starts = np.array([[5.0, 5.0], [5.0, 4.99]]), np.array([0.0, 168.0])
    minimum, when = lowest(nothing, np.array([[20.0, 300.0]] * 2), begin, starts, tolerance=1e-6)
    assert minimum[:, 0].tolist() == nothing[:, 0].tolist()
    assert when.tolist() == [[0.0, 0.0, 168.0], [20.0, 20.0, 300.0]]
    # equally low every cycle but for round-off: the first of them, with the lowest of the numbers
    minimum, when = lowest(np.array([[0.8, 0.8 - 1e-9]]), np.array([[30.0, 200.0]]), begin[:1], starts, tolerance=1e-6)
    assert minimum[0, 0] == 0.8 - 1e-9 and when[0].tolist() == [30.0, 30.0, 200.0]
    # one cycle is the whole; one who could not be integrated has neither
    minimum, when = lowest(np.full((1, 1), np.nan), np.full((1, 1), np.nan), begin[:1, :1], starts[:1])
    assert minimum.shape == (1, 1) and np.isnan([minimum, when]).all()


def test_nadir_of_each_cycle(found):
    # cycle 1 is days 0-14, cycle 2 days 14-28; the one dip is at 1.375 and rising when cycle 2 begins
    check(found, "cycle_nadir", [[0.25, 1.375], [3, 3], [0.8, 0.6], [0.9, 2], [2.2, 0.6]], atol=1e-3)
    check(found, "cycle_nadir_at_edge", [[0, 1], [1, 1], [0, 0], [1, 1], [1, 1]])


def test_grades(found):
    assert found["baseline_grade"].tolist() == [0, 0, 0, 3, 0]
    assert found["worst_grade"].tolist() == [4, 0, 3, 3, 3]
    # the one who begins at grade 3 gets no worse
    check(found, "treatment_emergent", [1, 0, 1, 0, 1])
    # days 7, 14, 21, 28 show: 1.5 (grade 1) and 1.375 (2), ..; 3.0; 1.0 (2), 4, 0.6 (3), 4; 2.0 (0); .., 0.95, 0.6 (3)
    assert found["observed_grade"].tolist() == [2, 0, 3, 0, 3]
    check(found, "observed_treatment_emergent", [1, 0, 1, 0, 1])


def test_durations(found):
    check(found, "days_grade3", [4.5, 0, 6, 2, 8], atol=1e-6)  # 8-12.5; -; 5-7 and 19-23; 0-2; 20-28
    check(found, "longest_grade3", [4.5, 0, 4, 2, 8], atol=1e-6)
    check(found, "days_grade4", [1.5, 0, 0, 0, 0], atol=1e-6)  # 9-10.5
    check(found, "grade3_at_horizon", [0, 0, 0, 0, 1])


def test_recovery(found):
    # lasting return to 1.5 after the last grade 3: 14.5; no event; 24, not 8; 3; not within 28 days
    check(found, "recovery_day", [14.5, NAN, 24, 3, NAN], atol=1e-6)
    # 90 % of 5.0 at 26.5; of 4.0 at 24 + (3.6 - 1.5)/2.5*4 = 27.36; of 0.9 is 0.81, never crossed: when grade 3 ends
    check(found, "recovery_day_baseline", [26.5, NAN, 27.36, 2, NAN], atol=1e-6)
    check(found, "unrecovered", [0, NAN, 0, 0, 1])


def test_detection(found):
    check(found, "true_onset", [8, NAN, 5, 0, 20], atol=1e-6)
    check(found, "onset", [NAN, NAN, 21, NAN, 21])
    # the one dip lies between visits; of the two, the second is caught, 16 days after the first onset
    check(found, "caught", [0, NAN, 1, 0, 1])
    check(found, "delay", [NAN, NAN, 16, NAN, 1], atol=1e-6)
    check(found, "false_alarms", [0, 0, 0, 0, 0])


def test_observed_durations(found):
    # day 21 only, gone on day 28: 7 days, certain 0; days 21 and 28: to the horizon on day 28, 7 days, certain 7
    check(found, "observed_days_grade3", [0, 0, 7, 0, 7])
    check(found, "observed_days_grade3_lower", [0, 0, 0, 0, 7])
    check(found, "observed_longest_grade3", [0, 0, 7, 0, 7])
    check(found, "observed_grade3_censored", [0, 0, 0, 0, 1])


def test_noise_hides_and_invents():
    # true: below 1.0 from day 8 to 12.5. Seen: 1.1 on day 9 hides it, 0.9 on day 5 is a false alarm, day 12 catches it,
    # day 14 shows 0.95 after the episode has ended: a second false alarm.
    found = evaluate(make([ONE_DIP], [5, 9, 12, 14, 16], [[0.9, 1.1, 0.8, 0.95, 2.0]]))
    check(found, "onset", [5])
    check(found, "caught", [1])
    check(found, "delay", [4], atol=1e-6)
    check(found, "false_alarms", [2])
    # runs: day 5 until 9; days 12-14 until 16
    check(found, "observed_days_grade3", [8])
    check(found, "observed_longest_grade3", [4])
    check(found, "observed_days_grade3_lower", [2])
    check(found, "observed_nadir", [0.8])
    check(found, "observed_nadir_day", [12])


def test_the_observed_baseline_is_what_is_drawn_before_the_first_dose():
    # two draws before: geometric mean of 4 and 9 is 6; the value at time zero is before the dose, that on day 1 is not
    course = make([STEADY] * 3, [-7, 0, 1], [[4.0, 9.0, 1.0], [NAN, 9.0, 1.0], [NAN, NAN, NAN]])
    found = evaluate(course)
    check(found, "observed_baseline", [6, 9, NAN])
    assert found["observed_grade"].tolist() == [2, 2, -1]
    check(found, "observed_treatment_emergent", [1, 1, NAN])
    check(found, "observed_days_grade3", [0, 0, NAN])


def test_a_grade_without_a_number_has_no_days():
    course = make([through([0, 14, 28], [12, 7, 12])], DAYS, lineage="hemoglobin", lln=12.0)
    found = evaluate(course)
    assert found["worst_grade"].tolist() == [3]
    for name in ("days_grade4", "longest_grade4", "observed_days_grade4"):
        check(found, name, [NAN])
    # 12 to 7 in 14 days: below 8.0 from day 11.2 to 16.8
    check(found, "days_grade3", [5.6], atol=1e-6)


def test_a_lineage_the_table_does_not_know():
    found = evaluate(make([ONE_DIP], DAYS, lineage="leukocyte"))
    assert found["worst_grade"].tolist() == [-1]
    check(found, "nadir", [0.25], atol=1e-3)
    for name in ("days_grade3", "recovery_day", "caught", "false_alarms", "treatment_emergent", "unrecovered"):
        check(found, name, [NAN])


def test_percent_of_baseline():
    # halves of 5.0 and 3.0; the true curve of the first is under 2.5 from day 5 to 18.5
    half = Table("half", {"neutrophil": Bounds(relative=(0.9, 0.75, 0.5, 0.25))})
    found = evaluate(make([ONE_DIP, STEADY], [0, 7, 14], [[4.0, 2.1, 1.9], [3.0, 3.0, 3.0]], table=half))
    check(found, "days_grade3", [13.5, 0], atol=1e-6)
    # seen are 4.0 before and 2.1, then 1.9, under half of it: day 14
    check(found, "onset", [14, NAN])


def test_nothing_is_known_of_a_subject_that_failed():
    course = make([ONE_DIP, ONE_DIP], DAYS, extra=LONG.levels("neutrophil"))
    for array in (course.track.minimum, course.track.minimum_time, course.count, course.observed):
        array[1] = NAN
    found, whole = evaluate(course), evaluate(make([ONE_DIP], DAYS, extra=LONG.levels("neutrophil")))
    for name, endpoint in ENDPOINTS.items():
        np.testing.assert_array_equal(found[name][0], whole[name][0], err_msg=name)
        if not name.endswith("baseline") and not endpoint.of and name != "baseline_grade":
            assert found[name][1] == -1 if endpoint.unit == "grade" else np.isnan(found[name][1]), name
    verdict = toxicity(LONG, {"neutrophil": course}, np.ones(2))
    np.testing.assert_array_equal(verdict.true, [0, NAN])


def test_visits_of_each_subject():
    from dataclasses import replace

    course = make([ONE_DIP, ONE_DIP], [9, 12])
    own = replace(course, visit_time=24.0 * np.array([[9.0, 12.0], [10.0, 13.0]]))
    check(evaluate(own), "onset", [9, 10])


def test_incidence():
    np.testing.assert_allclose(incidence([3.0, NAN, 3.0, 10.0], [0, 3, 9.9, 10]), [0, 0.5, 0.5, 0.75])


def test_every_endpoint_has_one_value_per_subject(course, found):
    for name, endpoint in ENDPOINTS.items():
        assert found[name].shape == ((5, 2) if endpoint.of == "cycle" else (5,)), name
        assert endpoint.unit in ("count", "day", "grade", "flag", "1")


def test_endpoints_of_visits_are_marked(course):
    # without visits all others have the same values, and those marked have none
    bare = evaluate(make(CURVES, [], cycles=(0, 14)))
    full = evaluate(course)
    for name, endpoint in ENDPOINTS.items():
        if not endpoint.seen:
            np.testing.assert_array_equal(bare[name], full[name], err_msg=name)
    assert {name for name in ENDPOINTS if name.startswith("observed")} < {n for n, e in ENDPOINTS.items() if e.seen}
    assert {"onset", "caught", "delay", "false_alarms"} < {n for n, e in ENDPOINTS.items() if e.seen}


def test_recovery_to_a_grade_that_cannot_be():
    with pytest.raises(ValueError, match="recovery to grade 4 cannot be"):
        levels("neutrophil", CTCAE, [4.0], recovery=4)
    assert levels("neutrophil", CTCAE, [4.0], recovery=0, lln=2.0)["recovery"] == [2.0]


def test_an_unknown_endpoint_is_refused(course):
    with pytest.raises(ValueError, match="'nadirs' is not an endpoint; known: baseline, "):
        evaluate(course, ["nadirs"])


LONG = Definition("below 0.5 for a week", (Condition("neutrophil", 0.5, 168.0),))


def judged(curves, definition, days=DAYS, dose=1.0, observed=None, **options):
    course = make(curves, days, observed, extra=definition.levels("neutrophil"), **options)
    verdict = toxicity(definition, {"neutrophil": course}, np.full(len(curves), dose))
    return verdict.true.tolist(), verdict.observed.tolist()


def valley(begin, end):
    """Below 0.5 from day ``begin`` to day ``end``, nearly vertically."""
    return through([0, begin - 1e-3, begin, end, end + 1e-3, 60], [3, 3, 0.5, 0.5, 3, 3])


# 0.4999 inside: strictly below
DEEP = {span: (lambda t, s=span: valley(*s)(t) - 1e-4) for span in [(3, 9.9), (3, 10.5), (25, 33), (29, 40)]}


def test_toxicity_needs_more_than_its_time():
    assert judged([DEEP[3, 9.9], DEEP[3, 10.5]], LONG, horizon=42)[0] == [0.0, 1.0]


def test_toxicity_must_begin_in_its_window():
    assert judged([DEEP[25, 33], DEEP[29, 40]], LONG, horizon=42)[0] == [1.0, 0.0]
    inside = Definition("inside", LONG.conditions, within=True)
    assert judged([DEEP[25, 33]], inside, horizon=42)[0] == [0.0]


def test_observed_toxicity_goes_by_what_is_certain():
    curve = [DEEP[3, 10.5]]
    # seen low on days 4 and 10: certain are 6 days; with days 3.1 and 10.4, 7.3 days
    assert judged(curve, LONG, days=[4, 10, 14], horizon=42)[1] == [0.0]
    assert judged(curve, LONG, days=[3.1, 7, 10.4, 14], horizon=42)[1] == [1.0]
    # "at all" needs one visit, and counts none where there is none
    at_all = Definition("at all", (Condition("neutrophil", 0.5),))
    assert judged([*curve, STEADY], at_all, days=[4, 10, 14], horizon=42) == ([1.0, 0.0], [1.0, 0.0])


def test_who_had_too_little_dose_and_no_toxicity_cannot_be_judged():
    true, observed = judged([DEEP[3, 10.5], STEADY], LONG, days=[4, 10], dose=0.79, horizon=42)
    np.testing.assert_array_equal(true, [1.0, NAN])
    np.testing.assert_array_equal(observed, [NAN, NAN])
    assert judged([STEADY], LONG, dose=0.8)[0] == [0.0]


def test_lineages_of_a_definition():
    hematologic = DEFINITIONS["hematologic"]
    course = make([STEADY], DAYS, extra=hematologic.levels("neutrophil"))
    assert toxicity(hematologic, {"neutrophil": course}, np.ones(1)).true.tolist() == [0.0]
    with pytest.raises(ValueError, match="is about neutrophil, platelet, which the model does not have"):
        toxicity(hematologic, {}, np.ones(1))
    with pytest.raises(ValueError, match="toxicity 'x' needs a condition"):
        Definition("x", ())
