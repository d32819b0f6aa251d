"""Observations beside their predictions."""

from dataclasses import replace

import numpy as np
import pytest

from myelosim.data.study import Observations, Study
from myelosim.errors import SpecError
from myelosim.fitting.diagnostics import dose_table, fit_table
from myelosim.spec.regimen import DoseEvent


@pytest.fixture
def study():
    seen = Observations(
        row=np.array([4, 2, 9]), subject=np.array([0, 1, 1]), time=np.array([0.0, 0.0, 72.0]),
        observable=np.array(["neutrophil", "neutrophil", "drug"]), value=np.array([3.0, 0.1, 8.0]),
        censored=np.array([0, 1, 0]), after=np.ones(3, bool), occasion=np.zeros(3, int),
    )  # fmt: skip
    return Study(("rat 7", "rat 2"), seen, ((), ()))


def test_a_row_an_observation(study):
    found = fit_table(study, np.array([2.9, 0.2, 7.0]), np.array([3.5, 0.3, 6.0]), cwres=np.array([0.1, np.nan, 1.0]))
    assert found["subject"].tolist() == ["rat 7", "rat 2", "rat 2"]
    assert found.loc[2, ["row", "observable", "value", "individual", "population", "cwres"]].tolist() == [
        9,
        "drug",
        8.0,
        7.0,
        6.0,
        1.0,
    ]


def test_an_array_that_does_not_belong_is_refused(study):
    with pytest.raises(SpecError, match="cwres has 2 values for 3 observations"):
        fit_table(study, np.zeros(3), np.zeros(3), cwres=np.zeros(2))


def test_doses_are_listed_one_by_one_until_the_last_observation(study):
    endless = DoseEvent("drug", 0.0, 1.0, interval=24.0, count=None)
    later = DoseEvent("drug", 12.0, 1.0, interval=12.0, count=2)
    blood = DoseEvent("neutrophil", 0.0, 0.1, kind="draw")
    found = dose_table(replace(study, doses=((endless, blood), (later, DoseEvent("other", 100.0, 1.0)))))
    assert found[found["subject"] == "rat 7"]["time"].tolist() == [0.0, 24.0, 48.0, 72.0]
    assert found[found["subject"] == "rat 2"][["time", "drug"]].to_numpy().tolist() == [
        [12.0, "drug"],
        [24.0, "drug"],
        [100.0, "other"],
    ]
