"""Fits without random effects: ordinary maximum likelihood."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import myelosim as ms


@pytest.mark.parametrize("method", ["fo", "foce", "focei"])
def test_without_etas_log_normal_errors_are_least_squares(method):
    rng, hours = np.random.default_rng(1), np.array([1.0, 2.0, 4.0, 8.0, 12.0])
    seen = 2.0 * np.exp(-0.1 * hours + 0.1 * rng.normal(size=(4, 5)))
    rows = [
        (i, t, amount, y)
        for i in range(4)
        for t, amount, y in [(0.0, 100, "."), *zip(hours, ["."] * 5, seen[i], strict=True)]
    ]
    model = ms.load_model("generic_iv_1cmt")
    data = pd.DataFrame(rows, columns=["ID", "TIME", "AMT", "DV"])
    found = ms.fit(model, data, method, omega={}, sigma={"drug.log_sd": 0.2}, starts=1)
    slope, level = np.polyfit(np.tile(hours, 4), np.log(seen).ravel(), 1)
    left = np.log(seen) - (level + slope * hours)
    assert found.theta["drug.vc"] == pytest.approx(100 / np.exp(level), rel=1e-4)
    assert found.theta["drug.cl"] == pytest.approx(-slope * 100 / np.exp(level), rel=1e-4)
    assert found.sigma["drug.log_sd"] == pytest.approx(np.sqrt(np.mean(left**2)), rel=1e-4)
    expected = 20 * (1 + np.log(np.mean(left**2))) + 2 * np.log(seen).sum()
    assert found.objective == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(("what", "said"), [({"starts": 0}, "starts = 0"), ({"seed": -1}, "seed = -1")])
def test_what_cannot_be_a_number_of_starts_or_a_seed_is_refused(what, said):
    data = pd.DataFrame([(1, 0, 100, "."), (1, 1, ".", 1.9)], columns=["ID", "TIME", "AMT", "DV"])
    with pytest.raises(ms.SpecError, match=said):
        ms.fit(ms.load_model("generic_iv_1cmt"), data, omega={}, sigma={"drug.log_sd": 0.2}, **what)


def test_a_few_subjects_scatter_is_no_covariance():
    rows = [
        (1, 0, 100, "."),
        *((1, t, ".", 2 * np.exp(-0.1 * t) * k) for t, k in ((1, 1.1), (2, 0.9), (4, 1.05), (8, 0.95))),
    ]
    data = pd.DataFrame(rows, columns=["ID", "TIME", "AMT", "DV"])
    found = ms.fit(ms.load_model("generic_iv_1cmt"), data, omega={}, sigma={"drug.log_sd": 0.2}, starts=1)
    assert found.uncertainty.kind == "r"
    assert found.table.set_index("name").loc["drug.vc", "rse"] > 1.0
