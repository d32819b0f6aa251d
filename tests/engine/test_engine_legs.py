"""A run that stops and goes on is the run that does not stop, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from engine_cases import BENCH, bid, typical, varied
from numpy.testing import assert_array_equal

from myelosim import engine
from myelosim.spec.library import load_model
from myelosim.spec.regimen import Regimen

TIMES = np.arange(0.0, 28 * 24.0 + 1, 24.0)
LIMITS = {"neutrophil": np.array([3.0, 1.0, 0.5])}


def started(model, events, changed, size, **options):
    return engine.Running(
        model, events, times=TIMES, individuals=typical(model) | changed, covariates={"weight": 70.0}, subjects=size, threads=1,
        limits=LIMITS, windows=[(0.0, 300.0), (300.0, 672.0)], **options,
    )  # fmt: skip


def same(one, other):
    for name, track in one.tracks.items():
        for field in ("count", "minimum", "minimum_time", "crossing"):
            assert_array_equal(getattr(track, field), getattr(other.tracks[name], field))
    for name, values in one.concentration.items():
        assert_array_equal(values, other.concentration[name])


CEREBLON = load_model("cemsidomide", species="human", variant="rrmm", gcsf="filgrastim")
CASES = {
    "linear kinetics": (BENCH, bid(600.0), varied(20)),
    "personal lags": (BENCH, bid(600.0), varied(20) | {"drug.tlag": np.linspace(0.0, 3.0, 20)}),
    "three lineages and ODE kinetics": (
        CEREBLON,
        Regimen.parse("cemsidomide 100 ug QD d1-14 + filgrastim 5 ug/kg sc QD d8-12").expand(600.0),
        {"neutrophil.baseline": np.linspace(1.5, 6.0, 20)},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_legs_change_no_bit(name):
    model, events, changed = CASES[name]
    whole = started(model, events, changed, 20)
    whole.advance()
    legs = started(model, events, changed, 20)
    for hour in (0.0, 24.0, 168.0, 192.0, 504.0, 672.0):
        legs.advance(hour)
    legs.advance()
    same(whole.finish(), legs.finish())


@pytest.mark.parametrize("name", CASES)
def test_amounts_given_to_each_are_the_events_own(name):
    model, events, changed = CASES[name]
    shared = started(model, events, changed, 20)
    shared.advance()
    personal = started(model, events, changed, 20, given=np.tile([e.amount for e in events], (20, 1)))
    personal.advance()
    same(shared.finish(), personal.finish())


def test_counts_are_those_before_what_happens():
    model, events, changed = CASES["three lineages and ODE kinetics"]
    legs = started(model, events, changed, 20)
    legs.advance(240.0)
    there = legs.counts()
    legs.advance()
    done = legs.finish()
    for name, track in done.tracks.items():
        np.testing.assert_allclose(there[name], track.count[:, 10], rtol=1e-14)


@pytest.mark.parametrize("name", CASES)
def test_doses_withheld_on_the_way_are_doses_that_were_never_planned(name):
    model, events, changed = CASES[name]
    held = np.arange(20) % 3 == 0
    given = np.tile([e.amount for e in events], (20, 1))
    legs = started(model, events, changed, 20, given=given.copy())
    legs.advance(168.0)
    for i, event in enumerate(events):
        if event.time >= 168.0:
            legs.give(i, np.where(held, 0.0, event.amount))
            given[held, i] = 0.0
    legs.advance()
    known = started(model, events, changed, 20, given=given)
    known.advance()
    same(legs.finish(), known.finish())


def test_more_crossings_than_room_for_them(monkeypatch):
    from myelosim.engine import job

    model, events, changed = CASES["linear kinetics"]
    events = [e for e in events if (e.time // 168) % 2 == 0]
    whole = started(model, events, changed, 20)
    whole.advance()
    monkeypatch.setattr(job, "CROSSINGS", 1)
    legs = started(model, events, changed, 20)
    for hour in (168.0, 336.0):
        legs.advance(hour)
    legs.advance()
    same(whole.finish(), legs.finish())
