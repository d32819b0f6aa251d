"""Model files: what they become, that they turn back, and what is refused in which words."""

import dataclasses
import math
from pathlib import Path

import pytest
from spec_samples import MODEL, SPECIES

from myelosim.errors import SpecError
from myelosim.spec import list_models, load_model
from myelosim.spec.library import files

SHIPPED = sorted(files("published"))


def spoil(samples, *changes, text=MODEL):
    """Write the sample with some text replaced and return what loading it says."""
    for old, new in changes:
        assert old in text, f"the sample has no {old!r}"
        text = text.replace(old, new, 1)
    (samples / "bad.toml").write_text(text)
    with pytest.raises(SpecError) as caught:
        load_model("bad.toml")
    return str(caught.value)


def test_what_a_file_becomes(samples):
    model = load_model("sample")
    cl = model.parameters["abc.cl"]
    assert (cl.value, cl.unit, cl.evidence, cl.source, cl.meaning) == (5.0, "L/h", "published", "A 2001", "clearance")
    assert cl.omega_sd == pytest.approx(math.sqrt(math.log(1.09)))
    assert (model.parameters["abc.f"].evidence, "abc.f" in model.assumed) == ("default", False)
    assert model.parameters["abc.vc"].covariates == {"weight": {"reference": 70.0, "exponent": 1.0}}
    assert model.parameters["neutrophil.baseline"].floor == 1.5
    assert model.parameters["abc.neutrophil.ec50"].prior == {"mean": 2.0, "sd_log": 0.2}
    assert model.correlation == {("neutrophil.baseline", "platelet.baseline"): 0.3}
    assert model.residual["neutrophil"].sigma == {"proportional": 0.2}
    (effect,) = model.effects
    assert (effect.site, effect.action, effect.delay, effect.prefix) == (
        "proliferation",
        "inhibit",
        "direct",
        "abc.neutrophil",
    )
    assert model.drugs["abc"].molar_mass == 500.0
    assert model.subjects.covariates == {"weight": 70.0, "surface": 1.8}
    assert "abc.cl" not in model.assumed
    assert "abc.ka" in model.assumed


@pytest.mark.parametrize(
    ("old", "new", "name", "value"),
    [
        ('value = 5.0, unit = "L/h", cv = 0.3', 'value = 83.33333333333333, unit = "mL/min"', "abc.cl", 5.0),
        ('value = 110.0, unit = "h"', 'value = 5, unit = "d"', "neutrophil.mtt", 120.0),
        ('value = 2.0, unit = "mg/L"', 'value = 4, unit = "umol/L"', "abc.neutrophil.ec50", 2.0),
        ('value = 240.0, unit = "10^9/L"', 'value = 240000, unit = "cells/uL"', "platelet.baseline", 240.0),
        ("value = 0.17,", 'value = 17, unit = "%",', "neutrophil.gamma", 0.17),
    ],
)
def test_units_become_the_declared_ones(samples, old, new, name, value):
    (samples / "other.toml").write_text(MODEL.replace(old, new, 1))
    assert load_model("other.toml").parameters[name].value == pytest.approx(value, rel=1e-14)


def test_bounds_and_priors_follow_the_unit(samples):
    text = MODEL.replace('value = 5.0, unit = "10^9/L"', 'value = 5000, unit = "cells/uL"').replace(
        "floor = 1.5", "floor = 1500"
    )
    (samples / "other.toml").write_text(text)
    baseline = load_model("other.toml").parameters["neutrophil.baseline"]
    assert (baseline.value, baseline.floor) == (5.0, 1.5)
    (samples / "other.toml").write_text(text.replace("floor = 1500", 'floor = "1.5 10^9/L"'))
    assert load_model("other.toml").parameters["neutrophil.baseline"].floor == 1.5


