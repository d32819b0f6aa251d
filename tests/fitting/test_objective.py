"""Objectives: published values, closed forms, and gradients against differences."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fitting_cases import everything, measured

import myelosim as ms
from myelosim.fitting import modes
from myelosim.fitting.fo import FirstOrder
from myelosim.fitting.objective import Linearized
from myelosim.spec.model import Residual

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "data"
STEP = 8e-3


def without_limits(make):
    """Return the problem with its censored values taken as measured."""
    problem = make()
    problem.study.observations.censored[:] = 0
    return type(problem)(problem.model, problem.study, problem.estimation, problem.tolerance, problem.threads)


CASES = {
    "focei everything": (Linearized, everything), "focei measured": (Linearized, measured),
    "foce everything": (partial(Linearized, interaction=False), everything),
    "foce measured": (partial(Linearized, interaction=False), measured),
    "fo everything": (FirstOrder, partial(without_limits, everything)), "fo measured": (FirstOrder, measured),
}  # fmt: skip


def differences(value, x, k, size):
    """Return a derivative by Richardson's extrapolation of two central differences."""
    unit = size * np.eye(len(x))[k]
    coarse, fine = ((value(x + h * unit) - value(x - h * unit)) / (2 * h) for h in (STEP, STEP / 2))
    return (4 * fine - coarse) / 3 / size


@pytest.mark.parametrize("case", CASES)
def test_the_gradient_is_that_of_the_objective(case, monkeypatch):
    """The modes are found to the last digit for it: what they are off by, differences magnify."""
    monkeypatch.setattr(modes, "ENOUGH", 1e-18)
    method, make = CASES[case]
    problem = make()
    x = problem.parameters.pack(problem.parameters.start)
    size = np.where([name == "neutrophil.mtt.age" for name in problem.parameters.names], 0.02, 1.0)  # by year
    x = x + 0.05 * size * np.random.default_rng(4).standard_normal(len(x))
    objective = method(problem)
    value = objective.value(x)
    assert np.isfinite(value.total)
    objective.accept(value)
    each = objective.gradient(value)
    objective.accept(value)
    known = np.stack([differences(lambda x: objective.value(x).each, x, k, size[k]) for k in range(len(x))], axis=1)
    total, _ = objective.slope(value)
    np.testing.assert_allclose(each, known, rtol=0, atol=1e-6 * np.max(np.abs(known)))
    prior = [
        differences(lambda x: problem.prior(problem.parameters.unpack(x))[0], x, k, size[k]) for k in range(len(x))
    ]
    np.testing.assert_allclose(total, known.sum(axis=0) + prior, rtol=0, atol=2e-6 * np.max(np.abs(known)))
    assert np.all(np.any(np.abs(known) > 1e-3, axis=0)), problem.parameters.names


def test_a_value_keeps_its_modes_when_others_are_computed():
    problem = everything()
    x = problem.parameters.pack(problem.parameters.start)
    objective = Linearized(problem)
    value = objective.value(x)
    objective.accept(value)
    b = value.modes.b.copy()
    assert np.max(np.abs(objective.value(x + 0.2).modes.b - b)) > 1e-3
    np.testing.assert_array_equal(value.modes.b, b)


WANG = {"fo": 39.213, "foce": 39.207, "focei": 39.458, "laplace": 39.227}


@pytest.mark.parametrize("method", WANG)
def test_wang_2007(method):
    path = REFERENCE / "wang2007.csv"
    if not path.exists():
        pytest.skip("the reference data are not here")
    seen = pd.read_csv(path).rename(columns={"Time": "TIME", "Y": "DV"}).assign(EVID=0, AMT=0.0)
    doses = pd.DataFrame({"ID": seen["ID"].unique(), "TIME": 0.0, "AMT": 10.0, "EVID": 1})
    data = pd.concat([doses, seen]).sort_values(["ID", "TIME"], kind="stable").assign(DVID="drug")
    model = ms.load_model("generic_iv_1cmt").replace({"drug.vc": 1.0, "drug.cl": 0.5})
    fit = ms.fit(
        model, data, method=method, omega={"drug.cl": 0.04}, sigma={"drug.proportional": 0.1**0.5}, evaluate_only=True
    )
    assert fit.objective == pytest.approx(WANG[method], abs=2e-3)
    assert fit.b.shape == (10, 1) and np.all(fit.b != 0)


@pytest.fixture(scope="module")
def linear():
    """Logarithms of concentrations that fall at a rate with an additive eta; rows, and -2 log L by the normal density."""
    hours, rng = np.array([0.0, 0.5, 1.0, 2.0, 3.0]), np.random.default_rng(7)
    rate, spread, error, rows, total = 0.5, 0.12, 0.2, [], 0.0
    covariance = spread**2 * np.outer(hours, hours) + error**2 * np.eye(len(hours))
    for i in range(8):
        y = np.log(10.0) - (rate + spread * rng.standard_normal()) * hours + error * rng.standard_normal(len(hours))
        rows += [{"ID": i, "TIME": 0.0, "AMT": 10.0, "EVID": 1}]
        rows += [
            {"ID": i, "TIME": h, "AMT": 0.0, "EVID": 0, "DV": np.exp(one)} for h, one in zip(hours, y, strict=True)
        ]
        off = y - np.log(10.0) + rate * hours
        total += np.linalg.slogdet(covariance)[1] + off @ np.linalg.solve(covariance, off) + 2 * y.sum()
    return pd.DataFrame(rows).assign(DVID="drug"), total


@pytest.mark.parametrize("method", WANG)
def test_every_method_is_exact_where_the_model_is_linear(linear, method):
    data, known = linear
    model = ms.load_model("generic_iv_1cmt").replace({"drug.cl": {"value": 0.5, "scale": "identity"}})
    fit = ms.fit(
        model,
        data,
        method=method,
        omega={"drug.cl": 0.12**2},
        sigma={"drug.log_sd": 0.2},
        evaluate_only=True,
        tolerance=1e-10,
    )
    assert fit.objective == pytest.approx(known, abs=1e-6)


def test_fo_finds_the_optimum_of_a_linear_model(linear):
    """There it is the maximum of the exact likelihood, and so is that of FOCE-I."""
    model = ms.load_model("generic_iv_1cmt").replace({"drug.cl": {"value": 0.6, "scale": "identity"}})
    both = [
        ms.fit(
            model,
            linear[0],
            method=method,
            free=["drug.cl"],
            omega={"drug.cl": 0.03},
            sigma={"drug.log_sd": 0.3},
            starts=1,
        )
        for method in ("fo", "focei")
    ]
    assert both[0].converged
    assert both[0].objective == pytest.approx(both[1].objective, abs=1e-6)
    np.testing.assert_allclose(both[0].x, both[1].x, atol=2e-3)
    np.testing.assert_allclose(both[0].covariance, both[1].covariance, rtol=1e-2, atol=1e-6)


def test_fo_refuses_what_it_has_no_place_for():
    problem = everything()
    with pytest.raises(ms.SpecError, match=r"8 values beyond a limit.*blq m1"):
        FirstOrder(problem)
    residual = {
        **problem.estimation.residual,
        "drug": Residual("student", {"proportional": 0.2, "additive": 0.1, "df": 5.0}),
    }
    tailed = replace(problem, estimation=replace(problem.estimation, residual=residual, blq="m1"))
    with pytest.raises(ms.SpecError, match=r"those of drug are student; choose one of proportional"):
        FirstOrder(tailed)
