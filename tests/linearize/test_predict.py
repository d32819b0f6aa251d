"""Predictions and their derivatives, against complex steps of a reference and against differences of the predictions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.engine.cohort_oracle import Course, Dose
from tests.fitting.fitting_cases import BENCH, LATER, everything, measured, study

from myelosim.linearize import Predictor
from myelosim.spec.estimate import estimation

WEIGHT = [[70.0, 61.0], [55.0, 66.0], [81.0, 88.0]]
AGE = [[40.0, 41.0], [61.0, 61.0], [50.0, 52.0]]
SEX = [["f", "f"], ["m", "m"], ["f", "m"]]
EPS = 1e-20


def asked(model=BENCH, occasions=True, **more):
    data = study(["neutrophil", "drug"], 3, occasions=occasions, covariates={"weight": WEIGHT, "age": AGE, "sex": SEX})
    about = {**model.subjects.covariates, "age": 50.0, "sex": "f"}
    model = replace(model, subjects=replace(model.subjects, covariates=about)).replace(
        {"neutrophil.gamma": {"value": 0.17, "scale": "identity"}}
    )
    started, wanted = estimation(model, data.observables, **more)
    return Predictor(started, data, wanted, tolerance=1e-11, threads=1)


@pytest.fixture(scope="module")
def mixed():
    """Covariates that change within a subject, occasions, parameters on three scales, lag and bioavailability."""
    names = ("neutrophil.baseline", "neutrophil.mtt", "neutrophil.gamma", "drug.neutrophil.slope", "drug.cl", "drug.vc",
             "drug.ka", "drug.tlag", "drug.f")  # fmt: skip
    return asked(
        free=names, omega={"neutrophil.baseline": 0.1, "neutrophil.gamma": 4e-4, "drug.cl": 0.06, "drug.tlag": 0.1,
                           "drug.f": 0.2},
        iov={"drug.cl": 0.04, "drug.neutrophil.slope": 0.08},
        covariates={"drug.cl": {"weight": {"form": "power", "reference": 70.0, "start": 0.75}},
                    "neutrophil.mtt": {"age": {"form": "linear", "reference": 50.0, "start": 0.004}},
                    "neutrophil.baseline": {"sex": {"form": "category", "reference": "f", "start": {"m": 0.9}}}},
        sigma={"neutrophil.proportional": 0.15, "drug.proportional": 0.2},
    )  # fmt: skip


def reference(predictor, i, beta, b):
    """Return a subject's predictions as textbooks write them; effects and parameters may be complex."""
    data = predictor.study
    baseline, mtt, gamma, slope, cl, vc, ka, tlag, f, on_cl, on_mtt, on_baseline = beta
    own, twice = b[:5], i % 3 > 0  # the first subject has one occasion
    at_closed = i % 2
    starts = [0.0, LATER, LATER] if twice and at_closed else [0.0, LATER]
    closed = [False, False, True] if twice and at_closed else [False, bool(at_closed)]
    occasion = ([0, 1, 1] if at_closed else [0, 1]) if twice else [0, 0]
    about = [0, 0, 1] if twice and at_closed else [0, 1]
    periods = []
    for o, k in zip(occasion, about, strict=True):
        kappa = b[5 + 2 * o : 7 + 2 * o]
        periods.append({
            "baseline": np.exp(baseline + own[0]) * (np.exp(on_baseline) if SEX[i][k] == "m" else 1.0),
            "mtt": np.exp(mtt) * (1 + on_mtt * (AGE[i][k] - 50.0)), "gamma": gamma + own[1],
            "slope": np.exp(slope + kappa[1]), "cl": np.exp(cl + own[2] + kappa[0]) * (WEIGHT[i][k] / 70.0) ** on_cl,
            "vc": np.exp(vc), "q": 4.0, "vp": 50.0, "ka": np.exp(ka), "tlag": np.exp(tlag + own[3]),
            "f": 1 / (1 + np.exp(-f - own[4])),
        })  # fmt: skip
    doses = [Dose(e.time, e.amount) for e in data.doses[i]]
    rows = np.flatnonzero(data.observations.subject == i)
    hours = data.observations.time[rows]
    order = np.argsort(hours, kind="stable")
    found = Course("two", periods, tuple(starts), tuple(closed)).solve(
        doses, [(h, True) for h in hours[order]], rtol=1e-11
    )
    out = np.empty(len(rows), complex)
    out[order] = np.where(data.observations.observable[rows][order] == "drug", found[1], found[0])
    return rows, out


def slopes(predictor, i, beta, b, count=None):
    """Return the derivatives by the first so many effects, fixed ones before random ones, (row, effect), by complex steps."""
    columns = []
    for k in range(count or len(beta) + len(b)):
        move = 1j * EPS * np.eye(len(beta) + len(b))[k]
        columns.append(reference(predictor, i, beta + move[: len(beta)], b + move[len(beta) :])[1].imag / EPS)
    return np.stack(columns, axis=1)


def point(predictor, seed=3):
    rng, mix = np.random.default_rng(seed), predictor.mixed
    return mix.start.copy(), 0.15 * rng.standard_normal((len(predictor.study.subjects), mix.random)) * np.where(
        np.array(mix.random_names) == "neutrophil.gamma", 0.1, 1.0
    )


