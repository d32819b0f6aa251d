"""Sweep files: every combination is an arm that a scenario would take, and what is wrong names the cell."""

import pytest

from myelosim.errors import SpecError
from myelosim.spec.scenarios import load_scenario
from myelosim.spec.sweep_axes import dosed, parts_of
from myelosim.spec.sweeps import load_sweep

BASE = "cemsidomide_human_schedules"


def sweep(axis, **changes):
    return load_sweep({"scenario": BASE, "axis": axis, **changes})


def doses(held):
    return [cell.scenario.arms[0].regimen.text for cell in held.cells]


def test_doses_and_schedules_take_each_others_place():
    held = sweep({"dose": ["50 ug", "0.1 mg"], "schedule": ["QD d1-7 q21d x2", "BID d1-3"]})
    assert doses(held) == [
        "cemsidomide 50 ug QD d1-7 q21d x2", "cemsidomide 50 ug BID d1-3",
        "cemsidomide 0.1 mg QD d1-7 q21d x2", "cemsidomide 0.1 mg BID d1-3",
    ]  # fmt: skip
    assert held.axes[0].numbers == pytest.approx((50.0, 100.0)) and held.axes[0].unit == "ug"
    assert held.axes[1].numbers == ()


def test_what_no_axis_says_is_the_arms():
    arm = "100 ug, 14 on 14 off, filgrastim d10-14"
    held = sweep({"dose": ["50 ug"]}, arm=arm, population={"size": 12, "seed": 5})
    assert doses(held) == ["cemsidomide 50 ug QD d1-14 q28d x4 + filgrastim 5 ug/kg sc QD d10-14 q28d x4"]
    assert (held.cells[0].scenario.size, held.cells[0].scenario.seed) == (12, 5)
    assert held.undosed[0].scenario.arms[0].regimen.events == ()


def test_gcsf_replaces_the_arms_own():
    arm = "100 ug, 14 on 14 off, filgrastim d10-14"
    held = sweep({"gcsf": ["none", "filgrastim 5 ug/kg sc QD d15-17 q28d x4"]}, arm=arm)
    own = "cemsidomide 100 ug QD d1-14 q28d x4"
    assert doses(held) == [own, f"{own} + filgrastim 5 ug/kg sc QD d15-17 q28d x4"]


def test_how_a_dose_is_given_stays_unless_it_says():
    parts = parts_of("docetaxel 75 mg/m2 over 1 h q21d x2 + filgrastim 5 ug/kg sc QD d5-9")
    assert dosed(parts, "docetaxel", "60 mg/m2", None)[0] == "docetaxel 60 mg/m2 over 1 h q21d x2"
    assert dosed(parts, "docetaxel", "60 mg/m2 over 3 h", "q14d x3")[0] == "docetaxel 60 mg/m2 over 3 h q14d x3"
    assert dosed(parts, "filgrastim", None, "QD d6-8")[1] == "filgrastim 5 ug/kg sc QD d6-8"
    assert dosed(parts, "docetaxel", "none", "q14d") == ["filgrastim 5 ug/kg sc QD d5-9"]


def test_another_species_has_its_own_variant_and_grading():
    held = sweep({"species": ["human", "cynomolgus"]})
    human, monkey = (cell.scenario for cell in held.cells)
    base = load_scenario(BASE)
    assert human.model == base.model and human.grading == "ctcae_v5"
    assert monkey.model.subjects.species == "cynomolgus" and monkey.grading == "percent_of_baseline"
    assert [axis.name for axis in held.ground] == ["species"] and len(held.undosed) == 2


def test_rules_are_those_of_the_scenario():
    base = {
        "title": "Held", "model": {"drug": "cemsidomide", "species": "human"}, "days": 56, "visits": "d1 weekly",
        "arm": [{"name": "a", "dose": "cemsidomide 75 ug QD d1-14 q28d x2", "rules": ["hold"]}],
        "rule": {"hold": {"when": "neutrophil < 1.0", "do": "hold cemsidomide", "until": "neutrophil >= 1.0"}},
    }  # fmt: skip
    held = load_sweep({"scenario": base, "axis": {"rules": ["none", ["hold"]], "dose": ["50 ug"]}})
    assert [len(cell.scenario.arms[0].rules) for cell in held.cells] == [0, 1]
    assert not held.undosed[0].scenario.arms[0].rules and held.axes[0].values == ("none", "hold")
    without = load_sweep({"scenario": base, "axis": {"rules": ["none"]}})
    assert not without.cells[0].scenario.arms[0].rules


