"""NONMEM event items."""

import numpy as np
import pandas as pd
import pytest

from myelosim.errors import SpecError
from myelosim.spec import DoseEvent, Regimen, dose_channel, dose_factor, load_model, resolve
from myelosim.spec.dosing import dose_units

ITEMS = ["TIME", "AMT", "CMT", "RATE", "II", "ADDL", "SS"]


def frame(**columns):
    return pd.DataFrame({"TIME": [0.0], "AMT": [40.0]} | columns)


def read(**columns):
    return Regimen.from_events(frame(**columns), drug="drug")


def singles(regimen, horizon=2000.0):
    return [(event.time, event.amount, event.duration) for event in regimen.expand(horizon)]


def test_shorthand_and_events_are_the_same_doses():
    rows = pd.DataFrame([(0, 40, "depot", 0, 12, 55, 0)], columns=ITEMS)
    assert singles(Regimen.from_events(rows, drug="drug")) == singles(Regimen.parse("drug 40 mg BID d1-28"))


def test_items():
    rows = pd.DataFrame(
        [
            (0, 40, "depot", 0, 12, 6, 0),
            (120, 100, 2, 50, 72, 2, 0),
            (400, 120, ".", "-2", 0, 0, 0),
            (500, 5, "1", ".", 24, 3, 1),
        ],
        columns=ITEMS,
    )
    got = Regimen.from_events(rows.rename(columns=str.lower), drug="drug").events
    assert got == (
        DoseEvent("drug", 0.0, 40.0, channel="depot", interval=12.0, count=7),
        DoseEvent("drug", 120.0, 100.0, channel="2", duration=2.0, interval=72.0, count=3),
        DoseEvent("drug", 400.0, 120.0, modelled=True),
        DoseEvent("drug", 500.0, 5.0, channel="1", interval=24.0, count=4, steady_state=True),
    )


def test_steady_state_holds_for_the_first_of_repeated_doses():
    regimen = read(II=[12.0], ADDL=[2], SS=[1])
    assert [(e.time, e.steady_state, e.interval) for e in regimen.expand(100.0)] == [
        (0.0, True, 12.0), (12.0, False, 0.0), (24.0, False, 0.0),
    ]  # fmt: skip


def test_kinds_of_events():
    rows = pd.DataFrame({"TIME": [0, 1, 2, 3, 4], "AMT": [5, 0, 0, 0, 5], "EVID": [1, 0, 2, 3, 4]})
    assert [e.kind for e in Regimen.from_events(rows, drug="x").events] == ["dose", "other", "reset", "reset_dose"]


def test_observations_are_passed_over():
    rows = pd.DataFrame({"ID": [1, 1], "TIME": [0, 5], "AMT": [5, "."], "DV": [".", 3.2], "MDV": [1, 0]})
    assert len(Regimen.from_events(rows, drug="x").events) == 1


def test_drugs_by_column():
    rows = pd.DataFrame({"TIME": [0, 24], "AMT": [5, 6], "DRUG": ["a", "b"], "UNIT": ["mg", "ug/kg"]})
    assert [(e.drug, e.unit) for e in Regimen.from_events(rows).events] == [("a", "mg"), ("b", "ug/kg")]


@pytest.mark.parametrize(
    "text",
    [
        "drug 40 mg BID d1-28", "drug 40 mg over 3 h q21d x4", "a 1 mg QD d1-14 q28d x4 + b 2 ug/kg once d16",
        "drug 3 rel QD d1-2",
    ],
)  # fmt: skip
def test_events_turn_back(text):
    regimen = Regimen.parse(text)
    again = Regimen.from_events(regimen.to_events())
    assert [(e.drug, e.time, e.amount, e.unit, e.duration) for e in again.expand(5000.0)] == [
        (e.drug, e.time, e.amount, e.unit, e.duration) for e in regimen.expand(5000.0)
    ]


def test_events_without_end_need_a_horizon():
    regimen = Regimen.parse("drug 40 mg BID")
    with pytest.raises(SpecError, match="say which: to_events"):
        regimen.to_events()
    assert regimen.to_events(horizon=48.0).ADDL.tolist() == [4]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"WT": [70]}, "column 'WT' is not an event item"),
        ({"EVDI": [1]}, "did you mean 'EVID'?"),
        ({"amt": [3]}, "column AMT is there twice"),
        ({"TIME": [-1.0]}, "row 1: TIME -1.0 is not a time"),
        ({"TIME": [np.nan]}, "is not a time"),
        ({"TIME": ["noon"]}, "TIME 'noon' is not a number"),
        ({"AMT": [-5], "EVID": [1]}, "AMT -5 is negative"),
        ({"AMT": [np.inf]}, "is not a finite number"),
        ({"EVID": [5]}, "EVID 5 is not known; allowed: 0, 1, 2, 3, 4"),
        ({"EVID": [0]}, "AMT 40 on an observation"),
        ({"SS": [2], "II": [12]}, "SS 2 adds a steady state to what is there"),
        ({"SS": [1]}, "SS needs an interval"),
        ({"SS": [3]}, "SS 3 is not known"),
        ({"ADDL": [3]}, "ADDL needs an interval"),
        ({"ADDL": [1.5], "II": [12]}, "ADDL 1.5 is not known; allowed: a whole number"),
        ({"ADDL": [-1], "II": [12]}, "neither may be negative"),
        ({"RATE": [-1]}, "RATE -1 (a modelled rate) is not supported"),
        ({"RATE": [-3]}, "RATE -3 is not a rate"),
        ({"AMT": [0], "RATE": [5], "SS": [1], "II": [1], "EVID": [1]}, "a steady-state infusion without end"),
        ({"CMT": [1.5]}, "CMT 1.5 is not a compartment"),
        ({"UNIT": ["h"]}, "is not a dose"),
        ({"ID": [1]}, None),
    ],
)
def test_events_that_cannot_be(columns, message):
    if message is None:
        assert len(read(**columns).events) == 1
        return
    with pytest.raises(SpecError) as caught:
        read(**columns)
    assert message in str(caught.value)


def test_whose_doses():
    with pytest.raises(SpecError, match="whose doses are these"):
        Regimen.from_events(frame())
    with pytest.raises(SpecError, match="no DRUG"):
        Regimen.from_events(frame(DRUG=["."]))


def test_one_subject():
    rows = pd.DataFrame({"ID": [1, 2], "TIME": [0, 0], "AMT": [5, 5]})
    with pytest.raises(
        SpecError, match=r"column 'ID' names several subjects; give the rows of one, e.g. frame\[frame\['ID'\] == 1\]"
    ):
        Regimen.from_events(rows, drug="x")
    with pytest.raises(SpecError, match="there is no column AMT"):
        Regimen.from_events(pd.DataFrame({"TIME": [0]}), drug="x")


MODEL = "generic_oral_2cmt_friberg"


@pytest.mark.parametrize(
    ("event", "channel"),
    [
        (DoseEvent("drug", 0, 1), "depot"),
        (DoseEvent("drug", 0, 1, route="iv"), "central"),
        (DoseEvent("drug", 0, 1, route="sc"), "depot"),
        (DoseEvent("drug", 0, 1, channel="1"), "depot"),
        (DoseEvent("drug", 0, 1, channel="2"), "central"),
        (DoseEvent("drug", 0, 1, channel="central"), "central"),
    ],
)
def test_where_a_dose_goes(event, channel):
    assert dose_channel(event, load_model(MODEL)) == channel


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("", (1.0, "")), ("g", (1000.0, "")), ("ug/kg", (0.001, "weight")), ("mg/m2", (1.0, "surface"))],
)
def test_how_much_a_dose_is(unit, expected):
    assert dose_factor(DoseEvent("drug", 0, 1, unit), load_model(MODEL)) == expected


def test_moles_by_molar_mass():
    docetaxel = load_model("friberg_2002_docetaxel")
    factor, measure = dose_factor(DoseEvent("docetaxel", 0, 1, "mg/m2"), docetaxel)
    assert (factor, measure) == (pytest.approx(1000 / 807.9), "surface")


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (DoseEvent("durg", 0, 1), "has no drug 'durg'; did you mean 'drug'?"),
        (DoseEvent("drug", 0, 1, "umol"), "needs the molar mass"),
        (DoseEvent("drug", 0, 1, channel="3"), "there is no compartment 3; it has 1 = depot, 2 = central"),
        (DoseEvent("drug", 0, 1, channel="gut"), "there is no compartment 'gut'"),
        (DoseEvent("drug", 0, 1, modelled=True), "RATE -2 needs kinetics with a duration"),
    ],
)
def test_doses_that_are_not_the_models(event, message):
    with pytest.raises(SpecError) as caught:
        resolve(Regimen((event,)), load_model(MODEL))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"time": -1.0}, "time -1.0 is not possible"),
        ({"amount": float("nan")}, "amount nan is not possible"),
        ({"count": 0}, "count 0 gives nothing"),
        ({"count": None}, "repeated doses need an interval"),
        ({"kind": "dos"}, "kind 'dos' is not known"),
    ],
)
def test_events_made_by_hand_are_checked(fields, message):
    with pytest.raises(SpecError, match=message):
        DoseEvent(**({"drug": "drug", "time": 0.0, "amount": 1.0} | fields))


def test_no_absorption_no_oral_dose():
    with pytest.raises(SpecError, match="has no absorption, so no dose oral; give it iv"):
        resolve(Regimen.parse("docetaxel 75 mg/m2 oral once"), load_model("friberg_2002_docetaxel"))


def test_a_resolved_regimen_names_its_compartments():
    regimen = resolve(Regimen.from_events(frame(CMT=[2]), drug="drug"), load_model(MODEL))
    assert regimen.events[0].channel == "central"


@pytest.mark.parametrize(
    ("dose", "message"),
    [
        ("cemsidomide 75 ug iv once", "cemsidomide: its kinetics are those of oral doses; leave 'iv' out"),
        ("cemsidomide 75 ug over 48 h iv once", "leave 'iv' out"),
        ("cemsidomide 75 ug over 48 h once", "cemsidomide: an oral dose is not given over a duration"),
        ("filgrastim 5 ug/kg oral once", "filgrastim: its kinetics are those of sc and iv doses; leave 'oral' out"),
    ],
)
def test_routes_are_those_whose_kinetics_are_known(dose, message):
    model = load_model("cemsidomide", species="human", gcsf="filgrastim")
    with pytest.raises(SpecError, match=message):
        resolve(Regimen.parse(dose), model)
    resolve(Regimen.parse("filgrastim 5 ug/kg iv once + filgrastim 5 ug/kg sc once"), model)


@pytest.mark.parametrize(
    ("name", "units"),
    [
        ("friberg_2002_docetaxel", ("umol", "mg", "umol/kg", "umol/m2", "mg/kg", "mg/m2")),
        ("generic_oral_1cmt", ("mg",)),
    ],
)
def test_units_a_drug_takes_can_be_read(name, units):
    model = load_model(name)
    drug = next(iter(model.drugs))
    taken = dose_units(model)[drug]
    assert taken[: len(units)] == units
    for unit in taken:
        resolve(Regimen.parse(f"{drug} 1 {unit}"), model)
