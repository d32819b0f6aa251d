"""Fits that a file describes."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from myelosim.data.read import read
from myelosim.data.study import Study
from myelosim.errors import SpecError
from myelosim.fitting.fit import STARTS, fit, settled
from myelosim.fitting.kept import Kept
from myelosim.fitting.problem import likelihood_of
from myelosim.fitting.result import Fit
from myelosim.spec import fit as spec
from myelosim.spec.estimate import estimation
from myelosim.spec.fits import load_fit

ARGUMENTS = {"starts": "at"}  # what an estimation calls it -> what a fit does


def run_fit(
    source: spec.Fit | str | os.PathLike[str] | Mapping[str, Any],
    *,
    study: Study | None = None,
    evaluate_only: bool = False,
    threads: int | None = None,
    tell: Callable[[str, Any], None] | None = None,
    kept: Kept | None = None,
    **changes: Any,
) -> Fit:
    """Do the fit that a file describes.

    Parameters
    ----------
    source : Fit of a file, str, path or mapping
        A fit, its name or file, or what a file would say.
    study : Study, optional
        Its data, where they have been read already: see :func:`study_of`.
    evaluate_only : bool
        Compute the objective at the start and stop there.
    threads : int, optional
        Threads to use; the result does not depend on it.
    tell, kept
        As for :func:`myelosim.fit`.
    **changes
        ``method``, ``starts``, ``seed``, ``tolerance``, ``covariance`` or ``options`` instead of the file's.

    Returns
    -------
    Fit
        What was found.

    Raises
    ------
    SpecError, DataError
        The file or its data say something that cannot be; everything wrong is said together.

    Examples
    --------
    >>> import myelosim as ms
    >>> found = ms.run_fit("cynomolgus_14day", evaluate_only=True)
    >>> len(found.study.subjects), found.method
    (7, 'focei')
    """
    held = changed(source if isinstance(source, spec.Fit) else load_fit(source), **changes)
    estimate: dict[str, Any] = {ARGUMENTS.get(name, name): value for name, value in held.estimate.items()}
    if held.tolerance is not None:
        estimate["tolerance"] = held.tolerance
    return fit(
        held.model, study_of(held) if study is None else study, held.method, covariance=held.uncertainty.covariance,
        starts=STARTS if held.starts is None else held.starts, seed=held.seed, options=held.options, evaluate_only=evaluate_only,
        threads=threads, tell=tell, kept=kept, **estimate,
    )  # fmt: skip


CHANGES = ("method", "starts", "seed", "tolerance", "covariance", "options")


def changed(held: spec.Fit, *, evaluate_only: bool = False, **changes: Any) -> spec.Fit:
    """Return a fit with ``changes`` of :func:`run_fit`, once they are known to be possible whatever the data are.

    Raises
    ------
    SpecError
        Something is not what can be changed, or cannot be.
    """
    if unknown := [name for name in changes if name not in CHANGES]:
        raise SpecError(f"run_fit: {unknown[0]} is what the file says; change it there (allowed: {', '.join(CHANGES)})")
    if "covariance" in changes:
        held = replace(held, uncertainty=replace(held.uncertainty, covariance=changes.pop("covariance")))
    if changes.get("method", held.method) != held.method and "options" not in changes:
        changes["options"] = {}  # those of the file are the other method's
    held = replace(held, **changes)
    starts = STARTS if held.starts is None else held.starts
    settled(held.method, held.uncertainty.covariance, starts, held.seed, held.options, evaluate_only=evaluate_only)
    return held


def check(held: spec.Fit, study: Study) -> None:
    """Raise :class:`SpecError` or :class:`DataError` where data do not allow what is to be estimated; nothing is computed."""
    _, asked = estimation(held.model, study.observables, tuple(study.values), dosed=study.dosed, **held.estimate)
    likelihood_of(study, asked)


def study_of(held: spec.Fit) -> Study:
    """Read the data of a fit."""
    return read(held.data.path, held.model, **held.data.arguments)


def intervals_of(held: spec.Fit, found: Fit) -> dict[str, pd.DataFrame]:
    """Return the intervals that a file asks for beside standard errors: kind -> table; see :meth:`Fit.intervals`."""
    asked, out = held.uncertainty, {}
    if asked.profile:
        out["profile"] = found.intervals("profile", parameters=list(asked.profile))
    if asked.sir:
        out["sir"] = found.intervals("sir", samples=asked.sir)
    if asked.bootstrap:
        out["bootstrap"] = found.intervals("bootstrap", replicates=asked.bootstrap, kind=asked.bootstrap_kind)
    return out
