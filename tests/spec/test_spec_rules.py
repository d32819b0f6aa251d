"""Rules from text: what is understood, and what is said of what is not."""

import re

import pytest

import myelosim as ms
from myelosim.spec.clauses import actions, condition
from myelosim.spec.followed import followed_rules
from myelosim.spec.grading import load_grading
from myelosim.spec.regimen import Regimen
from myelosim.spec.rule import Compare, Conduct, Either, Every, Give, Hold, Lasting, Sign, Stop, Transfuse
from myelosim.spec.scenarios import load_scenario

ANC = Compare("neutrophil", "count", "<", 1.0)
HOLD = {"when": "neutrophil < 1.0", "do": "hold drug", "until": "neutrophil >= 1.0"}
CYCLES = "drug 40 mg QD d1-14 q28d x3"


def read(rules, dose=CYCLES, model=None, conduct=None, grading="ctcae_v5"):
    return followed_rules(
        rules,
        model or ms.load_model("generic_three_lineage"),
        Regimen.parse(dose),
        84.0,
        load_grading(grading),
        conduct or Conduct(),
    )


def message(rules, **options):
    with pytest.raises(ms.SpecError) as caught:
        read(rules, **options)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("neutrophil < 1.0", ANC),
        ("neutrophil < 1000 cells/uL", ANC),
        ("hemoglobin < 80 g/L", Compare("hemoglobin", "count", "<", 8.0)),
        ("platelet / baseline < 50 %", Compare("platelet", "baseline", "<", 0.5)),
        ("platelet < 50 % of baseline", Compare("platelet", "baseline", "<", 0.5)),
        ("grade(platelet) >= 3", Compare("platelet", "grade", ">=", 3.0)),
        ("sign(fever)", Sign("fever")),
        ("neutrophil < 1 for 2 visits", Lasting(ANC, 2, "visits")),
        ("neutrophil < 1 for 2 consecutive days", Lasting(ANC, 2, "days")),
        ("(neutrophil < 1 or sign(x)) for 1 day", Lasting(Either((ANC, Sign("x"))), 1, "days")),
        # "and" binds closer than "or"
        ("neutrophil < 1 or neutrophil < 1 and sign(x)", Either((ANC, Every((ANC, Sign("x")))))),
    ],
)
def test_condition(text, value):
    assert condition(text) == value


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not understood at its end"),
        ("neutrophil", "not understood at its end"),
        ("neutrophil < ", "not understood at its end"),
        ("neutrophil == 1", "from '== 1' on"),
        ("neutrophil < 1 and", "not understood at its end"),
        ("neutrophil < 1 for 0 visits", "at least 1"),
        ("neutrophil < 1 for 2 weeks", "from 'weeks' on"),
        ("neutrophil < 1 mg", "mg"),
        ("grade(neutrophil) >= 2.5", "from"),
        ("neutrophil < 1; platelet < 50", "from '; platelet < 50' on"),
    ],
)
def test_condition_says_where_it_stops_being_understood(text, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        condition(text)


def test_actions():
    found = actions("hold drug; stop x; transfuse 2 units of red cells; transfuse 1 unit of platelets", ["drug", "x"])
    assert found == (Hold("drug"), Stop("x"), Transfuse("hemoglobin", 2.0), Transfuse("platelet", 1.0))
    (given,) = actions("give drug 5 mg BID", ["drug"])
    assert isinstance(given, Give) and given.event.interval == 12.0 and given.event.count is None
    (once,) = actions("give drug 5 mg", ["drug"])
    assert once.event.count == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"do": "holdd drug"}, "rules: r.do: 'holdd drug' is not an action; did you mean 'hold drug'?"),
        ({"do": "hold drugg"}, "the model has no drug 'drugg'; did you mean 'drug'?"),
        ({"do": "give filgrastim 5 ug/kg QD"}, "a G-CSF is added to it by gcsf = 'filgrastim'"),
        ({"do": "give drug 5 mg d3-5"}, "the rule says from when until when"),
        ({"do": "transfuse some red cells"}, "transfuse 2 units of red cells"),
        ({"do": "transfuse 2 units of red cells", "until": None}, 'its lineage needs transfused = "yes"'),
        ({"do": None}, "'do' is missing; write hold DRUG"),
        ({"do": []}, "is empty; give one entry for each occurrence"),
        ({"do": "hold drug; give drug 1 mg QD"}, "both gives and withholds drug"),
        ({"do": "stop drug"}, "nothing lasts until then"),
        ({"when": None}, "'when' is missing"),
        ({"when": "neutrofil < 1"}, "no lineage 'neutrofil'; did you mean 'neutrophil'?"),
        ({"when": "erythroid < 8"}, "write 'hemoglobin' here"),
        ({"when": "neutrophil < 0"}, "can never be met: a count is never under 0"),
        ({"when": "neutrophil < 1 and neutrophil > 2"}, "cannot be over 2 and under 1 at once"),
        ({"when": "grade(hemoglobin) >= 4"}, "the worst grade that ctcae_v5 has a number for is 3 for hemoglobin"),
        ({"until": "grade(neutrophil) < 0"}, "r.until: can never be met"),
        ({"when": "sign(fever)"}, "no sign 'fever' is declared; add [conduct.signs.fever]"),
        ({"until": None}, "'until' is missing: what is held"),
        ({"recover": "both"}, "'both' is not known; known: named, triggered"),
        ({"recover": "triggered", "until": "platelet > 50"}, "says nothing of neutrophil"),
        ({"then": "resume at half"}, "'resume at half' is not known"),
        ({"then": "resume one level down"}, "has no levels; add e.g. levels ="),
        ({"levels": ["40 mg", "20 mg"]}, "nothing goes a level down"),
        ({"then": "resume one level down", "levels": ["50 mg", "20 mg"]}, "do not hold the planned dose of drug, 40 mg"),
        ({"then": "resume one level down", "levels": ["40 mg", "40 mg"]}, "do not fall from level to level"),
        ({"then": "resume one level down", "levels": ["75 %", "50 %"]}, "do not hold the planned dose"),
        ({"then": "resume one level down", "levels": ["100 %", "x %"]}, "'x %' is not understood"),
        ({"then": "resume one level down", "levels": ["40 mg", "20 kg/m3"]}, "20 kg/m3"),
        ({"then": "resume one level down", "levels": [["50 mg", "20 mg"], ["30 mg", "5 mg"]]}, "30 mg, 5 mg do not hold"),
        ({"within": "14 d"}, "within: says nothing without 'later'"),
        ({"later": "stop"}, "later: says nothing without 'within'"),
        ({"within": "two weeks", "later": "stop"}, "r.within"),
        ({"below": "stay"}, "says nothing without 'levels'"),
        ({"from": "cycle two"}, 'write "cycle 2" or "d29"'),
        ({"from": "cycle 4"}, "the arm has 3 cycles within 84 days, so that the rule never begins"),
        ({"from": "d100"}, "begins after the horizon of 84 days"),
        ({"rest": "48 h"}, 'write e.g. "48 h after G-CSF"'),
        ({"rest": "0 h after drug"}, "'0 h' is no rest"),
        ({"rest": "48 h after filgrastim"}, "the model has no drug 'filgrastim'; known: G-CSF, drug"),
        ({"visits": "hourly"}, "'hourly' is not understood"),
        ({"visits": "daily", "until": None, "do": "stop drug"}, "visits: says nothing without 'until'"),
        ({"most": 0}, "too small; it must be 1 or more"),
        ({"precedence": "first"}, "is not a whole number"),
        ({"turnaround": "-1 d"}, "out of bounds"),
        ({"untill": "x"}, "unknown key 'untill'; did you mean 'until'?"),
        ({"species": "mouse"}, "'r' is for mouse, and the model is of human"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_says_where_and_what_to_do(change, says):
    rule = {key: value for key, value in {**HOLD, **change}.items() if value is not None}
    assert says in message({"r": rule})


def test_of_a_regimen_without_cycles_there_is_no_second_cycle_to_wait_for_or_to_delay():
    assert "has 0 cycles" in message({"r": {**HOLD, "from": "cycle 2"}}, dose="drug 40 mg QD")
    assert "there is no later cycle to delay" in message({"r": {**HOLD, "do": "delay drug"}}, dose="drug 40 mg QD")


def test_a_planned_dose_that_changes_needs_levels_in_percent():
    rule = {**HOLD, "then": "resume one level down", "levels": ["40 mg", "20 mg"]}
    dose = ["drug 40 mg QD d1-14", "drug 20 mg QD d15-28"]
    assert "planned at several doses" in message({"r": rule}, dose=dose)
    (found,) = read({"r": {**rule, "levels": ["100 %", "50 %"]}}, dose=dose)
    assert found.levels == (1.0, 0.5)


def test_the_ladder_that_begins_with_the_planned_dose_is_taken():
    rule = {**HOLD, "then": "resume one level down", "levels": [["80 mg", "40 mg"], ["40 mg", "20 mg"]]}
    (found,) = read({"r": rule})
    assert found.level_names == ("40 mg", "20 mg") and found.levels == (1.0, 0.5)


def test_rules_that_contradict_each_other_need_a_precedence():
    down = {**HOLD, "then": "resume one level down"}
    rules = {"a": {**down, "levels": ["40 mg", "20 mg"]}, "b": {**down, "levels": ["40 mg", "30 mg"]}}
    assert "'a' and 'b' have different levels of drug; give each a precedence, the smaller number" in message(rules)
    one = {"a": {**rules["a"], "precedence": 1}, "b": rules["b"]}
    assert "have different levels" in message(one)
    assert len(read({**one, "b": {**rules["b"], "precedence": 2}})) == 2
    give = {"when": "platelet < 50", "do": "give drug 1 mg QD", "until": "platelet >= 50"}
    assert "'a' and 'b' give and withhold drug" in message({"a": HOLD, "b": give})
    assert "'a' and 'b' both give drug" in message({"a": give, "b": give})


def test_shipped_sets_by_name_with_their_source_and_warnings():
    (label,) = read("asciminib_label", "asciminib 80 mg QD", ms.load_model("asciminib", species="human"))
    assert label.name == "asciminib_label" and "Scemblix" in label.source and label.levels == (1.0, 0.5)
    mouse = ms.load_model("cemsidomide", species="mouse", gcsf="filgrastim")
    (rescue,) = read(["gcsf_animal"], "cemsidomide 100 ug QD d1-14", mouse)
    assert rescue.name == "gcsf_animal.mouse" and any("blood" in text for text in rescue.warnings)
    assert "no rule 'asciminib_lable'; did you mean 'asciminib_label'?" in message("asciminib_lable")
    assert "'gcsf_animal' is for dog, mouse, rat, and the model is of human" in message("gcsf_animal")


def test_what_does_not_fit_in_a_shipped_set_is_said_with_its_file_and_line():
    asciminib = ms.load_model("asciminib", species="human")
    assert re.search(
        r"asciminib_label.toml: rule.withhold.levels \(line \d+\)",
        message("asciminib_label", dose="asciminib 100 mg QD", model=asciminib),
    )
    assert "cemsidomide_counts.toml" in message("cemsidomide_counts")


def test_a_study_drug_is_called_drug_in_a_rule():
    cemsidomide = ms.load_model("cemsidomide", species="human", gcsf="filgrastim")
    for dose in ("cemsidomide 100 ug QD", "none"):
        assert read({"r": HOLD}, dose, cemsidomide)[0].actions == (Hold("cemsidomide"),)
    two = ms.load_model(["cemsidomide", "asciminib"], species="human")
    assert "no drug 'drug'" in message({"r": HOLD}, dose=["cemsidomide 100 ug QD", "asciminib 40 mg QD"], model=two)


SCENARIO = {
    "format": 1, "title": "Held", "model": "generic_three_lineage", "days": 56, "visits": "d1 weekly",
    "arm": [{"name": "a", "dose": CYCLES, "rules": ["r"]}], "rule": {"r": HOLD},
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"visits": [0, 7, 63]}, "visits: elapsed day 63 is after the horizon"),
        ({"visits": None}, "visits: there are rules, and nothing is seen without visits"),
        ({"rule": {"r": HOLD, "x": HOLD}}, "no arm has this rule"),
        ({"rule": {"r": {**HOLD, "do": "hold x"}}}, "scenario: rule.r.do: 'hold x': the model has no drug 'x'"),
        ({"arm": [{"name": "a", "dose": CYCLES, "rules": ["q"]}]}, "no rule 'q'"),
        ({"conduct": {"signs": {"fever": {"x": [3]}}}}, "'x' is not the number of a subject"),
        ({"conduct": {"signs": {"fever": {"3": [60]}}}}, "no elapsed days up to the horizon of 56"),
        ({"conduct": {"missed": 2}}, "out of bounds"),
    ],
)
def test_a_scenario_says_what_is_wrong_with_its_rules(change, says):
    with pytest.raises(ms.SpecError) as caught:
        load_scenario({key: value for key, value in {**SCENARIO, **change}.items() if value is not None})
    assert says in str(caught.value)
