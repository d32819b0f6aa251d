"""Whole blocks, explicit and stiff: at rest without drug, and against SciPy on the components' own equations."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from engine_cases import BENCH, effect_on, model_of, run
from scipy.integrate import solve_ivp

from myelosim.components import pk
from myelosim.engine import block as equations
from myelosim.spec.regimen import DoseEvent

EXPLICIT = model_of(
    [
        ("neutrophil", "friberg", {"kcirc": "free"}),
        ("platelet", "platelet", {}),
        ("erythroid", "erythroid", {"n_ages": 6}),
        ("leukocyte", "production", {"n_precursors": 2}, "additive"),
    ],
    [("drug", "two_compartment", {}), ("slow", "michaelis_menten", {})],
    [
        effect_on("neutrophil", "emax", "proliferation", delay="turnover"),
        effect_on("neutrophil", "linear", "egress", "slow", action="stimulate"),
        effect_on("platelet", "sigmoid_emax", "production", "slow", driver="occupancy"),
        effect_on("erythroid", "sustained", "production"),
        effect_on("erythroid", "log_linear", "loss", "slow", action="stimulate"),
        effect_on("leukocyte", "linear", "production", "slow", delay="effect_compartment"),
        effect_on("leukocyte", "linear", "loss", action="stimulate"),
    ],
)
STIFF = model_of(
    [("neutrophil", "gcsf_friberg", {}), ("platelet", "maturation_block", {})],
    [("drug", "two_compartment", {}), ("gcsf", "filgrastim", {})],
    [
        effect_on("neutrophil", "emax", "proliferation", delay="turnover"),
        effect_on("neutrophil", "linear", "maturation", "gcsf", driver="occupancy", action="stimulate"),
        effect_on("platelet", "linear", "setpoint", "gcsf", driver="occupancy", action="stimulate"),
    ],
)
DRUG = {
    "drug.ka": 1.0,
    "drug.f": 1.0,
    "drug.tlag": 0.0,
    "drug.cl": 6.3,
    "drug.vc": 60.0,
    "drug.q": 4.0,
    "drug.vp": 50.0,
}
CELLS = {
    "neutrophil.baseline": 5.0, "neutrophil.mtt": 90.0, "neutrophil.gamma": 0.16, "neutrophil.kcirc": 0.1,
    "platelet.baseline": 240.0, "platelet.mtt": 134.0, "platelet.gamma": 0.22, "platelet.lifespan": 216.0, "platelet.cap": 2.0,
    "erythroid.baseline": 14.0, "erythroid.mtt": 144.0, "erythroid.gamma": 0.5, "erythroid.lifespan": 2760.0,
    "erythroid.cap": 5.0, "erythroid.mch": 29.0, "erythroid.mcv": 88.0, "erythroid.reticulocyte_time": 24.0,
    "leukocyte.baseline": 7.0, "leukocyte.mtt": 120.0, "leukocyte.gamma": 0.2, "leukocyte.kcirc": 0.1, "leukocyte.cap": 1e30,
}  # fmt: skip
ACTS = {
    "drug.neutrophil.proliferation.emax": 0.6, "drug.neutrophil.proliferation.ec50": 0.3, "drug.neutrophil.proliferation.kdeg": 0.1,
    "slow.neutrophil.egress.slope": 0.2, "slow.platelet.production.emax": 0.7, "slow.platelet.production.ec50": 0.4,
    "slow.platelet.production.hill": 2.5, "drug.erythroid.production.level": 0.4, "drug.erythroid.production.tau": 200.0,
    "drug.erythroid.production.present": 0.01, "slow.erythroid.loss.slope": 0.1, "slow.erythroid.loss.c0": 0.2,
    "slow.leukocyte.production.slope": 0.5, "slow.leukocyte.production.ke0": 0.05, "drug.leukocyte.loss.slope": 0.3,
    "slow.ka": 0.5, "slow.f": 0.9, "slow.tlag": 0.0, "slow.vmax": 2.0, "slow.km": 0.3, "slow.v": 40.0,
}  # fmt: skip
GROWTH = {
    "neutrophil.baseline": 3.53, "neutrophil.mtt": 133.0, "neutrophil.half_life": 7.0, "neutrophil.gamma": 0.444,
    "neutrophil.beta": 0.234, "neutrophil.ke": 0.592, "neutrophil.kanc": 5.64, "neutrophil.gcsf0": 24.3,
    "platelet.baseline": 4.5, "platelet.gamma": 0.02, "platelet.beta": 20.0, "platelet.reservoir_ratio": 3.0,
    "platelet.km_fraction": 0.6, "platelet.half_life": 30.0, "platelet.apoptosis": 0.001, "platelet.egress_cap": 50.0,
    "gcsf.ksc": 0.132, "gcsf.vd": 2.4, "gcsf.cld": 0.496, "gcsf.kd": 0.00145, "gcsf.kint": 0.105, "gcsf.sr": 0.024, "gcsf.f": 0.62,
    "gcsf.tlag": 0.0, "gcsf.bsld": 0.0, "gcsf.molar_mass": 18.8,
    "drug.neutrophil.proliferation.emax": 0.6, "drug.neutrophil.proliferation.ec50": 0.3, "drug.neutrophil.proliferation.kdeg": 0.1,
    "gcsf.neutrophil.maturation.slope": 0.5, "gcsf.platelet.setpoint.slope": 0.1,
}  # fmt: skip
CASES = {
    "explicit": (EXPLICIT, DRUG | CELLS | ACTS, [("drug", 40.0, "depot"), ("slow", 60.0, "depot")]),
    "stiff": (STIFF, DRUG | GROWTH, [("drug", 40.0, "depot"), ("gcsf", 300.0, "depot")]),
}
DAYS = 24.0 * np.arange(15)


def known(model, p, events):
    """Return SciPy's counts and extra concentrations (output, time) of a model's only block with states."""
    (block,) = (b for b in equations.blocks(model) if b.parts)
    (drug,) = block.exposures
    own = equations.values(drug.name, [d.name for d in pk.KINDS[drug.kind].parameters(drug.structure)], p)
    rates, weights = pk.KINDS[drug.kind].modes(own, drug.structure)
    rates, weights = np.array(rates), np.array(weights["depot"])
    given = [(e.time, e.amount) for e in events if e.drug == drug.name]

    def exposure(t):
        return {drug.name: float(sum(a * np.sum(weights * np.exp(-rates * (t - s))) for s, a in given if s <= t))}

    still = [0.0] * len(block.inputs)
    y, out = np.array(equations.start(block, p, {})), []
    for low, high in pairwise(DAYS):
        for part in block.drugs:
            share = part.module.dose(equations.part_values(part, p), part.structure)
            for e in events:
                if e.drug == part.name and e.time == low:
                    y[part.first + part.module.entry(part.structure)["depot"]] += e.amount * share["depot"]
        out.append(equations.observe(block, y, exposure(low), p))
        found = solve_ivp(
            lambda t, y, high=high: equations.rhs(block, y.tolist(), exposure(min(t, high - 1e-10)), still, p),
            (low, high), y, "LSODA", rtol=1e-9, atol=1e-12,
        )  # fmt: skip
        assert found.success
        y = found.y[:, -1]
    return block, np.array([*out, equations.observe(block, y, exposure(DAYS[-1]), p)]).T


@pytest.mark.parametrize("name", CASES)
def test_blocks_against_scipy(name):
    model, p, given = CASES[name]
    events = [DoseEvent(drug, 24.0 * i, amount, channel=way) for i in range(5) for drug, amount, way in given]
    block, expected = known(model, p, events)
    done = run(model, events, DAYS, p)
    for (owner, output), values in zip(block.outputs, expected, strict=True):
        if owner in done.tracks:
            track = done.tracks[owner]
            found = (track.count if output == "count" else track.outputs[output])[0]
            np.testing.assert_allclose(found, values, rtol=3e-6, err_msg=f"{owner} {output}")
        else:
            np.testing.assert_allclose(done.concentration[owner][0], values, rtol=1e-5, atol=1e-6 * values.max())
    assert all(np.ptp(track.count) > 0.01 * track.count[0, 0] for track in done.tracks.values())


@pytest.mark.parametrize("name", CASES)
def test_without_drug_all_counts_stay_at_their_baseline(name):
    model, p, _ = CASES[name]
    spread = {
        n: v * np.array([1.0, 0.9, 1.1])
        for n, v in p.items()
        if n.endswith((".mtt", ".baseline", ".lifespan", ".half_life"))
    }
    done = run(model, [], 24.0 * np.arange(0, 400, 20), p | spread)
    assert set(done.tracks) == set(model.lineages)
    for lineage, track in done.tracks.items():
        baseline = spread[f"{lineage}.baseline"][:, None] * np.ones(20)
        np.testing.assert_allclose(track.count, baseline, rtol=1e-12, err_msg=lineage)
        for values in track.outputs.values():
            np.testing.assert_allclose(values, values[:, :1] * np.ones(20), rtol=1e-12)


def test_lineages_without_a_bond_are_blocks_of_their_own():
    model = model_of(
        [("neutrophil", "friberg", {}), ("platelet", "platelet", {})],
        [("drug", "two_compartment", {})],
        [effect_on("neutrophil", "linear", "proliferation"), effect_on("platelet", "linear", "production")],
    )
    assert [b.name for b in equations.blocks(model)] == ["neutrophil", "platelet", "exposure"]
    assert [b.name for b in equations.blocks(EXPLICIT)] == ["neutrophil_platelet_erythroid_leukocyte_slow", "exposure"]
    assert [b.stiff for b in equations.blocks(STIFF)] == [True, False]
    assert [b.name for b in equations.blocks(BENCH)] == ["neutrophil", "exposure"]