def test_saving_turns_back(samples):
    model = load_model("sample").replace({"neutrophil.mtt": 0.1 + 0.2, "abc.cl": {"value": 7, "omega_sd": 0.1}})
    model.save("mine.toml")
    again = load_model("mine.toml")
    assert again == model
    assert again.spec_hash == model.spec_hash
    assert [path.name for path in Path(".").iterdir() if path.name.startswith(".mine")] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_models_turn_back(name, tmp_path):
    model = load_model(name)
    model.save(tmp_path / "saved.toml")
    again = load_model(tmp_path / "saved.toml")
    assert again == model
    assert again.spec_hash == model.spec_hash


def test_text_survives_saving(samples):
    odd = 'a "quote", a \\ and µ é'
    model = dataclasses.replace(load_model("sample"), title=odd, warnings=(f"{odd}\n\ta line",))
    model.save("mine.toml")
    assert load_model("mine.toml") == model


def test_a_hash_tells_values_apart(samples):
    model = load_model("sample")
    assert model.spec_hash == load_model("sample").spec_hash
    assert model.spec_hash != model.replace({"abc.cl": 5.000000001}).spec_hash


def test_listing(samples):
    held = list_models()
    assert "sample" in held["published"]
    assert "generic_oral_2cmt_friberg" in held["published"]
    assert {"abc", "helper"} <= set(held["drugs"])
    assert held["species"]["monkey"] == ["block", "island"]


def test_the_nearer_file_wins(samples, monkeypatch):
    near = samples / "near"
    near.mkdir()
    (near / "sample.toml").write_text(MODEL.replace('title = "Sample"', 'title = "Nearer"'))
    monkeypatch.setenv("MYELOSIM_PATH", f"{near}:{samples}")
    assert load_model("sample").title == "Nearer"


