"""Choice of visit days: against all subsets, under limits, on fresh subjects."""

from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from myelosim.endpoints import Course, Track, levels, windows
from myelosim.errors import SpecError
from myelosim.grading import Bounds, Table
from myelosim.monitoring import (
    Candidates,
    Limit,
    Window,
    admissible,
    best_days,
    breaches,
    candidates,
    choose,
    drawn,
    limits,
    score,
    share,
    windows_of,
    worth,
)  # fmt: skip
from myelosim.random import uniforms
from myelosim.spec.model import Subjects
from myelosim.spec.scenario import Calendar

DAYS = np.arange(0.0, 28.0)
QUICK = settings(max_examples=60, deadline=None, derandomize=True)


def study(seed, size=200, days=DAYS, noise=0.0, lineages=("neutrophil",)):
    """Valleys of random day and width: below grade 3 within half a width of the middle."""
    u = uniforms(seed, "resample", size, 4 * len(lineages)).reshape(size, len(lineages), 4)
    middle, width = 6 + 12 * u[..., :1], 1 + 5 * u[..., 1:2]
    event = u[..., 2] < 0.7
    low = (np.abs(days - middle) < width / 2) & event[..., None]
    noisy = uniforms(seed, "noise", size, len(lineages) * len(days)).reshape(size, len(lineages), len(days)) < noise
    onset = np.where(event, (middle - width / 2)[..., 0], np.nan)
    depth = np.where(event[..., None], 1.0 / (1.0 + np.abs(days - middle) / width), 0.95) * (days > 0)
    grade = np.where(low & ~noisy, 3, 0).astype(np.int8)
    before = np.zeros(onset.shape, dtype=np.int8)
    return Candidates(days, lineages, onset, low & ~noisy, grade, before, depth, np.full(onset.shape, 0.3))


def total(value, places):
    return value[:, list(places)].max(axis=1, initial=0.0).sum()


def best_of_all(value, days, number, anyway=(), rules=()):
    sets = list(combinations([d for d in range(len(days)) if d not in anyway], number))
    return max(
        (total(value, (*anyway, *c)) for c in sets if admissible([days[d] for d in (*anyway, *c)], rules)), default=None
    )


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("nadir_weight", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("within", [1.0, 4.0, 28.0])
def test_the_best_set_is_the_best_of_all(number, nadir_weight, within):
    days = DAYS[4:20]
    value = worth(study(3, days=days, noise=0.3), within, nadir_weight)
    found = best_days(value, days, number)
    assert found.exact and found.worth == pytest.approx(best_of_all(value, days, number), abs=1e-12)
    assert found.worth == pytest.approx(total(value, found.places), abs=1e-12)


@QUICK
@given(st.data())
def test_any_problem_is_solved_as_by_trying_everything(data):
    """Rows of any shape, any gap, windows and days drawn anyway; where nothing is possible both say so."""
    count, number = data.draw(st.integers(4, 9)), data.draw(st.integers(1, 4))
    steps = data.draw(st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=count, max_size=count))
    days = np.cumsum(steps)
    seed = data.draw(st.integers(0, 10**6))
    value = uniforms(seed, "resample", 12, count) * (uniforms(seed, "noise", 12, count) < 0.5)
    anyway = data.draw(st.sampled_from([(), (0,), (0, count // 2)]))
    windows = st.builds(Window, st.sampled_from([1.0, 2.5, 4.0, 7.0]), st.integers(1, 3), st.just("why"))
    rules = data.draw(st.lists(windows, max_size=2))
    best = best_of_all(value, days, number, anyway, rules)
    if best is None:
        fewer = (k for k in range(number - 1, 0, -1) if best_of_all(value, days, k, anyway, rules) is not None)
        with pytest.raises(SpecError, match=f"; {next(fewer, 0)} (is|are) possible"):
            best_days(value, days, number, anyway=anyway, windows=rules)
        return
    found = best_days(value, days, number, anyway=anyway, windows=rules)
    assert found.exact and found.worth == pytest.approx(best, abs=1e-9)
    assert len(found.places) == number and not set(found.places) & set(anyway)
    assert admissible([days[d] for d in (*found.places, *anyway)], rules)


def test_exchanges_find_the_best_of_small_problems():
    for seed in range(6):
        value = worth(study(seed, noise=0.3), 4.0)
        proven, searched = (best_days(value, DAYS, 4, work=work) for work in (1e9, 0.0))
        assert proven.exact and not searched.exact
        assert searched.worth == pytest.approx(proven.worth, rel=1e-12)
        assert proven.looked < 20475 / 4  # of 28 choose 4; the rest is excluded by the bound


def test_where_greed_is_not_enough():
    # six subjects; day 0 shows four of them, days 1 and 2 three each and together all: greed takes day 0 and gets five
    value = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 0], [1, 0, 1], [1, 0, 1], [0, 0, 1]], dtype=float)
    found = best_days(value, [0, 1, 2], 2)
    assert found.places == (1, 2) and found.worth == 6 and found.exact


def test_a_long_study_is_solved_exactly():
    found = study(6, size=2000, noise=0.1, days=np.arange(0.0, 112.0))
    found.onset[:] += 84 * uniforms(1, "search", 2000, 1)
    late = found.days - found.onset[..., None]
    found.hit[:] = (late >= 0) & (late < 6) & (uniforms(2, "search", 2000, 112)[:, None] > 0.1)
    value = worth(found, 7.0)
    assert best_days(value, found.days, 5).exact


def test_worth_counts_who_is_caught_in_time():
    found = study(4, lineages=("neutrophil", "platelet"))
    for within in (0.5, 2.0, 28.0):
        late = found.days - found.onset[..., None]
        share_caught = (found.hit & (late <= within)).any(axis=-1)[~np.isnan(found.onset)].mean()
        assert worth(found, within).max(axis=1).sum() == pytest.approx(share_caught, rel=2e-6)


def test_worth_of_the_nadir_is_what_is_missed_less():
    found = study(4)
    value, places = worth(found, 7.0, 1.0), [7, 12, 15]
    seen = score(found, drawn(found, Calendar(tuple(map(float, places)))), 7.0)["neutrophil"]
    assert total(value, places) == pytest.approx(1.0 - found.start.mean() - seen.miss.estimate)


def test_earlier_detection_decides_between_equals():
    found = study(1, size=1, days=np.array([5.0, 6.0, 7.0]))
    found.onset[:], found.hit[:] = 4.5, True
    assert best_days(worth(found, 7.0), found.days, 1).places == (0,)


def test_days_drawn_anyway_count():
    value = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=float)
    assert best_days(value, [0, 1, 2], 1).places == (0,)
    assert best_days(value, [0, 1, 2], 1, anyway=(0,)).places == (1,)
    assert best_days(value, [0, 1, 2], 1, anyway=(0,)).worth == 3


