"""Subjects with timelines of their own, against the run of a population and against SciPy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cohort_oracle import Course, Dose
from engine_cases import effect_on, model_of, run, typical

from myelosim.engine import Cohort, Person
from myelosim.spec.library import load_model
from myelosim.spec.regimen import DoseEvent

CELLS = {"baseline": 5.0, "mtt": 110.0, "gamma": 0.17}
TWO = {"cl": 6.3, "vc": 60.0, "q": 4.0, "vp": 50.0}
THREE = {"cl": 8.0, "vc": 30.0, "q2": 9.0, "vp2": 25.0, "q3": 2.0, "vp3": 70.0}
COMMON = {"f": 0.8, "tlag": 0.6, "slope": 0.3}
DRUGS = {  # kinetics, absorption, parameters; all in one model, which takes seconds to compile
    "single": ("one", "none", {"cl": 4.0, "vc": 20.0}),
    "double": ("two", "first_order", TWO | {"ka": 0.9}),
    "steady": ("two", "zero_order", TWO | {"duration": 3.0}),
    "triple": ("three", "first_order", THREE | {"ka": 0.6}),
    "sated": ("saturable", "first_order", {"vmax": 12.0, "km": 2.0, "v": 25.0, "ka": 0.9}),
}  # fmt: skip
KINDS = {
    "one": "one_compartment", "two": "two_compartment", "three": "three_compartment", "saturable": "michaelis_menten",
}  # fmt: skip
HOURS = np.array([0.5, 3.0, 11.0, 24.0, 40.0, 77.0, 110.0, 170.0, 240.0])
MODEL = model_of(
    [("neutrophil", "friberg", {})],
    [(name, KINDS[kind], {"absorption": absorption}) for name, (kind, absorption, _) in DRUGS.items()],
    [effect_on("neutrophil", "linear", "proliferation", name, prefix=f"{name}.neutrophil") for name in DRUGS],
)


def numbers(drug):
    return COMMON | DRUGS[drug][2] | CELLS


def named(values, drug):
    """Return parameters by their full names, those of the other drugs among them."""
    every = [(other, n, x) for other in DRUGS for n, x in numbers(other).items()] + [
        (drug, n, x) for n, x in values.items()
    ]
    prefix = dict.fromkeys(CELLS, "neutrophil")
    return {f"{prefix.get(n, f'{who}.neutrophil' if n == 'slope' else who)}.{n}": x for who, n, x in every}


def oral(drug):
    return (DoseEvent(drug, 0.0, 60.0), DoseEvent(drug, 24.0, 40.0), DoseEvent(drug, 96.0, 80.0))


def doses(drug):
    """Return doses by mouth, or into the blood where there is no absorption."""
    if DRUGS[drug][1] != "none":
        return oral(drug)
    return (DoseEvent(drug, 0.0, 60.0, route="iv"), DoseEvent(drug, 12.0, 90.0, duration=30.0, route="iv"),
            DoseEvent(drug, 96.0, 40.0, route="iv"))  # fmt: skip


def person(events, hours=HOURS, after=True, **options):
    return Person(tuple(events), np.asarray(hours, float), np.broadcast_to(after, len(hours)), **options)


def cohort(drug, people, tolerance=1e-10, threads=1):
    return Cohort(MODEL, people, ("neutrophil", drug), tolerance, threads)


def told(events):
    """Return the doses as the reference takes them."""
    return [
        Dose(e.time, e.amount, e.duration, "depot" if e.route != "iv" and "ka" in numbers(e.drug) else "central",
             e.route != "iv")
        for e in events
    ]  # fmt: skip


def both(found):
    """Return counts and concentrations (2, subject, slot, lane)."""
    return np.stack([found.pop("neutrophil"), *found.values()])


@pytest.mark.parametrize("drug", DRUGS)
def test_constant_parameters_give_what_a_run_gives(drug):
    size, rng = 5, np.random.default_rng(3)
    events = [*doses(drug), DoseEvent(drug, 50.0, 50.0, duration=20.0, route="iv"),
              DoseEvent(drug, 130.0, 0.0, kind="reset"), DoseEvent(drug, 180.0, 55.0, kind="reset_dose", route="iv")]  # fmt: skip
    values = {
        name: x * (1.0 if name == "f" else np.exp(0.2 * rng.standard_normal(size))) for name, x in numbers(drug).items()
    }
    people = [person(events)] * size
    found = cohort(drug, people).run(named(values, drug), 1, related=True)
    for i in range(size):
        alone = {name: value if np.ndim(value) == 0 else value[i] for name, value in named(values, drug).items()}
        known = run(MODEL, events, HOURS, alone, tolerance=1e-10)
        np.testing.assert_allclose(found["neutrophil"][i, :, 0], known.tracks["neutrophil"].count[0], rtol=1e-9)
        np.testing.assert_allclose(found[drug][i, :, 0], known.concentration[drug][0], rtol=1e-9, atol=1e-12)


def test_who_starts_away_from_the_baseline_starts_there():
    away, values = replace(MODEL, start={"neutrophil": 3.0}), named(numbers("double"), "double")
    found = Cohort(away, [person(oral("double"))], ("neutrophil",), 1e-10, 1).run(values, 1, related=True)
    known = run(away, oral("double"), HOURS, values, tolerance=1e-10).tracks["neutrophil"].count
    np.testing.assert_allclose(found["neutrophil"][:, :, 0], known, rtol=1e-9)
    assert abs(known[0, 0] - 3.0) < 0.1


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("drug", DRUGS)
def test_amounts_and_cells_stay_where_parameters_change(drug, closed):
    """Changes come in the middle of an infusion, while a depot still holds drug, between a dose and its lag, and with a dose."""
    events = [*doses(drug), DoseEvent(drug, 30.0, 120.0, duration=40.0, route="iv")]
    events.sort(key=lambda e: e.time)
    starts = np.array([0.0, 24.3, 50.0, 55.0, 96.0])
    rng = np.random.default_rng(5)
    base = numbers(drug)
    periods = [{n: x * np.exp(0.25 * rng.standard_normal()) for n, x in base.items()} for _ in starts]
    looks = [(h, a) for h in [*HOURS, 50.0, 55.0, 96.0] for a in (False, True)]
    looks.sort(key=lambda look: look[0])
    own = person(events, [h for h, _ in looks], [a for _, a in looks], starts=starts,
                 closed=np.array([False, *[closed] * 4]))  # fmt: skip
    other = person(events[:1])
    values = {n: np.array([base[n], *(p[n] for p in periods), base[n]]) for n in base}
    found = both(cohort(drug, [other, own, other]).run(named(values, drug), 1, related=True))[:, :, :, 0]
    known = Course(DRUGS[drug][0], periods, tuple(starts), (False, *[closed] * 4)).solve(told(events), looks).real
    np.testing.assert_allclose(found[:, 1, : len(looks)], known, rtol=1e-7, atol=1e-9)
    alone = Course(DRUGS[drug][0], [base]).solve(told(events[:1]), [(h, True) for h in HOURS]).real
    for i in (0, 2):
        np.testing.assert_allclose(found[:, i, : len(HOURS)], alone, rtol=1e-7, atol=1e-9)


def test_transfusions_and_draws_are_what_they_are_in_a_run():
    cells = ("platelet", "platelet", {"n_precursors": 1, "loss": "lifespan", "n_ages": 2, "transfused": "yes"})
    own = model_of([cells], [], [])
    values = {"baseline": 240.0, "mtt": 134.0, "gamma": 0.22, "lifespan": 216.0, "cap": 4.0, "unit_rise": 35.0}
    values = {f"platelet.{name}": value for name, value in (values | {"donor_survival": 90.0}).items()}
    events = [DoseEvent("platelet", 30.0, 2.0, kind="transfusion"), DoseEvent("", 100.0, 0.3, kind="draw"),
              DoseEvent("platelet", 100.0, 1.0, kind="transfusion")]  # fmt: skip
    people = [person(events), person(events[:1]), person(())]
    found = Cohort(own, people, ("platelet",), 1e-10, 1).run(values, 1, related=True)["platelet"][:, :, 0]
    for i, one in enumerate(people):
        known = run(own, one.events, HOURS, values, tolerance=1e-10).tracks["platelet"].count[0]
        np.testing.assert_allclose(found[i], known, rtol=1e-9)
    assert found[0, 6] < 0.9 * found[1, 6]


def test_a_growth_factor_and_the_cells_that_take_it_up_are_what_they_are_in_a_run():
    own = load_model("harrold_2020_filgrastim")
    events = [DoseEvent("filgrastim", 24.0 * k, 300.0, route="sc") for k in range(4)]
    values = typical(own)
    slopes = np.array([4.0, 7.5, 12.0])
    names = ("neutrophil", "filgrastim")
    each = values | {"filgrastim.neutrophil.production.slope": slopes}
    found = Cohort(own, [person(events)] * 3, names, 1e-9, 1).run(each, 1, related=True)
    for i, slope in enumerate(slopes):
        known = run(own, events, HOURS, values | {"filgrastim.neutrophil.production.slope": slope}, tolerance=1e-9)
        np.testing.assert_allclose(found["neutrophil"][i, :, 0], known.tracks["neutrophil"].count[0], rtol=1e-8)
        np.testing.assert_allclose(found["filgrastim"][i, :, 0], known.concentration["filgrastim"][0], rtol=1e-8)


@pytest.mark.parametrize("closed", [False, True])
def test_a_reset_while_parameters_change_ends_what_runs(closed):
    """It comes in an infusion that a change has cut in two; afterwards the cells are at the baseline of their period."""
    events = [DoseEvent("double", 10.0, 200.0, duration=60.0, route="iv"), DoseEvent("double", 40.0, 0.0, kind="reset"),
              DoseEvent("double", 50.0, 30.0, route="iv")]  # fmt: skip
    base = numbers("double")
    periods = [base, base | {"vc": 30.0, "cl": 9.0, "baseline": 4.0}, base | {"q": 1.0, "gamma": 0.3}]
    hours = np.array([5.0, 20.0, 30.0, 39.0, 40.0, 49.0, 60.0, 69.0, 71.0, 90.0, 150.0])
    own = person(events, hours, starts=np.array([0.0, 20.0, 60.0]), closed=np.array([False, closed, closed]))
    values = {name: np.array([p[name] for p in periods]) for name in base}
    found = both(cohort("double", [own]).run(named(values, "double"), 1, related=True))[:, 0, :, 0]
    first, then = ((False, closed), periods[:2]), ((False, closed), periods[1:])
    before = Course("two", first[1], (0.0, 20.0), first[0]).solve(told(events[:1]), [(h, True) for h in hours[:4]])
    np.testing.assert_allclose(found[:, :4], before.real, rtol=1e-7, atol=1e-9)
    late = [DoseEvent("double", 10.0, 30.0, route="iv")]
    after = Course("two", then[1], (0.0, 20.0), then[0]).solve(told(late), [(h - 40.0, True) for h in hours[4:]])
    np.testing.assert_allclose(found[:, 4:], after.real, rtol=1e-7, atol=1e-9)


def lanes(values, name, step):
    """Return the values with one parameter as it is, up and down."""
    moved = np.multiply.outer(np.atleast_1d(values[name]), [1.0, np.exp(step), np.exp(-step)])
    return values | {name: moved}


@pytest.mark.parametrize("changing", [False, True])
@pytest.mark.parametrize("drug", DRUGS)
def test_differences_between_related_lanes_are_the_derivatives(drug, changing):
    """At the tolerance of fits, which the derivatives do not feel: lanes share the error of their steps."""
    events = doses(drug)
    base = numbers(drug)
    starts = (0.0, 20.0, 97.5) if changing else (0.0,)
    closed = (False,) * len(starts)
    rng = np.random.default_rng(8)
    periods = [base, *({n: x * np.exp(0.1 * rng.standard_normal()) for n, x in base.items()} for _ in starts[1:])]
    own = person(events, starts=np.array(starts), closed=np.array(closed))
    group = cohort(drug, [own], tolerance=1e-9)
    course, looks, step = Course(DRUGS[drug][0], periods, starts, closed), [(h, True) for h in HOURS], 2e-4
    values = {n: np.array([p[n] for p in periods]) for n in base}
    for name in base:
        found = both(group.run(named(lanes(values, name, step), drug), 3, related=True))[:, 0]
        slope = (found[..., 1] - found[..., 2]) / (2 * step)
        known = course.slope(name, told(events), looks)
        for mine, true, size in zip(slope, known, found[..., 0], strict=True):
            np.testing.assert_allclose(mine, true, rtol=0, atol=1e-6 * np.max(np.abs(true)) + 1e-9 * np.max(size))
        assert np.max(np.abs(known[0])) > 1e-4 or (drug == "single" and name in ("f", "tlag"))


def test_lags_and_durations_that_differ_between_lanes_are_those_of_lanes_alone():
    """Each lane's doses come at an hour of their own, some in the next period."""
    base = numbers("steady")
    own = person(oral("steady"), starts=np.array([0.0, 26.0]), closed=np.zeros(2, bool))
    values = {n: np.array([[x], [1.2 * x]]) for n, x in base.items()}
    values["tlag"] = np.array([0.0, 0.5, 1.0, 2.5, 3.0] * 2).reshape(2, 5)
    values["duration"] = np.array([2.0, 2.0, 1.0, 4.0, 0.5] * 2).reshape(2, 5)
    group = cohort("steady", [own])
    for related in (True, False):
        together = both(group.run(named(values, "steady"), 5, related=related))
        for k in range(5):
            alone = {n: x[:, k] if x.shape[1] > 1 else x[:, 0] for n, x in values.items()}
            np.testing.assert_allclose(
                together[..., k],
                both(group.run(named(alone, "steady"), 1, related=True))[..., 0],
                rtol=1e-8,
                atol=1e-10,
            )


