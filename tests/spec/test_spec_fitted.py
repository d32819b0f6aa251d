"""A fitted model is a model like any other."""

import math

import numpy as np
import pytest

import myelosim as ms
from myelosim.errors import SpecError
from myelosim.population import redrawn
from myelosim.spec.estimate import estimation
from myelosim.spec.fitted import fitted, said

SOURCE = said("focei", "0123456789abcdef" * 4, 12, 72)
OMEGA = np.array([[0.09, 0.03], [0.03, 0.04]])
NAMES = ["neutrophil.baseline", "neutrophil.mtt"]


@pytest.fixture(scope="module")
def asked():
    model = ms.load_model("generic_oral_2cmt_friberg")
    covariates = {"neutrophil.baseline": {"weight": {"form": "power", "reference": 70}}}
    return estimation(
        model, ["neutrophil"], omega=(NAMES, OMEGA), covariates=covariates, iov={"neutrophil.mtt": 0.01},
        sigma={"neutrophil.proportional": 0.3, "neutrophil.additive": 0.1},
    )  # fmt: skip


@pytest.fixture(scope="module")
def covariance():
    sd = np.array([0.05, 0.04, 0.1, 0.2, 0.3])
    correlation = np.eye(5)
    correlation[0, 1] = correlation[1, 0] = 0.5
    correlation[2, 3] = correlation[3, 2] = -0.8
    return correlation * np.outer(sd, sd)


@pytest.fixture(scope="module")
def found(asked, covariance):
    model, made = asked
    theta = [4.5, 120.0, 0.2, 0.4, 0.7]
    return fitted(
        model,
        made,
        theta=theta,
        omega=OMEGA * 2,
        sigma=[0.05, 0.25],
        occasion=[[0.02]],
        covariance=covariance,
        source=SOURCE,
    )


def test_the_estimates_are_in_it(found):
    one = found.parameters["neutrophil.mtt"]
    assert (one.value, one.evidence, one.se) == (120.0, "fitted", pytest.approx(0.04))
    assert one.source == "fitted by focei to 72 observations of 12 subjects, data SHA-256 0123456789abcdef"
    assert one.omega_sd == pytest.approx(math.sqrt(0.08))
    assert one.occasion_sd == pytest.approx(math.sqrt(0.02))
    assert found.parameters["neutrophil.baseline"].covariates["weight"] == {"reference": 70.0, "exponent": 0.7}
    assert found.residual["neutrophil"].kind == "combined"
    assert found.residual["neutrophil"].sigma == {"additive": 0.05, "proportional": 0.25}
    assert found.correlation == {("neutrophil.baseline", "neutrophil.mtt"): pytest.approx(0.5)}
    assert found.error_correlation == {
        ("neutrophil.baseline", "neutrophil.mtt"): pytest.approx(0.5),
        ("neutrophil.gamma", "drug.neutrophil.slope"): pytest.approx(-0.8),
    }
    assert found.parameters["drug.neutrophil.slope"].omega_sd == 0.0, "the fit took the slope as the same in all"
    assert found.parameters["drug.cl"].omega_sd == 0.0, "and the clearance"


def test_it_is_saved_and_loads_back_equal(found, tmp_path):
    found.save(tmp_path / "mine.toml")
    again = ms.load_model(tmp_path / "mine.toml")
    assert again == found
    assert again.spec_hash == found.spec_hash


def test_what_data_columns_give_goes_on_varying(asked):
    model, made = asked
    theta = [one.start for one in made.thetas]
    options = {"theta": theta, "omega": OMEGA, "sigma": [0.1, 0.2], "source": SOURCE}
    assert fitted(model, made, given=["drug.cl"], **options).parameters["drug.cl"].omega_sd == 0.3
    undosed = fitted(model, made, dosed=[], **options).parameters
    assert undosed["drug.cl"].omega_sd == 0.3
    assert undosed["drug.neutrophil.slope"].omega_sd == 0.45


