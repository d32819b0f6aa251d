"""What a clinic does under rules of every kind, on subjects written down by hand."""

import numpy as np
import pytest
from by_hand import days_of, follow, generic, human

import myelosim as ms
from myelosim.rules import Look
from myelosim.rules.judge import Judge
from myelosim.spec.clauses import condition
from myelosim.spec.rule import Conduct

WEEKLY = range(0, 85, 7)
CYCLES = "drug 40 mg QD d1-14 q28d x3"
DAILY = "drug 40 mg QD"
HOLD = {"when": "neutrophil < 1.0", "do": "hold drug", "until": "neutrophil >= 1.0"}
DOWN = {**HOLD, "then": "resume one level down", "levels": ["40 mg", "30 mg", "20 mg"]}
LOW = {"neutrophil": {14: 0.8, 28: 1.2}}
TWICE = {"neutrophil": {14: 0.8, 28: 1.2, 42: 0.8, 49: 1.2}}


def look(hour, there=(True, True), signs=(), **observed):
    seen = {name: np.array(values, float) for name, values in observed.items()}
    return Look(
        hour, np.array(there), seen, {name: np.full(2, 10.0) for name in seen}, {name: np.array([3, -1]) for name in seen},
        {name: np.array([True, False]) for name in signs}, np.ones(2, int),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("neutrophil < 1", [False, True]),
        ("neutrophil <= 1", [True, True]),
        ("neutrophil > 0.5", [True, False]),
        ("neutrophil >= 0.5", [True, True]),
        ("neutrophil / baseline <= 10 %", [True, True]),
        ("neutrophil < 10 % of baseline", [False, True]),
        ("grade(neutrophil) <= 3", [True, False]),  # the second has no grade
        ("neutrophil < 1 and platelet < 50", [False, True]),
        ("neutrophil < 1 or platelet < 60", [True, True]),
        ("(neutrophil < 0.1 or platelet < 60) and neutrophil >= 1", [True, False]),
        ("sign(fever) or neutrophil < 0.1", [True, False]),
    ],
)
def test_judge(text, met):
    seen = look(0.0, signs=["fever"], neutrophil=[1.0, 0.5], platelet=[50, 49])
    assert Judge(condition(text), 2).holds(seen).tolist() == met


def test_judge_knows_nothing_of_who_is_not_there():
    judge = Judge(condition("neutrophil < 1"), 2)
    seen = look(0.0, there=(True, False), neutrophil=[0.5, np.nan])
    assert judge.holds(seen).tolist() == [True, False]
    assert judge.of(seen)["neutrophil"].tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "days", "counts", "met"),
    [
        ("neutrophil < 1 for 2 visits", [0, 7, 14, 21], [0.5, 0.5, 2, 0.5], [False, True, False, False]),
        ("neutrophil < 1 for 2 days", [0, 0.5, 1, 2], [0.5, 0.5, 0.5, 2], [False, False, True, False]),
        ("neutrophil < 1 for 8 consecutive days", [0, 7, 8], [0.5, 0.5, 0.5], [False, True, True]),
        ("neutrophil < 1 for 1 visit", [0, 7], [0.5, 2], [True, False]),
        # The same words twice are the same visits, counted once.
        (
            "(neutrophil < 1 for 2 visits and platelet < 99) or (neutrophil < 1 for 2 visits and platelet < 9)",
            [0, 7], [0.5, 0.5], [False, True],
        ),
    ],
)  # fmt: skip
def test_judge_remembers(text, days, counts, met):
    judge = Judge(condition(text), 2)
    said = [
        judge.holds(look(24.0 * day, neutrophil=[value, 9], platelet=[50, 50]))[0]
        for day, value in zip(days, counts, strict=True)
    ]
    assert said == met


def test_judge_forgets_on_demand_and_waits_for_who_is_away():
    judge = Judge(condition("neutrophil < 1 for 2 visits"), 2)
    judge.holds(look(0.0, neutrophil=[0.5, 0.5]))
    judge.forget(np.array([True, False]))
    assert judge.holds(look(24.0, there=(True, False), neutrophil=[0.5, np.nan])).tolist() == [False, False]
    assert judge.holds(look(48.0, neutrophil=[0.5, 0.5])).tolist() == [True, True]


