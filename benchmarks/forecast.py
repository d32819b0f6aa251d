"""Whether forecasts are as sure as they should be: ``python -m benchmarks.forecast --subjects 200``.

Subjects are drawn from the model, their first blood counts observed with its residual error, and each is forecast from these alone.
Forecasts are calibrated if 90 % of the 90 % intervals hold the truth, and if as many reach grade 3 as they say.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import replace
from typing import Annotated

import numpy as np
import pandas as pd
import typer

import myelosim as ms
from myelosim.endpoints.interval import proportion
from myelosim.spec.model import Model, Residual

DOSE = "drug 40 mg BID d1-14"
VARY = {"drug.cl": 0.3, "neutrophil.baseline": 0.35, "neutrophil.mtt": 0.2, "drug.neutrophil.slope": 0.45}


def model() -> Model:
    """Return one lineage, four parameters that differ between subjects, and counts that scatter by a fifth."""
    one = ms.load_model("generic_oral_2cmt_friberg")
    varied = one.replace({name: {"omega_sd": sd} for name, sd in VARY.items()})
    return replace(varied, residual={"neutrophil": Residual("proportional", {"proportional": 0.2})})


def calibration(
    subjects: int, days: list[float], horizon: float = 28.0, samples: int = 300, seed: int = 7
) -> pd.DataFrame:
    """Forecast subjects from their first counts; return one row each: whether intervals hold the truth, and what was said."""
    own = model()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ms.MyelosimWarning)
        truth = ms.simulate(own, DOSE, days=horizon, population=ms.Population(subjects, seed), visits=days)
        rows = []
        for i in range(subjects):
            seen = truth["observed"].sel(lineage="neutrophil").isel(subject=i).to_numpy()
            data = pd.DataFrame({"TIME": 24.0 * np.array(days), "DV": np.maximum(seen, 0.01), "DVID": "neutrophil"})
            found = ms.forecast(own, data, horizon, regimen=DOSE, samples=samples, seed=i).sel(lineage="neutrophil")
            real = truth.sel(lineage="neutrophil").isel(subject=i)
            row = {"p_grade3": float(found["p_grade3"]), "grade3": float(real["worst_grade"] >= 3)}
            for name in ("nadir", "nadir_day"):
                low, high = found[name].sel(quantile=[0.05, 0.95]).to_numpy()
                row |= {name: float(low <= float(real[name]) <= high), f"{name}_width": float(high - low)}
            rows.append(row | {"effective": found.attrs["effective_samples"]})
    return pd.DataFrame(rows)


def main(
    subjects: int = 200, days: Annotated[list[float] | None, typer.Option(help="Elapsed days of the counts.")] = None
) -> None:
    """Print how often the intervals hold the truth."""
    began = time.perf_counter()
    found = calibration(subjects, days or [0.0, 3.0, 5.0])
    for name in ("nadir", "nadir_day"):
        held = proportion(found[name])
        width = found[f"{name}_width"].median()
        print(
            f"{name}: 90 % intervals hold {held.estimate:.1%} ({held.low:.1%} to {held.high:.1%}), median width {width:.2f}"
        )
    said, reached = found["p_grade3"], found["grade3"]
    print(f"grade 3: said {said.mean():.1%}, reached {reached.mean():.1%}; Brier score {((said - reached) ** 2).mean():.3f}, "
          f"of the mean alone {reached.var(ddof=0):.3f}")  # fmt: skip
    print(f"effective samples: at least {found['effective'].min():.0f}; {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    typer.run(main)
