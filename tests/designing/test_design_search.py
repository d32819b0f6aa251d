"""Searches against every design there is."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from search_cases import ANC, DAYS, PK, anc, pk_best, pk_group, pk_space

import myelosim as ms
from myelosim.designing import certificate as proofs
from myelosim.designing.certificate import certificate
from myelosim.designing.exhaust import exhaust
from myelosim.designing.search import search
from myelosim.designing.space import Choice, Part
from myelosim.spec.design import Alternative, Decision, Group, Limits, OpenSampling, Robust, Sampling


def chosen(design):
    return [(group.days, group.subjects) for group in design.groups]


def test_exchange_finds_the_best_of_4845_sets():
    model, regimen = anc()
    asked = {"candidate_days": range(1, 21), "visits": 4, "subjects": 20, **ANC}
    every = ms.optimize_design(model, regimen, **asked, search="exact")
    assert every.found["looked"] == 4_845 and every.found["exact"]
    fast = ms.optimize_design(model, regimen, **asked, search="exchange")
    assert fast.days == every.days and fast.criterion == every.criterion
    assert fast.found["how"].startswith("exchange") and not fast.found["exact"]
    table = every.found["alternatives"].set_index("design")
    seeds = ms.evaluate_design(model, regimen, days=[3, 5, 7, 10, 14], subjects=20, **ANC)
    assert table.efficiency["days 3, 5, 7, 10, 14"] == pytest.approx(seeds.criterion / every.criterion, rel=1e-9)
    assert table.efficiency.max() == 1.0 and np.all(np.diff(table.criterion[:6]) <= 0)


@pytest.mark.parametrize("criterion", ["D", "A"])
def test_the_best_set_is_the_best_of_designs_evaluated_one_by_one(criterion):
    model = ms.load_model("generic_oral_1cmt")
    asked = {"subjects": 12, "observe": ["drug"], "criterion": criterion, **PK}
    each = {
        days: ms.evaluate_design(model, "drug 100 mg once", days=list(days), **asked).criterion
        for days in combinations(DAYS, 3)
    }
    best = ms.optimize_design(model, "drug 100 mg once", candidate_days=list(DAYS), visits=3, **asked)
    assert tuple(best.days) == max(each, key=each.get)
    assert best.criterion == pytest.approx(max(each.values()), rel=1e-9)
    assert best.found["bound"] <= 1.0


def test_no_mixture_of_visits_beats_the_bound():
    space = pk_space([pk_group()])
    found = search(space)
    proof = certificate(space, found.states[0])
    sets = space.blocks[0].allowed.sets()
    assert proof.exact and 0 < proof.bound <= 1
    F = space.information(0, 0, sets)
    assert found.worth * (1 + 1e-9) >= space.criterion(space.known[:, None] + 12 * F).max()
    for share in (2, 6):
        pairs = share * F[0][:, None] + (12 - share) * F[0][None]
        worth = space.criterion((space.known + pairs.reshape(-1, *F.shape[2:]))[None])
        assert worth.max() <= found.worth / proof.bound * (1 + 1e-9)


def test_the_bound_is_what_the_best_mixture_reaches():
    """Weights of the D-optimal mixture of sets are found by multiplicative updates (Silvey, Titterington and Torsney 1978)."""
    space = pk_space([pk_group()])
    found = search(space)
    F = 12 * space.information(0, 0, space.blocks[0].allowed.sets())[0]
    w = np.full(len(F), 1 / len(F))
    for _ in range(3000):
        total = np.einsum("s,sij->ij", w, F)
        w *= np.einsum("ij,sji->s", np.linalg.inv(total), F) / len(total)
    ideal = float(space.criterion(total[None, None])[0])
    bound = certificate(space, found.states[0]).bound
    assert 0.99 * found.worth / ideal <= bound <= found.worth / ideal * (1 + 1e-9)


def test_a_bound_without_all_sets_says_so(monkeypatch):
    space = pk_space([pk_group()])
    state = search(space).states[0]
    monkeypatch.setattr(proofs, "STEPS", 1)
    every = proofs.certificate(space, state)
    monkeypatch.setattr(proofs, "WORK", 1.0)
    near = proofs.certificate(pk_space([pk_group()]), state)
    assert every.exact and not near.exact and near.bound == pytest.approx(every.bound, rel=1e-9)


def test_designs_for_decisions_and_over_worlds():
    model, regimen = anc()
    asked = {"candidate_days": range(1, 22, 3), "visits": 4, "subjects": 20, **ANC}
    plain = ms.optimize_design(model, regimen, **asked)
    decision = Decision("nadir", "neutrophil", regimen, 28.0)
    nadir = ms.optimize_design(model, regimen, criterion="nadir", decision=decision, **asked)
    other = ms.evaluate_design(
        model, regimen, days=plain.days, criterion="nadir", decision=decision,
        **{name: value for name, value in asked.items() if name not in ("candidate_days", "visits")},
    )  # fmt: skip
    assert nadir.criterion > other.criterion
    robust = Robust({"neutrophil.mtt": 0.2, "drug.neutrophil.slope": 0.3}, draws=2)
    least = ms.optimize_design(model, regimen, criterion="maximin", robust=robust, **asked)
    assert 0.3 < least.criterion <= 1.0 + 1e-9
    mean = ms.optimize_design(model, regimen, criterion="ED", robust=robust, **asked)
    again = ms.evaluate_design(
        model, regimen, days=mean.days, criterion="ED", robust=robust,
        **{name: value for name, value in asked.items() if name not in ("candidate_days", "visits")},
    )  # fmt: skip
    assert mean.criterion == pytest.approx(again.criterion, rel=1e-9)


def test_parts_with_visits_of_their_own_are_never_worse():
    together = pk_best([pk_group()])
    apart = pk_best([pk_group(visits=(3, 3), structure="alternating")])
    assert apart.criterion >= together.criterion and apart.found["exact"]
    assert apart.criterion <= together.criterion / together.found["bound"] * (1 + 1e-9)
    fast = pk_best([pk_group(visits=(3, 3), structure="alternating")], search="exchange")
    assert chosen(fast) == chosen(apart)


@settings(max_examples=5, deadline=None)
@given(order=st.permutations(DAYS))
def test_the_order_of_candidates_does_not_count(order):
    space, other = pk_space([pk_group()]), pk_space([pk_group(days=tuple(order))])
    assert search(space).states == search(other).states


def test_a_group_in_two_halves_is_the_group():
    one = pk_space([pk_group()])
    two = pk_space([pk_group("a", subjects=(6, 6)), pk_group("b", subjects=(6, 6))])
    state = search(one).states[0]
    halves = (Choice(0, (Part(6, state[0].parts[0].entries),)),) * 2
    np.testing.assert_allclose(one.total(state), two.total(halves), rtol=1e-12)
    assert search(two).worth >= search(one).worth * (1 - 1e-12)


LIMITS = st.builds(
    Limits,
    gap=st.sampled_from([0.0, 0.3]),
    capacity=st.sampled_from([None, 12, 20]),
    subjects=st.sampled_from([None, 10]),
    budget=st.sampled_from([None, 60.0, 200.0]),
    per_subject=st.sampled_from([0.0, 4.0]),
    per_draw=st.sampled_from([0.0, 1.0]),
    per_day=st.sampled_from([0.0, 5.0]),
)


@settings(max_examples=12, deadline=None, derandomize=True)
@example(
    limits=Limits(gap=0.3, capacity=12), structure="together", visits=(2, 4), doses=("drug 100 mg once",), fixed=()
)
@given(
    limits=LIMITS,
    structure=st.sampled_from(["together", "alternating", "terminal"]),
    visits=st.sampled_from([(3, 3), (2, 4)]),
    doses=st.sampled_from([("drug 100 mg once",), ("drug 50 mg once", "drug 100 mg once")]),
    fixed=st.sampled_from([(), (1.0,)]),
)
def test_no_limit_is_broken_and_exchange_keeps_up(limits, structure, visits, doses, fixed):
    if structure == "terminal" and limits.gap:
        return
    groups = [
        pk_group("a", subjects=(3, 6), visits=visits, doses=doses, fixed=fixed, structure=structure),
        pk_group("b", subjects=(3, 3), visits=(2, 2)),
    ]
    space = pk_space(groups, limits)
    try:
        found = search(space, way="exchange", starts=6)
    except ms.SpecError as error:
        assert any(name in str(error) for name in ("capacity", "budget", "gap", "terminal"))
        return
    assert found.states
    assert all(space.keeps(state) for state in found.states)
    values = [space.worth_of(state) for state in found.states]
    assert values == sorted(values, reverse=True) or np.allclose(values[0], max(values))
    every = exhaust(space)
    if every is not None:
        assert found.worth <= every.worth * (1 + 1e-9)
        assert found.worth >= 0.95 * every.worth


def test_doses_and_subjects_are_chosen():
    doses = ("drug 25 mg once", "drug 100 mg once")
    groups = [pk_group("a", subjects=(2, 10), doses=doses), pk_group("b", subjects=(2, 10), visits=(2, 2))]
    exact = pk_best(groups, limits=Limits(subjects=12))
    fast = pk_best(groups, limits=Limits(subjects=12), search="exchange")
    assert exact.found["exact"] and chosen(exact) == chosen(fast)
    assert exact.subjects == 12
    counts = {group.name: group.subjects for group in exact.groups}
    assert counts == {"a": 10, "b": 2}  # three visits tell more than two


def test_costs_choose_the_number_of_visits():
    group = pk_group(visits=(3, 6), subjects=(6, 6))
    dear = pk_best([group], limits=Limits(per_draw=100.0, per_subject=1.0))
    cheap = pk_best([group], limits=Limits(per_draw=1.0, per_subject=100.0))
    assert len(dear.days) < len(cheap.days) == 6
    assert dear.found["cost"] == 6 * (1 + 100 * len(dear.days))
    each = {
        n: best.criterion / best.found["cost"]
        for n in range(3, 7)
        for best in [
            pk_best([pk_group(visits=(n, n), subjects=(6, 6))], limits=Limits(per_draw=100.0, per_subject=1.0))
        ]
    }
    assert len(dear.days) == max(each, key=each.get)


def test_a_range_without_costs_takes_all_and_says_so():
    best = pk_best([pk_group(visits=(3, 4))])
    assert len(best.days) == 4
    assert [warning.code for warning in best.warnings][:1] == ["number"]


def test_a_budget_is_spent_on_what_tells_most():
    limits = Limits(budget=100.0, per_subject=10.0, per_draw=2.0)
    best = pk_best([pk_group(visits=(3, 5), subjects=(2, 12))], limits=limits)
    assert best.found["cost"] <= 100.0
    each = {}
    for visits, subjects in product(range(3, 6), range(2, 13)):
        if subjects * (10 + 2 * visits) <= 100:
            one = pk_best([pk_group(visits=(visits, visits), subjects=(subjects, subjects))])
            each[visits, subjects] = one.criterion
    assert (len(best.days), best.subjects) == max(each, key=each.get)


def test_alternatives_are_evaluated_even_off_the_candidates():
    best = pk_best([pk_group()], alternatives=[Alternative("odd", (0.3, 0.9))])
    row = best.found["alternatives"].set_index("design").loc["odd"]
    model = ms.load_model("generic_oral_1cmt")
    alone = ms.evaluate_design(model, "drug 100 mg once", days=[0.3, 0.9], subjects=12, observe=["drug"], **PK)
    assert row.criterion == pytest.approx(alone.criterion, rel=1e-9) and not row.allowed


def test_an_alternative_moves_what_is_chosen_and_leaves_what_is_fixed():
    chosen, fixed = OpenSampling(("drug",), DAYS[1:], (3, 3)), OpenSampling(("drug",), (0.05,), (1, 1))
    group = replace(pk_group(), samplings=(chosen, fixed))
    best = pk_best([group], alternatives=[Alternative("other", (0.1, 0.7, 2.0))])
    row = best.found["alternatives"].set_index("design").loc["other"]
    looked = [Sampling(("drug",), (0.1, 0.7, 2.0)), Sampling(("drug",), (0.05,))]
    alone = ms.evaluate_design(
        ms.load_model("generic_oral_1cmt"), groups=[Group("all", group.regimens[0], 12, tuple(looked))], **PK
    )
    assert row.criterion == pytest.approx(alone.criterion, rel=1e-9) and row.allowed


def test_blood_loss_is_judged_among_the_best():
    mouse = ms.load_model("cemsidomide", species="mouse")
    asked = {
        "candidate_days": range(0, 15), "visits": 2, "subjects": 10, "lineages": ["hemoglobin"],
        "parameters": ["erythroid.baseline", "erythroid.mtt"], "omega": {"erythroid.baseline": 0.01},
    }  # fmt: skip
    regimen = "cemsidomide 1 mg/kg QD d1-7"
    best = ms.optimize_design(mouse, regimen, blood_loss=True, **asked)
    again = ms.evaluate_design(
        mouse, regimen, days=best.days, blood_loss=True,
        **{name: value for name, value in asked.items() if name not in ("candidate_days", "visits")},
    )  # fmt: skip
    assert best.criterion == pytest.approx(again.criterion, rel=1e-9)
    assert "blood lost" in best.found["how"] and not best.found["exact"]
    assert best.found["alternatives"].efficiency[:6].max() == 1.0
