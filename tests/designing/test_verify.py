"""Simulated and fitted studies against what their design promises."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import myelosim as ms
from myelosim.data.study import BELOW
from myelosim.designing import verify as room
from myelosim.designing.verify import problem_of, unlucky, verify
from myelosim.errors import ConvergenceError, SpecError
from myelosim.spec.design import Group, Sampling

MODEL = ms.load_model("generic_iv_1cmt").replace({"drug.cl": 5.0, "drug.vc": 50.0})
ASKED = {
    "observe": ["drug"], "parameters": ["drug.cl", "drug.vc"], "omega": {"drug.cl": 0.09},
    "sigma": {"drug.proportional": 0.1},
}  # fmt: skip


def design(**more):
    settings = {"times": [1, 8], "subjects": 12} | ASKED | more
    return ms.evaluate_design(MODEL, "drug 100 mg once", **settings)


@pytest.fixture(scope="module")
def few():
    return design().verify(16, seed=3)


def test_estimates_scatter_as_promised(few):
    assert few.index.tolist() == ["drug.cl", "drug.vc", "omega drug.cl", "drug.proportional"]
    np.testing.assert_allclose(few.expected_rse, list(design().rse.values()))
    assert few.ratio.between(0.6, 1.5).all() and few.coverage.between(0.75, 1.0).all()
    assert (few.bias.abs() < few.expected_rse).all()
    assert few.fitted.eq(16).all() and few.failed.eq(0).all() and few.attrs["why"] == {}


def test_a_replicate_is_the_same_in_any_company():
    one = room.replicated(design(), "focei", 3, 1)
    assert one == room.replicated(design(), "focei", 3, 1) != room.replicated(design(), "focei", 4, 1)


def test_failures_are_counted_and_say_why(monkeypatch):
    real = room.searched

    def searched(problem, *args):
        found = real(problem, *args)
        found.converged, found.why = len(calls) % 2 == 0, "no step improves the objective"
        calls.append(found)
        return found

    calls = []
    monkeypatch.setattr(room, "searched", searched)
    told = []
    found = verify(design(), 4, 1, tell=lambda k, n: told.append((k, n)))
    assert told == [(k, 4) for k in range(1, 5)]
    assert found.fitted.eq(2).all() and found.failed.eq(2).all()
    assert found.attrs["why"] == {"no step improves the objective": 2}
    monkeypatch.setattr(room, "searched", lambda *args: calls[1])
    with pytest.raises(ConvergenceError, match="none of 3 replicates could be fitted; first: no step"):
        verify(design(), 3, 1)


def test_values_under_the_limit_are_known_only_as_such():
    cut = design(lloq={"drug": 1.0})
    problem = problem_of(cut)
    seen = room._seen(cut, problem, problem.parameters.start, 1, 0).observations
    free = room._seen(design(), problem, problem.parameters.start, 1, 0).observations
    below = free.value < 1.0
    assert 0 < below.sum() < len(below)
    np.testing.assert_array_equal(seen.censored == BELOW, below)
    np.testing.assert_array_equal(seen.value, np.where(below, 1.0, free.value))
    assert room.replicated(cut, "focei", 1, 0)["estimate"] != room.replicated(design(), "focei", 1, 0)["estimate"]


def test_truths_follow_the_priors():
    found = design(priors={"drug.vc": {"mean": 50.0, "sd_log": 0.02}}, subjects=3)
    truths = np.array([room.replicated(found, "fo", 1, k)["truth"] for k in range(6)])
    assert 0.005 < np.log(truths[:, 1] / 50.0).std() < 0.04
    np.testing.assert_allclose(truths[:, [0, 2, 3]], [[5.0, 0.09, 0.01]] * 6)


def test_occasions_and_correlations_come_back():
    found = design(
        omega={"drug.cl": {"drug.cl": 0.09, "drug.vc": 0.02}, "drug.vc": {"drug.cl": 0.02, "drug.vc": 0.05}},
        iov={"drug.cl": 0.02},
    )  # fmt: skip
    one = room.replicated(found, "focei", 1, 0)
    assert len(one["low"]) == len(one["estimate"]) == len(found.names) == 7
    np.testing.assert_allclose(one["truth"], found.question.values)


def test_what_cannot_be():
    with pytest.raises(SpecError, match="'nuts' minimizes no objective"):
        design().verify(2, method="nuts")
    with pytest.raises(SpecError, match="replicates = 1 is not possible"):
        design().verify(1)


def test_looks_at_nobody_dosed_are_no_data():
    looked = Sampling(("drug",), (0.0, 1.0), order="before")
    groups = [
        Group("vehicle", ms.Regimen.parse("none"), 5, (looked,)),
        Group("dosed", ms.Regimen.parse("drug 100 mg once"), 3, (looked,)),
    ]
    asked = {name: value for name, value in ASKED.items() if name != "observe"}
    both = ms.evaluate_design(MODEL, groups=groups, **asked)
    seen = problem_of(both).study.observations
    assert set(seen.subject) == {5, 6, 7} and set(seen.time) == {24.0}
    alone = ms.evaluate_design(MODEL, groups=groups[1:], **asked)
    np.testing.assert_allclose(both.fim, alone.fim, rtol=1e-9)
    told = [one for one in both.warnings if one.code == "shrinkage"]
    assert not told or "100 %" not in told[0].text


def test_what_is_no_chance_is_said():
    rows = {"empirical_rse": 20.0, "ratio": [1.15, 1.2], "bias": [4.0, 5.0], "coverage": [0.94, 0.80], "fitted": 200}
    said = unlucky(pd.DataFrame(rows, index=["fine", "off"]))
    assert [one.split(":")[0] for one in said] == ["off", "off", "off"] and "1.2 times the expected" in said[0]
    assert "bias +5 %" in said[1] and "80%" in said[2]
