"""Doses: NONMEM's events, infusions, lags, absorption, measured concentrations."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from engine_cases import BENCH, bid, counts, doses, model_of, run, solved, superposed, typical, varied, with_table
from scipy.integrate import solve_ivp

from myelosim.errors import SpecError
from myelosim.spec.library import load_model
from myelosim.spec.model import Subjects
from myelosim.spec.regimen import DoseEvent

TIMES = np.arange(0.0, 505.0, 12.0)
IV = load_model("generic_iv_1cmt")
ORAL = load_model("generic_oral_1cmt")


def same(a, b, rtol=1e-12):
    for track in a.tracks:
        np.testing.assert_allclose(a.tracks[track].count, b.tracks[track].count, rtol=rtol)
    np.testing.assert_allclose(a.concentration["drug"], b.concentration["drug"], rtol=rtol, atol=1e-13)


def test_two_half_doses_are_one():
    halves = sorted([*bid(300.0, 20.0), *bid(300.0, 20.0)], key=lambda e: e.time)
    same(run(BENCH, bid(300.0), TIMES), run(BENCH, halves, TIMES))


def test_consecutive_infusions_are_one_long():
    long = doses({"TIME": 6.0, "AMT": 120.0, "RATE": 5.0, "CMT": "central"})
    short = doses({"TIME": 6.0, "AMT": 40.0, "RATE": 5.0, "II": 8.0, "ADDL": 2, "CMT": "central"})
    same(run(BENCH, long, TIMES), run(BENCH, short, TIMES), rtol=2e-7)
    a, b = (run(IV, [replace(e, channel="") for e in events], TIMES) for events in (long, short))
    np.testing.assert_allclose(a.concentration["drug"], b.concentration["drug"], rtol=1e-12, atol=1e-14)


def test_a_short_infusion_approaches_a_bolus():
    bolus = run(IV, [DoseEvent("drug", 0.0, 100.0)], TIMES)
    brief = run(IV, [DoseEvent("drug", 0.0, 100.0, duration=1e-4)], TIMES)
    np.testing.assert_allclose(brief.concentration["drug"][:, 1:], bolus.concentration["drug"][:, 1:], rtol=1e-4)


def test_area_is_dose_over_clearance():
    p = typical(ORAL)
    done = run(ORAL, doses({"TIME": 0.0, "AMT": 40.0, "II": 12.0, "ADDL": 9}), [0.0, 5000.0])
    assert done.area["drug"][0, 1] == pytest.approx(400.0 * p["drug.f"] / p["drug.cl"], rel=1e-10)


def test_counts_follow_what_was_given_whichever_way():
    events = doses(
        {"TIME": 0.0, "AMT": 40.0, "II": 12.0, "ADDL": 6},
        {"TIME": 30.5, "AMT": 60.0, "RATE": 30.0, "CMT": "central"},
        {"TIME": 77.3, "AMT": 20.0, "CMT": "central"},
    )
    changed = {"drug.tlag": 0.7}
    own = superposed(BENCH, typical(BENCH) | changed, events)
    breaks = [t for e in events for t in (e.time, e.time + e.duration, e.time + 0.7)]
    known = solved(BENCH, typical(BENCH) | changed, own, breaks, TIMES)
    done = run(BENCH, events, TIMES, changed)
    np.testing.assert_allclose(done.tracks["neutrophil"].count[0], known, rtol=1e-6)
    np.testing.assert_allclose(done.concentration["drug"][0], [own(t) for t in TIMES], rtol=1e-11, atol=1e-15)


@pytest.mark.parametrize("kind", ["reset", "reset_dose"])
def test_a_reset_starts_afresh(kind):
    code = {"reset": 3, "reset_dose": 4}[kind]
    before = {"TIME": 0.0, "AMT": 40.0, "II": 12.0, "ADDL": 9}
    events = doses(
        before, {"TIME": 200.0, "AMT": 50.0 if code == 4 else 0.0, "EVID": code}, {"TIME": 212.0, "AMT": 40.0}
    )
    late = np.arange(200.0, 500.0, 12.0)
    done = run(BENCH, events, late)
    fresh = [{"TIME": 12.0, "AMT": 40.0}, *([{"TIME": 0.0, "AMT": 50.0}] if code == 4 else [])]
    same(done, run(BENCH, doses(*fresh), late - 200.0), rtol=2e-7)
    assert done.tracks["neutrophil"].count[0, 0] == 5.0


def test_a_reset_ends_infusions_that_run():
    infusion = {"TIME": 0.0, "AMT": 100.0, "RATE": 1.0, "CMT": "central"}
    done = run(BENCH, doses(infusion, {"TIME": 50.0, "AMT": 0.0, "EVID": 3}), [49.0, 50.0, 60.0, 99.0, 101.0, 150.0])
    assert done.concentration["drug"][0, 0] > 0.1
    np.testing.assert_array_equal(done.concentration["drug"][0, 1:], 0.0)
    np.testing.assert_array_equal(done.tracks["neutrophil"].count[0, 1:], 5.0)


@pytest.mark.parametrize("structure", ["first_order", "none"])
def test_kinetics_without_closed_form_alone(structure):
    model = model_of([], [("drug", "michaelis_menten", {"absorption": structure})], [])
    p = {"drug.vmax": 6.0, "drug.km": 0.4, "drug.v": 50.0, "drug.f": 0.9, "drug.tlag": 0.0, "drug.ka": 0.8}
    events = [DoseEvent("drug", 5.0, 60.0, duration=10.0, route="iv"), DoseEvent("drug", 90.0, 0.0, kind="reset")]
    events.append(DoseEvent("drug", 80.0, 60.0, duration=30.0, route="iv"))
    hours = np.arange(0.0, 120.0, 4.0)
    found = run(model, sorted(events, key=lambda e: e.time), hours, p).concentration["drug"][0]

    def slope(t, a):  # an infusion into the blood arrives whole
        return 6.0 * (5 <= t < 15) + 2.0 * (80 <= t < 90) - 6.0 * (a / 50) / (0.4 + a / 50)

    known = (
        solve_ivp(slope, (0.0, 89.9), [0.0], t_eval=hours[hours < 89.9], rtol=1e-9, atol=1e-12, max_step=0.5).y[0] / 50
    )
    np.testing.assert_allclose(found[: len(known)], known, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(found[len(known) :], 0.0)


def test_a_reset_forgets_doses_that_lag():
    events = doses({"TIME": 0.0, "AMT": 40.0}, {"TIME": 1.0, "AMT": 0.0, "EVID": 3})
    done = run(BENCH, events, [2.0, 5.0, 20.0], {"drug.tlag": 1.5})
    np.testing.assert_array_equal(done.concentration["drug"], 0.0)
    each = run(BENCH, events, [2.0, 5.0, 20.0], {"drug.tlag": np.array([0.5, 1.5, 0.0])})
    np.testing.assert_array_equal(each.concentration["drug"], 0.0)


def test_other_events_do_nothing():
    events = doses({"TIME": 0.0, "AMT": 40.0}, {"TIME": 30.0, "AMT": 0.0, "EVID": 2})
    same(run(BENCH, events, TIMES), run(BENCH, events[:1], TIMES))


def test_a_lag_shifts_what_follows():
    lagged = run(BENCH, bid(200.0), TIMES + 3.0, {"drug.tlag": 3.0})
    prompt = run(BENCH, bid(200.0), TIMES)
    same(lagged, prompt, rtol=2e-7)
    assert run(BENCH, bid(200.0), [2.9], {"drug.tlag": 3.0}).concentration["drug"][0, 0] == 0.0


def test_lags_of_their_own_change_nothing_for_each():
    lags = np.array([0.0, 0.5, 1.0, 2.25, 0.5, 7.0, 11.9, 12.0, 0.1, 30.0])
    together = run(BENCH, bid(300.0), TIMES, {"drug.tlag": lags})
    for i, lag in enumerate(lags):
        alone = run(BENCH, bid(300.0), TIMES, {"drug.tlag": float(lag)})
        np.testing.assert_allclose(
            together.tracks["neutrophil"].count[i], alone.tracks["neutrophil"].count[0], rtol=1e-6
        )
        np.testing.assert_allclose(
            together.concentration["drug"][i], alone.concentration["drug"][0], rtol=1e-10, atol=1e-13
        )


def test_what_is_given_into_the_blood_has_no_lag_and_is_whole():
    iv = doses({"TIME": 0.0, "AMT": 40.0, "CMT": "central"})
    same(run(BENCH, iv, TIMES), run(BENCH, iv, TIMES, {"drug.tlag": 5.0, "drug.f": 0.4}))


def test_bioavailability_scales_the_dose():
    same(run(BENCH, bid(200.0), TIMES, {"drug.f": 0.4}), run(BENCH, bid(200.0, 16.0), TIMES), rtol=1e-12)


def test_bioavailability_of_what_is_absorbed_at_a_constant_rate():
    model = model_of([], [("drug", "michaelis_menten", {"absorption": "zero_order"})], [])
    p = {"drug.vmax": 6.0, "drug.km": 0.4, "drug.v": 50.0, "drug.f": 0.5, "drug.tlag": 0.0, "drug.duration": 3.0}
    absorbed = run(model, [DoseEvent("drug", 0.0, 80.0)], TIMES[:6], p).concentration["drug"]
    poured = run(model, [DoseEvent("drug", 0.0, 40.0, duration=3.0, route="iv")], TIMES[:6], p).concentration["drug"]
    np.testing.assert_allclose(absorbed, poured, rtol=1e-12)


def slowly(module="one_compartment"):
    drugs = [("drug", module, {"absorption": "zero_order"})]
    return model_of([], drugs, []), {
        "drug.cl": 5.0,
        "drug.vc": 50.0,
        "drug.f": 0.8,
        "drug.tlag": 0.0,
        "drug.duration": 4.0,
    }


@pytest.mark.parametrize("modelled", [False, True])
def test_zero_order_absorption_is_an_infusion(modelled):
    model, p = slowly()
    events = [DoseEvent("drug", 12.0 * i, 40.0, modelled=modelled) for i in range(3)]
    found = run(model, events, TIMES[:9], p).concentration["drug"]
    poured = [DoseEvent("drug", 12.0 * i, 32.0, duration=4.0, route="iv") for i in range(3)]
    np.testing.assert_allclose(found, run(model, poured, TIMES[:9], p).concentration["drug"], rtol=1e-12)


def test_durations_of_their_own_change_nothing_for_each():
    model, p = slowly()
    durations, lags = np.linspace(0.5, 13.0, 11), np.linspace(2.0, 0.0, 11)
    events = [DoseEvent("drug", 12.0 * i, 40.0) for i in range(4)]
    own = {"drug.duration": durations, "drug.tlag": lags}
    together = run(model, events, TIMES[:9], p | own).concentration["drug"]
    for i in range(11):
        alone = run(model, events, TIMES[:9], p | {"drug.duration": durations[i], "drug.tlag": lags[i]})
        np.testing.assert_allclose(together[i], alone.concentration["drug"][0], rtol=1e-10, atol=1e-13)


@pytest.mark.parametrize("interpolation", ["previous", "next", "linear"])
def test_measured_concentrations(interpolation):
    hours = np.array([0.0, 2.0, 5.0, 24.0, 25.0, 100.0, 300.0])
    values = np.array([0.2, 3.0, 1.0, 2.5, 0.0, 1.5, 1.2])

    def concentration(t):
        at = np.searchsorted(hours, t, side="right") - 1
        if interpolation == "linear":
            return float(np.interp(t, hours, values))
        return float(values[min(at + 1, len(hours) - 1)] if interpolation == "next" else values[at])

    model = with_table(tuple(hours), tuple(values), interpolation)
    done = run(model, [], TIMES)
    np.testing.assert_allclose(done.concentration["drug"][0], [concentration(t) for t in TIMES], rtol=1e-12)
    known = solved(model, typical(model), concentration, hours, TIMES)
    np.testing.assert_allclose(done.tracks["neutrophil"].count[0], known, rtol=1e-6)
    fine = np.linspace(0.0, TIMES[-1], 200001)[:-1] + TIMES[-1] / 400000
    area = np.mean([concentration(t) for t in fine]) * TIMES[-1]
    assert done.area["drug"][0, -1] == pytest.approx(area, rel=1e-5)


def test_a_reset_keeps_measured_concentrations():
    model = with_table((0.0, 100.0), (1.0, 2.0), "previous")
    done = run(model, [DoseEvent("drug", 50.0, 0.0, kind="reset")], [40.0, 60.0, 90.0, 110.0])
    np.testing.assert_array_equal(done.concentration["drug"], [[1.0, 1.0, 1.0, 2.0]])


def test_doses_by_weight_and_surface():
    who = {"weight": np.array([50.0, 70.0, 120.0]), "surface": np.array([1.5, 1.8, 2.2])}
    model = replace(BENCH, subjects=Subjects(covariates={"weight": 70.0, "surface": 1.8}))
    for unit, measure in (("mg/kg", "weight"), ("mg/m2", "surface")):
        events = [DoseEvent("drug", 0.0, 0.5, unit=unit), DoseEvent("drug", 24.0, 0.2, unit=unit)]
        found = run(model, events, TIMES, covariates=who)
        for i, size in enumerate(who[measure]):
            whole = [replace(e, amount=e.amount * size, unit="mg") for e in events]
            np.testing.assert_allclose(
                found.concentration["drug"][i],
                run(BENCH, whole, TIMES).concentration["drug"][0],
                rtol=1e-12,
                atol=1e-14,
            )


def test_amounts_are_converted_to_the_drug_s_own_unit():
    same(run(BENCH, [DoseEvent("drug", 0.0, 40.0)], TIMES), run(BENCH, [DoseEvent("drug", 0.0, 0.04, unit="g")], TIMES))
    with pytest.raises(SpecError, match="molar"):
        run(BENCH, [DoseEvent("drug", 0.0, 40.0, unit="umol")], TIMES)


def test_doses_after_the_last_time_do_nothing():
    late = [*bid(100.0), DoseEvent("drug", 600.0, 1e6)]
    same(run(BENCH, late, TIMES), run(BENCH, bid(100.0), TIMES))


def test_what_is_reported_at_a_dose_is_just_after_it():
    done = run(BENCH, doses({"TIME": 24.0, "AMT": 60.0, "CMT": "central"}), [23.999999, 24.0])
    assert done.concentration["drug"][0].tolist() == [0.0, 1.0]


def test_counts_may_start_off_the_baseline():
    model = replace(BENCH, start={"neutrophil": 2.0})
    found = counts(model, [], TIMES)
    known = solved(replace(BENCH), typical(BENCH), lambda t: 0.0, [], TIMES)
    assert known == pytest.approx(5.0) and found[0, 0] == pytest.approx(2.0, rel=1e-14)
    assert found[0].max() > 5.0 and found[0, -1] == pytest.approx(5.0, rel=0.1)
    both = counts(model, [], TIMES, varied(3))
    assert both[:, 0] == pytest.approx(2.0, rel=1e-14)
