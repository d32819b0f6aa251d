"""Rows of NONMEM's items."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import myelosim as ms
from myelosim.data import ABOVE, BELOW, MEASURED, read, report
from myelosim.spec.regimen import DoseEvent

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "reference" / "data"
ORAL = ms.load_model("generic_oral_2cmt_friberg")
THREE = ms.load_model("generic_three_lineage")
PACLITAXEL = ms.load_model("friberg_2002_paclitaxel")


def table(rows, columns="ID TIME AMT DV"):
    return pd.DataFrame(rows, columns=columns.split())


def refused(data, model=ORAL, **options):
    with pytest.raises(ms.DataError) as caught:
        read(data, model, **options)
    return str(caught.value)


def problems(study):
    return study.check.problems[["row", "column", "found", "done"]].to_numpy().tolist()


def test_doses_and_observations():
    rows = [(1, 0, 40, "."), (1, 0, ".", 5), (1, 24, ".", 4.5), ("2", 12, 20, "."), ("2", 10, ".", ".")][:4]
    study = read(table(rows), ORAL)
    assert study.subjects == ("1", "2")
    assert study.doses[0] == (DoseEvent("drug", 0.0, 40.0, channel=""),)
    assert study.doses[1][0].time == 12.0
    seen = study.observations
    assert seen.row.tolist() == [2, 3] and seen.subject.tolist() == [0, 0]
    assert seen.observable.tolist() == ["neutrophil"] * 2 and seen.value.tolist() == [5.0, 4.5]
    assert seen.after.tolist() == [True, True] and seen.censored.tolist() == [MEASURED] * 2
    assert study.occasions[0].tolist() == [0.0] and seen.occasion.tolist() == [0, 0]


def test_an_observation_listed_before_the_dose_of_its_hour_is_before_it():
    rows = [(1, 0, 0, 5), (1, 0, 40, 0), (1, 0, 0, 5.1), (1, 24, 0, 4), (1, 24, 40, 0), (1, 30, 0, 3)]
    assert read(table(rows), ORAL).observations.after.tolist() == [False, True, False, True]


def test_a_dose_repeated_by_its_row_comes_before_the_observations_of_its_hour():
    rows = [(1, 0, 40, 24, 3, "."), (1, 24, 0, 0, 0, 5.0)]
    assert read(table(rows, "ID TIME AMT II ADDL DV"), ORAL).observations.after.tolist() == [True]


def test_a_negative_amount_is_one_finding():
    rows = [(1, 0, 40, "."), (1, 0, ".", 5), (1, 24, -40, ".")]
    message = refused(table(rows, "ID TIME AMT DV").assign(DVID=["", "neutrophil", ""]))
    assert message.splitlines() == ["data: row 3 (ID 1): AMT: -40 is negative; it must be 0 or more"]


def test_more_doses_than_anyone_is_given_are_refused():
    rows = [(1, 0, 40, 12, 1e7, "."), (1, 24, 0, 0, 0, 5.0)]
    assert "row 1 (ID 1): ADDL 10000000 cannot be meant; it must be below 100000" in refused(
        table(rows, "ID TIME AMT II ADDL DV")
    )


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_line_with_more_cells_than_the_header_is_named(tmp_path, mark):
    lines = ["ID,TIME,AMT,DV", "1,0,40,.", "", "1,24,.,5,7", "1,48,.,4"]
    (tmp_path / "x.csv").write_text("\n".join(lines).replace(",", mark))
    message = refused(tmp_path / "x.csv")
    assert "row 2 (line 4): has 5 cells, and the header 4; give every line as many" in message


def test_empty_cells_too_many_and_missing_ones_are_none(tmp_path):
    lines = [
        "#ID,TIME,AMT,DV,NOTE",
        "1,0,40,.,,",
        '1,24,.,5,"a, b",,',
        "# a, comment, of, more, cells, yes",
        "1,48,.,4",
    ]
    (tmp_path / "x.csv").write_text("\n".join(lines))
    study = read(tmp_path / "x.csv", ORAL)
    assert study.observations.row.tolist() == [2, 4] and study.observations.value.tolist() == [5.0, 4.0]
    (tmp_path / "y.txt").write_text("ID TIME AMT DV\n\n 1  0 40 .\n 1 24  . 5\n")
    assert read(tmp_path / "y.txt", ORAL).observations.value.tolist() == [5.0]


@pytest.mark.parametrize("mark", [",", ";", "\t", " "])
@pytest.mark.parametrize(
    "above",
    [
        "# pilot.csv\nID,TIME,AMT,DV",
        "\n# a, b, c, d\n# 2026\n\nID,TIME,AMT,DV",
        "#ID,TIME,AMT,DV",
        "# pilot.csv\n#ID,TIME,AMT,DV\n#1,0,20,.",
    ],
)
def test_comments_before_the_header_are_passed_over(tmp_path, above, mark):
    path = tmp_path / "x.csv"
    path.write_text(f"{above}\n1,0,40,.\n1,24,.,5\n".replace(",", mark))
    assert read(path, ORAL).observations.row.tolist() == [2]
    path.write_text(f"{above}\n1,0,40,.\n1,24,.,5,7\n".replace(",", mark))
    assert f"row 2 (line {above.count(chr(10)) + 3}): has 5 cells, and the header 4" in refused(path)


def test_a_table_of_comments_has_no_rows(tmp_path):
    (tmp_path / "x.csv").write_text("# pilot.csv\n# nothing yet\n")
    assert "has a header and no rows" in refused(tmp_path / "x.csv")


def test_columns_to_choose_an_item_from_are_named():
    message = refused(table([(1, 0, 5.0)], "animal hour DV"))
    assert 'say which of animal, hour, DV it is: columns = { ID = "..." } (--column ID=...)' in message


def test_what_tells_nothing_is_said():
    study = read(table([(1, 0, "<0.1"), (1, 24, "<0.1")], "ID TIME DV"), ORAL, units={"neutrophil": "10^9/L"})
    said = report(study)
    assert "every value of neutrophil is below its limit (2 of 2)" in said and "no row is a dose" in said
    some = report(read(table([(1, 0, 40, "."), (1, 1, ".", "<0.1"), (1, 24, ".", 5)]), ORAL))
    assert "every value" not in some and "no row is a dose" not in some


def test_times_in_days_carry_intervals_and_rates_along():
    rows = [(1, 0, 40, 1, 3, 80, "."), (1, 7, 0, 0, 0, 0, 5.0)]
    study = read(table(rows, "ID TIME AMT II ADDL RATE DV"), PACLITAXEL, units={"TIME": "day"})
    assert study.observations.time.tolist() == [168.0]
    assert (study.doses[0][0].interval, study.doses[0][0].duration) == (24.0, 12.0)


def test_any_case_and_names_of_columns():
    rows = pd.DataFrame({"animal": ["R-1", "R-1"], "hour": [0, 24], "Amt": [40, 0], "count": [0, 3.0]})
    study = read(rows, ORAL, columns={"ID": "animal", "TIME": "hour", "DV": "count"})
    assert study.subjects == ("R-1",) and study.observations.value.tolist() == [3.0]


def test_observables_by_name_or_number():
    rows = [(1, 0, 5, "Neutrophil"), (1, 0, 250, "platelet"), (1, 0, 14, "erythroid")]
    named = read(table(rows, "ID TIME DV DVID"), THREE)
    assert named.observables == ("neutrophil", "platelet", "hemoglobin")
    numbered = table([(*row[:3], i + 1.0) for i, row in enumerate(rows)], "ID TIME DV DVID")
    said = {1: "neutrophil", 2: "platelet", 3: "hemoglobin"}
    assert read(numbered, THREE, observables=said).observables == named.observables
    assert read(numbered.rename(columns={"DVID": "CMT"}), THREE, observables=said).observables == named.observables
    assert (
        "row 2 (ID 1): DVID: '2' is a number; say what it stands for: observables = { 2 = \"neutrophil\" }"
        in refused(numbered, THREE)
    )
    assert "say by row what is observed: neutrophil, platelet, hemoglobin, drug" in refused(
        table(rows, "ID TIME DV X"), THREE
    )
    assert "'leukocyte' is not observed of model generic_three_lineage" in refused(
        table([(1, 0, 5, "leukocyte", 0)], "ID TIME DV DVID MDV"), THREE
    )


def test_units_by_observable_and_by_row():
    stated = read(table([(1, 0, 5000)], "ID TIME DV"), ORAL, units={"neutrophil": "cells/uL"})
    by_row = read(table([(1, 0, 5000, "/uL"), (1, 24, 4, "10^9/L")], "ID TIME DV UNIT"), ORAL)
    assert stated.observations.value.tolist() == [5.0] and by_row.observations.value.tolist() == [5.0, 4.0]
    assert "5000 10^9/L cannot be meant" in refused(table([(1, 0, 5000)], "ID TIME DV"))
    assert "unit 'mg' is not a count per volume" in refused(table([(1, 0, 5, "mg")], "ID TIME DV UNIT"))
    few = table([(1, 0, 0.005), (2, 0, 0.006), (2, 24, 0.004)], "ID TIME DV")
    assert "neutrophil is 0.0055 10^9/L in the middle of the first values, and 5 in the model" in refused(few)
    assert read(few, ORAL, units={"neutrophil": "10^9/L"}).observations.value[0] == 0.005
    assert "'weigth' is nothing that has a unit" in refused(few, units={"weigth": "kg"})


def test_doses_in_other_units_and_of_several_drugs():
    model = ms.load_model(["cemsidomide"], species="human", variant="rrmm", gcsf="filgrastim")
    rows = table(
        [(1, 0, 100, "cemsidomide", "ug", "."), (1, 96, 5, "Filgrastim", "ug/kg", "."), (1, 120, ".", ".", ".", 2.0)],
        "ID TIME AMT DRUG UNIT DV",
    )
    doses = read(rows.assign(DVID="neutrophil"), model).doses[0]
    assert [(one.drug, one.amount, one.unit) for one in doses] == [
        ("cemsidomide", 100.0, "ug"),
        ("filgrastim", 5.0, "ug/kg"),
    ]
    assert (
        read(rows.drop(columns=["DRUG", "UNIT"]).assign(DVID="neutrophil"), model, units={"AMT": "ug"}).doses[0][0]
        == doses[0]
    )
    assert "DRUG 'aspirin' is neither a drug nor a lineage" in refused(
        rows.assign(DRUG="aspirin", DVID="neutrophil"), model
    )


def test_transfusions_and_draws_are_rows_like_any_dose():
    model = ms.load_model("cemsidomide", species="human", variant="rrmm")
    rows = table(
        [(1, 24, 1, "platelet", "."), (1, 48, 0.01, "blood", "."), (1, 72, ".", "", 90)], "ID TIME AMT DRUG DV"
    )
    events = read(rows.assign(DVID="platelet"), model).doses[0]
    assert [(one.kind, one.drug, one.amount) for one in events] == [
        ("transfusion", "platelet", 1.0),
        ("draw", "blood", 0.01),
    ]
    assert "is the fraction of the blood" in refused(rows.assign(DVID="platelet", AMT=[1, 2, "."]), model)
    assert "does not say what a transfusion of leukocyte does" in refused(
        table([(1, 0, 1, "leukocyte", 5)], "ID TIME AMT DRUG DV"), PACLITAXEL
    )


def test_results_below_and_above_limits():
    rows = table([(1, 0, 5), (1, 1, "<0.1"), (1, 2, "> 20"), (1, 3, 0.04), (1, 4, "BLQ")], "ID TIME DV")
    seen = read(rows, ORAL, lloq={"neutrophil": 0.05}).observations
    assert seen.censored.tolist() == [MEASURED, BELOW, ABOVE, BELOW, BELOW]
    assert seen.value.tolist() == [5.0, 0.1, 20.0, 0.05, 0.05]
    assert read(rows, ORAL, lloq="50 cells/uL").observations.value[3] == 0.05
    assert "beyond a limit that is not named; give lloq = { neutrophil = ... }" in refused(rows)
    assert "'n.d.' is not a result" in refused(rows.assign(DV="n.d."))


@pytest.mark.parametrize(
    "row, columns",
    [
        ((1, 0, 0.1, 1), "ID TIME DV CENS"),
        ((1, 0, 0, 1, 0.1), "ID TIME DV BLQ LLOQ"), ((1, 0, ".", 1, 0.1), "ID TIME DV BLQ LLOQ"),
        ((1, 0, 0.1, 1, 0), "ID TIME DV CENS LIMIT"), ((1, 0, 0.02, 0.1), "ID TIME DV LLOQ"),
    ],
)  # fmt: skip
def test_censoring_columns(row, columns):
    seen = read(
        table([(1, -1, *([5] + [0] * (len(row) - 3)))[: len(row)], row], columns), ORAL, units={"neutrophil": "10^9/L"}
    )
    assert seen.observations.censored.tolist() == [MEASURED, BELOW] and seen.observations.value[1] == 0.1
    assert seen.check.summary["below"].tolist() == [1]


def test_before_the_first_dose_is_hour_zero_before_it():
    study = read(table([(1, -24, 0, 5.0), (1, 0, 0, 5.2), (1, 0, 40, 0), (1, 24, 0, 4.0)]), ORAL)
    assert study.observations.time.tolist() == [0.0, 0.0, 24.0]
    assert study.observations.after.tolist() == [False, False, True]
    assert problems(study)[1:] == [[1, "TIME", "-24 h", "predicted at hour 0, before any dose"]]
    assert "TIME -24.0 is not a time" in refused(table([(1, -24, 40, 0), (1, 0, 0, 5.2)]))


def test_rows_that_are_no_observation_are_told():
    rows = table([(1, 0, 5, 0, 0), (1, 24, 4, 1, 0), (1, 48, ".", 0, 0), (1, 60, 0, 0, 2)], "ID TIME DV MDV EVID")
    study = read(rows, ORAL)
    assert study.observations.row.tolist() == [1]
    assert problems(study)[2:] == [
        [2, "MDV", "1 without a dose", "not an observation"], [3, "DV", "nothing", "dropped: there is no result"]
    ]  # fmt: skip
    assert study.check.summary["not used"].tolist() == [2]


def test_subjects_without_observations_and_repeated_ones_are_kept_unless_strict():
    rows = table([(1, 0, 40, "."), (2, 0, 40, "."), (2, 24, ".", 4), (2, 24, ".", 4)])
    study = read(rows, ORAL)
    assert study.subjects == ("1", "2") and len(study.observations) == 2
    assert [one[0] for one in problems(study)] == [0, 1, 4]
    text = report(study)
    assert (
        "row 1 (ID 1): ID: no observation -> kept" in text
        and "row 4 (ID 2): DV: neutrophil at 24 h again, as in row 3" in text
    )
    message = refused(rows, strict=True)
    assert (
        "row 1 (ID 1): ID: no observation; take subject 1 out" in message
        and "row 4 (ID 2): DV: neutrophil at 24 h" in message
    )


def test_parameters_by_row_hold_up_to_their_row_or_from_it():
    rows = table([(1, 0, 6, 5), (1, 24, 7, 5), (1, 48, 7, 5), (1, 72, 8, 5), (2, 0, 5, 5)], "ID TIME drug.cl DV")
    back, second = read(rows, ORAL).values["drug.cl"]
    assert (back.starts.tolist(), back.values.tolist(), back.closed) == ([0, 0, 48], [6, 7, 8], True)
    assert (second.starts.tolist(), second.values.tolist()) == ([0.0], [5.0])
    on = read(rows, ORAL, previous=True).values["drug.cl"][0]
    assert (on.starts.tolist(), on.values.tolist(), on.closed) == ([0, 24, 72], [6, 7, 8], False)
    scaled = read(rows, ORAL, units={"drug.cl": "mL/min"}).values["drug.cl"][1]
    assert scaled.values[0] == pytest.approx(5 * 0.06)
    gap = rows.assign(**{"drug.cl": [6, ".", ".", 8, 5]})
    assert read(gap, ORAL).values["drug.cl"][0].starts.tolist() == [0, 0]
    assert [2, "drug.cl", "nothing in 2 rows", "carried back from the next row"] in problems(read(gap, ORAL))


def test_columns_by_alias_and_columns_that_nothing_uses():
    rows = table([(1, 0, 5, 30, 6)], "ID TIME DV drug.slope SITE")
    assert "drug.slope: drug.neutrophil.slope: -3 " in refused(rows.assign(**{"drug.slope": -3}))
    study = read(rows, ORAL)
    assert study.values["drug.neutrophil.slope"][0].values.tolist() == [30.0]
    assert problems(study)[0] == [0, "SITE", "", "column not used"]
    assert "'dosing' is asked for as AMT and is not there" in refused(rows, columns={"AMT": "dosing"})
    assert "is ID, and so is column 'ID'" in refused(rows.rename(columns={"SITE": "id"}))


def test_covariates_by_row():
    model = ms.load_model("cemsidomide", species="human", variant="rrmm")
    rows = table([(1, 0, 5, 70), (1, 24, 4, 71), (2, 0, 5, 60)], "ID TIME DV WEIGHT").assign(DVID="neutrophil")
    weight = read(rows, model).covariates["weight"]
    assert weight[0].values.tolist() == [70.0, 71.0] and weight[1].values.tolist() == [60.0]
    grams = read(rows.assign(WEIGHT=[70000, 71000, 60000]), model, units={"weight": "g"}).covariates["weight"]
    assert grams[1].values.tolist() == [60.0]
    missing = refused(rows.assign(WEIGHT=[70, 71, "."]), model)
    assert (
        missing
        == "data: row 3 (ID 2): WEIGHT: is missing in every row of the subject; give it, or leave the subject out"
    )
    hint = read(rows.rename(columns={"WEIGHT": "WT"}), model)
    assert 'if it is the weight, say columns = { weight = "WT" } (--column weight=WT)' in problems(hint)[0][3]


def test_occasions():
    rows = table([(1, 0, 5, "A"), (1, 24, 4, "A"), (1, 504, 5, "B"), (2, 0, 5, "A")], "ID TIME DV OCC")
    study = read(rows, ORAL)
    assert study.observations.occasion.tolist() == [0, 0, 1, 0]
    assert [one.tolist() for one in study.occasions] == [[0.0, 504.0], [0.0]]
    assert "comes again after another" in refused(rows.assign(OCC=list("ABAA")))


def test_concentrations_that_drive_need_a_rule_between_them():
    rows = table([(1, 0, 5, 0), (1, 2, ".", 1.5), (1, 24, 4, "<0.1"), (2, 0, 5, 0.0)], "ID TIME DV CP")
    named = {"drug": "CP"}
    message = refused(rows, columns=named)
    assert 'interpolation = "previous", "next" or "linear"; there is no default' in message
    study = read(rows, ORAL, columns=named, interpolation="linear")
    assert study.interpolation == {"drug": "linear"} and study.tables["drug"][0][1].tolist() == [0.0, 1.5, 0.0]
    assert [3, "CP", "<0.1", "taken as 0 between the measured ones"] in problems(study)
    assert "'spline' is not known" in refused(rows, columns=named, interpolation="spline")
    long = table([(1, 0, 5, "neutrophil"), (1, 0, 0.0, "drug"), (1, 2, 1.5, "drug")], "ID TIME DV DVID")
    assert read(long, ORAL).observables == ("neutrophil", "drug")
    driven = read(long, ORAL, interpolation={"drug": "previous"})
    assert driven.observables == ("neutrophil",) and driven.tables["drug"][0][0].tolist() == [0.0, 2.0]
    late = table([(1, 2, 1.5, "drug"), (1, 3, 5, "neutrophil")], "ID TIME DV DVID")
    assert "begin at 0" in refused(late, interpolation="next")


@pytest.mark.parametrize(
    "rows, said",
    [
        ([(1, 0, 40, "."), (1, 0, 40, "."), (1, 1, ".", 5)], "row 2 (ID 1): AMT: drug is given again at 0 h, where row 1 gives 40"),
        ([(1, 0, 40, "."), (1, 0, 20, "."), (1, 1, ".", 5)], "row 2 (ID 1): AMT: drug is given as 20 at 0 h, where row 1 gives 40"),
        ([(1, 0, ".", -5)], "row 1 (ID 1): DV: -5 is not possible"),
        ([(1, 24, ".", 5), (1, 0, ".", 5)], "row 2 (ID 1): TIME: goes back within a subject; sort the rows"),
        ([(1, ".", ".", 5)], "row 1 (ID 1): TIME: is missing"),
        ([(".", 0, ".", 5)], "row 1: ID: is missing"),
        ([(1, "noon", ".", 5)], "row 1 (ID 1): TIME: 'noon' is neither a number nor a date"),
        ([(1, 0, "many", 5)], "AMT 'many' is not a number"),
        ([(1, 0, -4, 5)], "row 1 (ID 1): AMT: -4 is negative"),
        ([(1, 1e7, ".", 5)], "h cannot be meant"),
    ],
)  # fmt: skip
def test_what_cannot_be_used(rows, said):
    assert said in refused(table(rows))


def test_events_that_cannot_be():
    assert "EVID 7 is not known; allowed: 0, 1, 2, 3, 4" in refused(table([(1, 0, 5, 7)], "ID TIME DV EVID"))
    assert "there is no compartment 7" in refused(table([(1, 0, 40, 7, 1)], "ID TIME AMT CMT EVID"))
    repeated = table([(1, 0, 40, 24, 3, "."), (1, 48, 40, 0, 0, ".")], "ID TIME AMT II ADDL DV")
    assert "drug is given again at 48 h, where row 1" in refused(repeated)


def test_settings_of_nothing():
    rows = table([(1, 0, 5)], "ID TIME DV")
    assert "lloq: 'platelet' is not observed of the model; known: drug, neutrophil" in refused(rows, lloq={"PLT": 1})
    assert "lloq -1 is not a limit" in refused(rows, lloq=-1)
    assert "drug: 'drog' is no drug of model generic_oral_2cmt_friberg; did you mean 'drug'?" in refused(
        rows, drug="drog"
    )
    assert "TIME: unit 'kg' is not a time" in refused(rows, units={"TIME": "kg"})
    assert "there is none" in refused(rows, interpolation="linear")


def test_routes():
    rows = table([(1, 0, 40, "iv", "."), (1, 1, 40, "oral gavage", "."), (1, 24, 0, "", 5)], "ID TIME AMT ROUTE DV")
    assert [one.route for one in read(rows, ORAL).doses[0]] == ["iv", "oral"]
    assert "ROUTE 'nasal' is not known; known: oral, iv, sc" in refused(rows.assign(ROUTE="nasal"))


def test_after_a_death():
    rows = table(
        [(1, 0, 40, ".", 0), (1, 24, ".", 3, 1), (1, 48, 40, ".", 0), (1, 72, ".", 3, 0)], "ID TIME AMT DV DEATH"
    )
    message = refused(rows)
    assert "row 3 (ID 1): gives drug at 48 h, after the death at 24 h in row 2" in message
    assert "row 4 (ID 1): observes neutrophil after the death at 24 h in row 2" in message


def test_everything_wrong_is_said_at_once_and_alike_rows_together():
    rows = table([(i, 0, ".", "x") for i in range(9)] + [(9, "?", ".", 5)])
    message = refused(rows).splitlines()
    assert len(message) == 2
    assert "rows 1 (ID 0), 2 (ID 1), 3 (ID 2), 4 (ID 3), 5 (ID 4) and 4 more: DV: 'x' is not a result" in "\n".join(
        message
    )


def test_files(tmp_path):
    path = tmp_path / "pilot.csv"
    path.write_text("C,ID,TIME,AMT,DV\nC,1,0,.,9\n.,1,0,40,.\n.,1,24,.,<0.1\n")
    study = read(path, ORAL, units={"neutrophil": "10^9/L"})
    assert study.observations.row.tolist() == [3] and study.observations.censored.tolist() == [BELOW]
    assert len(study.digest) == 64 and [1, "", "comment", "dropped: the first cell marks it as a comment"] in problems(
        study
    )
    spaced = tmp_path / "pilot.dat"
    spaced.write_text("ID TIME DV\n1.00E+00 0.0E+00 5.0\n")
    assert read(spaced, ORAL).subjects == ("1",)
    (tmp_path / "no.csv").write_text("ID,TIME,DV\n")
    assert "has a header and no rows" in refused(tmp_path / "no.csv")
    assert "cannot be read" in refused(tmp_path / "none.csv")


def test_a_simulated_study_comes_back():
    with pytest.warns(ms.MyelosimWarning):
        ds = ms.simulate(THREE, "drug 80 mg BID d1-7", days=14, visits="d1 weekly", population=ms.Population(3, seed=1))
    rows = ms.to_events(ds)
    study = read(rows, THREE)
    seen = study.observations
    for name in study.observables:
        own = seen.value[seen.observable == name]
        np.testing.assert_array_equal(
            own, ds["observed"].sel(lineage=name).transpose("subject", "visit").to_numpy().ravel()
        )
    assert [len(own) for own in study.doses] == [14] * 3
    assert seen.after[seen.time == 0].tolist() == [False] * 9
    assert read(rows, THREE).digest == study.digest


@pytest.mark.skipif(not REFERENCE.exists(), reason="the reference data are not here")
def test_published_data():
    data = pd.read_csv(REFERENCE / "ddmodel186_paclitaxel_wbc.csv")
    data = data.rename(columns={"CLI": "paclitaxel.cl", "V1I": "paclitaxel.vc", "V2I": "paclitaxel.vp"})
    study = read(data.assign(DVID="leukocyte", EVID=data["MDV"].astype(int)), PACLITAXEL)
    assert len(study.subjects) == 46 and len(study.observations) == 530 and sum(map(len, study.doses)) == 205
    changing = [i for i in range(46) if any(len(study.values[name][i].values) > 1 for name in study.values)]
    assert len(changing) == 36
    assert [(row, found) for row, _, found, _ in problems(study) if row] == [
        (28, "no observation"), (319, "leukocyte at 960 h again, as in row 318")
    ]  # fmt: skip
    wang = read(REFERENCE / "wang2007.csv", ms.load_model("generic_iv_1cmt"), columns={"DV": "Y"})
    assert wang.observables == ("drug",) and len(wang.observations) == 20
