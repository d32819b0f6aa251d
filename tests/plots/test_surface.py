"""The picture of a sweep shows its numbers, and its lines part what is under the limit from what is not."""

import numpy as np
import pytest
import xarray as xr

from myelosim.errors import SpecError
from myelosim.plots import plot_surface
from myelosim.plots.figures import boundary

DOSES, SCHEDULES, WHO = ["10 mg", "20 mg", "40 mg"], ["d1-7", "d1-14"], ["$men", "rats"]
P = np.array([[[0.1, 0.2], [0.2, 0.3]], [[0.2, 0.3], [0.4, 0.5]], [[0.6, 0.6], [0.7, 1.0]]])


def swept(undosed=0.0):
    dims = ("dose", "schedule", "species", "lineage")
    p = P[..., None] * np.array([1.0, np.nan])
    shape = {"p_grade3": p, "subjects": np.full(p.shape, 50)}
    ds = xr.Dataset({name: (dims, values) for name, values in shape.items()})
    ds["p_grade3_undosed"] = (("species", "lineage"), np.full((2, 2), undosed) * np.array([1.0, np.nan]))
    ds["p_limit"], ds["p_limit_high"] = (dims[:3], P), (dims[:3], P + 0.1)
    ds["dose_matters"] = ("lineage", [True, True])
    ds = ds.assign_coords(dose=DOSES, schedule=SCHEDULES, species=WHO, lineage=["neutrophil", "hemoglobin"])
    ds = ds.assign_coords(
        dose_number=("dose", [10.0, 20.0, 40.0]), grading=("species", ["ctcae_v5", "percent_of_baseline"])
    )
    ds.attrs = {
        "title": "A $title", "axes": "dose, schedule, species", "days": 28.0, "grading": "ctcae_v5", "limit": "P < 0.3",
        "limit_probability": 0.3, "limit_lineage": "neutrophil", "warnings": "", "note": "", "assumed_parameters": 3,
    }  # fmt: skip
    return ds


def numbers(panel):
    return [text.get_text() for text in panel.texts]


def test_a_cell_prints_its_percentage():
    axes = plot_surface(swept())
    assert axes.shape == (2, 1)  # nothing is known of hemoglobin
    assert numbers(axes[0, 0]) == ["10", "20", "60", "20", "40", "70"]
    assert numbers(axes[1, 0]) == ["20", "30", "60", "30", "50", "100"]
    assert [tick.get_text() for tick in axes[1, 0].get_xticklabels()] == ["10", "20", "40"]
    assert axes[1, 0].get_xlabel() == "Dose (mg)"


def test_what_is_without_drug_stands_beside():
    axes = plot_surface(swept(undosed=0.05))
    assert numbers(axes[0, 0]).count("5") == 2
    assert "no\ndrug" in [tick.get_text() for tick in axes[1, 0].get_xticklabels()]
    assert "incidence is partly disease" in axes[0, 0].figure.get_supxlabel()


def test_lines_are_drawn_where_the_limit_is():
    solid, dashed = plot_surface(swept())[0, 0].collections
    at = [line for line in solid.get_segments() if line[0, 0] == line[1, 0]]
    assert sorted(float(line[0, 0]) for line in at) == pytest.approx(
        [0.5, 1.25], abs=0.03
    )  # 0.3 between 0.2 and 0.4 or 0.6
    assert min(line[:, 0].min() for line in dashed.get_segments()) < 0.1


def test_boundary_follows_edges_where_nothing_lies_between():
    values = np.array([[0.1, 0.4, 0.4], [0.1, 0.1, 0.4]])
    lines = boundary(values, 0.3, False)
    assert [(0.5, -0.5), (0.5, 0.5)] in lines and [(1.5, 0.5), (1.5, 1.5)] in lines
    assert [(0.5, 0.5), (1.5, 0.5)] in lines and len(lines) == 3


def test_axes_can_be_chosen_and_given():
    axes = plot_surface(swept(), x="schedule", y="species")
    assert axes.shape == (3, 1)
    assert numbers(axes[0, 0]) == ["10", "20", "20", "30"]
    with pytest.raises(SpecError, match="no axis 'day'"):
        plot_surface(swept(), x="day")
    with pytest.raises(SpecError, match="no sweep"):
        plot_surface(xr.Dataset())


def test_one_axis_is_one_row():
    axes = plot_surface(swept().isel(schedule=0, species=0, drop=True))
    assert numbers(axes[0, 0]) == ["10", "20", "60"]


def test_it_can_be_saved(tmp_path):
    plot_surface(swept(undosed=0.05))[0, 0].figure.savefig(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 10_000
