"""Designs that a file describes: run, told and written."""

import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import myelosim as ms
from myelosim.designing.agenda import calendar, numbered
from myelosim.designing.pictured import curves, visits
from myelosim.designing.run import run_design
from myelosim.spec.design import Group, Sampling

FILE = {
    "title": "A small study",
    "model": "generic_oral_2cmt_friberg",
    "candidate_days": [0, 3, 5, 7, 10, 14, 21],
    "visits": 4,
    "weekdays": True,
    "free": "listed",
    "estimate": {
        "neutrophil.baseline": {"omega": 0.1},
        "neutrophil.mtt": {"omega": 0.04},
        "drug.neutrophil.slope": {},
    },
    "residual": {"neutrophil": {"proportional": 0.2}},
    "group": [
        {"name": "low", "dose": "20 mg BID d1-7", "subjects": 6},
        {"name": "high", "dose": "80 mg BID d1-7", "subjects": 9, "structure": "alternating"},
    ],
    "decision": {"lineage": "neutrophil", "dose": "80 mg BID d1-7"},
    "alternative": [{"name": "seeds", "days": [3, 5, 7, 10, 14]}, {"name": "once", "days": [0]}],
}


@pytest.fixture(scope="module")
def found():
    return run_design(FILE)


def test_the_best_is_no_worse_than_what_is_evaluated(found):
    asked = found.asked
    for days in ((0.0, 3.0, 7.0, 10.0), (3.0, 7.0, 10.0, 14.0)):
        looked = (Sampling(("neutrophil",), days),)
        other = ms.evaluate_design(
            asked.model, groups=[Group(one.name, one.regimens[0], one.subjects[0], looked) for one in asked.groups],
            parameters=list(asked.estimate["free"]), omega={"neutrophil.baseline": 0.1, "neutrophil.mtt": 0.04},
            sigma={"neutrophil.proportional": 0.2},
        )  # fmt: skip
        assert other.criterion <= found.design.criterion * (1 + 1e-9)


def test_alternatives_have_the_groups_of_the_design(found):
    seeds = found.alternatives["seeds"]
    assert seeds.days == [3, 5, 7, 10, 14]
    assert [(one.name, one.subjects) for one in seeds.groups] == [("low", 6), ("high", 9)]
    assert found.efficiency["seeds"] == pytest.approx(seeds.criterion / found.design.criterion)
    table = found.design.found["alternatives"].set_index("design")
    assert table["efficiency"]["seeds"] == pytest.approx(found.efficiency["seeds"], rel=1e-6)


def test_what_is_not_determined_is_infinite_and_said_so(found):
    assert np.isinf(found.rse["once"]["drug.neutrophil.slope"])
    line = next(line for line in found.report().splitlines() if "drug.neutrophil.slope" in line)
    assert line.rstrip().endswith("not determined")
    assert found.alternatives["once"].efficiency(found.design) == 0.0


def test_a_design_that_tells_nothing_is_told_with_what_would_help():
    held = run_design({**FILE, "candidate_days": [3], "visits": 1, "weekdays": False, "group": FILE["group"][:1]})
    assert np.isnan(held.efficiency["proposed"]) and held.efficiency["seeds"] == np.inf and held.windows is None
    assert "What would help" in held.report() and "a visit on day" in held.report()
    with pytest.raises(ms.SpecError, match="no visit on a weekend"):
        run_design({**FILE, "candidate_days": [4, 5], "visits": 2, "group": FILE["group"][:1]})
    with pytest.raises(ms.SpecError, match="verify: 1 times"):
        run_design(FILE, verify=1)


def test_the_calendar_has_every_animal_on_its_days(found):
    table = calendar(found.design, found.asked.limits, found.windows)
    assert table["subjects"].sum() == found.design.draws
    assert (table["study_day"] == table["day"] + 1).all()
    assert not set(table["weekday"]) & {"saturday", "sunday"}
    assert ((table["earliest"] <= table["day"]) & (table["day"] <= table["latest"])).all()
    numbers = [list(map(int, text.split("-"))) for text in numbered(found.design).values()]
    assert numbers[0][0] == 1 and numbers[-1][-1] == 15
    assert all(a[-1] + 1 == b[0] for a, b in pairwise(numbers))


def test_the_report_says_under_what_it_is_optimal(found):
    text = " ".join(found.report().split())
    assert "optimal only under this model" in text and "no visit on weekends" in text
    assert re.search(r"\d+ of \d+ parameters are assumed", text)


