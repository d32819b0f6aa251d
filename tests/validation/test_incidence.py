"""Calibrated drugs give the reported incidences under the definition of their calibration file."""

from __future__ import annotations

import numpy as np
import pytest

import myelosim as ms
from myelosim.plots import plot_incidence
from myelosim.spec.calibration import load_calibration
from myelosim.validation import reported, table
from myelosim.validation.incidence import _pooled

WITHIN = {  # half-widths of what a change elsewhere may move them by; the sources' own intervals are wider
    "cemsidomide": {"C1": 6.0, "C2": 6.0, "C3": 5.0},
    "asciminib": {"A2": 4.0, "A6": 4.0, "A8": 3.0},
}
ONSET = {"A4": (21, 70), "A7": (21, 70), "A9": (140, 315)}  # days


@pytest.fixture(scope="module", params=WITHIN)
def rows(request):
    return request.param, table(reported(request.param)).set_index("id")


def test_incidences_are_the_reported_ones(rows):
    name, found = rows
    for target, half in WITHIN[name].items():
        assert abs(found.loc[target, "model"] - found.loc[target, "source"]) <= half, target


def test_onset_and_return_come_when_they_are_reported(rows):
    name, found = rows
    if name == "asciminib":
        for target, (low, high) in ONSET.items():
            assert low <= found.loc[target, "model"] <= high, target
    else:
        assert found.loc["C6", "model"] <= 10


def test_observed_and_drug_free_numbers_are_beside_them(rows):
    _, found = rows
    own = found[(found["unit"] == "%") & (found.index != "A10")]
    assert (own["none"] < own["model"]).all()
    assert (own["model_low"] < own["model"]).all() and (own["model"] < own["model_high"]).all()
    assert (own["source_low"] < own["source"]).all() and (own["source"] < own["source_high"]).all()


def test_the_picture_has_a_row_for_each_percentage(rows):
    _, found = rows
    ax = plot_incidence(found.reset_index())
    assert len(ax.get_yticks()) == (found["unit"] == "%").sum()


def test_arms_with_the_same_subjects_are_worth_no_more_than_one():
    events = np.arange(100) < 30
    alone, twice = _pooled([events]), _pooled([events, events])
    assert twice == alone
    apart = _pooled([events, ~events])
    assert apart.estimate == 0.5


def test_a_calibration_says_what_is_wrong_with_it(tmp_path):
    text = (
        'format = 1\nkind = "calibration"\ntitle = "x"\nsource = "x"\nstatement = "x"\n[scenario]\n'
        'model = "friberg_2002_docetaxel"\ndays = 21\n[[scenario.arm]]\nname = "a"\ndose = "docetaxel 75 mg/m2 over 1 h"\n'
        '[[target]]\nid = "T"\nwhat = "y"\nendpoint = "grades"\nvalue = 120\nuse = "fit"\nsource = "z"\n'
    )
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(ms.SpecError) as said:
        load_calibration(path)
    assert "'grades' is not known" in str(said.value)
    path.write_text(text.replace("grades", "grade"))
    with pytest.raises(ms.SpecError) as said:
        load_calibration(path)
    assert "120 is out of bounds" in str(said.value) and "'lineage' is missing" in str(said.value)
    with pytest.raises(ms.SpecError, match="no calibration 'cemsidomid'; did you mean 'cemsidomide'"):
        load_calibration("cemsidomid")
