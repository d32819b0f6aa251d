"""Animals that get no drug stay at their steady state, and must tell of their parameters without noise."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd

import myelosim as ms


def test_predictions_of_controls_have_no_noise():
    """Where nothing moves a step of any length is accurate; a long one is unstable all the same (kcirc 0.17/h, 24 h)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        model = ms.load_model("asciminib_illustrative_rodent", species="rat")
    days = np.array([0, 3, 7, 14, 21, 28]) * 24.0
    animals = [pd.DataFrame({"ID": k, "TIME": days, "DV": 1.5, "DVID": "neutrophil", "EVID": 0}) for k in range(4)]
    data = pd.concat(animals, ignore_index=True)
    fit = ms.fit(model, data, evaluate_only=True, free=["neutrophil.baseline", "neutrophil.mtt"])
    problem, b = fit.problem, np.repeat([[0.0], [0.05], [0.2], [-0.3]], fit.b.shape[1], axis=1)
    found = problem.predictor.differentiate(fit.point.beta, b, order=2)
    names = [one.parameter for one in problem.predictor.mixed.coordinates]
    k, m = names.index("neutrophil.baseline"), names.index("neutrophil.mtt")
    np.testing.assert_allclose(found.g[:, k], found.f, rtol=1e-7)
    np.testing.assert_allclose(found.g[:, m], 0.0, atol=1e-9)
    np.testing.assert_allclose(found.h[:, k, k], found.f, rtol=1e-5)
    np.testing.assert_allclose(found.h[:, m], 0.0, atol=1e-5)