def test_a_file_that_leaves_no_choice_is_evaluated():
    given = {**FILE, "weekdays": False, "group": FILE["group"][:1], "alternative": []}
    del given["visits"]
    held = run_design(given)
    assert not held.chosen and held.design.days == FILE["candidate_days"]
    assert "evaluated by" in held.report()


def test_curves_are_what_is_simulated_and_slopes_what_differences_are(found):
    table = curves(found)
    high = table[table["group"] == "high"].set_index("day")
    model, regimen = found.asked.model, found.asked.groups[1].regimens[0]

    def counts(**changes):
        ds = ms.simulate(model.replace(changes), regimen, times=24 * high.index.to_numpy())
        return ds["count"].sel(lineage="neutrophil").to_numpy()[0]

    value = model.parameters["neutrophil.mtt"].value
    np.testing.assert_allclose(high["value"], counts(), rtol=1e-5)
    up, down = (counts(**{"neutrophil.mtt": value * factor}) for factor in (1.001, 0.999))
    np.testing.assert_allclose(high["neutrophil.mtt"], np.log(up / down) / np.log(1.001 / 0.999), atol=2e-3)
    assert (high["low"] < high["value"]).all() and (high["value"] < high["high"]).all()
    assert set(visits(found)["design"]) == {"proposed", "seeds", "once"}


def test_a_design_is_written_whole(found, tmp_path):
    files = {one.name for one in found.save(tmp_path / "out")}
    assert files == {
        "design.json", "report.txt", "calendar.csv", "blood.csv", "rse.csv", "fim.csv", "alternatives.csv", "figure.png",
    }  # fmt: skip
    about = json.loads((tmp_path / "out" / "design.json").read_text())
    assert about["spec_hash"] == found.asked.spec_hash and about["seed"] == 1
    assert about["versions"]["numpy"] == np.__version__
    promised = found.design.predicted(found.asked.decision)
    told = about["decision"]["designs"]["proposed"]
    assert about["decision"]["about"].startswith("typical nadir, neutrophil, drug 80 mg BID d1-7")
    assert all(told[key] == pytest.approx(promised[key].iloc[0]) for key in ("value", "se", "low", "high"))
    assert about["decision"]["designs"]["seeds"]["se"] != told["se"]
    assert "To be decided: typical nadir" in (tmp_path / "out" / "report.txt").read_text()
    fim = pd.read_csv(tmp_path / "out" / "fim.csv", index_col=0)
    np.testing.assert_allclose(fim, found.design.fim, rtol=1e-12)
    with pytest.raises(ms.SpecError, match="overwrite"):
        found.save(tmp_path / "out")
    assert found.save(tmp_path / "out", figure=False, overwrite=True)
    assert not (tmp_path / "out" / "figure.png").exists()


def test_a_check_is_told_beside_what_was_expected():
    held = run_design({**FILE, "group": FILE["group"][:1], "windows": False, "alternative": []}, verify=2)
    assert {"expected_rse", "empirical_rse"} <= set(held.verified.columns)
    assert "Simulated and fitted 2 times" in held.report() and "chance alone gives ratios" in held.report()


def test_the_model_of_a_fit_is_a_prior(tmp_path):
    model = ms.load_model("generic_oral_2cmt_friberg")
    held = dict(model.parameters)
    mtt = replace(held["neutrophil.mtt"], se=0.1)
    replace(model, parameters={**held, "neutrophil.mtt": mtt}).save(tmp_path / "model.toml")
    without = {**FILE, "group": FILE["group"][:1], "windows": False, "alternative": [], "weekdays": False}
    before, after = run_design(without), run_design({**without, "prior": str(tmp_path)})
    assert after.design.rse["neutrophil.mtt"] < min(10.0, before.design.rse["neutrophil.mtt"])
    assert f"with what is known before (prior: {tmp_path.name})" in after.report() and "before (" not in before.report()


def test_a_figure_that_fails_costs_no_number(found, tmp_path, monkeypatch):
    def fails(_):
        raise ValueError("no ink")

    monkeypatch.setattr("myelosim.designing.pictured.draw", fails)
    with pytest.warns(ms.MyelosimWarning, match=re.escape("figure.png could not be drawn: ValueError: no ink")):
        files = found.save(tmp_path / "made")
    assert {"rse.csv", "design.json"} <= {one.name for one in files} and "figure.png" not in {one.name for one in files}
