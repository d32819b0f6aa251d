"""What a fit estimates: defaults, arguments, and what is refused."""

import math

import numpy as np
import pandas as pd
import pytest

import myelosim as ms
from myelosim.components.residuals import KINDS as RESIDUALS
from myelosim.errors import SpecError
from myelosim.spec.estimate import estimation
from myelosim.spec.scale import from_scale, slope, to_scale

LINEAGE = ["neutrophil.baseline", "neutrophil.mtt", "neutrophil.gamma"]
KINETICS = ["drug.ka", "drug.cl", "drug.vc", "drug.q", "drug.vp"]


@pytest.fixture(scope="module")
def generic():
    return ms.load_model("generic_oral_2cmt_friberg")


@pytest.fixture(scope="module")
def monkey():
    return ms.load_model("cemsidomide", species="cynomolgus", gcsf="filgrastim")


def names(made):
    return [theta.name for theta in made.thetas]


def wrong(*arguments, **options):
    with pytest.raises(SpecError) as caught:
        estimation(*arguments, **options)
    return str(caught.value).splitlines()


def test_kinetics_are_free_only_where_concentrations_are_observed(generic):
    effect = "drug.neutrophil.slope"
    assert names(estimation(generic, ["neutrophil"])[1]) == [*LINEAGE, effect]
    sigma = {"drug.proportional": 0.1}
    assert set(names(estimation(generic, ["neutrophil", "drug"], sigma=sigma)[1])) == {*LINEAGE, effect, *KINETICS}
    given = ["drug.cl", "drug.vc"]
    left = estimation(generic, ["neutrophil", "drug"], given, sigma=sigma)[1]
    assert set(names(left)) == {*LINEAGE, effect, *KINETICS} - set(given)
    assert "drug.cl" not in left.omega.names


def test_hemoglobin_is_the_erythroid_lineage_and_settings_stay(monkey):
    made = estimation(monkey, ["hemoglobin"], dosed=["cemsidomide"])[1]
    assert names(made) == [
        "erythroid.baseline", "erythroid.mtt", "erythroid.gamma", "erythroid.lifespan",
        "cemsidomide.erythroid.emax", "cemsidomide.erythroid.ec50",
    ]  # fmt: skip
    assert [one.name for one in made.sigmas] == ["hemoglobin.log_sd"]
    assert wrong(monkey, ["erythroid"])[0].endswith("what is observed of it is 'hemoglobin': write 'hemoglobin' here")


def test_effects_of_drugs_that_nobody_gets_are_not_estimated(monkey):
    every = names(estimation(monkey, ["neutrophil"])[1])
    dosed = names(estimation(monkey, ["neutrophil"], dosed=["cemsidomide"])[1])
    assert any(name.startswith("filgrastim.") for name in every)
    assert not any(name.startswith("filgrastim.") for name in dosed)


def test_the_file_says_what_is_not_estimated_and_what_is_believed(generic):
    model = generic.replace(
        {"neutrophil.gamma": {"estimate": False}, "neutrophil.mtt": {"prior": {"mean": 100.0, "sd_log": 0.15}}}
    )
    made = estimation(model, ["neutrophil"])[1]
    assert names(made) == ["neutrophil.baseline", "neutrophil.mtt", "drug.neutrophil.slope"]
    mtt = made.thetas[1]
    assert mtt.prior == (pytest.approx(math.log(100.0)), 0.15)
    assert (mtt.low, mtt.high) == (pytest.approx(100 * math.exp(-0.45)), pytest.approx(100 * math.exp(0.45)))
    assert estimation(model, ["neutrophil"], priors={"neutrophil.mtt": False})[1].thetas[1].prior is None