def test_its_errors_are_drawn(found):
    drawn = [redrawn(found, 1, k).parameters for k in range(300)]
    logs = np.log([[one[name].value for name in ("neutrophil.gamma", "drug.neutrophil.slope")] for one in drawn])
    assert logs.std(axis=0) == pytest.approx([0.1, 0.2], rel=0.12)
    assert np.corrcoef(logs.T)[0, 1] == pytest.approx(-0.8, abs=0.07)


def test_it_can_be_fitted_again(found):
    model, made = estimation(
        found, ["neutrophil"], priors="literature", iov="model", free=["neutrophil.baseline.weight", *NAMES]
    )
    assert {one.name: one.prior for one in made.thetas}["neutrophil.mtt"] == (
        pytest.approx(math.log(120.0)),
        pytest.approx(0.04),
    )
    np.testing.assert_allclose(made.omega.start, OMEGA * 2)
    assert made.occasion.start.tolist() == [[pytest.approx(0.02)]]
    again = fitted(
        model, made, theta=[one.start for one in made.thetas], omega=made.omega.start, sigma=[one.start for one in made.sigmas],
        source=SOURCE,
    )  # fmt: skip
    assert again.title == found.title
    assert again.parameters["neutrophil.mtt"].se == 0.0


def test_a_covariance_that_is_singular_can_be_kept(asked, tmp_path):
    model, made = asked
    ones = np.full((5, 5), 0.01)
    ones[0, 0] = 400.0  # an error of 20 on the log scale
    ones[0, 1:] = ones[1:, 0] = 0.0
    new = fitted(
        model,
        made,
        theta=[one.start for one in made.thetas],
        omega=OMEGA,
        sigma=[0.1, 0.2],
        covariance=ones,
        source=SOURCE,
    )
    new.save(tmp_path / "mine.toml")
    assert ms.load_model(tmp_path / "mine.toml") == new
    assert any("neutrophil.baseline is hardly known" in line for line in new.warnings)
    assert any("nearly depend on each other" in line for line in new.warnings)


def test_variances_of_zero_take_their_correlations_along(asked):
    model, made = asked
    new = fitted(
        model,
        made,
        theta=[one.start for one in made.thetas],
        omega=np.diag([0.1, 0.0]),
        sigma=[0.1, 0.2],
        source=SOURCE,
    )
    assert new.parameters["neutrophil.mtt"].omega_sd == 0.0
    assert new.correlation == {}


def test_estimates_outside_a_floor_take_it_away(asked):
    model, made = asked
    model = model.replace({"neutrophil.baseline": {"floor": 4.0}})
    theta = [3.0, *(one.start for one in made.thetas[1:])]
    new = fitted(model, made, theta=theta, omega=OMEGA, sigma=[0.1, 0.2], source=SOURCE)
    assert new.parameters["neutrophil.baseline"].floor is None
    assert any("outside its floor" in line for line in new.warnings)


def test_estimates_that_cannot_be_trusted_are_refused(asked):
    model, made = asked
    theta = [4.5, 120.0, 0.8, 0.4, 0.7]
    with pytest.raises(SpecError, match="past the stability limit"):
        fitted(model, made, theta=theta, omega=OMEGA, sigma=[0.1, 0.2], source=SOURCE)


def test_an_error_in_the_unit_of_an_identity_scale_is_read(tmp_path):
    model = ms.load_model("generic_oral_2cmt_friberg").replace(
        {"neutrophil.mtt": {"scale": "identity", "se": 12.0, "occasion_sd": 15.0}}
    )
    model.save(tmp_path / "mine.toml")
    assert ms.load_model(tmp_path / "mine.toml") == model
    text = (tmp_path / "mine.toml").read_text().replace('value = 110.0, unit = "h"', 'value = 5, unit = "d"')
    (tmp_path / "mine.toml").write_text(text.replace("se = 12.0", "se = 0.5"))
    assert ms.load_model(tmp_path / "mine.toml").parameters["neutrophil.mtt"].se == 12.0
