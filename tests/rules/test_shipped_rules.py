"""Every shipped rule on a subject worked out by hand: each line of the log, and why."""

from pathlib import Path

import pytest
from by_hand import days_of, follow, human

import myelosim as ms
from myelosim.spec.library import files

WEEKLY = range(0, 85, 7)


def test_every_shipped_set_is_worked_out_here():
    here = Path(__file__).read_text(encoding="utf-8")
    assert [name for name in files("rules") if f'"{name}"' not in here] == []


@pytest.mark.parametrize(
    ("dose", "full", "reduced"), [("80 mg QD", 80.0, 40.0), ("40 mg BID", 40.0, 20.0), ("200 mg BID", 200.0, 160.0)]
)
def test_asciminib_label(dose, full, reduced):
    course = follow(
        "asciminib_label", f"asciminib {dose}",
        {
            "neutrophil": {14: 0.8, 21: 0.99, 28: 1.0, 49: 0.9, 56: 1.1, 84: 0.7, 91: 1.2},
            "platelet": {14: 50.0, 42: 45.0, 49: 55.0, 56: 60.0},
        },
        [*range(0, 85, 14), 112], model=human("asciminib", "cml"), days=112,
    )  # fmt: skip
    assert course.said == [
        (14.0, "hold asciminib"),  # ANC 0.8; platelets of 50 are not under 50
        (28.0, "resume asciminib"),  # ANC 1.0 is not under 1.0; 14 days are within two weeks: the starting dose
        (42.0, "hold asciminib"),  # platelets 45: a recurrence of severe cytopenia
        (56.0, f"resume asciminib at {reduced:g} mg"),  # day 49: platelets 55, but ANC 0.9, and both must recover
        (84.0, "stop asciminib, there is no lower level"),  # ANC 0.7 at the reduced dose: not tolerated
    ]
    # Weekly (21, 49) while on hold, and after the stop until the counts are back (91).
    assert course.visits == [0, 14, 21, 28, 42, 49, 56, 70, 84, 91, 112]
    given = course.given["asciminib"]
    assert days_of(course, "asciminib", 14, 28) == days_of(course, "asciminib", 42, 56) == []
    assert given[0.0] == given[28.0] == full and given[56.0] == given[83.0] == pytest.approx(reduced)
    assert days_of(course, "asciminib", 84) == []


def test_asciminib_label_after_more_than_two_weeks():
    course = follow(
        "asciminib_label", "asciminib 80 mg QD",
        {"platelet": {14: 20.0, 35: 50.0}, "neutrophil": {21: 0.9, 28: 1.0}},
        range(0, 57, 14), model=human("asciminib", "cml"), days=56,
    )  # fmt: skip
    assert course.said == [
        (14.0, "hold asciminib"),  # platelets 20
        (35.0, "resume asciminib at 40 mg"),  # the first visit at 50, 21 days later: the reduced dose
    ]


def test_cemsidomide_counts():
    course = follow(
        "cemsidomide_counts",
        ["cemsidomide 100 ug QD d1-14 q28d x3", "filgrastim 5 ug/kg sc QD d10-14"],
        {"neutrophil": {7: 0.99, 14: 3.0, 35: 1.0}, "platelet": {35: 49.0, 42: 50.0}},
        WEEKLY, model=human(),
    )  # fmt: skip
    assert course.said == [
        (7.0, "hold cemsidomide"),  # ANC 0.99
        (21.0, "resume cemsidomide"),  # day 14: ANC 3.0, but the last filgrastim was on day 13, 24 h before
        (35.0, "hold cemsidomide"),  # platelets 49; ANC of 1.0 is not grade 3
        (42.0, "resume cemsidomide"),  # both at their boundary: recovered
    ]
    # On the calendar's days of dosing only: the hold does not move them.
    assert days_of(course, "cemsidomide") == [*range(7), *range(28, 35), *range(56, 70)]
    assert set(course.given["cemsidomide"].values()) == {100.0}


def test_cemsidomide_counts_rests_48_hours():
    course = follow(
        "cemsidomide_counts", ["cemsidomide 100 ug QD d1-28", "filgrastim 5 ug/kg sc QD d10-13"],
        {"neutrophil": {7: 0.5, 14: 3.0}}, WEEKLY, model=human(),
    )  # fmt: skip
    assert course.said == [(7.0, "hold cemsidomide"), (14.0, "resume cemsidomide")]  # last filgrastim on day 12: 48 h