MOUSE = (Limit("two_weeks", 14, 0.20), Limit("single", 0, 0.15))


def test_windows_of_the_limits():
    rules = windows_of(MOUSE, 0.05)
    assert [rule.most for rule in rules] == [4, 3]
    # days 0 and 14 are in different windows of 14 days; five draws of 50 uL within are 250 uL
    assert admissible([0, 3, 5, 7, 14], rules) and not admissible([0, 3, 5, 7, 13], rules)
    assert breaches([0, 3, 5, 7, 10, 14], 0.05, MOUSE) == ["two_weeks: 0.25 mL within 14 days, 0.2 mL are allowed"]
    assert breaches([0], 0.16, MOUSE) == ["single: 0.16 mL in a single draw, 0.15 mL are allowed"]
    assert not admissible([0], windows_of(MOUSE, 0.16)) and admissible([], windows_of(MOUSE, 0.16))
    assert breaches([], 0.16, MOUSE) == [] and windows_of(MOUSE, 0.0) == []
    # exactly at the limit is allowed, whatever 4 * 0.05 is in binary
    assert admissible([0, 1, 2, 3], windows_of((Limit("two_weeks", 14, 0.2),), 0.05))
    (gap,) = windows_of((), 0.0, 2.0)
    assert admissible([0, 2, 4], [gap]) and not admissible([0, 2, 3], [gap])


def test_blood_taken_against_the_limit():
    # in 14 days 0, 3, 5 and 7 or 14 to 27: four and two draws; 0.2 mL are allowed; a single draw takes 0.05 of 0.15 mL
    days = np.array([0.0, 3.0, 5.0, 7.0, 14.0, 20.0])
    everybody = np.ones((1, 6), dtype=bool)
    assert share(everybody, days, 0.05, MOUSE) == pytest.approx(1.0)
    few = np.array([[True, False, False, False, False, True]])
    assert share(few, days, 0.05, MOUSE) == pytest.approx(1.0 / 3.0)
    assert share(np.concatenate([few, everybody]), days, 0.05, MOUSE) == pytest.approx(1.0)
    assert np.isnan(share(everybody, days, 0.05, ())) and np.isnan(share(everybody, days, 0.0, MOUSE))


def test_limits_that_stand_against_it_are_named():
    rules = windows_of((Limit("weekly", 7, 0.1), Limit("yearly", 365, 5.0)), 0.05, 2.0)
    value = worth(study(5), 7.0)
    # two draws of 0.05 mL in any 7 of 28 days: eight in all, the first of them the baseline's
    with pytest.raises(SpecError) as raised:
        best_days(value, DAYS, 8, anyway=(0,), windows=rules)
    assert str(raised.value) == (
        "monitoring: 8 draws beside the 1 drawn anyway cannot be had: weekly allows 0.1 mL within 7 days, a draw takes 0.05 mL; "
        "7 are possible"
    )
    assert best_days(value, DAYS, 7, anyway=(0,), windows=rules).exact
    with pytest.raises(SpecError, match="29 draws cannot be had: there are 28 candidate days; 28 are possible"):
        best_days(value, DAYS, 29)


def test_limits_of_a_species():
    mouse = Subjects(
        species="mouse", covariates={"weight": 0.02}, blood_volume=75.0,
        blood_limits={"two_weeks": {"weight": 0.01, "days": 14, "source": "S"}, "single": {"volume": 0.1, "days": 0}},
    )  # fmt: skip
    two_weeks, single = limits(mouse)
    # 1 % of 20 g is 0.2 mL; 10 % of 75 mL/kg * 20 g is 0.15 mL
    assert (two_weeks.volume, two_weeks.days, two_weeks.source) == (pytest.approx(0.2), 14, "S")
    assert (single.volume, single.days) == (pytest.approx(0.15), 0)
    assert limits(mouse, weight=0.03)[0].volume == pytest.approx(0.3)
    assert limits(Subjects()) == ()
    with pytest.raises(SpecError, match=r"blood\.limits\.a goes by body weight, which mouse lacks"):
        limits(Subjects(species="mouse", blood_limits={"a": {"weight": 0.1, "days": 1}}))
    with pytest.raises(SpecError, match=r"blood\.limits\.a goes by blood volume; add"):
        limits(Subjects(covariates={"weight": 1.0}, blood_limits={"a": {"volume": 0.1, "days": 1}}))


def test_scores():
    # two subjects with events on days 6-8 and 10-12, one without; draws on days 7 and 18
    days = np.array([0.0, 7.0, 11.0, 18.0])
    hit = np.array([[[0, 1, 0, 0]], [[0, 0, 1, 1]], [[0, 0, 0, 0]]], dtype=bool)
    depth = np.array([[[0, 0.8, 0.5, 0.5]], [[0, 0.5, 1.0, 0.6]], [[0, 0.9, 0.9, 0.9]]])
    onset, start = np.array([[6.0], [10.0], [np.nan]]), np.array([[0.25], [0.25], [1.0]])
    before = np.zeros((3, 1), dtype=np.int8)
    found = Candidates(days, ("neutrophil",), onset, hit, np.where(hit, 3, 0).astype(np.int8), before, depth, start)
    seen = score(found, drawn(found, Calendar((7.0, 18.0))), within=7.0)["neutrophil"]
    assert seen.caught.estimate == 1.0 and seen.in_time.estimate == 0.5
    assert seen.delay.estimate == 4.5  # of 1 and 8 days
    assert seen.miss.estimate == pytest.approx((0.2 + 0.4 + 0.0) / 3)
    none = score(found, drawn(found, Calendar(())), within=7.0)["neutrophil"]
    assert none.caught.estimate == 0.0 and none.miss.estimate == pytest.approx((0.75 + 0.75 + 0.0) / 3)


def test_twice_weekly_until_recovery():
    # weekly; subject 0 shows grade 3 on day 7, grade 2 on day 10, grade 1 on day 14, subject 1 on day 3 (no visit), subject 2
    # grade 3 from day 14 on and grade 2 before the first dose, to which it returns on day 24
    days = np.arange(0.0, 29.0)
    found = study(1, size=3, days=days)
    grade = found.grade
    grade[:] = 0
    grade[0, 0, [7, 10, 14]] = [3, 2, 1]
    grade[1, 0, 3] = 3
    grade[2, 0, :14], grade[2, 0, 14:24], grade[2, 0, 24:] = 2, 3, 2
    found.before[2] = 2
    calendar = Calendar((7.0, 14.0, 21.0, 28.0), until_recovery=True)
    on = [np.flatnonzero(row).tolist() for row in drawn(found, calendar)]
    assert on == [[0, 7, 10, 14, 21, 28], [0, 7, 14, 21, 28], [0, 7, 14, 17, 21, 24, 28]]


