"""Fit files: what they say, and everything that is wrong with them at once."""

import pytest

from myelosim.errors import SpecError
from myelosim.spec.estimate import estimation
from myelosim.spec.fits import load_fit

FIT = """\
format = 1
title = "A fit"
model = "generic_oral_2cmt_friberg"
data = { file = "pilot.csv", columns = { ID = "animal", TIME = "hour" }, units = { neutrophil = "10^3/uL" } }
method = "focei"

[estimate]
"neutrophil.baseline" = { start = "4.5 10^9/L", omega = 0.16 }
"drug.neutrophil.slope" = { start = 0.5, omega = 0.25, iov = 0.04 }
"neutrophil.gamma" = { fixed = true }
"neutrophil.mtt" = { prior = { mean = "78 h", sd_log = 0.15 }, range = ["50 h", "200 h"] }

[[correlation]]
between = ["neutrophil.baseline", "drug.slope"]
value = 0.5

[covariate]
"neutrophil.baseline" = { weight = { form = "power", reference = "70 kg" } }

[residual]
neutrophil = { proportional = 0.3 }

[options]
seed = 7
starts = 12
tolerance = 1e-7

[uncertainty]
covariance = "r"
sir = 1000
profile = ["neutrophil.mtt"]
"""


@pytest.fixture
def place(tmp_path):
    """A folder with some data and a way to write a fit beside them."""
    (tmp_path / "pilot.csv").write_text("animal,hour\n")

    def write(text):
        path = tmp_path / "fit.toml"
        path.write_text(text)
        return path

    return write


def wrong(path):
    with pytest.raises(SpecError) as caught:
        load_fit(path)
    return str(caught.value).splitlines()


def test_a_fit_says_what_is_estimated_and_how(place):
    path = place(FIT)
    fit = load_fit(path)
    assert (fit.title, fit.method, fit.seed, fit.starts, fit.tolerance) == ("A fit", "focei", 7, 12, 1e-7)
    assert fit.data.path == path.parent / "pilot.csv"
    assert fit.data.settings == {"columns": {"ID": "animal", "TIME": "hour"}, "units": {"neutrophil": "10^3/uL"}}
    assert (fit.uncertainty.covariance, fit.uncertainty.sir, fit.uncertainty.profile) == (
        "r",
        1000,
        ("neutrophil.mtt",),
    )
    model, made = estimation(fit.model, ["neutrophil"], **fit.estimate)
    found = {one.name: one for one in made.thetas}
    assert list(found) == [
        "neutrophil.baseline", "neutrophil.mtt", "drug.neutrophil.slope", "neutrophil.baseline.weight",
    ]  # fmt: skip
    assert found["neutrophil.baseline"].start == 4.5
    assert found["drug.neutrophil.slope"].start == 0.5
    assert (found["neutrophil.mtt"].start, found["neutrophil.mtt"].low, found["neutrophil.mtt"].high) == (
        110.0,
        50.0,
        200.0,
    )
    assert found["neutrophil.mtt"].prior[1] == 0.15
    assert made.omega.names == ("neutrophil.baseline", "drug.neutrophil.slope")
    assert made.omega.start.tolist() == [[0.16, pytest.approx(0.1)], [pytest.approx(0.1), 0.25]]
    assert made.omega.free.all()
    assert made.occasion.names == ("drug.neutrophil.slope",)
    assert made.sigmas[0].start == 0.3
    assert model.parameters["neutrophil.gamma"].value == 0.17


def test_the_hash_is_of_what_is_said(place):
    first = load_fit(place(FIT)).spec_hash
    assert load_fit(place("# said so\n" + FIT)).spec_hash == first
    assert load_fit(place(FIT.replace("sd_log = 0.15", "sd_log = 0.2"))).spec_hash != first


def test_only_what_is_listed(place):
    fit = load_fit(place(FIT.replace('method = "focei"', 'method = "focei"\nfree = "listed"')))
    made = estimation(fit.model, ["neutrophil"], **fit.estimate)[1]
    assert [one.name for one in made.thetas][:3] == ["neutrophil.baseline", "drug.neutrophil.slope", "neutrophil.mtt"]


def test_names_need_no_quotes(place):
    assert load_fit(place(FIT.replace('"neutrophil.gamma" =', "neutrophil.gamma ="))) == load_fit(place(FIT))


def test_what_is_listed_is_free_though_it_is_not_by_default(place):
    text = FIT.replace('"neutrophil.gamma" = { fixed = true }', '"drug.cl" = { prior = { mean = 6, sd_log = 0.1 } }')
    fit = load_fit(place(text))
    assert "drug.cl" in [one.name for one in estimation(fit.model, ["neutrophil"], **fit.estimate)[1].thetas]


def test_another_scale(place):
    text = FIT.replace('"neutrophil.gamma" = { fixed = true }', '"drug.f" = { start = 0.6, scale = "identity" }')
    fit = load_fit(place(text))
    (f,) = [one for one in estimation(fit.model, ["neutrophil"], **fit.estimate)[1].thetas if one.name == "drug.f"]
    assert (f.start, f.scale) == (0.6, "identity")
    said = wrong(place(FIT.replace("start = 0.5, omega = 0.25,", 'scale = "identity",').replace("[[corr", "[[xcorr")))
    assert any("the model's variability is on the log scale; give omega on this one" in line for line in said)


