"""What a comparison says of the rules of its arms."""

import warnings

import numpy as np
import pytest

import myelosim as ms

MOUSE = {
    "format": 1, "title": "Rescued mice", "days": 28, "visits": [0, 7, 14, 21], "population": {"size": 16, "seed": 2},
    "model": {"drug": "cemsidomide", "species": "mouse", "variant": "humanized_crbn", "gcsf": "filgrastim"},
    "arm": [
        {"name": "no drug", "dose": "none"},
        {"name": "rescued", "dose": "cemsidomide 100 ug QD d1-14", "rules": ["gcsf_animal"]},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def mice():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        return ms.compare(MOUSE)


def test_warnings_of_rules_stand_in_the_result(mice):
    said = mice.attrs["warnings"].splitlines()
    assert any(line.startswith("gcsf_animal: daily counts") for line in said)
    assert sum("6 to 12 times below the human dose" in line for line in said) == 1  # the drug's file says it too


def test_blood_drawn_at_visits_that_rules_add_is_counted(mice):
    own = mice.sel(arm="rescued")["observed"].notnull().any("lineage")
    visits = own.sum("visit").to_numpy()
    assert visits.max() > len(MOUSE["visits"])
    said = [line for line in mice.attrs["warnings"].splitlines() if "the visits that rules add" in line]
    assert said and all(line.startswith("rescued: ") and f"of subject {visits.argmax()}:" in line for line in said)


def test_a_rule_acts_in_its_own_arm_only_and_subjects_are_shared(held):
    assert set(held["decision_arm"].to_numpy().tolist()) == {"held"}
    who = sorted(set(range(12)) - set(held["decision_subject"].to_numpy().tolist()))
    same = held["count"].isel(subject=who)
    np.testing.assert_array_equal(same.sel(arm="fixed"), same.sel(arm="held"))
    assert (held["dose_intensity"].sel(arm="held") < 1).any() and (held["dose_intensity"].sel(arm="fixed") == 1).all()


def test_days_on_hold_are_those_of_the_log(held):
    from myelosim.history import history

    for subject in range(12):
        spans = history(held, subject, "held").holds()
        assert float(held["hold_days"].sel(arm="held", subject=subject)) == pytest.approx(
            sum(b - a for _, a, b in spans)
        )