def test_free_replaces_and_fixed_takes_away(generic):
    assert names(estimation(generic, ["neutrophil"], free=["drug.slope", "neutrophil.mtt"])[1]) == [
        "drug.neutrophil.slope", "neutrophil.mtt",
    ]  # fmt: skip
    made = estimation(generic, ["neutrophil"], fixed=["neutrophil.gamma", "neutrophil.mtt"])[1]
    assert names(made) == ["neutrophil.baseline", "drug.neutrophil.slope"]
    assert "neutrophil.mtt" in made.omega.names, "an eta stays where the typical value is fixed"
    message = wrong(generic, ["neutrophil"], free=["neutrophil.mtt"], fixed=["neutrophil.mtt"])[0]
    assert message.endswith("fixed.neutrophil.mtt: is in free, too; leave it out of one")


@pytest.mark.parametrize(
    ("free", "said"),
    [
        ("drug.tlag", "0 has no place on the log scale"),
        ("drug.f", "1 has no place on the logit scale"),
        ("drug.cl", "is given by a data column"),
        ("nutrophil.mtt", "did you mean 'neutrophil.mtt'?"),
    ],
)
def test_what_cannot_be_free_is_refused(generic, free, said):
    assert said in wrong(generic, ["neutrophil", "drug"], ["drug.cl"], free=[free], sigma={"drug.additive": 1.0})[0]


def test_what_changes_nothing_observed_is_refused(monkey):
    assert "changes nothing that is observed" in wrong(monkey, ["neutrophil"], free=["platelet.mtt"])[0]
    assert "changes nothing that is observed" in wrong(monkey, ["neutrophil"], omega={"platelet.mtt": 0.1})[0]


def test_a_drug_without_a_dose_is_said_to_have_none(generic):
    findings = wrong(generic, ["neutrophil"], free=["drug.slope"], omega={"drug.cl": 0.1}, dosed=[])
    assert len(findings) == 2 and all("belongs to drug, of which the data hold no dose" in one for one in findings)


def test_the_model_s_own_etas_with_its_correlations(monkey):
    made = estimation(monkey, ["neutrophil", "platelet"], dosed=["cemsidomide"])[1].omega
    i, j = (made.names.index(f"{one}.baseline") for one in ("neutrophil", "platelet"))
    sd = [monkey.parameters[f"{one}.baseline"].omega_sd for one in ("neutrophil", "platelet")]
    assert made.start[i, i] == pytest.approx(sd[0] ** 2)
    assert made.start[i, j] == pytest.approx(0.3 * sd[0] * sd[1])
    assert made.free[i, j]
    k = made.names.index("cemsidomide.cl")
    assert not made.free[k].any(), "no concentrations: the variance of the clearance is not estimated"
    everyone = estimation(monkey, ["neutrophil", "platelet"])[1].omega
    assert not any(name.startswith("filgrastim.") for name in everyone.names), "nor has what is given against it any"


@pytest.mark.parametrize(
    "given",
    [
        {"neutrophil.baseline": {"neutrophil.baseline": 0.1, "neutrophil.mtt": 0.02}, "neutrophil.mtt": 0.04},
        (["neutrophil.baseline", "neutrophil.mtt"], [[0.1, 0.02], [0.02, 0.04]]),
        pd.DataFrame([[0.1, 0.02], [0.02, 0.04]], *[["neutrophil.baseline", "neutrophil.mtt"]] * 2),
    ],
)
def test_forms_of_covariances(generic, given):
    omega = estimation(generic, ["neutrophil"], omega=given)[1].omega
    assert omega.names == ("neutrophil.baseline", "neutrophil.mtt")
    np.testing.assert_array_equal(omega.start, [[0.1, 0.02], [0.02, 0.04]])
    assert omega.free.all()


def test_variances_alone_and_fixed_ones(generic):
    given = {"neutrophil.baseline": 0.1, "drug.slope": {"variance": 0.2, "fixed": True}}
    omega = estimation(generic, ["neutrophil"], omega=given)[1].omega
    assert omega.names == ("neutrophil.baseline", "drug.neutrophil.slope")
    np.testing.assert_array_equal(omega.start, np.diag([0.1, 0.2]))
    np.testing.assert_array_equal(omega.free, np.diag([True, False]))


