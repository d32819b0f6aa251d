"""The pictures of a fit show the numbers they are given, and can be read."""

import matplotlib
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib.figure import Figure
from on_page import outside, overlapping, words
from scipy import stats

from myelosim import plots
from myelosim.data.study import ABOVE, BELOW
from myelosim.errors import SpecError
from myelosim.plots import fit_look as look
from myelosim.plots.fit_individuals import pages
from myelosim.plots.fit_npde import quantile_pairs
from myelosim.plots.fit_thetas import beliefs

DAYS = np.array([0.0, 3.0, 5.0, 7.0, 10.0, 14.0, 21.0, 28.0])
UNITS = {"neutrophil": "10^9/L", "platelet": "10^9/L", "hemoglobin": "g/dL"}
LIMIT = 0.8
NAMES = ["neutrophil.baseline", "cemsidomide.neutrophil.slope", "platelet.baseline", "cemsidomide.platelet.slope"]


@pytest.fixture
def table():
    """Twenty-two animals, three lineages; neutrophils under a limit are censored."""
    chance = np.random.default_rng(1)
    parts = []
    for k in range(22):
        for observable, baseline, deep in (
            ("neutrophil", 5.0, 2.0),
            ("platelet", 250.0, 1.0),
            ("hemoglobin", 13.0, 0.2),
        ):
            typical = baseline * np.exp(-deep * DAYS / 8.0 * np.exp(1.0 - DAYS / 8.0))
            own = typical * chance.lognormal(0.0, 0.2)
            part = pd.DataFrame({"time": 24.0 * DAYS, "population": typical, "individual": own})
            part["value"] = own * chance.lognormal(0.0, 0.15, len(DAYS))
            parts.append(part.assign(subject=f"animal {k}", observable=observable))
    table = pd.concat(parts, ignore_index=True)
    below = (table["observable"] == "neutrophil") & (table["value"] < LIMIT)
    table["censored"], table["value"] = np.where(below, BELOW, 0), table["value"].mask(below, LIMIT)
    table["cwres"], table["npde"] = (
        pd.Series(chance.normal(size=len(table))).mask(below),
        chance.normal(size=len(table)),
    )
    return table


@pytest.fixture
def neutrophils(table):
    return table[table["observable"] == "neutrophil"]


@pytest.fixture
def doses():
    rows = [(f"animal {k}", 24.0 * d, drug) for k in range(22) for drug in ("$drug", "filgrastim") for d in (0, 1, 8)]
    return pd.DataFrame(rows, columns=["subject", "time", "drug"])


@pytest.fixture
def check():
    """Two observables, the first with a limit."""
    middle = np.array([[5.0, 1.0, 3.0], [250.0, 90.0, 200.0]])
    quantiles = np.array([0.05, 0.5, 0.95])
    observed = middle[:, None, :] * np.array([0.5, 1.0, 2.0])[:, None]
    observed[0, 0, 1] = np.nan
    bands = np.nan_to_num(observed, nan=0.5)[..., None] * np.array([0.8, 1.1, 1.3])
    dims = ("group", "quantile", "bin")
    shares = np.array([[[0.0, 0.0, 0.1], [0.2, 0.3, 0.5], [0.0, 0.1, 0.2]], np.full((3, 3), np.nan)])
    return xr.Dataset(
        {
            "observed": (dims, observed),
            "simulated": ((*dims, "band"), bands),
            "start": (("group", "bin"), np.tile([0.0, 144.0, 480.0], (2, 1))),
            "time": (("group", "bin"), np.tile([0.0, 168.0, 504.0], (2, 1))),
            "end": (("group", "bin"), np.tile([0.0, 168.0, 552.0], (2, 1))),
            "below_observed": (("group", "bin"), [[0.0, 0.25, 0.1], [np.nan] * 3]),
            "below_simulated": (("group", "bin", "band"), shares),
            "value": ("row", [4.0, 0.8, 3.0, 200.0]),
            "value_time": ("row", [0.0, 168.0, 552.0, 168.0]),
            "value_censored": ("row", [0, BELOW, 0, 0]),
            "value_group": ("row", ["neutrophil", "neutrophil", "neutrophil", "platelet"]),
        },
        {"group": ["neutrophil", "platelet"], "quantile": quantiles, "band": ["low", "middle", "high"]},
        {"interval": 0.9, "prediction_corrected": 0, "simulations": 500},
    )


