"""The picture of a design shows what it is given, and can be read."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from on_page import outside, overlapping, words

from myelosim import plots
from myelosim.errors import SpecError

DAYS = np.linspace(0.0, 28.0, 57)
PARAMETERS = ["neutrophil.baseline", "neutrophil.mtt", "cemsidomide.neutrophil.ec50", "cemsidomide.platelet.ec50"]


@pytest.fixture
def curves():
    parts = []
    for k, group in enumerate(["vehicle", "75 ug equivalent", "150 ug equivalent"]):
        for name, baseline in (("neutrophil", 4.0), ("platelet", 390.0), ("hemoglobin", 13.0)):
            deep = k * DAYS / 10.0 * np.exp(-DAYS / 10.0)
            value = baseline * np.exp(-deep)
            slopes = {
                "neutrophil.baseline": 1.0,
                "neutrophil.mtt": 0.5 * deep,
                PARAMETERS[2]: deep,
                PARAMETERS[3]: -deep,
            }
            table = {
                "group": group,
                "observable": name,
                "day": DAYS,
                "value": value,
                "low": 0.7 * value,
                "high": 1.4 * value,
            }
            parts.append(pd.DataFrame(table | slopes))
    made = pd.concat(parts, ignore_index=True)
    made.attrs["parameters"] = PARAMETERS
    return made


@pytest.fixture
def visits():
    rows = [("proposed", "vehicle", day) for day in (0, 4, 9)] + [
        ("proposed", "150 ug equivalent, 1", day) for day in (2, 11)
    ]
    rows += [("days 3, 5, 7, 10, 14", "all", day) for day in (3, 5, 7, 10, 14)] + [("once", "all", 0.0)]
    return pd.DataFrame(rows, columns=["design", "group", "day"])


WORTH = {"proposed": 1.0, "days 3, 5, 7, 10, 14": 0.8, "once": np.nan}
REMARKS = {"proposed": "40 draws", "days 3, 5, 7, 10, 14": "60 draws, breaks limits"}


def test_it_can_be_read(curves, visits):
    axes = plots.plot_design(curves, visits, WORTH, remarks=REMARKS, note="A study. Criterion: D.")
    figure = axes[0].get_figure(root=True)
    assert not overlapping(figure) and not outside(figure)
    said = " ".join(text for text, _ in words(figure))
    for text in ("not known", "80%", "breaks limits", "Criterion: D", "vehicle", "Efficiency"):
        assert text in said, text


def test_days_and_bars_are_those_given(curves, visits):
    axes = plots.plot_design(curves, visits, WORTH)
    marks = [line.get_xdata().tolist() for line in axes[-2].get_lines() if line.get_marker() == "v"]
    assert marks == [[0, 4, 9], [2, 11], [3, 5, 7, 10, 14], [0]]
    assert [bar.get_width() for bar in axes[-1].patches] == [1.0, 0.8]


def test_what_is_the_same_on_all_days_is_not_drawn(curves, visits):
    axes = plots.plot_design(curves, visits, WORTH)
    labels = [text.get_text() for text in axes[3].get_legend().get_texts()]
    assert labels == ["mtt", "neutrophil.ec50", "platelet.ec50"]
    lines = {line.get_label(): line for line in axes[3].get_lines()}
    own = curves[(curves["group"] == "150 ug equivalent") & (curves["observable"] == "neutrophil")]
    np.testing.assert_allclose(lines["mtt"].get_ydata(), own["neutrophil.mtt"])


def test_axes_of_the_caller(curves, visits):
    given = Figure(figsize=(9, 6)).subplots(2, 4)
    assert plots.plot_design(curves, visits, WORTH, ax=given)[0] is given[0, 0]
    with pytest.raises(SpecError, match="Axes"):
        plots.plot_design(curves, visits, WORTH, ax=given[0])


def test_tables_that_lack_something(curves, visits):
    with pytest.raises(SpecError, match="no day"):
        plots.plot_design(curves, visits.drop(columns="day"), WORTH)
    curves.attrs.clear()
    with pytest.raises(SpecError, match="name no parameters"):
        plots.plot_design(curves, visits, WORTH)