def test_chosen_days_are_better_than_weekly_visits():
    first, fresh = study(1, size=400, noise=0.1), study(2, size=400, noise=0.1)
    rules = windows_of(MOUSE, 0.05)
    found = choose(worth(first, 4.0), DAYS, range(1, 6), anyway=[0], windows=rules)
    assert list(found) == [1, 2, 3, 4, 5] and [len(one.days) for one in found.values()] == [1, 2, 3, 4, 5]
    assert all(not breaches((0.0, *one.days), 0.05, MOUSE) for one in found.values())
    ours, weekly = (score(fresh, drawn(fresh, Calendar(d)), 4.0) for d in (found[3].days, (7.0, 14.0, 21.0)))
    assert ours["neutrophil"].in_time.estimate > weekly["neutrophil"].in_time.high


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_more_draw_never_catches_less_in_any_lineage(seed):
    lineages = ("neutrophil", "platelet")
    first, fresh = (study(part, size=30, noise=0.3, lineages=lineages) for part in (seed, seed + 10))
    value = worth(first, 3.0)
    found = choose(value, DAYS, range(8, 0, -1))
    assert list(found) == list(range(1, 9))
    scores = [score(fresh, drawn(fresh, Calendar(one.days)), 3.0) for one in found.values()]
    for less, more in pairwise(found.values()):
        assert set(less.days) < set(more.days)
    for less, more in pairwise(scores):
        for name in lineages:
            assert less[name].in_time.estimate <= more[name].in_time.estimate
            assert less[name].caught.estimate <= more[name].caught.estimate
            assert less[name].miss.estimate >= more[name].miss.estimate
    # the number that tables show is the best there is, whatever else is asked for
    assert found[5] == choose(value, DAYS, [5])[5] and found[5].how == "exact"
    assert (found[4].how, found[6].how) == ("best part of 5 draws", "5 draws and the best to add")


def test_numbers_of_draws_that_the_limits_do_not_allow_are_left_out():
    # two draws of 0.05 mL in any 7 of 28 days: eight at most
    found = choose(worth(study(1), 7.0), DAYS, range(1, 12), windows=windows_of((Limit("weekly", 7, 0.1),), 0.05))
    assert set(range(1, 6)) <= set(found) and max(found) <= 8
    few = choose(worth(study(1), 7.0), DAYS, [2, 4, 6], windows=windows_of((Limit("month", 28, 0.3),), 0.1))
    assert list(few) == [2] and len(few[2].days) == 2


def test_what_cannot_be_asked():
    found = study(1)
    with pytest.raises(SpecError, match=r"day 2\.5 is not among the candidate days 0, 1"):
        found.index([2.5])
    with pytest.raises(SpecError, match="nadir_weight 2 is not between"):
        worth(found, 7.0, 2)
    found.onset[:] = np.nan
    with pytest.raises(SpecError, match="no subject reaches grade 3"):
        worth(found, 7.0)


def test_candidates_from_courses():
    # one subject: 4.0, under 1.0 from day 6 to 9, nadir 0.8; a second one stays at 4.0 and is misread on day 7
    table = Table("t", {"neutrophil": Bounds((2.0, 1.5, 1.0, 0.5))})
    baseline = np.array([4.0, 4.0])
    named = levels("neutrophil", table, baseline)
    crossing = np.full((2, 4, 2), np.nan)
    crossing[0, 0] = [144.0, 216.0]
    track = Track(np.array([[0.8], [4.0]]), np.array([[180.0], [0.0]]), crossing, np.zeros((2, 4), dtype=bool))
    days = 24.0 * np.array([0.0, 5.0, 7.0, 8.0])
    count = np.array([[4.0, 1.2, 0.9, 0.8], [4.0, 4.0, 4.0, 4.0]])
    seen = np.array([[1.8, 0.9, 1.1, 0.7], [4.0, 4.0, 0.9, 4.0]])
    course = Course("neutrophil", table, track, named, windows(0.0, 672.0), baseline, days, count, seen)
    found = candidates({"neutrophil": course})
    np.testing.assert_array_equal(found.onset, [[6.0], [np.nan]])
    # day 5 looks like grade 3 too early, day 7 hides it, day 8 shows it
    assert found.hit[0, 0].tolist() == [False, False, False, True] and not found.hit[1].any()
    assert found.grade[:, 0, 1:].tolist() == [[3, 2, 3], [0, 3, 0]] and found.before[:, 0].tolist() == [1, 0]
    np.testing.assert_allclose(found.depth[:, 0], [[0.0, 0.8 / 1.2, 0.8 / 0.9, 1.0], [0.0, 1.0, 1.0, 1.0]])
    np.testing.assert_allclose(found.start[:, 0], [0.2, 1.0])
    with pytest.raises(SpecError, match="share one list of candidate days"):
        candidates({})