def test_hold_leaves_the_calendar_as_it_is():
    course = follow({"r": HOLD}, CYCLES, {"neutrophil": {7: 0.8, 14: 1.2, 35: 0.5}}, WEEKLY)
    assert course.log == [(7.0, "hold drug", 7.0), (14.0, "resume drug", 14.0), (35.0, "hold drug", 35.0)]
    assert days_of(course, "drug") == [*range(7), *range(28, 35)]


def test_turnaround_delays_what_is_done_and_what_is_undone():
    course = follow({"r": {**DOWN, "turnaround": "2 d"}}, DAILY, LOW, WEEKLY)
    assert course.log == [(14.0, "hold drug", 16.0), (28.0, "resume drug at 30 mg", 30.0)]
    assert days_of(course, "drug", 14, 31) == [14.0, 15.0, 30.0] and course.given["drug"][30.0] == pytest.approx(30.0)


def test_conduct_gives_the_usual_turnaround():
    course = follow({"r": HOLD}, DAILY, LOW, WEEKLY, conduct=Conduct(turnaround=24.0))
    assert course.log[0] == (14.0, "hold drug", 15.0)


def test_two_rules_hold_and_each_lets_go_of_its_own():
    platelets = {"when": "platelet < 50", "do": "hold drug", "until": "platelet >= 50"}
    course = follow({"anc": HOLD, "plt": platelets}, DAILY, {**LOW, "platelet": {14: 40, 35: 60}}, WEEKLY)
    assert course.said == [
        (14.0, "hold drug"), (14.0, "hold drug"), (28.0, "release drug, which another rule holds"), (35.0, "resume drug"),
    ]  # fmt: skip
    assert days_of(course, "drug", 14, 36) == [35.0]


def test_two_rules_that_let_go_at_one_visit():
    platelets = {"when": "platelet < 50", "do": "hold drug", "until": "platelet >= 50"}
    course = follow({"anc": HOLD, "plt": platelets}, DAILY, {**LOW, "platelet": {14: 40, 28: 60}}, WEEKLY)
    assert course.said[2:] == [(28.0, "release drug, which another rule holds"), (28.0, "resume drug")]


def test_levels_fall_occurrence_by_occurrence_and_then_the_drug_is_stopped():
    seen = {"neutrophil": {7: 0.8, 14: 2, 21: 0.8, 28: 2, 35: 0.8, 42: 2, 49: 0.8}}
    course = follow({"r": DOWN}, DAILY, seen, WEEKLY)
    assert [what for _, what in course.said] == [
        "hold drug", "resume drug at 30 mg", "hold drug", "resume drug at 20 mg", "stop drug, there is no lower level",
    ]  # fmt: skip
    assert max(days_of(course, "drug")) == 34.0 and course.clinic.orders.by_drug["drug"].stopped.all()


def test_below_the_lowest_level_one_may_stay():
    seen = {"neutrophil": {7: 0.8, 14: 2, 21: 0.8, 28: 2, 35: 0.8, 42: 2}}
    course = follow({"r": {**DOWN, "below": "stay"}}, DAILY, seen, WEEKLY)
    assert [what for _, what in course.said][4:] == ["hold drug", "resume drug at 20 mg"]
    assert course.given["drug"][42.0] == pytest.approx(20.0)


def test_levels_from_the_planned_dose_down():
    """A level above the planned dose is none of this arm's."""
    course = follow({"r": DOWN}, "drug 30 mg QD", TWICE, WEEKLY)
    assert course.said[1] == (28.0, "resume drug at 20 mg")
    assert course.said[2] == (42.0, "stop drug, there is no lower level")


def test_within_and_later_count_from_the_decision():
    rule = {**DOWN, "then": "resume", "within": "14 d", "later": "resume one level down"}
    assert follow({"r": rule}, DAILY, LOW, WEEKLY).said[1] == (28.0, "resume drug")
    late = {"neutrophil": {14: 0.8, 35: 1.2}}
    assert follow({"r": rule}, DAILY, late, WEEKLY).said[1] == (35.0, "resume drug at 30 mg")