@pytest.fixture
def thetas():
    table = pd.DataFrame(
        {
            "mean": np.log([5.1, 92.0, 2.6]), "sd": [0.08, 0.05, 0.25], "prior_mean": [np.log(5.0), np.log(90.0), np.nan],
            "prior_sd": [0.1, 0.2, np.nan], "scale": "log", "unit": ["10^9/L", "h", "L/ug"],
        },
        index=["neutrophil.baseline", "neutrophil.mtt", "cemsidomide.neutrophil.slope"],
    )  # fmt: skip
    table.loc["neutrophil.$share"] = [0.0, 0.4, 0.5, 1.0, "logit", "1"]
    return table


@pytest.fixture
def profile(thetas):
    away = np.linspace(-3.0, 3.0, 13)
    rows = [(name, np.exp(t["mean"] + t["sd"] * z), z * z, t["unit"]) for name, t in thetas.iterrows() for z in away]
    return pd.DataFrame(rows, columns=["theta", "value", "difference", "unit"])


@pytest.fixture
def trace():
    rows = [(k, i, 1223.057 + (0.0, 253.0, 0.4)[k] + 500.0 * np.exp(-i / 3.0)) for k in range(3) for i in range(30)]
    return pd.DataFrame([*rows, (1, 30, np.inf)], columns=["start", "iteration", "objective"])


@pytest.fixture
def starts():
    return pd.DataFrame(
        {"objective": [1476.1, 1223.06, np.nan, 1223.057, 1223.9], "converged": [True, True, False, True, False]}
    )


@pytest.fixture
def etas():
    values = np.random.default_rng(2).normal(0.0, 0.25, (22, 4))
    spread = pd.DataFrame({"sd": [0.05, 0.32, np.nan, 0.6]}, index=NAMES)
    pairs = [(NAMES[i], NAMES[j], -0.4, 0.1, 0.3) for i in range(4) for j in range(i + 1, 4)]
    return (
        pd.DataFrame(values, columns=NAMES),
        0.09 * np.eye(4),
        spread,
        pd.DataFrame(pairs, columns=["one", "other", "correlation", "p", "model"]),
    )


@pytest.fixture
def drawn(table, neutrophils, doses, check, thetas, profile, trace, starts, etas):
    """Return the figure of a name."""
    values, omega, spread, pairs = etas
    tests = pd.DataFrame(
        {"p": [0.5, 0.4, 0.3, 0.2, 0.6]}, index=["wilcoxon", "mean", "variance", "normality", "global"]
    )
    axes = {
        "fit": lambda: plots.plot_goodness_of_fit(table, units=UNITS),
        "fit of one": lambda: plots.plot_goodness_of_fit(neutrophils.drop(columns="subject"), units=UNITS),
        "etas": lambda: plots.plot_etas(values, omega, spread, pairs),
        "one eta": lambda: plots.plot_etas(values.iloc[:, :1], omega[:1, :1], spread.iloc[:1]),
        "individuals": lambda: plots.plot_individual_fits(table, None, doses, observable="platelet", units=UNITS),
        "last individuals": lambda: plots.plot_individual_fits(neutrophils, page=2, units=UNITS),
        "check": lambda: plots.plot_visual_check(check, units=UNITS),
        "one check": lambda: plots.plot_visual_check(check.isel(group=0, drop=True), observable="neutrophil", units=UNITS),
        "check by dose": lambda: plots.plot_visual_check(
            check.assign_coords(group=["low $", "high"]).assign_attrs(prediction_corrected=1), observable="platelet", units=UNITS
        ),
        "npde": lambda: plots.plot_npde(table, tests, units=UNITS),
        "priors": lambda: plots.plot_priors(thetas),
        "profile": lambda: plots.plot_profile(profile, pd.DataFrame({"low": 4.5, "estimate": 5.1, "high": np.nan}, thetas.index)),
        "objective": lambda: np.array([plots.plot_objective(trace)]),
        "starts": lambda: np.array([plots.plot_starts(starts)]),
    }  # fmt: skip
    return lambda name: axes[name]().flat[0].figure


