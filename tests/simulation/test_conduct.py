"""Clinics that do not keep to the plan."""

from __future__ import annotations

import numpy as np
import pytest

import myelosim as ms
from myelosim.spec.rule import Conduct

MODEL = ms.load_model("kloft_2006_docetaxel")
DOSE = "docetaxel 75 mg/m2 over 1 h q21d x3"
PEOPLE = ms.Population(400, seed=2)


def simulated(conduct=None, **options):
    return ms.simulate(MODEL, DOSE, days=63, population=PEOPLE, conduct=conduct, **options)


def test_doses_are_missed_as_often_as_is_said_and_nobody_needs_a_visit_for_it():
    ds = simulated(Conduct(missed=0.2))
    missed = float((ds["dose_given"] == 0).mean())
    assert abs(missed - 0.2) < 5 * np.sqrt(0.2 * 0.8 / 1200)
    assert "observed" not in ds


def test_doses_scatter_around_the_planned_one():
    given = simulated(Conduct(dose_cv=0.1))["dose_given"].to_numpy()
    assert abs(given.mean() / 75 - 1) < 5 * 0.1 / np.sqrt(given.size)
    np.testing.assert_allclose(given.std() / given.mean(), 0.1, rtol=0.1)


def test_who_leaves_has_no_more_doses_and_visits():
    ds = simulated(Conduct(dropout=0.9), visits="d1 weekly")
    gone = ds["observed"].isnull().all("lineage")
    assert 0.2 < float(gone.isel(visit=-1).mean()) < 0.5  # 1 - 0.1**(63/365.25) = 0.33
    assert bool((gone.astype(int).diff("visit") >= 0).all())  # nobody comes back
    late = ds["dose_given"].to_numpy()[gone.isel(visit=-1).to_numpy()]
    assert (late[:, -1] == 0).mean() > 0.3


def test_what_is_drawn_is_missing_from_the_blood():
    drawn = ms.load_model("cemsidomide", species="mouse", sensitivity=1.0)
    with pytest.warns(ms.MyelosimWarning):
        kept = ms.simulate(drawn, "none", days=14, visits=[0.0, 3.0, 7.0])
    with pytest.warns(ms.MyelosimWarning):
        lost = ms.simulate(drawn, "none", days=14, visits=[0.0, 3.0, 7.0], conduct=Conduct(blood_loss=True))
    fraction = drawn.subjects.draw_volume / (drawn.subjects.blood_volume * drawn.subjects.covariates["weight"])
    hb = [float(ds["count"].sel(lineage="hemoglobin", time=0)[0]) for ds in (kept, lost)]
    assert hb[1] / hb[0] == pytest.approx(1 - fraction, rel=1e-12)


def test_the_same_subject_keeps_to_the_plan_alike_in_any_company():
    conduct = Conduct(missed=0.2, dose_cv=0.1, dropout=0.5)
    few = ms.simulate(MODEL, DOSE, days=63, population=ms.Population(20, seed=2), conduct=conduct)
    np.testing.assert_array_equal(simulated(conduct)["dose_given"][:20], few["dose_given"])
