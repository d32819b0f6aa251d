"""What a decision rests on, against plain simulation."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import myelosim as ms
from myelosim.designing.crowd import Crowd
from myelosim.designing.decision import predict, predicted
from myelosim.designing.predicted import criterion
from myelosim.errors import SpecError
from myelosim.spec.design import Decision

DOSES = ms.Regimen.parse("drug 40 mg BID d1-28")
MODEL = ms.load_model("generic_oral_2cmt_friberg")
SIZE = 6_000
HERE = Decision("risk", "neutrophil", DOSES, 42, subjects=2000)


@pytest.fixture(scope="module")
def design():
    return ms.evaluate_design(MODEL, DOSES, days=[0, 5, 10, 14, 21, 28], subjects=20)


@pytest.fixture(scope="module")
def risk(design):
    return predict(design.question, HERE)


def simulated(model, doses=DOSES, days=42, size=SIZE):
    return ms.simulate(
        model, doses, times=[0.0, 24.0 * days], population=ms.Population(size, seed=5), grading="ctcae_v5"
    )


def share(model, doses=DOSES, grade=3):
    return float((simulated(model, doses).worst_grade[:, 0] >= grade).mean())


@pytest.mark.parametrize(("what", "relative"), [("nadir", 1e-3), ("nadir_day", 1e-2)])
def test_the_typical_subjects_gradient_is_that_of_plain_simulation(design, what, relative):
    found = predict(design.question, replace(HERE, what=what))
    for name in ("neutrophil.baseline", "neutrophil.mtt", "neutrophil.gamma", "drug.neutrophil.slope"):
        value, step = MODEL.parameters[name].value, 0.02
        ends = [
            float(ms.simulate(MODEL.replace({name: value * (1 + s)}), DOSES, days=42, tolerance=1e-8)[what][0, 0])
            for s in (step, -step)
        ]
        got = found.gradient[design.names.index(name)] * value
        assert got == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=relative, abs=0.003 * found.value)
    assert found.value == pytest.approx(float(ms.simulate(MODEL, DOSES, days=42)[what][0, 0]), rel=1e-5)
    assert not np.any(found.gradient[4:])


def test_risk_and_its_gradient_are_those_of_a_large_population(design, risk):
    model = Crowd(design.question, "neutrophil", 64).model
    assert risk.value == pytest.approx(share(model), abs=3 * np.hypot(risk.noise, 0.5 / np.sqrt(SIZE)))
    assert risk.noise < 0.006
    for name, step in (("drug.neutrophil.slope", 0.1), ("neutrophil.baseline", 0.1), ("neutrophil.gamma", 0.1)):
        value = MODEL.parameters[name].value
        ends = [share(model.replace({name: value * (1 + s)})) for s in (step, -step)]
        k = design.names.index(name)
        chance = np.hypot(risk.gradient_noise[k] * value, np.sqrt(abs(ends[0] - ends[1]) / SIZE) / (2 * step))
        assert risk.gradient[k] * value == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=3 * chance)
        assert chance < 0.04
    for name in ("neutrophil.baseline", "drug.neutrophil.slope"):
        sd = model.parameters[name].omega_sd
        ends = [share(model.replace({name: {"omega_sd": sd * s}})) for s in (1.2, 0.8)]
        k = design.names.index(f"omega {name}")
        got = risk.gradient[k] * sd**2 * (1.2**2 - 0.8**2)
        assert got == pytest.approx(ends[0] - ends[1], abs=0.015)


def test_the_gradient_belongs_to_the_same_smooth_function(design):
    question, few = design.question, replace(HERE, subjects=512)
    name = "drug.neutrophil.slope"
    value = question.values[design.names.index(name)]
    ends = [predict(question.elsewhere({name: value * (1 + s)}), few).value for s in (0.02, -0.02)]
    assert predict(question, few).gradient[design.names.index(name)] * value == pytest.approx(
        (ends[0] - ends[1]) / 0.04, rel=0.03
    )


def test_at_the_dose_that_is_found_the_risk_is_the_limit(design):
    few = replace(HERE, subjects=512)
    found = predict(design.question, replace(few, what="dose", limit=0.25))
    at = ms.Regimen.parse(f"drug {found.value:.10g} mg BID d1-28")
    assert predict(design.question, replace(few, regimen=at)).value == pytest.approx(0.25, abs=1e-5)
    assert found.unit == "mg"
    slope = design.names.index("drug.neutrophil.slope")
    assert found.gradient[slope] * design.question.values[slope] == pytest.approx(-found.value, rel=1e-5)
    shifted = predict(
        design.question.elsewhere({"neutrophil.mtt": 112.0, "neutrophil.gamma": 0.175}),
        replace(few, what="dose", limit=0.25),
    )
    by = found.gradient[design.names.index("neutrophil.gamma")] * 0.005 + found.gradient[1] * 2.0
    assert shifted.value - found.value == pytest.approx(by, rel=0.1)


def test_floors_and_percent_of_baseline(design):
    model = MODEL.replace({"neutrophil.baseline": {"floor": 4.5}})
    bounded = ms.evaluate_design(model, DOSES, days=[0, 5, 10, 14, 21, 28], subjects=20).question
    found = predict(bounded, HERE)
    assert found.value == pytest.approx(share(Crowd(bounded, "neutrophil", 64).model), abs=0.015)
    relative = predict(design.question, replace(HERE, grading="percent_of_baseline"))
    plain = ms.simulate(
        Crowd(design.question, "neutrophil", 64).model, DOSES, times=[0.0, 24.0 * 42],
        population=ms.Population(SIZE, seed=5), grading="percent_of_baseline",
    )  # fmt: skip
    assert relative.value == pytest.approx(float((plain.worst_grade[:, 0] >= 3).mean()), abs=0.015)
    baseline = design.names.index("neutrophil.baseline")
    assert relative.gradient[baseline] == pytest.approx(0.0, abs=1e-6)


def test_the_promised_error_is_that_of_predictions_from_drawn_estimates():
    design = ms.evaluate_design(MODEL, DOSES, days=[0, 5, 10, 14, 21, 28, 35], subjects=60)
    names = list(design.names[:4])
    drawn = np.random.default_rng(4).multivariate_normal(
        design.question.values[:4], design.cov.loc[names, names].to_numpy(), size=2000
    )
    table = pd.DataFrame(drawn, columns=names)
    ds = ms.simulate(MODEL, DOSES, days=42, individuals=table)
    for what, value in (("nadir", np.log(ds.nadir)), ("nadir_day", ds.nadir_day)):
        one = predict(design.question, replace(HERE, what=what))
        promised = one.error(design.information) / (one.value if what == "nadir" else 1.0)
        assert float(value.std()) == pytest.approx(promised, rel=0.1)
        low, high = one.interval(design.information)
        assert float(((ds[what] > low) & (ds[what] < high)).mean()) == pytest.approx(0.95, abs=0.02)
    few = replace(HERE, subjects=128)
    risk = predict(design.question, few)
    shares = [predict(design.question.elsewhere(dict(zip(names, row, strict=True))), few).value for row in drawn[:25]]
    alone = replace(risk, gradient=np.where(np.arange(len(design.names)) < 4, risk.gradient, 0.0))
    assert np.std(shares) == pytest.approx(alone.error(design.information), rel=3 / np.sqrt(2 * len(shares)))


def test_what_does_not_matter_may_be_undetermined(design, risk):
    nadir = predict(design.question, replace(HERE, what="nadir"))
    fim = design.information.copy()
    fim[4:, :] = fim[:, 4:] = 0.0
    assert nadir.error(fim) == pytest.approx(nadir.error(design.information))
    assert risk.error(fim) == np.inf
    score = criterion(nadir)(fim[None, None])[0]
    assert score == pytest.approx((nadir.value / nadir.error(fim)) ** 2)
    assert criterion(risk)(fim[None, None])[0] == 0.0


def test_a_table_of_the_promise(design):
    table = predicted(design, replace(HERE, what="nadir"))
    assert list(table.columns) == ["unit", "value", "se", "low", "high", "noise"]
    assert table.low["nadir"] < table.value["nadir"] < table.high["nadir"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"what": "nadr"}, "did you mean 'nadir'"),
        ({"lineage": "platelet"}, "no lineage 'platelet'"),
        ({"days": 0}, "days = 0 is not possible"),
        ({"limit": 33.0}, "is not a share"),
        ({"grade": 5}, "grades are 1 to 4"),
        ({"subjects": 10}, "from 64 to 200000"),
        ({"regimen": ms.Regimen.parse("drug 0.01 mg once")}, "hardly any subject comes near"),
        ({"regimen": ms.Regimen.parse("drug 0.01 mg once"), "what": "nadir", "days": 1}, "has no nadir within 1 days"),
        ({"regimen": ms.Regimen.parse("drog 1 mg once")}, "no drug 'drog'"),
        ({"what": "dose", "limit": 0.999, "days": 3}, "no dose has a risk of 99.9 %"),
    ],
)
def test_what_cannot_be_decided_is_said(design, change, text):
    with pytest.raises(SpecError, match=text):
        predict(design.question, replace(HERE, **{"subjects": 512, **change}))