def test_priors_of_the_literature(place):
    text = FIT.replace('method = "focei"', 'method = "focei"\npriors = "literature"')
    fit = load_fit(place(text))
    model = fit.model.replace({"neutrophil.baseline": {"se": 0.3}})
    made = {one.name: one.prior for one in estimation(model, ["neutrophil"], **fit.estimate)[1].thetas}
    assert made["neutrophil.baseline"][1] == 0.3, "of the model's value, not of the start"
    assert made["neutrophil.baseline"][0] == pytest.approx(1.6094379)
    assert made["neutrophil.mtt"][1] == 0.15


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("units =", 'doses = "none.csv", units =', "data.doses (line 4): there is no file"),
        ("units =", "doses = 3, units =", "data.doses (line 4): 3 is not a table; write e.g. doses ="),
        ("pilot.csv", "pilott.csv", "data.file (line 4): there is no file"),
        ('"10^3/uL"', '"10^3/furlong"', "data.units.neutrophil (line 4): "),
        ("columns =", "colums =", "(line 4): unknown key 'colums'; did you mean 'columns'?"),
        ('"focei"', '"fosei"', "method (line 5): 'fosei' is not known; did you mean 'focei'?"),
        ('"neutrophil.gamma"', '"neutrophil.gama"', "(line 10): no parameter 'neutrophil.gama'; did you mean"),
        ("fixed = true", "fixd = true", "(line 10): unknown key 'fixd'; did you mean 'fixed'?"),
        ("omega = 0.16", "omega = -0.16", "omega (line 8): -0.16 is not a variance"),
        ('"4.5 10^9/L"', '"4.5 kg"', "start (line 8): "),
        ("start = 0.5", "start = -0.5", "start (line 9): -0.5 1/(mg/L) is out of bounds"),
        ("iov = 0.04", 'iov = "0.04"', "iov (line 9): '0.04' is not a variance"),
        ("sd_log = 0.15", "sdlog = 0.15", "did you mean 'sd_log'?"),
        ('["50 h", "200 h"]', '["200 h", "50 h"]', "range (line 11): 200 is not below 50"),
        ('["50 h", "200 h"]', '["50 h", "60 h"]', "range (line 11): 50 to 60 is without the start, 110"),
        ('"drug.slope"]', '"neutrophil.mtt"]', "neutrophil.mtt has no omega under [estimate]"),
        ('form = "power"', 'form = "powr"', "form (line 18): 'powr' is not known; did you mean 'power'?"),
        (
            "neutrophil = { prop",
            "neutrofil = { prop",
            "(line 21): nothing called 'neutrofil' is observed; did you mean",
        ),
        (
            "{ proportional = 0.3 }",
            "{ proportional = -0.3 }",
            "residual.neutrophil.proportional (line 21): -0.3 is out of",
        ),
        ("seed = 7", "points = 7", 'options.points (line 24): belongs to method = "agq"; this fit is by focei'),
        ('"r"', '"rs"', "uncertainty.covariance (line 29): 'rs' is not known"),
        ('["neutrophil.mtt"]', '["neutrophil.mt"]', "uncertainty.profile (line 31): no parameter 'neutrophil.mt'"),
        ("fixed = true", "fixed = true, prior = 0.5", "says nothing of a parameter that is fixed"),
    ],
)
def test_what_cannot_be_is_said_with_its_line(place, old, new, said):
    assert old in FIT
    path = place(FIT.replace(old, new))
    messages = wrong(path)
    assert any(said in line for line in messages), messages
    assert all("fit.toml: " in line for line in messages)


def test_everything_wrong_is_said_together(place):
    text = FIT.replace("omega = 0.16", "omega = -1").replace("gamma", "gama").replace("seed = 7", "sed = 7")
    assert len(wrong(place(text))) >= 3


def test_other_kinds_of_file_are_told_apart(place):
    from myelosim.spec.scenarios import load_scenario

    with pytest.raises(SpecError, match="is a fit file; what is needed here is a scenario file"):
        load_scenario(place(FIT))
    with pytest.raises(SpecError, match="is a scenario file; what is needed here is a fit file"):
        load_fit("cemsidomide_cynomolgus")
    with pytest.raises(SpecError, match="no fit 'cemsidomide_pilot'"):
        load_fit("cemsidomide_pilot")


def test_fits_are_found_by_name_among_the_scenarios(place, monkeypatch):
    path = place(FIT)
    monkeypatch.chdir(path.parent)
    pilots = path.parent / "scenarios" / "pilots"
    pilots.mkdir(parents=True)
    for name in ("fit.toml", "pilot.csv"):
        (path.parent / name).rename(pilots / name)
    assert load_fit("fit").title == "A fit"


def test_a_mapping_says_what_a_file_would(place, monkeypatch):
    path = place(FIT)
    monkeypatch.chdir(path.parent)
    fit = load_fit({"model": "generic_oral_2cmt_friberg", "data": {"file": "pilot.csv"}})
    assert (fit.method, fit.estimate) == ("focei", {"blq": "m3"})


def test_doses_by_group_or_in_a_file_beside_the_data(place):
    by_group = load_fit(place(FIT.replace("units =", 'doses = { low = "drug 20 mg QD d1-14" }, units =')))
    assert by_group.data.settings["doses"] == {"low": "drug 20 mg QD d1-14"}
    path = place(FIT.replace("units =", 'doses = "doses.csv", units ='))
    (path.parent / "doses.csv").write_text("ID,TIME,AMT\n")
    assert load_fit(path).data.settings["doses"] == "doses.csv"
