"""Small studies of concentrations to fit."""

from __future__ import annotations

import numpy as np
import pandas as pd

import myelosim as ms
from myelosim.data.read import read
from myelosim.fitting.problem import Problem
from myelosim.spec.estimate import estimation

SPREAD, ERROR = 0.3, 0.2  # of the linear model
CL, VC = "drug.cl", "drug.vc"


def rows(subject, hours, values, limit=None, **columns):
    """Return one subject's rows: 10 mg at the first hour, then what was seen."""
    dose = {"ID": subject, "TIME": hours[0], "AMT": 10.0, "EVID": 1, "DV": np.nan, "CENS": 0, **columns}
    seen = [
        {"ID": subject, "TIME": h, "AMT": 0.0, "EVID": 0, "DV": y if limit is None else max(y, limit),
         "CENS": int(limit is not None and y < limit), **columns}
        for h, y in zip(hours, values, strict=True)
    ]  # fmt: skip
    return pd.DataFrame([dose, *seen]).assign(DVID="drug")


def study(frames, model):
    return read(pd.concat(frames, ignore_index=True), model)


def problem(data, model, free, **settings):
    started, wanted = estimation(model, data.observables, free=free, **settings)
    return Problem(started, data, wanted, threads=1)


def linear_problem():
    """Return logarithms of concentrations just after a dose, log 10 - log vc - eta + error, one value in three under a limit."""
    model = ms.load_model("generic_iv_1cmt")
    z = np.random.default_rng(3).normal(size=(12, 4))
    y = 10 * np.exp(SPREAD * z[:, :1] + ERROR * z[:, 1:])
    frames = [rows(i, [0.0] * 3, one, limit=8.0 if i % 2 else None) for i, one in enumerate(y)]
    return problem(study(frames, model), model, [VC], omega={VC: SPREAD**2}, sigma={"drug.log_sd": ERROR})


def crowded_problem(subjects):
    """Return a problem with occasions, a block of etas, a fixed effect without one, a prior and two error terms."""
    model = ms.load_model("generic_oral_1cmt")
    typical = {name: model.parameters[name].value for name in (CL, VC, "drug.ka")}
    rng = np.random.default_rng(11)
    hours = np.array([0.5, 1.0, 3.0, 8.0, 24.0])
    frames = []
    for i in range(subjects):
        eta = np.linalg.cholesky([[0.15, 0.03], [0.03, 0.12]]) @ rng.normal(size=2)
        for occasion, start in enumerate((0.0, 400.0)):
            cl, vc = typical[CL] * np.exp(eta[0] + 0.15 * rng.normal()), typical[VC] * np.exp(eta[1])
            k, ka = cl / vc, typical["drug.ka"]
            f = 10 / vc * ka / (ka - k) * (np.exp(-k * hours) - np.exp(-ka * hours))
            y = np.maximum(f * (1 + 0.12 * rng.normal(size=5)) + 0.03 * rng.normal(size=5), 1e-4)
            frame = rows(i, [start, *(start + hours)], [0.0, *y], OCC=occasion + 1)
            frames.append(frame[(frame.EVID == 1) | (start < frame.TIME)])
    block = {CL: {CL: 0.1, VC: 0.02}, VC: {CL: 0.02, VC: 0.09}}
    return problem(
        study(frames, model), model, [CL, VC, "drug.ka"], omega=block, iov={CL: 0.04},
        priors={"drug.ka": {"mean": typical["drug.ka"], "sd_log": 0.3}}, sigma={"drug.proportional": 0.2, "drug.additive": 0.05},
    )  # fmt: skip
