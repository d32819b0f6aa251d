"""A subject is the same in any company; who cannot be integrated is named and harms nobody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from engine_cases import BENCH, bid, run, varied

from myelosim.engine import job
from myelosim.errors import SimulationError

HOURS = 21 * 24.0
TIMES = np.arange(0.0, HOURS + 1, 24.0)
LIMITS = {"neutrophil": np.array([2.0, 1.0])}
PEOPLE = varied(203)


def course(people=PEOPLE, **options):
    done = run(BENCH, bid(HOURS), TIMES, people, limits=LIMITS, windows=[(0.0, HOURS)], **options)
    track = done.tracks["neutrophil"]
    return [
        track.count,
        track.minimum,
        track.minimum_time,
        track.crossing,
        done.concentration["drug"],
        done.area["drug"],
    ]


@pytest.fixture(scope="module")
def alone():
    return course()


def equal(found, known):
    for x, y in zip(found, known, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("threads", [2, 3, 16])
def test_threads_change_no_bit(alone, threads):
    equal(course(threads=threads), alone)


def test_runs_at_once_change_no_bit(alone):
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: course(threads=2), range(8)):
            equal(found, alone)


@pytest.mark.parametrize("size", [1, 7, 8, 9, 64, 100])
def test_the_size_of_the_population_changes_no_bit(alone, size):
    """The array of individuals goes on beyond the last, so that the last group holds who would come next."""
    for x, y in zip(course(subjects=size), alone, strict=True):
        width = x.shape[-1]
        np.testing.assert_array_equal(x, y[:size, ..., :width])


def test_a_repeated_run_changes_no_bit(alone):
    equal(course(), alone)


def test_other_order_changes_nothing_beyond_the_tolerance(alone):
    order = np.random.default_rng(2).permutation(203)
    found = course({name: v[order] for name, v in PEOPLE.items()})
    np.testing.assert_allclose(found[0], alone[0][order], rtol=2e-6)
    np.testing.assert_array_equal(found[4], alone[4][order])
    assert not np.array_equal(found[0], alone[0][order])  # lanes share their steps


def test_one_by_one_changes_nothing_beyond_the_tolerance(alone):
    for i in range(0, 203, 29):
        found = course({name: float(v[i]) for name, v in PEOPLE.items()})
        np.testing.assert_allclose(found[0][0], alone[0][i], rtol=2e-6)


def poisoned(i, name="neutrophil.mtt", value=np.nan):
    people = {n: v.copy() for n, v in PEOPLE.items()}
    people[name][i] = value
    return people


def test_who_cannot_be_integrated_is_named():
    with pytest.raises(SimulationError) as told:
        course(poisoned(100))
    text = str(told.value)
    assert text.startswith(
        "1 of 203 subjects failed; first: subject 100 (neutrophil, day 0.0: the step size became too small"
    )
    assert "neutrophil.mtt=nan" in text and f"neutrophil.baseline={PEOPLE['neutrophil.baseline'][100]:.3g}" in text
    assert "Check the parameters and omegas named" in text


def test_many_failures_make_one_message():
    people = poisoned(100)
    people["neutrophil.mtt"][150:] = np.nan
    with pytest.raises(
        SimulationError, match=r"^54 of 203 subjects failed; first: subject 100 .*; subject 151 \("
    ) as told:
        course(people)
    assert str(told.value).count("subject ") == 3


def test_masked_failures_leave_their_neighbors_alone(alone):
    found = course(poisoned(100), on_failure="mask")
    others = np.arange(203) != 100
    near = (np.arange(203) // 8 == 100 // 8) & others
    assert np.isnan(found[0][100]).all() and np.isnan(found[1][100]).all() and np.isnan(found[2][100]).all()
    far = others & ~near
    for x, y in zip(found[:3], alone[:3], strict=True):
        np.testing.assert_array_equal(x[far], y[far])
    np.testing.assert_allclose(found[0][near], alone[0][near], rtol=2e-6)
    np.testing.assert_allclose(found[1][near], alone[1][near], rtol=2e-6)
    np.testing.assert_allclose(found[3][near], alone[3][near], atol=0.02)


def test_failed_subjects_are_listed():
    done = run(BENCH, bid(HOURS), TIMES, poisoned(9), on_failure="mask")
    (failure,) = done.failures
    assert (failure.subject, failure.block, failure.status) == (9, "neutrophil", 1)


@pytest.mark.parametrize("name", PEOPLE)
def test_no_bad_parameter_passes_for_a_result(name):
    done = run(BENCH, bid(HOURS), TIMES, poisoned(9, name), on_failure="mask")
    assert [f.subject for f in done.failures] == [9]
    assert np.isnan(done.tracks["neutrophil"].count[9]).all()
    assert np.isfinite(done.tracks["neutrophil"].count[np.arange(203) != 9]).all()


def test_one_who_fails_a_loose_setting_is_tried_at_a_strict_one(monkeypatch, alone):
    def ladder(block, tolerance):
        settings = original(block, tolerance)
        return (replace(settings[0], halvings=0), *settings[1:]) if block.parts else settings

    original = job.ladder
    monkeypatch.setattr(job, "ladder", ladder)
    found = course()
    np.testing.assert_allclose(found[0], alone[0], rtol=2e-6)
    assert not np.array_equal(found[0], alone[0])


def test_more_crossings_than_there_is_room_for(monkeypatch, alone):
    monkeypatch.setattr(job, "CROSSINGS", 1)
    equal(course(), alone)
    found = course(poisoned(100), on_failure="mask")
    others = np.arange(203) // 8 != 100 // 8
    np.testing.assert_array_equal(found[3][others], alone[3][others])
