"""Cycles that are put off, also where a hold or a stop is in the way; and rules that must not be taken for others."""

import numpy as np
import pytest
from by_hand import days_of, follow

import myelosim as ms

DOSE = "drug 40 mg QD d1-14 q28d x3"
NEXT = {
    "when": "platelet < 75", "do": "delay drug", "until": "platelet >= 75", "then": "resume",
}  # fmt: skip
HOLD = {"when": "neutrophil < 1.0", "do": "hold drug", "until": "neutrophil >= 1.0", "then": "resume"}
WEEKLY = range(0, 85, 7)


def test_a_hold_over_the_first_day_of_a_cycle_does_not_let_it_begin_on_low_platelets():
    seen = {"neutrophil": {21: 0.8, 35: 1.5}, "platelet": {21: 60.0, 49: 80.0}}
    course = follow({"hold": HOLD, "next": NEXT}, DOSE, seen, WEEKLY)
    assert course.said == [
        (21.0, "hold drug"),  # ANC 0.8
        (35.0, "resume drug"),  # ANC 1.5, a week into cycle 2; its first dose would be today, and platelets are 60
        (35.0, "delay drug"),
        (49.0, "resume drug"),  # platelets 80
    ]
    # The rest of the cycle, its days 7 to 13, begins on day 49; cycle 3 comes where it would, on day 56 of the plan, 14 days on.
    assert days_of(course, "drug", 14) == [*range(49, 56), *range(70, 84)]


def test_a_stop_that_is_not_yet_in_force_lets_no_forbidden_cycle_begin():
    stop = {"when": "neutrophil < 1.0", "do": "stop drug", "turnaround": "1 d"}
    seen = {"neutrophil": {28: 0.5}, "platelet": {28: 60.0}}
    course = follow({"stop": stop, "next": NEXT}, DOSE, seen, WEEKLY)
    assert (28.0, "delay drug") in course.said
    assert days_of(course, "drug", 14) == []


def test_a_cycle_that_has_begun_is_not_put_off():
    seen = {"platelet": {35: 60.0, 49: 80.0}}
    course = follow({"next": NEXT}, DOSE, seen, WEEKLY)
    assert course.said == []
    assert days_of(course, "drug", 28, 56) == list(range(28, 42))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"when": ""}, "is empty; write e.g."),
        ({"within": 14}, '14 has no unit; write e.g. "14 d"'),
        ({"gap": 10}, '10 has no unit; write e.g. "14 d"'),
        ({"turnaround": "200 d"}, "out of bounds"),
        ({"when": "neutrophil < 1000"}, "neutrophil < 1000 10^9/L cannot be meant; write the unit, e.g. 1000 /uL"),
        ({"until": "hemoglobin >= 80"}, "hemoglobin >= 80 g/dL cannot be meant"),
    ],
)
def test_what_would_be_taken_for_something_else_is_refused(change, said):
    with pytest.raises(ms.SpecError, match=r"rules: hold\.") as refused:
        follow({"hold": HOLD | change}, DOSE, {}, WEEKLY)
    assert said in str(refused.value)


def test_functions_stand_beside_tables():
    model = ms.load_model("generic_three_lineage")
    looked = []
    with pytest.warns(ms.MyelosimWarning):
        ms.simulate(
            model,
            DOSE,
            days=84,
            visits="d1 weekly",
            rules={"hold": HOLD, "mine": lambda look, *_: looked.append(look.hour)},
        )
    np.testing.assert_array_equal(looked, 24.0 * np.arange(0, 85, 7))


@pytest.mark.parametrize("rules", [3, {"a": "hold drug"}, [3]])
def test_what_is_no_rule_is_refused(rules):
    with pytest.raises(ms.SpecError, match="rules: "):
        ms.simulate(ms.load_model("generic_three_lineage"), DOSE, days=84, visits="d1 weekly", rules=rules)


def test_a_sign_of_nobody_is_refused():
    scenario = {
        "format": 1, "title": "x", "model": "generic_three_lineage", "days": 28, "visits": "d1 weekly", "population": {"size": 40},
        "conduct": {"signs": {"fever": {"39": [8], "5000": [8]}}},
        "arm": [{"name": "a", "dose": DOSE, "rules": ["hold"]}], "rule": {"hold": HOLD | {"when": "sign(fever)"}},
    }  # fmt: skip
    with pytest.raises(ms.SpecError, match="there is no subject 5000; they are numbered from 0 to 39"):
        ms.compare(scenario)
