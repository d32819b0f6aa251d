"""Fisher information against PopED (README.md here)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import myelosim as ms

FOLDER = Path(__file__).parent / "design"
WARFARIN = {"drug.cl": 0.15, "drug.vc": 8.0, "drug.ka": 1.0}
DETERMINANTS = {"reduced": 5.996147e22, "full": 1.220371e24}
ERRORS = {
    "reduced": [4.738, 2.756, 13.926, 25.627, 30.344, 25.777, 11.171],
    "full": [3.561, 2.560, 4.812, 26.270, 30.902, 26.504, 12.410],
}
FRIBERG = {
    "drug.ka": 1.0, "drug.cl": 6.3, "drug.vc": 60.0, "drug.q": 4.0, "drug.vp": 50.0, "neutrophil.baseline": 5.0,
    "neutrophil.mtt": 110.0, "neutrophil.gamma": 0.17, "drug.neutrophil.slope": 0.35,
}  # fmt: skip


def matrix(name):
    return pd.read_csv(FOLDER / f"{name}.csv", index_col=0).astype(float).to_numpy()


def warfarin(fim):
    return ms.evaluate_design(
        ms.load_model("generic_oral_1cmt").replace(WARFARIN), "drug 70 mg once", times=[0.5, 1, 2, 6, 24, 36, 72, 120],
        subjects=32, observe=["drug"], parameters=list(WARFARIN), omega={"drug.cl": 0.07, "drug.vc": 0.02, "drug.ka": 0.6},
        sigma={"drug.proportional": 0.1}, fim=fim,
    )  # fmt: skip


def close(found, known, share):
    """Each entry within a share of the largest in its row."""
    assert np.max(np.abs(found - known) / np.abs(known).max(axis=1, keepdims=True)) < share


@pytest.mark.parametrize("fim", ["reduced", "full"])
def test_warfarin(fim):
    found = warfarin(fim)
    close(found.information, matrix(f"poped_fim_warfarin_FO_{fim}"), 1e-5)
    assert np.linalg.det(found.information) == pytest.approx(DETERMINANTS[fim], rel=1e-5)
    np.testing.assert_allclose(list(found.rse.values()), ERRORS[fim], atol=6e-4)
    listed = pd.read_csv(FOLDER / f"poped_rse_warfarin_FO_{fim}.csv").rse_pct
    np.testing.assert_allclose(list(found.rse.values()), listed, rtol=1e-5)


def test_a_friberg_chain():
    found = ms.evaluate_design(
        ms.load_model("generic_oral_2cmt_friberg").replace(FRIBERG), "drug 40 mg once", days=[3, 5, 7, 10, 14], subjects=20,
        lineages=["neutrophil"],
        parameters=["neutrophil.baseline", "neutrophil.mtt", "neutrophil.gamma", "drug.neutrophil.slope"],
        omega={"neutrophil.baseline": 0.16, "neutrophil.mtt": 0.04, "drug.neutrophil.slope": 0.2025},
        sigma={"neutrophil.proportional": 0.2},
    )  # fmt: skip
    close(found.information, matrix("poped_fim_friberg_dose_40_FO_reduced"), 1e-6)
    listed = pd.read_csv(FOLDER / "poped_rse_friberg_dose_40_FO_reduced.csv").rse_pct
    np.testing.assert_allclose(list(found.rse.values()), listed, rtol=1e-5)
    assert found.rse["neutrophil.gamma"] == pytest.approx(520, abs=0.5)
