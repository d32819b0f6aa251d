"""What is reported of estimates: natural values, and errors carried over by the delta method."""

from __future__ import annotations

import numpy as np
import pytest

from myelosim.fitting.point import Parameters, Point
from myelosim.fitting.quantities import natural, quantities, standard_errors, table, wald
from myelosim.spec.estimation import Estimation, Omega, Sigma, Theta
from myelosim.spec.model import Residual

OMEGA = np.array([[0.2, 0.06], [0.06, 0.1]])


@pytest.fixture
def parameters():
    thetas = (
        Theta("neutrophil.mtt", 100.0, "h", "log", 50.0, 200.0),
        Theta("drug.f", 0.7, "1", "logit", 0.1, 0.9),
    )
    omega = Omega(("neutrophil.baseline", "neutrophil.mtt"), OMEGA, np.ones((2, 2), bool))
    none = Omega((), np.zeros((0, 0)), np.zeros((0, 0), bool))
    sigmas = (Sigma("neutrophil.additive", 0.3, "log"), Sigma("neutrophil.proportional", 0.1, "log", free=False))
    residual = {"neutrophil": Residual("combined", {"additive": 0.3, "proportional": 0.1})}
    return Parameters(Estimation(thetas, omega, none, sigmas, residual))


@pytest.fixture
def listed(parameters):
    return quantities(parameters, {"neutrophil": "10^9/L"})


def test_everything_estimated_is_reported_once_on_each_scale(parameters, listed):
    values = natural(listed, parameters, parameters.pack(parameters.start))
    found = {(one.name, one.scale): value for one, value in zip(listed, values, strict=True)}
    expected = {
        ("neutrophil.mtt", "log"): 100.0, ("drug.f", "logit"): 0.7,
        ("omega neutrophil.baseline", "variance"): 0.2, ("omega neutrophil.baseline", "sd"): np.sqrt(0.2),
        ("omega neutrophil.mtt", "variance"): 0.1, ("omega neutrophil.mtt", "sd"): np.sqrt(0.1),
        ("omega neutrophil.mtt, neutrophil.baseline", "covariance"): 0.06,
        ("omega neutrophil.mtt, neutrophil.baseline", "correlation"): 0.06 / np.sqrt(0.02),
        ("neutrophil.additive", "log"): 0.3,
    }  # fmt: skip
    assert found == pytest.approx(expected)
    assert [one.unit for one in listed][-1] == "10^9/L"


def test_the_delta_method_agrees_with_many_draws(parameters, listed):
    x = parameters.pack(parameters.start)
    rng = np.random.default_rng(1)
    half = rng.normal(size=(len(x), len(x))) * 0.01
    covariance = half @ half.T
    draws = rng.multivariate_normal(x, covariance, 20_000)
    values = np.array([natural(listed, parameters, one) for one in draws])
    se, _ = standard_errors(listed, parameters, x, covariance)
    np.testing.assert_allclose(se, values.std(axis=0), rtol=0.03)


def test_intervals_stay_where_values_can_be(parameters, listed):
    x = parameters.pack(parameters.start)
    frame = table(listed, parameters, x, np.eye(len(x)) * 4.0, 0.9).set_index("scale")
    assert frame.loc["logit", "high"] < 1.0 and frame.loc["correlation", "high"] < 1.0
    assert (frame.loc[["log", "variance", "sd"], "low"] > 0.0).all()


def test_an_interval_of_a_logarithm_is_symmetric_there():
    low, high = wald(np.array([100.0]), np.array([0.1]), ["log"], 0.95)
    assert np.log(high[0] / 100.0) == pytest.approx(0.1959964) == np.log(100.0 / low[0])


def test_only_what_is_one_entry_of_the_vector_has_a_place(listed, parameters):
    names = parameters.names
    for one in listed:
        if one.entry is not None:
            assert names[one.entry] == one.name
    placed = {one.name for one in listed if one.entry is not None}
    assert placed == {"neutrophil.mtt", "drug.f", "omega neutrophil.baseline", "neutrophil.additive"}


def test_a_point_is_only_read(listed):
    point = Point(np.array([1.0, 0.0]), OMEGA, np.zeros((0, 0)), np.array([0.3, 0.1]))
    assert listed[0].value(point) == pytest.approx(np.e) and listed[1].value(point) == 0.5
