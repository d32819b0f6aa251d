"""What more visits and more subjects buy."""

import numpy as np
import pytest
from search_cases import ANC, DAYS, PK, anc, pk_best, pk_group

import myelosim as ms
from myelosim.spec.design import Limits

MODEL = ms.load_model("generic_oral_1cmt")


def test_each_row_is_the_best_design_of_its_size():
    front = ms.design_front(MODEL, groups=[pk_group(visits=(3, 6), subjects=(6, 12))], numbers=[6, 12], **PK)
    assert [(row.visits, row.subjects) for row in front.itertuples()] == [(k, n) for n in (6, 12) for k in range(3, 7)]
    for row in front.itertuples():
        best = pk_best([pk_group(visits=(row.visits,) * 2, subjects=(row.subjects,) * 2)])
        assert row.criterion == pytest.approx(best.criterion, rel=1e-9)
        assert row.days == ", ".join(f"{day:g}" for day in best.days) and row.draws == best.draws
        assert row.rse == pytest.approx(max(best.rse[name] for name in PK["parameters"]))
    assert front.efficiency.max() == 1.0 and front.knee.sum() == 1
    assert np.all(np.diff(front.criterion[:4]) > 0)


def test_the_cheapest_that_is_precise_enough():
    model, regimen = anc()
    asked = {"candidate_days": range(0, 29, 2), "visits": (3, 9), "subjects": 20, **ANC}
    front = ms.design_front(model, regimen, wanted={"drug.neutrophil.slope": 85}, **asked)
    enough = []
    for row in front.itertuples():
        days = [float(day) for day in row.days.split(", ")]
        enough.append(
            ms.evaluate_design(model, regimen, days=days, subjects=20, **ANC).rse["drug.neutrophil.slope"] <= 85
        )
    assert list(front.meets) == enough and any(enough) and not all(enough)
    assert front.criterion[0] == 0.0 and front.rse[0] == np.inf  # three visits of four thetas
    assert list(front.visits[front.cheapest]) == [front.visits[front.meets].min()]


def test_costs_decide_what_is_cheapest_and_limits_what_is_there():
    groups = [pk_group(visits=(3, 8), subjects=(6, 12), fixed=(1.0,))]
    limits = Limits(gap=0.25, per_subject=100.0, per_draw=1.0)
    front = ms.design_front(MODEL, groups=groups, limits=limits, numbers=[6, 12], wanted=100, **PK)
    assert front.visits.max() == 6  # 0.05, 0.4, 0.7, 1, 1.5, 2
    row = front[front.cheapest].iloc[0]
    assert row.subjects == 6 and row.cost == front.cost[front.meets].min() == 6 * (100 + row.visits)


def test_several_groups_share_the_subjects():
    groups = [pk_group("a", subjects=(2, 8)), pk_group("b", subjects=(2, 8), days=DAYS[4:], visits=(2, 2))]
    front = ms.design_front(MODEL, groups=groups, numbers=[6, 10], **PK)
    assert list(front.subjects) == [6, 6, 10, 10]
    with pytest.raises(ms.SpecError, match="3 subjects are fewer"):
        ms.design_front(MODEL, groups=groups, numbers=[3], **PK)


def test_a_file_says_all_of_it():
    asked = {
        "model": "generic_oral_1cmt", "observe": ["drug"], "candidate_days": [0.05, 0.25, 1, 2],
        "visits": {"from": 3, "to": 4}, "free": "listed", "residual": {"drug": {"proportional": 0.2}}, "prior": "",
        "group": [{"name": "all", "dose": "100 mg once", "subjects": 6}],
        "estimate": {name: {} for name in PK["parameters"]}, "criterion": "A",
    }  # fmt: skip
    front = ms.design_front(ms.load_design(asked), wanted=30)
    for visits, row in zip((3, 4), front.itertuples(), strict=True):
        best = ms.run_design({**asked, "visits": visits}).design
        assert row.visits == visits and row.criterion == pytest.approx(best.criterion)
        assert row.meets == all(best.rse[name] <= 30 for name in PK["parameters"])


@pytest.mark.parametrize(
    "more, said",
    [
        ({"wanted": {"drug.clx": 30}}, "wanted: 'drug.clx' is not estimated; did you mean 'drug.cl'"),
        ({"wanted": -3}, "no relative standard error"),
        ({"numbers": [0]}, "numbers: 0 is not possible"),
        ({"limits": Limits(gap=5.0)}, "gap"),
    ],
)
def test_what_cannot_be_asked(more, said):
    with pytest.raises(ms.SpecError) as error:
        ms.design_front(MODEL, groups=[pk_group()], **PK, **more)
    assert said in str(error.value)
