"""What cannot be asked for, and which limit leaves no design."""

from dataclasses import replace

import pytest
from search_cases import ANC, anc, pk_best, pk_group

import myelosim as ms
from myelosim.designing.opened import limited
from myelosim.spec.design import Limits

MOUSE = ms.load_model("cemsidomide", species="mouse")


def mouse(**more):
    asked = {"candidate_days": range(0, 29), "visits": 3, "subjects": 6, "lineages": ["neutrophil"], **more}
    return ms.optimize_design(MOUSE, "cemsidomide 1 mg/kg QD d1-14", parameters=["neutrophil.baseline"], **asked)


@pytest.mark.parametrize(
    "asked, said, unsaid",
    [
        ({"visits": 5}, ["four_weeks allows 0.281 mL within 28 days", "3 draws are possible"], ["two_weeks", "gap"]),
        ({"draw": "0.3 mL", "visits": 1}, ["single allows", "0 draws are possible"], ["gap"]),
        ({"gap": 20}, ["gap: visits are at least 20 days apart", "2 draws are possible"], ["weekly", "capacity"]),
        (
            {"candidate_days": [5, 6, 12, 13, 19, 20], "weekdays": True, "visits": 2},
            ["weekdays: no visit on a weekend"],
            ["gap"],
        ),
        ({"limits": Limits(capacity=5)}, ["capacity: 5 samples"], ["budget", "weekly"]),
        (
            {"limits": Limits(budget=20, per_subject=2, per_draw=1)},
            ["budget: the study may cost 20", "12"],
            ["capacity"],
        ),
        ({"fixed_days": [3, 5], "visits": 2}, ["fixed_days and weekly"], ["gap", "capacity"]),
        ({"candidate_days": [0, 3, 7, 10], "gap": 5, "draw": 0.02}, ["because of gap:", "2 draws"], ["weekly"]),
    ],
)
def test_the_limit_that_leaves_no_design_is_named(asked, said, unsaid):
    with pytest.raises(ms.SpecError) as error:
        mouse(**asked)
    text = str(error.value)
    assert all(words in text for words in said), text
    assert not any(words in text for words in unsaid), text


@pytest.mark.parametrize(
    "asked, said",
    [
        ({"visits": 30}, "30 visits cannot be chosen among 29 candidate days"),
        ({"subjects": 0}, "subjects: 0 is not possible"),
        ({"subjects": (3, 2)}, "subjects: [3, 2] is not possible"),
        ({"visits": 0}, "visits: 0 is not possible"),
        ({"visits": True}, "visits: true is not possible"),
        ({"visits": None}, "design: give visits"),
        ({"fixed_days": [0, 7, 14, 21]}, "4 days are fixed"),
        ({"first_day": "mondy"}, "first_day: 'mondy' is no day; did you mean 'monday'"),
        ({"structure": "alternate"}, "structure 'alternate' is not known; did you mean 'alternating'"),
        ({"structure": "alternating", "parts": 7}, "7 parts of 6 subjects"),
        ({"structure": "terminal", "visits": 7}, "7 terminal days need 7 subjects"),
        ({"search": "quick"}, "search: 'quick' is not known"),
        ({"gap": -1}, "limits: gap = -1 is not possible"),
        ({"gap": 3, "limits": Limits()}, "limits: say gap"),
        ({"doses": ["cemsidomide 2 mg/kg once"]}, "leave regimen out, or doses"),
        ({"candidate_days": [1, 2, 2]}, "there twice"),
    ],
)
def test_what_cannot_be_asked(asked, said):
    with pytest.raises(ms.SpecError) as error:
        mouse(**asked)
    assert said in str(error.value)


def test_a_group_of_nobody_is_refused():
    with pytest.raises(ms.SpecError, match=r"group a: subjects: \[0, 0\]"):
        pk_best([pk_group("a", subjects=(0, 0))])


def test_subjects_in_all_must_do_for_the_groups():
    with pytest.raises(ms.SpecError, match="limits: subjects = 10, and the groups have at least 12"):
        pk_best([pk_group("a", subjects=(6, 6)), pk_group("b", subjects=(6, 6))], limits=Limits(subjects=10))


def test_what_no_day_tells_is_named():
    model, regimen = anc()
    with pytest.raises(ms.SpecError, match=r"no allowed set of visits determines .*gamma"):
        ms.optimize_design(model, regimen, candidate_days=range(1, 29), visits=1, subjects=20, **ANC)
    with pytest.raises(ms.SpecError, match=r"neutrophil.mtt, .*gamma.* cannot be determined, not even"):
        ms.optimize_design(model, regimen, candidate_days=[0], visits=1, subjects=20, **ANC)


def test_limits_that_cannot_be_held_to_are_a_warning():
    bare = replace(MOUSE, subjects=replace(MOUSE.subjects, draw_volume=None))
    best = ms.optimize_design(
        bare, "cemsidomide 1 mg/kg QD d1-14", candidate_days=range(0, 8), visits=7, subjects=6, lineages=["neutrophil"],
        parameters=["neutrophil.baseline"],
    )  # fmt: skip
    assert "blood" in [warning.code for warning in best.warnings]


def test_terminal_animals_tell_no_error_from_differences_between_them():
    model, regimen = anc()
    asked = {"candidate_days": range(1, 29, 4), "visits": (4, 5), "subjects": 8, "structure": "terminal"}
    with pytest.raises(ms.SpecError, match=r"omega neutrophil.baseline.*bleed subjects more than once"):
        ms.optimize_design(model, regimen, **asked, **ANC)
    known = {**ANC, "omega": {}, "parameters": ANC["parameters"][:2]}
    best = ms.optimize_design(model, regimen, **asked, **known)
    assert best.subjects == 8 and all(len(group.days) == 1 for group in best.groups)
    assert 0.5 < best.found["bound"] <= 1 and best.found["bound_exact"]


def test_weekdays_are_no_list():
    with pytest.raises(ms.SpecError, match="is neither True"):
        limited([], weekdays=["mon"])
