"""Whether a design keeps what it promises: the study is simulated and fitted again and again.

Replicate k is the same however many there are. Where thetas have priors, each replicate's truth is drawn from these, so that
errors are those that a standard error with priors speaks of; everything else is true as it stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import chdtri, stdtrit
from scipy.stats import binom

from myelosim.blas import unthreaded
from myelosim.data.resample import observed
from myelosim.data.study import BELOW, MEASURED, Study
from myelosim.designing.design import Design
from myelosim.errors import ConvergenceError, MyelosimError, SpecError
from myelosim.fitting.bootstrap import done, searched, simulated
from myelosim.fitting.fit import METHODS, known
from myelosim.fitting.informed import natural
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem
from myelosim.fitting.result import Fit
from myelosim.information import above_nothing, precision, study_of
from myelosim.random import normals

Array = NDArray[np.float64]
Record = dict[str, Any]

LEVEL = 0.95
CHANCE = (
    1e-3  # of a coverage as far off as one that is warned of, both sides; biases beyond 3 standard errors have 0.0027
)
TAILS = (0.158655, 0.841345)  # one standard deviation either side, of a normal


@unthreaded
def verify(
    design: Design, replicates: int = 200, seed: int = 1, *, processes: int = 1, method: str = "focei",
    tell: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Simulate a design's study and fit it, again and again.

    Parameters
    ----------
    design : Design
        Its values are the truth, blood loss and limits of quantification are as it has them. Information of an earlier study
        is left out: of it there are no data to fit.
    replicates : int
        How many.
    seed : int
        Of what is simulated.
    processes : int
        How many work side by side, one thread each.
    method : str
        Of the fits, which start from the truth: one that minimizes an objective, as "focei".
    tell : callable, optional
        Called with the number of replicates that are ready and of all.

    Returns
    -------
    pandas.DataFrame
        Index ``name``, as in ``design.rse``. ``value``; ``expected_rse``, ``empirical_rse`` (standard deviation of the errors),
        ``robust_rse`` (half the distance between the quantiles that hold the middle 68 %), ``bias`` (mean error) in percent
        of the value; ``ratio`` of empirical to expected; ``coverage``: the share of fits whose Wald interval at 95 % holds the
        truth, one without an interval not holding it; ``fitted`` and ``failed``, numbers of replicates. ``attrs``: ``why``
        (reason of failure -> how often), ``doubts`` (errors, biases and coverages that are not chance), ``method``, ``seed``.

    Raises
    ------
    SpecError
        The method has no objective, or the number of replicates is not possible.
    ConvergenceError
        No replicate could be fitted.
    """
    if method not in METHODS:
        raise SpecError(f"verify: '{method}' minimizes no objective; allowed: {', '.join(METHODS)}")
    if isinstance(replicates, bool) or not isinstance(replicates, int) or replicates < 2:
        raise SpecError(f"verify: replicates = {replicates} is not possible; give a whole number from 2 on")
    work = partial(replicated, design, method, seed)
    records: dict[int, Record] = {}
    for record in done(work, list(range(replicates)), processes):
        records[record["replicate"]] = record
        if tell is not None:
            tell(len(records), replicates)
    table = judged(design, [records[k] for k in range(replicates)])
    table.attrs.update({"method": method, "seed": seed})
    return table


def problem_of(design: Design) -> Problem:
    """Return the problem of fitting a design's study, whose values are not yet seen; looks at nothing are left out."""
    question = design.question
    study, _ = study_of([question.arm(group) for group in design.groups], [group.subjects for group in design.groups])
    problem = Problem(question.model, study, question.estimation, question.tolerance, threads=1)
    nobody = np.zeros((problem.subjects, problem.predictor.mixed.random))
    typical = problem.predictor.predict(problem.parameters.start.beta, nobody)
    told = above_nothing(typical, study.observations.observable)
    if np.all(told):
        return problem
    if not np.any(told):
        raise SpecError("verify: all that is looked at is predicted to be 0; look after a dose, or at something else")
    seen = replace(study.observations, **{key: value[told] for key, value in vars(study.observations).items()})
    return replace(problem, study=replace(study, observations=seen))


def replicated(design: Design, method: str, seed: int, k: int) -> Record:
    """Return a replicate: ``truth`` and ``estimate`` (in the order of the design's names), ``low`` and ``high``, or ``error``."""
    problem = problem_of(design)
    point = _truth(problem, seed, k)
    record: Record = {"replicate": k, "truth": natural(problem, problem.parameters.pack(point)).tolist()}
    try:
        again = replace(problem, study=_seen(design, problem, point, seed, k))
        search = searched(again, method, again.parameters.pack(again.parameters.start))
        if not (search.converged and np.isfinite(search.value.total)):
            return record | {"error": search.why}
        fit = Fit(again, method, search.value.total, search.x, search.value.modes.b, True, search.why)
        record["estimate"] = natural(again, search.x).tolist()
        return record | _interval(fit, design)
    except (MyelosimError, np.linalg.LinAlgError) as error:
        return record | {"error": f"{type(error).__name__}: {error}"}


