"""Choice of visit days: against all subsets, under blood limits, on fresh subjects."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from myelosim.endpoints import Course, Track, levels, windows
from myelosim.errors import SpecError
from myelosim.grading import Bounds, Table
from myelosim.monitoring import Candidates, Limit, best_days, breaches, candidates, limits, recommend, score, worth
from myelosim.monitoring.blood import within
from myelosim.random import uniforms
from myelosim.spec.model import Subjects

DAYS = np.arange(0.0, 28.0)


def study(seed, size=200, days=DAYS, noise=0.0, lineages=("neutrophil",)):
    """Valleys of random day and width: below grade 3 within half a width of the middle."""
    shape = (size, len(lineages), 1)
    u = uniforms(seed, "resample", size, 4 * len(lineages)).reshape(size, len(lineages), 4)
    middle, width = 6 + 12 * u[..., :1], 1 + 5 * u[..., 1:2]
    event = u[..., 2] < 0.7
    low = (np.abs(days - middle) < width / 2) & event[..., None]
    noisy = uniforms(seed, "noise", size, len(lineages) * len(days)).reshape(size, len(lineages), len(days)) < noise
    onset = np.where(event, (middle - width / 2)[..., 0], np.nan)
    near = np.abs(days - middle) < 0.25 * width
    assert low.shape == (*shape[:2], len(days))
    return Candidates(days, lineages, event, onset, low & ~noisy, ~low & noisy, event, near & event[..., None])


@pytest.mark.parametrize("number", [1, 2, 3, 4])
@pytest.mark.parametrize("nadir_weight", [0.0, 0.4, 1.0])
def test_the_best_set_is_the_best_of_all(number, nadir_weight):
    value = worth(study(3, days=DAYS[4:20]), nadir_weight)
    every = [(value[:, list(days)].max(axis=1).sum(), days) for days in combinations(range(16), number)]
    found = best_days(value, number)
    assert found.exact and found.worth == pytest.approx(max(every)[0], abs=1e-12)
    assert found.worth == pytest.approx(value[:, list(found.places)].max(axis=1).sum(), abs=1e-12)


def test_where_greed_is_not_enough():
    # six subjects; day 0 shows four of them, days 1 and 2 three each and together all: greed takes day 0 and gets five
    value = np.array([[1, 1, 0], [1, 1, 0], [0, 1, 0], [1, 0, 1], [1, 0, 1], [0, 0, 1]], dtype=float)
    found = best_days(value, 2)
    assert found.places == (1, 2) and found.worth == 6 and found.exact


def test_a_search_cut_short_says_so():
    value = worth(study(3), 0.3)
    proven = best_days(value, 5)
    cut = best_days(value, 5, work=1e4)
    assert proven.exact and not cut.exact
    # greedy alone is within 1 - 1/e; with exchanges it is close
    assert 0.95 * proven.worth <= cut.worth <= proven.worth


def test_worth_is_a_probability():
    found = study(4, lineages=("neutrophil", "platelet"))
    everything = worth(found).max(axis=1).sum()
    share = found.hit.any(axis=-1)[found.event].mean()
    assert everything == pytest.approx(share, rel=2e-6)


def test_earlier_detection_decides_between_equals():
    hit = np.array([[[True, True, True]]])
    one = Candidates(
        np.array([5.0, 6.0, 7.0]), ("neutrophil",), np.array([[True]]), np.array([[4.5]]), hit, ~hit, ~hit[..., 0], ~hit
    )
    assert best_days(worth(one), 1).places == (0,)


def test_days_drawn_anyway_count():
    value = np.array([[1, 0, 0], [1, 0, 0], [0, 1, 0]], dtype=float)
    assert best_days(value, 1).places == (0,)
    assert best_days(value, 1, fixed=(0,)).places == (1,)
    assert best_days(value, 1, fixed=(0,)).worth == 3


MOUSE = (Limit("two_weeks", 14, 0.20), Limit("single", 0, 0.15))


def test_blood_limits_bind():
    weekly = (Limit("weekly", 7, 0.1),)
    days = DAYS[4:18]
    value = worth(study(5, days=days))

    def allowed(places):
        return within(days[places].tolist(), 0.05, weekly)

    chosen = best_days(value, 4, allowed=allowed)
    every = [value[:, list(c)].max(axis=1).sum() for c in combinations(range(14), 4) if allowed(list(c))]
    assert chosen.exact and allowed(list(chosen.places)) and chosen.worth == pytest.approx(max(every), abs=1e-12)
    assert best_days(value, 4).worth > chosen.worth
    # two draws of 0.05 mL in any 7 of 14 days: five cannot be had
    with pytest.raises(SpecError, match="no set of 5 draws is admissible; ask for fewer"):
        best_days(value, 5, allowed=allowed)


def test_windows_of_the_limits():
    # days 0 and 14 are in different windows of 14 days; five draws of 50 uL within are 250 uL
    assert within([0, 3, 5, 7, 14], 0.05, MOUSE)
    assert breaches([0, 3, 5, 7, 10, 14], 0.05, MOUSE) == ["two_weeks: 0.25 mL within 14 days, 0.2 mL are allowed"]
    assert breaches([0], 0.16, MOUSE) == ["single: 0.16 mL in a single draw, 0.15 mL are allowed"]
    assert breaches([], 0.16, MOUSE) == [] and within([0, 1, 2], 0.0, MOUSE)
    # exactly at the limit is allowed, whatever 4 * 0.05 is in binary
    assert within([0, 1, 2, 3], 0.05, (Limit("two_weeks", 14, 0.2),))


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
    # two subjects with events on days 6-8 and 10-12, one without; draws on days 7 and 14, the second a false alarm
    days = np.array([7.0, 11.0, 14.0])
    hit = np.array([[[1, 0, 0]], [[0, 1, 0]], [[0, 0, 0]]], dtype=bool)
    alarm = np.array([[[0, 0, 0]], [[0, 0, 0]], [[0, 0, 1]]], dtype=bool)
    near = np.array([[[1, 0, 0]], [[0, 0, 0]], [[1, 1, 1]]], dtype=bool)
    event, onset = np.array([[True], [True], [False]]), np.array([[6.0], [10.0], [np.nan]])
    found = score(Candidates(days, ("neutrophil",), event, onset, hit, alarm, event, near), [7, 14])["neutrophil"]
    assert (found.events, found.dips) == (2, 2)
    assert found.caught.estimate == 0.5
    assert found.delay.estimate == 1.0
    assert found.nadir_seen.estimate == 0.5
    assert found.false_alarm.estimate == pytest.approx(1 / 3)


def test_recommendation_is_better_than_weekly_visits():
    first, fresh = study(1, size=400, noise=0.1), study(2, size=400, noise=0.1)
    found = recommend(first, fresh, range(1, 6), fixed=[0], draw=0.05, limits=MOUSE)
    assert list(found) == [1, 2, 3, 4, 5]
    assert np.all(np.diff([found[k].worth for k in range(1, 6)]) >= 0)
    assert all(0.0 in found[k].days and len(found[k].days) == k + 1 for k in range(1, 6))
    assert all(not breaches(found[k].days, 0.05, MOUSE) for k in range(1, 6))
    caught = found[3].scores["neutrophil"].caught
    assert caught.estimate > score(fresh, [0, 7, 14, 21])["neutrophil"].caught.high
    # fresh subjects: near what was promised, within four standard errors of 280 events
    assert caught.estimate == pytest.approx(found[3].worth, abs=0.12)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_one_more_draw_never_catches_less_in_any_lineage(seed):
    lineages = ("neutrophil", "platelet")
    first, fresh = (study(part, size=30, noise=0.3, lineages=lineages) for part in (seed, seed + 10))
    found = recommend(first, fresh, range(8, 0, -1))
    assert list(found) == list(range(1, 9))
    for less, more in pairwise(found.values()):
        assert set(less.days) < set(more.days)
        assert all(less.scores[name].caught.estimate <= more.scores[name].caught.estimate for name in lineages)
    # the number that tables show is the best there is, whatever else is asked for
    alone = recommend(first, fresh, 5)[5]
    assert found[5] == alone and alone.exact and not found[4].exact and not found[6].exact


def test_numbers_of_draws_that_the_limits_do_not_allow_are_left_out():
    # two draws of 0.05 mL in any 7 of 28 days: eight at most
    found = recommend(study(1), study(2), range(1, 12), draw=0.05, limits=(Limit("weekly", 7, 0.1),))
    assert set(range(1, 6)) <= set(found) and max(found) <= 8
    few = recommend(study(1), study(2), [2, 4, 6], draw=0.1, limits=(Limit("month", 28, 0.3),))
    assert list(few) == [2] and len(few[2].days) == 2


def test_what_cannot_be_asked():
    with pytest.raises(SpecError, match=r"day 2\.5 is not among the candidate days 0, 1"):
        score(study(1), [2.5])
    with pytest.raises(SpecError, match="same candidate days"):
        recommend(study(1), study(2, days=DAYS[1:]), 2)
    with pytest.raises(SpecError, match="29 draws cannot be chosen among 28"):
        recommend(study(1), study(2), 29)
    with pytest.raises(SpecError, match="nadir_weight 2 is not between"):
        worth(study(1), 2)
    nothing = study(1)
    nothing.event[:] = False
    with pytest.raises(SpecError, match="no subject reaches grade 3"):
        worth(nothing)
    nothing.dips[:] = False
    with pytest.raises(SpecError, match="no subject falls by more than 25%"):
        worth(nothing, 1.0)


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
    seen = np.array([[4.0, 0.9, 1.1, 0.7], [4.0, 4.0, 0.9, 4.0]])
    course = Course("neutrophil", table, track, named, windows(0.0, 672.0), baseline, days, count, seen)
    found = candidates({"neutrophil": course})
    assert found.event.tolist() == [[True], [False]] and found.onset[0, 0] == 6.0
    # day 5 looks like grade 3 too early, day 7 hides it, day 8 shows it
    assert found.hit[0, 0].tolist() == [False, False, False, True]
    assert found.alarm[:, 0].tolist() == [[False, True, False, False], [False, False, True, False]]
    # within 25 % above 0.8 is up to 1.0
    assert found.near[0, 0].tolist() == [False, False, True, True] and found.dips.tolist() == [[True], [False]]
    with pytest.raises(SpecError, match="depth 0 is not positive"):
        candidates({"neutrophil": course}, depth=0)
    with pytest.raises(SpecError, match="share one list of candidate days"):
        candidates({})


def test_fast_enough_for_many_days():
    value = worth(study(6, size=2000, noise=0.2))
    import time

    start = time.process_time()
    best_days(value, 5)
    assert time.process_time() - start < 2.0
