"""The compiled equations against the components themselves, for every one that ships."""

from __future__ import annotations

from itertools import cycle

import numpy as np
import pytest
from engine_cases import effect_on, model_of

from myelosim.components import delays, effects, lineages, pk
from myelosim.engine import block as equations
from myelosim.engine import cache, emit, stepper, stiff
from myelosim.engine.job import inputs

EVALUATE = """

@njit(cache=True, **JIT)
def evaluate(P, n, g, Y, X, D, O, scratch):
    C = address(scratch)
    constants(address(P), n, g, C)
    carry(C, address(Y))
    rhs(C, address(Y), address(X), address(D))
    observe(C, address(Y), address(X), address(O), 0)
"""

FACTOR = """

@njit(cache=True, **JIT)
def invert(P, n, Y, X, W, V, shift, scratch):
    C = address(scratch)
    constants(address(P), n, 0, C)
    factor(C, address(Y), address(X), address(W), splat(shift))
    backsolve(address(W), address(V))
"""

CELLS = [
    ("neutrophil", "friberg", {}, "bliss"),
    ("a", "friberg", {"n_transits": 1, "kcirc": "free"}, "additive"),
    ("b", "maturation_block", {}, "bliss"),
    ("c", "gcsf_friberg", {}, "additive"),
    ("d", "production", {}, "bliss"),
    ("e", "production", {"precursors": "self_renewing", "loss": "half_life"}, "bliss"),
    ("f", "platelet", {}, "additive"),
    ("g", "platelet", {"precursors": "self_renewing", "loss": "lifespan", "n_ages": 3}, "bliss"),
    ("h", "erythroid", {"n_ages": 4}, "bliss"),
]
DRUGS = [
    ("fast", "two_compartment", {}),
    ("slow", "one_compartment", {"absorption": "none"}),
    ("mm", "michaelis_menten", {}),
    ("poured", "michaelis_menten", {"absorption": "none"}),
    ("gcsf", "filgrastim", {}),
    ("peg", "pegfilgrastim", {}),
]
ODE = {"mm", "poured", "gcsf", "peg"}
BASE = {"log": 0.7, "logit": 0.4, "identity": 0.5}


def everything():
    """Return a model in which every lineage, effect, delay, driver, action and ODE drug occurs, all in one block."""
    kinds = [
        (k, d) for k in effects.KINDS for d in delays.KINDS if d == "direct" or not hasattr(effects.KINDS[k], "states")
    ]
    assert {k for _, k, *_ in CELLS} == set(lineages.KINDS) and {k for _, k, _ in DRUGS} >= {
        k for k, module in pk.KINDS.items() if hasattr(module, "rhs")
    }
    turn, drugs = cycle(kinds), cycle(name for name, *_ in DRUGS)
    acts = []
    for name, kind, _, _ in CELLS:
        for i, site in enumerate(lineages.KINDS[kind].SITES):
            strength, delay = next(turn)
            drug = next(drugs) if i else "mm"  # what links all lineages
            driver = "occupancy" if drug in ODE and i % 2 else "concentration"
            action = "stimulate" if i % 3 == 2 else "inhibit"
            acts.append(effect_on(name, strength, site, drug, delay=delay, driver=driver, action=action))
        acts.append(effect_on(name, "linear", lineages.KINDS[kind].SITES[0], "slow", prefix=f"slow.{name}.second"))
    assert set(kinds) == {(e.kind, e.delay) for e in acts}
    return model_of(CELLS, DRUGS, acts)


def plausible(block, subjects, rng):
    """Return parameters of a block, different for every subject."""
    declared = {}
    for part in (*block.lineages, *block.drugs):
        declared |= {f"{part.prefix}.{d.name}": d for d in part.module.parameters(part.structure)}
    for effect in block.effects:
        declared |= {f"{effect.prefix}.{d.name}": d for d in equations.effect_parameters(effect)}
    for drug in block.exposures:
        declared |= {f"{drug.name}.{d.name}": d for d in pk.KINDS[drug.kind].parameters(drug.structure)}

    def draw(d):
        centre = BASE[d.scale] if d.default is None or d.default > 1e6 else d.default or 0.1
        upper = d.upper if np.isfinite(d.upper) else np.inf
        return np.minimum(np.maximum(centre * np.exp(0.2 * rng.standard_normal(subjects)), d.lower), upper)

    return {name: draw(d) for name, d in declared.items()}


