"""The dose shorthand and visits: what they mean, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myelosim.errors import SpecError
from myelosim.spec import DoseEvent, Regimen, parse_visits

DAY = 24.0


def times(text, days=112.0):
    return [event.time / DAY for event in Regimen.parse(text).expand(days * DAY)]


def test_until_the_horizon():
    (event,) = Regimen.parse("asciminib 40 mg BID").events
    assert event == DoseEvent("asciminib", 0.0, 40.0, "mg", interval=12.0, count=None)
    assert times("asciminib 40 mg BID", 1.0) == [0.0, 0.5, 1.0]


def test_on_and_off():
    regimen = Regimen.parse("cemsidomide 100 ug QD d1-14 q28d x4")
    assert times("cemsidomide 100 ug QD d1-14 q28d x4") == [28 * cycle + day for cycle in range(4) for day in range(14)]
    assert regimen.cycles == (0.0, 672.0, 1344.0, 2016.0)
    assert regimen.starts(57 * DAY) == (0.0, 672.0, 1344.0)


def test_on_and_off_until_the_horizon():
    regimen = Regimen.parse("cemsidomide 100 ug BID d1-2 q7d")
    assert times("cemsidomide 100 ug BID d1-2 q7d", 10.0) == [0.0, 0.5, 1.0, 1.5, 7.0, 7.5, 8.0, 8.5]
    assert regimen.starts(21 * DAY) == (0.0, 168.0, 336.0)
    assert regimen.starts(21.5 * DAY) == (0.0, 168.0, 336.0, 504.0)


def test_every_three_weeks():
    (event,) = Regimen.parse("docetaxel 75 mg/m2 over 1 h q21d x6").events
    assert (event.amount, event.unit, event.duration, event.interval, event.count) == (75.0, "mg/m2", 1.0, 504.0, 6)
    assert times("docetaxel 75 mg/m2 over 1 h q21d x6", 200) == [21.0 * i for i in range(6)]
    assert Regimen.parse("docetaxel 75 mg/m2 over 1 h q21d x6").cycles == tuple(504.0 * i for i in range(6))


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("filgrastim 5 ug/kg sc QD d5-11", [4, 5, 6, 7, 8, 9, 10]),
        ("drug 410 umol over 3 h once", [0]),
        ("drug 410 umol over 180 min", [0]),
        ("drug 5 mg once d8", [7]),
        ("drug 5 mg d1,8,15 q28d x2", [0, 7, 14, 28, 35, 42]),
        ("drug 5 mg d15,1", [0, 14]),
        ("drug 5 mg QD d1-2,8-9", [0, 1, 7, 8]),
        ("drug 5 mg q7d d1-28", [0, 7, 14, 21]),
        ("drug 5 mg q2d d1-7 q14d x2", [0, 2, 4, 6, 14, 16, 18, 20]),
        ("drug 5 mg q1w x3", [0, 7, 14]),
        ("drug 5 mg Q2D D1-3,D8 Q14D X2", [0, 2, 7, 14, 16, 21]),
        ("drug 5 mg q12h x3", [0, 0.5, 1]),
        ("drug 5 mg q8h d1", [0, 1 / 3, 2 / 3]),
        ("drug 5 mg TID d1", [0, 1 / 3, 2 / 3]),
        ("drug 5mg iv over 30 min q1d d1-2", [0, 1]),
        ("drug 0 mg once", [0]),
        ("drug 2.5e-1 mg once", [0]),
        ("drug 3 mg QD d1-2", [0, 1]),
        ("drug-x_1 3 rel qd d1-2", [0, 1]),
    ],
)
def test_what_it_means(text, days):
    assert times(text) == pytest.approx(days)


def test_several_drugs():
    joined = Regimen.parse("a 1 mg QD d1-14 q28d x2 + b 2 ug/kg sc once d16")
    assert joined == Regimen.parse(["a 1 mg QD d1-14 q28d x2", "b 2 ug/kg sc once d16"])
    assert joined.drugs == ("a", "b")
    assert joined.cycles == (0.0, 672.0)
    assert [e.drug for e in joined.expand(20 * DAY)] == ["a"] * 14 + ["b"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("drug", "no amount after 'drug'; write e.g. \"drug 40 mg BID\""),
        ("40 mg drug", "'40' is not the name of a drug"),
        ("drug mg 40", "no amount after 'drug', but 'mg'"),
        ("drug 75", '75 has no unit; write e.g. "drug 75 mg"'),
        ("drug 75 QD", "75 has no unit"),
        ("drug 1e13 mg", "amount 1e13 is not possible; it must be 0 or more, and at most 1e+12"),
        ("drug 40 mg over 1e9 h", "a duration of 1e+09 h cannot be meant; it must be 0.001 to 1e+06 h"),
        (f"drug 40 mg QD d{'9' * 400}", "is not understood"),
        ("drug 40 mg QD + drug 20 mg q12h d8-9", "drug is dosed twice at the same time, first on d8"),
        ("drug 40 mg QD + none", "'none' stands beside 'drug 40 mg QD'"),
        ("none + none", "'none' stands beside another one"),
        ("drug -1 mg once", "amount -1 is not possible; it must be 0 or more"),
        ("drug nan mg once", "no amount"),
        ("drug 40 h QD", "unit 'h' is not a dose"),
        ("drug 40 mgg QD", "did you mean 'mg'"),
        ("drug 40 mg/h QD", "is not a dose"),
        ("drug 40 mg BIDD", "did you mean 'BID'"),
        ("drug 40 mg QD BID", "'BID' is a second frequency"),
        ("drug 40 mg once QD", "second frequency"),
        ("drug 40 mg iv sc QD", "'sc' is a second route"),
        ("drug 40 mg QD iv", "'iv' comes too late"),
        ("drug 40 mg QD over 1 h", "'over' comes too late"),
        ("drug 40 mg over 1 h over 2 h", "second duration"),
        ("drug 40 mg over", "needs a duration"),
        ("drug 40 mg over 3 mg", "unit 'mg' is not a time"),
        ("drug 40 mg over 0 h", "must be above 0"),
        ("drug 40 mg over -1 h", "must be above 0"),
        ("drug 40 mg d1-5 QD", "'QD' comes too late"),
        ("drug 40 mg QD d0-3", "the first day is d1"),
        ("drug 40 mg QD d5-3", "days 5-3 run backwards"),
        ("drug 40 mg QD d1,1", "day 1 is named twice"),
        ("drug 40 mg QD d1-5,3", "day 3 is named twice"),
        ("drug 40 mg QD d1-5 d8", "second choice of days"),
        ("drug 40 mg QD d8-", "'d8-' is not understood"),
        ("drug 40 mg QD q28d", "needs the days within it"),
        ("drug 40 mg QD x3", "needs the length of a cycle"),
        ("drug 40 mg x3", "needs the length of a cycle"),
        ("drug 40 mg QD d1-14 x4", "needs the length of a cycle"),
        ("drug 40 mg QD d1-30 q28d x2", "day 30 is after the end of a cycle of 28 days"),
        ("drug 40 mg QD d1-2 q28h", "give it in days or weeks"),
        ("drug 40 mg QD d1-2 q28d q21d", "'q21d' is a second cycle"),
        ("drug 40 mg q0d", "is not an interval"),
        ("drug 40 mg q21d x0", "gives nothing"),
        ("drug 40 mg q21d x99999", "more than the 10000 times"),
        ("drug 40 mg once q21d", "needs the days within it"),
        ("drug 40 mg once d1-5", "'once' on several days"),
        ("drug 40 mg once d1 q21d", "'once' does not come again"),
        ("drug 40 mg QD +", "is empty"),
        ("drug 40 mg bid weekly", "'weekly' is not understood"),
    ],
)
def test_doses_that_cannot_be(text, message):
    with pytest.raises(SpecError) as caught:
        Regimen.parse(text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("dose '")


def test_none_is_no_dose():
    assert Regimen.parse("none") == Regimen.parse(["none"]) == Regimen((), text="none")


def test_alike_is_by_route_and_duration():
    doses = "drug 40 mg iv once + drug 60 mg iv over 24 h once + drug 5 mg sc once + other 40 mg iv once"
    assert len(Regimen.parse(doses).events) == 4


@pytest.mark.parametrize("value", [[], [1], 3])
def test_a_dose_is_text(value):
    with pytest.raises((SpecError, TypeError)):
        Regimen.parse(value)


@pytest.mark.parametrize("horizon", [-1.0, float("nan"), float("inf")])
def test_a_horizon_is_a_time(horizon):
    with pytest.raises(SpecError, match="horizon"):
        Regimen.parse("drug 40 mg QD").expand(horizon)


FREQUENCIES = {"QD": 24.0, "BID": 12.0, "TID": 8.0, "q6h": 6.0}


@settings(deadline=None)
@given(
    st.sampled_from(sorted(FREQUENCIES)), st.integers(1, 20), st.integers(0, 9), st.integers(0, 30), st.integers(1, 5),
)  # fmt: skip
def test_cycles_are_counted_doses(frequency, first, more, rest, cycles):
    last = first + more
    length = last + rest
    regimen = Regimen.parse(f"drug 1 mg {frequency} d{first}-{last} q{length}d x{cycles}")
    got = [event.time for event in regimen.expand(24.0 * length * cycles)]
    per_day = round(24.0 / FREQUENCIES[frequency])
    expected = [
        24.0 * (length * cycle + day - 1) + FREQUENCIES[frequency] * i
        for cycle in range(cycles)
        for day in range(first, last + 1)
        for i in range(per_day)
    ]
    assert got == expected
    assert regimen.starts(24.0 * length * cycles) == tuple(24.0 * length * cycle for cycle in range(cycles))


@settings(deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        regimen = Regimen.parse(f"drug 1 mg {text}")
    except SpecError:
        return
    assert all(event.amount >= 0 for event in regimen.events)


@pytest.mark.parametrize(
    ("visits", "days"),
    [
        ([3, 5, 7], [3, 5, 7]),
        ([7, 0, 2.5], [0, 2.5, 7]),
        ("d1,8,15", [0, 7, 14]),
        ("d1,d8", [0, 7]),
        ("d1 weekly", [0, 7, 14, 21, 28]),
        ("d3 q3d until d9", [2, 5, 8]),
        ("d1 q2w", [0, 14, 28]),
        ("d1 weekly until d15; d18; d20 daily until d22", [0, 7, 14, 17, 19, 20, 21]),
        (["d1", 3.5], [0, 3.5]),
        ([], []),
    ],
)
def test_visits(visits, days):
    assert parse_visits(visits, 28.0) == tuple(days)


@pytest.mark.parametrize(
    ("visits", "message"),
    [
        ([-1], "before time zero"),
        ([29], "elapsed day 29 is after the horizon of 28 days"),
        ([3, 3], "elapsed day 3 is there twice"),
        ([float("nan")], "is not a day"),
        ([True], "is not a day"),
        ("d0", "the first study day is d1"),
        ("d30", "study day 30 is after the horizon"),
        ("8, 15", "'8, 15' is not understood; give elapsed days as a list, or study days"),
        ("d1 weekly; d8", "study day 8 (in 'd1 weekly' and 'd8') is there twice"),
        ("d1 wekly", "did you mean 'weekly'"),
        ("d1 q0d", "is not an interval"),
        ("d1,3 weekly", "a repeated visit begins on one day"),
        ("d1 weekly till d15", "write until d28, say"),
        ("d9 weekly until d3", "ends before it begins"),
        ("d1 weekly until d90", "study day 90 is after the horizon"),
        ("", "is not understood"),
    ],
)
def test_visits_that_cannot_be(visits, message):
    with pytest.raises(SpecError) as caught:
        parse_visits(visits, 28.0)
    assert message in str(caught.value)