CHANGES = [
    ("format = 1", "format = 2", "format (line 1): 2 is not a format this version reads"),
    ("format = 1", "", "'format' is missing"),
    ('kind = "model"', 'kind = "modle"', "kind (line 2): 'modle' is not known; did you mean 'model'?"),
    ('title = "Sample"', "title = 3", "title (line 3): 3 is not a text"),
    ('title = "Sample"\n', "", "'title' is missing"),
    ('species = "human"', 'spcies = "human"', "unknown key 'spcies'; did you mean 'species'?"),
    ('weight = "70 kg"', 'weight = "70 h"', "covariates.weight (line 8): unit 'h' is not a mass"),
    ('weight = "70 kg"', 'weight = "-70 kg"', "'-70 kg' is out of bounds; it must be between 0.0001 and"),
    ('weight = "70 kg"', "weight = [70]", "is not a quantity in kg"),
    ('pk = "one_compartment"', 'pk = "one_comp"',
     "drug.abc.pk (line 12): 'one_comp' is not known; did you mean 'one_compartment'?"),
    ('pk = "one_compartment"', "", "drug.abc (line 11): 'pk' is missing; give one of"),
    ('amount = "mg"', 'amount = "mg/L"', "drug.abc.amount (line 13): unit 'mg/L' is a mass concentration; give a dose"),
    ('concentration = "mg/L"', 'concentration = "mg"', "unit 'mg' is a mass; give a concentration"),
    ('concentration = "mg/L"\nmolar_mass = 500.0', 'concentration = "umol/L"', "add molar_mass in g/mol"),
    ("molar_mass = 500.0", "molar_mass = 0", "molar_mass (line 15): 0 is out of bounds; it must be between 1 and 1e+07 g/mol"),
    ("molar_mass = 500.0", 'route = "po"', "'po' is not known; known: iv, oral, sc"),
    ("molar_mass = 500.0", 'absorption = "zero"',
     "absorption (line 15): 'zero' is not possible here; allowed: first_order"),
    ("molar_mass = 500.0", "clx = 3", "drug.abc.clx (line 15): unknown key 'clx'; did you mean 'cl'?"),
    ("ka = {", "kaa = {", "'ka' (absorption rate, 1/h) is missing; give ka = { value"),
    ('unit = "1/h"', 'unit = "h"', "drug.abc.ka.unit (line 16): unit 'h' is not a rate"),
    ('value = 1.0, unit = "1/h",', "value = 1.0,", "drug.abc.ka (line 16): has no unit; add unit = \"1/h\""),
    ('ka = { value = 1.0, unit = "1/h", evidence = "assumed" }', "ka = 1.0",
     "ka (line 16): 1.0 is not a parameter; write ka = { value"),
    ("value = 1.0, unit = \"1/h\"", "value = nan, unit = \"1/h\"", "ka.value (line 16): nan is not a finite number"),
    ("value = 1.0, unit = \"1/h\"", "value = \"1\", unit = \"1/h\"", "'1' is not a number"),
    ("value = 1.0, unit = \"1/h\"", "value = 0.0, unit = \"1/h\"",
     "drug.abc.ka (line 16): 0 1/h is out of bounds; it must be above 0 1/h"),
    ("value = 1.0, unit = \"1/h\"", "value = -1.0, unit = \"1/h\"", "-1 1/h is out of bounds"),
    ("cv = 0.3", "cv = -0.3", "cl.cv (line 17): -0.3 is out of bounds; it must be between 0 and 10"),
    ("cv = 0.3", "cv = 1000", "cl.cv (line 17): 1000 is out of bounds; it must be between 0 and 10"),
    ("cv = 0.3", "omega_sd = 3.0", "omega_sd 3 cannot be meant; it must be at most 2.15 (a cv of 10)"),
    ("value = 110.0", "value = 1e300", "mtt (line 23): 1e+300 h cannot be meant; it must be between 0.001 and 1e+06 h"),
    ("value = 110.0", "value = 1e-9", "mtt (line 23): 1e-09 h cannot be meant"),
    ("value = 0.17,", "value = -1,", "gamma (line 24): -1 is out of bounds; it must be above 0"),
    ("molar_mass = 500.0", 'route = "oral"\nroutes = ["po"]', "'po' is not known; known: iv, oral, sc"),
    ("molar_mass = 500.0", 'route = "oral"\nroutes = ["iv"]', "does not hold the usual route, 'oral'; add it"),
    ("cv = 0.3", "cv = 0.3, omega_sd = 0.3", "both 'cv' and 'omega_sd' are given"),
    ("cv = 0.3", 'cv = 0.3, scale = "logit"', 'a cv belongs to scale "log", not "logit"'),
    ("cv = 0.3", 'omega_sd = 0.3, scale = "logit"', "5 cannot vary on the logit scale"),
    ("cv = 0.3", 'scale = "lognormal"', "cl.scale (line 17): 'lognormal' is not known; known: identity, log, logit"),
    ("cv = 0.3", "cvv = 0.3", "unknown key 'cvv'; did you mean 'cv'?"),
    ("cv = 0.3", "floor = 6.0", "5 is outside its own floor and ceiling, 6 to inf L/h"),
    ("cv = 0.3", "ceiling = \"3 h\"", "cl.ceiling (line 17): unit 'h' is not a flow"),
    ("cv = 0.3", "clip = 1", "1 is neither true nor false"),
    (', source = "A 2001"', "", "evidence \"published\" needs a source"),
    ('evidence = "published"', 'evidence = "pub"',
     "cl.evidence (line 17): 'pub' is not known; known: assumed, default, fitted"),
    ('evidence = "published"', 'evidence = "default"', "cl.evidence (line 17): \"default\" is for the value that the component"),
    ('species = "human"', 'species = "hooman"', "species (line 5): 'hooman' is not a species; did you mean 'human'?"),
    ('cv = 0.3, evidence = "published",', "cv = 0.3,",
     "drug.abc.cl (line 17): 'evidence' is missing; give one of published"),
    ('reference = "70 kg", exponent = 1', 'reference = "70 kg"', "'exponent' is missing"),
    ('weight = { reference = "70 kg", exponent = 1 }', "age = { reference = 40, exponent = 1 }",
     "depends on covariate 'age'"),
    ('weight = { reference = "70 kg", exponent = 1 }', "weight = {}", "is empty; give reference and exponent"),
    ('kind = "friberg"', 'kind = "friburg"',
     "lineage.neutrophil.kind (line 21): 'friburg' is not known; did you mean 'friberg'?"),
    ('kind = "friberg"', 'kind = "friberg"\nn_transits = 0',
     "n_transits (line 22): 0 is not possible here; allowed: 1 to 20"),
    ('kind = "friberg"', 'kind = "friberg"\nn_transits = true', "true is not possible here"),
    ('kind = "friberg"', 'kind = "friberg"\nn_transit = 3', "unknown key 'n_transit'; did you mean 'n_transits'?"),
    ('kind = "friberg"', 'kind = "friberg"\ncombine = "max"', "'max' is not known; known: additive, bliss"),
    ("value = 0.17,", "value = 0.6,", "lineage.neutrophil (line 20): gamma is 0.6, at or past the stability limit"),
    ('kind = "emax"', 'kind = "emaks"',
     "effect.abc.neutrophil.kind (line 33): 'emaks' is not known; did you mean 'emax'?"),
    ('site = "proliferation"', 'site = "prolifration"',
     "site (line 34): 'prolifration' is no process of a friberg lineage; did you mean 'proliferation'?"),
    ('site = "proliferation"', "", "effect.abc.neutrophil (line 32): 'site' is missing"),
    ('site = "proliferation"', 'site = "loss"\naction = "stop"', "'stop' is not known; known: inhibit, stimulate"),
    ('site = "proliferation"', 'site = "loss"\ndelay = "later"', "delay (line 35): 'later' is not known"),
    ('site = "proliferation"', 'site = "loss"\ndriver = "occupancy"',
     "have no receptor occupancy; those that do: michaelis_menten, filgrastim"),
    ("ec50 = {", "ec5 = {", "'ec50' (concentration of half the maximal effect, mg/L) is missing"),
    ("sd_log = 0.2", "sd = -1", "out of bounds"),
    ('mean = "2 mg/L"', 'mean = "2 h"', "prior.mean (line 36): unit 'h' is not a mass concentration"),
    ("[effect.abc.neutrophil]", "[effect.abd.neutrophil]",
     "effect.abd (line 32): no drug 'abd' is declared; did you mean 'abc'?"),
    ("[effect.abc.neutrophil]", "[effect.abc.neutrofil]",
     "no lineage 'neutrofil' is declared; did you mean 'neutrophil'?"),
    ("[residual.neutrophil]", "[residual.hemoglobin]",
     "nothing called 'hemoglobin' is observed; known: abc, neutrophil, platelet"),
    ('kind = "proportional"', 'kind = "prop"', "residual.neutrophil.kind (line 39): 'prop' is not known"),
    ("proportional = 0.2", "proportional = -0.2", "residual.neutrophil.proportional (line 40): -0.2 is out of bounds"),
    ("proportional = 0.2", "", "'proportional' is missing"),
    ("value = 0.3\n", "value = 1.0\n", "1 between neutrophil.baseline and platelet.baseline is out of bounds"),
    ("value = 0.3\n", 'value = "0.3"\n', "'0.3' is not a number"),
    ('"platelet.baseline"]', '"platelet.base"]', "the model has no parameter 'platelet.base'"),
    ('"platelet.baseline"]', '"platelet.mtt"]', "'platelet.mtt' does not vary; give it omega_sd or cv"),
    ('"platelet.baseline"]', '"neutrophil.baseline"]', "needs two different parameters"),
    ("value = 0.3\n",
     'value = 0.3\n[[correlation]]\nbetween = ["platelet.baseline", "neutrophil.baseline"]\nvalue = 0.1\n',
     "are correlated twice"),
    ("[[correlation]]", "[start]\nneutrofil = 3\n[[correlation]]", "start.neutrofil (line 43): no lineage 'neutrofil'"),
    ("[[correlation]]", "[start]\nneutrophil = -3\n[[correlation]]", "-3 is out of bounds; it must be between"),
    ("[[correlation]]", "[blood]\nvolume = \"70 h\"\n[[correlation]]",
     "blood.volume (line 43): unit 'h' is not a volume per body weight"),
    ("[[correlation]]",
     "[[expected]]\nwhat = \"\"\nendpoint = \"nadr\"\nvalue = 1\ntolerance = 1\n[[correlation]]",
     "'nadr' is not known; did you mean 'nadir'?"),
    ("[[correlation]]", "[[expected]]\nwhat = \"x\"\nendpoint = \"nadir\"\nvalue = 1\ntolerance = 0.1\n[[correlation]]",
     "says neither lineage nor drug"),
    ('reference = "70 kg", exponent = 1', "reference = 0, exponent = 1", "reference (line 18): 0 is out of bounds"),
    ('reference = "70 kg", exponent = 1', 'reference = "70 kg", exponent = 1e300', "exponent (line 18): 1e+300 is out of"),
    ('reference = "70 kg", exponent = 1', 'reference = "7 kg", slope = -1', "is changed by a factor of -62 by weight 70.0"),
    ('weight = { reference = "70 kg", exponent = 1 }', "food = { fed = 0 }", "depends on covariate 'food'"),
    ('kind = "friberg"', 'kind = "friberg"\nn_transits = 3.0', "3.0 is not possible here; allowed: 1 to 20"),
    ("format = 1", "format = true", "true is not a format this version reads; it reads format = 1"),
    ('kind = "model"', 'kind = "species"', "bad.toml: is a species file; what is needed here is a model file, with [drug"),
    ('species = "human"', 'species = "hum\\u0007an"', "species (line 5): contains the control character U+0007"),
    ("title = ", "title = seventy mg #",
     "bad.toml: line 3: 'title = seventy mg #\"Sample\"' is not valid TOML; write one key = value a line"),
    ("[drug.abc]", "[drug.\"a\\u0000c\"]\npk = \"one_compartment\"\n[drug.abc]", "'a\\u0000c' is not a name"),
    ("[drug.abc]", "[drug.\"a.c\"]\npk = \"one_compartment\"\n[drug.abc]", "'a.c' is not a name"),
    ("[drug.abc]", "[drug.platelet]\npk = \"one_compartment\"\n[drug.abc]",
     "a drug and a lineage are both called 'platelet'"),
    ("[drug.abc]", "[drug.abc\n", "bad.toml: line 11: '[drug.abc' is not valid TOML; write a heading as [name]"),
    ("[covariates]", "covariates = 3\n[covariats]", "covariates (line 7): 3 is not a table"),
    ('title = "Sample"', 'title = "Sample"\ntitle = "Twice"',
     "bad.toml: line 4: 'title = \"Twice\"' is not valid TOML; the key is there twice: keep one of them"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "message"), CHANGES, ids=[f"{i}-{change[2][:40]}" for i, change in enumerate(CHANGES)]
)
def test_what_is_wrong_is_said(samples, old, new, message):
    said = spoil(samples, (old, new))
    assert message in said
    assert all(line.startswith("bad.toml: ") for line in said.splitlines())


