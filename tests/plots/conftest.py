"""A small comparison, and one by hand."""

import warnings

import numpy as np
import pytest
import xarray as xr

import myelosim as ms

SCENARIO = {
    "format": 1,
    "title": "Two doses",
    "model": "generic_oral_2cmt_friberg",
    "days": 56,
    "visits": "d1 weekly",
    "population": {"size": 40, "seed": 3},
    "recommend": {"draws": [1, 2, 3]},
    "arm": [
        {"name": "none", "dose": "none"},
        {"name": "20 mg", "dose": "drug 20 mg BID d1-14 q28d x2"},
        {"name": "40 mg", "dose": "drug 40 mg BID d1-14 q28d x2"},
    ],
}


@pytest.fixture(scope="session")
def compared():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        return ms.compare(SCENARIO)


@pytest.fixture
def by_hand():
    """Five subjects, one of them lost, two arms, four times, two lineages."""
    count = np.array([2.0, 1.0, 0.99, 0.4, np.nan])[None, :, None, None] * np.ones((2, 1, 2, 4))
    count[0, :4, 0, 0] = [4.0, 4.0, 2.0, 1.0]
    count[:, :, 1] *= 10.0
    nadir = np.where(np.isnan(count).any(axis=3), np.nan, count.min(axis=3))
    coords = {
        "arm": ["a", "b"], "subject": range(5), "lineage": ["neutrophil", "hemoglobin"], "time": [0.0, 1.0, 2.0, 4.0],
        "grade": [1, 2, 3, 4], "units": ("lineage", ["10^9/L", "g/dL"]),
    }  # fmt: skip
    dims = ("arm", "subject", "lineage")
    return xr.Dataset(
        {
            "count": ((*dims, "time"), count),
            "nadir": (dims, nadir),
            "worst_grade": (dims, np.array([[0, 0], [2, 2], [3, 2], [4, 3], [-1, -1]])[None] * np.ones((2, 1, 1))),
            "grade_limit": (("lineage", "grade"), [[2.0, 1.5, 1.0, 0.5], [12.0, 10.0, 8.0, np.nan]]),
            "dose_time": (("arm", "dose"), [[0.0, 0.5, 1.0, 3.0, 4.0], [0.0, 1.0, np.nan, np.nan, np.nan]]),
            "dose_drug": (("arm", "dose"), [["x", "x", "x", "x", "y"], ["y", "y", "", "", ""]]),
            "dose_given": (
                ("arm", "subject", "dose"),
                np.array([[1.0, 1.0, 1.0, 1.0, 0.0]] * 3 + [[1.0, 1.0, 1.0, 0.0, 0.0]] + [[np.nan] * 5])[None]
                * np.ones((2, 1, 1)),
            ),
        },
        coords,
        {"grading": "ctcae_v5", "title": "By hand"},
    )
