"""Design files."""

import re
from dataclasses import replace

import pytest

import myelosim as ms
from myelosim.spec.design import OpenSampling
from myelosim.spec.designs import load_design
from myelosim.spec.library import files

GOOD = {
    "model": "generic_oral_2cmt_friberg",
    "candidate_days": [1, 3, 5, 7, 10, 14],
    "visits": 3,
    "group": [{"name": "one", "dose": "drug 40 mg once", "subjects": 8}],
}


def said(**changes):
    with pytest.raises(ms.SpecError) as caught:
        load_design(GOOD | changes)
    return str(caught.value)


def group(**changes):
    return [{**GOOD["group"][0], **changes}]


def test_what_a_file_does_not_say_has_its_default():
    held = load_design(GOOD)
    (one,) = held.groups
    assert one.samplings == (OpenSampling(("neutrophil",), (1.0, 3.0, 5.0, 7.0, 10.0, 14.0), (3, 3)),)
    assert (one.subjects, one.structure, held.criterion, held.fim, held.limits.blood) == (
        (8, 8), "together", "D", "reduced", "species",
    )  # fmt: skip
    assert (held.windows, held.blood_loss, held.prior, held.alternatives) == (0.9, False, "", ())


def test_everything_a_file_can_say():
    held = load_design(
        GOOD
        | {
            "visits": {"from": 2, "to": 4}, "fixed_days": [1], "gap": "2 d", "weekdays": True, "first_day": "tuesday",
            "order": "after", "structure": "alternating", "parts": 3, "criterion": "Ds", "interest": ["neutrophil.mtt"],
            "fim": "full", "linearization": "foce", "lloq": {"neutrophil": "0.1 10^9/L"}, "windows": False, "seed": 7,
            "blood": {"draw": "200 uL", "limits": "none", "loss": True}, "limits": {"capacity": 9, "budget": 100},
            "cost": {"per_draw": 2, "per_subject": 3, "per_day": 1}, "robust": {"uncertain": {"neutrophil.mtt": 0.2}, "draws": 8},
            "decision": {"what": "risk", "lineage": "neutrophil", "dose": "40 mg once", "days": 21, "grade": 4},
            "estimate": {"neutrophil.mtt": {"start": "100 h", "omega": 0.04}}, "free": "listed",
            "residual": {"neutrophil": {"proportional": 0.2}}, "alternative": [{"name": "a", "days": "d4,6"}],
            "set": {"neutrophil.gamma": 0.2},
            "group": [{"name": "one", "doses": ["drug 20 mg once", "none"], "subjects": {"from": 3, "to": 9}}],
        }
    )  # fmt: skip
    (one,) = held.groups
    (visits,) = one.samplings
    assert (visits.visits, visits.fixed, visits.draw, visits.order) == ((2, 4), (1.0,), 0.2, "after")
    assert (one.structure, one.parts, one.subjects, len(one.regimens), one.regimens[1].events) == (
        "alternating", 3, (3, 9), 2, (),
    )  # fmt: skip
    assert (held.limits.gap, held.limits.first_day, held.limits.capacity, held.limits.per_draw) == (2, "tuesday", 9, 2)
    assert held.robust.uncertain == {"neutrophil.mtt": 0.2}
    assert (held.decision.what, held.decision.grade, held.decision.regimen.drugs) == ("risk", 4, ("drug",))
    assert held.alternatives[0].days == (3.0, 5.0)
    assert held.estimate["free"] == ["neutrophil.mtt"]
    assert held.model.parameters["neutrophil.gamma"].value == 0.2
    assert held.lloq == {"neutrophil": 0.1} and held.windows is None and held.blood_loss


def test_several_kinds_of_visits():
    held = load_design(
        {
            **{key: value for key, value in GOOD.items() if key not in ("candidate_days", "visits")},
            "residual": {"drug": {"proportional": 0.2}},
            "sampling": [
                {"observe": "neutrophil", "days": [3, 7, 10], "visits": 2, "draw": "0.5 mL"},
                {"observe": ["drug"], "hours": [1, 6, 24], "fixed": [1 / 24]},
            ],
        }
    )
    counts, kinetics = held.groups[0].samplings
    assert counts == OpenSampling(("neutrophil",), (3.0, 7.0, 10.0), (2, 2), (), 0.5)
    assert kinetics == OpenSampling(("drug",), (1 / 24, 0.25, 1.0), (3, 3), (1 / 24,))


