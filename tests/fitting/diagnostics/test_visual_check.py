"""Visual checks: what is in them, and that their bands hold what they say."""

import numpy as np
import pytest
from scipy import stats

from myelosim.data.study import ABOVE, BELOW
from myelosim.errors import SpecError
from myelosim.fitting.diagnostics import quantification_limits, visual_check
from myelosim.fitting.diagnostics.bins import time_bins


def check(linear, y, simulated, **more):
    return visual_check(linear.time, y, simulated, **more)


def within(found, band, seen):
    low, high = (found[band].sel(band=edge) for edge in ("low", "high"))
    return ((low <= found[seen]) & (found[seen] <= high)).to_numpy()


def test_quantiles_are_those_of_each_bin(linear):
    chance = np.random.default_rng(1)
    y, simulated = linear.draw(chance), linear.draw(chance, 200)
    found = check(linear, y, simulated, quantiles=(0.1, 0.5), interval=0.8)
    own = y.reshape(-1, 5)
    assert found["observed"].dims == ("quantile", "bin") and found["simulated"].dims == ("quantile", "bin", "band")
    np.testing.assert_allclose(found["observed"], np.quantile(own, [0.1, 0.5], axis=0))
    each = np.quantile(simulated.reshape(200, -1, 5), 0.1, axis=1)
    np.testing.assert_allclose(found["simulated"].sel(quantile=0.1), np.quantile(each, [0.1, 0.5, 0.9], axis=0).T)
    assert found["time"].to_numpy().tolist() == list(linear.times) and set(found["count"].to_numpy()) == {20}
    assert "below_observed" not in found and found.attrs["interval"] == 0.8


@pytest.mark.parametrize("corrected", [False, True])
def test_bands_hold_true_data_as_often_as_they_say(linear, corrected):
    chance = np.random.default_rng(2)
    prediction = linear.population if corrected else None
    inside = []
    for _ in range(40):
        more = {"prediction": prediction, "bins": [0.0, 1.5, 3.0, 8.0]} if corrected else {}
        inside.append(
            within(check(linear, linear.draw(chance), linear.draw(chance, 300), **more), "simulated", "observed")
        )
    # Bins of a study are correlated, studies are not: compare their means with what they scatter by.
    shares = np.array(inside).mean(axis=(1, 2))
    assert abs(shares.mean() - 0.9) < 3.5 * shares.std(ddof=1) / np.sqrt(40)
    assert shares.std() < 0.2


def test_a_wrong_model_falls_out_of_its_bands(linear):
    chance = np.random.default_rng(3)
    found = check(linear, linear.draw(chance) + 1.5, linear.draw(chance, 300))
    assert within(found, "simulated", "observed").mean() < 0.3


def test_bands_of_shares_below_the_limit_hold_true_data(linear):
    chance = np.random.default_rng(4)
    inside = []
    for _ in range(40):
        y, limit = linear.draw(chance), 4.0
        censored, seen = np.where(y < limit, BELOW, 0), np.maximum(y, limit)
        found = check(linear, seen, linear.draw(chance, 200), censored=censored, limits=np.full(len(y), limit))
        inside.append(within(found, "below_simulated", "below_observed"))
        true = stats.norm.cdf((limit - linear.population[:5]) / np.sqrt(np.diag(linear.covariance)))
        np.testing.assert_allclose(found["below_simulated"].sel(band="middle"), true, atol=0.06)
    # Shares are discrete: bands hold at least what they say.
    assert 0.88 < np.mean(inside) <= 1.0


def test_an_observed_quantile_is_given_only_where_censored_values_do_not_matter(linear):
    chance = np.random.default_rng(5)
    y, simulated = linear.draw(chance), linear.draw(chance, 50)
    censored = np.where(y < 5.0, BELOW, 0)
    censored[y > 11.0] = ABOVE
    seen = np.clip(y, 5.0, 11.0)
    found = check(linear, seen, simulated, censored=censored, quantiles=(0.05, 0.3, 0.5, 0.7, 0.95))
    whole = check(linear, y, simulated, quantiles=(0.05, 0.3, 0.5, 0.7, 0.95))
    known = found["observed"].notnull().to_numpy()
    assert 0.2 < known.mean() < 0.95
    np.testing.assert_array_equal(found["observed"].to_numpy()[known], whole["observed"].to_numpy()[known])
    np.testing.assert_array_equal(found["simulated"], whole["simulated"])
    count = (censored == BELOW).reshape(-1, 5).sum(axis=0)
    assert np.isnan(found["observed"].sel(quantile=0.05).to_numpy()[count >= 2]).all()


