"""What is drawn, where, and that it leaves nothing behind."""

import io
import subprocess
import sys
from itertools import product

import matplotlib
import numpy as np
import pytest
from matplotlib import style
from matplotlib.figure import Figure
from on_page import outside, overlapping, words

import myelosim as ms
from myelosim.errors import SpecError
from myelosim.plots import figures as numbers
from myelosim.plots import (
    plot_grade_occupancy,
    plot_monitoring,
    plot_nadir,
    plot_summary,
    plot_trajectories,
)
from myelosim.plots import style as style_of
from myelosim.plots.nadir import _percent

PLOTS = {
    "trajectories": lambda ds: plot_trajectories(ds)[0, 0].figure,
    "nadir": lambda ds: plot_nadir(ds)[0].figure,
    "occupancy": lambda ds: plot_grade_occupancy(ds, "neutrophil")[0].figure,
    "monitoring": lambda ds: plot_monitoring(ds)[0].figure,
    "summary": plot_summary,
}


def renamed(result, names):
    return result.assign_coords(arm=names)


def many(result):
    """Eight arms of long names."""
    eight = result.isel(arm=[0, 1, 2, 1, 2, 1, 2, 1])
    return renamed(eight, [f"{k}00 ug, 14 on 14 off, filgrastim d15-17" for k in range(8)])


@pytest.mark.parametrize(
    ("name", "arms"), [*product(PLOTS, ("few", "many")), ("nadir", "relative"), ("summary", "relative")]
)
def test_nothing_overlaps_and_nothing_is_cut_off_at_journal_width(compared, name, arms):
    result = many(compared) if arms == "many" else compared
    if arms == "relative":
        result = compared.assign_attrs(grading="percent_of_baseline")
    figure = PLOTS[name](result)
    assert figure.get_figwidth() == 7.0 or result.sizes["lineage"] == 1
    assert overlapping(figure) == []
    assert outside(figure) == []


def test_overlap_would_be_seen():
    figure = Figure()
    figure.text(0.5, 0.5, "one")
    figure.text(0.5, 0.51, "two")
    assert overlapping(figure) == [("one", "two")]


def test_trajectories_show_the_median_bands_grades_doses_and_visits(compared):
    axes = plot_trajectories(compared)
    assert axes.shape == (1, 3)
    bands = numbers.spread(compared["count"])
    for k, panel in enumerate(axes[0]):
        median = bands.sel(quantile=0.5, lineage="neutrophil").isel(arm=k)
        assert any(np.array_equal(line.get_ydata(), median) for line in panel.lines)
        assert panel.get_xlabel() == "Elapsed days"
    assert axes[0, 0].get_ylabel() == "Neutrophils (10⁹/L)"
    drawn = [line for line in axes[0, 2].lines if len(line.get_xdata()) == 2]
    assert [tuple(line.get_xdata()) for line in drawn] == [(0.0, 14.0), (28.0, 42.0)]
    limits = [v for v in compared["grade_limit"].to_numpy().ravel() if not np.isnan(v)]
    spans = sorted(p.get_y() + p.get_height() for p in axes[0, 0].patches)
    np.testing.assert_allclose(spans, sorted(limits))
    printed = [t.get_text() for t in axes[0, -1].texts]
    assert printed == ["grade", *(str(4 - k) for k in range(len(limits)))]
    visits = next(line for line in axes[0, 2].lines if line.get_marker() == "^")
    assert np.array_equal(visits.get_xdata(), compared["visit"]) and min(visits.get_ydata()) > 0.02


def test_nadir_prints_the_share_with_its_interval(compared):
    panel = plot_nadir(compared)[0]
    share, low, high = (100 * numbers.share_at_grade3(compared).sel(arm="40 mg", lineage="neutrophil")).to_numpy()
    assert f"{share:.0f}\n{low:.0f}–{high:.0f}" in [t.get_text() for t in panel.texts]
    assert [t.get_text() for t in panel.get_xticklabels()] == ["none", "20 mg", "40 mg"]


