"""Models put together from species and drugs."""

import warnings
from pathlib import Path

import pytest
from spec_samples import DRUG, SPECIES

import myelosim as ms
from myelosim.errors import SpecError
from myelosim.spec import list_models, load_model
from myelosim.spec.library import files


def values(model):
    return {name: parameter.value for name, parameter in model.parameters.items()}


def test_species_and_drug(samples):
    model = load_model("abc", species="monkey")
    assert model.name == "abc_monkey_island"
    got = values(model)
    # the variant's baseline over the species', the species' clearance over the drug's, half the potency
    assert (got["neutrophil.baseline"], got["neutrophil.mtt"]) == (6.0, 80.0)
    assert (got["abc.ka"], got["abc.cl"]) == (1.0, 0.5)
    assert got["abc.neutrophil.ec50"] == 4.0
    assert model.parameters["abc.neutrophil.ec50"].evidence == "scaled"
    assert "sensitivity of 0.5" in model.parameters["abc.neutrophil.ec50"].source
    assert got["abc.neutrophil.emax"] == 1.0
    # what the monkey's tables leave out is the human value, and an assumption
    taken = {name for name, one in model.parameters.items() if "unscaled" in one.source}
    assert taken == {"abc.ka", "abc.neutrophil.emax"}
    assert not any("unscaled" in one.source for one in load_model("abc", species="human").parameters.values())
    equal = load_model("abc", species="monkey", sensitivity=1.0).parameters["abc.neutrophil.ec50"]
    assert (equal.evidence, equal.source) == ("assumed", "human value, unscaled; B 2002")
    assert model.warnings == ("made up", "monkeys respond half as well")
    subjects = model.subjects
    assert (subjects.species, subjects.variant, subjects.covariates) == ("monkey", "island", {"weight": 4.0})
    assert (subjects.blood_volume, subjects.draw_volume, subjects.lower_limit) == (65.0, 0.5, {"neutrophil": 1.2})
    assert subjects.blood_limits == {"repeated": {"weight": 0.01, "days": 14.0, "source": ""}}
    assert model.residual["neutrophil"].sigma == {"proportional": 0.2}


def test_a_variant_may_bring_its_own_chain_and_effect(samples):
    model = load_model("abc", species="monkey", variant="block")
    assert model.lineages["neutrophil"].kind == "production"
    (effect,) = model.effects
    assert (effect.kind, effect.site) == ("linear", "production")
    assert values(model)["abc.neutrophil.slope"] == 0.05
    assert "abc.neutrophil.ec50" not in model.parameters


def test_a_sensitivity_given_wins(samples):
    assert values(load_model("abc", species="monkey", sensitivity=1.0))["abc.neutrophil.ec50"] == 2.0
    assert values(load_model("abc", species="dog", sensitivity=0.25))["abc.neutrophil.ec50"] == 8.0


def test_gcsf_joins_with_all_its_effects(samples):
    model = load_model("abc", species="monkey", gcsf="helper", sensitivity=0.5)
    assert list(model.drugs) == ["abc", "helper"]
    assert [effect.prefix for effect in model.effects] == [
        "abc.neutrophil", "helper.neutrophil.egress", "helper.neutrophil.maturation",
    ]  # fmt: skip
    assert [effect.site for effect in model.effects] == ["proliferation", "egress", "maturation"]
    assert values(model)["helper.neutrophil.egress.ec50"] == 1.0  # the sensitivity is the drug's, not the helper's
    assert model.parameters["helper.neutrophil.maturation.slope"].unit == "1/(ng/mL)"


def test_two_drugs_and_none(samples):
    assert list(load_model(["abc", "helper"], species="monkey").drugs) == ["abc", "helper"]
    assert load_model([], species="monkey").effects == ()


def test_composed_models_turn_back(samples):
    for options in ({}, {"variant": "block"}, {"gcsf": "helper"}):
        model = load_model("abc", species="monkey", **options)
        model.save("saved.toml")
        assert load_model("saved.toml") == model


@pytest.mark.parametrize(
    ("file", "load"),
    [
        ("drugs/cemsidomide.toml", lambda name: load_model(name, species="human")),
        ("species/human.toml", lambda name: load_model([], species=name)),
        ("published/generic_oral_1cmt.toml", load_model),
    ],
)
def test_a_file_that_stands_in_for_a_shipped_one_is_named(samples, file, load):
    mine = samples / "models" / file
    mine.parent.mkdir(exist_ok=True)
    mine.write_bytes((Path(__file__).parents[2] / "models" / file).read_bytes())
    assert not any("stands in" in text for text in load(mine.stem).warnings)  # a copy says the same
    mine.write_text(mine.read_text() + "# mine\n")
    said = f"{mine.stem} is read from models/{file}, which stands in for the file of that name that ships."
    assert load(mine.stem).warnings[0] == said
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        assert said in ms.simulate(load(mine.stem), "none", days=1).attrs["warnings"]
    assert said not in load(str(mine)).warnings