@pytest.mark.parametrize(
    ("omega", "said"),
    [
        ({"neutrophil.mtt": 0.0}, "must be above 0"),
        ({"neutrophil.mtt": 9.0}, "cannot be meant"),
        ({"neutrophil.mtt": "0.1"}, "is not a variance"),
        ({"drug.slope": 0.1, "drug.neutrophil.slope": 0.1}, "which is given twice"),
        ({"neutrophil.mtt": {"neutrophil.mtt": 0.1, "drug.slope": 0.01}}, "has no variance of its own"),
        ({"neutrophil.mtt": {"drug.slope": 0.01}, "drug.slope": 0.1}, "has covariances and no variance"),
        (
            (["neutrophil.mtt", "drug.slope"], [[0.1, 0.2], [0.2, 0.1]]),
            "of neutrophil.mtt and drug.neutrophil.slope, 0.2, is too large for their variances; it must be less than 0.1",
        ),
        (
            (
                ["neutrophil.gamma", "neutrophil.baseline", "neutrophil.mtt", "drug.slope"],
                [[0.1, 0, 0, 0], [0, 0.1, 0.08, 0.08], [0, 0.08, 0.1, -0.08], [0, 0.08, -0.08, 0.1]],
            ),
            "covariances of neutrophil.baseline, neutrophil.mtt, drug.neutrophil.slope cannot hold together",
        ),
        (
            {("neutrophil.mtt", "drug.slope"): 0.1},
            'is not the name of a parameter; for covariances give {"a": {"a": 0.1',
        ),
        ((["neutrophil.mtt", "drug.slope"], [[0.1, 0.2], [0.1, 0.1]]), "no symmetric matrix"),
        ({"drug.tlag": 0.1}, "cannot vary on the log scale"),
        (0.1, "is neither name -> variance nor (names, matrix)"),
    ],
)
def test_omega_that_cannot_be(generic, omega, said):
    assert said in "\n".join(wrong(generic, ["neutrophil"], omega=omega))


def test_occasions_have_variances_only(generic):
    made = estimation(generic, ["neutrophil"], iov={"neutrophil.baseline": 0.05})[1]
    assert made.occasion.names == ("neutrophil.baseline",)
    assert made.occasion.start.tolist() == [[0.05]]
    assert estimation(generic, ["neutrophil"])[1].occasion.names == ()
    block = (["neutrophil.mtt", "drug.slope"], [[0.1, 0.01], [0.01, 0.1]])
    assert "one variance a parameter" in wrong(generic, ["neutrophil"], iov=block)[0]


@pytest.mark.parametrize(
    ("terms", "kind"),
    [
        ({"proportional": 0.3}, "proportional"),
        ({"additive": 0.3}, "additive"),
        ({"additive": 0.3, "proportional": 0.1}, "combined"),
        ({"log_sd": 0.3}, "log_normal"),
        ({"sd": 0.3}, "box_cox"),
        ({"sd": 0.3, "exponent": 0.5}, "box_cox"),
        ({"cells": 200, "fraction": 0.3}, "counting"),
        ({"proportional": 0.2, "df": 5}, "student"),
        ({"proportional": 0.2, "additive": 0.1, "df": 5}, "student"),
    ],
)
def test_the_terms_tell_the_kind_of_error(generic, terms, kind):
    made = estimation(generic, ["neutrophil"], sigma={f"neutrophil.{name}": value for name, value in terms.items()})[1]
    assert made.residual["neutrophil"].kind == kind
    assert terms.items() <= made.residual["neutrophil"].sigma.items()
    assert [one.name for one in made.sigmas] == [f"neutrophil.{one.name}" for one in RESIDUALS[kind].TERMS]
    settings = {"neutrophil.df", "neutrophil.exponent", "neutrophil.cells", "neutrophil.fraction"}
    assert not any(one.free for one in made.sigmas if one.name in settings)


def test_the_model_s_own_error_and_a_fixed_one(generic):
    assert estimation(generic, ["neutrophil"])[1].sigmas[0].start == 0.2
    one = estimation(generic, ["neutrophil"], sigma={"neutrophil.proportional": {"start": 0.1, "fixed": True}})[
        1
    ].sigmas[0]
    assert (one.start, one.free) == (0.1, False)