def test_interest_by_any_name():
    asked = {"interest": ["drug.slope", "omega neutrophil.mtt"], "estimate": {"neutrophil.mtt": {"omega": 0.04}}}
    held = load_design(GOOD | {"criterion": "Ds"} | asked)
    assert held.interest == ("drug.neutrophil.slope", "omega neutrophil.mtt")


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"visits": 9}, "visits: 9 visits are more than the 6 candidate_days"),
        ({"visits": {"from": 4, "to": 2}}, "from 4 is more than to 2"),
        ({"fixed_days": [2]}, "day 2 is not among candidate_days"),
        ({"candidate_days": "d1 daily"}, "say where they end"),
        ({"candidate_days": 3}, "3 is not a list of days"),
        ({"group": []}, "there is no [[group]]"),
        ({"group": group(subjects=0)}, "0 is too small; it must be 1 or more"),
        ({"group": group(dose="drugg 4 mg once")}, "drugg"),
        ({"group": group() * 2}, "two groups are called 'one'"),
        ({"group": group(weight="2 kg", structure="terminel")}, "did you mean 'terminal'"),
        ({"group": group(structure="alternating", subjects=1)}, "cannot be divided into 2 parts"),
        ({"criterion": "Ds"}, "needs interest"),
        ({"criterion": "Ds", "interest": ["lifespan"]}, "'lifespan' is not estimated"),
        ({"criterion": "ED"}, "needs [robust]"),
        ({"criterion": "risk"}, "needs [decision]"),
        ({"decision": {"lineage": "platelet", "dose": "40 mg once"}}, "no lineage 'platelet'"),
        ({"lloq": {"platelet": 1}}, "'platelet' is not looked at"),
        ({"limits": {"budget": 5}}, "a budget needs [cost]"),
        ({"prior": "nowhere"}, 'nowhere is not there; give "model"'),
        ({"windows": 2}, "2 is neither an efficiency between 0 and 1"),
        ({"alternative": [{"name": "x"}]}, "'days' is missing"),
        ({"alternative": [{"name": "x", "days": []}]}, "missing or empty"),
        ({"alternative": [{"name": "proposed", "days": [3]}]}, "another design is called 'proposed'"),
        ({"decision": {"what": "risk", "lineage": "neutrophil", "dose": "40 mg once", "grade": 5}}, "5 is too large"),
        ({"decision": {"lineage": "neutrophil", "dose": "drugg 4 mg once"}}, "decision.dose"),
        ({"criterium": "D"}, "did you mean 'criterion'"),
        ({"sampling": [{"days": [3]}]}, "is said by each [[sampling]]"),
        ({"estimate": {"neutrophil.mtt": {"start": "9 kg"}}}, "kg"),
    ],
)
def test_what_cannot_be_is_said(changes, sentence):
    assert sentence in said(**changes)


def test_everything_is_said_at_once():
    assert len(said(visits=9, criterion="E", gap=-1).splitlines()) == 3


def test_a_prior_is_the_folder_of_a_fit(tmp_path):
    assert load_design(GOOD | {"prior": str(tmp_path)}).prior == str(tmp_path)
    with pytest.raises(ms.SpecError, match=r"prior: .*nowhere is not there; give"):
        load_design(GOOD | {"prior": str(tmp_path / "nowhere")})


def test_designs_are_found_by_name():
    assert files("designs")
    with pytest.raises(ms.SpecError, match=re.escape("did you mean 'cemsidomide_mouse'")):
        load_design("cemsidomide_mous")


@pytest.mark.parametrize("name", sorted(files("designs")))
def test_shipped_designs_load(name):
    held = load_design(name)
    assert held.name == name and held.title != name
    assert "days 3, 5, 7, 10, 14" in [one.name for one in held.alternatives]
    assert load_design(held.path).spec_hash == held.spec_hash != replace(held, seed=99).spec_hash
