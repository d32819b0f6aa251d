"""Scenario files."""

import pytest
from spec_samples import SCENARIO

from myelosim.errors import SpecError
from myelosim.spec import load_scenario
from myelosim.spec.document import read_toml
from myelosim.spec.library import files
from myelosim.spec.lines import line_of, scan
from myelosim.spec.load import kind_of
from myelosim.spec.recommend import candidate_days, usual_calendars
from myelosim.spec.scenario import Calendar

GRADING = """\
format = 1
kind = "grading"
title = "T"
source = "S"
[bounds.neutrophil]
absolute = ["lln", 1.5, 1.0, 0.5]
"""


@pytest.fixture(autouse=True)
def grading(samples):
    folder = samples / "models" / "grading"
    folder.mkdir()
    (folder / "ctcae_v5.toml").write_text(GRADING)


def spoil(samples, *changes):
    text = SCENARIO
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (samples / "scenarios" / "bad.toml").write_text(text)
    with pytest.raises(SpecError) as caught:
        load_scenario("bad")
    return str(caught.value)


def test_what_a_file_becomes(samples):
    scenario = load_scenario("sample_scenario")
    assert (scenario.name, scenario.title, scenario.days, scenario.grading) == (
        "sample_scenario",
        "Sample",
        56.0,
        "ctcae_v5",
    )
    assert (scenario.size, scenario.seed, scenario.tolerance) == (20, 3, 1e-6)
    assert scenario.visits == tuple(7.0 * week for week in range(9))
    assert [arm.name for arm in scenario.arms] == ["low", "high"]
    assert scenario.arms[1].regimen.events[0].amount == 40.0
    assert scenario.arms[1].regimen.cycles == (0.0, 672.0)
    assert scenario.arms[0].model == scenario.model
    assert scenario.load == {"model": "sample"}
    assert scenario.spec_hash == load_scenario(samples / "scenarios" / "sample_scenario.toml").spec_hash


def test_arms_change_the_model(samples):
    held = {
        "format": 1,
        "title": "Arms",
        "model": {"drug": "abc", "species": "monkey", "sensitivity": 1.0},
        "days": "4 weeks",
        "lineages": ["neutrophil"],
        "recommend": {
            "draws": [2, 3], "candidates": "d1 q2d", "nadir_weight": 0.5, "weekdays": ["tue", "Fri"], "first_day": "wed",
            "gap": "48 h", "within": "3 d", "calendars": {"a": [3, 5], "b": "d8 weekly; twice weekly until recovery"},
        },
        "arm": [
            {
                "name": "changed", "dose": ["abc 1 mg/kg QD"], "size": 6, "set": {"abc.ec50": "3 mg/L"},
                "start": {"neutrophil": "3000 cells/uL"}, "covariates": {"weight": "5 kg"},
            },
            {
                "name": "measured", "dose": "none",
                "concentration": {"abc": {"times": [0, 1, 2], "values": [0, 900, 100], "unit": "ng/mL",
                                          "time_unit": "d", "interpolation": "previous", "after": "zero"}},
            },
        ],
    }  # fmt: skip
    scenario = load_scenario(held)
    assert (scenario.days, scenario.name) == (28.0, "scenario")
    changed, measured = scenario.arms
    assert changed.size == 6
    assert changed.model.parameters["abc.neutrophil.ec50"].value == 3.0
    assert changed.model.parameters["abc.neutrophil.ec50"].source == "set by the scenario"
    assert changed.model.start == {"neutrophil": 3.0}
    assert changed.model.subjects.covariates["weight"] == 5.0
    assert scenario.model.start == {}
    drug = measured.model.drugs["abc"]
    assert (drug.kind, drug.table["times"], drug.table["values"]) == ("table", (0.0, 24.0, 48.0), (0.0, 0.9, 0.1))
    assert measured.regimen.events == ()
    assert "abc.cl" not in measured.model.parameters
    assert "abc.neutrophil.ec50" in measured.model.parameters
    assert scenario.recommend.draws == (2, 3)
    assert scenario.recommend.candidates == tuple(float(day) for day in range(0, 29, 2))
    assert (scenario.recommend.gap, scenario.recommend.within) == (2.0, 3.0)
    # study day 1 is a Wednesday: Fridays are elapsed days 2, 9, 16, 23, Tuesdays 6, 13, 20, 27
    assert candidate_days(scenario.recommend, 28.0) == (2.0, 6.0, 16.0, 20.0)
    assert scenario.recommend.calendars == {
        "a": Calendar((3.0, 5.0)), "b": Calendar((7.0, 14.0, 21.0, 28.0), until_recovery=True)
    }  # fmt: skip


