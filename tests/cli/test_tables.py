"""What a table says of itself: statistics, intervals, notes; and what it leaves out."""

import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from cli_samples import SMALL

import myelosim as ms
from myelosim.cli.overview import DAYS, DEPTH, DOSE, OWN, RECOVERY
from myelosim.comparison import outline, summary

ORAL = "generic_oral_2cmt_friberg"
SIMULATE = ("simulate", ORAL, "40 mg BID d1-14", "--days", 42)


def heading(text):
    """The lines above the rule of the first table."""
    lines = text.splitlines()
    rule = next(i for i, line in enumerate(lines) if "───" in line)
    return "\n".join(lines[:rule])


def test_medians_and_means_are_labeled(myelosim):
    shown = heading(myelosim(*SIMULATE, "--subjects", 8).stdout)
    statistics = next(line.split() for line in shown.splitlines() if "median" in line)
    assert [word for word in statistics if word in ("median", "mean")] == ["median", "median", "mean", "mean", "median"]
    assert [column.statistic for column in DEPTH] == ["median", "median", "mean", "mean"]


def test_simulate_and_compare_explain_the_same(myelosim):
    simulated = myelosim(*SIMULATE, "--subjects", 8, "--visits", "d1 weekly", "--wide").stdout
    compared = myelosim("compare", "small", "--no-figure", "--wide").stdout
    for note in ("95 % interval, for the number of subjects only", "Grades: CTCAE v5.0, of the true counts",
                 "elapsed days since time zero", "; not: share of those", "Observed: at the visits"):  # fmt: skip
        assert note in simulated
        assert note in compared
    for note in ("In time: of the subjects with a true grade >= 3", "Days chosen to catch grade >= 3 in time",
                 "per arm on its 16 subjects", "scored on 16 subjects who come after", "5 draws chosen: exact"):  # fmt: skip
        assert note in compared
    assert "Observed" not in myelosim(*SIMULATE, "--subjects", 8).stdout


def test_what_is_aimed_at_is_said(myelosim, samples):
    for weight, aim in ((1, "come nearest to the nadir"), (0.5, "do both")):
        (samples / "mine.toml").write_text(SMALL + f"[recommend]\ndraws = [2]\nnadir_weight = {weight}\n")
        assert f"Days chosen to {aim}, per arm" in myelosim("compare", "mine.toml", "--no-figure").stdout


@pytest.mark.parametrize("arguments", [(), ("--subjects", 1)])
def test_one_subject_is_no_statistic(myelosim, arguments):
    done = myelosim(*SIMULATE, *arguments, "--visits", "d1 weekly").stdout
    for word in ("median", "mean", "P(", "95 %", "1 subjects", "share"):
        assert word not in done
    assert ("(1 subject; 42 days, seed 1)" if arguments else "(typical subject; 42 days)") in done


def test_what_a_start_moves_is_said(myelosim, samples):
    said = "Start: only what circulates begins off the baseline"
    assert said in myelosim(*SIMULATE, "--start", "neutrophil=2").stdout
    assert said not in myelosim(*SIMULATE).stdout
    (samples / "mine.toml").write_text(SMALL + "start = { neutrophil = 2 }\n")
    assert said in myelosim("compare", "mine.toml", "--no-figure").stdout


def test_a_model_without_variability_is_its_typical_subject(myelosim, samples):
    model = ms.load_model(ORAL)
    model.replace({name: {"value": one.value, "omega_sd": 0.0} for name, one in model.parameters.items()}).save(
        "same.toml"
    )
    done = myelosim("simulate", "same.toml", "40 mg BID d1-14", "--subjects", 30, "--visits", "d1 weekly").stdout
    assert "(no between-subject variability: typical subject; 56 days, seed 1)" in done
    for word in ("median", "P(", "95 %"):
        assert word not in done
    (samples / "mine.toml").write_text(SMALL.replace(ORAL, "same.toml"))
    done = myelosim("compare", "mine.toml", "--no-figure").stdout
    assert "no between-subject variability: typical subject" in done
    assert "P(" not in done
    table = pd.read_csv(samples / "results" / "mine" / "table.csv")
    assert (table["subjects"] == 16).all() and table["p_grade3"].isin([0, 1]).all()
    for name in ("nadir", "nadir_day", "p_grade3", "p_grade4", "difference", "recovery_day"):
        assert table[[f"{name}_low", f"{name}_high"]].isna().all(axis=None), name
    assert table[["p_grade3_seen_low", "p_grade3_seen_high"]].notna().all(axis=None)  # what is seen scatters


def test_recovery_of_one_and_of_many():
    one = {"recovery_day": np.nan, "unrecovered": 1.0}
    more = (
        {},
        {"recovery_day": 20.0, "unrecovered": 0.25},
        {"recovery_day": 20.0, "unrecovered": 0.0},
        {"unrecovered": np.nan},
    )
    assert [RECOVERY.show({**one, **other}) for other in more] == ["not by\nthe end", "20.0\n25 % not", "20.0", "-"]