def test_prediction_correction_takes_out_what_the_typical_subject_explains():
    chance = np.random.default_rng(6)
    dose = np.repeat([1.0, 5.0], 200)
    y, simulated = dose * chance.lognormal(0.0, 0.2, 400), dose * chance.lognormal(0.0, 0.2, (100, 400))
    found = visual_check(np.zeros(400), y, simulated, prediction=dose)
    np.testing.assert_allclose(found["observed"][:, 0], np.quantile(y * 3.0 / dose, [0.05, 0.5, 0.95]))
    np.testing.assert_allclose(found["value"], y * 3.0 / dose)
    # A tighter spread than that of both doses together, and so power.
    plain = visual_check(np.zeros(400), y, simulated)
    assert np.ptp(found["observed"].to_numpy()) < 0.6 * np.ptp(plain["observed"].to_numpy())
    same = visual_check(np.zeros(400), y, simulated, prediction=np.full(400, 7.0))
    np.testing.assert_allclose(same["simulated"], plain["simulated"])


def test_groups_are_checked_apart_and_share_their_layout(linear):
    chance = np.random.default_rng(7)
    y, simulated = linear.draw(chance), linear.draw(chance, 60)
    groups = np.where(linear.subject < 8, "low", "high")
    late = groups == "high"
    keep = ~late | (linear.time < 3.0)
    time, censored = linear.time[keep], np.where(late & (y < 9.0), BELOW, 0)[keep]
    found = visual_check(time, y[keep], simulated[:, keep], censored=censored, groups=groups[keep])
    assert found["observed"].dims == ("group", "quantile", "bin") and found["group"].to_numpy().tolist() == [
        "low",
        "high",
    ]
    alone = visual_check(time[~late[keep]], y[~late], simulated[:, ~late])
    np.testing.assert_array_equal(found["simulated"].sel(group="low"), alone["simulated"])
    assert found["time"].sel(group="high").notnull().sum() == 3
    assert found["below_observed"].sel(group="low").isnull().all()
    assert (found["below_observed"].sel(group="high").to_numpy()[:3] > 0).any()
    assert found["value_group"].to_numpy().tolist() == groups[keep].tolist()


def test_missing_simulations_are_left_out(linear):
    chance = np.random.default_rng(8)
    y, simulated = linear.draw(chance), linear.draw(chance, 50)
    holes = simulated.copy()
    holes[3] = np.nan
    limits = np.full(len(y), 4.0)
    fewer = check(linear, y, np.delete(simulated, 3, axis=0), limits=limits)
    holed = check(linear, y, holes, limits=limits)
    for name in ("simulated", "below_simulated"):
        np.testing.assert_allclose(holed[name], fewer[name])
    assert check(linear, y, np.full((4, len(y)), np.nan))["simulated"].isnull().all()


def test_bins_by_distinct_times_numbers_or_edges():
    assert time_bins(np.array([5.0, 1.0, 5.0])).tolist() == [1, 0, 1]
    chance = np.random.default_rng(9)
    many = time_bins(chance.uniform(size=100))
    assert np.bincount(many).tolist() == [10] * 10
    assert np.bincount(time_bins(chance.uniform(size=10000))).size == 12
    counts = np.bincount(time_bins(chance.uniform(size=90), 3))
    assert counts.tolist() == [30, 30, 30]
    tied = np.repeat([0.0, 1.0, 2.0], [50, 5, 45])
    which = time_bins(tied, 2)
    assert len({*which[tied == 0.0]}) == len({*which[tied == 1.0]}) == 1 and set(which) == {0, 1}
    assert time_bins(np.array([0.0, 1.0, 2.0, 3.0]), [0.0, 1.0, 3.0]).tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"bins": 0}, "bins = 0; give at least one"),
        ({"bins": [2.0, 1.0]}, "two or more that increase"),
        ({"bins": [0.0, 4.0]}, "20 of 100 times lie outside the bins, the first at 7"),
        ({"prediction": np.arange(100.0)}, r"observation 0 is 0 \(1 are not positive\)"),
        ({"limits": np.zeros(3)}, r"simulations of 100 rows, and columns of \[3, 100\]"),
    ],
)
def test_what_cannot_be_checked_is_refused(linear, more, message):
    with pytest.raises(SpecError, match=message):
        check(linear, linear.population, linear.draw(np.random.default_rng(10), 5), **more)
    with pytest.raises(SpecError, match="no row has an observed value"):
        check(linear, np.full(100, np.nan), linear.draw(np.random.default_rng(10), 5))


def test_limits_are_the_rows_own_and_the_highest_of_their_group():
    y, censored = np.array([0.1, 0.2, 5.0, 8.0, 90.0]), np.array([BELOW, BELOW, 0, ABOVE, 0])
    groups = np.array(["a", "a", "a", "a", "b"])
    np.testing.assert_array_equal(quantification_limits(y, censored, groups), [0.1, 0.2, 0.2, 0.2, np.nan])
    np.testing.assert_array_equal(quantification_limits(y, censored), [0.1, 0.2, 0.2, 0.2, 0.2])
