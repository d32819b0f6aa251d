"""Forecasts beside closed forms, the population, the truth, and how often their intervals hold it."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from benchmarks.forecast import DOSE, VARY, calibration
from benchmarks.forecast import model as own_model
from scipy.stats import ks_2samp, norm

import myelosim as ms
from myelosim.fitting.forecast.choice import asked_of
from myelosim.fitting.forecast.draws import Outlook
from myelosim.fitting.forecast.findings import findings
from myelosim.spec.model import Residual

NEUTROPHIL = "neutrophil"


@pytest.fixture(scope="module")
def model():
    return own_model()


def seen(days, counts):
    return pd.DataFrame({"TIME": 24.0 * np.asarray(days, float), "DV": counts, "DVID": NEUTROPHIL})


def log_normal(model, sd):
    return replace(model, residual={NEUTROPHIL: Residual("log_normal", {"log_sd": sd})})


def test_posterior_of_a_baseline_is_that_of_normal_numbers(model):
    """Without drug the logarithm of the count is normal about that of the baseline: prior and data are weighted by precision."""
    model = log_normal(model.replace({"neutrophil.baseline": {"omega_sd": 0.3, "se": 0.4}}), 0.2)
    counts = [3.0, 3.5, 2.8]
    found = ms.forecast(model, seen([0, 1, 2], counts), 10, regimen="none", samples=2000)
    prior, data = 1 / (0.3**2 + 0.4**2), 3 / 0.2**2
    typical = np.log(model.parameters["neutrophil.baseline"].value)
    mean = (prior * typical + data * np.log(counts).mean()) / (prior + data)
    samples = np.log(found["individual"].sel(parameter="neutrophil.baseline"))
    assert float(np.log(found["mode"].sel(parameter="neutrophil.baseline"))) == pytest.approx(mean, abs=1e-5)
    assert float(samples.mean()) == pytest.approx(mean, abs=0.01)
    assert float(samples.std()) == pytest.approx((prior + data) ** -0.5, rel=0.05)
    assert float(found["shrinkage"].sel(parameter="neutrophil.baseline")) == pytest.approx(
        prior / (prior + data), rel=0.15
    )
    assert float(found["shrinkage"].sel(parameter="neutrophil.mtt")) > 0.85
    assert "neutrophil.mtt" in found.attrs["findings"]


def test_individuals_that_the_population_excludes_have_no_chance(model):
    model = log_normal(model.replace({"neutrophil.baseline": {"floor": 4.5}}), 0.3)
    found = ms.forecast(model, seen([0], [4.0]), 10, regimen="none", samples=200)
    assert float(found["individual"].sel(parameter="neutrophil.baseline").min()) >= 4.5


def test_individuals_that_are_clipped_stay_at_the_bound(model):
    """Those beyond it are all alike to the data: the mass beyond the bound is that of the population given the counts."""
    bound = log_normal(model.replace({"neutrophil.baseline": {"value": 5.0, "floor": 4.5, "clip": True}}), 10.0)
    found = ms.forecast(bound, seen([0], [5.0]), 10, regimen="none", samples=1000)
    at = found["individual"].sel(parameter="neutrophil.baseline") == 4.5
    sd = VARY["neutrophil.baseline"]
    assert float(at.mean()) == pytest.approx(norm.cdf(np.log(4.5 / 5.0) / sd), abs=0.04)


def test_without_counts_it_is_the_population(model):
    plan = pd.DataFrame({"ID": 1, "TIME": [0.0], "AMT": [40.0], "II": [12.0], "ADDL": [27]})
    found = ms.forecast(model, plan, 28, samples=1000)
    people = ms.simulate(model, DOSE, days=28, population=ms.Population(1000, seed=5))
    for name in ("nadir", "nadir_day"):
        theirs = np.quantile(people[name].sel(lineage=NEUTROPHIL), found["quantile"])
        ours = found[name].sel(lineage=NEUTROPHIL).to_numpy()
        spread = np.diff(np.quantile(people[name].sel(lineage=NEUTROPHIL), [0.16, 0.84]))
        assert np.all(np.abs(ours - theirs) < 0.15 * spread)
    share = float((people["worst_grade"] >= 3).sel(lineage=NEUTROPHIL).mean())
    assert float(found["p_grade3_low"][0]) - 0.03 < share < float(found["p_grade3_high"][0]) + 0.03
    individuals = ms.simulate(model, DOSE, days=28, individuals=found["individual"].to_pandas())
    assert ks_2samp(individuals["nadir"][:, 0], people["nadir"][:, 0]).pvalue > 0.01
    assert np.all(found["shrinkage"] > 0.85) and found.attrs["now"] == 0.0


@pytest.fixture(scope="module")
def known(model):
    """A subject seen every day, precisely, until after its nadir."""
    truth = ms.simulate(model, DOSE, days=28, population=ms.Population(3, seed=11)).isel(subject=[2])
    counts = truth["count"].sel(lineage=NEUTROPHIL, time=np.arange(26)).to_numpy()[0]
    return truth, ms.forecast(log_normal(model, 0.005), seen(range(26), counts), 28, regimen=DOSE, samples=200)


def test_with_many_precise_counts_it_is_the_truth(known):
    truth, found = known
    for name in ("nadir", "nadir_day"):
        real = float(truth[name].sel(lineage=NEUTROPHIL)[0])
        low, high = found[name].sel(lineage=NEUTROPHIL, quantile=[0.05, 0.95]).to_numpy()
        assert low == pytest.approx(real, rel=0.02) and high == pytest.approx(real, rel=0.02)
    assert float(found["p_grade3"][0]) == float(truth["worst_grade"][0, 0] >= 3)
    assert np.all(found["shrinkage"].sel(parameter=["neutrophil.baseline", "neutrophil.mtt"]) < 0.05)


def test_it_says_when_the_nadir_has_passed(known):
    truth, found = known
    assert float(truth["nadir_day"][0, 0]) < 25
    assert float(found["p_passed"][0]) == 1.0
    assert "the nadir has passed by day 25" in found.attrs["findings"]
    assert float(found["remaining_nadir_day"].sel(quantile=0.5)[0]) >= 25
    assert float(found["remaining_nadir"].sel(quantile=0.5)[0]) > float(found["nadir"].sel(quantile=0.5)[0])


def test_intervals_hold_the_truth_as_often_as_they_say():
    found = calibration(30, [0.0, 3.0, 5.0], samples=60)
    assert found["nadir"].mean() >= 0.78 and found["nadir_day"].mean() >= 0.78
    assert found["nadir"].mean() + found["nadir_day"].mean() < 2.0
    assert found["p_grade3"].mean() == pytest.approx(found["grade3"].mean(), abs=0.15)


def test_reduction_is_that_of_normal_numbers():
    """Logarithms of counts that are normal, seen with normal scatter: the variance falls by k omega^2/(k omega^2 + sigma^2)."""
    rng = np.random.default_rng(3)
    x, other = rng.normal(0.0, 0.4, 2000), rng.normal(0.0, 1.0, 2000)
    counts = np.exp(np.stack([x, other, x, x], axis=1))[:, None]
    residual = {NEUTROPHIL: Residual("log_normal", {"log_sd": 0.3})}
    targets, days = np.stack([x, np.ones(2000)], axis=1), np.array([5.0, 9.0, 11.0, 12.0])
    outlook = Outlook(counts, targets, [NEUTROPHIL], residual, days, 1)
    sets = [(0,), (1,), (0, 1), (0, 2), (0, 2, 3)]
    share, ratio = outlook.reduction(sets), 0.4**2 / 0.3**2
    expected = [k * ratio / (1.0 + k * ratio) for k in (1, 0, 1, 2, 3)]
    assert share[:, 0] == pytest.approx(expected, abs=0.04)
    assert np.all(np.isnan(share[:, 1]))
    gain = [
        0.5 * np.log1p(k * ratio) + 0.5 * n * np.log1p(1.0 / 0.3**2)
        for k, n in ((1, 0), (0, 1), (1, 1), (2, 0), (3, 0))
    ]
    assert outlook.gain(sets) == pytest.approx(gain, abs=0.2)
    assert np.diff(outlook.gain(sets)[[0, 3, 4]]) == pytest.approx(np.diff([gain[0], *gain[3:]]), abs=0.1)
    assert outlook.gain([(0, 2, 3)])[0] == outlook.gain(sets)[-1]
    blind = Outlook(counts, targets, [NEUTROPHIL], {}, days, 1)
    assert np.all(np.isnan(blind.reduction(sets))) and np.all(np.isnan(blind.gain(sets)))


def test_draws_are_chosen_together(model):
    """Two draws of a baseline that nothing else moves leave the variance that normal numbers leave, whatever the days."""
    still = log_normal(model.replace({name: {"omega_sd": 0.0} for name in VARY if name != "neutrophil.baseline"}), 0.2)
    asked = {"regimen": "none", "visits": 2, "candidate_days": [3, 5, 6, 7], "gap": 2, "weekdays": True, "samples": 400}
    found = ms.forecast(still, seen([0], [4.0]), 10, criterion="count", at=9, **asked)
    assert found["choice_days"].to_numpy().tolist() in ([[3, 7]], [[3.0, 7.0]]) and found.attrs["sets"] == 1
    variance = 1.0 / (1.0 / VARY["neutrophil.baseline"] ** 2 + np.array([1.0, 3.0]) / 0.2**2)
    count = {"lineage": NEUTROPHIL, "target": "count"}
    assert float(found["target_sd"].sel(count)) ** 2 == pytest.approx(variance[0], rel=0.15)
    assert float(found["choice_sd"].sel(count)[0]) ** 2 == pytest.approx(variance[1], rel=0.2)
    assert float(found["choice_information"][0]) == pytest.approx(1.0 - variance[1] / variance[0], abs=0.05)
    whole = ms.forecast(still, seen([0], [4.0]), 10, criterion="D", **asked)
    assert float(whole["choice_information"][0]) == pytest.approx(1.0 - variance[1] / variance[0], abs=0.08)


def test_the_best_set_is_the_best_of_all(model):
    found = ms.forecast(
        model, seen([0, 3, 5], [5.0, 4.8, 4.5]), visits=2, regimen=DOSE, candidate_days="d9,13,17,21", samples=200
    )
    told, days = found["choice_information"].to_numpy(), found["choice_days"].to_numpy()
    assert len(told) == found.attrs["sets"] == 6 and np.all(np.diff(told) <= 0) and np.all(days[:, 0] < days[:, 1])
    assert told[0] > float(found["information"].max())
    assert found["choice_efficiency"].to_numpy() == pytest.approx((1 - told[0]) / (1 - told))
    assert found["next_draws"].to_numpy().tolist() == days[0].tolist() and float(found["next_draw"]) == days[0, 0]
    assert found["visit"].to_numpy().tolist() == [8, 12, 16, 20]


def test_next_draw_is_near_the_nadir_and_after_now(model):
    found = ms.forecast(model, seen([0, 3, 5], [5.0, 4.8, 4.5]), regimen=DOSE, samples=300)
    assert found["visit"].min() == 6.0
    when = float(found["nadir_day"].sel(quantile=0.5)[0])
    depth = found["reduction"].sel(lineage=NEUTROPHIL, target="nadir")
    assert abs(float(found["visit"][int(depth.argmax("visit"))]) - when) < 4.0
    assert float(found["next_draw"]) == float(found["visit"][int(found["information"].argmax("visit"))])


@pytest.mark.parametrize(
    ("criterion", "edge", "asked"),
    [
        ("forecast", [0, 1], ["neutrophil"]),
        ("nadir_day", [1, 0], ["hemoglobin"]),
        ("nadir", [1, 1], ["neutrophil", "hemoglobin"]),
        ("grade3", [0, 1], ["neutrophil", "hemoglobin"]),
    ],
)
def test_no_draw_is_chosen_for_a_nadir_that_only_the_horizon_makes(criterion, edge, asked):
    after = xr.Dataset(
        {"nadir_at_edge": (("subject", "lineage"), np.tile(np.array(edge, float), (4, 1)))},
        {"lineage": ["neutrophil", "hemoglobin"]},
    )
    assert asked_of(after, criterion) == asked


def test_it_says_for_whom_no_draw_is_chosen(model):
    found = ms.forecast(model, seen([0, 3, 5], [5.0, 4.8, 4.5]), 8, regimen="40 mg BID d1-8", samples=50)
    assert float(found["p_at_edge"][0]) > 0.9 and "or the horizon" in found.attrs["findings"]
    assert "other lineages" not in found.attrs["findings"] and found.attrs["asked_of"] == NEUTROPHIL
    said, _ = findings(found.assign_attrs(asked_of="platelet"))
    assert any(
        one.endswith("draws are chosen for other lineages (--lineage, lineages=[...] name them)") for one in said
    )


def test_a_count_that_the_model_hardly_believes_is_named(model):
    data = seen([0, 1, 2, 3, 4, 5], [5.0, 5.1, 5.0, 4.9, 9.0, 4.8])
    with pytest.warns(ms.MyelosimWarning, match=r"row 5: neutrophil 9 on day 4 is hardly believed"):
        found = ms.forecast(log_normal(model, 0.1), data, regimen=DOSE, samples=100)
    assert "row 5" in found.attrs["findings"]


def test_a_limit_says_less_than_a_count(model):
    low = seen([0, 14], [5.0, "<2.0"])
    there, limit = (ms.forecast(model, one, regimen=DOSE, samples=300) for one in (seen([0, 14], [5.0, 1.99]), low))
    assert float(limit["nadir"].sel(quantile=0.05)[0]) < float(there["nadir"].sel(quantile=0.05)[0])
    assert limit["seen_censored"].to_numpy().tolist() == [0, 1]


def test_the_same_seed_gives_the_same_forecast(model):
    one, two, other = (
        ms.forecast(model, seen([0, 3], [5.0, 4.0]), regimen=DOSE, samples=50, seed=s) for s in (1, 1, 2)
    )
    assert np.array_equal(one["nadir"], two["nadir"]) and not np.array_equal(one["nadir"], other["nadir"])


def test_data_and_regimen_share_the_doses(model):
    rows = pd.DataFrame({"TIME": [0, 0, 72], "AMT": [40, np.nan, np.nan], "DV": [np.nan, 5.0, 4.9]})
    rows["DVID"] = NEUTROPHIL
    alone = ms.forecast(model, rows, 28, samples=100)
    more = ms.forecast(model, rows, 28, regimen="drug 80 mg BID d1-14", samples=100)
    assert float(more["nadir"].sel(quantile=0.5)[0]) < float(alone["nadir"].sel(quantile=0.5)[0])
    ahead = pd.concat([rows, pd.DataFrame({"TIME": [96.0], "AMT": [40.0], "DVID": [NEUTROPHIL]})])
    with pytest.raises(ms.SpecError, match="the data plan doses from day 4 on, and so does the regimen"):
        ms.forecast(model, ahead, regimen="drug 80 mg BID d1-14", samples=100)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"regimen": None}, "no row is a dose"),
        ({"days": 2}, "days = 2 is over on day 3"),
        ({"now": 1}, "now = 1 d lies before the last observation, on day 3"),
        ({"days": "soon"}, "days: "),
        ({"samples": 1}, "samples = 1"),
        ({"grading": "ctcae"}, "ctcae"),
        ({"lineages": ["neutrophils"]}, "did you mean 'neutrophil'"),
        ({"subject": "9"}, "there is no subject '9'"),
        ({"visits": 4}, "visits = 4 is not possible; give 1 to 3"),
        ({"visits": 2, "candidate_days": [2, 5]}, "1 candidate days are left after day 3"),
        ({"candidate_days": [4, 5], "weekdays": True, "first_day": "tuesday"}, "up to 28 with no weekend"),
        ({"candidate_days": [4, 5], "gap": "3 d"}, "a gap of 3 days to the last count"),
        ({"visits": 2, "candidate_days": [7, 9], "gap": 3}, "no 2 of 2 candidate days are 3 days apart"),
        ({"visits": 3, "days": 60}, "are 29,260 sets, more than 10,000; give fewer"),
        ({"candidate_days": [40]}, "candidate_days: "),
        ({"criterion": "nadirs"}, "did you mean 'nadir'"),
        ({"first_day": "mon"}, "first_day 'mon'"),
        ({"criterion": "count"}, "belong together"),
        ({"criterion": "count", "at": 30}, "at = 30"),
        ({"gap": "soon"}, "gap: "),
        ({"gap": -1}, "gap = -1"),
        ({"model": "alike"}, "no variability"),
        ({"model": "generic_oral_1cmt"}, "no lineage"),
    ],
)
def test_what_cannot_be_is_refused(model, change, message):
    asked = {"regimen": DOSE, "model": model, **change}
    whose = asked.pop("model")
    if whose == "alike":
        whose = model.replace({name: {"omega_sd": 0.0} for name in VARY})
    elif isinstance(whose, str):
        whose = ms.load_model(whose)
    with pytest.raises(ms.MyelosimError, match=message):
        ms.forecast(whose, seen([0, 3], [5.0, 4.0]), **asked)


def test_of_several_subjects_one_must_be_named(model):
    both = pd.concat([seen([0, 3], [5.0, 4.0]).assign(ID="a"), seen([0, 3], [2.0, 2.1]).assign(ID="b")])
    with pytest.raises(
        ms.DataError, match=r"of several subjects one must be named; give subject \(--subject\), one of a, b"
    ):
        ms.forecast(model, both, regimen=DOSE)
    high, low = (ms.forecast(model, both, regimen=DOSE, subject=one, samples=50) for one in "ab")
    assert float(high["baseline"].sel(quantile=0.5)[0]) > float(low["baseline"].sel(quantile=0.5)[0])


def test_counts_without_any_chance(model):
    far = replace(model, residual={NEUTROPHIL: Residual("additive", {"additive": 1e-200})})
    with pytest.raises(ms.SimulationError, match="gives these counts a chance"):
        ms.forecast(far, seen([0, 3], [5.0, 60.0]), regimen=DOSE, samples=50)


def test_values_given_by_the_data_are_no_question(model):
    data = seen([0, 3], [5.0, 4.5]).assign(**{"drug.cl": 12.0})
    found = ms.forecast(model, data, regimen=DOSE, samples=100)
    assert "drug.cl" not in found["parameter"]
    half = ms.forecast(model, data.assign(**{"drug.cl": 3.0}), regimen=DOSE, samples=100)
    assert float(half["nadir"].sel(quantile=0.5)[0]) < float(found["nadir"].sel(quantile=0.5)[0])
    data.loc[1, "drug.cl"] = 6.0
    with pytest.raises(ms.DataError, match=r"drug\.cl of subject 1 changes with time"):
        ms.forecast(model, data, regimen=DOSE, samples=100)


def test_result_can_be_kept(model, tmp_path):
    found = ms.forecast(model, seen([0], [5.0]), regimen=DOSE, samples=50)
    found.to_netcdf(tmp_path / "f.nc", engine="h5netcdf")
    assert (
        xr.load_dataset(tmp_path / "f.nc", engine="h5netcdf")
        .attrs["note"]
        .endswith("nor on whether to dose or to draw blood.")
    )


def test_without_counts_it_is_the_population_s(model):
    doses = pd.DataFrame({"TIME": [0.0], "AMT": [40.0], "DVID": [""], "DV": [np.nan]})
    found = ms.forecast(model, doses, samples=50)
    (said,) = found.attrs["findings"].split("\n")
    assert said.startswith("there are no counts: this is what the population does")
    some = ms.forecast(model, seen([0], [5.0]), regimen=DOSE, samples=50)
    assert "there are no counts" not in some.attrs["findings"]
    assert found.attrs["effective_samples"] <= 50 and some.attrs["effective_samples"] <= 50
