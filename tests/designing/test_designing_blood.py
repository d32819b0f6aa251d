"""Blood against limits worked out by hand, and the dip that draws leave."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import myelosim as ms
from myelosim.errors import SpecError
from myelosim.spec.design import Group, Sampling

MOUSE = ms.load_model("cemsidomide", species="mouse").subjects
MODEL = replace(ms.load_model("generic_oral_2cmt_friberg"), subjects=MOUSE)
SEEDS = (3.0, 5.0, 7.0, 10.0, 14.0)


def design(model=MODEL, *, samplings=None, **more):
    """Untreated mice."""
    visits = samplings or (Sampling(("neutrophil",), SEEDS, draw=0.1),)
    group = Group("mice", ms.Regimen(()), 6, visits, covariates={"weight": 0.02}, **more)
    return ms.evaluate_design(
        model, groups=[group], parameters=["neutrophil.baseline", "neutrophil.mtt"], omega={"neutrophil.baseline": 0.1},
        sigma={"neutrophil.proportional": 0.2},
    )  # fmt: skip


def test_a_mouse_of_20_g_gives_no_five_draws_of_100_ul():
    """It holds 1.5 mL: 0.15 at once, 0.1 a week (0.5 % of weight), 0.2 in 14 days."""
    table = design().blood.set_index("limit")
    assert table.index.tolist() == ["single", "weekly", "two_weeks", "four_weeks", "study"]
    np.testing.assert_allclose(table.taken, [0.1, 0.3, 0.5, 0.5, 0.5])
    np.testing.assert_allclose(table.allowed[:3], [0.15, 0.1, 0.2])
    np.testing.assert_allclose(table.share[:3], [2 / 3, 3, 2.5])
    np.testing.assert_allclose(table.of_blood, [1 / 15, 0.2, 1 / 3, 1 / 3, 1 / 3])
    assert np.isnan(table.loc["study", ["allowed", "share"]].to_numpy(float)).all()
    said = [str(one) for one in design().warnings if one.code == "blood"]
    assert len(said) == len(table) - 2
    assert said[0].startswith("blood: group mice: weekly: 0.3 mL within 7 days, 0.1 mL are allowed")


def test_draws_of_several_volumes_count_together():
    both = (Sampling(("neutrophil",), (0.0, 9.0), draw=0.04), Sampling(("neutrophil",), (0.25, 0.5), draw=0.02))
    table = design(samplings=both).blood.set_index("limit")
    np.testing.assert_allclose(table.taken, [0.08, 0.08, 0.12, 0.12, 0.12])
    assert not [one for one in design(samplings=both).warnings if one.code == "blood"]


def test_terminal_bleeds_have_no_limit():
    once = (Sampling(("neutrophil",), (7.0,), draw=0.6),)
    assert [one.code for one in design(samplings=once).warnings if one.code == "blood"]
    assert not [one.code for one in design(samplings=once, terminal=True).warnings if one.code == "blood"]
    assert design(samplings=once, terminal=True).blood["limit"].tolist() == ["study"]


def test_a_draw_takes_its_share_of_the_red_cells():
    model = replace(ms.load_model("generic_three_lineage"), subjects=MOUSE)
    base = design()
    ds = replace(base, question=replace(base.question, model=model)).trajectories(step=24.0)
    assert dict(ds.sizes) == {"group": 1, "drawn": 2, "lineage": 3, "time": 15}
    lost = 1 - ds["count"].sel(drawn="yes") / ds["count"].sel(drawn="no")
    hemoglobin = lost.sel(group="mice", lineage="hemoglobin")
    assert hemoglobin.sel(time=slice(0, 2)).max() < 1e-9
    assert float(hemoglobin.sel(time=4)) == pytest.approx(0.1 / 1.5, rel=0.1)
    assert 0.15 < float(hemoglobin.sel(time=14)) < 1 / 3


def test_what_is_lost_is_missing_from_the_looks_too():
    """Where nothing else moves the counts, their return after draws is all that tells of the transit time."""
    base = design()
    assert [one.text for one in base.warnings if one.code == "blind"] and base.information[1, 1] == pytest.approx(
        0.0, abs=1e-9
    )
    lost = replace(base.question, blood_loss=True).information(base.groups)
    assert lost[1, 1] > 1e-6 and lost[0, 0] == pytest.approx(base.information[0, 0], rel=1e-3)


def test_what_a_further_visit_would_tell_reckons_with_its_draw():
    mouse = ms.load_model("cemsidomide", species="mouse", variant="humanized_crbn")

    def looked(days):
        return ms.evaluate_design(
            mouse, "cemsidomide 150 ug QD d1-14", days=days, subjects=12, lineages=["erythroid"], parameters=["erythroid.gamma"],
            omega={"erythroid.baseline": 0.0025}, draw=0.1, blood_loss=True,
        )  # fmt: skip

    said = looked(SEEDS).identifiability().loc["erythroid.gamma", "help"]
    day, *errors = re.match(r"a visit on day (\S+): rse of erythroid.gamma (\S+) % -> (\S+) %", said).groups()
    also = [looked(days).rse["erythroid.gamma"] for days in (SEEDS, (*SEEDS, float(day)))]
    assert errors == [f"{one:,.0f}" for one in also] and also[1] < also[0]


def test_without_a_volume_nothing_is_said_or_simulated():
    unknown = replace(MODEL, subjects=replace(MOUSE, blood_volume=None))
    assert not [one for one in design(unknown).warnings if one.code == "blood"]
    assert np.isnan(design(unknown).blood.of_blood).all()
    with pytest.raises(SpecError, match="needs the blood volume"):
        design(unknown).trajectories()


def test_what_must_be_known_of_the_model_is_said():
    told = replace(MODEL, warnings=("half of it is guessed",))
    assert [str(one) for one in design(told).warnings if one.code == "model"] == ["model: half of it is guessed"]