@pytest.fixture(scope="module")
def varied():
    """Four subjects of different doses and periods, and 20 lanes of two parameters."""
    base, rng = numbers("double"), np.random.default_rng(9)
    events, later = oral("double"), {"starts": np.array([0.0, 30.0]), "closed": np.zeros(2, bool)}
    people = [person(events), person(events[:1], HOURS[:5]), person(events[1:], **later), person(())]
    values = named(base, "double") | {
        "double.cl": 6.0 * np.exp(0.3 * rng.standard_normal((5, 20))),
        "neutrophil.baseline": 5.0 * np.exp(0.3 * rng.standard_normal((5, 20))),
    }
    return people, values


def lane(values, k):
    return {name: x[:, k] if np.ndim(x) == 2 else x for name, x in values.items()}


def test_unrelated_lanes_are_runs_of_their_own(varied):
    people, values = varied
    group = cohort("double", people, tolerance=1e-9)
    found = both(group.run(values, 20, related=False))
    for k in (0, 7, 8, 19):
        alone = both(group.run(lane(values, k), 1, related=True))[..., 0]
        np.testing.assert_allclose(found[..., k], alone, rtol=2e-8, atol=1e-10, equal_nan=True)


@pytest.mark.parametrize("related", [False, True])
def test_threads_and_repetition_change_no_bit(varied, related):
    people, values = varied
    one, two = (cohort("double", people, 1e-8, threads) for threads in (1, 2))
    found = both(one.run(values, 20, related=related))
    np.testing.assert_array_equal(both(one.run(values, 20, related=related)), found)
    np.testing.assert_array_equal(both(two.run(values, 20, related=related)), found)
    if related:
        np.testing.assert_array_equal(both(two.run(values, 20, related=True, again=True)), found)


