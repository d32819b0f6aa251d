"""Grading tables from files."""

import pytest

from myelosim.errors import SpecError
from myelosim.grading import grade
from myelosim.spec.grading import load_grading

HEAD = 'format = 1\nkind = "grading"\ntitle = "t"\nsource = "s"\n'
TABLE = (
    HEAD
    + """
[bounds.neutrophil]
unit = "cells/uL"
absolute = ["lln", 1500, 1000, 500]
[bounds.hemoglobin]
unit = "g/L"
absolute = ["lln", 100, 80, "-"]
[bounds.platelet]
absolute = ["-", "-", "-", 20]
relative = [0.9, 0.75, 0.5, 0.25]
[words]
3 = "severe"
"""
)


@pytest.fixture
def read(tmp_path):
    def written(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return load_grading(path)

    return written


def test_a_table_in_its_own_units(read):
    table = read(TABLE)
    # 1000 cells/uL are 1.0 * 10^9/L, 80 g/L are 8.0 g/dL
    assert table.bounds["neutrophil"].absolute == ("lln", 1.5, 1.0, 0.5)
    assert table.bounds["hemoglobin"].absolute == ("lln", 10.0, 8.0, None)
    assert table.bounds["platelet"].absolute == (None, None, None, 20.0)
    assert table.bounds["platelet"].relative == (0.9, 0.75, 0.5, 0.25)
    assert (table.name, table.title, table.source, table.words) == ("mine", "t", "s", {3: "severe"})
    assert grade([0.99], "neutrophil", table, lln=2.0).tolist() == [3]


def test_by_name(read, tmp_path, monkeypatch):
    path = tmp_path / "models" / "grading" / "mine.toml"
    path.parent.mkdir(parents=True)
    path.write_text(TABLE)
    monkeypatch.setenv("MYELOSIM_PATH", str(tmp_path))
    assert load_grading("mine").bounds == read(TABLE).bounds
    with pytest.raises(SpecError, match="no grading table 'mime'; did you mean 'mine'"):
        load_grading("mime")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "grades nothing"),
        (
            "[bounds.erythroid]\nabsolute = [12, 10, 8, 6]\n",
            "what is observed of it is 'hemoglobin': write 'hemoglobin'",
        ),
        ("[bounds.neutrophil]\nabsolute = [1.5, 1.0, 0.5]", "must have one entry for each of the grades"),
        ('[bounds.neutrophil]\nabsolute = ["uln", 1.5, 1.0, 0.5]', "'uln' is not a positive number"),
        ("[bounds.neutrophil]\nabsolute = [1.0, 1.5, 1.0, 0.5]", "must fall from grade to grade"),
        ("[bounds.neutrophil]\nrelative = [90, 75, 50, 25]", "90.* is not a fraction of baseline"),
        ('[bounds.neutrophil]\nunit = "g/dL"\nabsolute = [2.0, 1.5, 1.0, 0.5]', r"bounds\.neutrophil\.unit"),
        ("[bounds.neutrophil]\nunder = [2.0, 1.5, 1.0, 0.5]", "unknown key 'under'"),
        ("[bounds.neutrophil]\nabsolute = [2, 1.5, 1, 0.5]\n[words]\n5 = 'dead'", "'5' is not a grade"),
    ],
)
def test_tables_that_cannot_be(read, body, message):
    with pytest.raises(SpecError, match=message):
        read(HEAD + body)
