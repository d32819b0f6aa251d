"""Sets of days against every set there is, and against the limits as monitoring reckons them."""

from dataclasses import replace
from itertools import chain, combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_cases import plain, window

from myelosim.designing.allowed import Allowed, allowed
from myelosim.designing.feasible import Program, Unit
from myelosim.monitoring import blood
from myelosim.spec.design import Limits, OpenGroup, OpenSampling
from myelosim.spec.library import load_model
from myelosim.spec.regimen import Regimen

MOUSE = load_model("cemsidomide", species="mouse")
DOSE = (Regimen.parse("cemsidomide 1 mg/kg QD d1-14"),)


def group(*samplings, **more):
    return OpenGroup("all", DOSE, (6, 6), samplings, **more)


def days_of(of, sets):
    return [tuple(day for (_, day), there in zip(of.entries, row, strict=True) if there) for row in sets]


def subsets(days, low, high):
    return chain.from_iterable(combinations(sorted(days), size) for size in range(low, high + 1))


@settings(max_examples=40, deadline=None)
@given(
    days=st.lists(st.integers(0, 20), min_size=4, max_size=9, unique=True),
    gap=st.sampled_from([0.0, 2.0, 3.5, 7.0]),
    draw=st.sampled_from([0.02, 0.05, 0.08, 0.1]),
    sizes=st.tuples(st.integers(1, 3), st.integers(0, 2)),
    weekdays=st.booleans(),
    fixed=st.integers(0, 2),
)
def test_sets_are_those_that_monitoring_allows(days, gap, draw, sizes, weekdays, fixed):
    low, high = sizes[0], sizes[0] + sizes[1]
    held = tuple(float(day) for day in days[: min(fixed, high)])
    sampling = OpenSampling(("neutrophil",), tuple(map(float, days)), (low, high), held, draw)
    limits = Limits(gap=gap, weekdays=weekdays, first_day="wednesday")
    of, _ = allowed(MOUSE, group(sampling), limits)
    rules = blood.windows_of(blood.limits(MOUSE.subjects), draw, gap)
    expected = [
        one for one in subsets([float(day) for day in days], low, high)
        if set(held) <= set(one) and blood.admissible(one, rules) and not (weekdays and any(map(limits.weekend, one)))
    ]  # fmt: skip
    found = of.sets()
    assert sorted(days_of(of, found)) == sorted(expected)
    assert np.all(of.keeps(found) & of.full(found))
    possible = Program([Unit(0, "all", of, 6)], Limits()).solve() is not None
    assert possible == bool(expected)


def test_sets_come_in_the_order_of_days():
    of = plain(range(5), (2, 3))
    found = days_of(of, of.sets())
    assert found == sorted(found, key=lambda one: (len(one), one)) and len(found) == 20


def test_samplings_share_the_blood_and_the_visits():
    """Two samplings of 0.05 mL on one day are one visit of 0.1 mL."""
    samplings = (
        OpenSampling(("neutrophil",), (0.0, 3.0, 7.0), (1, 2), draw=0.05),
        OpenSampling(("platelet",), (0.0, 3.0, 7.0), (1, 1), draw=0.1),
    )
    of, _ = allowed(MOUSE, group(*samplings), Limits(gap=4.0))
    chosen = {tuple(entry for entry, there in zip(of.entries, row, strict=True) if there) for row in of.sets()}
    # 0.125 mL a week, 0.25 mL in two weeks, 0.1875 mL at once
    assert chosen == {((0, 0.0), (1, 7.0)), ((0, 7.0), (1, 0.0))}


def test_a_terminal_draw_is_not_limited_and_one_of_unknown_volume_is_said():
    many = OpenSampling(("neutrophil",), (0.0, 3.0, 7.0), (2, 3), draw=5.0)
    of, unheld = allowed(MOUSE, group(many, structure="terminal"), Limits(gap=5.0))
    assert of.rules == () and not unheld and len(of.sets()) == 3
    bare = replace(MOUSE, subjects=replace(MOUSE.subjects, draw_volume=None))
    of, unheld = allowed(bare, group(OpenSampling(("neutrophil",), (0.0, 1.0), (2, 2))), Limits())
    assert of.rules == () and "draw" in unheld[0]


def test_too_many_sets_are_not_listed():
    assert plain(range(40), (20, 20)).sets(1_000) is None
    assert len(plain(range(40), (38, 38)).sets()) == 780
    spaced = plain(range(24), (6, 6), rules=[window("gap", range(24), 4.0, 1.0)])
    assert len(spaced.sets()) == 84  # C(9, 6)


def test_no_candidate_is_left_where_every_day_breaks_a_rule():
    of = plain([1, 2, 3], (1, 1), rules=[window("blood", [1, 2, 3], 7.0, 0.5, of_blood=True)])
    assert len(of.sets()) == 0 and isinstance(of, Allowed)


@pytest.mark.parametrize("first, free", [("monday", [5, 6]), ("saturday", [0, 1, 7]), ("sunday", [0, 6, 7])])
def test_weekends_by_the_first_day(first, free):
    assert [day for day in range(8) if Limits(first_day=first).weekend(day)] == free