def test_later_may_be_a_stop():
    rule = {**HOLD, "within": "7 d", "later": "stop"}
    course = follow({"r": rule}, DAILY, LOW, WEEKLY)
    assert course.said == [(14.0, "hold drug"), (28.0, "stop drug")] and max(days_of(course, "drug")) == 13.0


BOTH = {
    "when": "neutrophil < 1.0 or platelet < 50", "do": "hold drug", "until": "neutrophil >= 1.5 and platelet >= 75",
}  # fmt: skip


@pytest.mark.parametrize(("recover", "day"), [("named", 35.0), ("triggered", 28.0)])
def test_only_what_triggered_must_recover(recover, day):
    seen = {"neutrophil": {14: 0.8, 28: 1.5}, "platelet": {14: 60, 35: 80}}  # platelets are low, but do not trigger
    assert follow({"r": {**BOTH, "recover": recover}}, DAILY, seen, WEEKLY).said[1][0] == day


def test_what_falls_low_meanwhile_must_recover_too():
    seen = {"neutrophil": {14: 0.8, 28: 1.5}, "platelet": {21: 40, 28: 60, 35: 80}}
    assert follow({"r": {**BOTH, "recover": "triggered"}}, DAILY, seen, WEEKLY).said[1] == (35.0, "resume drug")


def test_a_sign_begins_a_rule_once_noted_and_all_named_must_recover():
    rule = {**BOTH, "when": "neutrophil < 1.0 or platelet < 50 or sign(fever)", "recover": "triggered"}
    conduct = Conduct(signs={"fever": {0: (9.0,)}})
    seen = {"platelet": {0: 70, 28: 80}}
    course = follow({"r": rule}, DAILY, seen, WEEKLY, conduct=conduct)
    assert course.said == [(14.0, "hold drug"), (28.0, "resume drug")]  # noted on day 9, told at the next visit, once


def test_most_occurrences_and_a_gap_between_them():
    seen = {"neutrophil": {7: 0.8}}
    once = {"when": "neutrophil < 1.0", "do": "reduce drug", "levels": ["100 %", "80 %", "60 %", "40 %"]}
    said = [(7.0, "reduce drug to 80 %"), (14.0, "reduce drug to 60 %"), (21.0, "reduce drug to 40 %")]
    assert follow({"r": once}, DAILY, seen, WEEKLY).said == [*said, (28.0, "stop drug, there is no lower level")]
    assert follow({"r": {**once, "most": 2}}, DAILY, seen, WEEKLY).said == said[:2]
    spaced = follow({"r": {**once, "gap": "14 d", "most": 2}}, DAILY, seen, WEEKLY)
    assert spaced.said == [(7.0, "reduce drug to 80 %"), (21.0, "reduce drug to 60 %")]
    assert spaced.given["drug"][7.0] == pytest.approx(32.0) and spaced.given["drug"][21.0] == pytest.approx(24.0)


def test_reductions_at_one_visit_add_up():
    once = {"do": "reduce drug", "levels": ["100 %", "80 %", "60 %"], "most": 1}
    rules = {"a": {**once, "when": "neutrophil < 1.0"}, "b": {**once, "when": "platelet < 50"}}
    course = follow(rules, DAILY, {**LOW, "platelet": {14: 40}}, WEEKLY)
    assert course.said == [(14.0, "reduce drug to 80 %"), (14.0, "reduce drug to 60 %")]
    assert course.given["drug"][14.0] == pytest.approx(24.0)


@pytest.mark.parametrize(("since", "day"), [("cycle 2", 28.0), ("d30", 35.0), ("d29", 28.0)])
def test_from(since, day):
    rule = {"when": "neutrophil < 1.0", "do": "stop drug", "from": since}
    assert follow({"r": rule}, CYCLES, {"neutrophil": {7: 0.8}}, WEEKLY).said == [(day, "stop drug")]


def test_a_regimen_without_cycles_is_in_its_first():
    assert follow({"r": {"when": "neutrophil < 1.0", "do": "stop drug"}}, DAILY, LOW, WEEKLY).said == [
        (14.0, "stop drug")
    ]


