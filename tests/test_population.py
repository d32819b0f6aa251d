"""Individuals: distributions, truncation, covariates, correlation, tables."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from myelosim.errors import DataError, SpecError
from myelosim.population import Population, covariates, draw, from_frame, virtual_patients
from myelosim.spec.model import Drug, Model, Parameter, Subjects

BASELINE = Parameter(5.0, "10^9/L", omega_sd=0.4)
MTT = Parameter(110.0, "h", omega_sd=0.2)


def model(correlation=None, subjects=None, **parameters):
    named = {name.replace("__", "."): parameter for name, parameter in parameters.items()}
    return Model(
        name="toy", title="", source="", lineages={}, effects=(),
        drugs={"drug": Drug("drug", "one_compartment", {"absorption": "none"}, "mg", "mg/L")},
        parameters=named, correlation=correlation or {}, subjects=subjects or Subjects(),
    )  # fmt: skip


TOY = model(
    neutrophil__baseline=replace(BASELINE, floor=3.0),
    neutrophil__mtt=MTT,
    neutrophil__gamma=Parameter(0.17, "1"),
    drug__f=Parameter(0.8, "1", omega_sd=0.5, scale="logit"),
)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 31, 64, 65])
def test_a_subject_is_the_same_in_any_company(size):
    few, many = draw(TOY, Population(size, seed=7)), draw(TOY, Population(257, seed=7))
    for name in ("neutrophil.baseline", "neutrophil.mtt", "drug.f"):
        np.testing.assert_array_equal(few[name], many[name][:size])
        assert few[name].shape == (size,)
    assert few["neutrophil.gamma"] == 0.17


def test_padding_is_the_next_subjects():
    padded, larger = draw(TOY, Population(30, seed=7), pad=2), draw(TOY, Population(32, seed=7))
    np.testing.assert_array_equal(padded["neutrophil.baseline"], larger["neutrophil.baseline"])


def test_another_parameter_changes_nothing_here():
    alone = draw(model(neutrophil__baseline=BASELINE), Population(50, seed=7))
    both = draw(model(drug__ka=MTT, neutrophil__baseline=BASELINE), Population(50, seed=7))
    np.testing.assert_array_equal(alone["neutrophil.baseline"], both["neutrophil.baseline"])


def test_moments_on_each_scale():
    free = model(
        a__log=BASELINE,
        a__identity=Parameter(-2.0, "1", omega_sd=0.7, scale="identity"),
        a__logit=Parameter(0.8, "1", omega_sd=0.5, scale="logit"),
    )
    values = draw(free, Population(20_000, seed=1))
    # standard errors of a mean of 20,000: sd / 141
    eta = np.log(values["a.log"] / 5.0)
    assert abs(eta.mean()) < 5 * 0.4 / 141 and eta.std() == pytest.approx(0.4, rel=0.03)
    assert values["a.identity"].mean() == pytest.approx(-2.0, abs=5 * 0.7 / 141)
    logit = np.log(values["a.logit"] / (1 - values["a.logit"]))
    assert logit.mean() == pytest.approx(np.log(4.0), abs=5 * 0.5 / 141)
    assert logit.std() == pytest.approx(0.5, rel=0.03)


def test_floor_draws_the_whole_subject_again():
    bounded, free = model(a__x=replace(BASELINE, floor=5.0), a__y=MTT), model(a__x=BASELINE, a__y=MTT)
    inside, drawn = draw(bounded, Population(2000, seed=3)), draw(free, Population(2000, seed=3))
    assert inside["a.x"].min() >= 5.0
    kept = drawn["a.x"] >= 5.0
    assert 0.4 < kept.mean() < 0.6
    for name in ("a.x", "a.y"):
        np.testing.assert_array_equal(inside[name][kept], drawn[name][kept])
        assert np.all(inside[name][~kept] != drawn[name][~kept])
    # above its median a normal has mean sqrt(2/pi) standard deviations: the redraw is the truncated distribution
    assert np.log(inside["a.x"] / 5.0).mean() == pytest.approx(0.4 * np.sqrt(2 / np.pi), rel=0.05)


def test_clip_sets_to_the_bound():
    drawn = draw(model(a__x=BASELINE), Population(500, seed=3))["a.x"]
    clipped = draw(model(a__x=replace(BASELINE, floor=4.0, ceiling=6.0, clip=True)), Population(500, seed=3))["a.x"]
    np.testing.assert_array_equal(clipped, np.clip(drawn, 4.0, 6.0))


def test_impossible_floor_is_refused():
    with pytest.raises(SpecError, match=r"outside the bounds after 1000 draws.*a\.x = .* \(allowed 50 to inf\)"):
        draw(model(a__x=replace(BASELINE, floor=50.0)), Population(3))
    with pytest.raises(SpecError, match=r"no variability to leave them: a\.x = 5 "):
        draw(model(a__x=Parameter(5.0, "1", floor=6.0), a__y=MTT), Population(3))


def test_correlation():
    values = draw(model({("a.x", "a.y"): 0.35}, a__x=BASELINE, a__y=MTT, a__z=MTT), Population(20_000, seed=5))
    logs = np.log(np.stack([values["a.x"], values["a.y"], values["a.z"]]))
    found = np.corrcoef(logs)
    assert found[0, 1] == pytest.approx(0.35, abs=0.03)
    assert abs(found[0, 2]) < 0.03 and abs(found[1, 2]) < 0.03
    assert logs[1].std() == pytest.approx(0.2, rel=0.03)


def test_impossible_correlations_are_refused():
    three = {("a.x", "a.y"): 0.9, ("a.y", "a.z"): 0.9, ("a.x", "a.z"): -0.9}
    with pytest.raises(SpecError, match=r"a\.x, a\.y, a\.z cannot hold together \(smallest eigenvalue -0\.8"):
        draw(model(three, a__x=BASELINE, a__y=MTT, a__z=MTT), Population(3))
    with pytest.raises(SpecError, match=r"a\.y does not vary"):
        draw(model({("a.x", "a.y"): 0.3}, a__x=BASELINE, a__y=Parameter(1.0, "1")), Population(3))
    with pytest.raises(SpecError, match=r"a\.q does not vary, or is not a parameter"):
        draw(model({("a.x", "a.q"): 0.3}, a__x=BASELINE), Population(3))


def test_covariates_move_the_typical_value():
    relations = {"weight": {"reference": 70.0, "exponent": 0.75}, "sex": {"male": 1.0, "female": 0.8}}
    toy = model(
        subjects=Subjects(covariates={"weight": 70.0, "sex": "male"}),
        drug__cl=Parameter(6.0, "L/h", covariates=relations),
        drug__vc=Parameter(60.0, "L", covariates={"weight": {"reference": 70.0, "slope": 0.01}}),
    )
    assert draw(toy, Population(3))["drug.cl"] == 6.0
    people = Population(2, covariates={"weight": [35.0, 70.0], "sex": ["female", "male"]})
    values = draw(toy, people)
    np.testing.assert_allclose(values["drug.cl"], [6.0 * 0.5**0.75 * 0.8, 6.0])
    np.testing.assert_allclose(values["drug.vc"], [60.0 * (1 - 0.35), 60.0])
    np.testing.assert_array_equal(covariates(toy, people, pad=1)["weight"], [35.0, 70.0, 35.0])
    with pytest.raises(SpecError, match=r"drug\.cl: sex 'other' has no factor; known: male, female"):
        draw(toy, Population(2, covariates={"sex": ["other", "male"]}))
    with pytest.raises(SpecError, match=r"drug\.cl depends on weight, which neither"):
        draw(replace(toy, subjects=Subjects()), Population(2))


def test_covariates_must_fit_the_population():
    with pytest.raises(SpecError, match=r"weight has shape \(3,\); give one value, or one per subject \(2\)"):
        Population(2, covariates={"weight": [1.0, 2.0, 3.0]})
    with pytest.raises(SpecError, match="weight of subject 1 is missing"):
        Population(2, covariates={"weight": [1.0, np.nan]})
    with pytest.raises(SpecError, match="weight of subject 1, -70, is not possible"):
        Population(2, covariates={"weight": [70.0, -70.0]})
    with pytest.raises(SpecError, match="weight = None is not possible; give a number"):
        Population(2, covariates={"weight": None})


@pytest.mark.parametrize(("size", "seed"), [(0, 0), (-3, 0), (2.5, 0), (True, 0), (3, -1)])
def test_sizes_and_seeds_that_cannot_be(size, seed):
    with pytest.raises(SpecError, match="is not a whole number"):
        Population(size, seed)


def test_logit_needs_a_proportion():
    with pytest.raises(SpecError, match=r"drug\.f: varies on the logit scale"):
        draw(model(drug__f=Parameter(1.0, "1", omega_sd=0.3, scale="logit")), Population(2))


PHARMACODYNAMIC = model(
    subjects=Subjects(covariates={"weight": 70.0, "sex": "male"}),
    drug__cl=Parameter(6.0, "L/h", omega_sd=0.3, covariates={"weight": {"reference": 70.0, "exponent": 1.0}}),
    drug__neutrophil__slope=Parameter(0.35, "L/mg", omega_sd=0.45),
    neutrophil__baseline=replace(BASELINE, floor=3.0),
)


def test_a_table_of_individuals():
    frame = pd.DataFrame(
        {"neutrophil.baseline": [2.0, 6], "drug.slope": [0.1, 0.2], "weight": [35, 70], "sex": ["f", "m"]}
    )
    values = from_frame(PHARMACODYNAMIC, frame)
    np.testing.assert_array_equal(values["neutrophil.baseline"], [2.0, 6.0])
    np.testing.assert_array_equal(values["drug.neutrophil.slope"], [0.1, 0.2])
    np.testing.assert_array_equal(values["drug.cl"], [3.0, 6.0])  # typical, moved by weight, no eta
    assert set(values) == set(PHARMACODYNAMIC.parameters)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"neutrophil.baseline": [1.0, np.nan]}, r"row 1, column neutrophil\.baseline: .*nan.* is not a value"),
        ({"weight": [70, "heavy"]}, r"row 1, column weight: 'heavy' is not a value"),
        ({"sex": ["m", None]}, r"row 1, column sex: (None|nan) is not a value"),
        (
            {"neutrophil.baselin": [1.0]},
            r"'neutrophil\.baselin': model toy: .*did you mean 'neutrophil\.baseline'\?.*covariates: sex, weight",
        ),
        ({"nonsense": [1.0]}, "individuals: column 'nonsense': model toy: no parameter 'nonsense'"),
        ({"drug.slope": [1.0], "drug.neutrophil.slope": [1.0]}, r"two columns give drug\.neutrophil\.slope"),
        ({"drug.cl": []}, "no rows"),
    ],
)
def test_tables_that_cannot_be_used(frame, message):
    with pytest.raises(DataError, match=message):
        from_frame(PHARMACODYNAMIC, pd.DataFrame(frame))


def test_an_alias_must_be_unique():
    two = model(drug__neutrophil__ec50=BASELINE, drug__platelet__ec50=BASELINE)
    with pytest.raises(DataError, match=r"may be any of drug\.neutrophil\.ec50, drug\.platelet\.ec50"):
        from_frame(two, pd.DataFrame({"drug.ec50": [1.0]}))


BARS = pd.DataFrame(
    {"parameter": ["g", "g", "h"], "low": [0.0, 2.0, 5.0], "high": [1.0, 4.0, 5.0], "count": [30, 10, 7]}
)


def test_virtual_patients_follow_the_bars():
    drawn = virtual_patients(BARS, 4000, seed=2, prefix="neutrophil")
    g = drawn["neutrophil.g"]
    assert g.between(0, 1).mean() == pytest.approx(0.75, abs=0.035)  # five standard errors
    assert g[g > 1].between(2, 4).all()
    assert g[g > 1].mean() == pytest.approx(3.0, abs=0.1)
    assert (drawn["neutrophil.h"] == 5.0).all()
    pd.testing.assert_frame_equal(virtual_patients(BARS, 7, seed=2, prefix="neutrophil"), drawn[:7])


def test_virtual_patients_of_the_published_histograms():
    path = Path(__file__).parents[2] / "shared" / "reference" / "data" / "abbiati_2021_virtual_patients.csv"
    if not path.exists():
        pytest.skip("the published histograms are not here")
    table = pd.read_csv(path)
    drawn = virtual_patients(table, 1000, seed=1)
    assert set(drawn) == {"gamma", "reservoir_ratio", "km_fraction", "baseline"}
    for name, bars in table.groupby("parameter"):
        middle = np.average((bars.low + bars.high) / 2, weights=bars["count"])
        assert drawn[name].mean() == pytest.approx(middle, abs=5 * drawn[name].std() / np.sqrt(1000))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"high": -1.0}, "g: bars need low <= high"), ({"count": 0}, "g: bars need"), ({"low": None}, "no column low")],
)
def test_bars_that_cannot_be(change, message):
    table = BARS.drop(columns="low") if change == {"low": None} else BARS.assign(**change)
    with pytest.raises(DataError, match=message):
        virtual_patients(table, 3)
