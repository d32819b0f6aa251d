"""A fit as files: text, tables, the fitted model, NONMEM's tables, and pictures; whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from myelosim import results
from myelosim.errors import SpecError
from myelosim.fitting import nonmem
from myelosim.fitting.figures import draw
from myelosim.fitting.summary import constant, summary
from myelosim.spec.digest import spec_hash
from myelosim.writing import check_told, filled, plain

if TYPE_CHECKING:
    from myelosim.fitting.result import Fit

ABOUT = "fit.json"
INFORMATION = "information.csv"
FILES = (
    ABOUT, "summary.txt", "estimates.csv", "model.toml", "covariance.csv", INFORMATION, "etas.csv", "rows.csv", "starts.csv",
    "history.csv", "intervals.csv", "fit.ext", "fit.phi", "figures",
)  # fmt: skip
"""What a folder of a fit may hold."""


def check_folder(folder: Path, file: str, *, overwrite: bool = False) -> None:
    """Look whether a fit can be written into a folder, before the work; see :func:`myelosim.writing.check_told`."""
    check_told(folder, ABOUT, FILES, "fit", file, overwrite=overwrite)


def save(
    fit: Fit, folder: Path, *, figures: bool = True, about: Mapping[str, Any] | None = None,
    intervals: Mapping[str, pd.DataFrame] | None = None, overwrite: bool = False,
) -> list[Path]:  # fmt: skip
    """Write a fit into a folder.

    Parameters
    ----------
    fit : Fit
        A fit.
    folder : Path
        ``summary.txt``; ``estimates.csv`` (:attr:`Fit.table`); ``model.toml``, the fitted model; ``covariance.csv``;
        ``information.csv`` (:attr:`Fit.information`), by which the folder is a design's ``prior``; ``etas.csv``; ``rows.csv``,
        observations beside predictions and residuals; ``starts.csv`` and ``history.csv``; ``fit.ext`` and ``fit.phi`` in
        NONMEM's shape; ``fit.json``, where all of it comes from; ``figures/``.
    figures : bool
        Whether to draw.
    about : mapping, optional
        What ``fit.json`` is to say besides: ``spec_hash``, and ``fit_file``, which tells the fit from others; by default that is
        its model, data and what is estimated.
    intervals : mapping, optional
        Kind -> :meth:`Fit.intervals`, for ``intervals.csv``; profiles are drawn.
    overwrite : bool
        Replace another fit.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    SpecError
        As :func:`myelosim.writing.check_told`.
    """
    told = provenance(fit) | dict(about or {})
    check_folder(folder, told["fit_file"], overwrite=overwrite)

    def write(draft: Path) -> None:
        kinds = dict(intervals or {})
        if kinds:
            pd.concat(kinds, names=["method", "name"]).to_csv(draft / "intervals.csv")
        _tables(fit, draft)
        _texts(fit, draft)
        left_out = _model(fit, draft / "model.toml")
        if figures:
            left_out += draw(fit, draft / "figures", profile=kinds.get("profile"))
        every = {**told, "left_out": left_out}
        (draft / ABOUT).write_text(json.dumps(plain(every), indent=2) + "\n", encoding="utf-8")

    return filled(folder, write, FILES)


def provenance(fit: Fit) -> dict[str, Any]:
    """Return where a fit comes from: data, model, method, seed and versions, and what it says against itself."""
    study, problem = fit.study, fit.problem
    model = problem.model
    every = results.provenance(
        model.spec_hash, fit.seed, problem.tolerance, model.assumed, [str(w) for w in fit.warnings]
    )
    own = spec_hash({"model": model.spec_hash, "estimation": problem.estimation, "data": study.digest})
    return {
        "kind": "fit", "fit_file": f"{model.name} to {study.source} ({own[:8]})",
        "title": model.title, "model": model.name, "method": fit.method, "options": dict(fit.options),
        "priors": [one.name for one in problem.estimation.thetas if one.prior is not None],
        "objective": fit.objective, "n_log_2_pi": constant(fit), "converged": fit.converged, "why": fit.why,
        "warnings": [{"code": one.code, "text": one.text} for one in fit.warnings],
        "data": str(study.source), "data_hash": study.digest, "subjects": len(study.subjects),
        "observations": len(study.observations),
        "model_hash": model.spec_hash, "estimation_hash": spec_hash(problem.estimation),
        "seed": fit.seed, "tolerance": problem.tolerance, "seconds": round(fit.seconds, 2),
        "versions": {name: every[name] for name in ("myelosim", "numba", "numpy", "python")},
        "assumed": list(model.assumed), "columns": nonmem.legend(fit), "note": every["note"],
    }  # fmt: skip


def _tables(fit: Fit, folder: Path) -> None:
    fit.table.to_csv(folder / "estimates.csv", index=False)
    fit.residuals().to_csv(folder / "rows.csv", index=False)
    etas = pd.DataFrame(fit.b, index=pd.Index(fit.study.subjects, name="subject"), columns=_named(fit))
    etas.to_csv(folder / "etas.csv")
    if fit.cov is not None:
        fit.cov.to_csv(folder / "covariance.csv")
    if fit.information is not None:
        fit.information.to_csv(folder / INFORMATION)
    for name, table in (("starts", fit.starts), ("history", fit.history)):
        if len(table):
            table.to_csv(folder / f"{name}.csv", index=False)


def _named(fit: Fit) -> list[str]:
    """Name the etas: those between subjects by their parameter, those of an occasion by its number, too."""
    between, within = fit.problem.estimation.omega.names, fit.problem.estimation.occasion.names
    occasions = fit.problem.predictor.mixed.occasions if within else 0
    return [*between, *(f"{name}, occasion {o + 1}" for o in range(occasions) for name in within)]


def _texts(fit: Fit, folder: Path) -> None:
    (folder / "summary.txt").write_text(summary(fit) + "\n", encoding="utf-8")
    (folder / "fit.ext").write_text(nonmem.ext(fit), encoding="utf-8")
    (folder / "fit.phi").write_text(nonmem.phi(fit), encoding="utf-8")


def _model(fit: Fit, path: Path) -> list[str]:
    """Write the fitted model; say why where the estimates make none."""
    try:
        fit.model.save(path)
    except SpecError as error:
        return [f"{path.name}: {error}"]
    return []