FIGURES = [
    "fit", "fit of one", "etas", "one eta", "individuals", "last individuals", "check", "one check", "check by dose", "npde",
    "priors", "profile", "objective", "starts",
]  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_nothing_overlaps_and_nothing_is_cut_off(drawn, name):
    before = dict(matplotlib.rcParams)
    figure = drawn(name)
    assert figure.get_figwidth() in (3.5, 7.0) and words(figure)
    assert overlapping(figure) == []
    assert outside(figure) == []
    assert dict(matplotlib.rcParams) == before


def test_goodness_of_fit_puts_observations_against_predictions(table, neutrophils):
    axes = plots.plot_goodness_of_fit(table, units=UNITS)
    assert axes.shape == (3, 4)
    measured = neutrophils[neutrophils["censored"] == 0]
    for panel, column in zip(axes[0], ("population", "individual"), strict=False):
        points = next(line for line in panel.lines if line.get_marker() == "o")
        np.testing.assert_array_equal(points.get_xdata(), measured[column])
        np.testing.assert_array_equal(points.get_ydata(), measured["value"])
        below = next(line for line in panel.lines if line.get_marker() == "v")
        assert set(below.get_ydata()) == {LIMIT} and panel.get_xscale() == panel.get_yscale() == "log"
    residuals = next(line for line in axes[0, 2].lines if line.get_marker() == "o")
    np.testing.assert_allclose(residuals.get_xdata(), neutrophils["time"] / 24.0)
    assert axes[2, 0].get_yscale() == "linear"
    without = int(table["cwres"].isna().sum())
    said = " ".join(text for text, _ in words(axes[0, 0].figure))
    assert f"528 observations of 22 subjects. {without} of them without a residual" in said


def test_etas_have_the_model_s_density_and_their_correlations(etas):
    axes = plots.plot_etas(*etas)
    x, density = axes[0, 0].lines[0].get_data()
    np.testing.assert_allclose(density, stats.norm(0.0, 0.3).pdf(x))
    assert [axes[k, k].get_title() for k in range(4)] == ["shrinkage 5 %", "shrinkage 32 %", "", "shrinkage 60 %"]
    np.testing.assert_array_equal(axes[2, 1].lines[-1].get_xdata(), etas[0].iloc[:, 1])
    assert [axes[0, k].texts[0].get_text() for k in (2, 3)] == ["−0.40\n(0.30)", "shrunk"]
    assert axes[3, 0].get_xlim() == axes[0, 0].get_xlim() and axes[3, 0].get_ylim() == axes[3, 3].get_xlim()
    assert not plots.plot_etas(*etas[:3])[0, 1].texts
    with pytest.raises(SpecError, match="4 etas, a covariance of 3 and shrinkage of 4"):
        plots.plot_etas(etas[0], np.eye(3), etas[2])


def test_individuals_are_paged_and_have_their_curves_and_doses(neutrophils, doses):
    assert pages(neutrophils) == 2
    axes = plots.plot_individual_fits(neutrophils, None, doses, page=2)
    assert [panel.get_title() for panel in axes] == ["animal 20", "animal 21"]
    own = neutrophils[neutrophils["subject"] == "animal 21"]
    typical, individual = axes[1].lines[:2]
    np.testing.assert_array_equal(typical.get_ydata(), own["population"])
    np.testing.assert_array_equal(individual.get_data(), [own["time"] / 24.0, own["individual"]])
    for ticks in axes[1].collections:
        assert [segment[0, 0] for segment in ticks.get_segments()] == [0.0, 1.0, 8.0]
    fine = own.assign(individual=7.0)
    assert set(plots.plot_individual_fits(neutrophils, fine, page=2)[1].lines[1].get_ydata()) == {7.0}
    with pytest.raises(SpecError, match="page 3 of 2"):
        plots.plot_individual_fits(neutrophils, page=3)


