"""The shipped files: they load, and every number in them says what it rests on."""

import tomllib
from pathlib import Path

import numpy as np
import pytest

from myelosim.errors import SpecError
from myelosim.grading import GRADES, grade, thresholds
from myelosim.spec.grading import load_grading
from myelosim.spec.library import load_model
from myelosim.spec.scenarios import load_scenario
from myelosim.spec.sweeps import load_sweep

ROOT = Path(__file__).resolve().parents[2]
MODELS = sorted((ROOT / "models").rglob("*.toml"))
PUBLISHED = sorted((ROOT / "models" / "published").glob("*.toml"))
EVIDENCE = {"published", "transcribed", "scaled", "assumed", "fitted"}


def read(path):
    with path.open("rb") as stream:
        return tomllib.load(stream)


def entries(table, path=()):
    """Yield every table that holds a parameter value, with its place."""
    if isinstance(table, dict):
        if "value" in table and "evidence" in table:
            yield path, table
        for key, inner in table.items():
            yield from entries(inner, (*path, key))
    elif isinstance(table, list):
        for i, inner in enumerate(table):
            yield from entries(inner, (*path, i))


def unsupported(table, path=()):
    """Yield parameters of drugs, lineages and effects that lack evidence, or a source where they are not assumed."""
    for key, inner in table.items() if isinstance(table, dict) else ():
        if isinstance(inner, dict) and "value" in inner:
            evidence = inner.get("evidence")
            if evidence not in EVIDENCE or not (evidence == "assumed" or inner.get("source", "").strip()):
                yield ".".join((*path, key))
        elif isinstance(inner, dict):
            yield from unsupported(inner, (*path, key))


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_model_loads_by_name_and_path(path):
    assert load_model(path.stem).parameters == load_model(path).parameters


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_every_number_has_evidence_and_source(path):
    assert list(unsupported(read(path))) == []


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_model_is_held_to_expected_numbers(path):
    model = load_model(path)
    assert model.expected or path.stem == "generic_oral_2cmt_friberg"
    for check in model.expected:
        assert check.tolerance <= max(0.06 * abs(check.value), 1e-9) or "nadir, 100 mg/m2: the low end" in check.what


def test_no_published_file_claims_that_a_transcription_was_read_in_the_paper():
    for path in PUBLISHED:
        for place, entry in entries(read(path)):
            if "transcription" in entry.get("source", ""):
                assert entry["evidence"] == "transcribed", f"{path.stem}: {'.'.join(map(str, place))}"


def test_virtual_patients_of_abbiati_come_from_histograms():
    for name in ("mm", "gbm", "dlbcl"):
        model = load_model(f"abbiati_2021_avadomide_{name}")
        assert all(parameter.omega_sd == 0 for parameter in model.parameters.values())


def test_units_of_molar_models_follow_the_molar_mass():
    for name in ("friberg_2002_docetaxel", "kloft_2006_docetaxel", "quartino_2014_docetaxel"):
        drug = load_model(name).drugs["docetaxel"]
        assert (drug.amount_unit, drug.concentration_unit, drug.molar_mass) == ("umol", "umol/L", 807.9)


SPECIES = {path.stem: sorted(read(path)["variant"]) for path in sorted((ROOT / "models" / "species").glob("*.toml"))}
DRUGS = [path.stem for path in sorted((ROOT / "models" / "drugs").glob("*.toml"))]
COMPOSED = [(drug, species, variant) for drug in DRUGS for species, variants in SPECIES.items() for variant in variants]


@pytest.mark.parametrize(("drug", "species", "variant"), COMPOSED)
def test_every_drug_composes_with_every_variant_or_says_why_not(drug, species, variant):
    said = read(ROOT / "models" / "drugs" / f"{drug}.toml")
    about = said.get("species", {}).get(species)
    why = "says nothing about" if about is None and species != said.get("base_species", "human") else "is refused for"
    if why == "says nothing about" or "refused" in (about or {}):
        with pytest.raises(SpecError, match=f"{drug} {why} {species}"):
            load_model(drug, species=species, variant=variant)
        return
    model = load_model(drug, species=species, variant=variant)
    assert set(model.lineages) == {"neutrophil", "platelet", "erythroid"}
    assert set(model.residual) >= {"neutrophil", "platelet", "hemoglobin"}
    assert model.subjects.blood_volume and model.subjects.draw_volume and model.subjects.lower_limit["neutrophil"] > 0


