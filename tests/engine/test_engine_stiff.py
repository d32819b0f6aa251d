"""The stiff block against SciPy's Radau: egress with an exponent of 20."""

from __future__ import annotations

import numpy as np
import pytest
from engine_cases import run, solved, typical

from myelosim.components import pk
from myelosim.engine.block import concentration_per_amount
from myelosim.spec.library import load_model
from myelosim.spec.regimen import DoseEvent

MODEL = load_model("abbiati_2021_avadomide_mm")
DAYS = 24.0 * np.arange(29)
EVENTS = [DoseEvent("avadomide", 24.0 * i, 4.0) for i in range(21)]


def people(size):
    """Return subjects wide enough apart that some lose six in seven of their cells."""
    z = np.random.default_rng(1).standard_normal((5, size))
    return {
        "neutrophil.baseline": 4.5 * np.exp(0.5 * z[0]),
        "neutrophil.reservoir_ratio": 2.5 * np.exp(0.4 * z[1]),
        "neutrophil.km_fraction": 0.45 * np.exp(0.4 * z[2]),
        "neutrophil.gamma": 0.017 * np.exp(0.3 * z[3]),
        "avadomide.neutrophil.ec50": 15.0 * np.exp(0.6 * z[4]),
    }


def concentration_of(values):
    """Return the superposition of all doses."""
    drug = MODEL.drugs["avadomide"]
    own = {n.split(".")[1]: v for n, v in values.items() if n.startswith("avadomide.") and n.count(".") == 1}
    rates, weights = pk.KINDS[drug.kind].modes(type("P", (), own), drug.structure)
    rates, weights = np.array(rates), 4.0 * own["f"] * concentration_per_amount(drug) * np.array(weights["depot"])
    doses = np.array([e.time for e in EVENTS]) + own["tlag"]

    def concentration(t):
        since = t - doses[doses <= t]
        return float(np.sum(weights * np.exp(-np.outer(since, rates))))

    return concentration, doses


@pytest.fixture(scope="module")
def many():
    own = people(400)
    tight, default = (
        run(MODEL, EVENTS, DAYS, own, tolerance=tolerance).tracks["neutrophil"].count for tolerance in (1e-9, 1e-6)
    )
    return own, default, tight


def test_agrees_with_radau_where_it_is_hardest(many):
    own, default, tight = many
    hardest = np.argsort(tight.min(axis=1) / own["neutrophil.baseline"])[:2]
    assert np.all(tight[hardest].min(axis=1) < 0.16 * own["neutrophil.baseline"][hardest])
    for i in [*hardest, 5]:
        values = typical(MODEL) | {name: float(v[i]) for name, v in own.items()}
        concentration, doses = concentration_of(values)
        known = solved(MODEL, values, concentration, doses, DAYS, method="Radau", rtol=1e-8)
        np.testing.assert_allclose(default[i], known, rtol=1e-5)
        np.testing.assert_allclose(tight[i], known, rtol=1e-6)


def test_tolerance_is_met(many):
    _, default, tight = many
    error = np.max(np.abs(default / tight - 1), axis=1)
    assert np.quantile(error, 0.99) < 1e-6 and error.max() < 1e-5


def test_egress_spans_its_range(many):
    own, _, tight = many
    assert np.max((own["neutrophil.baseline"][:, None] / tight) ** 20.0) > 1e14