def test_an_effect_may_be_taken_away(samples):
    (samples / "models/drugs/abc.toml").write_text(
        DRUG.replace("sensitivity = 0.5", 'illustrative = true\n[species.monkey.effect.neutrophil]\nkind = "none"', 1)
        .replace('warnings = ["monkeys respond half as well"]\n', "")
    )  # fmt: skip
    model = load_model("abc", species="monkey")
    assert model.effects == ()
    assert model.illustrative


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"species": None}, "'abc' is a drug; say to which species it is given: "),
        ({"species": "monky"}, "no species 'monky'; did you mean 'monkey'?"),
        ({"variant": "blok"}, "monkey has no variant 'blok'; did you mean 'block'?"),
        ({"species": "dog"}, "abc is refused for dog: nobody knows how dogs respond; say how it responds"),
        ({"gcsf": "abc"}, "a drug is named twice"),
        ({"gcsf": "helpr"}, "no model 'helpr'; did you mean 'helper'?"),
        ({"gcsf": "helper", "variant": "block"},
         "helper acts on a neutrophil lineage of kind friberg, and this one is 'production'"),
        ({"sensitivity": 0.0}, "sensitivity 0.0 is not a factor"),
        ({"sensitivity": True}, "sensitivity true is not a factor"),
    ],
)  # fmt: skip
def test_what_cannot_be_composed(samples, options, message):
    with pytest.raises(SpecError) as caught:
        load_model("abc", **({"species": "monkey"} | options))
    assert message in str(caught.value)


def test_other_refusals(samples):
    with pytest.raises(SpecError, match="abc is no G-CSF"):
        load_model("helper", species="monkey", gcsf="abc")
    with pytest.raises(SpecError, match=r"sample\.toml: is a complete model"):
        load_model("sample", species="monkey")
    with pytest.raises(SpecError, match="helper says nothing about dog; it has human, monkey"):
        load_model("helper", species="dog")


@pytest.mark.parametrize(
    ("file", "old", "new", "message"),
    [
        ("species/monkey", "default_variant", "defalt_variant",
         "unknown key 'defalt_variant'; did you mean 'default_variant'?"),
        ("species/monkey", 'default_variant = "island"', 'default_variant = "isle"', "monkey has no variant 'isle'"),
        ("species/monkey", "days = 14", "day = 14", "blood.limits.repeated (line 12): 'days' is missing"),
        ("species/monkey", "mtt = {", "mt = {", "lineage.neutrophil.mt (line 22): unknown key 'mt'"),
        ("species/monkey", "value = 6.0", "value = -6.0",
         "variant.island.lineage.neutrophil.baseline (line 31): -6 10^9/L is out of bounds"),
        ("species/monkey", "value = 0.17", "value = 0.9",
         "models/species/monkey.toml: variant.island.lineage.neutrophil"),
        ("species/monkey", '"1.2 10^9/L"', '"1.2 h"', "lower_limit.neutrophil (line 17)"),
        ("drugs/abc", "[pk]", "[kp]", "models/drugs/abc.toml: kp (line 7): unknown key 'kp'"),
        ("drugs/abc", "[effect.neutrophil]", "[effect.neutrofil]",
         "models/drugs/abc.toml: effect.neutrofil (line 15): no lineage 'neutrofil'"),
        ("drugs/abc", "value = 0.5", 'value = "0.5"',
         "models/drugs/abc.toml: species.monkey.pk.cl.value (line 25): '0.5' is not a number"),
        ("drugs/abc", "value = 2.0", "value = -2.0", "effect.neutrophil.ec50 (line 19): -4 mg/L is out of bounds"),
        ("drugs/abc", "sensitivity = 0.5", "sensitivity = 0", "0 is out of bounds; it must be between 1e-06 and"),
        ("drugs/abc", "sensitivity = 0.5", "sensitivty = 0.5", "unknown key 'sensitivty'; did you mean 'sensitivity'?"),
        ("drugs/abc", 'kind = "drug"', 'kind = "species"', "is a species file; what is needed here is a drug file, with"),
    ],
)  # fmt: skip
def test_mistakes_are_placed_in_their_file(samples, file, old, new, message):
    path = samples / "models" / f"{file}.toml"
    text = SPECIES if "monkey" in file else DRUG
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(SpecError) as caught:
        load_model("abc", species="monkey")
    assert message in str(caught.value)


def test_mistakes_of_both_files_are_said_together(samples):
    (samples / "models/species/monkey.toml").write_text(SPECIES.replace("mtt = {", "mt = {", 1))
    (samples / "models/drugs/abc.toml").write_text(DRUG.replace("ka = {", "kaa = {", 1))
    with pytest.raises(SpecError) as caught:
        load_model("abc", species="monkey")
    assert "models/species/monkey.toml" in str(caught.value)
    assert "models/drugs/abc.toml" in str(caught.value)


def test_every_shipped_composition_turns_back(tmp_path):
    held = list_models()
    tried = 0
    for species, variants in held["species"].items():
        for drug in held["drugs"]:
            for variant in variants:
                try:
                    model = load_model(drug, species=species, variant=variant)
                except SpecError:
                    continue
                tried += 1
                model.save(tmp_path / "saved.toml")
                again = load_model(tmp_path / "saved.toml")
                assert again == model, (drug, species, variant)
                assert again.spec_hash == model.spec_hash
    assert tried >= 10


def test_a_section_for_an_unknown_species_is_not_dropped(tmp_path):
    shipped = files("drugs")["cemsidomide"]
    mine = tmp_path / "mine.toml"
    mine.write_text(
        shipped.read_text(encoding="utf-8").replace("[species.cynomolgus", "[species.monkey"), encoding="utf-8"
    )
    with pytest.raises(SpecError, match="'monkey' is not a species"):
        load_model(mine, species="human", variant="rrmm")