@pytest.mark.parametrize("related", [False, True])
def test_some_subjects_alone_are_what_they_are_among_all(varied, related):
    people, values = varied
    who = np.array([0, 2])
    every = both(cohort("double", people, 1e-8).run(values, 20, related=related))
    fresh = cohort("double", people, 1e-8)
    some = both(fresh.run(values, 20, related=related, who=who))
    np.testing.assert_array_equal(some[:, who], every[:, who])
    assert np.all(np.isnan(some[:, [1, 3]]))
    if related:
        again = both(fresh.run(values, 20, related=True, who=who[:1], again=True))
        np.testing.assert_array_equal(again[:, 0], every[:, 0])


def test_steps_taken_again_give_smooth_answers(varied):
    """With the steps of the run before, a change of a parameter by 1e-7 gives the derivative to seven digits."""
    people, values = varied
    group = cohort("double", people, tolerance=1e-8)
    base = lane(values, 3)
    middle = group.run(base, 1, related=True)["neutrophil"][0, :, 0]
    moved = [
        group.run(base | {"neutrophil.mtt": 110.0 * np.exp(h)}, 1, related=True, again=True)["neutrophil"][0, :, 0]
        for h in (1e-7, 1e-3, -1e-3)
    ]
    slope = (moved[1] - moved[2]) / 2e-3
    np.testing.assert_allclose((moved[0] - middle) / 1e-7, slope, rtol=0, atol=2e-6 * np.max(np.abs(slope)))


def test_who_cannot_be_integrated_is_missing_and_harms_nobody():
    people, base = [person(oral("double"))] * 3, named(numbers("double"), "double")
    group = cohort("double", people, tolerance=1e-8)
    good = both(group.run(base, 1, related=True))
    broken = both(group.run(base | {"neutrophil.mtt": np.array([110.0, 1e-9, 110.0])}, 1, related=True))
    np.testing.assert_array_equal(broken[:, [0, 2]], good[:, [0, 2]])
    assert np.all(np.isnan(broken[0, 1]))
    np.testing.assert_array_equal(both(group.run(base, 1, related=True)), good)
