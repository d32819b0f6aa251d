"""Episodes that no visit shows, days below 0.5, dose-limiting toxicity in a result."""

from __future__ import annotations

import numpy as np
import pytest

import myelosim as ms

DOCETAXEL = ms.load_model("friberg_2002_docetaxel")
DOSE = "100 mg/m2 over 1 h q7d x3"


def simulated(**options):
    return ms.simulate(DOCETAXEL, f"docetaxel {DOSE}", days=28, **options)


def test_an_episode_without_a_visit_is_missed_and_with_one_it_is_not():
    single = {"regimen": "docetaxel 100 mg/m2 over 1 h", "days": 28}  # below 1.0 from day 6.40 to day 8.89
    missed = ms.simulate(DOCETAXEL, visits=[0.0, 20.0], **single)
    assert float(missed.missed_episodes[0, 0]) == 1
    assert float(missed.true_onset[0, 0]) == pytest.approx(6.40, abs=0.005)
    seen = ms.simulate(DOCETAXEL, visits=[0.0, 7.6], **single)
    assert (float(seen.missed_episodes[0, 0]), float(seen.caught[0, 0])) == (0, 1)


def test_days_below_half_are_those_of_grade_4_of_neutrophils():
    ds = simulated()
    assert float(ds.days_below_half[0, 0]) == pytest.approx(float(ds.days_grade4[0, 0]), abs=1e-12)
    assert float(ds.days_below_half[0, 0]) > 1


def test_dose_limiting_toxicity_needs_more_than_seven_days_of_grade_4():
    once = simulated(dlt="neutropenia_7d")
    assert float(once.longest_grade4[0, 0]) < 7
    assert float(once.dlt[0]) == 0
    doubled = ms.simulate(DOCETAXEL, "docetaxel 300 mg/m2 over 24 h q7d x3", days=28, dlt="neutropenia_7d")
    assert float(doubled.longest_grade4[0, 0]) > 7
    assert float(doubled.dlt[0]) == 1
    assert doubled.attrs["dlt"] == "neutropenia_7d"


def test_an_unknown_definition_is_refused():
    with pytest.raises(ms.SpecError, match="known: neutropenia_7d, hematologic"):
        simulated(dlt="bad")


def test_who_got_too_little_cannot_be_judged():
    rules = {"off": {"when": "neutrophil < 100", "do": "stop docetaxel"}}
    ds = ms.simulate(DOCETAXEL, "docetaxel 10 mg/m2 over 1 h q7d x4", days=28, visits=[0.0, 7.0], rules=rules)
    assert float(ds.dose_intensity[0]) == 0
    assert np.isnan(float(ds.dlt[0]))
