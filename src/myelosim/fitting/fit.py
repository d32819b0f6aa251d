"""Fit a model to data."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from myelosim import __version__
from myelosim.blas import unthreaded
from myelosim.data.read import read
from myelosim.data.study import Study
from myelosim.errors import SpecError
from myelosim.fitting.approach import approach
from myelosim.fitting.covariance import covariance as covariance_of
from myelosim.fitting.covariance import precisions
from myelosim.fitting.doubts import judged
from myelosim.fitting.exact import EXACT, by_saem, chosen, doubted, exactly, integration
from myelosim.fitting.fo import FirstOrder
from myelosim.fitting.kept import Kept
from myelosim.fitting.nuts import nuts
from myelosim.fitting.objective import Linearized
from myelosim.fitting.problem import Problem
from myelosim.fitting.result import Fit
from myelosim.fitting.search import Objective, Search, begin, minimize
from myelosim.fitting.warning import FitWarning
from myelosim.random import evenly
from myelosim.spec.document import suggestion
from myelosim.spec.estimate import estimation
from myelosim.spec.fit import COVARIANCES
from myelosim.spec.literal import found as found_text
from myelosim.spec.model import Model
from myelosim.spec.scale import to_scale

METHODS: Mapping[str, Callable[..., Objective]] = {
    "fo": FirstOrder, "foce": partial(Linearized, interaction=False), "focei": Linearized, **EXACT,
}  # fmt: skip
"""Method -> what it minimizes, given a problem, perhaps ``b``, and the method's options."""

UNKEPT = ("saem", "nuts")
"""Methods of which nothing is kept on the way to their end."""
STARTS = 8
AGREE = 3  # searches that reach the same best optimum are enough
SAME = 0.01  # of the objective
FAR = 1.0  # expected gain of a Newton step above which the two-stage method goes first


