"""Scatter about predictions against samples, differences, and what components say their observations tell."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from myelosim.components.contract import Values
from myelosim.components.residuals import KINDS
from myelosim.information.scatter import retained, scatter
from myelosim.random import normals
from myelosim.spec.model import Residual

SMALL = {
    "proportional": {"proportional": 0.02}, "additive": {"additive": 0.03},
    "combined": {"additive": 0.02, "proportional": 0.01}, "log_normal": {"log_sd": 0.02},
    "box_cox": {"sd": 0.02, "exponent": 0.2}, "counting": {"cells": 40_000.0, "fraction": 0.4, "proportional": 0.02},
    "student": {"proportional": 0.01, "additive": 0.02, "df": 5.0},
}  # fmt: skip
F = np.array([0.3, 1.7, 6.0])
SETTINGS = ("df", "exponent", "cells", "fraction")


def terms(kind):
    return tuple(name for name in SMALL[kind] if name not in SETTINGS)


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_variance_is_that_of_samples(kind):
    module, p = KINDS[kind], Values(**SMALL[kind])
    z = normals(1, "noise", 40_000, 3, kind)
    seen = module.sample(np.broadcast_to(F, z.shape), z, p)
    found = scatter(Residual(kind, SMALL[kind]), terms(kind), F).variance
    if kind == "student":
        df = p.df  # samples vary by df/(df - 2), and tell (df + 1)/(df + 3) of what their scale would
        found = found * (df + 1) / (df + 3) * df / (df - 2)
    np.testing.assert_allclose(seen.var(axis=0), found, rtol=0.06 if kind == "student" else 0.03)


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_it_tells_what_the_component_says(kind):
    found = scatter(Residual(kind, SMALL[kind]), terms(kind), F)
    told = 1 / found.variance + 0.5 * (found.by_prediction / found.variance) ** 2
    np.testing.assert_allclose(
        told, KINDS[kind].information(F, Values(**SMALL[kind])), rtol=1e-3 if kind == "counting" else 1e-9
    )


@pytest.mark.parametrize("kind", sorted(SMALL))
def test_derivatives_by_terms(kind):
    base, sizes = SMALL[kind], np.sqrt(5.0 / 8.0) if kind == "student" else 1.0
    found = scatter(Residual(kind, base), terms(kind), F)
    for k, name in enumerate(terms(kind)):
        up, down = (
            scatter(Residual(kind, {**base, name: np.sqrt(base[name] ** 2 * (1 + h))}), (), F).variance
            for h in (1e-4, -1e-4)
        )
        slope = sizes * (up - down) / (2e-4 * base[name] ** 2)
        np.testing.assert_allclose(found.by_term[:, k], slope, rtol=1e-3 if kind == "counting" else 1e-6)


@pytest.mark.parametrize("kind", ["proportional", "additive", "combined", "student"])
def test_derivatives_by_predictions(kind):
    residual, sizes = Residual(kind, SMALL[kind]), np.sqrt(5.0 / 8.0) if kind == "student" else 1.0
    found = scatter(residual, (), F)
    h = 1e-5
    slope = (scatter(residual, (), F + h).variance - scatter(residual, (), F - h).variance) / (2 * h)
    np.testing.assert_allclose(found.by_prediction, sizes * slope, rtol=1e-6, atol=1e-12)
    np.testing.assert_allclose(found.bend, 0.0, atol=1e-6)


@pytest.mark.parametrize("kind, power", [("log_normal", -1.0), ("box_cox", -0.8)])
def test_a_transformed_scale_bends(kind, power):
    """The slope of log f is 1/f, that of f^0.2/0.2 is f^-0.8; the scatter on them is constant."""
    found = scatter(Residual(kind, SMALL[kind]), (), F)
    np.testing.assert_allclose(found.bend, power / F, rtol=1e-6)
    np.testing.assert_allclose(found.by_prediction, 0.0, atol=1e-12)


def told_by_quadrature(f, sd, limit):
    """Return what a normal observation known only to be under a limit, if it is, tells of mean and log sd, over what it would."""
    z = (limit - f) / sd
    mean = quad(lambda t: t * t * norm.pdf(t), z, np.inf)[0] + norm.pdf(z) ** 2 / norm.cdf(z)
    size = quad(lambda t: (t * t - 1) ** 2 * norm.pdf(t), z, np.inf)[0] + (z * norm.pdf(z)) ** 2 / norm.cdf(z)
    return mean, size / 2


@pytest.mark.parametrize("limit", [0.2, 0.9, 1.0, 1.2, 1.7])
def test_what_a_limit_leaves(limit):
    found = retained(Residual("additive", {"additive": 0.25}), [1.0], [0.0], limit)
    np.testing.assert_allclose(np.ravel(found), told_by_quadrature(1.0, 0.25, limit), rtol=1e-7)


def test_what_a_limit_leaves_of_a_population():
    """Against 200,000 subjects whose predictions are log-normal."""
    residual = Residual("proportional", {"proportional": 0.3})
    f = np.exp(0.8 * normals(3, "eta", 200_000, 1, "subjects")[:, 0])
    z = (0.5 - f) / (0.3 * f)
    of_mean = norm.cdf(-z) + z * norm.pdf(z) + np.exp(2 * norm.logpdf(z) - norm.logcdf(z))
    found = retained(residual, [1.0], [0.8], 0.5)
    assert found[0][0] == pytest.approx(of_mean.mean(), abs=0.005)
    left_out = retained(residual, [1.0], [0.8], 0.5, counted=False)
    assert left_out[0][0] == pytest.approx(norm.cdf(-z).mean(), abs=0.01)
    assert left_out[0][0] < found[0][0]


def test_far_from_the_limit_all_or_nothing_is_left():
    residual = Residual("proportional", {"proportional": 0.2})
    np.testing.assert_allclose(np.ravel(retained(residual, [100.0], [0.1], 0.1)), 1.0, rtol=1e-4)
    np.testing.assert_allclose(np.ravel(retained(residual, [1e-3], [0.1], 1.0)), 0.0, atol=1e-9)
