"""Residuals: the density is that of what is sampled, and moments are what the terms say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from myelosim.components.contract import Values
from myelosim.components.residuals import KINDS

TERMS = {
    "proportional": Values(proportional=0.25),
    "additive": Values(additive=0.4),
    "combined": Values(additive=0.2, proportional=0.25),
    "log_normal": Values(log_sd=0.3),
    "box_cox": Values(sd=0.25, exponent=0.2),
    "counting": Values(cells=200.0, fraction=0.15, proportional=0.05),
    "student": Values(proportional=0.2, additive=0.1, df=5.0),
}
FAMILY = {"normal": lambda p: stats.norm, "student": lambda p: stats.t(p.df)}
Z = np.linspace(-2.5, 2.5, 11)


def test_every_residual_is_tested():
    assert set(TERMS) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_terms_are_declared(kind):
    assert {term.name for term in KINDS[kind].TERMS} == set(vars(TERMS[kind]))


@pytest.mark.parametrize("f", [0.3, 4.5])
@pytest.mark.parametrize("kind", KINDS)
def test_the_density_is_that_of_the_samples(kind, f):
    p = TERMS[kind]
    slope = (KINDS[kind].sample(f, Z + 1e-5, p) - KINDS[kind].sample(f, Z - 1e-5, p)) / 2e-5
    found = KINDS[kind].log_density(KINDS[kind].sample(f, Z, p), f, p)
    np.testing.assert_allclose(found, stats.norm.logpdf(Z) - np.log(slope), rtol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_the_density_integrates_to_one(kind):
    p = TERMS[kind]
    low, high = KINDS[kind].sample(4.5, np.array([-3.9, 6.0]), p)
    area, _ = integrate.quad(lambda y: np.exp(KINDS[kind].log_density(y, 4.5, p)), low, high, epsabs=1e-10)
    assert area == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize("at", [None, 3.0])
@pytest.mark.parametrize("kind", KINDS)
def test_the_density_is_that_of_the_standardized_value(kind, at):
    module, p, f = KINDS[kind], TERMS[kind], 4.5
    y = module.sample(f, np.linspace(-1.5, 2.5, 11), p)
    slope = (module.standardized(y + 1e-5, f, p, at) - module.standardized(y - 1e-5, f, p, at)) / 2e-5
    assert np.all(slope > 0)
    z = module.standardized(y, f, p, at)
    expected = FAMILY[module.DISTRIBUTION](p).logpdf(z) + np.log(slope)
    np.testing.assert_allclose(module.log_density(y, f, p, at), expected, rtol=1e-7)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sampled_standardizes_back(kind):
    module, p = KINDS[kind], TERMS[kind]
    z = module.standardized(module.sample(4.5, Z, p), 4.5, p)
    np.testing.assert_allclose(FAMILY[module.DISTRIBUTION](p).cdf(z), stats.norm.cdf(Z), rtol=1e-9)


@pytest.mark.parametrize(("f", "at"), [(0.5, None), (4.5, None), (2.8, 3.0), (4.5, 3.0)])
@pytest.mark.parametrize("kind", KINDS)
def test_information_is_the_mean_square_of_the_score(kind, f, at):
    module, p, h = KINDS[kind], TERMS[kind], 1e-5 * f
    lowest = -4.5 if kind in ("box_cox", "counting") else -10.0  # no further than where the observation is zero
    y = module.sample(f, np.linspace(lowest, 10.0, 40001), p)
    score = (module.log_density(y, f + h, p, at) - module.log_density(y, f - h, p, at)) / (2 * h)
    found = integrate.trapezoid(score * score * np.exp(module.log_density(y, f, p, at)), y)
    assert module.information(f, p, at) == pytest.approx(found, rel=3e-3 if kind == "counting" else 1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_and_floats_agree(kind):
    module, p = KINDS[kind], TERMS[kind]
    f = np.full(len(Z), 4.5)
    np.testing.assert_allclose(module.sample(f, Z, p), [module.sample(4.5, float(z), p) for z in Z], rtol=1e-14)
    y = module.sample(f, Z, p)
    np.testing.assert_allclose(
        module.log_density(y, f, p), [module.log_density(float(x), 4.5, p) for x in y], rtol=1e-13
    )


def test_standard_deviations_are_those_of_the_terms():
    z = stats.norm.ppf((np.arange(20000) + 0.5) / 20000)
    sd = {kind: np.std(KINDS[kind].sample(4.0, z, TERMS[kind])) for kind in KINDS}
    assert sd["proportional"] == pytest.approx(1.0, rel=1e-3)
    assert sd["additive"] == pytest.approx(0.4, rel=1e-3)
    assert sd["combined"] == pytest.approx(np.hypot(0.2, 1.0), rel=1e-3)
    assert sd["log_normal"] == pytest.approx(4.0 * np.sqrt((np.exp(0.09) - 1) * np.exp(0.09)), rel=2e-3)


def test_counting_has_the_moments_of_a_poisson_number_and_an_analyzer():
    z = stats.norm.ppf((np.arange(20000) + 0.5) / 20000)
    y = KINDS["counting"].sample(2.0, z, TERMS["counting"])
    assert np.mean(y) == pytest.approx(2.0, rel=2e-3)
    assert np.std(y) / 2.0 == pytest.approx(np.sqrt(1 / 30 + 0.05**2), rel=0.02)


def test_box_cox_nears_the_logarithm_at_small_exponents_and_the_count_at_one():
    near_log = KINDS["box_cox"].sample(2.0, Z, Values(sd=0.3, exponent=1e-6))
    np.testing.assert_allclose(near_log, KINDS["log_normal"].sample(2.0, Z, Values(log_sd=0.3)), rtol=1e-5)
    as_count = KINDS["box_cox"].sample(2.0, Z, Values(sd=0.3, exponent=1.0))
    np.testing.assert_allclose(as_count, KINDS["additive"].sample(2.0, Z, Values(additive=0.3)), rtol=1e-12)


def test_observations_are_never_negative_where_the_scale_forbids_it():
    for kind in ("log_normal", "box_cox", "counting"):
        assert np.all(KINDS[kind].sample(0.1, np.linspace(-40, 5, 50), TERMS[kind]) >= 0)
