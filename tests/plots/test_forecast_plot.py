"""What the picture of a forecast shows."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

import myelosim as ms
from myelosim.plots import plot_forecast


@pytest.fixture(scope="module")
def found():
    data = pd.DataFrame({"TIME": [0.0, 72.0, 120.0], "DV": [5.0, "<4.9", 4.0], "DVID": "neutrophil"})
    model = ms.load_model("generic_oral_2cmt_friberg")
    return ms.forecast(model, data, regimen="drug 40 mg BID d1-14", samples=60)


def test_a_panel_a_lineage_and_one_of_days(found):
    counts, days = plot_forecast(found)
    own = found.sel(lineage="neutrophil")
    lines = {line.get_label(): line for line in counts.lines}
    assert any(np.array_equal(line.get_ydata(), own["count"].sel(quantile=0.5)) for line in lines.values())
    vertical = sorted(line.get_xdata()[0] for line in days.lines)
    assert vertical == sorted([5.0, float(found["next_draw"])])
    assert [bar.get_height() for bar in days.patches] == pytest.approx((100 * found["information"]).to_numpy().tolist())
    assert max(bar.get_x() + bar.get_width() for bar in days.patches) < days.get_xlim()[1]
    low, high = counts.get_ylim()
    assert low < float(own["nadir"].min()) and float(own["nadir"].max()) < high
    seen = [line for line in counts.lines if line.get_marker() not in ("None", "", None)]
    assert sorted(len(line.get_xdata()) for line in seen) == [1, 2]


def test_what_must_be_known_stands_below(found):
    figure = plot_forecast(found)[0].figure
    assert "not advice for any patient" in figure.get_supxlabel().replace("\n", " ")


def test_axes_of_ones_own_and_what_is_none(found):
    axes = Figure().subplots(2, 1)
    assert plot_forecast(found, ax=axes)[0] is axes[0]
    with pytest.raises(ms.SpecError, match="2 x 1"):
        plot_forecast(found, ax=axes[0])
    with pytest.raises(ms.SpecError, match="no forecast"):
        plot_forecast(found.drop_vars("next_draw"))
