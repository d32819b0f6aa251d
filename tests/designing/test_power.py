"""Power of a design, against formulas of balanced trials and against drawn estimates."""

import numpy as np
import pytest
from scipy.stats import norm

import myelosim as ms
from myelosim.errors import SpecError
from myelosim.spec.design import Group, Sampling

MODEL = ms.load_model("generic_oral_2cmt_friberg")
ONCE = ms.Regimen.parse("drug 40 mg once")
ARMS = {"neutrophil.baseline": {"arm": {"form": "category", "reference": "placebo", "start": {"treated": 0.8}}}}
OMEGA, SIGMA = 0.09, 0.2


def two_arms(first=15, second=30):
    """Return a trial of two arms whose baselines are counted once, before anything is given."""
    look = Sampling(("neutrophil",), (0.0,))
    groups = [
        Group("placebo", ONCE, first, (look,), {"arm": "placebo"}),
        Group("treated", ONCE, second, (look,), {"arm": "treated"}),
    ]
    return ms.evaluate_design(
        MODEL, groups=groups, parameters=["neutrophil.baseline"], covariates=ARMS, omega={"neutrophil.baseline": OMEGA},
        sigma={"neutrophil.proportional": {"start": SIGMA, "fixed": True}},
    )  # fmt: skip


COEFFICIENT = "neutrophil.baseline.arm.treated"


def expected(first, second, alpha=0.05, sided=2):
    error = np.sqrt((OMEGA + SIGMA**2) * (1 / first + 1 / second))
    z = norm.isf(alpha / sided)
    size = abs(np.log(0.8)) / error
    return norm.cdf(size - z) + (norm.cdf(-size - z) if sided == 2 else 0.0)


def test_an_arm_difference_has_the_power_of_two_means():
    design = two_arms()
    assert design.se[COEFFICIENT] == pytest.approx(0.8 * np.sqrt((OMEGA + SIGMA**2) * (1 / 15 + 1 / 30)), rel=1e-6)
    assert design.power(COEFFICIENT) == pytest.approx(expected(15, 30), rel=1e-6)
    assert design.power(COEFFICIENT, alpha=0.01, sided=1) == pytest.approx(expected(15, 30, 0.01, 1), rel=1e-6)
    assert design.power(COEFFICIENT, null=0.8) == pytest.approx(0.05)


def test_subjects_needed_are_the_fewest():
    needed = two_arms().subjects_needed(COEFFICIENT, power=0.8)
    assert needed["treated"] == pytest.approx(2 * needed["placebo"], abs=1)
    assert expected(*needed.values()) >= 0.8 > expected(needed["placebo"] - 1, needed["treated"] - 2)
    assert two_arms(**dict(zip(("first", "second"), needed.values(), strict=True))).power(COEFFICIENT) >= 0.8


def test_power_of_an_effect_is_that_of_drawn_estimates():
    design = ms.evaluate_design(MODEL, "drug 20 mg BID d1-14", days=[0, 5, 9, 14, 21], subjects=3)
    name = "drug.neutrophil.slope"
    drawn = np.random.default_rng(1).normal(design.question.values[design.names.index(name)], design.se[name], 200_000)
    assert design.power(name) == pytest.approx(np.mean(np.abs(drawn / design.se[name]) > 1.959964), abs=0.004)
    assert 0.06 < design.power(name) < 0.99


def test_two_regimens_differ_as_surely_as_there_is_an_effect():
    look = Sampling(("neutrophil",), (0.0, 7.0, 14.0, 21.0))
    groups = [Group(f"{dose} mg", ms.Regimen.parse(f"drug {dose} mg BID d1-14"), 4, (look,)) for dose in (10, 20)]
    design = ms.evaluate_design(MODEL, groups=groups)
    asked = {"lineage": "neutrophil", "days": 35}
    assert design.power_between("10 mg", "10 mg", **asked) == pytest.approx(0.05)
    assert 0.5 < design.power_between("10 mg", "drug 20 mg BID d1-14", **asked) < 0.99
    vehicle = ms.Regimen(())  # whose nadir is the baseline
    assert 0.5 < design.power_between(vehicle, "10 mg", **asked) < 0.99
    assert design.power_between("10 mg", "20 mg", **asked) == design.power_between("20 mg", "10 mg", **asked)
    # With one parameter estimated, the test of the nadirs' ratio is the test of that parameter on the log scale.
    alone = ms.evaluate_design(MODEL, groups=groups, parameters=["drug.slope"], omega={"drug.slope": 0.2})
    from myelosim.designing.decision import predict
    from myelosim.spec.design import Decision

    logs, slopes = [], []
    for group in groups:
        found = predict(alone.question, Decision("nadir", "neutrophil", group.regimen, 35))
        logs.append(np.log(found.value))
        slopes.append(found.gradient[0] / found.value)
    size = abs(logs[0] - logs[1]) / (abs(slopes[0] - slopes[1]) * alone.se["drug.neutrophil.slope"])
    assert alone.power_between("10 mg", "20 mg", **asked) == pytest.approx(norm.cdf(size - norm.isf(0.025)), abs=1e-6)


def test_groups_with_other_covariates_are_compared_as_such():
    design = two_arms()
    power = design.power_between("placebo", "treated", lineage="neutrophil", days=35)
    assert power > 0.05
    assert design.power_between("placebo", "placebo", lineage="neutrophil", days=35) == pytest.approx(0.05, abs=1e-6)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda d: d.power("neutrophil.basline"), "did you mean 'neutrophil.baseline'"),
        (lambda d: d.power(COEFFICIENT, alpha=5), "are not possible"),
        (lambda d: d.subjects_needed(COEFFICIENT, power=80), "is no chance"),
        (lambda d: d.subjects_needed(COEFFICIENT, null=0.8), "not even 1,000,000 subjects"),
        (lambda d: d.power_between("placebo", "treted", lineage="neutrophil", days=35), "is no group"),
    ],
)
def test_what_cannot_be_tested_is_said(call, text):
    with pytest.raises(SpecError, match=text):
        call(two_arms())