@pytest.fixture(scope="module")
def schedules():
    scenario = ms.load_scenario("cemsidomide_human_schedules")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        return ms.compare(replace(scenario, size=32))


@pytest.mark.parametrize(("columns", "tables"), [(120, 1), (80, 2)])
def test_one_table_of_usual_columns_and_two_on_a_narrow_terminal(myelosim, monkeypatch, schedules, columns, tables):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr("myelosim.comparison.compare", lambda *arguments, **options: schedules)
    command = ("compare", "cemsidomide_human_schedules", "--subjects", 32, "--no-figure", "--overwrite")
    done, wide = (myelosim(*command, *more).stdout.split("Under an estimate") for more in ([], ["--wide"]))
    assert sum("───" in line for line in done[0].splitlines()) == tables
    assert max(map(len, done[0].splitlines())) <= columns
    for heading in ("own visits", "observed", "at start", "nadir day"):
        assert (heading in wide[0], heading in done[0]) == (True, False)
    assert "More columns: --wide." in done[1] and "--wide" not in wide[1]


def test_of_no_dose_nothing_is_given(myelosim):
    table = summary(ms.compare("small")).to_dict("records")
    assert [DOSE.show(row) for row in table] == ["100 %", "-"]


def test_caught_has_its_interval(myelosim):
    result = ms.compare("small")
    row = summary(result).iloc[0].to_dict()
    held = result.isel(arm=0, lineage=0)
    own = held.sel(calendar="own visits")
    np.testing.assert_allclose(
        [row["protocol_caught_low"], row["protocol_caught_high"]], [own.calendar_in_time_low, own.calendar_in_time_high]
    )
    assert row["recommended_caught_low"] <= row["recommended_caught"] <= row["recommended_caught_high"]
    for column, name in ((OWN, "protocol_caught"), (DAYS[1], "recommended_caught")):
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        assert column.show(row).splitlines()[1] == f"{100 * low:.0f}-{100 * high:.0f}"


def test_no_days_where_there_is_nothing_to_catch():
    """On the low dose two of the subjects reach grade 3, and none of those who come next."""
    scenario = {
        "format": 1, "title": "Rare", "model": ORAL, "days": 42, "population": {"size": 16, "seed": 10},
        "arm": [{"name": f"{dose} mg", "dose": f"drug {dose} mg BID d1-14"} for dose in (14, 80)],
    }  # fmt: skip
    everybody = ms.compare(scenario | {"population": {"size": 32, "seed": 10}})["worst_grade"].isel(lineage=0) >= 3
    events = np.stack([everybody[:, :16].any("subject"), everybody[:, 16:].any("subject")])
    table = summary(ms.compare(scenario))
    lonely = events[0] & ~events[1]
    assert lonely.any() and events.all(axis=0).any()
    assert (table["recommended_days"].to_numpy()[lonely] == "").all()
    assert DAYS[0].show(table[lonely].iloc[0].to_dict()) == "-"
    assert (table["recommended_days"].to_numpy()[events.all(axis=0)] != "").all()


def test_animals_are_graded_by_percent_of_baseline(myelosim):
    done = myelosim("simulate", "cemsidomide", "cynomolgus", "100 ug QD d1-7", "--days", 14, "--subjects", 4)
    assert "Grades: Percent of baseline, of the true counts" in done.stdout
    asked = myelosim(
        "simulate",
        "cemsidomide",
        "cynomolgus",
        "100 ug QD d1-7",
        "--days",
        14,
        "--subjects",
        4,
        "--grading",
        "ctcae_v5",
    )
    assert "Grades: CTCAE v5.0" in asked.stdout
    model = {"drug": "cemsidomide", "species": "cynomolgus"}
    arm = [{"name": "a", "dose": "cemsidomide 100 ug QD d1-7"}]
    held = ms.load_scenario({"format": 1, "title": "T", "model": model, "days": 14, "arm": arm})
    assert held.grading == "percent_of_baseline"
    people = {**model, "species": "human"}
    assert ms.load_scenario({"format": 1, "title": "T", "model": people, "days": 14, "arm": arm}).grading == "ctcae_v5"


def test_a_bound_that_does_not_bind_is_a_dash(myelosim):
    done = myelosim("models", "abbiati_2021_avadomide_mm").stdout
    (line,) = [line for line in done.splitlines() if "egress_cap" in line]
    assert line.split()[1] == "-"
    assert "1.29055" in myelosim("models", "abbiati_2021_avadomide_mm").stdout


def test_outline_is_of_one_regimen():
    model = ms.load_model(ORAL)
    table = outline(ms.simulate(model, "drug 40 mg BID d1-14", days=42), model)
    assert list(table["arm"]) == ["drug 40 mg BID d1-14"]
    assert "dose_intensity" not in table
