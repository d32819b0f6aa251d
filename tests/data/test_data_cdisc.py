"""SEND and ADaM, in SAS transport and Dataset-JSON."""

import json

import pandas as pd
import pytest

import myelosim as ms
from myelosim.data import BELOW, MEASURED, read

THREE = ms.load_model("generic_three_lineage")
ORAL = ms.load_model("generic_oral_2cmt_friberg")
LB = pd.DataFrame(
    [
        ("S-1", "NEUT", "5.2", "10^3/uL", "5.2", 5.2, "10^9/L", "2026-03-01T07:00", "", "WHOLE BLOOD"),
        ("S-1", "NEUT", "<0.1", "10^3/uL", "<0.1", float("nan"), "10^9/L", "2026-03-08T08:00", "", "WHOLE BLOOD"),
        ("S-1", "PLAT", "300", "10^3/uL", "", float("nan"), "", "2026-03-08T08:00", "", "WHOLE BLOOD"),
        ("S-1", "ALT", "30", "U/L", "30", 30.0, "U/L", "2026-03-08T08:00", "", "SERUM"),
        ("S-2", "NEUT", "", "", "", float("nan"), "", "2026-03-08", "NOT DONE", "WHOLE BLOOD"),
        ("S-2", "NEUT", "4.0", "10^3/uL", "4.0", 4.0, "10^9/L", "2026-03-02", "", "WHOLE BLOOD"),
        ("S-2", "HGB", "140", "g/L", "14", 14.0, "g/dL", "2026-03-08", "", "WHOLE BLOOD"),
        ("S-2", "NEUT", "1", "10^3/uL", "1", 1.0, "10^9/L", "2026-03-08", "", "BONE MARROW"),
    ],
    columns=[
        "USUBJID",
        "LBTESTCD",
        "LBORRES",
        "LBORRESU",
        "LBSTRESC",
        "LBSTRESN",
        "LBSTRESU",
        "LBDTC",
        "LBSTAT",
        "LBSPEC",
    ],
)
EX = pd.DataFrame(
    [
        ("S-1", "COMPOUND X", 40.0, "mg", "QD", "ORAL GAVAGE", "2026-03-01T08:00", "2026-03-07T08:00"),
        ("S-2", "VEHICLE", 0.0, "mg", "QD", "ORAL GAVAGE", "2026-03-01", "2026-03-07"),
    ],
    columns=["USUBJID", "EXTRT", "EXDOSE", "EXDOSU", "EXDOSFRQ", "EXROUTE", "EXSTDTC", "EXENDTC"],
)


def refused(data, model=THREE, **options):
    with pytest.raises(ms.DataError) as caught:
        read(data, model, **options)
    return str(caught.value)


def found(study):
    return study.check.problems[["row", "column", "found", "done"]].to_numpy().tolist()


def seen(study):
    own = study.observations
    columns = own.row, own.time, own.observable, own.value, own.censored
    return list(zip(*(column.tolist() for column in columns), strict=True))


EXPECTED = [
    (1, 0.0, "neutrophil", 5.2, MEASURED), (2, 168.0, "neutrophil", 0.1, BELOW), (3, 168.0, "platelet", 300.0, MEASURED),
    (6, 0.0, "neutrophil", 4.0, MEASURED), (7, 144.0, "hemoglobin", 14.0, MEASURED),
]  # fmt: skip


def test_send():
    study = read([LB, EX], THREE)
    assert study.subjects == ("S-1", "S-2")
    event = study.doses[0][0]
    assert (event.amount, event.unit, event.interval, event.count, event.route) == (40.0, "mg", 24.0, 7, "oral")
    assert study.doses[1] == ()
    rows = seen(study)
    assert rows[:3] == EXPECTED[:3] and [one[2:] for one in rows[3:]] == [one[2:] for one in EXPECTED[3:]]
    said = found(study)
    assert [5, "LBSTAT", "NEUT not done", "dropped: there is no result"] in said
    assert [8, "LBSPEC", "NEUT of bone marrow", "dropped: it is not of blood"] in said
    assert [0, "ALT", "1 results", "dropped: model generic_three_lineage has no ALT"] in said
    assert [1, "table 2: EXTRT", "COMPOUND X", "taken to be the model's drug"] in said
    assert study.observations.after[0].item() is False


def test_send_in_transport_files_of_a_folder(tmp_path):
    pyreadstat = pytest.importorskip("pyreadstat")
    pyreadstat.write_xport(LB, str(tmp_path / "lb.xpt"), table_name="LB")
    pyreadstat.write_xport(EX, str(tmp_path / "ex.xpt"), table_name="EX")
    study, same = read(tmp_path, THREE), read([LB, EX], THREE)
    assert seen(study) == seen(same) and study.doses == same.doses
    assert study.digest != same.digest
    (tmp_path / "sub").mkdir()
    assert "a folder without lb, ex" in refused(tmp_path / "sub")