def test_compiled_equations_are_those_of_the_components():
    rng = np.random.default_rng(5)
    (block, *_) = equations.blocks(everything())
    assert len(block.lineages) == len(CELLS) and len(block.drugs) == len(ODE) and len(block.exposures) == 2
    lay = emit.layout(block)
    p = plausible(block, 16, rng)
    table = inputs(block, lay, p, {}, 16)
    y = np.abs(table[lay.start :]) * np.exp(0.5 * rng.standard_normal((lay.states, 16))) + 0.05 * rng.random(
        (lay.states, 16)
    )
    x = rng.random((len(block.exposures) + len(block.inputs), 16))
    module = cache.program(emit.source(block, emit.explicit(stepper.DP5)) + EVALUATE)
    for g in (0, 8):
        Y, X = y[:, g : g + 8].copy().ravel(), x[:, g : g + 8].copy().ravel()
        D, seen = np.empty_like(Y), np.empty(len(block.outputs) * 8)
        module.evaluate(table.ravel(), 16, g, Y, X, D, seen, np.zeros(module.CONSTANTS * 8))
        D, seen, Y = D.reshape(-1, 8), seen.reshape(-1, 8), Y.reshape(-1, 8)
        for lane in range(8):
            own = {name: float(v[g + lane]) for name, v in p.items()}
            states = equations.carry(block, y[:, g + lane].tolist(), own)
            np.testing.assert_allclose(Y[:, lane], states, rtol=1e-13)
            exposure = dict(zip([d.name for d in block.exposures], x[:, g + lane].tolist(), strict=False))
            rates = x[len(exposure) :, g + lane].tolist()
            slopes = np.array(equations.rhs(block, states, exposure, rates, own))
            size = np.abs(slopes) + 1e-3 * np.abs(states)
            assert np.max(np.abs(D[:, lane] - slopes) / size) < 1e-11
            np.testing.assert_allclose(seen[:, lane], equations.observe(block, states, exposure, own), rtol=1e-12)


def test_elimination_solves_what_the_components_derivatives_say():
    rng = np.random.default_rng(6)
    model = model_of(
        [("neutrophil", "gcsf_friberg", {}), ("platelet", "maturation_block", {})],
        [("drug", "two_compartment", {}), ("gcsf", "filgrastim", {})],
        [
            effect_on("neutrophil", "emax", "proliferation", delay="turnover"),
            effect_on("neutrophil", "linear", "maturation", "gcsf", driver="occupancy", action="stimulate"),
            effect_on("platelet", "linear", "setpoint", "gcsf", driver="occupancy", action="stimulate"),
        ],
    )
    (block, *_) = equations.blocks(model)
    assert block.stiff and len(block.lineages) == 2
    lay = emit.layout(block)
    p = plausible(block, 8, rng)
    table = inputs(block, lay, p, {}, 8)
    y = np.abs(table[lay.start :]) * np.exp(0.3 * rng.standard_normal((lay.states, 8))) + 0.05
    x, b, shift = rng.random((len(block.exposures) + len(block.inputs), 8)), rng.standard_normal((lay.states, 8)), 3.0
    module = cache.program(emit.source(block, emit.implicit()) + FACTOR)
    V = b.copy().ravel()
    module.invert(
        table.ravel(), 8, y.ravel(), x.ravel(), np.zeros(module.SCRATCH * 8), V, shift, np.zeros(module.CONSTANTS * 8)
    )
    for lane in range(8):
        own = {name: float(v[lane]) for name, v in p.items()}
        exposure, rates = {"drug": float(x[0, lane])}, x[1:, lane].tolist()
        jacobian = np.empty((lay.states, lay.states))
        for j in range(lay.states):
            states = [complex(v, 1e-30 * (i == j)) for i, v in enumerate(y[:, lane])]
            jacobian[:, j] = [complex(d).imag / 1e-30 for d in equations.rhs(block, states, exposure, rates, own)]
        known = np.linalg.solve(shift * np.eye(lay.states) - jacobian, b[:, lane])
        np.testing.assert_allclose(V.reshape(-1, 8)[:, lane], known, rtol=1e-8, atol=1e-9 * np.max(np.abs(known)))


@pytest.mark.parametrize("seed", range(5))
def test_order_of_pivots_covers_all_and_keeps_what_fills_in(seed):
    rng = np.random.default_rng(seed)
    dense = (rng.random((9, 9)) < 0.25) | np.eye(9, dtype=bool)
    order, filled = stiff.eliminate([set(np.flatnonzero(row).tolist()) for row in dense])
    assert sorted(order) == list(range(9))
    matrix = np.where(dense, rng.standard_normal((9, 9)), 0.0) + 9 * np.eye(9)
    for at, k in enumerate(order):  # Gauss by the book touches no entry outside the pattern
        for i in order[at + 1 :]:
            matrix[i] -= matrix[i, k] / matrix[k, k] * matrix[k] * np.isin(np.arange(9), order[at:])
            assert set(np.flatnonzero(matrix[i]).tolist()) <= filled[i] | set(order[: at + 1])