def test_everything_wrong_is_said_at_once(samples):
    said = spoil(
        samples, ("ka = {", "kaa = {"), ('kind = "emax"', 'kind = "emx"'), ("proportional = 0.2", "prop = 0.2")
    )
    assert len(said.splitlines()) == 5  # ka missing, kaa unknown, emx, proportional missing, prop unknown
    for part in ("'ka' (absorption rate", "'kaa'", "'emx'", "'proportional' is missing", "'prop'"):
        assert part in said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('kind = "friberg"', 'kind = "friburg"'),
        ("format = 1", "format = 1.5"),
        ("molar_mass = 500.0", 'molar_mass = "x"'),
        ("value = 0.17,", "value = 1e300,"),
        ('unit = "1/h", evidence', "unit = 3, evidence"),
        ('evidence = "published"', 'evidence = "pub"'),
        ('source = "A 2001"', "source = 3"),
        ("value = 110.0", "value = inf"),
        ('["neutrophil.baseline", "platelet.baseline"]', "3"),
        ("[[correlation]]", '[start]\nneutrophil = "1.2 mg"\n[[correlation]]'),
        ("[[correlation]]", '[blood]\nvolume = { value = 65, evidence = "assumed" }\n[[correlation]]'),
    ],
)
def test_one_mistake_is_said_once(samples, old, new):
    assert len(spoil(samples, (old, new)).splitlines()) == 1


def test_hemoglobin_is_what_is_observed_of_the_erythroid_lineage(samples):
    model = load_model("generic_three_lineage")
    for change in ("hemoglobin.baseline", "hemoglobin.lifespan"):
        with pytest.raises(
            SpecError, match="lineage is 'erythroid', and what is observed of it is 'hemoglobin': write 'ery"
        ):
            model.replace({change: 12})


def test_correlations_must_hold_together(samples):
    extra = '[[correlation]]\nbetween = ["{}", "{}"]\nvalue = {}\n'
    text = (
        MODEL + extra.format("neutrophil.baseline", "abc.cl", 0.9) + extra.format("platelet.baseline", "abc.cl", -0.9)
    )
    assert "cannot hold together" in spoil(samples, text=text)


def test_a_category_needs_a_factor(samples):
    said = spoil(
        samples, ('surface = "1.8 m2"', 'food = "fed"'),
        ('weight = { reference = "70 kg", exponent = 1 }', "food = { fasted = 1.0 }"),
    )  # fmt: skip
    assert "has no factor for food 'fed'; it has: fasted" in said


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sampel", "no model 'sampel'; did you mean 'sample'?"),
        ("nowhere/sample.toml", "nowhere/sample.toml: there is no such file; give a path, or a name that"),
        ("./models", "./models: is a directory; give a file in it"),
        ("x.json", "x.json: is not a .toml file; give one, or a name"),
        (5, "5 is neither a name nor the path of a file"),
        ("models", "no model 'models'"),
    ],
)
def test_files_that_are_not_there(samples, name, message):
    (samples / "x.json").write_text("{}")
    with pytest.raises(SpecError) as caught:
        load_model(name)
    assert message in str(caught.value)


