"""Exports of analyzers, in text and Excel, with doses beside them."""

import pandas as pd
import pytest

import myelosim as ms
from myelosim.data import ABOVE, BELOW, MEASURED, read, report

THREE = ms.load_model("generic_three_lineage")
ORAL = ms.load_model("generic_oral_2cmt_friberg")
WIDE = pd.DataFrame({
    "animal": ["R1", "R1", "R2", "R2"], "hour": [0, 168, 0, 168], "ANC (10^3/uL)": ["5.1", "<0.1", "4.4", "1.2"],
    "PLT": [250, 40, 260, 3], "HGB (g/L)": [140, 121, 150, 138], "ALT": [30, 31, 32, 33],
})  # fmt: skip
SAID = {"ID": "animal", "TIME": "hour"}


def refused(data, model=THREE, **options):
    with pytest.raises(ms.DataError) as caught:
        read(data, model, **options)
    return str(caught.value)


def values(study, name):
    return study.observations.value[study.observations.observable == name].tolist()


def found(study):
    return study.check.problems[["column", "found", "done"]].to_numpy().tolist()


def test_a_column_per_analyte():
    study = read(WIDE, THREE, columns=SAID, units={"PLT": "G/L"}, doses={"": "drug 60 mg QD d1-5"})
    assert study.subjects == ("R1", "R2") and study.observables == ("neutrophil", "platelet", "hemoglobin")
    assert values(study, "neutrophil") == [5.1, 0.1, 4.4, 1.2]
    assert values(study, "hemoglobin") == pytest.approx([14.0, 12.1, 15.0, 13.8])
    assert study.observations.censored.tolist().count(BELOW) == 1
    assert study.observations.row.tolist() == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]
    assert [one.time for one in study.doses[0]] == [0.0, 24.0, 48.0, 72.0, 96.0]
    assert study.observations.after[study.observations.time == 0].tolist() == [False] * 6
    assert ["ALT", "", "column not used"] in found(study)
    assert "SHA-256" in report(study) and study.check.summary["doses drug"].tolist() == [5, 5]


def test_what_the_model_has_not_is_dropped_and_said():
    study = read(WIDE, ORAL, columns=SAID)
    assert study.observables == ("neutrophil",)
    assert ["platelet", "4 results", "dropped: model generic_oral_2cmt_friberg has no platelet"] in found(study)
    assert "holds no result of neutrophil, drug" in refused(WIDE.drop(columns="ANC (10^3/uL)"), ORAL, columns=SAID)


def test_a_row_per_result():
    long = pd.DataFrame({
        "animal": ["R1"] * 4, "day": [7, 0, 7, 7], "test": ["PLT", "Neutrophils", "NEUT#", "CREA"],
        "result": ["> 2000", "4.1", "0.3", "80"], "unit": ["10^9/L", "K/uL", "K/uL", "umol/L"],
    })  # fmt: skip
    named = {"ID": "animal", "TIME": "day", "DVID": "test", "DV": "result", "UNIT": "unit"}
    study = read(long, THREE, columns=named, units={"TIME": "day"})
    assert study.observations.time.tolist() == [0.0, 168.0, 168.0]
    assert values(study, "platelet") == [2000.0] and study.observations.censored.tolist() == [MEASURED, ABOVE, MEASURED]
    assert ["CREA", "1 results", "dropped: model generic_three_lineage has no CREA"] in found(study)
    message = refused(long, columns=named, units={"TIME": "day"}, observables={"CREA": "hemoglobin"})
    assert "row 4 (ID R1): UNIT: hemoglobin: converting 'umol/L' to 'g/dL' needs the molar mass" in message


def test_neutrophils_from_the_differential():
    table = pd.DataFrame({
        "ID": [1, 1, 1, 1], "TIME": [0, 24, 48, 72], "WBC": [10.0, 8.0, "<0.2", 6.0], "NEUT%": [60, 50, 40, "."],
        "BANDS%": [5, ".", 0, "."],
    })  # fmt: skip
    study = read(table, ORAL)
    assert values(study, "neutrophil") == pytest.approx([6.5, 4.0, 0.08])
    assert study.observations.censored.tolist() == [MEASURED, MEASURED, BELOW]
    said = found(study)
    assert ["neutrophil", "3 made", "leukocytes x (% neutrophils + % bands)"] in said
    assert ["band %", "none reported", "taken as 0"] in said
    assert "are more than all" in refused(table.assign(**{"NEUT%": [99, 1, 1, 1]}), ORAL)
    fractions = table.assign(**{"NEUT%": [0.6, 0.5, 0.4, "."], "BANDS%": [0.05, ".", 0, "."]})
    read_as = read(fractions, ORAL, units={"neutrophil %": "1", "band %": "1"})
    assert values(read_as, "neutrophil") == pytest.approx([6.5, 4.0, 0.08])


def test_dates_count_from_the_first_dose():
    table = pd.DataFrame({
        "ID": [1, 1, 1, 1], "TIME": ["2026-03-01T06:00", "2026-03-01T08:00", "2026-03-02 08:30", "2026-03-08"],
        "ANC": ["5", "", "4", "1"], "AMT": ["", "40", "", ""],
    })  # fmt: skip
    study = read(table, ORAL)
    assert study.observations.time.tolist() == [0.0, 24.5, 168.0] and study.doses[0][0].time == 0.0
    assert ["TIME", "-2 h", "predicted at hour 0, before any dose"] in found(study)
    assert [
        "TIME", "1 rows whose date, or that of the first dose, has no time of day", "whole days after the first dose"
    ] in found(study)  # fmt: skip
    assert "'03/08/2026' is neither" in refused(table.assign(TIME="03/08/2026"), ORAL)
    assert "is not a whole date" in refused(table.assign(TIME=["2026-03", *table["TIME"][1:]]), ORAL)
    split = table.assign(DATE=table["TIME"].str[:10], TIME=table["TIME"].str[11:16])
    assert read(split, ORAL, columns={"DATE": "DATE"}).observations.time.tolist() == [0.0, 24.5, 168.0]


