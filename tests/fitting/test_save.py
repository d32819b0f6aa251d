"""What a fit prints and writes."""

import io
import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fit_samples import OMEGA, fitted, model, study

import myelosim as ms
from myelosim.data import report
from myelosim.errors import SpecError
from myelosim.fitting import figures, nonmem
from myelosim.fitting.save import ABOUT, FILES, check_folder
from myelosim.fitting.summary import constant

PRIORS = {"neutrophil.mtt": {"mean": "110 h", "sd_log": 0.2}}


@pytest.fixture(scope="module")
def rows():
    table = study(model(), size=6)
    low = table["DV"] < 1.2
    return table.assign(CENS=low.astype(int), DV=table["DV"].clip(lower=1.2))


@pytest.fixture(scope="module")
def fit(rows):
    return fitted(model(), rows, starts=2, priors=PRIORS)


@pytest.fixture(scope="module")
def folder(fit, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures.draw, "__kwdefaults__", {"simulations": 60})
        place = tmp_path_factory.mktemp("out") / "fit"
        written = fit.save(place, about={"fit_file": "pilot.toml"})
    assert {path.name for path in written} == {*FILES} - {"intervals.csv"}
    return place


def test_the_summary_holds_what_must_be_known(fit):
    text = fit.summary()
    assert text == str(fit)
    for part in ("FOCE with interaction: converged", "Objective:", "with n log(2 pi)", "condition number", "Starts: 2 of 2",
                 "Taken for granted", "neutrophil.gamma", "below a limit of quantification (M3)", "110, sd 0.200"):  # fmt: skip
        assert part in text
    assert f"{fit.objective:.4f}" in text and f"{fit.objective + constant(fit):.4f}" in text
    assert max(map(len, text.splitlines())) <= 120


def test_warnings_are_part_of_the_summary(fit):
    assert (fit.warnings == ()) == ("No warnings." in fit.summary())
    said = replace(
        fit, warnings=(ms.fitting.FitWarning("no_delay", "a delay of nothing"),), converged=False, why="was stopped"
    )
    assert "! no_delay: a delay of nothing" in said.summary() and "NOT CONVERGED (was stopped)" in said.summary()


def test_only_measured_values_have_a_part_in_the_constant(fit):
    below = int((fit.study.observations.censored == 1).sum())
    assert below > 0
    assert constant(fit) == pytest.approx((len(fit.study.observations) - below) * np.log(2 * np.pi))


def test_a_summary_without_search_or_covariance(rows):
    point = fitted(model(), rows, evaluate_only=True)
    assert "evaluated, not searched for" in point.summary() and "Starts" not in point.summary()
    assert "not asked for" in fitted(model(), rows, covariance="none").summary()


def test_tables_are_those_of_the_fit(fit, folder):
    pd.testing.assert_frame_equal(
        pd.read_csv(folder / "estimates.csv"), fit.table.reset_index(drop=True), check_dtype=False
    )
    back = pd.read_csv(folder / "etas.csv", index_col="subject")
    np.testing.assert_allclose(back[list(OMEGA)], fit.etas, rtol=1e-12)
    np.testing.assert_allclose(pd.read_csv(folder / "covariance.csv", index_col=0), fit.cov, rtol=1e-12)
    assert len(pd.read_csv(folder / "rows.csv")) == len(fit.study.observations)
    assert set(pd.read_csv(folder / "history.csv")["start"]) == {1, 2}


def test_the_fitted_model_is_a_model_like_any_other(fit, folder):
    back = ms.load_model(str(folder / "model.toml"))
    assert back.parameters["neutrophil.mtt"].value == pytest.approx(fit.theta["neutrophil.mtt"])
    assert back.parameters["neutrophil.mtt"].evidence == "fitted"


def test_where_it_comes_from(fit, folder):
    told = json.loads((folder / ABOUT).read_text())
    assert told["data_hash"] == fit.study.digest and told["data_hash"] in report(fit.study)
    assert told["fit_file"] == "pilot.toml" and told["seed"] == 1 and told["left_out"] == []
    assert told["converged"] == fit.converged and {w["code"] for w in told["warnings"]} == {
        w.code for w in fit.warnings
    }


def test_pictures_are_drawn(folder):
    names = {path.stem for path in (folder / "figures").glob("*.png")}
    assert names == {
        "goodness_of_fit",
        "individuals_neutrophil",
        "etas",
        "vpc",
        "pcvpc",
        "npde",
        "priors",
        "objective",
        "starts",
    }


def test_a_picture_that_fails_costs_no_numbers(fit, tmp_path, monkeypatch):
    def fails():
        return np.isfinite(np.array([None]))

    monkeypatch.setattr(figures, "_pictures", lambda fit, simulations: [("objective", fails)])
    assert {path.name for path in fit.save(tmp_path / "out")} == {*FILES} - {"intervals.csv"}
    (said,) = json.loads((tmp_path / "out" / ABOUT).read_text())["left_out"]
    assert said.startswith("objective.png could not be drawn: TypeError: ")


