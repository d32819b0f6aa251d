"""The simulated pilot studies: made again to the byte, and holding what their README says."""

import importlib.util
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import myelosim as ms
from myelosim.data import read as read_study
from myelosim.spec.estimate import estimation
from myelosim.spec.fits import load_fit

FOLDER = Path(__file__).resolve().parents[2] / "scenarios" / "pilots"
NAMES = ("rat_28day", "cynomolgus_14day", "phase1_rrmm")


@pytest.fixture(scope="module")
def make():
    spec = importlib.util.spec_from_file_location("make_pilots", FOLDER / "make.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


@pytest.fixture(scope="module")
def pilots(make):
    return {pilot.name: pilot for pilot in make.pilots()}


def read(name):
    return pd.read_csv(FOLDER / f"{name}.csv", na_values=".", dtype={"ID": str})


def single_doses(rows):
    """Expand ADDL: (subject, drug, hour) -> amount."""
    return {
        (row.ID, row.DRUG, row.TIME + k * (row.II if row.ADDL > 0 else 0.0)): row.AMT
        for row in rows[rows["EVID"] == 1].itertuples()
        for k in range(1 + int(np.nan_to_num(row.ADDL)))
    }


@pytest.mark.parametrize("name", NAMES)
def test_made_again_to_the_byte(make, pilots, name):
    for path, text in make.files(pilots[name]).items():
        assert (FOLDER / path).read_bytes() == text.encode(), f"{path}: run python scenarios/pilots/make.py"


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_in_order_and_nothing_is_given_after_the_end(pilots, name):
    rows = read(name)
    assert rows.groupby("ID")["TIME"].apply(lambda hours: hours.is_monotonic_increasing).all()
    assert list(dict.fromkeys(rows["ID"])) == [person.name for person in pilots[name].people]
    seen = rows["EVID"] == 0
    assert rows.loc[seen, ["DV", "DVID"]].notna().all(axis=None) and rows.loc[seen, "AMT"].isna().all()
    assert rows.loc[~seen, ["AMT", "DRUG"]].notna().all(axis=None) and rows.loc[~seen, "DV"].isna().all()
    # a count of the hour of a dose is listed before it
    for _, here in rows.groupby(["ID", "TIME"]):
        assert here["EVID"].is_monotonic_increasing
    last = {person.name: 24.0 * person.days for person in pilots[name].people}
    assert all(hour <= last[who] for who, _, hour in single_doses(rows))


@pytest.mark.parametrize("name", NAMES)
def test_censored_values_stand_at_the_limit(pilots, name):
    rows = read(name)
    limit = rows["DVID"].map(pilots[name].limit)
    below = rows["CENS"] == 1
    assert (rows.loc[below, "DV"] == limit[below]).all() and (rows.loc[below, "LIMIT"] == 0).all()
    measured = rows[~below & limit.notna()]
    assert (measured["DV"] >= limit[measured.index]).all()
    assert below.any() == (name != "phase1_rrmm")


def test_rats_get_their_dose_by_weight_every_day(pilots):
    given = single_doses(read("rat_28day"))
    per_kg = {
        person.name: float(person.dose.split()[1]) for person in pilots["rat_28day"].people if person.dose != "none"
    }
    weight = {person.name: person.weight for person in pilots["rat_28day"].people}
    assert len(given) == 12 * 28
    for (who, _, hour), amount in given.items():
        assert amount == pytest.approx(per_kg[who] * weight[who], rel=1e-9) and hour % 24 == 0


def test_draws_keep_to_the_limits_on_blood(pilots):
    for name in ("rat_28day", "cynomolgus_14day"):
        about, rows = pilots[name].library.subjects, read(name)
        draws = rows[rows["EVID"] == 0].drop_duplicates(["ID", "TIME"])
        for _, own in draws.groupby("ID"):
            weight, days = own["WEIGHT"].iloc[0], own["TIME"].to_numpy() / 24.0
            for limit in about.blood_limits.values():
                most = (
                    limit.get("volume", 0.0) * about.blood_volume * weight + limit.get("weight", 0.0) * 1000.0 * weight
                )
                taken = [about.draw_volume * np.sum((days >= day) & (days < day + limit["days"])) for day in days]
                assert max(taken) <= most


def test_one_monkey_is_rescued_for_a_count_that_was_seen():
    rows = read("cynomolgus_14day")
    assert set(rows.loc[rows["DVID"] == "neutrophil", "TIME"]) >= {24.0 * day for day in (0, 3, 5, 7, 10, 14)}
    rescue = rows[rows["DRUG"] == "filgrastim"]
    assert rescue["ID"].nunique() == 1 and rescue["ID"].iloc[0] in set(rows.loc[rows["CENS"] == 1, "ID"])
    own = rows[(rows["ID"] == rescue["ID"].iloc[0]) & (rows["DVID"] == "neutrophil")]
    began = own.loc[own["TIME"] <= rescue["TIME"].min(), "DV"]
    assert began.iloc[-1] < 0.5 and (began.iloc[:-1] >= 0.5).all()
    assert rescue["AMT"].iloc[0] == pytest.approx(5.0 * rescue["WEIGHT"].iloc[0])


def test_patients_are_held_miss_doses_and_visits_and_one_is_transfused(pilots):
    rows, people = read("phase1_rrmm"), pilots["phase1_rrmm"].people
    assert len(people) == 24 and {person.days for person in people} == {56.0, 84.0}
    given = single_doses(rows[rows["DRUG"] == "cemsidomide"])
    planned = sum(len(ms.Regimen.parse(p.dose).expand(24.0 * p.days)) for p in people)
    assert 0.8 * planned < len(given) < 0.98 * planned
    units = rows[rows["DRUG"] == "platelet"]
    assert len(units) == 1 and units["AMT"].iloc[0] == 1
    seen = rows[(rows["ID"] == units["ID"].iloc[0]) & (rows["DVID"] == "platelet")].set_index("TIME")["DV"]
    assert seen[units["TIME"].iloc[0]] < 25 and (seen.drop(units["TIME"].iloc[0]) >= 25).all()
    visits = sum(len(person.visits) for person in people)
    assert visits < sum(person.days / 7 + 1 for person in people)
    assert {24.0 * day for day in people[0].visits} == set(
        rows.loc[(rows["ID"] == "1001") & (rows["EVID"] == 0), "TIME"]
    )


def test_sheet_of_the_laboratory_says_the_same():
    rows, sheet = read("rat_28day"), pd.read_csv(FOLDER / "rat_28day_analyzer.csv", dtype={"Animal": str, "NEUT": str})
    seen = rows[rows["EVID"] == 0].pivot(index=["ID", "TIME"], columns="DVID", values=["DV", "CENS"])
    draws = sheet[sheet["HGB"].notna()].assign(TIME=lambda s: 24.0 * s["Day"]).set_index(["Animal", "TIME"])
    draws = draws.loc[list(seen.index)]
    assert np.allclose(draws["HGB"] / 10.0, seen["DV", "hemoglobin"]) and np.allclose(
        draws["PLT"], seen["DV", "platelet"]
    )
    assert np.allclose(draws["NEUT"].str.removeprefix("<").astype(float), seen["DV", "neutrophil"])
    assert (draws["NEUT"].str.startswith("<").to_numpy() == (seen["CENS", "neutrophil"] == 1).to_numpy()).all()
    doses, given = sheet[sheet["Dose"].notna()].set_index("Animal"), rows[rows["EVID"] == 1].set_index("ID")
    assert np.allclose(doses["Dose"], given["AMT"]) and (doses["Every"] == 1).all() and (doses["Further"] == 27).all()


@pytest.mark.parametrize("name", NAMES)
def test_truth_is_the_model_that_made_it(pilots, name):
    with (FOLDER / "truth" / f"{name}.toml").open("rb") as stream:
        truth = tomllib.load(stream)
    about = dict(truth["model"])
    library = ms.load_model(about.pop("drug"), **about)
    moved = {key: one["value"] for key, one in truth["theta"].items() if "library" in one}
    assert moved.keys() == pilots[name].true.keys()
    for key, one in truth["theta"].items():
        assert library.parameters[key].value == one.get("library", one["value"])
        assert library.parameters[key].omega_sd ** 2 == pytest.approx(truth["omega"].get(key, 0.0), rel=1e-5)
    own = pd.read_csv(FOLDER / "truth" / f"{name}_individuals.csv")
    for key, variance in truth["omega"].items():
        if ".baseline" in key:  # others move with weight, too
            eta = np.log(own[key] / truth["theta"][key]["value"])
            assert abs(eta.mean()) < 4 * np.sqrt(variance / len(own)) and eta.std() < 2.5 * np.sqrt(variance)


@pytest.mark.parametrize("name", [*NAMES, "rat_28day_analyzer"])
def test_fit_estimates_what_differs_from_the_library_and_begins_at_it(name):
    """Each true value is within two and a half standard deviations of its prior, and errors and etas begin at the true ones."""
    fit = load_fit(FOLDER / f"{name}.toml")
    with (FOLDER / "truth" / f"{name.removesuffix('_analyzer')}.toml").open("rb") as stream:
        truth = tomllib.load(stream)
    assert fit.load == truth["model"] and fit.data.path.parent == FOLDER
    _, asked = estimation(fit.model, ["neutrophil", "platelet", "hemoglobin"], **fit.estimate)
    assert {theta.name for theta in asked.thetas} == {key for key, one in truth["theta"].items() if "library" in one}
    for theta in asked.thetas:
        true = truth["theta"][theta.name]
        mean, sd = theta.prior
        assert theta.start == true["library"] == pytest.approx(np.exp(mean))
        assert abs(np.log(true["value"]) - mean) < 2.5 * sd
    assert {sigma.name: sigma.start for sigma in asked.sigmas} == truth["sigma"]
    for eta, row in zip(asked.omega.names, asked.omega.start, strict=True):
        assert row[asked.omega.names.index(eta)] == pytest.approx(truth["omega"][eta], rel=1e-5)


@pytest.mark.filterwarnings("ignore::myelosim.MyelosimWarning")
@pytest.mark.parametrize("name", NAMES)
def test_rows_scatter_around_the_true_individuals_as_the_truth_says(pilots, name):
    """Rows as a fit reads them, under each subject's own parameters as they lie in truth/, leave the residual error over."""
    model = pilots[name].truth
    study = read_study(FOLDER / f"{name}.csv", model, strict=True)
    assert set(study.check.problems["done"]) <= {"kept as censored"} and study.subjects == tuple(
        person.name for person in pilots[name].people
    )
    own = pd.read_csv(FOLDER / "truth" / f"{name}_individuals.csv").drop(columns=["ID", "dose"])
    own = own.assign(weight=[person.weight for person in pilots[name].people])
    seen, left = study.observations, {}
    for k, doses in enumerate(study.doses):
        for lineage in study.observables:
            here = (seen.subject == k) & (seen.observable == lineage) & (seen.censored == 0)
            before = np.where(
                seen.after[here] | (seen.time[here] == 0), 0.0, 1e-6
            )  # a transfusion comes after the draw
            ds = ms.simulate(
                model, ms.Regimen(doses), times=seen.time[here] - before, individuals=own.iloc[[k]], threads=1
            )
            true = ds["count"].sel(lineage=lineage)[0].to_numpy()
            left.setdefault(lineage, []).extend(np.log(seen.value[here] / true))
    for lineage, z in left.items():
        sd = model.residual[lineage].sigma["log_sd"]
        assert abs(np.mean(z)) < 4 * sd / np.sqrt(len(z)) and abs(np.std(z) / sd - 1) < 4 / np.sqrt(2 * len(z))