def judged(design: Design, records: list[Record]) -> pd.DataFrame:
    """Return what replicates say of a design; see :func:`verify`."""
    good = [one for one in records if "error" not in one]
    why = Counter(one["error"] for one in records if "error" in one)
    if not good:
        raise ConvergenceError(
            f"verify: none of {len(records)} replicates could be fitted; first: {records[0]['error']}. See without verify "
            "what the design determines"
        )
    question = replace(design.question, prior=None)
    value = question.values
    promised = precision(question.information(design.groups)).errors
    truth, estimate, low, high = (np.array([one[key] for one in good]) for key in ("truth", "estimate", "low", "high"))
    with np.errstate(divide="ignore", invalid="ignore"):
        errors = 100.0 * (estimate - truth) / np.abs(value)
        spread = errors.std(axis=0, ddof=1) if len(good) > 1 else np.full(len(value), np.nan)
        expected = 100.0 * promised / np.abs(value)
        table = pd.DataFrame(
            {
                "value": value, "expected_rse": expected, "empirical_rse": spread,
                "robust_rse": np.diff(np.quantile(errors, TAILS, axis=0), axis=0)[0] / 2.0, "ratio": spread / expected,
                "bias": errors.mean(axis=0), "coverage": np.mean((low <= truth) & (truth <= high), axis=0),
                "fitted": len(good), "failed": len(records) - len(good),
            },
            index=pd.Index(question.names, name="name"),
        )  # fmt: skip
    table.attrs.update({"why": dict(why), "doubts": unlucky(table)})
    return table


def unlucky(table: pd.DataFrame) -> list[str]:
    """Return what is no chance.

    Errors above the 99.95 % quantile of normal ones, biases beyond 3 standard errors of the mean, coverages outside the binomial
    99.9 %.
    """
    count = int(table["fitted"].iloc[0])
    if count < 2:
        return []
    far = float(stdtrit(count - 1, 0.99865)) / np.sqrt(count)
    low, high = (float(binom.ppf(tail, count, LEVEL)) / count for tail in (CHANCE / 2, 1 - CHANCE / 2))
    wide = float(np.sqrt(chdtri(count - 1, CHANCE / 2) / (count - 1)))
    said = []
    for name, row in table.iterrows():
        if row["ratio"] > wide:
            said.append(f"{name}: {row['ratio']:.2g} times the expected error (by chance at most {wide:.2g} times)")
        bound = far * row["empirical_rse"]
        if abs(row["bias"]) > bound:
            said.append(f"{name}: bias {row['bias']:+.2g} % (by chance at most {bound:.2g} %)")
        if not low <= row["coverage"] <= high:
            said.append(
                f"{name}: intervals hold the truth in {row['coverage']:.0%} (by chance {low:.0%} to {high:.0%})"
            )
    return said


def _truth(problem: Problem, seed: int, k: int) -> Point:
    point = problem.parameters.start
    beta = point.beta.copy()
    for i, theta in enumerate(problem.estimation.thetas):
        if theta.prior is not None:
            beta[i] = (
                theta.prior[0] + theta.prior[1] * normals(seed, "uncertainty", 1, 1, "design", theta.name, k)[0, 0]
            )
    return replace(point, beta=beta)


def _seen(design: Design, problem: Problem, point: Point, seed: int, k: int) -> Study:
    """Return the study of a replicate, values under a limit being known only as such."""
    subjects, effects, rows = problem.subjects, problem.predictor.mixed.random, len(problem.study.observations)
    z = normals(seed, "eta", subjects, max(effects, 1), "design", k)[:, :effects]
    noise = normals(seed, "noise", rows, 1, "design", k)[:, 0]
    study = simulated(problem, point, z, noise)
    seen, lloq = study.observations, design.question.lloq or {}
    limit = np.array([lloq.get(name, -np.inf) for name in seen.observable])
    below = seen.value < limit
    return observed(study, np.where(below, limit, seen.value), np.where(below, BELOW, MEASURED))


def _interval(fit: Fit, design: Design) -> Record:
    """Return the ends of Wald intervals in the order of the design's names, not numbers where there are none."""
    names = design.question.names
    nothing = {"low": [float("nan")] * len(names), "high": [float("nan")] * len(names)}
    try:
        found = known(fit, "r")
        table = found.intervals("wald", LEVEL)
    except (MyelosimError, np.linalg.LinAlgError):
        return nothing
    table.index = table.index.str.replace("occasion ", "iov ", n=1)
    squared = {one.name for one in fit.problem.estimation.sigmas}
    return {
        end: [float(table[end][name]) ** (2 if name in squared else 1) for name in names] for end in ("low", "high")
    }
