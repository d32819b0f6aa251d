"""Studies made of a study."""

from __future__ import annotations

import numpy as np
import pandas as pd

import myelosim as ms
from myelosim.data.read import read
from myelosim.data.resample import observed, resampled


def study():
    model = ms.load_model("friberg_2002_paclitaxel")
    rows = [
        {"ID": k, "TIME": t, "AMT": a, "EVID": e, "DV": v, "DVID": "leukocyte", "paclitaxel.cl": 200.0 + k + t}
        for k in (1, 2, 3)
        for t, a, e, v in ((0.0, 400.0 + k, 1, np.nan), (24.0 * k, 0.0, 0, 5.0 + k), (240.0, 0.0, 0, 2.0 + k))
    ]
    return read(pd.DataFrame(rows), model)


def test_subjects_bring_everything_they_have():
    old = study()
    new = resampled(old, [2, 0, 2])
    assert new.subjects == ("3", "1", "3/2") and new.check is None and new.digest == ""
    seen = new.observations
    assert seen.subject.tolist() == [0, 0, 1, 1, 2, 2]
    assert seen.value.tolist() == [8.0, 5.0, 6.0, 3.0, 8.0, 5.0]
    assert seen.time.tolist() == [72.0, 240.0, 24.0, 240.0, 72.0, 240.0]
    assert [own[0].amount for own in new.doses] == [403.0, 401.0, 403.0]
    assert [own.values[0] for own in new.values["paclitaxel.cl"]] == [203.0, 201.0, 203.0]


def test_all_once_is_the_study():
    old = study()
    new = resampled(old, range(3))
    assert new.subjects == old.subjects and new.doses == old.doses
    np.testing.assert_array_equal(new.observations.value, old.observations.value)


def test_other_values_may_have_been_seen():
    old = study()
    new = observed(old, np.arange(6.0), np.array([0, 1, 0, 0, 0, -1]))
    assert new.observations.value.tolist() == [0, 1, 2, 3, 4, 5] and old.observations.value[0] == 6.0
    assert new.observations.censored.tolist() == [0, 1, 0, 0, 0, -1]