def test_a_model_beside_the_scenario(samples, monkeypatch):
    folder = samples / "elsewhere"
    folder.mkdir()
    (folder / "own.toml").write_text((samples / "models/published/sample.toml").read_text())
    (folder / "study.toml").write_text(SCENARIO.replace('"sample"', '"own.toml"'))
    assert load_scenario(folder / "study.toml").model.name == "own"


CHANGES = [
    ("format  = 1", "format  = 3", "format (line 1): 3 is not a format this version reads"),
    ("title ", "titel ", "unknown key 'titel'; did you mean 'title'?"),
    ('"sample"', '"sampel"', "model (line 3): no model 'sampel'; did you mean 'sample'?"),
    ('"sample"', "3", "3 is neither a name nor a path nor"),
    ('"sample"', '{ drug = "abc" }', "say to which species it is given: "),
    ('"sample"', '{ species = "monkey" }', "'drug' is missing"),
    ('"sample"', '{ drug = "abc", species = "dog" }', "abc is refused for dog"),
    ('"sample"', '{ drug = "abc", specie = "dog" }',
     "model.specie (line 3): unknown key 'specie'; did you mean 'species'?"),
    ("days    = 56", "days    = 0", "0 days is no horizon"),
    ("days    = 56", "days    = 40000", "longer than the 3660 days"),
    ("days    = 56", "days    = nan", "days (line 4): nan is not a finite number"),
    ("days    = 56", 'days    = "56"', '"56" has no unit'),
    ("days    = 56", 'days    = "56 mg"', "unit 'mg' is not a time"),
    ("days    = 56\n", "", "'days' is missing"),
    ('"d1 weekly"', '"d1 wekly"', "visits (line 5): 'd1 wekly': 'wekly' is not understood; did you mean 'weekly'?"),
    ('"d1 weekly"', '"d1 weekly; d8"', "study day 8 (in 'd1 weekly' and 'd8') is there twice"),
    ('"d1 weekly"', "[1, 90]", "elapsed day 90 is after the horizon of 56 days"),
    ('"d1 weekly"', "3", "3 are no visits"),
    ("size = 20", "size = 0", "population.size (line 8): 0 is too small; it must be 1 or more"),
    ("format  = 1\n", "", "'format' is missing; give format = 1"),
    ("size = 20", "size = 1.5", "1.5 is not a whole number"),
    ("seed = 3", "seed = -3", "-3 is too small"),
    ("seed = 3", "seeds = 3", "unknown key 'seeds'; did you mean 'seed'?"),
    ("[population]", 'grading = "ctcae_v4"\n[population]', "no grading table 'ctcae_v4'; did you mean 'ctcae_v"),
    ("[population]", "tolerance = 1\n[population]",
     "tolerance (line 7): 1 is out of bounds; it must be between 1e-12 and 0.01"),
    ("[population]", 'lineages = ["neutrofil"]\n[population]', "the model has no lineage 'neutrofil'; did you mean"),
    ("[population]", "[recommend]\ndraws = 0\n[population]", "recommend.draws (line 8): 0 is not a number of draws"),
    ("[population]", "[recommend]\ndraws = 3\ncandidates = [1, 2]\n[population]", "2 candidate days for 3 draws"),
    ("[population]", '[recommend]\nweekdays = ["mon", "freitag"]\n[population]',
     "recommend.weekdays (line 8): 'freitag' is no weekday; write mon, tue, wed, thu, fri, sat, sun"),
    ("[population]", '[recommend]\nfirst_day = 1\n[population]', "recommend.first_day (line 8): 1 is not a text"),
    ("[population]", '[recommend]\ndraws = 9\nweekdays = "mon"\n[population]',
     "recommend.weekdays (line 9): 8 candidate days for 9 draws"),
    ("[population]", "[recommend]\ncandidates = [3, 60]\n[population]",
     "recommend.candidates (line 8): elapsed day 60 is after the horizon of 56 days"),
    ("[population]", '[recommend]\ngap = "-1 d"\n[population]',
     "recommend.gap (line 8): '-1 d' is out of bounds; it must be between 0 and 3660 d; write e.g. \"2 d\""),
    ("[population]", '[recommend]\nwithin = "7 mg"\n[population]', "recommend.within (line 8): "),
    ("[population]", '[recommend]\ncalendars = { mine = [3, 70] }\n[population]',
     "recommend.calendars.mine (line 8): elapsed day 70 is after the horizon"),
    ("[population]", '[recommend]\ncalendars = { mine = "d1 weekly; twice a week" }\n[population]',
     "'twice a week' is not understood"),
    ("[population]", '[recommend]\ndraws = 2\nblood = "all"\n[population]', "'all' is not known; known: none, species"),
    ("[population]", '[rule.hold]\nwhen = "x"\n[population]', "rule.hold (line 7): no arm has this rule"),
    ('name = "low"', 'name = "low"\nrules = ["hold"]', "arm 'low'.rules (line 13): no rule 'hold'"),
    ('name = "high"', 'name = "low"', "arm 'low'.name (line 16): two arms are called 'low'"),
    ('name = "low"\n', "", "arm[1] (line 11): 'name' is missing"),
    ('name = "low"', 'name = "low"\nsize = 0', "arm 'low'.size (line 13): 0 is too small; it must be 1 or more"),
    ('name = "low"', 'name = "low"\ndosis = 3', "arm 'low'.dosis (line 13): unknown key 'dosis'; did you mean 'dose'?"),
    ('dose = "abc 10 mg QD d1-14 q28d x2"\n', "", "arm 'low' (line 11): 'dose' is missing"),
    ("abc 10 mg", "abd 10 mg", "arm 'low'.dose (line 13): model sample has no drug 'abd'; did you mean 'abc'?"),
    ("abc 10 mg", "abc -10 mg", "arm 'low'.dose (line 13): 'abc -10 mg QD d1-14 q28d x2': amount -10 is not possible"),
    ("abc 10 mg", "abc 10 K/uL", "is not a dose"),
    ("abc 10 mg", "abc 10 rel", "is not a mass"),
    ("abc 10 mg QD d1-14 q28d x2", "abc 10 mg QDD", "'QDD' is not understood; did you mean 'QD'?"),
    ("abc 10 mg QD d1-14 q28d x2", "abc 10 mg once d90", "abc starts on d90, after the horizon of 56 days"),
    ("abc 10 mg QD d1-14 q28d x2", "abc 10 mg QD d1-14 + abc 5 mg QD d10-20",
     "abc is dosed twice at the same time, first on d10"),
    ('name = "low"', 'name = "low"\nset = { "neutrophil.mt" = 3 }',
     "arm 'low'.set.neutrophil.mt (line 13): model sample: no parameter"),
    ('name = "low"', 'name = "low"\nset = { "neutrophil.mtt" = "3 mg" }', "unit 'mg' is not a time"),
    ('name = "low"', 'name = "low"\nset = { "neutrophil.gamma" = 0.9 }', "past the stability limit"),
    ('name = "low"', 'name = "low"\nset = { "neutrophil.mtt" = 1e300 }',
     "neutrophil.mtt: 1e+300 h cannot be meant; it must be between 0.001 and 1e+06 h"),
    ('name = "low"', 'name = "low"\nset = { "neutrophil.baseline" = 1e300 }',
     "neutrophil.baseline: 1e+300 10^9/L cannot be meant; it must be between 1e-06 and 100 10^9/L"),
    ('name = "low"', 'name = "low"\nset = { "neutrophil.nadir" = 3 }',
     "no parameter 'neutrophil.nadir'; neutrophil has neutrophil.baseline, neutrophil.mtt, neutrophil.gamma"),
    ('name = "low"', 'name = "low"\nset = { "abc.neutrophil.ec5" = 3 }',
     "did you mean 'abc.neutrophil.ec50'? abc.neutrophil has abc.neutrophil.emax, abc.neutrophil.ec50"),
    ('name = "low"', 'name = "low"\nset = { "abc.cl" = true }', "abc.cl: true is not a number"),
    ('name = "low"', 'name = "low"\nstart = { neutrophil = "1.2 mg" }', "unit 'mg' is not a count per volume"),
    ('name = "low"', 'name = "low"\nstart = { neutrophil = 1e300 }', "1e+300 is out of bounds; it must be between"),
    ('name = "low"', 'name = "low"\nsize = 2.5', "arm 'low'.size (line 13): 2.5 is not a whole number; it must be 1"),
    ('name = "low"', 'name = "a\\u0000b"', "name (line 12): contains the control character U+0000; take it out"),
    ('name = "low"', 'name = "a\\nb"', "'a\\nb' has a line break or a tab in it; write it on one line"),
    ('name = "low"', 'name = " "', "is empty; give it a text"),
    ('title   = "Sample"', 'title   = "a \\u202e b"', "title (line 2): contains the control character U+202E"),
    ('title   = "Sample"', 'title   = ""', "title (line 2): is empty"),
    ('title   = "Sample"', 'kind = "drug"\ntitle = 3',
     "is a drug file; what is needed here is a scenario file, with [[arm]]"),
    ("size = 20", "size = -5", "population.size (line 8): -5 is too small; it must be 1 or more"),
    ("size = 20", "size = 2.5", "population.size (line 8): 2.5 is not a whole number; it must be 1 or more"),
    ("seed = 3", f"seed = {'8' * 400}", "a whole number of 400 digits is too large; it must be at most 9223"),
    ("days    = 56", "days    = 1e-9", "1e-09 days is no horizon; it must be 0.01 or more"),
    ("days    = 56", 'days    = "seventy d"', "'seventy d' does not begin with a number"),
    ("[population]", "[recommend]\ndraws = 500\n[population]", "56 candidate days for 500 draws; give"),
    ("[population]", "[recommend]\ndrawz = 2\n[population]", "unknown key 'drawz'; did you mean 'draws'?"),
    ("[population]", '[recommend]\ndraws = 2\nlineages = ["erythroid"]\n[population]',
     "the model has no lineage 'erythroid'"),
    ("abc 10 mg", "abc 10",
     '10 has no unit; abc takes mg, umol, mg/kg, mg/m2, umol/kg, umol/m2; write e.g. "abc 10 mg"'),
    ("abc 10 mg", "abc ten mg", "no amount after 'abc', but 'ten'; write e.g."),
    ("abc 10 mg", "abc inf mg", "no amount after 'abc', but 'inf'"),
    ("abc 10 mg", "abc 1e300 mg", "amount 1e300 is not possible; it must be 0 or more, and at most 1e+12"),
    ("abc 10 mg", "abc 10 mg over 48 h", "abc: an oral dose is not given over a duration"),
    ('"abc 10 mg QD d1-14 q28d x2"', '["abc 10 mg QD", "none"]', "'none' stands beside 'abc 10 mg QD'"),
    ('"abc 10 mg QD d1-14 q28d x2"', '["abc 10 mg QD", "abc 10 mg QD"]', "dosed twice at the same time, first on d1"),
    ('name = "low"', 'name = "low"\nstart = { platelt = 3 }', "no lineage 'platelt'; did you mean 'platelet'?"),
    ('name = "low"', 'name = "low"\ncovariates = { food = "fed" }', "the model has no covariate 'food'"),
    ('name = "low"', 'name = "low"\ncovariates = { weight = "70 h" }', "unit 'h' is not a mass"),
    ('name = "low"', 'name = "low"\nconcentration = { abd = {} }', "the model has no drug 'abd'"),
    ('name = "low"', 'name = "low"\nconcentration = { abc = { times = [0], values = [1] } }',
     "'interpolation' is missing"),
    ('name = "low"', 'name = "low"\nconcentration = { abc = { times = [0], values = [0], interpolation = "next" } }',
     "is a table of concentrations and takes no dose"),
    ('name = "low"', 'name = "low"\nconcentration = { abc = { times = [0], values = [1], interpolation = "next" } }',
     "arm 'low'.concentration (line 13): abc: the table ends at 0 h with 1 mg/L, before the horizon of 56 days; give a last"),
    ('name = "low"', 'name = "low"\nconcentration = { abc = { times = [0], values = [1], after = "never" } }',
     "'never' is not known; known: last, zero"),
    ('"abc 10 mg QD d1-14 q28d x2"', "[]", "arm 'low'.dose (line 13): is empty; give e.g. dose ="),
    ("abc 10 mg QD", "abc 10 kg QD", "model sample: abc: a dose of 10 kg cannot be meant; it is at most 1 kg"),
    ('name = "low"', 'name = "low"\nstart = { neutrophil = 2000 }', "2000 is out of bounds; it must be between"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"), CHANGES, ids=[f"{i}-{change[2][:40]}" for i, change in enumerate(CHANGES)]
)
def test_what_is_wrong_is_said(samples, old, new, message):
    said = spoil(samples, (old, new))
    assert message in said
    assert said.startswith("scenarios/bad.toml: ")


def test_everything_wrong_is_said_at_once(samples):
    said = spoil(
        samples, ("size = 20", "size = 0"), ("abc 10 mg", "abd 10 mg"), ('"d1 weekly"', '"d0"'), ("title ", "titel ")
    )
    assert len(said.splitlines()) == 5


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("size = 20", "size = 2.5"),
        ("size = 20", "size = -5"),
        ('name = "low"', 'name = "low"\nsize = -5'),
        ('name = "low"', 'name = "low"\nstart = { neutrophil = "1.2 mg" }'),
        ('"abc 10 mg QD d1-14 q28d x2"', "3"),
        ("days    = 56", "days    = -1"),
        ('"sample"', '{ drug = "abc", species = "monkey", sensitivity = 1e300 }'),
        ('"sample"', "true"),
    ],
)
def test_one_mistake_is_said_once(samples, old, new):
    assert len(spoil(samples, (old, new)).splitlines()) == 1