def test_cemsidomide_grade1():
    course = follow(
        "cemsidomide_grade1", "cemsidomide 100 ug QD d1-28",
        {
            "hemoglobin": {0: 9.0, 7: 7.9, 9: 8.5, 14: 9.0},
            "neutrophil": {14: 1.2, 21: 0.9, 23: 1.49, 26: 1.5},
        },
        range(0, 43, 7), model=human(), days=42,
    )  # fmt: skip
    assert course.said == [
        (7.0, "hold cemsidomide"),  # hemoglobin 7.9
        (14.0, "resume cemsidomide"),  # 9.0 is grade 2, but its baseline; ANC 1.2 is grade 2, but did not trigger
        (21.0, "hold cemsidomide"),  # ANC 0.9: grade 3
        (26.0, "resume cemsidomide"),  # 1.5 is grade 1 (1.49 is grade 2); hemoglobin 9.0 is not asked about
    ]
    # Three times a week on hold: 56 h apart, on the days nearest to that.
    assert course.visits == [0, 7, 9, 12, 14, 21, 23, 26, 28, 35, 42]


def test_cemsidomide_grade1_goes_by_platelets_too():
    course = follow(
        "cemsidomide_grade1", "cemsidomide 100 ug QD d1-28", {"platelet": {7: 49.0, 9: 74.0, 12: 75.0}},
        range(0, 43, 7), model=human(), days=42,
    )  # fmt: skip
    assert course.said == [(7.0, "hold cemsidomide"), (12.0, "resume cemsidomide")]  # 75 is the first of grade 1


LOW = {14: 0.4, 21: 3.0, 28: 0.5, 35: 0.49, 36: 1.6, 37: 1.5, 38: 2.0, 39: 3.0, 40: 2.5}


@pytest.mark.parametrize("name", ["gcsf_rescue", "cemsidomide_support"])
def test_gcsf_rescue(name):
    course = follow(name, "cemsidomide 100 ug QD d1-14 q28d x3", {"neutrophil": LOW}, WEEKLY, model=human())
    assert course.said == [
        # day 14: ANC 0.4, but in cycle 1; day 28: 0.5 is not under 0.5
        (35.0, "give filgrastim 5 ug/kg sc QD"),  # 0.49, in cycle 2
        (39.0, "end filgrastim"),  # over 1.5 on days 38 and 39; on day 37 it was not (1.5), which began the count anew
    ]
    assert days_of(course, "filgrastim") == [35.0, 36.0, 37.0, 38.0] and course.given["filgrastim"][35.0] == 5.0
    assert course.visits == [0, 7, 14, 21, 28, 35, 36, 37, 38, 39, 42, 49, 56, 63, 70, 77, 84]


@pytest.mark.parametrize(("species", "dose"), [("mouse", 10.0), ("rat", 10.0), ("dog", 5.0)])
def test_gcsf_animal(species, dose):
    model = ms.load_model("cemsidomide", species=species, gcsf="filgrastim", sensitivity=1.0)
    course = follow(
        "gcsf_animal", "cemsidomide 100 ug QD d1-14", {"neutrophil": {3: 0.45, 4: 0.6, 5: 1.7, 6: 1.8}},
        [0, 3, 5, 7, 10, 14], model=model, days=14,
    )  # fmt: skip
    assert course.said == [
        (3.0, f"give filgrastim {dose:g} ug/kg sc QD"),  # 0.45
        (6.0, "end filgrastim"),  # over 1.5 on days 5 and 6
    ]
    assert course.given["filgrastim"] == {3.0: dose, 4.0: dose, 5.0: dose}
    assert course.visits == [0, 3, 4, 5, 6, 7, 10, 14]


def test_platelet_fall_50():
    course = follow(
        "platelet_fall_50", "cemsidomide 100 ug QD d3-28", {"platelet": {0: 900.0, 2: 1600.0, 9: 601.0, 16: 600.0, 23: 1200.0}},
        [0, 2, 9, 16, 23], model=human(), days=28,
    )  # fmt: skip
    # The baseline is the geometric mean of 900 and 1600, both before the first dose: 1200. On day 16 half of it is lost.
    assert course.said == [(16.0, "stop cemsidomide")]
    assert days_of(course, "cemsidomide") == list(range(2, 16))


