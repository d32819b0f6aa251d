"""Small studies in which everything that an objective can depend on occurs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

import myelosim as ms
from myelosim.data.study import BELOW, MEASURED, Course, Observations, Study
from myelosim.fitting.problem import Problem
from myelosim.spec.estimate import estimation
from myelosim.spec.model import Lineage
from myelosim.spec.regimen import DoseEvent

TIGHT = 1e-11
HOURS = np.array([0.0, 30.0, 96.0, 168.0, 200.0, 264.0, 336.0])
LATER = 168.0  # when the second occasion begins, and covariates change
BENCH = ms.load_model("generic_oral_2cmt_friberg").replace(
    {"drug.f": {"value": 0.7, "scale": "logit"}, "drug.tlag": 0.5}
)


def two_lineages():
    """Return the benchmark with platelets, under the same drug."""
    known = ms.load_model("generic_three_lineage")
    kept = {
        n: p for n, p in known.parameters.items() if n.split(".")[0] == "platelet" or n.startswith("drug.platelet.")
    }
    platelets = Lineage("platelet", "friberg", known.lineages["platelet"].structure, known.lineages["platelet"].combine)
    return replace(
        BENCH, lineages={**BENCH.lineages, "platelet": platelets}, parameters={**BENCH.parameters, **kept},
        effects=(*BENCH.effects, *(e for e in known.effects if e.lineage == "platelet")),
        residual={**BENCH.residual, "platelet": known.residual["platelet"]},
    )  # fmt: skip


def study(observables, size=5, *, occasions=False, covariates=None, limits=None, seed=1):
    """Return subjects with doses and rows, whose values are still to be made; the last has no rows at all."""
    rng = np.random.default_rng(seed)
    doses = tuple(
        tuple(DoseEvent("drug", 24.0 * k, float(amount)) for k in (0, 1, 2, 7, 8))
        for amount in rng.uniform(50.0, 150.0, size)
    )
    rows = []
    for i in range(size - 1):
        for name in observables:
            hours = HOURS[300.0 - 30 * i > HOURS] + (3.0 if name == "drug" else 0.0)
            rows += [(i, h, name) for h in hours]
    rows.sort(key=lambda row: row[:2])
    subject, time, name = (np.array(column) for column in zip(*rows, strict=True))
    blank = np.ones(len(rows))
    seen = Observations(
        np.arange(len(rows)) + 1, subject, time, name, blank, np.zeros(len(rows), int), np.ones(len(rows), bool),
        np.zeros(len(rows), int),
    )  # fmt: skip
    begun = tuple(np.array([0.0, LATER]) if i % 3 else np.zeros(1) for i in range(size)) if occasions else ()
    about = {
        key: tuple(Course(np.array([0.0, LATER]), np.array(one), closed=bool(i % 2)) for i, one in enumerate(each))
        for key, each in (covariates or {}).items()
    }
    return Study(tuple(map(str, range(size))), seen, doses, covariates=about, occasions=begun)


def problem(model, data, *, limits=None, tolerance=TIGHT, seed=2, **asked):
    """Return a problem whose observations are drawn from it; those under a limit (observable -> value) are censored."""
    started, wanted = estimation(model, data.observables, **asked)
    first = Problem(started, data, wanted, tolerance, 1)
    rng, point = np.random.default_rng(seed), first.parameters.start
    spread = np.linalg.cholesky(first.covariance(point))
    b = rng.standard_normal((len(data.subjects), len(spread))) @ spread.T
    f = first.predictor.predict(point.beta, b)
    seen = data.observations
    y = first.likelihood.simulate(f, point.sigma, rng.standard_normal(len(f)))
    least = np.array([(limits or {}).get(name, -np.inf) for name in seen.observable])
    censored = np.where(y < least, BELOW, MEASURED)
    seen = replace(seen, value=np.maximum(y, least), censored=censored)
    return Problem(started, replace(data, observations=seen), wanted, tolerance, 1)


def everything():
    """An omega block, occasions, priors, two thetas without an eta, concentrations, combined and censored errors."""
    data = study(["neutrophil", "drug"], occasions=True)
    return problem(
        BENCH, data, limits={"neutrophil": 4.0},
        free=["neutrophil.baseline", "neutrophil.mtt", "neutrophil.gamma", "drug.neutrophil.slope", "drug.cl", "drug.vc",
              "drug.ka", "drug.f", "drug.tlag"],
        omega={"neutrophil.baseline": {"neutrophil.baseline": 0.1, "neutrophil.mtt": -0.02}, "neutrophil.mtt": 0.03,
               "drug.cl": 0.06, "drug.f": 0.2},
        iov={"drug.cl": 0.04, "drug.neutrophil.slope": 0.08},
        priors={"neutrophil.gamma": {"mean": 0.2, "sd_log": 0.3}, "drug.vc": {"mean": 55.0, "sd_log": 0.2}},
        sigma={"neutrophil.additive": 0.2, "neutrophil.proportional": 0.15, "drug.proportional": 0.2},
    )  # fmt: skip


def measured():
    """Two lineages, covariates that change, a category, parameters on logit and identity scale, errors of other kinds."""
    weights = [[70.0, 64.0], [55.0, 55.0], [81.0, 88.0], [62.0, 60.0], [75.0, 75.0]]
    sexes = [["f", "f"], ["m", "m"], ["f", "f"], ["m", "m"], ["m", "m"]]
    ages = [[40.0, 40.1], [61.0, 61.1], [50.0, 50.0], [33.0, 33.2], [70.0, 70.0]]
    data = study(["neutrophil", "platelet"], covariates={"weight": weights, "sex": sexes, "age": ages})
    model = two_lineages()
    model = replace(
        model, subjects=replace(model.subjects, covariates={**model.subjects.covariates, "sex": "f", "age": 50.0})
    )
    model = model.replace({"neutrophil.gamma": {"value": 0.17, "scale": "identity"}})
    return problem(
        model, data,
        free=["neutrophil.baseline", "neutrophil.mtt", "neutrophil.gamma", "drug.neutrophil.slope", "platelet.baseline",
              "drug.platelet.slope", "drug.f", "drug.cl"],
        omega={"neutrophil.baseline": 0.1, "platelet.baseline": 0.08, "neutrophil.gamma": 0.0004, "drug.f": 0.3},
        covariates={"drug.cl": {"weight": {"form": "power", "reference": 70.0, "start": 0.75}},
                    "neutrophil.baseline": {"sex": {"form": "category", "reference": "f", "start": {"m": 0.9}}},
                    "neutrophil.mtt": {"age": {"form": "linear", "reference": 50.0, "start": 0.004}}},
        sigma={"neutrophil.sd": 0.2, "neutrophil.exponent": {"start": 0.2, "fixed": True}, "platelet.log_sd": 0.15},
        residual={"neutrophil": "box_cox", "platelet": "log_normal"},
    )  # fmt: skip