def test_units_of_an_additive_error(generic):
    made = estimation(generic, ["neutrophil", "drug"], sigma={"drug.additive": "10 ng/mL"})[1]
    assert made.residual["drug"].sigma == {"additive": pytest.approx(0.01)}


def test_errors_that_cannot_be(generic):
    assert "e.g. drug.proportional = 0.2 or" in wrong(generic, ["neutrophil", "drug"])[0]
    assert "did you mean 'neutrophil'?" in wrong(generic, ["neutrophil"], sigma={"neutrofil.sd": 0.1})[0]
    assert "no error has just the terms sd, log_sd" in wrong(
        generic, ["neutrophil"], sigma={"neutrophil.sd": 0.1, "neutrophil.log_sd": 0.1}
    )[0]  # fmt: skip
    assert "must be above 0" in wrong(generic, ["neutrophil"], sigma={"neutrophil.proportional": -0.1})[0]
    assert "a combined error has the terms" in wrong(generic, ["neutrophil"], residual={"neutrophil": "combined"})[0]
    assert "did you mean 'combined'?" in wrong(generic, ["neutrophil"], residual={"neutrophil": "combind"})[0]


def test_literature_priors_are_values_with_their_errors(monkey):
    made = estimation(monkey, ["neutrophil"], dosed=["cemsidomide"], priors="literature")[1]
    (ec50,) = [one for one in made.thetas if one.prior]
    assert ec50.name == "cemsidomide.neutrophil.ec50"
    assert ec50.prior == (pytest.approx(math.log(0.485)), 0.15)
    half = estimation(monkey, ["neutrophil"], dosed=["cemsidomide"], priors={"cemsidomide.neutrophil.ec50": 0.25})[1]
    assert [one.prior[1] for one in half.thetas if one.prior] == [pytest.approx(0.3)]


def test_priors_given(generic):
    priors = {"neutrophil.mtt": {"mean": "5 d", "sd": 12.0, "weight": 4}, "drug.slope": {"mean": 0.3, "sd_log": 0.2}}
    made = {one.name: one.prior for one in estimation(generic, ["neutrophil"], priors=priors)[1].thetas}
    assert made["neutrophil.mtt"] == (pytest.approx(math.log(120.0)), pytest.approx(0.05))
    assert made["drug.neutrophil.slope"] == (pytest.approx(math.log(0.3)), 0.2)
    assert made["neutrophil.gamma"] is None


@pytest.mark.parametrize(
    ("priors", "said"),
    [
        ({"neutrophil.mtt": {"mean": 100, "sdlog": 0.1}}, "did you mean 'sd_log'?"),
        ({"neutrophil.mtt": {"mean": "100 kg", "sd_log": 0.1}}, "kg"),
        ({"drug.cl": {"mean": 5, "sd_log": 0.1}}, "is not estimated"),
        ({"neutrophil.mtt": "literature"}, "neither a prior nor a standard error"),
        ("literature", "no estimated parameter"),
        ("litrature", "did you mean 'literature'?"),
    ],
)
def test_priors_that_cannot_be(generic, priors, said):
    assert said in "\n".join(wrong(generic, ["neutrophil"], priors=priors))


def test_priors_that_are_none_are_one_finding(generic):
    (said,) = wrong(generic, ["neutrophil"], priors="much")
    assert "'much' is no prior; give" in said


def test_starts_are_drawn_where_the_model_is_stable(generic):
    gamma = estimation(generic.replace({"neutrophil.gamma": 0.4}), ["neutrophil"])[1].thetas[2]
    assert gamma.low == pytest.approx(0.4 * 10**-0.5)
    assert 0.55 < gamma.high < 0.571, "a chain of three transits oscillates from 0.5714 on"


def test_inhibition_is_not_drawn_above_all_of_it(monkey):
    made = {one.name: one for one in estimation(monkey, ["platelet"])[1].thetas}
    assert made["cemsidomide.platelet.emax"].high <= 1.0


