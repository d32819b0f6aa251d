"""What a design cannot tell, why, and what would help."""

import numpy as np
import pytest

import myelosim as ms
from myelosim.designing.identifiability import _About, identifiability, weaknesses
from myelosim.spec.design import Group, Sampling

MODEL = ms.load_model("generic_oral_2cmt_friberg")
GIVEN = {
    "parameters": ["neutrophil.baseline", "neutrophil.mtt", "neutrophil.gamma", "drug.neutrophil.slope"],
    "omega": {"neutrophil.baseline": 0.16, "neutrophil.mtt": 0.04, "drug.neutrophil.slope": 0.2025},
    "sigma": {"neutrophil.proportional": 0.2}, "subjects": 20,
}  # fmt: skip


def designed(days, dose="drug 40 mg BID d1-14", **how):
    return ms.evaluate_design(MODEL, dose, days=days, **{**GIVEN, **how})


def codes(design):
    return [warning.code for warning in design.warnings]


def test_one_day_tells_nothing_of_gamma_and_says_so():
    design = designed([1], "drug 40 mg once")
    (singular,) = [w for w in design.warnings if w.code == "singular"]
    assert "neutrophil.gamma" in singular.text
    table = design.identifiability()
    row = next(row for name, row in table.iterrows() if "neutrophil.gamma" in name)
    assert np.isinf(row.rse) and "after the last visit" in row.why
    assert "neutrophil.gamma" in design.report()


def test_the_day_that_is_said_to_help_helps_as_much_and_most():
    days = [3, 5, 7, 10, 14]
    row = designed(days).identifiability().filter(like="neutrophil.gamma", axis=0).iloc[0]
    rse = {day: designed([*days, day]).rse["neutrophil.gamma"] for day in range(29) if day not in days}
    best = min(rse, key=rse.get)
    assert f"a visit on day {best}: rse of neutrophil.gamma 281 % -> {rse[best]:.0f} %" in row.help
    assert "is seen best on day" in row.why


def test_a_combination_is_the_one_that_is_determined():
    weak = weaknesses(designed([3, 5, 7, 10, 14]))
    one = next(one for one in weak if set(one.names) == {"neutrophil.gamma", "drug.neutrophil.slope"})
    design = designed([3, 5, 7, 10, 14])
    relative = design.information[:4, :4] * np.outer(design.question.values[:4], design.question.values[:4])
    moved = np.zeros(4)
    moved[2], moved[3] = one.shares
    other = np.zeros(4)
    other[2], other[3] = -one.shares[1], one.shares[0]
    assert moved @ relative @ moved < 0.05 * (other @ relative @ other)
    assert f"neutrophil.gamma / drug.neutrophil.slope^{one.shares[0] / one.shares[1]:.2g} is determined" in one.what


def test_a_prior_has_the_effect_that_is_said():
    row = designed([3, 5, 7, 10, 14]).identifiability().filter(like="neutrophil.gamma", axis=0).iloc[0]
    with_prior = designed([3, 5, 7, 10, 14], priors={"neutrophil.gamma": {"mean": 0.17, "sd_log": 0.3}})
    rse = with_prior.rse
    said = f"rse {rse['neutrophil.gamma']:.0f} %, of drug.neutrophil.slope {rse['drug.neutrophil.slope']:.0f} %"
    assert said in row.help
    fixed = designed([3, 5, 7, 10, 14], parameters=[n for n in GIVEN["parameters"] if n != "neutrophil.gamma"])
    assert f"(fixed: {fixed.rse['drug.neutrophil.slope']:.0f} % of drug.neutrophil.slope)" in row.help


def test_looks_before_and_after_a_dose_are_two():
    looked = (Sampling(("neutrophil",), (0.0, 7.0, 10.0)), Sampling(("neutrophil",), (7.0,), order="after"))
    group = Group("all", ms.Regimen.parse("drug 40 mg BID d1-14"), 20, looked)
    design = ms.evaluate_design(
        MODEL, groups=[group], **{name: GIVEN[name] for name in ("parameters", "omega", "sigma")}
    )
    (again,) = _About(design).information([None])
    np.testing.assert_allclose(again, design.information, rtol=1e-4, atol=1e-4 * np.abs(design.information).max())


def test_emax_and_ec50_ask_for_a_second_dose():
    model = ms.load_model("cemsidomide", species="cynomolgus")
    design = ms.evaluate_design(
        model, "cemsidomide 75 ug QD d1-14", days=[0, 3, 7, 10, 14, 21, 28, 35], subjects=20, lineages=["platelet"]
    )
    row = design.identifiability().filter(like="platelet.ec50", axis=0).iloc[-1]
    assert "one dose level" in row.why
    assert "half the dose for half of the subjects" in row.help
    assert "linearization" in codes(design)


def test_too_few_looks_for_so_many_variances():
    table = designed([0, 7, 14]).identifiability()
    row = table[table.index.str.startswith("omega")].iloc[0]
    assert "looked at 3 times, which cannot tell 3 etas" in row.why


def test_what_no_look_moves_with_is_said():
    sigma = {"neutrophil.proportional": {"start": 0.2, "fixed": True}}
    free = ["neutrophil.baseline", "drug.neutrophil.slope"]
    design = designed([0], parameters=free, omega={"neutrophil.baseline": 0.1}, sigma=sigma)
    assert codes(design)[0] == "blind"
    table = identifiability(design)
    assert "is seen best on day" in table.loc["drug.neutrophil.slope", "why"]


def test_a_good_design_has_nothing_to_say():
    design = designed(list(range(0, 57, 2)), subjects=200)
    assert len(design.identifiability()) == 0
    assert design.report().startswith("All parameters")
    assert codes(design) == []


@pytest.mark.parametrize(("sd", "expected"), [(0.4, False), (0.7, True)])
def test_large_etas_make_linearization_doubtful(sd, expected):
    omega = {**GIVEN["omega"], "drug.neutrophil.slope": sd**2}
    assert ("linearization" in codes(designed([0, 7, 14, 21, 28], omega=omega))) is expected
    assert "linearization" not in codes(designed([0, 7, 14, 21, 28], omega=omega, linearization="foce"))


def test_shrinkage_is_warned_of():
    shrunk = next(w for w in designed([3, 5, 7, 10, 14]).warnings if w.code == "shrinkage")
    assert "neutrophil.mtt" in shrunk.text and "neutrophil.baseline" not in shrunk.text


def test_concentrations_that_no_assay_measures_are_doubted():
    model = ms.load_model("generic_iv_1cmt").replace({"drug.cl": 5.0, "drug.vc": 50.0})

    def told(**more):
        return codes(ms.evaluate_design(
            model, "drug 100 mg once", days=[0, 0.1, 4], subjects=20, observe=["drug"],
            parameters=["drug.cl"], sigma={"drug.proportional": 0.1}, **more,
        ))  # fmt: skip

    assert "lloq" in told() and "lloq" not in told(lloq={"drug": 0.01})


def test_animals_bled_once_are_not_bled_again():
    group = Group("mice", ms.Regimen.parse("drug 40 mg once"), 5, (Sampling(("neutrophil",), (7.0,)),), terminal=True)
    found = ms.evaluate_design(MODEL, groups=[group], parameters=["neutrophil.baseline", "neutrophil.mtt"])
    assert found.report() and "a visit" not in found.report() and "bled more than once" in found.report()
