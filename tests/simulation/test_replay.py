"""What a run gave, given again as fixed, gives the same counts to the last bit: for every shipped rule."""

import warnings

import numpy as np
import pandas as pd
import pytest

import myelosim as ms
from myelosim.population import draw
from myelosim.spec.library import files
from myelosim.spec.rule import Conduct

CYCLES = "cemsidomide {} ug QD d1-21 q28d x3"
RRMM = {"species": "human", "variant": "rrmm", "gcsf": "filgrastim"}
HUMANIZED = {"species": "mouse", "variant": "humanized_crbn", "gcsf": "filgrastim"}
# Doses beyond those in use where it takes them for a small group to meet the rule.
RUNS = {
    "asciminib_label": ("asciminib", {"species": "human", "variant": "cml"}, "asciminib 80 mg QD"),
    "cemsidomide_counts": ("cemsidomide", RRMM, CYCLES.format(100)),
    "cemsidomide_grade1": ("cemsidomide", RRMM, CYCLES.format(100)),
    "cemsidomide_support": ("cemsidomide", RRMM, CYCLES.format(200)),
    "esa": (["cemsidomide", "esa"], {"species": "human", "variant": "rrmm"}, CYCLES.format(100)),
    "gcsf_animal": ("cemsidomide", HUMANIZED, CYCLES.format(100)),
    "gcsf_rescue": ("cemsidomide", RRMM, CYCLES.format(200)),
    "platelet_fall_50": ("cemsidomide", RRMM, CYCLES.format(100)),
    "transfuse_platelets": ("cemsidomide", RRMM, CYCLES.format(200)),
    "transfuse_red_cells": ("cemsidomide", RRMM, CYCLES.format(100)),
    "valemetostat_platelets": ("cemsidomide", RRMM, CYCLES.format(200)),
}
SAME = (
    "count", "nadir", "nadir_day", "observed", "worst_grade", "observed_grade", "days_grade3", "recovery_day", "dose_given",
    "dose_intensity", "gcsf_days", "transfused_units", "concentration",
)  # fmt: skip


def composed_model(name):
    drug, composed, _ = RUNS[name]
    model = ms.load_model(drug, **composed)
    return model.replace({"platelet.baseline": 50.0}) if "platelets" in name else model


def run(name, **options):
    dose = RUNS[name][2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        model = composed_model(name)
        options = {"population": ms.Population(16, seed=2), "rules": name, **options}
        return ms.simulate(model, dose, days=84, visits="d1 weekly", **options)


def alike(first, second, names=SAME):
    for name in names:
        assert first[name].dtype == second[name].dtype
        np.testing.assert_array_equal(first[name].to_numpy(), second[name].to_numpy(), err_msg=name)


def test_every_shipped_set_is_replayed():
    assert sorted(RUNS) == sorted(files("rules"))


@pytest.mark.parametrize("name", sorted(RUNS))
def test_replay_reproduces_every_bit(name):
    once = run(name)
    assert once.sizes["decision"] > 0
    again = run(name, rules=(), interventions=once)
    alike(once, again)
    assert not np.array_equal(run(name, rules=())["count"], once["count"])  # and the rules did change something


@pytest.mark.parametrize("name", ["cemsidomide_grade1", "cemsidomide_support"])
def test_one_subject_alone_agrees(name):
    once = run(name, tolerance=1e-8)
    who = int(once["decision_subject"][0])
    model = composed_model(name)
    values = draw(model, ms.Population(16, seed=2))
    row = pd.DataFrame({key: np.broadcast_to(value, 16)[[who]] for key, value in values.items()})
    alone = run(
        name, rules=(), population=None, tolerance=1e-8, individuals=row, interventions=once.isel(subject=[who])
    )
    np.testing.assert_allclose(alone["count"][0], once["count"][who], rtol=1e-6)
    np.testing.assert_allclose(alone["nadir"][0], once["nadir"][who], rtol=1e-6)


def test_replay_with_missed_doses_and_blood_drawn():
    conduct = Conduct(missed=0.1, dose_cv=0.2, blood_loss=True, turnaround=24.0)
    once = run("cemsidomide_counts", conduct=conduct)
    alike(once, run("cemsidomide_counts", rules=(), interventions=once))
    assert (once["dose_kind"] == "draw").any()


def test_replay_of_an_arm_of_a_comparison():
    drug, composed, dose = RUNS["cemsidomide_counts"]
    scenario = {
        "format": 1, "title": "Held and not", "model": {"drug": drug, **composed}, "days": 84, "visits": "d1 weekly",
        "population": {"size": 16, "seed": 2},
        "arm": [{"name": "fixed", "dose": dose}, {"name": "held", "dose": dose, "rules": ["cemsidomide_counts", "gcsf_rescue"]}],
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        result = ms.compare(scenario)
    for arm in ("fixed", "held"):
        own = result.sel(arm=arm)
        again = run("cemsidomide_counts", rules=(), interventions=own)
        alike(own, again, ("count", "nadir", "observed", "observed_grade"))


def test_an_earlier_result_must_be_of_one_arm_and_have_visits():
    once = run("cemsidomide_counts")
    with pytest.raises(ms.SpecError, match="several arms; pick one"):
        run("cemsidomide_counts", rules=(), interventions=once.expand_dims("arm"))
    with pytest.raises(ms.SpecError, match="has no visit"):
        run("cemsidomide_counts", rules=(), interventions=once.drop_dims("visit"))
