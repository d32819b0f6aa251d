"""Each rule with a case that it is for, and one that it is not."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fit_samples import FREE, fitted, model, study

import myelosim as ms
from myelosim.data import Observations
from myelosim.fitting import FitWarning
from myelosim.fitting.doubts import RULES, data, doubts, effects, estimates, etas, judged, search
from myelosim.fitting.doubts.evidence import Evidence


@pytest.fixture(scope="module")
def rows():
    return study(model())


@pytest.fixture(scope="module")
def good(rows):
    return fitted(model(), rows)


def codes(rule, fit):
    return [one.code for one in rule(Evidence(fit))]


def moved(fit, **entries):
    """The same fit, had it ended elsewhere."""
    x, names = fit.x.copy(), list(fit.problem.parameters.names)
    for name, value in entries.items():
        x[names.index(name)] = value
    return replace(fit, x=x)


def test_a_sound_fit_is_only_asked_for_more_starts(good):
    assert good.converged
    assert [one.code for one in good.warnings] == ["one_start"]


def test_every_rule_has_a_name_of_its_own_and_says_what_to_do(good):
    assert len({rule.__name__ for rule in RULES}) == len(RULES)
    (only,) = good.warnings
    assert str(only) == f"one_start: {only.text}"
    assert "local" in only.text and "8 say" in only.text


def test_a_search_that_did_not_end_is_not_converged(rows, good):
    stopped = replace(
        good, converged=False, why="3 iterations were not enough", starts=good.starts.assign(converged=False)
    )
    assert codes(search.not_converged, stopped) == ["not_converged"]
    assert codes(search.not_converged, good) == []
    assert not judged(stopped).converged


def test_a_slope_that_is_left_is_not_converged(good):
    off = moved(good, **{"neutrophil.mtt": good.x[1] + 0.2})
    assert codes(search.gradient, off) == ["gradient"] and not judged(off).converged
    assert "neutrophil.mtt" in str(next(search.gradient(Evidence(off))))
    assert codes(search.gradient, good) == []
    assert (
        codes(search.gradient, replace(off, starts=pd.DataFrame(), history=pd.DataFrame(), uncertainty=None)) == []
    )  # a point that was only evaluated


def test_etas_that_are_not_at_their_modes(good):
    wrong = replace(good, objective=good.objective - 1.0)
    assert codes(search.inner, wrong) == ["inner"] and not judged(wrong).converged
    assert codes(search.inner, good) == []


def test_a_covariance_that_is_none_is_not_converged(good):
    said = replace(good, warnings=(FitWarning("covariance", "the R matrix is not positive definite"),))
    assert not judged(said).converged
    assert judged(said).warnings[0].code == "covariance"


@pytest.mark.parametrize(
    ("ends", "arrived", "said"),
    [
        ([100.0, 100.001, 100.0], [True] * 3, []),
        ([100.0], [True], ["one_start"]),
        ([130.0, 100.0, 100.0], [True] * 3, ["better_optimum", "local_optima"]),
        ([100.0, 100.0, 130.0], [True] * 3, ["local_optima"]),
        ([100.0, 100.0, 130.0], [True, True, False], []),
        ([100.0, 130.0], [True, False], ["local_optimum"]),
    ],
)
def test_where_starts_end(good, ends, arrived, said):
    ended = replace(good, starts=pd.DataFrame({"objective": ends, "converged": arrived}))
    assert codes(search.local_optimum, ended) == said
    assert all("local" in str(one) for one in search.local_optimum(Evidence(ended)))


def test_an_effect_that_is_not_there():
    none = model(**{"drug.neutrophil.slope": 1e-6})
    fit = fitted(model(), study(none, seed=4))
    (said,) = effects.no_effect(Evidence(fit))
    assert said.code == "no_effect" and "drug on neutrophil" in said.text and "under 3.84" in said.text


def test_an_effect_that_is_there(good):
    assert codes(effects.no_effect, good) == []
    unknown = replace(good, uncertainty=None)  # so that it is fitted without
    assert codes(effects.no_effect, unknown) == []


@pytest.mark.parametrize(("ec50", "said"), [(7.17, []), (700.0, ["beyond_exposures"])])
def test_half_maximal_concentrations_that_nobody_reached(ec50, said):
    emax = ms.load_model("friberg_2002_docetaxel").replace({"docetaxel.ec50": ec50})
    rows = pd.DataFrame(
        {"ID": 1, "TIME": [0.0, 0.0, 200.0], "AMT": [200.0, 0, 0], "RATE": [200.0, 0, 0], "DV": [".", 5.0, 1.0]}
    )
    fit = ms.fit(emax, rows, omega={"neutrophil.baseline": 0.1}, free=["docetaxel.ec50"], evaluate_only=True)
    assert codes(effects.beyond_exposures, fit) == said


def test_a_delay_that_no_draw_could_show(good):
    assert codes(effects.no_delay, good) == []
    (said,) = effects.no_delay(Evidence(moved(good, **{"neutrophil.mtt": np.log(3e-8)})))
    assert "3e-08 h" in said.text and "48 h apart" in said.text


def test_values_outside_what_was_thought_possible(good):
    assert codes(estimates.out_of_range, good) == []
    (said,) = estimates.out_of_range(Evidence(moved(good, **{"drug.neutrophil.slope": np.log(60.0)})))
    assert "is at or above the end of what was thought possible" in said.text and "units" in said.text


def test_values_that_are_hardly_known(rows, good):
    assert codes(estimates.uncertain, good) == []
    early = study(model(), visits=[0, 2, 4, 5, 6], size=6)
    fit = fitted(model(), early, free=[*FREE, "neutrophil.gamma"])
    assert "flat_gamma" in codes(estimates.uncertain, fit)


def test_only_combinations_are_known(good):
    assert codes(estimates.condition, good) == []
    doubtful = replace(good, uncertainty=replace(good.uncertainty, condition=2e3))
    (said,) = estimates.condition(Evidence(doubtful))
    assert "2e+03" in said.text and "most correlated" in said.text


def test_few_subjects_cannot_give_a_covariance_by_their_scatter():
    rows = study(model(), size=4)
    (said,) = estimates.condition(Evidence(fitted(model(), rows, covariance="sandwich")))
    assert "scatter of 4 subjects" in said.text and "covariance r" in said.text
    assert codes(estimates.condition, fitted(model(), rows)) == []


def test_fewer_subjects_than_estimates(rows, good):
    assert codes(estimates.few_subjects, good) == []
    few = rows[rows["ID"] <= 6]
    assert codes(estimates.few_subjects, fitted(model(), few, covariance="sandwich")) == ["few_subjects"]
    assert codes(estimates.few_subjects, fitted(model(), few)) == []


def test_a_prior_that_decides(rows, good):
    assert codes(estimates.prior_decides, good) == []
    tight = fitted(model(), rows, priors={"neutrophil.mtt": {"mean": 110.0, "sd_log": 0.005}})
    (said,) = estimates.prior_decides(Evidence(tight))
    assert "neutrophil.mtt" in said.text


def test_a_prior_that_the_data_contradict(rows, good):
    loose = fitted(model(), rows, priors={"neutrophil.mtt": {"mean": 110.0, "sd_log": 0.5}})
    assert codes(estimates.prior_contradicted, loose) == []
    held = {"neutrophil.baseline": 0.1, "neutrophil.mtt": {"variance": 0.04, "fixed": True}}
    wrong = fitted(model(), rows, omega=held, priors={"neutrophil.mtt": {"mean": 60.0, "sd_log": 0.1}})
    (said,) = estimates.prior_contradicted(Evidence(wrong))
    assert "from 60" in said.text and "adds" in said.text


def test_estimates_that_make_no_model(good):
    assert codes(estimates.impossible, good) == []
    wild = fitted(model(), study(model(), size=2), free=["neutrophil.gamma"], evaluate_only=True)
    assert codes(estimates.impossible, moved(wild, **{"neutrophil.gamma": np.log(40.0)})) == ["impossible"]


def test_variances_that_are_nothing_or_too_much(good):
    assert codes(etas.no_variability, good) == codes(etas.too_variable, good) == []
    assert codes(etas.no_variability, moved(good, **{"omega neutrophil.mtt": np.log(1e-4)})) == ["no_variability"]
    assert codes(etas.too_variable, moved(good, **{"omega neutrophil.mtt": np.log(7.0)})) == ["too_variable"]


def test_a_variance_that_is_held_is_no_finding(rows):
    held = {"neutrophil.baseline": 0.1, "neutrophil.mtt": {"variance": 1e-8, "fixed": True}}
    fit = fitted(model(), rows, omega=held, evaluate_only=True)
    assert codes(etas.no_variability, fit) == []


def test_a_subject_far_off(good):
    assert codes(etas.far_off, good) == []
    b = good.b.copy()
    b[3, 0] = 5.0 * np.sqrt(good.omega.iloc[0, 0])
    (said,) = etas.far_off(Evidence(replace(good, b=b)))
    assert "5.0 standard deviations" in said.text and str(good.study.subjects[3]) in said.text


def test_etas_that_are_mostly_shrunk(good):
    assert codes(etas.shrunken, good) == []
    (said,) = etas.shrunken(Evidence(replace(good, b=good.b * [1.0, 0.2])))
    assert "neutrophil.mtt" in said.text


def test_etas_that_are_not_about_zero(good):
    assert codes(etas.off_center, good) == []
    (said,) = etas.off_center(Evidence(replace(good, b=good.b + np.array([0.0, 0.3]))))
    assert "neutrophil.mtt" in said.text


def test_occasions_that_nobody_has_two_of(rows):
    once = rows.assign(OCC=1)
    fit = fitted(model(), once, iov={"neutrophil.baseline": 0.01}, evaluate_only=True)
    assert codes(etas.one_occasion, fit) == ["one_occasion"]
    twice = rows.assign(OCC=np.where(rows["TIME"] < 200, 1, 2))
    assert codes(etas.one_occasion, fitted(model(), twice, iov={"neutrophil.baseline": 0.01}, evaluate_only=True)) == []


def test_draws_that_end_before_the_nadir(rows, good):
    assert codes(data.before_nadir, good) == []
    early = rows[rows["TIME"] <= 6 * 24]
    (said,) = data.before_nadir(Evidence(fitted(model(), early, evaluate_only=True)))
    assert "10 of 10 dosed subjects" in said.text


def test_much_below_the_limit(rows, good):
    assert codes(data.censored, good) == []
    low = rows["DV"].quantile(0.4)
    cut = rows.assign(CENS=((rows["DV"] < low) & (rows["EVID"] == 0)).astype(int), DV=rows["DV"].clip(lower=low))
    for blq, what in (("m3", "M3"), ("m1", "M1")):
        (said,) = data.censored(Evidence(fitted(model(), cut, blq=blq, evaluate_only=True)))
        assert what in said.text and "40 %" in said.text


def test_an_error_that_is_nothing(good):
    assert codes(data.no_error, good) == []
    assert codes(data.no_error, moved(good, **{"neutrophil.proportional": np.log(1e-4)})) == ["no_error"]


def test_subjects_that_cannot_be_predicted(good):
    assert codes(data.unpredicted, good) == []
    b = good.b.copy()
    b[0] = np.nan
    (said,) = data.unpredicted(Evidence(replace(good, b=b)))
    assert said.text.startswith("1 subjects")


def test_warnings_are_not_said_twice(good):
    assert doubts(good) == good.warnings
    assert isinstance(good.study.observations, Observations)


def test_fewer_values_than_estimates(rows, good):
    assert codes(data.few_values, good) == []
    few = rows.groupby("ID").head(2).head(4).reset_index(drop=True)
    (said,) = data.few_values(Evidence(fitted(model(), few, evaluate_only=True)))
    assert said.code == "few_values" and said.text.startswith("6 estimates from")
    believed = {"neutrophil.mtt": {"mean": "110 h", "sd_log": 0.2}}
    (said,) = data.few_values(Evidence(fitted(model(), few, evaluate_only=True, priors=believed)))
    assert said.text.startswith("5 estimates without a prior from")


def test_values_that_are_all_below_their_limit(rows):
    none = rows.assign(CENS=(rows["EVID"] == 0).astype(int), DV=rows["DV"].where(rows["EVID"] != 0, 1.0))
    fit = fitted(model(), none, evaluate_only=True)
    (said,) = data.censored(Evidence(fit))
    seen = len(fit.study.observations)
    assert said.code == "all_censored" and f"below its limit ({seen} of {seen})" in said.text