@pytest.mark.parametrize("option", [{"variant": "x"}, {"gcsf": "helper"}, {"sensitivity": 1.0}])
def test_complete_models_take_no_options(samples, option):
    with pytest.raises(SpecError, match="a complete model takes no"):
        load_model("sample", **option)


def test_a_file_that_is_not_text(samples):
    for written in (b"\xff\xfe", MODEL.encode("utf-16"), MODEL.encode("utf-16-le"), "µ".encode("latin-1"), b"\0" * 9):
        (samples / "bad.toml").write_bytes(written)
        with pytest.raises(SpecError, match=r"^bad\.toml: is not text in UTF-8; save it as UTF-8$"):
            load_model("bad.toml")


def test_a_byte_order_mark_is_no_matter(samples):
    (samples / "marked.toml").write_text(MODEL, encoding="utf-8-sig")
    assert dataclasses.replace(load_model("marked.toml"), name="sample") == load_model("sample")
    (samples / "models/species/monkey.toml").write_text(SPECIES, encoding="utf-8-sig")
    assert list_models()["species"]["monkey"] == ["block", "island"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"neutrophil.mt": 1}, "no parameter 'neutrophil.mt'; did you mean 'neutrophil.mtt'?"),
        ({"neutrophil.mtt": "3 mg"}, "neutrophil.mtt: unit 'mg' is not a time"),
        ({"neutrophil.mtt": "90"}, "has no unit"),
        ({"neutrophil.mtt": float("nan")}, "is not a finite number"),
        ({"neutrophil.mtt": None}, "neutrophil.mtt:"),
        ({"neutrophil.mtt": 1e300}, "1e+300 h cannot be meant; it must be between 0.001 and 1e+06 h"),
        ({"neutrophil.baseline": 1e300}, "cannot be meant"),
        ({"abc.cl": {"omega_sd": 50.0}}, "omega_sd 50 cannot be meant"),
        ({"neutrophil.gamma": 0.6}, "past the stability limit"),
        ({"abc.cl": -1}, "-1 L/h is out of bounds"),
        ({"abc.ec50": 1, "abc.neutrophil.ec50": 2}, "abc.neutrophil.ec50 is given twice"),
        ({"abc.cl": {"value": 1, "omega": 2}}, "unknown field 'omega'"),
        ({"abc.cl": {"omega_sd": -1}}, "omega_sd -1 is not a standard deviation"),
        ({"abc.cl": {"scale": "lg"}}, "scale 'lg' is not known"),
        ({"abc.cl": {"floor": "3"}}, "floor '3' is not a number"),
        ({"abc.cl": 10**400}, "abc.cl:"),
        ({"nothing.baseline": 1}, "no parameter 'nothing.baseline'"),
    ],
)
def test_replacements_that_cannot_be(samples, changes, message):
    with pytest.raises(SpecError) as caught:
        load_model("sample").replace(changes)
    assert message in str(caught.value)