@unthreaded
def fit(
    model: Model, data: pd.DataFrame | str | os.PathLike[str] | Study, method: str = "focei", *,
    omega: Any = None, sigma: Mapping[str, Any] | None = None, free: Sequence[str] | None = None,
    fixed: Sequence[str] | None = None, priors: Any = None, iov: Any = None, covariates: Any = None, residual: Any = None,
    blq: str = "m3", covariance: str = "auto", starts: int = STARTS, seed: int = 1, tolerance: float = 1e-8,
    evaluate_only: bool = False, read_as: Mapping[str, Any] | None = None, threads: int | None = None,
    tell: Callable[[str, Any], None] | None = None, options: Mapping[str, int] | None = None, kept: Kept | None = None,
    also: Sequence[str] = (), at: Mapping[str, Any] | None = None, ranges: Mapping[str, tuple[float, float]] | None = None,
) -> Fit:  # fmt: skip
    """Fit a model to data.

    The objective is -2 log L without n log(2 pi), NONMEM's convention, with the priors' part. It is minimized from the model's
    values and then from other points between the thetas' bounds, until the best optimum found has been reached three times.

    Parameters
    ----------
    model : Model
        What is fitted; its values are the start.
    data : pandas.DataFrame, path or Study
        NONMEM rows, a laboratory's sheet, CDISC domains; see :func:`myelosim.data.read.read`, whose arguments ``read_as`` holds.
    method : str
        "fo", "foce", "focei", "laplace" (exact Hessian), "agq" and "importance" (the exact marginal, by adaptive Gauss-Hermite
        quadrature or importance sampling), "saem", or "nuts".
    omega, sigma, free, fixed, priors, iov, covariates, residual, blq
        What is estimated; see :func:`myelosim.spec.estimate.estimation`.
    covariance : {"auto", "sandwich", "r", "s", "none"}
        How standard errors are found: R^-1 S R^-1, R^-1 or S^-1, as NONMEM names them; "auto" is the sandwich, or R where
        subjects are no more than estimates.
    starts : int
        Most starting points; 1 for the model's own values alone.
    seed : int
        Of the further starts and of whatever the method draws.
    tolerance : float
        Aim for the relative error of predictions.
    evaluate_only : bool
        Whether to give the objective and the etas at the start instead of searching.
    threads : int, optional
        Processors used; all of them by default. No number depends on it.
    tell : callable, optional
        Told the start's name and the :class:`~myelosim.fitting.search.Search` at each iteration.
    options : mapping, optional
        Whole numbers of the method: {"points": 5} for "agq", {"samples": 1000} for "importance".
    kept : Kept, optional
        A file that follows the searches, to go on from when they are interrupted: :class:`myelosim.fitting.kept.Kept`.
    also, at, ranges
        What is estimated beside the default, values to start from instead of the model's, and where further starts are
        drawn: ``also``, ``starts`` and ``ranges`` of :func:`~myelosim.spec.estimate.estimation`.

    Returns
    -------
    Fit
        Estimates, etas, uncertainty, warnings, and the fitted model.

    Raises
    ------
    SpecError
        What is asked for cannot be estimated.
    DataError
        The data are not understood, with row numbers.

    Examples
    --------
    >>> import myelosim as ms
    >>> import pandas as pd
    >>> model = ms.load_model("generic_iv_1cmt")
    >>> rows = [(1, 0, 100, "."), (1, 2, ".", 1.6), (1, 8, ".", 0.9), (2, 0, 100, "."), (2, 2, ".", 1.3), (2, 8, ".", 0.6)]
    >>> data = pd.DataFrame(rows, columns=["ID", "TIME", "AMT", "DV"])
    >>> found = ms.fit(model, data, omega={}, sigma={"drug.proportional": 0.1}, evaluate_only=True)
    >>> bool(found.objective > 0)
    True
    """
    began = time.perf_counter()
    own = settled(method, covariance, starts, seed, options or {}, evaluate_only=evaluate_only)
    study = data if isinstance(data, Study) else read(data, model, **(read_as or {}))
    started, wanted = estimation(
        model, study.observables, tuple(study.values), omega=omega, sigma=sigma, free=free, fixed=fixed, priors=priors, iov=iov,
        covariates=covariates, residual=residual, blq=blq, dosed=study.dosed, also=also, starts=at, ranges=ranges,
    )  # fmt: skip
    problem = Problem(started, study, wanted, tolerance, threads)
    x = problem.parameters.pack(problem.parameters.start)
    if method == "nuts":
        found = nuts(problem, seed=seed, **own)
    elif evaluate_only:
        value = METHODS[method](problem, **own).value(x)
        found = doubted(
            Fit(problem, method, value.total, x, value.modes.b, seed=seed, options=own, integration=integration(value))
        )
    elif method == "saem":
        found = known(doubted(by_saem(problem, x, own, seed, tell)), covariance)
    else:
        found = _searched(problem, "focei" if method in EXACT else method, x, starts, seed, tell, kept)
        found = known(doubted(exactly(found, method, own, tell)) if method in EXACT else found, covariance)
    return replace(judged(found), seconds=time.perf_counter() - began)


def _searched(
    problem: Problem, method: str, x: np.ndarray, starts: int, seed: int, tell: Any, kept: Kept | None
) -> Fit:
    """Return the best of searches from several starts."""
    if kept is not None:
        kept.open(problem, _about(problem, method, starts, seed))
    searches = _searches(problem, method, x, starts, seed, tell, kept)
    best = min(searches, key=lambda one: one.value.total)
    table = pd.DataFrame(
        {
            "objective": [one.value.total for one in searches], "iterations": [len(one.history) for one in searches],
            "converged": [one.converged for one in searches], "why": [one.why for one in searches],
        }
    )  # fmt: skip
    history = pd.concat([_history(k, one) for k, one in enumerate(searches, start=1)], ignore_index=True)
    return Fit(
        problem, method, best.value.total, best.x, best.value.modes.b, best.converged, best.why, starts=table, history=history,
        seed=seed,
    )  # fmt: skip


def settled(
    method: str, covariance: str, starts: int, seed: int, options: Mapping[str, int], *, evaluate_only: bool = False
) -> dict[str, int]:
    """Return the method's own options, once everything is known to be possible that does not depend on data.

    Raises
    ------
    SpecError
        There is no such method or covariance, or a number cannot be.
    """
    if method not in (*METHODS, "nuts"):
        raise SpecError(f"fit: there is no method '{method}'{suggestion(method, [*METHODS, 'nuts'])}")
    if method == "nuts" and evaluate_only:
        raise SpecError("evaluate_only: nuts has no objective to evaluate; give another method, e.g. focei")
    if covariance not in COVARIANCES:
        raise SpecError(f"covariance: '{covariance}' is not known; allowed: {', '.join(COVARIANCES)}")
    for name, number, least in (("starts", starts, 1), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
            raise SpecError(f"fit: {name} = {found_text(number)} is not a whole number from {least} on")
    return chosen(method, options, seed)


def _history(start: int, search: Search) -> pd.DataFrame:
    rows = np.array(search.history, float).reshape(-1, 3)  # numbers, also where a search ended at its start
    table = pd.DataFrame(rows, columns=["objective", "gradient", "radius"])
    return table.assign(start=start, iteration=range(len(table)))


def known(fit: Fit, kind: str = "auto") -> Fit:
    """Return the fit with the covariance of its estimates, and a warning where that is not what it seems.

    Parameters
    ----------
    fit : Fit
        At its optimum.
    kind : {"auto", "sandwich", "r", "s", "none"}
        As in :func:`myelosim.fitting.covariance.covariance`; "none" leaves the fit as it is, and "auto" is the sandwich, or R where
        subjects are no more than estimates: their scatter then has no such matrix.
    """
    if kind == "auto":
        kind = "sandwich" if np.unique(fit.problem.subject).size > len(fit.x) else "r"
    if kind == "none" or not len(fit.x):
        return fit
    objective = METHODS[fit.method](fit.problem, b=fit.b.copy(), **fit.options)
    found = covariance_of(objective, fit.x, fit.problem.parameters.names, precisions(fit.problem), kind)
    warnings = tuple(FitWarning("covariance", one) for one in found.problems)
    return replace(fit, uncertainty=found, warnings=(*fit.warnings, *warnings))


def _about(problem: Problem, method: str, starts: int, seed: int) -> dict[str, Any]:
    """Return what searches depend on."""
    return {
        "model": problem.model.spec_hash, "estimation": problem.estimation, "data": problem.study.digest, "method": method,
        "starts": starts, "seed": seed, "tolerance": problem.tolerance, "version": __version__,
    }  # fmt: skip


def _searches(
    problem: Problem, method: str, x: np.ndarray, starts: int, seed: int, tell: Any, kept: Kept | None = None
) -> list[Search]:
    """Search from the start, and from others, until the best optimum has been reached often enough."""
    make = partial(METHODS[method], problem)
    done: list[Search] = [] if kept is None else kept.done(make)
    for k, own in enumerate([x, *_others(problem, x, starts - 1, seed)]):
        if k < len(done):
            continue
        if _agreed(done):
            break
        begun = None if kept is None else kept.begun(make)
        objective, search = begun or _begin(make, problem, own, near=k == 0)
        done.append(minimize(objective, search, tell=_followed(f"start {k + 1}", tell, kept)))
        if kept is not None:
            kept.end(done[-1])
    return done


def _agreed(done: Sequence[Search]) -> bool:
    """Tell whether the best optimum has been reached often enough."""
    best = min((one.value.total for one in done), default=np.inf)
    return sum(bool(one.value.total < best + SAME) for one in done) >= AGREE


def _begin(make: Callable[..., Objective], problem: Problem, x: np.ndarray, *, near: bool) -> tuple[Objective, Search]:
    """Begin at a point, or at where the two-stage method gets to from it."""
    objective = make()
    search = begin(objective, x)
    if near and search.left <= FAR:
        return objective, search
    x, b = approach(problem, x)
    objective = make(b=b)  # what the first one knows of its modes is of another place
    return objective, begin(objective, x)


def _followed(name: str, tell: Any, kept: Kept | None) -> Callable[[Search], None]:
    """Return what is called at each iteration of a search."""

    def follow(search: Search) -> None:
        if kept is not None:
            kept.follow(search)
        if tell is not None:
            tell(name, search)

    return follow


def _others(problem: Problem, x: np.ndarray, count: int, seed: int) -> list[np.ndarray]:
    """Return further starting points: thetas between their bounds by a Sobol sequence."""
    thetas = problem.estimation.thetas
    if count < 1 or not thetas:
        return []
    low, high = (np.array([to_scale(end, t.scale) for t, end in zip(thetas, ends, strict=True)])
                 for ends in ([t.low for t in thetas], [t.high for t in thetas]))  # fmt: skip
    unit = evenly(seed, count, len(thetas))
    points = np.repeat(x[None], count, axis=0)
    points[:, : len(thetas)] = low + unit * (high - low)
    return list(points)