def test_transfuse_red_cells():
    seen = {"hemoglobin": {7: 8.0, 14: 7.9, 17: 7.5, 24: 8.5}}
    course = follow(
        "transfuse_red_cells", "cemsidomide 100 ug QD d1-14", seen, [0, 7, 14, 17, 21, 24], model=human(), days=28
    )
    assert course.said == [
        (14.0, "transfuse 2 units of red cells"),  # 7.9; day 7: 8.0 is not under 8
        (21.0, "transfuse 2 units of red cells"),  # day 17: 7.5, but within a week of the last; day 21: a week after
    ]
    assert course.units == {14.0: ("hemoglobin", 2.0), 21.0: ("hemoglobin", 2.0)}


def test_esa():
    seen = {"hemoglobin": {7: 10.0, 14: 9.9, 42: 12.0, 49: 12.1}}
    model = human(["cemsidomide", "esa"])
    course = follow("esa", "cemsidomide 100 ug QD d1-14 q28d x3", seen, WEEKLY, model=model)
    assert course.said == [
        (14.0, "give esa 2.25 ug/kg sc q7d"),  # 9.9; day 7: 10.0 is not under 10
        (49.0, "end esa"),  # 12.1; day 42: 12.0 is not over 12
    ]
    assert days_of(course, "esa") == [14, 21, 28, 35, 42]  # and none on day 49, on which it ends


def test_transfuse_platelets():
    seen = {"platelet": {14: 20.0, 15: 19.0, 16: 12.0, 18: 25.0}}
    visits = [0, 7, 14, 15, 16, 17, 18]
    course = follow("transfuse_platelets", "cemsidomide 100 ug QD d1-14", seen, visits, model=human(), days=28)
    assert course.said == [
        (15.0, "transfuse 1 unit of platelets"),  # 19; day 14: 20 is not under 20
        (17.0, "transfuse 1 unit of platelets"),  # 12; day 16: one day after the last
    ]
    assert course.units == {15.0: ("platelet", 1.0), 17.0: ("platelet", 1.0)}


def test_cemsidomide_support_transfuses_from_cycle_2_on():
    seen = {"hemoglobin": {14: 7.0, 42: 8.0}, "platelet": {14: 10.0, 42: 30.0}}
    course = follow("cemsidomide_support", "cemsidomide 100 ug QD d1-14 q28d x3", seen, WEEKLY, model=human())
    assert course.said == [  # days 14 and 21 are in cycle 1
        (28.0, "transfuse 2 units of red cells"),
        (28.0, "transfuse 1 unit of platelets"),
        (35.0, "transfuse 2 units of red cells"),
        (35.0, "transfuse 1 unit of platelets"),
    ]


def test_valemetostat_platelets():
    seen = {"platelet": {14: 24.0, 21: 49.0, 28: 50.0, 42: 20.0, 49: 60.0, 63: 10.0, 70: 80.0, 77: 25.0, 84: 24.0}}
    course = follow("valemetostat_platelets", "drug 200 mg QD", seen, range(0, 99, 7), days=98)
    assert course.said == [
        (14.0, "hold drug"),  # 24
        (28.0, "resume drug"),  # 50; the first episode costs no level
        (42.0, "hold drug"),
        (49.0, "resume drug at 75 %"),  # the second
        (63.0, "hold drug"),
        (70.0, "resume drug at 50 %"),  # the third; day 77: 25 is not under 25
        (84.0, "stop drug"),  # the fourth
    ]
    given = course.given["drug"]
    assert (given[28.0], given[49.0], given[70.0]) == (200.0, 150.0, 100.0) and max(given) == 83.0


def test_valemetostat_platelets_may_be_low_from_the_start():
    seen = {"platelet": {0: 45.0, 14: 24.0, 21: 44.0, 28: 45.0}}
    course = follow("valemetostat_platelets", "drug 200 mg QD", seen, range(0, 43, 7), days=42)
    assert course.said == [(14.0, "hold drug"), (28.0, "resume drug")]  # back at its baseline