def test_replacing(samples):
    model = load_model("sample")
    new = model.replace(
        {"neutrophil.mtt": "5 d", "abc.ec50": "4 umol/L", "abc.cl": 5.0, "abc.ka": model.parameters["abc.ka"]}
    )
    assert new.parameters["neutrophil.mtt"].value == 120.0
    assert new.parameters["neutrophil.mtt"].source == "set by the user"
    assert new.parameters["abc.neutrophil.ec50"].value == 2.0
    assert new.parameters["abc.cl"] == model.parameters["abc.cl"]
    assert model.parameters["neutrophil.mtt"].value == 110.0
    fitted = model.replace({"abc.cl": {"value": 6, "omega_sd": 0.2}}, evidence="fitted", source="pilot")
    assert dataclasses.astuple(fitted.parameters["abc.cl"])[:7] == (
        6.0,
        "L/h",
        "clearance",
        0.2,
        "log",
        "fitted",
        "pilot",
    )


def test_a_short_name_must_be_unique(samples):
    text = (
        MODEL
        + '[effect.abc.platelet]\nkind = "emax"\nsite = "proliferation"\nemax = { value = 1, evidence = "assumed" }\n'
    )
    (samples / "two.toml").write_text(text + 'ec50 = { value = 1, unit = "mg/L", evidence = "assumed" }\n')
    with pytest.raises(SpecError, match=r"may be any of abc\.neutrophil\.ec50, abc\.platelet\.ec50"):
        load_model("two.toml").replace({"abc.ec50": 1})


def test_a_drug_may_be_a_table(samples):
    start = MODEL.index("[drug.abc]")
    table = '[drug.abc]\npk = "table"\nconcentration = "mg/L"\ntable = "conc.csv"\nunit = "ng/mL"\n'
    table += 'interpolation = "linear"\nafter = "last"\n'
    text = MODEL[:start] + table + "\n" + MODEL[MODEL.index("[lineage.neutrophil]") :]
    (samples / "table.toml").write_text(text)
    (samples / "conc.csv").write_text("time,concentration\n0,0\n2,1500\n24,100\n")
    model = load_model("table.toml")
    assert model.drugs["abc"].table == {
        "times": (0.0, 2.0, 24.0),
        "values": (0.0, 1.5, 0.1),
        "interpolation": "linear",
        "after": "last",
    }
    model.save("saved.toml")
    assert dataclasses.replace(load_model("saved.toml"), name="table") == dataclasses.replace(model, name="table")
    assert "'interpolation' is missing; give one of previous, next, linear" in spoil(
        samples, ('interpolation = "linear"\n', ""), text=text
    )
    for content, message in {
        "time,conc\n0,0\n": "needs the columns time and concentration, and no other; found: time, conc",
        "time,concentration,ID\n0,0,1\n": "and no other; take out id",
        "time,concentration\n1,0\n": "begin at 0",
        "time,concentration\n0,0\n0,1\n": "the times do not increase after 0 h",
        "time,concentration\n0,-1\n": "a concentration is negative",
        "time,concentration\n0,x\n": "line 2 does not hold two numbers",
        "time,concentration\n0\n": "line 2 does not hold two numbers",
        "time,concentration\n0,nan\n": "not finite numbers",
        "time,concentration\n": "there are no concentrations",
    }.items():
        (samples / "conc.csv").write_text(content)
        assert message in spoil(samples, text=text)
    (samples / "conc.csv").unlink()
    assert "conc.csv: cannot be read" in spoil(samples, text=text)
