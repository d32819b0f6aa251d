"""One subject's visits, decisions and doses, read off a held."""

import numpy as np
import pandas as pd
import pytest

import myelosim as ms
from myelosim.history import History, history


def somebody(held):
    return int(held["decision_subject"][0])


def test_explain_says_what_the_result_holds(held):
    who = somebody(held)
    told = ms.explain(held, who, "held")
    log = held.isel(decision=(held["decision_subject"] == who).to_numpy())
    decided = told[told["decision"] != ""]
    assert decided["decision"].tolist() == log["decision_action"].to_numpy().tolist()
    assert decided["effect_day"].tolist() == log["decision_effect_day"].to_numpy().tolist()
    np.testing.assert_array_equal(decided[["neutrophil", "platelet", "hemoglobin"]], log["decision_seen"])
    own = held.sel(arm="held", subject=who)["observed"]
    there = own.notnull().any("lineage")
    assert told["day"].drop_duplicates().tolist() == own["visit"][there.to_numpy()].to_numpy().tolist()


def test_doses_add_up_to_those_given(held):
    who = somebody(held)
    found = history(held, who, "held")
    own = held.sel(arm="held", subject=who)
    assert found.doses["given"].sum() == float(own["dose_given"].sum()) < found.doses["planned"].sum()
    words = " ".join(ms.explain(held, who, "held")["doses"]).replace(",", " ").split()
    missed = sum(int(word[1:]) for word in words if word[0] == "x" and word[1:].isdigit())
    assert missed == len(found.doses)


def test_an_arm_without_rules_has_visits_and_doses_only(held):
    told = ms.explain(held, 0, "fixed")
    assert set(told["decision"]) == {""} and told["effect_day"].isna().all()
    assert told["doses"].tolist() == ["drug 80 mg x14"] * 4 + [""] * 3
    assert history(held, 0, "fixed").holds() == []
    alone = ms.explain(held.sel(arm="fixed"), 0)
    pd.testing.assert_frame_equal(alone, told)


def test_decisions_are_those_of_the_arm(held):
    picked = ms.explain(held.sel(arm="held"), somebody(held))
    pd.testing.assert_frame_equal(picked, ms.explain(held, somebody(held), "held"))


def by_hand(rows, last=100.0):
    import xarray as xr

    own = xr.Dataset({"time": [0.0, last]})
    table = pd.DataFrame(rows, columns=["effect_day", "rule", "decision"])
    return History(own, table, table, table).holds()


def test_holds():
    assert by_hand([(7, "a", "hold x"), (14, "a", "resume x at 5 mg")]) == [("x", 7, 14)]
    # Held by two rules: until the second lets go.
    both = [
        (7, "a", "hold x"),
        (9, "b", "hold x"),
        (14, "a", "release x, which another rule holds"),
        (21, "b", "resume x"),
    ]
    assert by_hand(both) == [("x", 7, 21)]
    assert by_hand([(7, "a", "delay x")]) == [("x", 7, 100.0)]  # to the horizon
    assert by_hand([(100, "a", "hold x")]) == []
    # A stop by any rule ends it; what was not held is not.
    assert by_hand([(7, "a", "hold x"), (9, "b", "stop x"), (14, "c", "stop y, there is no lower level")]) == [
        ("x", 7, 9)
    ]


@pytest.mark.parametrize(
    ("subject", "arm", "says"),
    [
        (0, None, "several arms; name one of 'fixed', 'held'"),
        (0, "hold", "no arm 'hold'; there are 'fixed', 'held'"),
        (12, "held", "no subject 12; the result has 0 to 11"),
    ],
)
def test_who_is_not_there_is_said(held, subject, arm, says):
    with pytest.raises(ms.SpecError, match=says):
        ms.explain(held, subject, arm)


def test_a_result_without_doses_is_refused(held):
    with pytest.raises(ms.SpecError, match="no subjects and doses"):
        ms.explain(held.drop_vars("dose_given"), 0, "held")
