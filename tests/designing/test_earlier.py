"""What an earlier study told, as a fit, its folder or a design, counted in by the next."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import myelosim as ms
from myelosim.errors import SpecError
from myelosim.fitting.covariance import Covariance

MODEL = ms.load_model("generic_iv_1cmt").replace({"drug.cl": 5.0, "drug.vc": 50.0})
THETAS = ("drug.cl", "drug.vc")
SIGMA = {"drug.proportional": 0.1}
ROWS = pd.DataFrame(
    {
        "ID": [1, 1, 2, 2],
        "TIME": [0, 4, 0, 4],
        "AMT": [100, np.nan, 100, np.nan],
        "DV": [np.nan, 1.3, np.nan, 1.5],
        "DVID": "drug",
    }
)
SCATTER = np.array(
    [[0.04, 0.01, 0.005, 0.0], [0.01, 0.02, 0.0, 0.004], [0.005, 0.0, 0.3, 0.02], [0.0, 0.004, 0.02, 0.05]]
)


@pytest.fixture(scope="module")
def fit():
    """A fit with made-up covariance of log cl, log vc, log of the standard deviation of eta, log of that of the error."""
    found = ms.fit(
        MODEL, ROWS, free=THETAS, omega={"drug.cl": 0.09}, sigma=SIGMA, evaluate_only=True,
        priors={"drug.vc": {"mean": 50.0, "sd_log": 0.2}},
    )  # fmt: skip
    return replace(found, uncertainty=Covariance("r", SCATTER, SCATTER, SCATTER, 1.0))


@pytest.fixture(scope="module")
def folder(fit, tmp_path_factory):
    place = tmp_path_factory.mktemp("fits") / "pilot"
    fit.save(place, figures=False)
    return place


def design(parameters=THETAS, omega=None, **more):
    settings = {"times": [1, 8], "subjects": 6, "observe": ["drug"], "sigma": SIGMA} | more
    return ms.evaluate_design(
        MODEL, "drug 100 mg once", parameters=parameters, omega=omega or {"drug.cl": 0.09}, **settings
    )


def test_a_fit_tells_the_inverse_of_its_covariance_in_natural_units(fit):
    names = ["drug.cl", "drug.vc", "omega drug.cl", "drug.proportional"]
    assert fit.information.columns.tolist() == names
    rse = np.sqrt(np.diag(np.linalg.inv(fit.information))) / np.array([5.0, 50.0, 0.09, 0.01])
    table = fit.table[fit.table.scale != "sd"].set_index("name")
    assert rse[:2] == pytest.approx([0.2, np.sqrt(0.02)], rel=1e-6)
    assert rse[2] == pytest.approx(table.rse["omega drug.cl"] / 100.0, rel=1e-6)
    assert rse[3] == pytest.approx(2.0 * np.sqrt(0.05), rel=1e-6)


def test_what_is_not_estimated_now_is_unknown(fit):
    told = np.linalg.inv(fit.information)
    for parameters in (THETAS, THETAS[:1]):
        with_prior, without = design(parameters, prior=fit), design(parameters)
        places = [fit.information.columns.get_loc(name) for name in without.names]
        np.testing.assert_allclose(
            with_prior.fim - without.fim, np.linalg.inv(told[np.ix_(places, places)]), rtol=1e-6, atol=1e-9 * told.max()
        )
        assert not [one for one in with_prior.warnings if one.code == "prior"]


def test_the_folder_of_a_fit_tells_as_much(fit, folder):
    for prior in (folder, str(folder), fit.information):
        np.testing.assert_allclose(design(prior=prior).fim, design(prior=fit).fim, rtol=1e-12)


def test_beliefs_count_once(fit, folder):
    again = {"priors": {"drug.vc": {"mean": 50.0, "sd_log": 0.2}}}
    for prior in (fit, folder):
        np.testing.assert_allclose(design(prior=prior, **again).fim, design(prior=prior).fim)
    other = {"priors": {"drug.cl": {"mean": 5.0, "sd_log": 0.2}}}
    assert design(prior=fit, **other).rse["drug.cl"] < design(prior=fit).rse["drug.cl"]


def test_what_does_not_fit_the_earlier_study_is_said(fit, folder, tmp_path):
    def said(prior, model=MODEL, parameters=THETAS, omega=0.09):
        found = ms.evaluate_design(
            model, "drug 100 mg once", times=[1, 8], subjects=6, observe=["drug"], parameters=parameters,
            omega={"drug.cl": omega}, sigma=SIGMA, prior=prior,
        )  # fmt: skip
        return [one.text for one in found.warnings if one.code == "prior"]

    (far,) = said(fit, MODEL.replace({"drug.cl": 6.0}))
    assert "drug.cl 6, found 5" in far and "fit.model" in far
    assert not said(fit, omega=0.1)
    for prior in (fit, folder, design()):
        (wide,) = said(prior, omega=0.2)
        assert "omega drug.cl 0.2, found 0.09 (variances)" in wide and "proportional" not in wide
    (sure,) = said(design(("drug.vc",)), parameters=THETAS)
    assert sure.startswith("drug.cl: taken as known then")
    (failed,) = said(replace(fit, converged=False, why="stopped at 3 iterations"))
    assert "did not converge (stopped at 3 iterations)" in failed
    about = json.loads((folder / "fit.json").read_text())
    (tmp_path / "fit.json").write_text(json.dumps(about | {"converged": False, "why": "stopped"}))
    for name in ("information.csv", "estimates.csv"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    assert "did not converge (stopped)" in said(tmp_path)[0]


def test_what_holds_no_information_is_refused(fit, folder, tmp_path):
    unsure = replace(fit, uncertainty=None)
    unsure.save(tmp_path / "unsure", figures=False)
    for prior in (unsure, tmp_path / "unsure"):
        with pytest.raises(SpecError, match=r"no covariance matrix; fit again with covariance='r'"):
            design(prior=prior)
    (tmp_path / "broken").mkdir()
    for name in ("fit.json", "information.csv"):
        (tmp_path / "broken" / name).write_bytes((folder / name).read_bytes())
    for prior, message in [
        (tmp_path / "nowhere", "there is no folder"), (tmp_path / "broken", "no whole folder of a fit"), (3, "a int holds no"),
    ]:  # fmt: skip
        with pytest.raises(SpecError, match=f"prior.*{message}"):
            design(prior=prior)
