"""Errors of the parameters: drawn as they are stated, and kept apart from those of the number of subjects."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

import myelosim as ms
from myelosim.comparison import summary
from myelosim.population import redrawn

SCENARIO = {
    "format": 1,
    "title": "two doses",
    "model": {"drug": "cemsidomide", "species": "human", "variant": "rrmm"},
    "days": 56,
    "visits": "d1 weekly",
    "population": {"size": 200},
    "lineages": ["neutrophil"],
    "recommend": {"draws": 2},
    "arm": [
        {"name": "none", "dose": "none"},
        {"name": "75", "dose": "cemsidomide 75 ug QD d1-14 q28d x2"},
    ],
    "uncertainty": {"draws": 16, "size": 64},
}


@pytest.fixture(scope="module")
def model():
    return ms.load_model("cemsidomide", species="human", variant="rrmm")


@pytest.fixture(scope="module")
def result():
    with pytest.warns(ms.MyelosimWarning):
        return ms.compare(SCENARIO)


EC50 = ("cemsidomide.neutrophil.ec50", "cemsidomide.platelet.ec50")


def errors(model, draws=2000):
    """Return the logarithms of how far both potencies moved, (potency, draw)."""
    moved = [redrawn(model, 1, k).parameters for k in range(draws)]
    return np.log([[one[name].value / model.parameters[name].value for one in moved] for name in EC50])


@pytest.fixture(scope="module")
def drawn(model):
    return errors(model)


def test_values_move_by_their_standard_errors_and_others_stay(model, drawn):
    moved = redrawn(model, 1, 0)
    for name, parameter in model.parameters.items():
        assert (moved.parameters[name].value != parameter.value) == (parameter.se > 0), name
    assert abs(np.mean(drawn[0])) < 0.02  # 0.15 / sqrt(2000), five times
    np.testing.assert_allclose(np.std(drawn[0]), 0.15, rtol=0.08)


def test_a_draw_is_the_same_whenever_it_is_drawn(model):
    assert redrawn(model, 1, 7) == redrawn(model, 1, 7)
    assert redrawn(model, 1, 7) != redrawn(model, 1, 8)
    assert redrawn(model, 1, 7) != redrawn(model, 2, 7)


def test_errors_are_correlated_as_stated(model, drawn):
    tied = dataclasses.replace(model, error_correlation={EC50: 0.8})
    np.testing.assert_allclose(np.corrcoef(*errors(tied))[0, 1], 0.8, atol=0.03)
    assert abs(np.corrcoef(*drawn)[0, 1]) < 0.1


def test_an_arm_without_drug_knows_nothing_of_the_drugs_errors(result):
    none = result["p_grade3_draw"].sel(arm="none", lineage="neutrophil")
    assert float(none.std()) == 0
    assert float(result["p_grade3_draw"].sel(arm="75", lineage="neutrophil").std()) > 0.01


def test_the_interval_of_both_holds_that_of_the_subjects(result):
    table = summary(result).set_index("arm")
    assert (table["p_grade3_all_low"] <= table["p_grade3_low"]).all()
    assert (table["p_grade3_all_high"] >= table["p_grade3_high"]).all()
    wide, narrow = (table.loc["75", f"p_grade3{k}_high"] - table.loc["75", f"p_grade3{k}_low"] for k in ("_all", ""))
    assert wide > narrow
    assert table.loc["none", "p_grade3_all_high"] == pytest.approx(table.loc["none", "p_grade3_high"])


def test_a_model_without_errors_is_refused_and_so_are_impossible_ones(model, tmp_path):
    scenario = SCENARIO | {"model": "friberg_2002_docetaxel", "lineages": []}
    scenario["arm"] = [{"name": "a", "dose": "docetaxel 75 mg/m2 over 1 h"}]
    with pytest.raises(ms.SpecError, match="no parameter of the model has a standard error"):
        ms.compare(scenario)
    model.save(tmp_path / "saved.toml")
    assert ms.load_model(tmp_path / "saved.toml").parameters["cemsidomide.neutrophil.ec50"].se == 0.15
    text = (tmp_path / "saved.toml").read_text()
    (tmp_path / "bad.toml").write_text(
        text + '[[error_correlation]]\nbetween = ["cemsidomide.cl", "cemsidomide.neutrophil.ec50"]\nvalue = 0.5\n'
    )
    with pytest.raises(ms.SpecError, match=r"'cemsidomide\.cl' has no error; give it se"):
        ms.load_model(tmp_path / "bad.toml")