def test_only_numbers_read_in_a_publication_are_called_published():
    found = {
        (path.stem, ".".join(map(str, place)))
        for path in MODELS
        for place, entry in entries(read(path))
        if entry["evidence"] == "published"
    }
    assert found == {
        ("asciminib", "pk.f"),  # food effect, Swiss professional information
        ("human", "lineage.erythroid.lifespan"),  # BioNumbers 112478
        ("rat", "lineage.neutrophil.mtt"),  # Friberg 2010
        ("rat", "blood.volume"),
        ("mouse", "blood.volume"),
        ("dog", "blood.volume"),
    }


def test_recalled_numbers_are_assumed():
    for path in MODELS:
        for place, entry in entries(read(path)):
            if "recalled" in entry.get("source", ""):
                assert entry["evidence"] == "assumed", f"{path.stem}: {'.'.join(map(str, place))}"


GRADING = sorted((ROOT / "models" / "grading").glob("*.toml"))


@pytest.mark.parametrize("path", GRADING, ids=lambda path: path.stem)
def test_grades_get_worse_as_counts_fall_and_boundaries_take_the_milder(path):
    table = load_grading(path.stem)
    assert table.source
    for lineage, bounds in table.bounds.items():
        begins = thresholds(lineage, table, lln=200.0 if lineage == "platelet" else 45.0, baseline=100.0)
        numbers = begins[~np.isnan(begins)]
        assert (np.diff(numbers) < 0).all()
        grades = [grade for grade in GRADES if bounds.has(grade)]
        at = grade(numbers, lineage, table, lln=200.0 if lineage == "platelet" else 45.0, baseline=100.0)
        below = grade(
            numbers * (1 - 1e-9), lineage, table, lln=200.0 if lineage == "platelet" else 45.0, baseline=100.0
        )
        assert list(below) == grades
        assert list(at) == [0, *grades[:-1]]


def test_anemia_grade_4_has_no_number():
    assert not load_grading("ctcae_v5").has("hemoglobin", 4)
    assert not load_grading("seed_clinical").has("neutrophil", 4)


EVERY = sorted((ROOT / "scenarios").glob("*.toml"))
SWEEPS = [path for path in EVERY if "axis" in read(path)]
SCENARIOS = [path for path in EVERY if path not in SWEEPS]


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_scenario_loads_and_stays_small(path):
    scenario = load_scenario(path)
    assert len(scenario.arms) <= 8 and scenario.size <= 1000 and scenario.visits[0] == 0


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_sweep_loads_and_stays_small(path):
    sweep = load_sweep(path)
    assert len(sweep.cells) <= 48 and sweep.cells[0].size <= 1000 and sweep.limit is not None


def test_mouse_scenario_draws_more_blood_than_a_mouse_may_give():
    subjects = load_scenario("cemsidomide_mouse").model.subjects
    drawn = subjects.draw_volume * len(load_scenario("cemsidomide_mouse").visits)
    limit = subjects.blood_limits["two_weeks"]["weight"] * subjects.covariates["weight"] * 1000
    assert drawn > 2 * limit
    assert any("cereblon" in warning for warning in load_scenario("cemsidomide_mouse").model.warnings)


def test_wild_type_rodents_are_warned_of_and_humanized_mice_are_not():
    assert any("absent" in warning for warning in load_model("cemsidomide", species="rat").warnings)
    humanized = load_model("cemsidomide", species="mouse", variant="humanized_crbn")
    wild = load_model("cemsidomide", species="mouse")
    assert not any("absent" in warning for warning in humanized.warnings)
    name = "cemsidomide.neutrophil.ec50"
    assert wild.parameters[name].value == pytest.approx(20 * humanized.parameters[name].value)


def test_cemsidomide_exposure_is_one_at_100_ug_a_day_in_every_species():
    for species in ("human", "cynomolgus", "rat", "mouse"):
        model = load_model("cemsidomide", species=species)
        assert 100 / 24 / model.parameters["cemsidomide.cl"].value == pytest.approx(1, rel=1e-5)


def test_illustrative_drug_says_so():
    assert load_model("asciminib_illustrative_rodent", species="rat").illustrative
    assert not load_model("asciminib", species="rat").illustrative
    assert load_model("asciminib", species="rat").effects == ()
