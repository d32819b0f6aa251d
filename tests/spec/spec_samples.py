"""Small model, species, drug and scenario files to spoil, one thing at a time."""

from pathlib import Path

MODEL = """\
format = 1
kind = "model"
title = "Sample"
source = "made up"
species = "human"

[covariates]
weight = "70 kg"
surface = "1.8 m2"

[drug.abc]
pk = "one_compartment"
amount = "mg"
concentration = "mg/L"
molar_mass = 500.0
ka = { value = 1.0, unit = "1/h", evidence = "assumed" }
cl = { value = 5.0, unit = "L/h", cv = 0.3, evidence = "published", source = "A 2001" }
vc = { value = 50.0, unit = "L", evidence = "assumed", covariates = { weight = { reference = "70 kg", exponent = 1 } } }

[lineage.neutrophil]
kind = "friberg"
baseline = { value = 5.0, unit = "10^9/L", omega_sd = 0.4, evidence = "assumed", floor = 1.5 }
mtt = { value = 110.0, unit = "h", omega_sd = 0.2, evidence = "assumed" }
gamma = { value = 0.17, evidence = "assumed" }

[lineage.platelet]
kind = "friberg"
baseline = { value = 240.0, unit = "10^9/L", cv = 0.3, evidence = "assumed" }
mtt = { value = 134.0, unit = "h", evidence = "assumed" }
gamma = { value = 0.2, evidence = "assumed" }

[effect.abc.neutrophil]
kind = "emax"
site = "proliferation"
emax = { value = 1.0, evidence = "assumed" }
ec50 = { value = 2.0, unit = "mg/L", cv = 0.5, evidence = "assumed", prior = { mean = "2 mg/L", sd_log = 0.2 } }

[residual.neutrophil]
kind = "proportional"
proportional = 0.2

[[correlation]]
between = ["neutrophil.baseline", "platelet.baseline"]
value = 0.3
"""

SPECIES = """\
format = 1
kind = "species"
title = "Sample monkey"
default_variant = "island"

[covariates]
weight = "4 kg"

[blood]
volume = { value = 65, unit = "mL/kg", evidence = "assumed" }
draw = "0.5 mL"
[blood.limits.repeated]
weight = 0.01
days = 14

[lower_limit]
neutrophil = "1.2 10^9/L"

[lineage.neutrophil]
kind = "friberg"
baseline = { value = 4.0, unit = "10^9/L", omega_sd = 0.4, evidence = "assumed" }
mtt = { value = 80.0, unit = "h", evidence = "assumed" }
gamma = { value = 0.17, evidence = "assumed" }

[residual.neutrophil]
kind = "proportional"
proportional = 0.2

[variant.island]
[variant.island.lineage.neutrophil]
baseline = { value = 6.0, unit = "10^9/L", omega_sd = 0.3, evidence = "assumed" }

[variant.block.lineage.neutrophil]
kind = "production"
baseline = { value = 4.0, unit = "10^9/L", evidence = "assumed" }
mtt = { value = 80.0, unit = "h", evidence = "assumed" }
gamma = { value = 0.3, evidence = "assumed" }
kcirc = { value = 0.1, unit = "1/h", evidence = "assumed" }
"""

DRUG = """\
format = 1
kind = "drug"
title = "Abcumab"
source = "B 2002"
warnings = ["made up"]

[pk]
pk = "one_compartment"
amount = "mg"
concentration = "mg/L"
ka = { value = 1.0, unit = "1/h", evidence = "assumed" }
cl = { value = 5.0, unit = "L/h", evidence = "published", source = "B 2002" }
vc = { value = 50.0, unit = "L", evidence = "assumed" }

[effect.neutrophil]
kind = "emax"
site = "proliferation"
emax = { value = 1.0, evidence = "assumed" }
ec50 = { value = 2.0, unit = "mg/L", evidence = "published", source = "B 2002" }

[species.monkey]
sensitivity = 0.5
warnings = ["monkeys respond half as well"]
[species.monkey.pk]
cl = { value = 0.5, unit = "L/h", evidence = "scaled", source = "by weight" }
vc = { value = 5.0, unit = "L", evidence = "scaled", source = "by weight" }
[species.monkey.variant.block]
[species.monkey.variant.block.effect.neutrophil]
kind = "linear"
site = "production"
slope = { value = 0.1, unit = "1/(mg/L)", evidence = "assumed" }

[species.dog]
refused = "nobody knows how dogs respond"
"""

HELPER = """\
format = 1
kind = "drug"
title = "Helper"
[gcsf]
[pk]
pk = "one_compartment"
amount = "ug"
concentration = "ng/mL"
ka = { value = 0.2, unit = "1/h", evidence = "assumed" }
cl = { value = 0.3, unit = "L/h", evidence = "assumed" }
vc = { value = 2.0, unit = "L", evidence = "assumed" }
[effect.neutrophil.egress]
lineage_kind = "friberg"
kind = "emax"
action = "stimulate"
emax = { value = 2.0, evidence = "assumed" }
ec50 = { value = 1.0, unit = "ng/mL", evidence = "assumed" }
[effect.neutrophil.maturation]
lineage_kind = "friberg"
kind = "linear"
action = "stimulate"
slope = { value = 0.01, unit = "mL/ng", evidence = "assumed" }
[species.monkey]
"""

SCENARIO = """\
format  = 1
title   = "Sample"
model   = "sample"
days    = 56
visits  = "d1 weekly"

[population]
size = 20
seed = 3

[[arm]]
name = "low"
dose = "abc 10 mg QD d1-14 q28d x2"

[[arm]]
name = "high"
dose = "abc 40 mg QD d1-14 q28d x2"
"""


def library(folder: Path) -> Path:
    """Write the samples as a library into a folder."""
    held = {
        "models/published/sample.toml": MODEL, "models/species/monkey.toml": SPECIES, "models/drugs/abc.toml": DRUG,
        "models/drugs/helper.toml": HELPER, "scenarios/sample_scenario.toml": SCENARIO,
        "models/species/dog.toml": SPECIES.replace("monkey", "dog"),
    }  # fmt: skip
    for name, text in held.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder
