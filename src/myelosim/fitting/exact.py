"""Fits by the exact marginal likelihood: searches from the optimum of FOCE-I on, or SAEM."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from myelosim.errors import SpecError
from myelosim.fitting.importance import SAMPLES, Importance
from myelosim.fitting.marginal import Integrated, Integration, Quadrature
from myelosim.fitting.problem import Problem
from myelosim.fitting.result import Fit
from myelosim.fitting.saem import Saem
from myelosim.fitting.search import Objective, begin, minimize
from myelosim.fitting.warning import FitWarning
from myelosim.spec.document import suggestion
from myelosim.spec.fit import OPTIONS
from myelosim.spec.literal import found

SEARCHED = 256  # samples of a search
UNSURE = 0.5  # standard error of the objective from which on it is doubted
SPARSE = 0.05  # effective share of a subject's samples under which it is
ARRIVED = 0.5  # of the objective, that a step from where SAEM ends may be expected to gain


def chosen(method: str, options: Mapping[str, int], seed: int) -> dict[str, int]:
    """Return a method's options after a check, the seed among them where it draws.

    Raises
    ------
    SpecError
        An option is not the method's, or no whole number that it can be.
    """
    known = OPTIONS.get(method, {})
    for name, value in options.items():
        if name not in known:
            there = suggestion(name, known) if known else "; it has none"
            raise SpecError(f"options: '{name}' is no option of method '{method}'{there}")
        if not isinstance(value, int) or isinstance(value, bool) or value < known[name]:
            raise SpecError(f"options: {name} is {found(value)}; it must be a whole number, at least {known[name]}")
    return {**options, **({"seed": seed} if method in ("importance", "saem") else {})}


def _around_saem(problem: Problem, *, b: np.ndarray | None = None, seed: int = 1, **_: int) -> Importance:
    return Importance(problem, b=b, seed=seed, samples=2 * SEARCHED)


EXACT: Mapping[str, Callable[..., Objective]] = {
    "laplace": partial(Quadrature, points=1), "agq": Quadrature, "importance": Importance, "saem": _around_saem,
}  # fmt: skip
"""Method -> its objective; of SAEM that by which its end is judged."""


def by_saem(problem: Problem, x: np.ndarray, options: Mapping[str, int], seed: int, tell: Any = None) -> Fit:
    """Return the fit by SAEM from a vector on.

    Its objective is importance-sampled, and it counts as converged where a step along the gradient of the exact likelihood
    promises no more than chance makes of it. ``history`` is one row per iteration: the vector, and the share of accepted moves.
    """
    saem = Saem(problem, x, **options)
    x = saem.run(None if tell is None else partial(tell, "saem"))
    value = Importance(problem, b=saem.first, seed=seed).value(x)
    left = begin(_around_saem(problem, b=value.modes.b, seed=seed), x).left
    history = pd.DataFrame(np.array(saem.course.x).reshape(-1, len(x)), columns=list(problem.parameters.names))
    history["accepted"], history["burn_in"] = saem.course.accepted, np.arange(len(history)) < saem.burn_in
    more = "" if left < ARRIVED else ": more iterations are needed, or a longer burn-in"
    why = f"by the exact gradient a step would gain {left:.2g}{more}"
    return Fit(
        problem, "saem", value.total, x, value.modes.b, left < ARRIVED, why, history=history, seed=seed, options=options,
        integration=integration(value),
    )  # fmt: skip


def exactly(fit: Fit, method: str, options: Mapping[str, int], tell: Any = None) -> Fit:
    """Return the fit by an exact method, searched for from another fit's optimum."""
    searched = {"samples": SEARCHED, **options} if method == "importance" else dict(options)
    objective = EXACT[method](fit.problem, b=fit.b.copy(), **searched)
    found = minimize(objective, begin(objective, fit.x), tell=None if tell is None else partial(tell, method))
    value = found.value
    if method == "importance" and searched["samples"] < SAMPLES:
        value = Importance(fit.problem, b=value.modes.b, seed=fit.seed).value(found.x)
    history = pd.DataFrame(found.history, columns=["objective", "gradient", "radius"])
    return replace(
        fit, method=method, objective=value.total, x=found.x, b=value.modes.b, converged=found.converged, why=found.why,
        history=history, options=searched, integration=integration(value),
    )  # fmt: skip


def integration(value: Any) -> Integration | None:
    """Return how well an objective is known, none if it is no integral."""
    if not isinstance(value, Integrated):
        return None
    return Integration(value.error, value.effective, value.log_terms.shape[1])


def doubted(fit: Fit) -> Fit:
    """Return the fit with warnings where it has not arrived, or its objective is not well known."""
    warnings, known = [], fit.integration
    if not fit.converged:
        warnings.append(FitWarning("not_converged", f"{fit.method} stopped at {fit.objective:.2f}: {fit.why}"))
    if fit.method == "saem" and len(fit.history):
        text = "SAEM goes from one start; hold it against a fit by focei from several, which is quicker at finding another optimum"
        warnings.append(FitWarning("one_start", text))
    if known is not None and known.error > UNSURE:
        text = f"the objective's Monte-Carlo standard error is {known.error:.2g}; take more samples before comparing it"
        warnings.append(FitWarning("integration", text))
    if known is None or not known.error:
        return replace(fit, warnings=(*fit.warnings, *warnings))
    for i in np.flatnonzero(known.effective < SPARSE):
        worth = f"{known.effective[i] * known.nodes:.0f} of {known.nodes}"
        text = f"subject {fit.study.subjects[i]}: the samples are worth {worth}, as where its etas have several modes; draw more"
        warnings.append(FitWarning("integration", text))
    return replace(fit, warnings=(*fit.warnings, *warnings))