def test_copies_of_one_subject_are_a_line_without_an_interval(compared):
    same = compared.isel(subject=np.zeros(40, int)).assign_coords(subject=range(40))
    panel = plot_nadir(same)[0]
    assert panel.lines == [] or all(len(line.get_xdata()) == 0 for line in panel.lines)
    assert {text.get_text() for text in panel.texts} & {"0", "100"} and "95 %" not in panel.get_title()
    figure = plot_trajectories(same)[0, 0].figure
    said = " ".join(text.replace("\n", " ") for text, _ in words(figure))
    assert "One typical subject: the model has no variability between subjects." in said
    assert "virtual subjects" not in said and "90 % of subjects" not in said


def test_an_arrow_says_how_many_nadirs_lie_below_the_axis(compared):
    deep = compared.assign(nadir=compared["nadir"].where(compared["subject"] >= 7, 1e-4 * compared["nadir"]))
    figure = plot_nadir(deep)[0].figure
    assert [t.get_text() for t in figure.axes[0].texts if "↓" in t.get_text()] == ["↓7"] * 3
    assert figure.axes[0].get_ylim()[0] == pytest.approx(0.03 * 0.5)
    assert overlapping(figure) == []
    for drawn, said in ((figure, True), (plot_summary(deep), True), (plot_summary(compared), False)):
        assert (
            "↓: number of subjects whose nadir lies below the axis." in " ".join(t for t, _ in words(drawn))
        ) == said
    relative = plot_nadir(deep.assign_attrs(grading="percent_of_baseline"))[0]
    assert not any("↓" in t.get_text() for t in relative.texts)


@pytest.mark.parametrize(("bottom", "top"), [(7.0, 10.3), (7.9, 8.2), (7.0, 13.0)])
def test_numbers_of_grades_stand_under_their_heading(bottom, top):
    panel = Figure(figsize=(2, 1)).subplots()
    panel.set_ylim(bottom, top)
    style_of.grade_bands(panel, np.array([12.0, 10.0, 8.0, np.nan]))
    assert len(panel.texts) > 2 and overlapping(panel.figure) == []


def test_long_names_of_one_or_two_arms_are_lettered(compared):
    two = renamed(compared.isel(arm=[1, 2]), ["14 on 14 off", "10 on 11 off"])
    one = renamed(compared.isel(arm=[1]), ["one patient's concentrations"])
    assert [style_of.arm_labels(result) for result in (two, one, compared)] == [
        ["A", "B"],
        ["A"],
        ["none", "20 mg", "40 mg"],
    ]
    for result in (one, compared, renamed(two, ["14-on-off", "10-on-off"])):
        figure = plot_summary(result)
        axes = figure.axes[-3:]
        figure.draw_without_rendering()
        left = min(label.get_window_extent().x0 for label in axes[2].get_yticklabels())
        assert left > axes[1].get_window_extent().x1


def test_shares_near_none_and_all_keep_a_decimal():
    assert [_percent(share) for share in (0.0, 0.0038, 0.0099, 0.5, 0.9962, 1.0)] == [
        "0",
        "0.4",
        "1",
        "50",
        "99.6",
        "100",
    ]


def test_occupancy_stacks_the_worst_grade_first(compared):
    axes = plot_grade_occupancy(compared, "neutrophil")
    share = numbers.grade_share(compared, "neutrophil").sel(arm="40 mg")
    worst = axes[2].collections[0].get_paths()[0].vertices
    assert worst[:, 1].max() == pytest.approx(float(share.sel(grade=4).max()))