def test_the_check_draws_quantiles_bands_and_shares(check):
    axes = plots.plot_visual_check(check, units=UNITS)
    assert axes.shape == (2, 2) and not axes[1, 1].get_visible()
    seen = [line for line in axes[0, 0].lines if line.get_color() == "black"]
    np.testing.assert_array_equal([line.get_ydata() for line in seen], check["observed"][0])
    assert [line.get_linestyle() for line in seen] == ["--", "-", "--"]
    np.testing.assert_array_equal(seen[0].get_xdata(), [0.0, 7.0, 21.0])
    band = axes[0, 0].collections[1].get_paths()[0].vertices
    assert band[:, 1].min() == pytest.approx(0.8) and band[:, 1].max() == pytest.approx(6.5)
    assert band[:, 0].max() == pytest.approx(23.0)
    np.testing.assert_array_equal(axes[1, 0].lines[-1].get_ydata(), check["below_observed"][0])
    below = next(line for line in axes[0, 0].lines if line.get_marker() == "v")
    assert below.get_data()[1].tolist() == [0.8]
    said = " ".join(text for text, _ in words(axes[0, 0].figure))
    assert "500 simulations of the study. A quantile that depends on censored values is not drawn." in said
    assert "observed 5 and 95 % quantiles" in said


def test_a_check_without_limits_has_no_second_row_and_one_bin_is_a_bar(check):
    one = check.drop_vars(["below_observed", "below_simulated"]).isel(group=0, bin=[0], drop=True)
    axes = plots.plot_visual_check(one, observable="neutrophil")
    assert axes.shape == (1, 1)
    assert np.ptp(axes[0, 0].collections[0].get_paths()[0].vertices[:, 0]) > 0.0


def test_quantile_pairs_are_those_of_ordered_normal_values():
    assert quantile_pairs(np.array([0.3])).ravel() == pytest.approx([0.0, 0.3, *stats.norm.ppf([0.025, 0.975])])
    values = np.random.default_rng(3).normal(size=(4000, 20))
    expected, ordered, low, high = quantile_pairs(np.append(values[0], np.nan))
    np.testing.assert_array_equal(ordered, np.sort(values[0]))
    every = np.sort(values, axis=1)
    inside = ((low < every) & (every < high)).mean(axis=0)
    np.testing.assert_allclose(inside, 0.95, atol=0.02)
    np.testing.assert_allclose(expected, np.median(every, axis=0), atol=0.06)


def test_npde_prints_p_values(drawn, table):
    said = " ".join(text for text, _ in words(drawn("npde")))
    assert (
        "528 prediction distribution errors. P values: median zero 0.5, variance one 0.3, normal 0.2, all three 0.6."
        in said
    )
    points = next(line for line in plots.plot_npde(table)[1, 2].lines if line.get_marker() == "o")
    np.testing.assert_array_equal(points.get_ydata(), table.loc[table["observable"] == "platelet", "npde"])


def test_beliefs_are_normal_on_the_scale_of_the_search(thetas):
    value, density = beliefs(thetas.loc["neutrophil.baseline"])["prior"]
    assert value[density.argmax()] == pytest.approx(5.0)
    np.testing.assert_allclose(density, stats.norm(np.log(5.0), 0.1).pdf(np.log(value)))
    value, density = beliefs(thetas.loc["neutrophil.$share"])["estimate"]
    assert value[density.argmax()] == pytest.approx(0.5) and value.min() > 0.0 and value.max() < 1.0
    assert list(beliefs(thetas.loc["cemsidomide.neutrophil.slope"])) == ["estimate"]
    assert beliefs(thetas.iloc[0].replace({0.08: np.nan, 0.1: 0.0})) == {}


def test_the_profile_s_line_is_the_chi_square_quantile(profile, thetas):
    axes = plots.plot_profile(profile, level=0.9)
    assert axes[0].lines[0].get_ydata()[0] == pytest.approx(stats.chi2(1).ppf(0.9))
    np.testing.assert_array_equal(
        axes[1].lines[1].get_ydata(), profile.loc[profile["theta"] == "neutrophil.mtt", "difference"]
    )
    edges = pd.DataFrame({"low": [4.4], "estimate": [5.1], "high": [5.9]}, index=thetas.index[:1])
    upright = [line.get_xdata()[0] for line in plots.plot_profile(profile, edges)[0].lines[2:5]]
    assert upright == [4.4, 5.1, 5.9]