def test_arms_are_needed(samples):
    start = SCENARIO.index("[[arm]]")
    assert "there is no arm; add [[arm]]" in spoil(samples, (SCENARIO[start:], ""))
    assert "expected entries headed [[arm]]" in spoil(samples, (SCENARIO[start:], "[arm]\nname = 1\n"))


def test_scenarios_that_are_not_there(samples):
    with pytest.raises(SpecError, match="no scenario 'sample_scenari'; did you mean 'sample_scenario'"):
        load_scenario("sample_scenari")


def test_lines_are_found_whatever_the_spelling():
    text = '''a = 1
"b c".d = [
  1,  # ] not yet
  2,
]
[t."x.y"]
k = """
z = 3
"""
[[arr]]
n = { m = 1 }
[[arr]]
[arr.sub]
q = 'it''s # no comment'
[[arr.deep]]
w = 1
'''.replace("''", "")
    found = scan(text)
    assert found[("a",)] == 1
    assert found[("b c", "d")] == 2
    assert found[("t", "x.y")] == 6
    assert ("t", "x.y", "z") not in found
    assert found[("arr", 0, "n")] == 11
    assert line_of(found, ("arr", 0, "n", "m")) == 11
    assert found[("arr", 1, "sub", "q")] == 14
    assert found[("arr", 1, "deep", 0, "w")] == 16
    assert line_of(found, ("nothing",)) is None


def test_calendars_to_compare_with():
    people = usual_calendars("human", 60)
    assert people["weekly x4, then q2w"].days == (7.0, 14.0, 21.0, 28.0, 42.0, 56.0)
    assert people["weekly, 2 a week at grade 3"] == Calendar(tuple(range(7, 57, 7)), until_recovery=True)
    assert usual_calendars("mouse", 8)["days 3, 5, 7, 10, 14"].days == (3.0, 5.0, 7.0)
    assert list(usual_calendars("mouse", 28, [0.0, 3.0, 5.0, 7.0, 10.0, 14.0])) == ["weekly, 2 a week at grade 3"]
    assert usual_calendars("human", 0.5) == {} == usual_calendars("mouse", 2.0)
    assert load_scenario("sample_scenario").recommend.calendars == usual_calendars("human", 56)


SHIPPED = [name for name, path in sorted(files("scenarios").items()) if kind_of(read_toml(path).data, "") == "scenario"]


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_scenarios_load(name):
    scenario = load_scenario(name)
    assert scenario.arms
    assert scenario.spec_hash == load_scenario(name).spec_hash