def test_monitoring_shows_recommended_and_own_days(compared):
    axes = plot_monitoring(compared, draws=2)
    caught = compared["monitoring_in_time"].sel(lineage="neutrophil", arm="40 mg").to_numpy()
    others = compared["calendar_in_time"].sel(lineage="neutrophil", arm="40 mg").to_numpy()
    lines = [line.get_ydata() for line in axes[0].lines]
    assert any(np.array_equal(y, caught) for y in lines) and any(np.array_equal(y, others) for y in lines)
    days = compared["monitoring_day"].sel(arm="40 mg", draws=2).dropna("pick").to_numpy()
    assert any(np.array_equal(line.get_xdata(), days) for line in axes[2].lines)
    assert axes[2].get_title() == "Recommended days, 2 draws"


def test_summary_letters_its_parts_and_says_what_it_rests_on(compared):
    about = {"illustrative": 1, "assumed_parameters": 7, "warnings": "Costs $5.\nMore to know"}
    said = " ".join(" ".join(text.split()) for text, _ in words(plot_summary(compared.assign_attrs(about))))
    for part in (
        "ILLUSTRATIVE",
        "7 of the model's parameters are assumed",
        "More to know.",
        "study day d1 is day 0",
        "40 virtual subjects",
    ):
        assert part in said


def test_summary_without_recommended_days_or_with_one_subject(compared):
    fewer = compared.drop_vars([name for name in compared if str(name).startswith(("monitoring", "calendar"))])
    assert len(plot_summary(fewer).axes) == len(plot_summary(compared).axes) - 3
    one = plot_summary(fewer.isel(subject=[0]))
    assert "One subject." in " ".join(text for text, _ in words(one))


def test_more_than_eight_arms_are_named_below(compared):
    twelve = renamed(compared.isel(arm=[0, 1, 2] * 4), [f"arm {k}" for k in range(12)])
    said = " ".join(text for text, _ in words(plot_summary(twelve))).replace("\u00a0", " ")
    assert "Not drawn, 4 more arms: arm 8; arm 9; arm 10; arm 11." in " ".join(said.split())


def test_forty_arms_with_long_names_and_a_long_title_stay_on_the_page(compared):
    names = [f"{k}0 mg twice a day for as long as it goes, then less often" for k in range(40)]
    forty = renamed(compared.isel(arm=[k % 3 for k in range(40)]), names).assign_attrs(
        title="A long title of words " * 12
    )
    figure = plot_summary(forty)
    said = " ".join(" ".join(text for text, _ in words(figure)).replace("\u00a0", " ").split())
    assert "Not drawn, 32 more arms" in said and names[-1] in said and said.count("A long title of words") == 12
    assert outside(figure) == [] and overlapping(figure) == []


@pytest.mark.parametrize("name", PLOTS)
def test_what_users_write_is_no_formula(compared, name):
    figure = PLOTS[name](
        renamed(compared, ["$1 {a$", "$x^{$", "b_{$$"])
        .assign(dose_drug=compared["dose_drug"].where(compared["dose_drug"] == "", "$dr_{ug$"))
        .assign_attrs(title=r"$\frac{1}$", warnings="Costs $5 to $9.")
    )
    drawn = saved(figure)
    said = " ".join(" ".join(text for text, _ in words(figure)).replace(r"\$", "$").split())
    assert drawn and "$5 to $9" in said and "b_{$$" in said
    assert name != "summary" or r"$\frac{1}$" in said


def test_a_horizon_of_half_a_day_holds_the_bars_and_has_ticks():
    model = ms.load_model("generic_oral_2cmt_friberg")
    half = ms.simulate(model, "drug 40 mg BID", days=0.5, population=ms.Population(5, seed=1))
    panel = plot_trajectories(half)[0, 0]
    assert max(max(line.get_xdata()) for line in panel.lines) == 0.5
    assert len(panel.get_xticks()) >= 3


def test_nothing_to_catch_is_said(compared):
    nothing = compared.assign(
        {n: v * np.nan for n, v in compared.items() if str(n).startswith(("monitoring_in_time", "monitoring_delay"))}
    )
    axes = plot_monitoring(nothing)
    assert [[t.get_text() for t in panel.texts] for panel in axes[:2]] == [["no grade 3 to catch"], ["nothing caught"]]
    assert not any(panel.texts for panel in plot_monitoring(compared)[:2])


