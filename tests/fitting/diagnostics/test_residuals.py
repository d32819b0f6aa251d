"""Residuals of a model that is linear in its etas, where the linearization is exact."""

import numpy as np
import pytest
from scipy import stats

from myelosim.data.study import ABOVE, BELOW
from myelosim.errors import SpecError
from myelosim.fitting.diagnostics import conditional_residuals


def residuals(linear, y, etas=None, **more):
    etas = np.zeros((linear.subjects, 2)) if etas is None else etas
    f = linear.population + np.einsum("re,re->r", linear.jacobian, etas[linear.subject])
    variance = np.full(len(y), linear.noise**2)
    return conditional_residuals(y, f, linear.jacobian, variance, etas, linear.omega, linear.subject, **more)


def test_cwres_do_not_depend_on_where_a_linear_model_is_linearized(linear):
    chance = np.random.default_rng(1)
    y = linear.draw(chance)
    here = residuals(linear, y)
    there = residuals(linear, y, chance.normal(size=(linear.subjects, 2)))
    np.testing.assert_allclose(there[["cpred", "cres", "cwres"]], here[["cpred", "cres", "cwres"]], atol=1e-12)
    assert not np.allclose(there["iwres"], here["iwres"])
    np.testing.assert_allclose(here["iwres"], (y - linear.population) / linear.noise)


def test_their_squares_sum_to_the_exponent_of_the_marginal_density(linear):
    y = linear.draw(np.random.default_rng(2))
    squares = (residuals(linear, y)["cwres"] ** 2).groupby(linear.subject).sum()
    marginal = stats.multivariate_normal(linear.population[:5], linear.covariance)
    normalization = np.linalg.slogdet(2.0 * np.pi * linear.covariance)[1]
    np.testing.assert_allclose(-0.5 * (squares + normalization), marginal.logpdf(y.reshape(-1, 5)))


def test_cwres_are_standard_normal_and_uncorrelated(linear):
    chance = np.random.default_rng(3)
    drawn = np.concatenate([residuals(linear, linear.draw(chance))["cwres"] for _ in range(100)])
    assert stats.kstest(drawn, "norm").pvalue > 0.001
    correlation = np.corrcoef(drawn.reshape(-1, 5), rowvar=False)
    assert np.abs(correlation - np.eye(5)).max() < 4.0 / np.sqrt(len(drawn) / 5)


def test_cwres_follow_their_rows_in_any_order(linear):
    y = linear.draw(np.random.default_rng(4))
    order = np.random.default_rng(5).permutation(len(y))
    mixed = conditional_residuals(
        y[order], linear.population[order], linear.jacobian[order], np.full(len(y), linear.noise**2),
        np.zeros((linear.subjects, 2)), linear.omega, linear.subject[order],
    )  # fmt: skip
    np.testing.assert_allclose(mixed["cwres"], residuals(linear, y)["cwres"].to_numpy()[order])


def test_censored_and_missing_rows_are_as_if_they_were_not_there(linear):
    y = linear.draw(np.random.default_rng(6))
    censored = np.zeros(len(y), int)
    censored[[1, 12]], y[7] = (BELOW, ABOVE), np.nan
    found = residuals(linear, y, censored=censored)
    left = np.delete(np.arange(len(y)), [1, 7, 12])
    fewer = conditional_residuals(
        y[left], linear.population[left], linear.jacobian[left], np.full(len(left), linear.noise**2),
        np.zeros((linear.subjects, 2)), linear.omega, linear.subject[left],
    )  # fmt: skip
    assert found.loc[[1, 7, 12], ["cres", "cwres", "ires", "iwres"]].isna().all(axis=None)
    np.testing.assert_allclose(found["cwres"].to_numpy()[left], fewer["cwres"])


def test_without_etas_they_are_the_individual_ones():
    y, f, variance = np.array([1.0, 2.0]), np.array([0.0, 4.0]), np.array([4.0, 1.0])
    found = conditional_residuals(
        y, f, np.empty((2, 0)), variance, np.empty((1, 0)), np.empty((0, 0)), np.array([0, 0])
    )
    assert found["cwres"].tolist() == found["iwres"].tolist() == [0.5, -2.0]


def test_a_residual_error_without_variance_is_refused(linear):
    one = np.ones((2, 1))
    with pytest.raises(SpecError, match=r"variance is 0 at observation 1 \(1 in all\).*additive"):
        conditional_residuals([1.0, 2.0], [1.0, 2.0], one, [1.0, 0.0], [[0.0]], [[1.0]], np.array([0, 0]))
