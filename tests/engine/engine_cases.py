"""A model to run, doses to give it, and plain reference solutions. Models are shared: each structure is compiled once."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy.integrate import solve_ivp

from myelosim import engine
from myelosim.components import delays, effects, lineages, pk
from myelosim.components.contract import Values
from myelosim.spec.library import load_model
from myelosim.spec.model import Drug, Effect, Lineage, Model
from myelosim.spec.regimen import Regimen

BENCH = load_model("generic_oral_2cmt_friberg")
DRUG = "drug"


def doses(*rows, horizon=1e4):
    """Return single events from NONMEM items, each a mapping."""
    return Regimen.from_events(pd.DataFrame([*rows]), drug=DRUG).expand(horizon)


def bid(horizon, amount=40.0):
    """Return the benchmark's doses up to a horizon (h)."""
    return doses({"TIME": 0.0, "AMT": amount, "II": 12.0, "ADDL": 55}, horizon=horizon)


def typical(model):
    """Return the parameters of the typical subject."""
    return {name: parameter.value for name, parameter in model.parameters.items()}


def run(model, events, times, changed=None, covariates=None, **options):
    """Run the engine; ``changed`` holds parameters, numbers or arrays over subjects."""
    values = typical(model) | (changed or {})
    size = max([1, *(len(v) for v in [*values.values(), *(covariates or {}).values()] if np.ndim(v))])
    return engine.run(
        model, events, times=np.asarray(times, float), individuals=values, covariates=covariates or {},
        subjects=options.pop("subjects", size), threads=options.pop("threads", 1), **options,
    )  # fmt: skip


def counts(*args, lineage="neutrophil", **options):
    """Return the counts (subject, time) of one lineage."""
    return run(*args, **options).tracks[lineage].count


def varied(size, seed=1):
    """Return parameters of the benchmark's population."""
    z = np.random.default_rng(seed).standard_normal((4, size))
    return {
        "drug.cl": 6.3 * np.exp(0.3 * z[0]),
        "neutrophil.baseline": 5.0 * np.exp(0.4 * z[1]),
        "neutrophil.mtt": 110.0 * np.exp(0.2 * z[2]),
        "drug.neutrophil.slope": 0.35 * np.exp(0.45 * z[3]),
    }


def model_of(cells, drugs, acts):
    """Return a model of (name, kind, structure[, combine]) cells, (name, kind, structure) drugs and effects, without parameters."""
    return Model(
        name="case", title="", source="",
        drugs={n: Drug(n, k, {**pk.KINDS[k].DEFAULTS, **s}, "mg", "mg/L") for n, k, s in drugs},
        lineages={n: Lineage(n, k, {**lineages.KINDS[k].DEFAULTS, **s}, *rest) for n, k, s, *rest in cells},
        effects=tuple(acts), parameters={},
    )  # fmt: skip


def effect_on(lineage, kind, site, drug=DRUG, **options):
    """Return an effect whose parameters are called after drug, lineage and site."""
    return Effect(drug, lineage, kind, site, **{"prefix": f"{drug}.{lineage}.{site}", **options})


def with_table(times, values, interpolation):
    """Return the benchmark driven by a table of concentrations instead of kinetics."""
    drug = Drug(
        DRUG, "table", {}, "mg", "mg/L", table={"times": times, "values": values, "interpolation": interpolation}
    )
    kept = {n: p for n, p in BENCH.parameters.items() if not n.startswith(f"{DRUG}.") or n.count(".") > 1}
    return replace(BENCH, drugs={DRUG: drug}, parameters=kept)


def part(values, prefix):
    """Return the parameters of one component by their last names."""
    start = f"{prefix}."
    return Values(
        **{n[len(start) :]: v for n, v in values.items() if n.startswith(start) and "." not in n[len(start) :]}
    )


def superposed(model, values, events):
    """Return the concentration of a drug with modes as a function of time: the sum over doses, each in closed form."""
    drug = model.drugs[DRUG]
    own = part(values, DRUG)
    rates, weights = pk.KINDS[drug.kind].modes(own, drug.structure)
    rates = np.array(rates)

    def concentration(t):
        total = 0.0
        for event in events:
            channel = event.channel or "depot"
            weight = np.array(weights[channel]) * event.amount
            since = t - event.time - (own.tlag if channel == "depot" else 0.0)
            if since < 0:
                continue
            if not event.duration:
                total += float(np.sum(weight * np.exp(-rates * since)))
                continue
            within, past = min(since, event.duration), max(since - event.duration, 0.0)
            rise = (1.0 - np.exp(-rates * within)) * np.exp(-rates * past)
            total += float(np.sum(weight / event.duration / rates * rise))
        return total

    return concentration


def solved(model, values, concentration, breaks, times, lineage="neutrophil", method="DOP853", rtol=1e-11):
    """Return counts from SciPy in logarithms of the states, starting afresh at each break; one direct effect."""
    cell = model.lineages[lineage]
    module, structure, own = lineages.KINDS[cell.kind], cell.structure, part(values, lineage)
    (acting,) = (e for e in model.effects if e.lineage == lineage)
    assert delays.KINDS[acting.delay] is delays.direct
    kind, strength = effects.KINDS[acting.kind], part(values, acting.prefix)
    sites = dict.fromkeys(module.SITES, 1.0)
    sign = -1.0 if acting.action == "inhibit" else 1.0

    def slopes(t, u):
        y = np.exp(u)
        site = Values(**sites | {acting.site: 1.0 + sign * kind.effect(concentration(t), strength)})
        return np.array(module.rhs(tuple(y), own, site, structure)) / y

    u = np.log(np.array(module.start(own, structure)))
    edges = sorted({0.0, float(times[-1]), *(b for b in breaks if 0 < b < times[-1])})
    out = np.empty(len(times))
    for low, high in pairwise(edges):
        inside = (times >= low) & (times <= high)
        points = np.unique(np.concatenate([[low], times[inside], [high]]))
        # a jump at the end of a piece must not be seen from within it
        found = solve_ivp(
            lambda t, u, high=high: slopes(min(t, high - 1e-10), u),
            (low, high),
            u,
            method,
            t_eval=points,
            rtol=rtol,
            atol=rtol,
        )
        assert found.success, found.message
        states = np.exp(found.y.T[np.isin(points, times[inside])])
        out[inside] = [module.observe(tuple(y), own, structure)[0] for y in states]
        u = found.y[:, -1]
    return out