def test_nothing_is_held_or_said_of_a_drug_that_was_stopped():
    stop = {"when": "platelet < 50", "do": "stop drug"}
    course = follow({"anc": HOLD, "plt": stop}, DAILY, {**TWICE, "platelet": {21: 40}}, WEEKLY)
    assert course.said == [(14.0, "hold drug"), (21.0, "stop drug")]


def test_rest_after_any_gcsf_and_none_without_one():
    rule = {**HOLD, "rest": "48 h after G-CSF"}
    assert follow({"r": rule}, DAILY, LOW, WEEKLY).said[1] == (28.0, "resume drug")
    doses = ["cemsidomide 100 ug QD", "filgrastim 5 ug/kg sc QD d26-28"]
    course = follow({"r": rule}, doses, LOW, WEEKLY, model=human())
    assert course.said[1] == (35.0, "resume cemsidomide")  # the last filgrastim is on day 27, a day before 28


@pytest.mark.parametrize(
    ("visits", "days"),
    [
        ("daily", [15, 16, 17, 18, 19, 20, 21]),
        ("every other day", [16, 18, 20, 21]),  # 21 is of the calendar, and ends it
        ("twice weekly", [17, 21]),  # 84 h on, seen at noon before or the morning after
        ("q5d", [19, 21]),
        ("weekly", [21]),
    ],
)
def test_more_visits_until_recovery(visits, days):
    rule = {**HOLD, "visits": visits}
    course = follow({"r": rule}, DAILY, {"neutrophil": {14: 0.8, 21: 1.5}}, range(0, 29, 7), days=28)
    assert course.visits == [0, 7, 14, *days, 28]


def test_more_visits_without_anything_else():
    rule = {"when": "neutrophil < 1.0", "do": "give drug 1 mg once", "until": "neutrophil >= 1.0", "visits": "daily"}
    course = follow({"r": rule}, CYCLES, {"neutrophil": {20: 0.8, 24: 1.2}}, [0, 20, 40], days=42)
    assert course.visits == [0, 20, 21, 22, 23, 24, 40] and course.given["drug"][20.0] == 1.0
    assert course.said == [(20.0, "give drug 1 mg once")]


DELAY = {"when": "neutrophil < 1.5", "do": "delay drug", "until": "neutrophil >= 1.5"}


def test_delay_moves_the_cycle_and_all_later_ones():
    course = follow({"r": DELAY}, CYCLES, {"neutrophil": {21: 1.2, 35: 1.5}}, WEEKLY, days=98)
    # Cycle 2 was planned for day 28; the last visit, on day 28, showed 1.2.
    assert course.said == [(28.0, "delay drug"), (35.0, "resume drug")]
    assert days_of(course, "drug") == [*range(14), *range(35, 49), *range(63, 77)]


def test_delays_add_up():
    seen = {"neutrophil": {21: 1.2, 35: 1.5, 56: 1.0, 77: 2.0}}
    course = follow({"r": DELAY}, CYCLES, seen, range(0, 113, 7), days=112)
    # Cycle 3 lies back by a week: day 63 instead of 56.
    assert course.said == [(28.0, "delay drug"), (35.0, "resume drug"), (63.0, "delay drug"), (77.0, "resume drug")]
    assert days_of(course, "drug") == [*range(14), *range(35, 49), *range(77, 91)]


def test_delay_does_not_touch_the_first_cycle_and_goes_by_the_last_visit():
    seen = {"neutrophil": {0: 1.0, 21: 1.0, 27: 2.0}}
    assert follow({"r": DELAY}, CYCLES, seen, [0, 21, 27, 30]).said == []
    assert follow({"r": DELAY}, CYCLES, seen, [0, 21, 30]).said == [(28.0, "delay drug"), (30.0, "resume drug")]


