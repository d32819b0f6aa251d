"""Covariances of models whose information is known in closed form, and of published data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import myelosim as ms
from myelosim.errors import SpecError
from myelosim.fitting.covariance import covariance, scaled
from myelosim.fitting.fit import known
from myelosim.fitting.objective import Linearized

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "data"
NAMES = ("mean", "log sd")


class Normal:
    """Subjects with one normal value each; parameters are mean and log sd. U = sum of log v + (y - mean)^2 / v."""

    def __init__(self, y):
        self.y = y

    def value(self, x):
        z = (self.y - x[0]) * np.exp(-x[1])
        return SimpleNamespace(x=x, each=2 * x[1] + z * z, total=float(np.sum(2 * x[1] + z * z)))

    @property
    def best(self):
        return np.array([self.y.mean(), np.log(self.y.std())])


class Exact(Normal):
    def gradient(self, value):
        z = (self.y - value.x[0]) * np.exp(-value.x[1])
        return np.column_stack([-2 * z * np.exp(-value.x[1]), 2 - 2 * z * z])


@pytest.fixture
def skewed():
    return stats.gamma(2.0).ppf((np.arange(200) + 0.5) / 200)


@pytest.mark.parametrize("objective", [Normal, Exact])
def test_r_and_s_are_those_of_a_normal_sample(objective, skewed):
    one = objective(skewed)
    found = covariance(one, one.best, NAMES)
    n, v = len(skewed), skewed.var()
    z = (skewed - skewed.mean()) / np.sqrt(v)
    s = n * np.array([[1 / v, np.mean(z**3) / np.sqrt(v)], [np.mean(z**3) / np.sqrt(v), np.mean(z**4) - 1]])
    np.testing.assert_allclose(found.r, n * np.diag([1 / v, 2]), rtol=2e-4, atol=2e-3)
    np.testing.assert_allclose(found.s, s, rtol=2e-4)
    r = n * np.diag([1 / v, 2])
    np.testing.assert_allclose(found.matrix, np.linalg.inv(r) @ s @ np.linalg.inv(r), rtol=1e-3)
    assert not found.problems


def test_r_and_s_agree_where_the_model_is_right():
    one = Exact(np.random.default_rng(1).normal(3.0, 2.0, 20_000))
    found = covariance(one, one.best, NAMES)
    np.testing.assert_allclose(found.s, found.r, atol=0.05 * found.r.max())


def test_a_prior_is_one_measurement_more(skewed):
    one = Exact(skewed)
    precision = np.array([50.0, 0.0])
    for kind in ("r", "s", "sandwich"):
        with_prior = covariance(one, one.best, NAMES, precision, kind)
        without = covariance(one, one.best, NAMES, kind=kind)
        np.testing.assert_allclose(with_prior.r - without.r, np.diag(precision), atol=1e-3)
        np.testing.assert_allclose(with_prior.s - without.s, np.diag(precision), atol=1e-3)


def test_what_only_a_prior_knows_has_the_priors_error():
    class Silent(Exact):
        def gradient(self, value):
            return super().gradient(value) * [1.0, 0.0]

    one = Silent(np.array([1.0, 2.0, 4.0]))
    for kind in ("r", "s", "sandwich"):
        found = covariance(one, one.best, NAMES, np.array([0.0, 25.0]), kind)
        assert np.sqrt(found.matrix[1, 1]) == pytest.approx(0.2, rel=1e-6)


def test_a_direction_that_nothing_tells_of_is_named():
    class Sum(Exact):
        """Only the sum of two parameters matters."""

        def value(self, x):
            return super().value(np.array([x[0] + x[1], np.log(2.0)]))

        def gradient(self, value):
            return super().gradient(value)[:, [0, 0]]

    found = covariance(Sum(np.array([1.0, 2.0, 4.0, 7.0])), np.array([3.0, 0.5]), ("ka", "kb"))
    assert found.condition == np.inf
    (problem,) = found.problems
    assert "R matrix is not positive definite" in problem and "ka, kb" in problem
    with_zero = np.array([1.0, -1.0]) @ found.matrix @ np.array([1.0, -1.0])
    assert with_zero == pytest.approx(0.0, abs=1e-12)


def test_a_saddle_is_named(skewed):
    class Saddle(Exact):
        def gradient(self, value):
            return super().gradient(value) * [1.0, -1.0]

    one = Saddle(skewed)
    (problem,) = covariance(one, one.best, NAMES).problems
    assert "falls along log sd" in problem


def test_a_kink_is_named(skewed):
    class Kinked(Exact):
        def gradient(self, value):
            kink = np.where(value.x[1] > self.best[1], 0.05, -0.05)
            return super().gradient(value) + np.array([kink, 0.0])

    one = Kinked(skewed)
    assert any("not symmetric in" in problem for problem in covariance(one, one.best, NAMES).problems)


def test_condition_is_that_of_the_correlations(skewed):
    one = Exact(skewed)
    found = covariance(one, one.best, NAMES)
    rho = abs(found.correlation[0, 1])
    assert found.condition == pytest.approx((1 + rho) / (1 - rho))
    np.testing.assert_allclose(np.diag(scaled(found.matrix)[0]), 1.0)


def test_an_unknown_kind_is_refused(skewed):
    with pytest.raises(SpecError, match=r"allowed: sandwich, r, s$"):
        covariance(Exact(skewed), np.zeros(2), NAMES, kind="fisher")
    with pytest.raises(SpecError, match="covariance: 'fisher' is not known"):
        ms.fit(None, None, covariance="fisher")


@pytest.fixture(scope="session")
def paclitaxel():
    path = REFERENCE / "ddmodel186_paclitaxel_wbc.csv"
    if not path.exists():
        pytest.skip("the reference data are not here")
    data = pd.read_csv(path)
    data = data.rename(columns={"CLI": "paclitaxel.cl", "V1I": "paclitaxel.vc", "V2I": "paclitaxel.vp"})
    data["DVID"], data["EVID"] = "leukocyte", data["MDV"].astype(int)
    at = {"leukocyte.baseline": 7.2149, "leukocyte.mtt": 123.27, "leukocyte.gamma": 0.23764,
          "paclitaxel.leukocyte.slope": 28.701}  # fmt: skip
    model = ms.load_model("friberg_2002_paclitaxel").replace({**at, "paclitaxel.q": 204})
    omega = {"leukocyte.baseline": 0.10713, "leukocyte.mtt": 0.030424, "paclitaxel.leukocyte.slope": 0.18256}
    return ms.fit(model, data, omega=omega, sigma={"leukocyte.proportional": 0.28583}, starts=1)


def test_standard_errors_of_the_published_data_are_of_the_size_published(paclitaxel):
    table = paclitaxel.table.set_index(["name", "scale"])
    assert paclitaxel.objective == pytest.approx(1223.057, abs=2e-3)
    assert paclitaxel.converged and not paclitaxel.uncertainty.problems and paclitaxel.uncertainty.condition < 100
    assert table.loc[("leukocyte.baseline", "log"), "rse"] == pytest.approx(5.5, abs=1.0)
    assert table.loc[("leukocyte.mtt", "log"), "rse"] == pytest.approx(4.0, abs=1.5)
    variance, sd = (table.loc[("omega leukocyte.mtt", scale)] for scale in ("variance", "sd"))
    assert variance["rse"] == pytest.approx(2 * sd["rse"], rel=1e-6)
    assert variance["low"] == pytest.approx(sd["low"] ** 2, rel=1e-6)
    assert np.all((table["low"] < table["estimate"]) & (table["estimate"] < table["high"]))


def test_both_ways_of_taking_derivatives_agree(paclitaxel):
    """The Hessian of gradients against that of objectives, through every subject's modes."""
    found = paclitaxel.uncertainty

    class Plain:
        def __init__(self, objective):
            self.value = objective.value

    plain = covariance(Plain(Linearized(paclitaxel.problem, True, paclitaxel.b)), paclitaxel.x, tuple("abcdefgh"))
    _, size = scaled(found.r)
    assert np.max(np.abs(plain.r - found.r) / np.outer(size, size)) < 0.02
    np.testing.assert_allclose(plain.s / np.outer(size, size), found.s / np.outer(size, size), atol=0.02)


def test_without_a_covariance_errors_are_unknown(paclitaxel):
    bare = known(replace(paclitaxel, uncertainty=None), "none")
    assert bare.covariance is None and bare.cov is None
    assert bare.table["se"].isna().all() and bare.table["estimate"].notna().all()
