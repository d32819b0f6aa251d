"""What must hold whatever the parameters."""

from __future__ import annotations

import os

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import myelosim as ms
from myelosim.spec.regimen import DoseEvent, Regimen

settings.register_profile("fast", max_examples=15, deadline=None, derandomize=True)
settings.register_profile("thorough", max_examples=500, deadline=None)
settings.load_profile(os.environ.get("MYELOSIM_TESTS", "fast"))

MODEL = ms.load_model("generic_oral_2cmt_friberg")
TYPICAL = {name: parameter.value for name, parameter in MODEL.parameters.items()}
DAYS = np.arange(0.0, 22.0)
factor = st.floats(0.3, 3.0)
amounts = st.lists(st.floats(1.0, 150.0), min_size=1, max_size=4)
people = st.fixed_dictionaries(
    {
        "drug.ka": st.floats(0.1, 3.0),
        "drug.cl": st.floats(1.0, 20.0),
        "drug.vc": st.floats(10.0, 200.0),
        "drug.q": st.floats(0.5, 20.0),
        "drug.vp": st.floats(10.0, 300.0),
        "drug.tlag": st.sampled_from([0.0, 0.25, 1.7]),
        "drug.f": st.floats(0.2, 1.0),
        "neutrophil.baseline": st.floats(0.5, 15.0),
        "neutrophil.mtt": st.floats(40.0, 250.0),
        "neutrophil.gamma": st.floats(0.05, 0.4),
        "drug.neutrophil.slope": st.floats(0.02, 2.0),
    }
)


def simulate(doses, person, hours=24.0 * DAYS, **options):
    """Simulate one person under (hour, amount) doses."""
    regimen = Regimen(tuple(DoseEvent("drug", t, a) for t, a in sorted(doses)))
    return ms.simulate(MODEL, regimen, times=hours, individuals=pd.DataFrame([person]), **options)


def counts(*args, **options):
    return simulate(*args, **options)["count"].to_numpy()[0, 0]


def every(amounts, gap=36.0):
    return [(gap * i, a) for i, a in enumerate(amounts)]


@given(people)
def test_nothing_happens_without_drug(person):
    # A day's step is past the stability of an explicit pair where mtt is short: round-off then grows, up to the tolerance.
    allowed = 1e-12 if person["neutrophil.mtt"] > 60.0 else 1e-6
    np.testing.assert_allclose(counts([], person), person["neutrophil.baseline"], rtol=allowed)
    np.testing.assert_allclose(counts([(0.0, 0.0), (40.0, 0.0)], person), person["neutrophil.baseline"], rtol=allowed)


@given(people, amounts, st.floats(0.01, 0.99))
def test_parts_of_a_dose_are_the_dose(person, amounts, share):
    parts = [(t, a * f) for t, a in every(amounts) for f in (share, 1 - share)]
    np.testing.assert_allclose(counts(parts, person), counts(every(amounts), person), rtol=1e-6)


@given(people, amounts, amounts)
def test_concentrations_add(person, first, second):
    a, b = every(first), [(t + 5.0, x) for t, x in every(second)]
    sums = sum(simulate(d, person)["concentration"].to_numpy() for d in (a, b))
    found = simulate([*a, *b], person)["concentration"].to_numpy()
    np.testing.assert_allclose(found, sums, rtol=1e-9, atol=1e-15 * max(*first, *second))


@given(people, amounts, factor)
def test_a_stronger_drug_is_a_larger_dose(person, amounts, k):
    stronger = person | {"drug.neutrophil.slope": k * person["drug.neutrophil.slope"]}
    larger = [(t, k * a) for t, a in every(amounts)]
    np.testing.assert_allclose(counts(every(amounts), stronger), counts(larger, person), rtol=3e-6)


@given(people, amounts, factor)
def test_counts_scale_with_the_baseline(person, amounts, k):
    other = person | {"neutrophil.baseline": k * person["neutrophil.baseline"]}
    np.testing.assert_allclose(counts(every(amounts), other), k * counts(every(amounts), person), rtol=1e-9)


@given(people, amounts, st.sampled_from([0.5, 0.8, 1.3, 2.0]))
def test_time_has_no_unit_of_its_own(person, amounts, k):
    slow = {name: k * person[name] for name in ("neutrophil.mtt", "drug.tlag")}
    slow |= {name: person[name] / k for name in ("drug.ka", "drug.cl", "drug.q")}
    late = [(k * t, a) for t, a in every(amounts)]
    np.testing.assert_allclose(counts(late, person | slow, 24.0 * k * DAYS), counts(every(amounts), person), rtol=4e-6)


@given(people, amounts, factor)
def test_a_larger_body_needs_a_larger_dose(person, amounts, k):
    large = person | {name: k * person[name] for name in ("drug.cl", "drug.vc", "drug.q", "drug.vp")}
    larger = [(t, k * a) for t, a in every(amounts)]
    np.testing.assert_allclose(counts(larger, large), counts(every(amounts), person), rtol=1e-6)


@given(people, amounts, st.floats(1.01, 3.0))
def test_more_drug_never_makes_a_higher_nadir(person, amounts, k):
    less, more = (simulate([(t, f * a) for t, a in every(amounts)], person) for f in (1.0, k))
    assert float(more["nadir"][0, 0]) <= float(less["nadir"][0, 0]) * (1 + 1e-6)


@given(people, amounts)
def test_where_it_is_looked_at_changes_nothing(person, amounts):
    often = np.unique(np.concatenate([24.0 * DAYS, np.linspace(0.0, 504.0, 150)]))
    seen = counts(every(amounts), person, often)[np.searchsorted(often, 24.0 * DAYS)]
    np.testing.assert_allclose(counts(every(amounts), person), seen, rtol=2e-6)


@given(people, amounts)
def test_the_tolerance_is_the_error(person, amounts):
    tight = counts(every(amounts), person, tolerance=1e-10)
    assert np.max(np.abs(counts(every(amounts), person) / tight - 1)) < 2e-6
    assert np.max(np.abs(counts(every(amounts), person, tolerance=1e-4) / tight - 1)) < 2e-4


@given(st.integers(1, 40), st.integers(0, 2**31), st.integers(1, 3))
def test_the_first_subjects_do_not_depend_on_the_others(size, seed, threads):
    few, many = (
        ms.simulate(MODEL, "drug 40 mg BID d1-7", days=21, population=ms.Population(n, seed=seed), threads=t)
        for n, t in ((size, 1), (61, threads))
    )
    for name in ("count", "concentration", "nadir", "nadir_day", "days_grade3"):
        np.testing.assert_array_equal(few[name], many[name][:size])


@pytest.mark.parametrize("k", [0.1, 10.0])
def test_the_course_after_a_dose_does_not_depend_on_when(k):
    later = 24.0 * DAYS + 30.0 * k
    np.testing.assert_allclose(counts([(30.0 * k, 100.0)], TYPICAL, later), counts([(0.0, 100.0)], TYPICAL), rtol=1e-6)
