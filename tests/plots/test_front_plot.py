"""The picture of what more visits and subjects buy."""

import pandas as pd
import pytest
from matplotlib.figure import Figure
from on_page import outside, overlapping

from myelosim import plots
from myelosim.errors import SpecError


@pytest.fixture
def table():
    rows = [(visits, subjects) for subjects in (8, 12) for visits in (2, 3, 4)]
    made = pd.DataFrame(rows, columns=["visits", "subjects"])
    made["draws"] = made["visits"] * made["subjects"]
    made["cost"], made["efficiency"] = 0.0, [0.3, 0.45, 0.6, 0.5, 0.75, 1.0]
    made["knee"], made["cheapest"] = made["draws"] == 36, made["draws"] == 16
    return made


def test_a_line_a_number_of_subjects_against_draws_or_costs(table):
    ax = plots.plot_front(table, note="A study?")
    assert not outside(ax.figure) and not overlapping(ax.figure)
    lines = [line.get_xydata().tolist() for line in ax.get_lines()]
    assert lines[0] == [[16, 0.3], [24, 0.45], [32, 0.6]] and lines[1] == [[24, 0.5], [36, 0.75], [48, 1.0]]
    assert lines[2:] == [[[36, 0.75]], [[16, 0.3]]]
    assert [text.get_text() for text in ax.texts] == ["2", "3", "4"] * 2
    own = Figure().subplots()
    assert plots.plot_front(table.assign(cost=2.0 * table["draws"]), ax=own) is own
    assert own.get_xlabel() == "Cost" and own.get_lines()[0].get_xdata().tolist() == [32, 48, 64]
    with pytest.raises(SpecError, match="no efficiency"):
        plots.plot_front(table.drop(columns="efficiency"))