def test_what_it_is_about_is_in_the_hash_and_what_is_asked_is_not():
    axis = {"dose": ["50 ug", "75 ug"]}
    one = sweep(axis)
    assert one.subjects_hash == sweep(axis, title="Another").subjects_hash
    assert one.spec_hash != sweep(axis, title="Another").spec_hash
    for other in (
        sweep({"dose": ["50 ug", "76 ug"]}),
        sweep(axis, population={"seed": 9}),
        sweep(axis, block=80),
        sweep({**axis, "neutrophil.gamma": [0.2]}),
    ):
        assert other.subjects_hash != one.subjects_hash


@pytest.mark.parametrize(
    "axis, changes, said",
    [
        ({}, {}, "axis: varies nothing"),
        ({"doze": ["1 mg"]}, {}, "did you mean 'dose'"),
        ({"dose": []}, {}, "no list of values"),
        ({"dose": ["50 ug", "50 ug"]}, {}, "twice"),
        ({"dose": [50]}, {}, "no value of this axis"),
        ({"dose": ["50 ug", "1 mg/kg"]}, {}, "cannot be put in order"),
        ({"dose": ["50 parsecs"]}, {}, "parsecs"),
        ({"schedule": ["QQD d1-3"]}, {}, r"arm 'schedule QQD d1-3'.*'QQD' is not understood"),
        ({"schedule": ["QD d1-3"], "species": ["rat", "hamster"]}, {}, r"no species 'hamster'.*cells of hamster"),
        ({"variant": ["rmmm"]}, {}, "cells of rmmm"),
        ({"rules": ["none", ["hold"]]}, {}, r"arm 'rules hold'\.rules.*'hold'"),
        ({"gcsf": ["pegfilgrastim 6 mg sc once"]}, {}, "has no drug 'pegfilgrastim'"),
        ({"size": [0]}, {}, "0 is too small"),
        ({"neutrophil.gama": [0.2]}, {}, r"arm 'neutrophil.gama 0.2'"),
        ({"population": [{"name": "x", "wait": 3}]}, {}, "unknown key 'wait'"),
        ({"dose": ["50 ug"]}, {"arm": "x"}, "the scenario has no arm 'x'"),
        ({"dose": ["50 ug"]}, {"drug": "x"}, "gives no 'x'"),
        ({"dose": ["50 ug"]}, {"scenario": "x"}, "no scenario 'x'"),
        ({"species": ["human"]}, {"scenario": {**{"title": "t", "model": "kloft_2006_docetaxel", "days": 9},
          "arm": [{"name": "a", "dose": "none"}]}}, "a complete one, of one species"),
        ({"dose": ["5 mg"]}, {"scenario": {"title": "t", "model": "generic_oral_1cmt", "days": 9,
          "arm": [{"name": "a", "dose": "drug 1 mg once"}]}}, "has no lineage"),
        ({"dose": ["50 ug"]}, {"limit": {"lineage": "hemoglobin", "at_least": 4, "probability": 0.3}}, "no number for grade 4"),
        ({"dose": ["50 ug"]}, {"limit": {"lineage": "neutrophils", "probability": 0.3}}, "did you mean 'neutrophil'"),
        ({"dose": ["50 ug"]}, {"limit": {"lineage": "neutrophil", "probability": 33}}, "out of bounds"),
        ({"dose": ["50 ug"]}, {"keep": {"subjects": [1], "cells": [{"dose": "5 ug"}]}}, "no axis dose has the value"),
        ({"dose": ["50 ug"]}, {"block": 12}, "multiple of 8"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(axis, changes, said):
    with pytest.raises(SpecError, match=said):
        sweep(axis, **changes)


def test_files_of_the_other_kind_say_so():
    with pytest.raises(SpecError, match=r"is a sweep file; what is needed here is a scenario file"):
        load_scenario("cemsidomide_sweep")
    with pytest.raises(SpecError, match=r"is a scenario file; what is needed here is a sweep file, with \[axis\]"):
        load_sweep(BASE)
