"""Counts and concentrations against somebody else's solution of the same equations (README.md here)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import myelosim as ms

FOLDER = Path(__file__).parent / "trajectories"
ITEMS = ["TIME", "AMT", "CMT", "RATE", "II", "ADDL", "SS"]
CASES = {
    "a_bench1_typical": [(0, 40, "depot", 0, 12, 55, 0)],
    "b_events": [
        (0, 40, "depot", 0, 12, 6, 0), (120, 40, "depot", 0, 12, 20, 0), (240, 100, "central", 50, 72, 2, 0),
        (400, 120, "central", 5, 0, 0, 0), (500, 25, "central", 0, 0, 0, 0),
    ],
    "c1_oral_ss": [(0, 40, "depot", 0, 12, 13, 1)],
}  # fmt: skip


@pytest.mark.parametrize("tolerance, allowed", [(1e-6, 1e-6), (1e-9, 1e-8)])
@pytest.mark.parametrize("case", CASES)
def test_friberg_under_exact_events(case, tolerance, allowed):
    known = pd.read_csv(FOLDER / f"{case}_taylor.csv")
    regimen = ms.Regimen.from_events(pd.DataFrame(CASES[case], columns=ITEMS), drug="drug")
    ds = ms.simulate(
        ms.load_model("generic_oral_2cmt_friberg"), regimen, times=known.TIME.to_numpy(), tolerance=tolerance
    )
    np.testing.assert_allclose(ds["count"][0, 0], known.CIRC / 1e9, rtol=allowed)
    np.testing.assert_allclose(ds["concentration"][0, 0], known.CP, rtol=1e-9, atol=1e-12)