def test_arms_own_visits_and_dosing_have_a_legend(compared):
    keys = [text.get_text() for text in plot_monitoring(compared)[0].figure.legends[0].get_texts()]
    # fewer than five of the 40 subjects at 20 mg have an event: no days are chosen for that arm
    assert keys == ["40 mg", "other calendars", "dosing"]


def test_other_calendars_stand_beyond_the_curves_and_are_named_below(compared):
    panel, _, days = plot_monitoring(compared)
    others = [line for line in panel.lines if line.get_markerfacecolor() == "white"]
    assert min(line.get_xdata().min() for line in others) > float(compared["draws"].max()) + 0.5
    assert [t.get_text() for t in panel.get_xticklabels()] == ["1", "2", "3", "i", "ii", "iii"]
    assert [t.get_text() for t in days.get_yticklabels()] == ["i", "ii", "iii", "none", "20 mg", "40 mg"]
    (biweekly,) = [line.get_xdata() for line in days.lines if np.all(line.get_ydata() == 1)]
    assert biweekly[~np.isnan(biweekly)].tolist() == [7.0, 14.0, 21.0, 28.0, 42.0, 56.0]
    said = " ".join(text for text, _ in words(panel.figure))
    assert "i: own visits (8 draws); ii: weekly x4, then q2w (6 draws); iii: weekly, 2 a week at grade 3 (8" in said


def test_columns_of_the_summary_stand_under_each_other(compared):
    panels = [p for p in plot_summary(compared).axes if p.get_xlabel() == "Elapsed days"]
    counts, grades = panels[:3], panels[3:6]
    for above, below in zip(counts, grades, strict=True):
        np.testing.assert_allclose(above.get_window_extent().intervalx, below.get_window_extent().intervalx)


def test_legends_of_one_arm_fit_its_width(compared):
    one = compared.isel(arm=[2])
    for figure in (plot_trajectories(one)[0, 0].figure, plot_grade_occupancy(one, "neutrophil")[0].figure):
        assert figure.get_figwidth() == 3.5 and outside(figure) == []


def test_axes_of_the_caller(compared):
    figure = Figure()
    own = figure.subplots(1, 3)
    drawn = plot_trajectories(compared, ax=own)
    assert drawn.shape == (1, 3) and drawn[0, 1] is own[1]
    single = Figure().subplots()
    assert plot_nadir(compared, ax=single)[0] is single
    assert plot_monitoring(compared, ax=Figure().subplots(1, 3)).shape == (3,)
    with pytest.raises(SpecError, match="ax has 2 Axes; it takes 1 x 3"):
        plot_grade_occupancy(compared, "neutrophil", ax=Figure().subplots(1, 2))


def test_lineage_that_is_not_there(compared):
    with pytest.raises(SpecError, match="no lineage 'platelet'"):
        plot_monitoring(compared, "platelet")


def saved(figure):
    out = io.BytesIO()
    figure.savefig(out, format="raw", dpi=60)
    return out.getvalue()


def test_style_of_the_caller_neither_changes_nor_is_changed(compared):
    before = dict(matplotlib.rcParams)
    plain = saved(plot_nadir(compared)[0].figure)
    assert dict(matplotlib.rcParams) == before
    with style.context(
        {"font.size": 20, "xtick.labelsize": 20, "ytick.labelsize": 20, "axes.labelsize": 20, "lines.linewidth": 9}
    ):
        other = saved(plot_nadir(compared)[0].figure)
    assert other == plain


def test_importing_plots_does_not_import_pyplot():
    code = "import sys, myelosim.plots; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_dose_has_no_key(compared):
    none = compared.isel(arm=[1]).drop_dims("dose")
    assert "dosing" not in [text.get_text() for text in plot_monitoring(none)[0].figure.legends[0].get_texts()]
