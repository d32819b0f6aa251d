"""Steady state: the orbit on which one more period changes nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine_cases import BENCH, bid, doses, effect_on, model_of, run, varied, with_table

from myelosim.errors import ConvergenceError, SpecError
from myelosim.spec.regimen import DoseEvent

WEEKS = 168.0 * np.arange(3)


def steady(amount=40.0, interval=12.0, more=13, **items):
    row = {"TIME": 0.0, "AMT": amount, "II": interval, "SS": 1, "ADDL": more, **items}
    return doses(row)


def orbit(model, events, changed, interval, tolerance=1e-6):
    """Return concentrations and counts in the first and a later interval."""
    within = np.array([0.0, 0.3, 0.7]) * interval
    done = run(model, events, np.concatenate([within, within + 4 * interval]), changed, tolerance=tolerance)
    tracks = [track.count for track in done.tracks.values()]
    return [(x[:, :3], x[:, 3:]) for x in (*done.concentration.values(), *tracks)]


@pytest.mark.parametrize("tolerance", [1e-6, 1e-9])
def test_one_more_period_returns(tolerance):
    (concentration, count) = orbit(BENCH, steady(), varied(19), 12.0, tolerance)
    np.testing.assert_allclose(*concentration, rtol=1e-11)
    np.testing.assert_allclose(*count, rtol=10 * tolerance)


def test_is_what_long_dosing_comes_to():
    once = run(BENCH, steady(), WEEKS, varied(8))
    long = doses({"TIME": 0.0, "AMT": 40.0, "II": 12.0, "ADDL": 14 * 60})
    begin = 168.0 * 56
    late = run(BENCH, long, begin + WEEKS[:2], varied(8))
    np.testing.assert_allclose(once.concentration["drug"][:, :2], late.concentration["drug"], rtol=1e-10)
    np.testing.assert_allclose(once.tracks["neutrophil"].count[:, :2], late.tracks["neutrophil"].count, rtol=2e-5)


@pytest.mark.parametrize("interval", [6.0, 24.0, 36.0, 168.0, 504.0])
def test_any_interval(interval):
    for found, later in orbit(BENCH, steady(60.0, interval, 5), {}, interval):
        np.testing.assert_allclose(found, later, rtol=5e-6)


@pytest.mark.parametrize("lag", [0.0, 1.5, 11.0, 12.0, 30.0, np.linspace(0.0, 26.0, 5)])
def test_doses_that_lag(lag):
    for found, later in orbit(BENCH, steady(), {"drug.tlag": lag}, 12.0):
        np.testing.assert_allclose(found, later, rtol=5e-6)


@pytest.mark.parametrize("duration, lag", [(2.0, 0.0), (10.0, 0.0), (12.0, 0.0), (10.0, 5.0), (12.0, 3.0), (30.0, 1.0)])
def test_infusions_that_run_into_the_next_period(duration, lag):
    model = model_of([], [("drug", "one_compartment", {"absorption": "zero_order"})], [])
    p = {"drug.cl": 5.0, "drug.vc": 50.0, "drug.f": 0.8, "drug.tlag": lag, "drug.duration": duration}
    ((found, later),) = orbit(model, steady(CMT="."), p, 12.0)
    np.testing.assert_allclose(found, later, rtol=1e-10)
    assert later.mean() > 0.1


@pytest.mark.parametrize("rate", [10.0, 40.0 / 12.0, 1.5])
def test_infusions_into_the_blood(rate):
    for found, later in orbit(BENCH, steady(RATE=rate, CMT="central"), {}, 12.0):
        np.testing.assert_allclose(found, later, rtol=5e-6)


def test_two_ways_in_at_once():
    events = [*steady(), *steady(30.0, RATE=6.0, CMT="central")]
    for found, later in orbit(BENCH, sorted(events, key=lambda e: e.time), {}, 12.0):
        np.testing.assert_allclose(found, later, rtol=5e-6)


def test_a_reset_with_it_changes_nothing():
    both = [run(BENCH, events, WEEKS).tracks["neutrophil"].count for events in (steady(), steady(EVID=4))]
    np.testing.assert_array_equal(*both)


def test_kinetics_without_closed_form():
    model = model_of(
        [("neutrophil", "friberg", {})],
        [("drug", "michaelis_menten", {})],
        [effect_on("neutrophil", "emax", "proliferation", delay="effect_compartment")],
    )
    p = {
        "drug.ka": 0.8, "drug.f": 0.9, "drug.tlag": 0.0, "drug.vmax": np.array([6.0, 8.0, 20.0]), "drug.km": 0.4, "drug.v": 50.0,
        "neutrophil.baseline": 5.0, "neutrophil.mtt": 110.0, "neutrophil.gamma": 0.17, "drug.neutrophil.proliferation.emax": 0.5,
        "drug.neutrophil.proliferation.ec50": 1.0, "drug.neutrophil.proliferation.ke0": 0.05,
    }  # fmt: skip
    for found, later in orbit(model, steady(), p, 12.0):
        np.testing.assert_allclose(found, later, rtol=1e-5)
    poured = steady(RATE=20.0, CMT="central")
    for found, later in orbit(model, poured, p, 12.0):
        np.testing.assert_allclose(found, later, rtol=1e-5)


@pytest.mark.parametrize(
    "events, sentence",
    [
        ([*steady(), *steady(interval=8.0)], "share one interval"),
        ([replace(e, time=e.time + 24.0) for e in steady()], "at time 0"),
    ],
)
def test_what_has_no_steady_state_here_is_refused(events, sentence):
    with pytest.raises(SpecError, match=sentence):
        run(BENCH, events, WEEKS)


def test_measured_concentrations_have_none():
    seen = replace(with_table((0.0,), (1.0,), "previous").drugs["drug"], name="seen")
    model = replace(BENCH, drugs={**BENCH.drugs, "seen": seen})
    with pytest.raises(SpecError, match="measured concentrations"):
        run(model, steady(), WEEKS)


def test_a_dose_no_marrow_survives_has_none():
    with pytest.raises(ConvergenceError, match="subject 2"):
        run(BENCH, steady(), WEEKS, {"drug.neutrophil.slope": np.array([0.3, 0.5, 30.0])})


def test_no_dose_is_at_rest():
    at_rest = run(
        BENCH, [DoseEvent("drug", 0.0, 0.0, interval=12.0, steady_state=True), *bid(0.0, 0.0)], WEEKS, varied(3)
    )
    np.testing.assert_allclose(
        at_rest.tracks["neutrophil"].count, varied(3)["neutrophil.baseline"][:, None] * np.ones(3), rtol=1e-9
    )
