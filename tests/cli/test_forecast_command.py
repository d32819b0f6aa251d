"""``myelosim forecast``."""

import json

import pytest
import xarray as xr

DATA = "ID,TIME,AMT,II,ADDL,DVID,DV\n7,0,40,12,27,,\n7,0,,,,neutrophil,5.0\n7,72,,,,neutrophil,4.6\n7,120,,,,neutrophil,4.0\n"
MODEL = ("--model", "generic_oral_2cmt_friberg", "--samples", "60")
FILE = 'format = 1\nkind = "forecast"\nmodel = "generic_oral_2cmt_friberg"\ndata = { file = "one.csv" }\nsamples = 60\ndays = 21\n'


@pytest.fixture
def one(samples):
    (samples / "one.csv").write_text(DATA)
    return samples


def test_prints_tables_and_writes(myelosim, one):
    done = myelosim("forecast", "one.csv", *MODEL, "--out", "f.nc", "--figure", "f.png")
    assert done.exit_code == 0, done.stderr
    assert "subject 7, 3 observations up to day 5" in done.output
    assert (
        "neutrophil.mtt" in done.output and "most on day" in done.output and "not advice for any patient" in done.output
    )
    assert xr.load_dataset(one / "f.nc", engine="h5netcdf").attrs["subject"] == "7"
    assert (one / "f.png").stat().st_size > 10_000
    again = myelosim("forecast", "one.csv", *MODEL, "--out", "f.nc")
    assert again.exit_code == 2 and "--overwrite" in again.stderr


def test_json_has_the_numbers(myelosim, one):
    told = json.loads(myelosim("forecast", "one.csv", *MODEL, "--json", "--days", "21").output)
    nadir = told["lineages"]["neutrophil"]
    assert nadir["nadir_low"] < nadir["nadir"] < nadir["nadir_high"] and set(told["information"]) == {
        str(d) for d in range(6, 22)
    }
    assert told["next_draw"] > 5 and "not advice" in told["note"]


def test_a_file_says_the_same(myelosim, one):
    (one / "f.toml").write_text(FILE)
    filed = json.loads(myelosim("forecast", "f.toml", "--json").output)
    said = json.loads(myelosim("forecast", "one.csv", *MODEL, "--days", "21", "--json").output)
    assert filed == said
    longer = json.loads(myelosim("forecast", "f.toml", "--days", "24", "--json").output)
    assert "24" in longer["information"] and "24" not in filed["information"]


def test_draws_are_chosen_together(myelosim, one):
    options = ("--visits", "2", "--candidate-days", "8-14", "--gap", "2 d", "--criterion", "nadir", "--days", "21")
    told = json.loads(myelosim("forecast", "one.csv", *MODEL, *options, "--json").output)
    assert told["next_draws"] == told["choices"][0]["days"] and len(told["choices"]) == 15
    more = 'visits = 2\ncandidate_days = [8, 9, 10, 11, 12, 13, 14]\ngap = "2 d"\ncriterion = "nadir"\n'
    (one / "f.toml").write_text(FILE + more)
    assert json.loads(myelosim("forecast", "f.toml", "--json").output) == told
    printed = myelosim("forecast", "f.toml", "--weekdays").output
    assert (
        "most on days " in printed
        and "10 sets of 2 days" not in printed
        and "(nadir of neutrophil)" in " ".join(printed.split())
    )


def test_what_is_wrong_is_said(myelosim, one):
    (one / "f.toml").write_text(FILE.replace("days = 21", 'lineages = ["platelet"]\nhorizon = 21'))
    for arguments, message in (
        (("one.csv",), "which model? Give --model NAME"),
        (("f.toml",), "the model has no 'platelet'; it has neutrophil"),
        (("f.toml",), "unknown key 'horizon'"),
        (("f.toml", "--model", "x"), "--model is what f.toml says"),
        (("none.toml",), "none.toml: there is no such file"),
        (("none.csv", *MODEL), "none.csv"),
        (("one.csv", *MODEL, "--dose", "drug 40 mg BID", "--now", "5"), "the data plan doses from day 5.5 on"),
        (("one.csv", *MODEL, "--column", "ID"), "write --column NAME=VALUE"),
    ):
        done = myelosim("forecast", *arguments)
        assert done.exit_code == 2 and message in done.stderr, done.stderr
