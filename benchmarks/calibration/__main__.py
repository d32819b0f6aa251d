"""``python -m benchmarks.calibration [DRUG ...]``: find the parameters that give the reported incidences.

Each parameter below is moved until the model's number for one target of ``models/calibration/DRUG.toml`` is the source's, by the
secant rule on the log (or logit) scale of both; the lineages hardly move each other, and a second round settles what they do.
Subjects are the same throughout. What is printed is to be written into the drug's file by hand, with its source.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table
from scipy.special import expit, logit

import myelosim as ms
from myelosim.spec.calibration import PERCENT, load_calibration
from myelosim.spec.model import Model
from myelosim.validation import Reported, reported

ROUNDS, STEPS = 2, 4
NEAR = 0.01  # of the target, for the secant rule to stop


@dataclass(frozen=True)
class Knob:
    """A parameter, and the target it is turned for."""

    parameter: str
    target: str


KNOBS = {
    "cemsidomide": (
        Knob("cemsidomide.neutrophil.ec50", "C1"),
        Knob("cemsidomide.erythroid.ec50", "C2"),
        Knob("cemsidomide.platelet.ec50", "C3"),
    ),
    "asciminib": (
        Knob("asciminib.platelet.level", "A2"),
        Knob("asciminib.platelet.tau", "A4"),
        Knob("asciminib.neutrophil.level", "A6"),
        Knob("asciminib.neutrophil.tau", "A7"),
        Knob("asciminib.erythroid.level", "A8"),
        Knob("asciminib.erythroid.tau", "A9"),
    ),
}


def main(
    drugs: Annotated[list[str] | None, typer.Argument(help="Drugs; all by default.")] = None,
    subjects: Annotated[int, typer.Option(help="Subjects in each arm.")] = 1000,
    rounds: int = ROUNDS,
) -> None:
    """Print the calibrated parameters, then the table of incidences with them."""
    warnings.simplefilter("ignore", ms.MyelosimWarning)
    console = Console()
    for drug in drugs or KNOBS:
        model = load_calibration(drug).scenario.model
        for _ in range(rounds):
            for knob in KNOBS[drug]:
                model = _turned(drug, model, knob, subjects)
                console.print(f"{knob.parameter} = {model.parameters[knob.parameter].value:.4g}")
        table = Table("target", "what", "source", "model", "use", title=drug)
        for row in reported(drug, size=subjects, model=model):
            digits = ".1%" if row.target.endpoint in PERCENT else ".3g"
            table.add_row(
                row.target.id,
                row.target.what,
                f"{row.source.estimate:{digits}}",
                f"{row.model.estimate:{digits}}",
                row.target.use,
            )
        console.print(table)


def _turned(drug: str, model: Model, knob: Knob, subjects: int) -> Model:
    """Return the model with one parameter at which its target is met, or nearly."""
    level = model.parameters[knob.parameter].scale == "logit"
    there, back = (logit, expit) if level else (np.log, np.exp)
    x = [float(there(model.parameters[knob.parameter].value))]
    miss: list[float] = []
    best = model
    for _ in range(STEPS):
        changed = model.replace({knob.parameter: float(back(x[-1]))})
        row = next(r for r in reported(drug, size=subjects, model=changed) if r.target.id == knob.target)
        miss.append(_missed(row))
        if abs(miss[-1]) == min(abs(m) for m in miss):
            best = changed
        if abs(miss[-1]) < NEAR:
            break
        slope = (miss[-1] - miss[-2]) / (x[-1] - x[-2]) if len(x) > 1 and x[-1] != x[-2] else 0.0
        step = -miss[-1] / slope if slope else 0.2
        x.append(x[-1] + float(np.clip(step, -0.7, 0.7)))
    return best


def _missed(row: Reported) -> float:
    """Return how far the model is from the source: on the logit scale for a percentage, else on the log scale."""
    if row.target.endpoint in PERCENT:
        found, aim = (np.clip(v, 1e-3, 1 - 1e-3) for v in (row.model.estimate, row.source.estimate))
        return float(logit(found) - logit(aim))
    return float(np.log(row.model.estimate / row.source.estimate))


if __name__ == "__main__":
    typer.run(main)
