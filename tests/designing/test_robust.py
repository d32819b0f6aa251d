"""Designs judged over several worlds."""

import numpy as np
import pytest

import myelosim as ms
from myelosim.designing.criterion import Criterion
from myelosim.designing.robust import everyday, worlds
from myelosim.errors import SpecError
from myelosim.spec.design import Decision, Robust

MODEL = ms.load_model("generic_oral_2cmt_friberg")
DOSES = ms.Regimen.parse("drug 40 mg BID d1-28")
UNCERTAIN = Robust({"neutrophil.mtt": 0.2, "drug.slope": 0.4}, draws=8)


def evaluated(**how):
    return ms.evaluate_design(MODEL, DOSES, days=how.pop("days", [0, 5, 10, 14, 21, 28]), subjects=20, **how)


def test_worlds_scatter_as_is_said_and_are_the_same_again():
    question = evaluated().question
    found = worlds(question, Robust({"neutrophil.mtt": 0.2, "drug.slope": 0.4}, draws=256))
    logs = np.log([one.values for one in found])
    names = question.names
    assert logs[:, names.index("neutrophil.mtt")].std() == pytest.approx(0.2, rel=0.05)
    assert logs[:, names.index("drug.neutrophil.slope")].std() == pytest.approx(0.4, rel=0.05)
    assert np.ptp(logs[:, names.index("neutrophil.baseline")]) == 0.0
    again = worlds(question, Robust({"neutrophil.mtt": 0.2, "drug.slope": 0.4}, draws=256))
    np.testing.assert_array_equal(logs, np.log([one.values for one in again]))


def test_worlds_come_from_priors_and_from_the_models_errors():
    question = evaluated(priors={"neutrophil.mtt": {"mean": 110.0, "sd_log": 0.1}}).question
    spread = np.std(np.log([one.values for one in worlds(question, Robust(draws=128))]), axis=0)
    assert spread[question.names.index("neutrophil.mtt")] == pytest.approx(0.1, rel=0.1)
    assert np.count_nonzero(spread > 1e-12) == 1


def test_values_that_the_model_refuses_are_drawn_again():
    question = evaluated().question
    found = worlds(question, Robust({"neutrophil.gamma": 0.6}, draws=64))
    gammas = [one.values[question.names.index("neutrophil.gamma")] for one in found]
    assert len(gammas) == 64
    for gamma in gammas:
        MODEL.replace({"neutrophil.gamma": gamma})


def test_ed_is_the_geometric_mean_and_maximin_the_least_efficiency():
    one = evaluated(criterion="ED", robust=UNCERTAIN)
    own = [float(Criterion("D")(q.information(one.groups)[None, None])[0]) for q in worlds(one.question, UNCERTAIN)]
    assert one.criterion == pytest.approx(np.exp(np.mean(np.log(own))))
    least = evaluated(criterion="maximin", robust=UNCERTAIN)
    best = everyday(one.groups)
    most = [best(q, Criterion("D")) for q in worlds(one.question, UNCERTAIN)]
    assert least.criterion == pytest.approx(min(a / b for a, b in zip(own, most, strict=True)))
    assert 0.0 < least.criterion < 1.0
    assert evaluated(criterion="maximin", robust=UNCERTAIN, days=range(29)).criterion == pytest.approx(1.0)
    part = evaluated(criterion="ED", robust=UNCERTAIN, interest=["neutrophil.gamma"])
    assert part.criterion == pytest.approx(1.0 / part.se["neutrophil.gamma"] ** 2, rel=0.5)


def test_a_design_can_be_scored_by_a_decision():
    decision = Decision("nadir", "neutrophil", DOSES, 42)
    found = evaluated(criterion="nadir", decision=decision)
    table = found.predicted(decision)
    assert found.criterion == pytest.approx((table.value["nadir"] / table.se["nadir"]) ** 2)


@pytest.mark.parametrize(
    ("how", "text"),
    [
        ({"criterion": "ED"}, "nothing is uncertain"),
        ({"criterion": "ED", "robust": Robust({"neutrophil.mt": 0.1})}, "did you mean 'neutrophil.mtt'"),
        ({"criterion": "ED", "robust": Robust({"neutrophil.mtt": 20.0})}, "no standard deviation on its scale"),
        ({"criterion": "ED", "robust": Robust({"neutrophil.mtt": 0.1}, draws=0)}, "draws = 0 is not possible"),
        ({"criterion": "D", "robust": UNCERTAIN}, "belongs to criterion 'ED' or 'maximin'"),
        ({"criterion": "risk"}, "'risk' needs decision"),
        ({"criterion": "Dx"}, "'Dx' is not known"),
        ({"criterion": "A", "interest": ["neutrophil.mtt"]}, "leave it out"),
        ({"criterion": "Ds"}, "needs interest"),
        (
            {"criterion": "A", "covariates": {"neutrophil.mtt": {"weight": {"form": "power", "start": 0.0}}}},
            "mtt.weight has the value 0",
        ),
    ],
)
def test_what_is_asked_for_wrongly_is_said(how, text):
    with pytest.raises(SpecError, match=text):
        evaluated(**how)