def test_transport_files_without_pyreadstat(tmp_path, monkeypatch):
    pyreadstat = pytest.importorskip("pyreadstat")
    from myelosim.data import files

    pyreadstat.write_xport(LB, str(tmp_path / "lb.xpt"), table_name="LB", file_format_version=5)
    monkeypatch.setattr(files.importlib, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    assert seen(read([tmp_path / "lb.xpt", EX], THREE)) == seen(read([LB, EX], THREE))


@pytest.mark.parametrize("lines", [False, True])
def test_dataset_json(tmp_path, lines):
    head = {"datasetJSONVersion": "1.1.0", "name": "LB", "columns": [{"name": name} for name in LB.columns]}
    rows = LB.astype(object).where(LB.notna(), None).to_numpy().tolist()
    path = tmp_path / ("lb.ndjson" if lines else "lb.json")
    path.write_text("\n".join(map(json.dumps, [head, *rows])) if lines else json.dumps(head | {"rows": rows}))
    assert seen(read([path, EX], THREE)) == seen(read([LB, EX], THREE))
    path.write_text(json.dumps(head))
    assert "is not Dataset-JSON v1.1; give datasetJSONVersion, columns and rows" in refused(path)


def test_study_days_where_there_are_no_dates():
    lb = LB.drop(columns="LBDTC").assign(LBDY=[1, 8, 8, 8, 8, 1, 8, 8])
    ex = EX.drop(columns=["EXSTDTC", "EXENDTC"]).assign(EXSTDY=1, EXENDY=7)
    study = read([lb, ex], THREE)
    assert study.observations.time.tolist() == [0.0, 168.0, 168.0, 0.0, 168.0]
    assert (study.doses[0][0].time, study.doses[0][0].count) == (0.0, 7)


def test_infusions_and_frequencies():
    model = ms.load_model("friberg_2002_paclitaxel")
    lb = LB.assign(LBTESTCD="WBC")[:1]
    ex = EX[:1].assign(EXROUTE="INTRAVENOUS", EXDOSFRQ="ONCE", EXDUR="PT3H", EXENDTC="2026-03-01T11:00")
    assert read([lb, ex], model).doses[0][0].duration == pytest.approx(3.0)
    between = ex.drop(columns="EXDUR").assign(EXDOSFRQ="")
    assert read([lb, between], model).doses[0][0].duration == pytest.approx(3.0)
    message = refused([lb, EX[:1].assign(EXDOSFRQ="PRN")], model)
    assert (
        "row 1 of table 2" in message
        and "'PRN' is a frequency of doses from EXSTDTC to EXENDTC that is not known" in message
    )


def test_several_treatments_must_be_named():
    ex = pd.concat([EX[:1], EX[:1].assign(EXTRT="G-CSF", EXSTDTC="2026-03-05T08:00")])
    assert "DRUG 'COMPOUND X' is neither a drug nor a lineage" in refused([LB, ex])
    assert "'COMPOUND X'" not in refused([LB, ex], observables={"COMPOUND X": "drug"})


def test_adam():
    adlb = pd.DataFrame({
        "USUBJID": ["S-1"] * 4, "PARAMCD": ["NEUT", "NEUT", "PLAT", "NEUT"],
        "PARAM": ["Neutrophils (10^9/L)"] * 2 + ["Platelets (10^3/uL)", "Neutrophils (10^9/L)"],
        "AVAL": [5.0, 0.05, 250.0, 3.0], "AVALC": ["5", "<0.1", "250", "3"], "DTYPE": ["", "", "", "LOCF"],
        "ADTM": pd.to_datetime(["2026-03-01T06:00", "2026-03-08T08:00", "2026-03-08T08:00", "2026-03-09T08:00"]),
        "TRTSDTM": pd.to_datetime(["2026-03-01T08:00"] * 4),
    })  # fmt: skip
    study = read(adlb, THREE)
    assert [one[:2] + one[3:] for one in seen(study)] == [
        (1, 0.0, 5.0, MEASURED),
        (2, 168.0, 0.1, BELOW),
        (3, 168.0, 250.0, MEASURED),
    ]
    assert [4, "DTYPE", "NEUT LOCF", "dropped: it was derived, not measured"] in found(study)
    adpc = pd.DataFrame({
        "USUBJID": ["S-1"] * 2, "PARAMCD": "CMPX", "PARAM": "Compound X", "AVAL": [1500.0, None], "AVALC": ["1500", "BLQ"],
        "AVALU": "ng/mL", "ALLOQ": 1.0, "AFRLT": [2.0, 48.0],
    })  # fmt: skip
    both = read(adpc, THREE, observables={"CMPX": "drug"})
    assert both.observables == ("drug",) and both.observations.value.tolist() == [1.5, 0.001]
    assert both.observations.censored.tolist() == [MEASURED, BELOW]
