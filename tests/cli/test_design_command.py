"""``myelosim design``: what it prints, writes and refuses."""

import json

import pandas as pd
import pytest

from myelosim.cli.design import listed, spanned
from myelosim.errors import SpecError

DESIGN = """\
format = 1
kind = "design"
title = "A small study"
model = "generic_oral_2cmt_friberg"
candidate_days = [0, 3, 5, 7, 10, 14, 21]
visits = 3
free = "listed"
[estimate]
"neutrophil.baseline" = { omega = 0.1 }
"neutrophil.mtt" = {}
"drug.neutrophil.slope" = {}
[[group]]
name = "all"
dose = "40 mg once"
subjects = 12
[[alternative]]
name = "seeds"
days = [3, 5, 7, 10, 14]
"""
ASKED = ("--model", "generic_oral_2cmt_friberg", "--dose", "40 mg once", "--subjects", "12", "--free", "neutrophil.mtt")


@pytest.fixture
def design(samples, myelosim):
    """Run the sample design, its text changed if need be."""

    def run(*arguments, text=DESIGN):
        (samples / "small_design.toml").write_text(text)
        return myelosim("design", "small_design.toml", *arguments)

    return run


def test_tables_and_files(samples, design):
    done = design()
    assert done.exit_code == 0, done.stderr
    for said in (
        "Calendar",
        "elapsed day",
        "study day",
        "seeds",
        "efficiency",
        "1-12",
        "assumed",
        "optimal only under",
    ):
        assert said in done.stdout, said
    folder = samples / "results" / "small_design_design"
    assert json.loads((folder / "design.json").read_text())["criterion"] == "D"
    assert (folder / "figure.png").stat().st_size > 10_000
    again = design("--no-figure")
    assert again.exit_code == 0 and not (folder / "figure.png").exists()


def test_a_result_of_another_file_is_not_replaced(samples, design, myelosim):
    assert design("--out", "out", "--no-figure").exit_code == 0
    (samples / "other.toml").write_text(DESIGN)
    refused = myelosim("design", "other.toml", "--out", "out")
    assert refused.exit_code == 2 and "--overwrite" in refused.stderr
    assert myelosim("design", "other.toml", "--out", "out", "--no-figure", "--overwrite").exit_code == 0


def test_without_a_file_days_are_evaluated_and_candidates_chosen_from(myelosim):
    done = myelosim("design", *ASKED, "--days", "3,5,7,10,14")
    assert done.exit_code == 0, done.stderr
    assert "evaluated by" in done.stdout and "written" not in done.stdout
    done = myelosim("design", *ASKED, "--candidate-days", "1-14", "--visits", "2-3", "--gap", "2 d", "--criterion", "A")
    assert done.exit_code == 0, done.stderr
    assert "chosen by" in done.stdout and "at least 2 days apart" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "which design?"),
        (("nothing",), "no design 'nothing'"),
        (("small_design.toml", "--days", "3"), "is what small_design.toml says"),
        (ASKED, "either --days"),
        ((*ASKED, "--days", "3", "--candidate-days", "3-9"), "either --days"),
        ((*ASKED, "--candidate-days", "3-9"), "--visits is missing"),
        ((*ASKED, "--days", "three"), "'three' is no day"),
        ((*ASKED, "--days", "3,3-5"), "days 3,3-5: one is named twice"),
        ((*ASKED, "--candidate-days", "1-9", "--visits", "few"), "'few' is no number of visits"),
        ((*ASKED, "--candidate-days", "1-4", "--visits", "7"), "7 visits are more than the 4"),
        ((*ASKED[:4], "--days", "3"), "--subjects is missing"),
        (("--model", "cemsidomide", *ASKED[2:], "--days", "3"), "whom is it given to?"),
        ((*ASKED[:-1], "neutrophil.mt", "--days", "3"), "neutrophil.mt"),
        ((*ASKED, "--days", "3", "--criterion", "E"), "'E' is not known"),
    ],
)
def test_what_cannot_be_is_a_message(samples, design, myelosim, arguments, said):
    (samples / "small_design.toml").write_text(DESIGN)
    done = myelosim("design", *arguments)
    assert done.exit_code == 2 and said in " ".join(done.stderr.split())


def test_limits_that_leave_no_design_are_named(design):
    done = design(text=DESIGN.replace("visits = 3", 'visits = 3\ngap = "15 d"'))
    assert done.exit_code == 2 and "at least 15 days apart" in " ".join(done.stderr.split())


def test_days_and_numbers_as_texts():
    assert listed("2, 4-6") == [2.0, 4.0, 5.0, 6.0] and listed("d1 q3d until d9") == "d1 q3d until d9"
    assert spanned("4") == 4 and spanned("3-7") == {"from": 3, "to": 7}
    with pytest.raises(SpecError, match="no day"):
        listed("1-")


def test_what_more_visits_buy(samples, design):
    text = DESIGN.replace("visits = 3", "visits = { from = 2, to = 4 }") + "[front]\nnumbers = [12, 16]\n"
    done = design("--wanted", 20, text=text)
    told = done.output[done.output.index("What more visits and subjects buy") :].splitlines()[2:8]
    assert [line.split()[:3] for line in told] == [
        ["2", "12", "24"], ["3", "12", "36"], ["4", "12", "48"], ["2", "16", "32"], ["3", "16", "48"], ["4", "16", "64"],
    ]  # fmt: skip
    assert told[-1].split()[3:5] == ["-", "100%"]
    table = pd.read_csv(samples / "results" / "small_design_design" / "front.csv")
    assert table["visits"].tolist() == [2, 3, 4, 2, 3, 4] and table["cheapest"].sum() <= 1
    assert (samples / "results" / "small_design_design" / "front.png").stat().st_size > 0
    refused = design("--front", "--overwrite")
    assert refused.exit_code == 2 and "one number of visits and one of subjects" in refused.stderr