def test_the_search_is_drawn_over_its_lowest_objective(trace, starts):
    panel = plots.plot_objective(trace)
    lines = {len(line.get_xdata()): line for line in panel.lines}
    assert min(line.get_ydata().min() for line in panel.lines) == 0.0 and set(lines) == {30}
    assert panel.lines[0].get_linewidth() > panel.lines[1].get_linewidth()
    panel = plots.plot_starts(starts)
    np.testing.assert_allclose(panel.lines[0].get_ydata(), [0.0, 0.003, 0.843, 253.043], atol=1e-9)
    assert panel.lines[2].get_xdata().tolist() == [3]
    said = " ".join(text for text, _ in words(panel.figure))
    assert "Lowest objective: 1223.0570; 2 of 5 starts are within 0.1 of it. 1 failed." in said


def test_axes_of_the_caller_are_drawn_on(check, trace, table, thetas):
    figure = Figure()
    own = figure.subplots(2, 2)
    assert plots.plot_visual_check(check, ax=own)[0, 0] is own[0, 0] and own[0, 1].lines
    panel = figure.add_subplot()
    assert plots.plot_objective(trace, ax=panel) is panel and figure.legends == []
    for draw in (
        lambda ax: plots.plot_goodness_of_fit(table, ax=ax), lambda ax: plots.plot_npde(table, ax=ax),
        lambda ax: plots.plot_priors(thetas, ax=ax), lambda ax: plots.plot_visual_check(check, ax=ax),
    ):  # fmt: skip
        with pytest.raises(SpecError, match="ax has 3 Axes"):
            draw(Figure().subplots(1, 3))


def test_what_cannot_be_drawn_is_refused(table, starts, trace):
    with pytest.raises(SpecError, match="the table has no cwres; it has time"):
        plots.plot_goodness_of_fit(table.drop(columns="cwres"))
    with pytest.raises(SpecError, match="the table has no row"):
        plots.plot_npde(table.iloc[:0])
    with pytest.raises(SpecError, match="none was named; name one of neutrophil, platelet, hemoglobin"):
        plots.plot_individual_fits(table)
    with pytest.raises(SpecError, match="'basophil' is none of them"):
        plots.plot_individual_fits(table, observable="basophil")
    with pytest.raises(SpecError, match="every start failed"):
        plots.plot_starts(starts.assign(objective=np.nan))
    with pytest.raises(SpecError, match="every start failed"):
        plots.plot_objective(trace.assign(objective=np.inf))


def test_trends_are_medians_of_groups_of_equal_numbers():
    x = np.arange(80.0)[::-1]
    found = look.trend(np.append(x, np.nan), np.append(3.0 * x, 1.0))
    np.testing.assert_allclose(found[0], 4.5 + 10.0 * np.arange(8))
    np.testing.assert_allclose(found[1], 3.0 * found[0])
    assert look.trend(x[:9], x[:9])[0].size == 0


def test_scales_times_and_names():
    panel = Figure().subplots()
    look.scale(panel, "y", 0.1, 90.0, True)
    assert panel.get_yscale() == "log" and panel.get_yticks().tolist() == [0.1, 1.0, 10.0, 100.0]
    look.scale(panel, "x", 4.0, 6.0, True)
    assert panel.get_xscale() == "linear" and panel.get_xlim()[0] < 4.0
    assert look.clock(np.array([0.0, 48.0])) == (1.0, "Elapsed hours") and look.clock(np.array([96.0]))[0] == 24.0
    assert look.broken("a_long_drug.neutrophil.slope", 1.0) == "a_long_drug.\nneutrophil.slope"
    assert look.logarithmic("neutrophil", np.array([0.1, np.nan])) and not look.logarithmic(
        "neutrophil", np.array([0.0])
    )
    assert not look.logarithmic("hemoglobin", np.array([1.0]))


def test_values_above_a_limit_point_up():
    panel = Figure().subplots()
    look.dots(panel, np.array([0.0, 1.0]), np.array([3.0, 5.0]), np.array([0, ABOVE]))
    assert [line.get_marker() for line in panel.lines] == ["o", "^"]
    assert [key.get_label() for key in look.dot_keys(np.array([ABOVE]))] == [
        "observation",
        "above the limit of quantification",
    ]