def read_nonmem(text):
    return pd.read_csv(io.StringIO(text.split("\n", 1)[1]), sep=r"\s+")


def test_nonmem_tables_hold_estimates_and_errors(fit):
    table = read_nonmem(nonmem.ext(fit)).set_index("ITERATION")
    final, errors, spreads = table.loc[nonmem.FINAL], table.loc[nonmem.ERRORS], table.loc[nonmem.SPREADS]
    assert final["OBJ"] == pytest.approx(fit.objective, abs=1e-7)
    assert final["THETA2"] == pytest.approx(fit.theta["neutrophil.mtt"], rel=1e-6)
    assert final["OMEGA(2,2)"] == pytest.approx(fit.omega.iloc[1, 1], rel=1e-6)
    assert final["SIGMA(1,1)"] == pytest.approx(fit.sigma["neutrophil.proportional"] ** 2, rel=1e-6)
    own = fit.table.set_index(["name", "scale"])["se"]
    assert errors["THETA1"] == pytest.approx(own["neutrophil.baseline", "log"], rel=1e-6)
    assert errors["OMEGA(2,1)"] == nonmem.UNKNOWN and table.loc[nonmem.HELD, "OMEGA(2,1)"] == 1
    assert spreads["SIGMA(1,1)"] == pytest.approx(fit.sigma["neutrophil.proportional"], rel=1e-6)
    assert table.loc[nonmem.CONDITION].iloc[0] == pytest.approx(fit.uncertainty.condition, rel=1e-6)


def test_nonmem_etas_add_up_to_the_objective(fit):
    table = read_nonmem(nonmem.phi(fit))
    prior = fit.problem.prior(fit.point)[0]
    assert table["OBJ"].sum() + prior == pytest.approx(fit.objective, abs=1e-3)
    np.testing.assert_allclose(table[["ETA(1)", "ETA(2)"]], fit.b, rtol=1e-4, atol=1e-6)
    assert (table["ETC(1,1)"] > 0).all() and table["ID"].tolist() == [1, 2, 3, 4, 5, 6]


def test_a_folder_is_only_replaced_by_its_own(fit, folder, tmp_path):
    check_folder(folder, "pilot.toml")
    with pytest.raises(SpecError, match=r"holds the fit of pilot.toml, not of other.toml.*--overwrite"):
        check_folder(folder, "other.toml")
    (tmp_path / "summary.txt").write_text("mine")
    with pytest.raises(SpecError, match=r"holds summary.txt of something else"):
        fit.save(tmp_path, figures=False)
    (tmp_path / "mine.txt").write_text("mine")
    fit.save(tmp_path, figures=False, overwrite=True)
    assert (tmp_path / "mine.txt").read_text() == "mine" and (tmp_path / "fit.ext").exists()


def test_another_fit_is_only_replaced_where_that_is_asked_for(fit, rows, tmp_path):
    fit.save(tmp_path / "out", figures=False)
    fit.save(tmp_path / "out", figures=False)
    other = fitted(model(), rows, evaluate_only=True)  # without priors
    with pytest.raises(
        SpecError, match=r"holds the fit of generic_oral_2cmt_friberg to data \(.*in Python overwrite=True"
    ):
        other.save(tmp_path / "out", figures=False)
    other.save(tmp_path / "out", figures=False, overwrite=True)


def test_nothing_is_written_where_something_fails(fit, tmp_path, monkeypatch):
    def fail(fit):
        raise RuntimeError("no")

    monkeypatch.setattr(nonmem, "phi", fail)
    with pytest.raises(RuntimeError):
        fit.save(tmp_path / "out", figures=False)
    assert list(tmp_path.iterdir()) == []


def test_estimates_that_make_no_model_are_written_without_one(rows, tmp_path):
    wild = fitted(model(), rows, free=["neutrophil.gamma"], evaluate_only=True)
    wild = replace(wild, x=np.array([np.log(40.0), *wild.x[1:]]))
    wild.save(tmp_path / "out", figures=False)
    assert not (tmp_path / "out" / "model.toml").exists()
    assert "model.toml" in json.loads((tmp_path / "out" / ABOUT).read_text())["left_out"][0]


@pytest.mark.parametrize(
    ("method", "options", "called"),
    [
        ("fo", {}, "FO: converged"),
        ("agq", {"points": 3}, "adaptive Gauss-Hermite quadrature: converged"),
        ("saem", {"burn_in": 5, "iterations": 5}, "SAEM: NOT CONVERGED (by the exact gradient"),
    ],
)
def test_fits_by_other_methods_are_written_too(rows, tmp_path, method, options, called):
    other = fitted(model(), rows, method=method, options=options, blq="m1")
    assert called in other.summary()
    other.save(tmp_path / "out", figures=False)
    assert json.loads((tmp_path / "out" / ABOUT).read_text())["method"] == method
    assert len(pd.read_csv(tmp_path / "out" / "history.csv")) > 0