def test_days_only_where_the_first_dose_has_no_time_of_day():
    table = pd.DataFrame({"ID": [1, 1], "TIME": ["2026-03-01T07:00", "2026-03-08T15:00"], "ANC": ["5", "1"]})
    doses = pd.DataFrame({"ID": [1], "TIME": ["2026-03-01"], "AMT": [40]})
    study = read(table, ORAL, doses=doses)
    assert study.observations.time.tolist() == [0.0, 168.0] and study.observations.after.tolist() == [False, True]
    assert ["TIME", "1 results at the hour of a dose", "taken to be before it"] in found(study)
    frame = table.assign(TIME=pd.to_datetime(["2026-03-01", "2026-03-08"]))
    assert read(frame, ORAL, doses=doses).observations.time.tolist() == [0.0, 168.0]


def test_a_column_twice_is_refused():
    assert "is neutrophil, and so is column 'ANC'" in refused(
        pd.DataFrame({"ID": [1], "TIME": [0], "ANC": [5], "NEUT": [5]})
    )
    assert "column 'ANC' is there twice" in refused(pd.DataFrame([[1, 0, 5, 5]], columns=["ID", "TIME", "ANC", "ANC"]))


def test_a_file_of_doses_beside_the_data(tmp_path):
    (tmp_path / "pilot.csv").write_text("ID,TIME,ANC\nA,0,5\nA,168,1\n")
    (tmp_path / "doses.csv").write_text("ID,TIME,AMT\nA,0,40\n")
    assert len(read(tmp_path / "pilot.csv", ORAL, doses="doses.csv").doses[0]) == 1
    assert "row 1 of" in refused(tmp_path / "pilot.csv", doses=pd.DataFrame({"ID": ["A"], "TIME": [0], "AMT": [-4]}))


def test_study_days():
    table = pd.DataFrame({"ID": [1, 1, 1], "day": [-1, 1, 8], "ANC": [5, 5.2, 1]})
    assert read(table, ORAL, columns={"DAY": "day"}).observations.time.tolist() == [0.0, 0.0, 168.0]
    assert "0 is no study day" in refused(table.assign(day=[0, 1, 8]), ORAL, columns={"DAY": "day"})
    assert "there is no such column; say which of " in refused(table, ORAL)


def test_doses_by_group_and_by_table():
    table = WIDE.assign(dose=["low", "low", "high", "high"])
    named = {**SAID, "GROUP": "dose"}
    study = read(table, THREE, columns=named, doses={"low": "drug 20 mg QD d1-2", "high": "drug 60 mg once"})
    assert [[one.amount for one in own] for own in study.doses] == [[20.0, 20.0], [60.0]]
    assert "'high' is a group whose doses are not said" in refused(
        table, columns=named, doses={"low": "drug 20 mg once"}
    )
    rows = pd.DataFrame({"ID": ["R1", "R2"], "TIME": [0, 0], "AMT": [40, 40], "DRUG": ["drug", "aspirin"]})
    message = refused(WIDE, columns=SAID, doses=rows)
    assert "row 2 of table 2 (ID R2): DRUG 'aspirin' is neither a drug nor a lineage" in message
    beside = read(WIDE, THREE, columns=SAID, doses=rows.assign(DRUG="drug"))
    assert [len(own) for own in beside.doses] == [1, 1] and len(beside.digest) == 64


def test_concentrations_beside_counts_are_observed_unless_they_drive():
    table = pd.DataFrame({"ID": [1, 1], "TIME": [0, 2], "ANC": [5, 5], "CP (ng/mL)": [0, 800]})
    named = {"drug": "CP (ng/mL)"}
    study = read(table, ORAL, columns=named)
    assert study.observables == ("neutrophil", "drug") and values(study, "drug") == [0.0, 0.8]
    driven = read(table, ORAL, columns=named, units={"drug": "ng/mL"}, interpolation={"drug": "linear"})
    assert driven.observables == ("neutrophil",) and driven.tables["drug"][0][1].tolist() == [0.0, 0.8]


def test_excel(tmp_path):
    pytest.importorskip("openpyxl")
    pytest.importorskip("python_calamine")
    path = tmp_path / "pilot.xlsx"
    WIDE.to_excel(path, index=False)
    study, same = read(path, THREE, columns=SAID), read(WIDE, THREE, columns=SAID)
    assert study.observations.value.tolist() == same.observations.value.tolist()
    assert study.observations.censored.tolist() == same.observations.censored.tolist()
    (tmp_path / "no.xlsx").write_text("not a workbook")
    assert "is no workbook that can be read" in refused(tmp_path / "no.xlsx")


def test_a_missing_package_is_named(tmp_path, monkeypatch):
    from myelosim.data import files

    monkeypatch.setattr(files.importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    (tmp_path / "a.xlsx").write_bytes(b"x")
    assert "needs the package python-calamine; pip install 'myelosim[io]'" in refused(tmp_path / "a.xlsx")
