"""How far visits may slip, against designs with the visit moved."""

from __future__ import annotations

import numpy as np
import pytest

import myelosim as ms
from myelosim.errors import SpecError
from myelosim.spec.design import Group, Sampling

MODEL = ms.load_model("generic_oral_2cmt_friberg")
ASKED = {
    "parameters": ["neutrophil.baseline", "neutrophil.mtt", "drug.neutrophil.slope"],
    "omega": {"neutrophil.baseline": 0.16, "neutrophil.mtt": 0.04}, "sigma": {"neutrophil.proportional": 0.2},
}  # fmt: skip
DAYS = [0, 6, 10, 21]


def design(days=DAYS, **more):
    return ms.evaluate_design(
        MODEL, "drug 120 mg once", days=days, subjects=12, lineages=["neutrophil"], **ASKED, **more
    )


@pytest.fixture(scope="module")
def found():
    return design().windows(0.9)


def test_at_the_ends_of_a_window_the_efficiency_is_what_a_design_there_has(found):
    base = design()
    for row in found.itertuples():
        for day, worth in ((row.earliest, row.at_earliest), (row.latest, row.at_latest)):
            slipped = design([day if d == row.day else d for d in DAYS])
            assert slipped.efficiency(base) == pytest.approx(worth, rel=1e-4)
            assert worth >= 0.9


def test_a_step_further_is_too_far_or_another_visits_day(found):
    base, step, some = design(), 3 / 24, 0
    for k, row in enumerate(found.itertuples()):
        for end, sign, beside in ((row.earliest, -1, k - 1), (row.latest, 1, k + 1)):
            further = end + sign * step
            if further < 0 or abs(further - row.day) > 7 or further in DAYS:
                continue
            some += 1
            assert design([further if d == row.day else d for d in DAYS]).efficiency(base) < 0.9, (row, beside)
    assert some >= 2


def test_windows_stay_between_neighbors_and_after_the_beginning(found):
    assert found.earliest[0] == 0.0 and (found.earliest <= found.day).all() and (found.day <= found.latest).all()
    assert (found.latest[:-1].to_numpy() < found.day[1:].to_numpy()).all()
    assert (found.earliest[1:].to_numpy() > found.day[:-1].to_numpy()).all()
    assert found.attrs["worst"] <= found.attrs["low"] <= found.attrs["mean"] and found.attrs["slips"] > 100


def test_a_lower_level_leaves_wider_windows(found):
    wider = design().windows(0.7)
    assert (wider.earliest <= found.earliest).all() and (wider.latest >= found.latest).all()
    assert (wider.latest - wider.earliest).sum() > (found.latest - found.earliest).sum()


def test_groups_slip_by_themselves_with_all_that_is_looked_at():
    regimen = ms.Regimen.parse("drug 120 mg once")
    groups = (
        Group(
            "a", regimen, 6, (Sampling(("neutrophil",), (0.0, 7.0)), Sampling(("drug",), (0.0, 0.25), order="after"))
        ),
        Group("b", regimen, 6, (Sampling(("neutrophil",), (5.0, 12.0)),)),
    )
    more = ASKED | {"parameters": [*ASKED["parameters"], "drug.cl"]}
    more["sigma"] = more["sigma"] | {"drug.proportional": 0.1}
    base = ms.evaluate_design(MODEL, groups=groups, blood_loss=False, **more)
    found = base.windows(0.95, step=6)
    assert found[["group", "day"]].to_numpy().tolist() == [["a", 0.0], ["a", 0.25], ["a", 7.0], ["b", 5.0], ["b", 12.0]]
    assert np.all(found[["at_earliest", "at_latest"]] >= 0.95) and found.attrs["slips"] > 0


def test_what_cannot_be():
    with pytest.raises(SpecError, match=r"efficiency = 1.2 is not possible"):
        design().windows(1.2)
    with pytest.raises(SpecError, match="does not tell what its criterion asks for"):
        design([1]).windows()