@pytest.mark.parametrize("i", [0, 1])
def test_predictions_and_derivatives_are_those_of_the_equations(mixed, i):
    assert [t.name for t in mixed.mixed.estimation.thetas][9:] == [
        "drug.cl.weight", "neutrophil.mtt.age", "neutrophil.baseline.sex.m"]  # fmt: skip
    beta, b = point(mixed)
    rows, known = reference(mixed, i, beta, b[i])
    found = mixed.differentiate(beta, b, order=2)
    np.testing.assert_allclose(mixed.predict(beta, b)[rows], known.real, rtol=1e-8)
    np.testing.assert_allclose(found.f[rows], known.real, rtol=1e-8)
    X, Z = mixed.mixed.design(beta)[0][i], mixed.mixed.Z
    first = found.g[rows] @ np.hstack([X, Z])
    true = slopes(mixed, i, beta, b[i])
    size = np.max(np.abs(true), axis=0) + 1e-12
    np.testing.assert_allclose(first / size, true / size, rtol=0, atol=1e-6)
    moved = [k for k in range(true.shape[1]) if k != 11 or i == 1]
    assert np.all(np.any(true[:, moved][:, : len(beta)], axis=0))


def test_second_derivatives_are_those_of_the_equations(mixed):
    """They are compared with differences of complex steps, along a direction in which all random effects move."""
    i, (beta, b) = 1, point(mixed)
    along = np.random.default_rng(6).uniform(0.5, 1.0, b.shape[1]) * np.where(
        np.array(mixed.mixed.random_names) == "neutrophil.gamma", 0.1, 1.0
    )
    rows, predicted = reference(mixed, i, beta, b[i])
    X = mixed.mixed.design(beta)[0][i]
    found = np.einsum(
        "rcd,cx,d->rx", mixed.differentiate(beta, b, order=2).h[rows], X, mixed.mixed.Z @ along, optimize=True
    )
    coarse, fine = (
        (slopes(mixed, i, beta, b[i] + h * along, 12) - slopes(mixed, i, beta, b[i] - h * along, 12)) / (2 * h)
        for h in (4e-3, 2e-3)
    )
    known = (4 * fine - coarse) / 3
    size = np.max(np.abs(known), axis=0) + np.max(predicted.real)  # round-off is that of the predictions
    np.testing.assert_allclose(found / size, known / size, rtol=0, atol=1e-6)


@pytest.mark.parametrize("make", [everything, measured])
def test_the_design_is_that_of_the_predictions(make):
    """Differences of predictions by fixed and random effects are g X and g Z, for all subjects and lineages."""
    predictor = make().predictor
    (beta, b), h, subject = point(predictor), 1e-4, predictor.subject
    g, X = predictor.differentiate(beta, b).g, predictor.mixed.design(beta)[0]
    for k, theta in enumerate(predictor.mixed.estimation.thetas):
        step = h * np.eye(len(beta))[k] * (0.01 if theta.name == "neutrophil.mtt.age" else 1.0)
        known = (predictor.predict(beta + step, b) - predictor.predict(beta - step, b)) / (2 * step.sum())
        mine = np.einsum("rc,rc->r", g, X[subject, :, k])
        np.testing.assert_allclose(mine, known, rtol=0, atol=1e-6 * np.max(np.abs(known)))
    for e in range(b.shape[1]):
        move = np.zeros_like(b)
        move[:, e] = h
        known = (predictor.predict(beta, b + move) - predictor.predict(beta, b - move)) / (2 * h)
        np.testing.assert_allclose(g @ predictor.mixed.Z[:, e], known, rtol=0, atol=1e-6 * np.max(np.abs(known)))


def test_a_relation_that_starts_at_nothing_still_moves_what_it_will_move():
    """With an exponent of zero a typical value weighs the same in all periods; elsewhere it does not."""
    model = BENCH.replace({"drug.cl": {"value": 6.3, "scale": "identity"}})
    predictor = asked(
        model, occasions=False, free=["drug.cl"], omega={"drug.cl": 0.3}, sigma={"drug.proportional": 0.2},
        covariates={"drug.cl": {"weight": {"form": "power", "reference": 70.0, "start": 0.0}}},
    )  # fmt: skip
    beta, b, h = np.array([6.3, 0.75]), np.zeros((3, 1)), 1e-4
    g, X = predictor.differentiate(beta, b).g, predictor.mixed.design(beta)[0]
    for k in range(2):
        step = h * np.eye(2)[k]
        known = (predictor.predict(beta + step, b) - predictor.predict(beta - step, b)) / (2 * h)
        mine = np.einsum("rc,rc->r", g, X[predictor.subject, :, k])
        np.testing.assert_allclose(mine, known, rtol=0, atol=1e-6 * np.max(np.abs(known)))


def test_samples_are_predictions(mixed):
    beta, b = point(mixed)
    many = np.stack([b, 0 * b, -b], axis=2)
    found = mixed.sample(beta, many)
    for k in range(3):
        np.testing.assert_allclose(found[:, k], mixed.predict(beta, many[:, :, k]), rtol=1e-9)


def test_derivatives_of_some_subjects_and_by_random_effects_alone_are_the_same(mixed):
    beta, b = point(mixed)
    every, some = mixed.differentiate(beta, b, order=2), mixed.differentiate(beta, b, order=2, who=np.array([0, 2]))
    own = mixed.subject != 1
    for name in ("f", "g", "h"):
        np.testing.assert_array_equal(getattr(some, name)[own], getattr(every, name)[own])
    assert np.all(np.isnan(some.f[~own]))
    Z, random = mixed.mixed.Z, mixed.differentiate(beta, b, order=2, random_only=True)
    np.testing.assert_allclose(random.g @ Z, every.g @ Z, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(Z.T @ random.h @ Z, Z.T @ every.h @ Z, rtol=1e-6, atol=1e-8)
