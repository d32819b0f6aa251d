"""The picture of one subject: what is in it, and where."""

import warnings

import numpy as np
import pytest
from matplotlib.patches import Rectangle

import myelosim as ms
from myelosim.history import history
from myelosim.plots import plot_subject


@pytest.fixture
def who(held):
    return int(held["decision_subject"][0])


def test_counts_visits_and_decisions_are_where_they_belong(held, who):
    axes = plot_subject(held, who, "held")
    found = history(held, who, "held")
    assert len(axes) == 4
    for panel, lineage in zip(axes, found.lineages, strict=False):
        true, seen = panel.get_lines()[:2]
        np.testing.assert_array_equal(true.get_ydata(), found.result["count"].sel(lineage=lineage))
        np.testing.assert_array_equal(seen.get_xydata(), found.visits[["day", lineage]])
    flags = {line.get_xdata()[0] for line in axes[0].get_lines()[2:]}
    assert flags == set(found.decisions["day"])
    numbers = [text.get_text() for text in axes[0].texts]
    assert sum(
        1 for text in numbers if (text[0].isdigit() and text not in "1234") or "–" in text or text.isdigit()
    ) >= len(flags)
    listed = axes[0].figure._supxlabel.get_text().replace("\u00a0", " ")
    assert f"1: day {found.decisions['day'][0]:g}, hold drug" in listed and f"Subject {who}, held." in listed


def test_bars_are_as_high_as_doses_and_empty_where_none_was_given(held, who):
    axes = plot_subject(held, who, "held")
    found = history(held, who, "held")
    bars = [patch for patch in axes[-1].patches if isinstance(patch, Rectangle)]
    gray = [bar for bar in bars if bar.get_zorder() == 0.5]
    assert [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in gray] == [one[1:] for one in found.holds()]
    filled = [bar for bar in bars if bar.get_zorder() == 2 and bar.get_facecolor()[3] > 0 and bar.get_height() > 0]
    assert len(filled) == (found.doses["given"] > 0).sum()
    empty = [bar for bar in bars if bar.get_zorder() == 2 and bar.get_facecolor()[3] == 0]
    assert sum(bar.get_width() for bar in empty) == pytest.approx(0.5 * (found.doses["given"] == 0).sum())


def test_one_may_give_axes(held, who):
    from matplotlib.figure import Figure

    axes = Figure().subplots(4, 1)
    assert plot_subject(held, who, "held", ax=axes)[0] is axes[0]
    with pytest.raises(ms.SpecError, match="takes 4 x 1"):
        plot_subject(held, who, "held", ax=axes[:2])


def test_counts_graded_by_baseline_are_drawn_as_percent():
    model = ms.load_model("generic_three_lineage")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        ds = ms.simulate(model, "drug 40 mg QD d1-14", days=28, visits="d1 weekly", grading="percent_of_baseline")
    panel = plot_subject(ds, 0)[1]
    assert panel.get_lines()[0].get_ydata()[0] == pytest.approx(100.0)
    shown = 100.0 * ds["observed"].sel(lineage="platelet")[0] / ds["baseline"].sel(lineage="platelet")[0]
    np.testing.assert_allclose(panel.get_lines()[1].get_ydata(), shown)


def test_transfusions_are_triangles():
    model = ms.load_model("cemsidomide", species="human", variant="rrmm")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        ds = ms.simulate(
            model, "cemsidomide 100 ug QD d1-21 q28d", days=56, visits="d1 weekly", rules="transfuse_red_cells",
            population=ms.Population(16, seed=1),
        )  # fmt: skip
    who = int(ds["decision_subject"][0])
    found = history(ds, who)
    panel = plot_subject(ds, who)[-1]
    (units,) = [line for line in panel.get_lines() if line.get_marker() == "v"]
    assert units.get_xdata().tolist() == found.decisions["day"].tolist()
    assert [label.get_text() for label in panel.get_yticklabels()] == ["red cells", "cemsidomide"]


def test_an_arm_of_a_comparison_graded_by_baseline():
    from myelosim.plots import plot_trajectories

    arm = {"name": "a", "dose": "drug 40 mg QD d1-14"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        result = ms.compare(
            {"format": 1, "title": "x", "model": "generic_three_lineage", "days": 28, "visits": "d1 weekly", "arm": [arm],
             "grading": "percent_of_baseline", "population": {"size": 2, "seed": 1}}
        )  # fmt: skip
    assert plot_subject(result, 1)[0].get_lines()[0].get_ydata()[0] == pytest.approx(100.0)
    assert plot_trajectories(result.sel(arm="a")).shape == (3, 1)
