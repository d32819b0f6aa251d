"""Prediction distribution errors: identities, and how often tests reject what is true and what is not."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import ndtri

from myelosim.data.study import ABOVE, BELOW
from myelosim.errors import SpecError
from myelosim.fitting.diagnostics import npde, npde_tests

STUDIES = 300
TESTS = ["wilcoxon", "mean", "variance", "normality"]


def rejections(linear, seed, observe=lambda y: {}, studies=STUDIES):
    """How many studies each test rejects at 5 %, simulations and observations drawn anew for each."""
    chance = np.random.default_rng(seed)
    small = type(linear)(20, (0.0, 2.0, 7.0), linear.noise)
    counts = dict.fromkeys([*TESTS, "global"], 0)
    for k in range(studies):
        y, simulated = small.draw(chance), small.draw(chance, 300)
        more = observe(y)
        found = npde(more.pop("y", y), simulated, small.subject, seed=k, **more)
        rejected = npde_tests(found["npde"])["p"] < 0.05
        counts = {name: counts[name] + int(rejected[name]) for name in counts}
    return counts


def binomial(share):
    """The middle 99.8 % of how many of the studies."""
    return stats.binom.ppf([0.001, 0.999], STUDIES, share)


def test_tests_reject_true_models_as_often_as_they_say(linear):
    found = rejections(linear, 1)
    low, high = binomial(0.05)
    assert all(low <= found[name] <= high for name in TESTS), found
    assert found["global"] <= high


def test_tests_reject_true_models_as_often_as_they_say_with_censored_rows(linear):
    limit = 3.5  # under which about a quarter of the rows are

    def observe(y):
        return {
            "y": np.maximum(y, limit),
            "censored": np.where(y < limit, BELOW, 0),
            "limits": np.full(len(y), limit),
        }

    found = rejections(linear, 2, observe)
    low, high = binomial(0.05)
    assert all(low <= found[name] <= high for name in TESTS), found


def test_tests_reject_a_wrong_model(linear):
    # Decorrelation takes out most of a shift of all rows of a subject; one that grows with time stays.
    shifted = rejections(linear, 3, lambda y: {"y": y + np.tile([0.5, 1.0, 3.0], 20)}, 60)
    assert shifted["wilcoxon"] > 45 and shifted["mean"] > 45 and shifted["global"] > 45
    typical = np.tile([10.0, 8.0, 3.0], 20)
    wide = rejections(linear, 4, lambda y: {"y": typical + 1.5 * (y - typical)}, 60)
    assert wide["variance"] > 45 and wide["global"] > 45 and wide["mean"] < 15


def test_errors_are_what_the_known_covariance_says(linear):
    chance = np.random.default_rng(5)
    y = linear.draw(chance)
    found = npde(y, linear.draw(chance, 20000), linear.subject)
    factor = np.linalg.cholesky(linear.covariance)
    exact = np.linalg.solve(factor, (y - linear.population).reshape(-1, 5).T).T.ravel()
    usual = np.abs(exact) < 2.0
    np.testing.assert_allclose(found["npde"][usual], exact[usual], atol=0.1)
    sizes = np.tile(np.sqrt(np.diag(linear.covariance)), linear.subjects)
    np.testing.assert_allclose(found["npd"][usual], ((y - linear.population) / sizes)[usual], atol=0.1)


def test_errors_are_the_deviates_of_their_places_and_of_one_row_its_discrepancy(linear):
    chance = np.random.default_rng(6)
    y, simulated = linear.draw(chance), linear.draw(chance, 50)
    found = npde(y, simulated, np.arange(len(y)))
    np.testing.assert_array_equal(found["npde"], found["npd"])
    np.testing.assert_allclose(found["npd"], ndtri(found["pd"]))
    below = (simulated < y).sum(axis=0)
    assert ((below <= 51 * found["pd"]) & (51 * found["pd"] <= below + 1)).all()


def test_discrepancies_do_not_change_under_monotone_transformations_nor_errors_under_changes_of_unit(linear):
    chance = np.random.default_rng(7)
    y, simulated = linear.draw(chance), linear.draw(chance, 200)
    found = npde(y, simulated, linear.subject)
    np.testing.assert_array_equal(npde(np.exp(y), np.exp(simulated), linear.subject)["pd"], found["pd"])
    factor = np.where(np.arange(len(y)) % 2, 1000.0, 0.001)
    scaled = npde(factor * y + 3.0, factor * simulated + 3.0, linear.subject)
    np.testing.assert_allclose(scaled["npde"], found["npde"])


def test_ties_are_broken_evenly():
    chance = np.random.default_rng(8)
    y, simulated = chance.integers(0, 3, 2000).astype(float), chance.integers(0, 3, (99, 2000)).astype(float)
    assert stats.kstest(npde(y, simulated, np.arange(2000))["pd"], "uniform").pvalue > 0.001


@pytest.mark.parametrize(("code", "sign"), [(BELOW, 1.0), (ABOVE, -1.0)])
def test_censored_rows_are_placed_beyond_their_limit(linear, code, sign):
    chance = np.random.default_rng(9)
    y, simulated = sign * linear.draw(chance), sign * linear.draw(chance, 400)
    limit = sign * 5.0
    gone = sign * (y - limit) < 0.0
    censored, seen = np.where(gone, code, 0), np.where(gone, limit, y)
    found = npde(
        seen, simulated, linear.subject, censored=censored, limits=np.full(len(y), limit if sign > 0 else np.nan)
    )
    share = (sign * (simulated - limit) < 0.0).mean(axis=0)
    own = found["pd"][gone] if sign > 0 else 1.0 - found["pd"][gone]
    assert gone.sum() > 10 and (own < share[gone] + 1.0 / 400).all()
    whole = npde(y, simulated, linear.subject)
    np.testing.assert_array_equal(found["pd"][~gone], whole["pd"][~gone])
    untouched = np.repeat(~gone.reshape(-1, 5).any(axis=1), 5) & ((share == 0.0).reshape(-1, 5).all(axis=1).repeat(5))
    np.testing.assert_array_equal(found["npde"][untouched], whole["npde"][untouched])
    assert np.isfinite(found).all(axis=None)


def test_a_censored_row_below_all_simulations_has_a_place():
    simulated = np.random.default_rng(10).normal(10.0, 1.0, (99, 2))
    found = npde([0.1, 10.0], simulated, np.array([0, 0]), censored=[BELOW, 0], limits=[0.1, 0.1])
    assert 0.0 < found["pd"][0] < 0.01 and np.isfinite(found).all(axis=None)


def test_missing_values_and_rows_that_never_differ(linear):
    chance = np.random.default_rng(11)
    y, simulated = linear.draw(chance), linear.draw(chance, 100)
    y[3], simulated[:, 8], simulated[5, 10] = np.nan, 1.0, np.nan
    found = npde(y, simulated, linear.subject)
    assert np.flatnonzero(found["npde"].isna()).tolist() == [3, 8]
    fewer = npde(np.delete(y, 3), np.delete(simulated, 3, axis=1), np.delete(linear.subject, 3))
    # The stream of chance goes by row: rows before the missing one are the same.
    np.testing.assert_array_equal(found["npde"][:3], fewer["npde"][:3])


def test_copies_of_a_row_do_not_stop_it():
    chance = np.random.default_rng(12)
    simulated = np.repeat(chance.normal(size=(200, 1)), 2, axis=1)
    assert np.isfinite(npde([0.3, 0.3], simulated, np.array([0, 0]))["npde"]).all()


def test_what_cannot_be_computed_is_refused(linear):
    chance = np.random.default_rng(13)
    y = linear.draw(chance)
    with pytest.raises(
        SpecError, match="5 complete simulations of subject 0, which has 5 observations; give at least 100"
    ):
        npde(y, linear.draw(chance, 5), linear.subject)
    with pytest.raises(SpecError, match=r"observation 2 is below.*\(1 are\).*quantification_limits"):
        npde(y, linear.draw(chance, 50), linear.subject, censored=np.where(np.arange(len(y)) == 2, BELOW, 0))


def test_tests_are_those_of_scipy_and_bonferroni():
    values = np.random.default_rng(14).normal(0.2, 1.3, 60)
    found = npde_tests(np.append(values, np.nan))
    assert found.loc["mean", "p"] == stats.ttest_1samp(values, 0.0).pvalue
    assert found.loc["wilcoxon", "p"] == stats.wilcoxon(values).pvalue
    assert found.loc["normality", "p"] == stats.shapiro(values).pvalue
    tail = stats.chi2.sf(np.sum((values - values.mean()) ** 2), 59)
    assert found.loc["variance", "p"] == pytest.approx(2.0 * tail)
    assert found.loc["global", "p"] == pytest.approx(
        min(1.0, 3.0 * found["p"][["wilcoxon", "variance", "normality"]].min())
    )
    assert npde_tests(values[:2])["p"].isna().all()
    assert npde_tests(np.random.default_rng(15).normal(size=6000)).notna().loc["normality"].all()