def test_starts_move_the_model_and_not_what_is_believed(generic):
    model = generic.replace({"neutrophil.mtt": {"se": 0.1}})
    asked = {"starts": {"neutrophil.mtt": "3 d", "neutrophil.gamma": 0.3}, "fixed": ["neutrophil.gamma"]}
    changed, made = estimation(model, ["neutrophil"], priors="literature", ranges={"neutrophil.mtt": (50, 90)}, **asked)
    (mtt,) = [one for one in made.thetas if one.name == "neutrophil.mtt"]
    assert (mtt.start, mtt.low, mtt.high) == (72.0, 50, 90)
    assert mtt.prior == (pytest.approx(math.log(110.0)), 0.1)
    assert changed.parameters["neutrophil.gamma"].value == 0.3
    assert "starts: model" in wrong(generic, ["neutrophil"], starts={"neutrophil.mtt": "3 kg"})[0]


def test_more_than_the_default(generic):
    made = estimation(generic, ["neutrophil"], also=["drug.cl", "neutrophil.mtt"])[1]
    assert names(made) == [*LINEAGE, "drug.neutrophil.slope", "drug.cl"]


def test_covariates_of_the_model_and_new_ones():
    model = ms.load_model("kloft_2006_docetaxel")
    slope_name, mtt = "docetaxel.neutrophil.slope", "neutrophil.mtt"
    asked = {
        "docetaxel.slope": {"aag": {}, "age": {"form": "power", "reference": 60}},
        mtt: {"sex": {"form": "category", "start": {"female": 1.1}}},
    }
    changed, made = estimation(model, ["neutrophil"], covariates=asked)
    assert names(made)[-3:] == [f"{slope_name}.aag", f"{slope_name}.age", f"{mtt}.sex.female"]
    assert [one.start for one in made.thetas[-3:]] == [-0.350693, 0.0, 1.1]
    assert [one.scale for one in made.thetas[-3:]] == ["identity", "identity", "log"]
    assert changed.parameters[mtt].covariates == {"sex": {"male": 1.0, "female": 1.1}}
    assert changed.parameters[slope_name].covariates["age"] == {"reference": 60.0, "exponent": 0.0}
    assert changed.subjects.covariates["age"] == 60.0
    assert names(estimation(model, ["neutrophil"], free=["docetaxel.slope.aag"])[1]) == [f"{slope_name}.aag"]


@pytest.mark.parametrize(
    ("relation", "said"),
    [
        ({"weight": {"form": "powr"}}, "did you mean 'power'?"),
        ({"age": {"form": "linear"}}, "'reference' is missing"),
        ({"age": {}}, "has no relation to age yet"),
        ({"sex": {"form": "category", "reference": "male"}}, "'start' is missing"),
        ({"weight": {"form": "power", "refrence": 3}}, "did you mean 'reference'?"),
        ({"weight": 0.75}, "is not a relation"),
    ],
)
def test_covariates_that_cannot_be(generic, relation, said):
    assert said in "\n".join(wrong(generic, ["neutrophil"], covariates={"neutrophil.mtt": relation}))


def test_everything_wrong_is_said_together(generic):
    messages = wrong(generic, ["neutrophil"], blq="m4", free=["x.y"], omega={"neutrophil.mtt": -1}, sigma={"a.b": 1})
    assert len(messages) == 4
    assert all(line.startswith("fit of generic_oral_2cmt_friberg: ") for line in messages)


@pytest.mark.parametrize(("scale", "value"), [("log", 3.0), ("logit", 0.3), ("identity", -2.0)])
def test_scales_turn_back_and_have_the_right_slope(scale, value):
    assert from_scale(to_scale(value, scale), scale) == pytest.approx(value, rel=1e-14)
    step = 1e-6
    change = (to_scale(value + step, scale) - to_scale(value - step, scale)) / (2 * step)
    assert slope(value, scale) == pytest.approx(float(change), rel=1e-8)
