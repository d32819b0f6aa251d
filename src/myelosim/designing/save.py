"""A design as files: text, calendar, tables, and a picture; whole or not at all."""

from __future__ import annotations

import json
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from myelosim import results
from myelosim.designing.report import SCORES, aim, decided, report, tables
from myelosim.errors import MyelosimWarning
from myelosim.writing import check_told, filled, pictured, plain

if TYPE_CHECKING:
    from myelosim.designing.run import Outcome

ABOUT, TEXT, FIGURE, FRONT = "design.json", "report.txt", "figure.png", "front.png"
TABLES = ("calendar", "blood", "rse", "fim", "alternatives", "front", "verification")
FILES = (ABOUT, TEXT, *(f"{name}.csv" for name in TABLES), FIGURE, FRONT)
"""What a folder of a design may hold."""


def check_folder(folder: Path, file: str, *, overwrite: bool = False) -> None:
    """Look whether a design can be written into a folder, before the work; see :func:`myelosim.writing.check_told`."""
    check_told(folder, ABOUT, FILES, "design", file, overwrite=overwrite)


def save(found: Outcome, folder: Path, *, figure: bool = True, overwrite: bool = False) -> list[Path]:
    """Write a design into a folder.

    Parameters
    ----------
    found : Outcome
        From :func:`myelosim.designing.run.run_design`.
    folder : Path
        ``report.txt``; ``calendar.csv``, ``blood.csv``; ``rse.csv``, ``fim.csv``; ``alternatives.csv`` where the design was chosen,
        ``verification.csv`` where it was checked; ``front.csv`` and ``front.png`` where that was asked for; ``design.json``, where
        all of it comes from; ``figure.png``.
    figure : bool
        Whether to draw.
    overwrite : bool
        Replace another design.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    SpecError
        As :func:`myelosim.writing.check_told`.
    """
    check_folder(folder, found.asked.path, overwrite=overwrite)

    def write(draft: Path) -> None:
        (draft / TEXT).write_text(report(found) + "\n", encoding="utf-8")
        for name, table in tables(found).items():
            table.to_csv(draft / f"{name}.csv", index=False)
        (draft / ABOUT).write_text(json.dumps(plain(provenance(found)), indent=2) + "\n", encoding="utf-8")
        if figure:
            from myelosim.designing.pictured import draw, draw_front

            pictures = {FIGURE: draw} if found.front is None else {FIGURE: draw, FRONT: draw_front}
            for name, one in pictures.items():
                if why := pictured(draft / name, partial(one, found)):
                    warnings.warn(why, MyelosimWarning, stacklevel=3)

    return filled(folder, write, FILES)


def provenance(found: Outcome) -> dict[str, Any]:
    """Return where a design comes from: file, model, seed and versions; and what it is."""
    asked, design = found.asked, found.design
    model, said = design.question.model, [str(one) for one in design.warnings]
    every = results.provenance(asked.spec_hash, asked.seed, design.question.tolerance, model.assumed, said)
    known = {key: value for key, value in design.found.items() if key != "alternatives"}
    return {
        "kind": "design", "design_file": asked.path, "name": asked.name, "title": asked.title, "spec_hash": asked.spec_hash,
        "model": dict(asked.load), "model_hash": model.spec_hash, "criterion": asked.criterion, "about": aim(found),
        "fim": asked.fim, "linearization": asked.linearization, "blood_loss": asked.blood_loss, "prior": asked.prior,
        "score": design.criterion, "score_of": SCORES[asked.criterion], "chosen": found.chosen, "found": known,
        "subjects": design.subjects, "draws": design.draws,
        "groups": [
            {
                "name": one.name, "dose": one.regimen.text, "subjects": one.subjects, "covariates": dict(one.covariates),
                "visits": [{"observe": s.observe, "days": s.days, "draw": s.draw, "order": s.order} for s in one.samplings],
            }
            for one in design.groups
        ],
        "decision": None if found.decision is None else {
            "about": decided(found), "designs": found.decision.to_dict("index")
        },
        "efficiency": found.efficiency, "windows": None if found.windows is None else dict(found.windows.attrs),
        "warnings": [{"code": one.code, "text": one.text} for one in design.warnings], "seed": asked.seed,
        "tolerance": design.question.tolerance,
        "versions": {name: every[name] for name in ("myelosim", "numba", "numpy", "python")},
        "assumed": list(model.assumed), "note": every["note"],
    }  # fmt: skip