def test_delay_of_one_drug_leaves_the_other_and_of_both_moves_both():
    model = ms.load_model(["cemsidomide", "asciminib"], species="human", variant="rrmm")
    doses = ["cemsidomide 100 ug QD d1-14 q28d x2", "asciminib 40 mg QD d1-14 q28d x2"]
    seen = {"neutrophil": {21: 1.2, 35: 1.5}}
    one = follow({"r": {**DELAY, "do": "delay asciminib"}}, doses, seen, WEEKLY, model=model)
    assert days_of(one, "cemsidomide", 20) == list(range(28, 42)) and days_of(one, "asciminib", 20) == list(
        range(35, 49)
    )
    both = follow({"r": {**DELAY, "do": "delay asciminib; delay cemsidomide"}}, doses, seen, WEEKLY, model=model)
    assert days_of(both, "cemsidomide", 20) == days_of(both, "asciminib", 20) == list(range(35, 49))


def test_of_rules_that_contradict_each_other_the_smaller_precedence_is_followed():
    give = {"when": "neutrophil < 1.0", "do": "give filgrastim 5 ug/kg QD", "until": "neutrophil >= 1.0"}
    hold = {"when": "platelet < 50", "do": "hold filgrastim", "until": "platelet >= 50"}
    doses = ["cemsidomide 100 ug QD", "filgrastim 5 ug/kg sc once d80"]
    seen = {**LOW, "platelet": {21: 40, 49: 60}}

    def given(first, second):
        rules = {"give": {**give, "precedence": first}, "hold": {**hold, "precedence": second}}
        return days_of(follow(rules, doses, seen, WEEKLY, model=human()), "filgrastim", 0, 70)

    assert given(1, 2) == list(range(14, 28)) and given(2, 1) == list(range(14, 21))


def test_of_levels_that_differ_those_of_the_smaller_precedence_are_given_and_said():
    other = {**DOWN, "when": "platelet < 50", "until": "platelet >= 50", "levels": ["100 %", "10 %"]}
    rules = {"a": {**DOWN, "precedence": 1}, "b": {**other, "precedence": 2}}
    course = follow(rules, DAILY, {"platelet": {14: 40, 28: 60}}, WEEKLY)
    assert course.said[1] == (28.0, "resume drug at 30 mg") and course.given["drug"][28.0] == pytest.approx(30.0)


def test_baseline_is_the_geometric_mean_before_the_first_dose_or_the_model_s():
    rule = {"r": {"when": "platelet / baseline <= 0.5", "do": "stop drug"}}
    seen = {"platelet": {0: 100, 2: 400, 7: 101, 14: 100}}
    assert follow(rule, "drug 40 mg QD d3-84", seen, [0, 2, 7, 14]).said == [(14.0, "stop drug")]
    own = follow(rule, DAILY, {"platelet": {7: 151, 14: 150}}, [7, 14], start={"platelet": 300.0})
    assert own.said == [(14.0, "stop drug")]


@pytest.mark.parametrize("count", [57, 190, 9.1, 0.3])
def test_a_count_at_its_baseline_is_at_its_baseline(count):
    rule = {"r": {"when": "platelet / baseline >= 1", "do": "stop drug", "from": "d2"}}
    assert follow(rule, DAILY, {"platelet": {0: count}}, [0, 7]).said == [(7.0, "stop drug")]


def test_a_rule_in_python_gives_orders_and_notes_them():
    def mine(look, orders, log):
        low = look.there & (look.observed["neutrophil"] < 1.0)
        orders.at(look.hour, "drug", lambda standing: standing.stop(low))
        log.note(low, "mine", "stop drug", look.hour, look.hour, np.ones(len(low), int), look.observed)

    course = follow([mine], DAILY, LOW, WEEKLY)
    assert course.said[0] == (14.0, "stop drug") and max(days_of(course, "drug")) == 13.0


def test_seen_and_occurrence_are_logged():
    log = follow({"r": HOLD}, DAILY, TWICE, WEEKLY).clinic.log.columns()
    assert log["occurrence"].tolist() == [1, 1, 2, 2] and log["rule"].tolist() == ["r"] * 4
    assert log["seen"][:, 0].tolist() == [0.8, 1.2, 0.8, 1.2] and set(log["subject"].tolist()) == {0}


def test_generic_has_all_that_is_written_about_here():
    assert list(generic().drugs) == ["drug"]
