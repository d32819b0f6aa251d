"""Sensitivities of looks: derivatives against differences, linearizations, limits of quantification, occasions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from information_oracle import dense, normal

import myelosim as ms
from myelosim.information import Arm, Fisher, Look, labels, precision, sensitivities
from myelosim.spec.estimate import estimation

MODEL = ms.load_model("generic_oral_1cmt").replace({"drug.cl": 0.4, "drug.vc": 8.0, "drug.ka": 1.0})
THETAS = ["drug.ka", "drug.cl", "drug.vc"]
HOURS = (0.5, 1.0, 3.0, 8.0, 24.0)
OMEGA = {"drug.cl": {"drug.cl": 0.07, "drug.vc": 0.02}, "drug.vc": {"drug.cl": 0.02, "drug.vc": 0.05}}


def arm(regimen="drug 70 mg once", hours=HOURS, **more):
    events = () if regimen is None else ms.Regimen.parse(regimen).expand(max(hours))
    return Arm(events, tuple(Look("drug", h) for h in hours), **more)


def asked(**more):
    settings = {"free": THETAS, "omega": OMEGA, "sigma": {"drug.proportional": 0.2}} | more
    return estimation(MODEL, ["drug"], **settings)


def moved(wanted, k, by):
    theta = wanted.thetas[k]
    start = replace(theta, start=theta.start + by)
    return replace(wanted, thetas=(*wanted.thetas[:k], start, *wanted.thetas[k + 1 :]))


def scale(f, of):
    """Return the mean on the scale of errors, its slope and the variance there: derived by hand."""
    if of == "log_normal":
        return np.log(f), 1 / f, np.full_like(f, 0.2**2)
    if of == "box_cox":
        return f**0.2 / 0.2, f**-0.8, np.full_like(f, 0.3**2)
    return f, np.ones_like(f), 0.1**2 + 0.2**2 * f**2


@pytest.mark.parametrize("kind, terms", [
    ("combined", {"proportional": 0.2, "additive": 0.1}), ("log_normal", {"log_sd": 0.2}), ("box_cox", {"sd": 0.3}),
])  # fmt: skip
def test_the_full_matrix_against_differences(kind, terms):
    """Mean and variance on the scale of the errors, moved by every parameter in turn."""
    sigma = {f"drug.{name}": {"start": value, "fixed": True} for name, value in terms.items()}
    model, wanted = asked(sigma=sigma, residual={"drug": kind})
    one = arm()

    def moments(estimation, omega):
        (s,) = sensitivities(model, [one], estimation, tolerance=1e-11)
        mean, slope, variance = scale(s.f[0], kind)
        G = slope[:, None] * s.random[0]
        return mean, G @ omega @ G.T + np.diag(variance)

    omega, h = wanted.omega.start, 1e-3
    E, V = np.zeros((len(HOURS), 6)), []
    for k, theta in enumerate(wanted.thetas):
        up, down = (moments(moved(wanted, k, sign * h * theta.start), omega) for sign in (1, -1))
        E[:, k] = (up[0] - down[0]) / (2 * h * theta.start)
        V.append((up[1] - down[1]) / (2 * h * theta.start))
    for i, j in ((0, 0), (1, 0), (1, 1)):
        unit = np.zeros((2, 2))
        unit[i, j] = unit[j, i] = 1.0
        V.append(moments(wanted, omega + unit)[1] - moments(wanted, omega)[1])
    known = normal(E, moments(wanted, omega)[1], V)
    (s,) = sensitivities(model, [one], wanted, full=True)
    found = Fisher(s)(np.ones((1, len(HOURS))))[0]
    assert np.max(np.abs(found - known) / np.sqrt(np.outer(np.diag(known), np.diag(known)))) < 1e-4


def test_foce_is_fo_where_the_model_is_linear_in_the_effects():
    """A baseline that varies additively, seen with an additive error: the mean moves with the eta, nothing else does."""
    model = ms.load_model("generic_oral_2cmt_friberg").replace(
        {"neutrophil.baseline": {"value": 5.0, "scale": "identity"}}
    )
    model, wanted = estimation(
        model, ["neutrophil"], free=["neutrophil.baseline"], omega={"neutrophil.baseline": 0.3},
        sigma={"neutrophil.additive": 0.4},
    )  # fmt: skip
    looks = tuple(Look("neutrophil", 24.0 * day) for day in (0, 1, 2))
    made = [sensitivities(model, [Arm((), looks)], wanted, linearization=how, points=8)[0] for how in ("fo", "foce")]
    fo, foce = (Fisher(s)(np.ones((1, 3)))[0] for s in made)
    np.testing.assert_allclose(foce, fo, rtol=1e-5, atol=1e-5)
    assert fo[0, 0] == pytest.approx(1 / (0.3 + 0.4**2 / 3), rel=1e-7)


def test_foce_is_the_mean_over_subjects():
    model, wanted = asked()
    (s,) = sensitivities(model, [arm()], wanted, linearization="foce", points=4)
    assert s.f.shape == (4, 5)
    known = np.mean([dense(s, np.ones(5, int), k) for k in range(4)], axis=0)
    np.testing.assert_allclose(Fisher(s)(np.ones((1, 5)))[0], known, rtol=1e-8, atol=1e-6)
    (fo,) = sensitivities(model, [arm()], wanted)
    assert not np.allclose(s.f, fo.f)


def test_around_subjects_no_more_is_known_than_from_their_own_values():
    """Missing information: typical clearance and volume of subjects whose own are known have the information 1/omega."""
    model, wanted = asked()
    (s,) = sensitivities(model, [arm()], wanted, linearization="foce", points=16)
    found = Fisher(s)(np.full((1, 5), 1000.0))[0, 1:3, 1:3] * np.outer([0.4, 8.0], [0.4, 8.0])
    values, vectors = np.linalg.eigh(s.omega)
    share = (vectors * np.sqrt(values)).T @ found @ (vectors * np.sqrt(values))
    assert np.linalg.eigvalsh(share).max() < 1.0 and np.linalg.eigvalsh(share).min() > 0.9


def test_around_a_subject_the_variance_of_its_errors_moves_with_its_own_predictions():
    model, wanted = asked()
    how = {"linearization": "foce", "points": 4, "full": True, "tolerance": 1e-11}
    (s,) = sensitivities(model, [arm()], wanted, **how)
    h = 1e-4 * wanted.thetas[1].start
    up, down = (sensitivities(model, [arm()], moved(wanted, 1, step), **how)[0].variance for step in (h, -h))
    slope = (up - down) / (2 * h)
    np.testing.assert_allclose(s.by_theta[:, :, 1], slope, rtol=1e-5, atol=1e-6 * np.abs(slope).max())


def test_arms_do_not_touch_each_other():
    model, wanted = asked()
    arms = [arm(), arm("drug 20 mg once", (2.0, 12.0))]
    together = sensitivities(model, arms, wanted)
    for one, s in zip(arms, together, strict=True):
        (alone,) = sensitivities(model, [one], wanted)
        ones = np.ones((1, len(one.looks)))
        np.testing.assert_allclose(Fisher(s)(ones), Fisher(alone)(ones), rtol=1e-6, atol=1e-9)


def test_groups_of_a_design_add_up():
    shape = {
        "times": HOURS,
        "observe": ["drug"],
        "parameters": THETAS,
        "omega": OMEGA,
        "sigma": {"drug.proportional": 0.2},
    }
    every = ms.evaluate_design(MODEL, "drug 70 mg once", subjects=12, **shape)
    part = ms.evaluate_design(MODEL, "drug 70 mg once", subjects=5, **shape)
    rest = ms.evaluate_design(MODEL, "drug 70 mg once", subjects=7, **shape)
    np.testing.assert_allclose(part.information + rest.information, every.information, rtol=1e-9)
    assert every.efficiency(part) == pytest.approx(12 / 5)


def test_occasions_have_effects_of_their_own():
    """Two occasions far apart are two subjects to variability within, one to variability between subjects."""
    model, wanted = asked(omega={"drug.cl": 0.07}, iov={"drug.cl": 0.04})
    hours = (*HOURS, *(500.0 + h for h in HOURS))
    regimen = ms.Regimen.from_events(pd.DataFrame({"TIME": [0, 500], "AMT": [70, 70]}), drug="drug").expand(600)
    one = Arm(regimen, tuple(Look("drug", h) for h in hours), occasions=(0.0, 500.0))
    (s,) = sensitivities(model, [one], wanted)
    assert labels(wanted)[3:5] == ("omega drug.cl", "iov drug.cl") and s.omega.shape == (3, 3)
    np.testing.assert_allclose(s.omega, np.diag([0.07, 0.04, 0.04]))
    np.testing.assert_array_equal(s.random[0][:5, 2], 0.0)
    np.testing.assert_allclose(s.random[0][:5, 0], s.random[0][5:, 2], rtol=1e-4)
    ones = np.ones(10, int)
    np.testing.assert_allclose(Fisher(s)(ones[None])[0], dense(s, ones), rtol=1e-7, atol=1e-7)
    assert precision(Fisher(s)(ones[None])[0]).determined.all()
    first = precision(Fisher(s)(np.r_[np.ones(5), np.zeros(5)][None])[0])
    assert first.determined[:3].all() and not first.determined[3:5].any()


def test_values_under_the_limit_tell_less_of_the_error():
    model, wanted = asked()
    (free,) = sensitivities(model, [arm()], wanted)
    (cut,) = sensitivities(model, [arm()], wanted, lloq={"drug": 1.0})
    (gone,) = sensitivities(model, [arm()], wanted, lloq={"drug": 1e6})
    ones = np.ones((1, 5))
    every, some, none = (np.diag(Fisher(s)(ones)[0]) for s in (free, cut, gone))
    assert (some < every).all() and (none < 1e-5 * every).all()


def test_fixed_errors_leave_the_rest_alone():
    ones = np.ones((1, 5))
    found = []
    for fixed in (True, False):
        model, wanted = asked(sigma={"drug.proportional": {"start": 0.2, "fixed": fixed}})
        (s,) = sensitivities(model, [arm()], wanted)
        found.append(Fisher(s)(ones)[0])
    assert found[0].shape == (6, 6)
    np.testing.assert_allclose(found[1][:6, :6], found[0], rtol=1e-12)


def test_concentrations_of_nobody_dosed_tell_nothing():
    model, wanted = asked()
    dosed, vehicle = sensitivities(model, [arm(), arm(None)], wanted, full=True)
    late = arm("drug 70 mg d2", hours=(12.0, 36.0))
    (after,) = sensitivities(model, [replace(late, looks=late.looks[1:])], wanted)
    (both,) = sensitivities(model, [late], wanted)
    assert np.all(Fisher(dosed).once.diagonal() > 0) and not np.any(Fisher(vehicle).once)
    np.testing.assert_allclose(Fisher(both).once, Fisher(after).once, rtol=1e-9)
