"""Information that is there before a study: of an earlier fit or design, or of the model's own standard errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from myelosim.designing.design import Design
from myelosim.designing.question import Question
from myelosim.errors import SpecError
from myelosim.fitting import Fit
from myelosim.fitting.problem import Problem
from myelosim.information.labels import entries
from myelosim.spec.document import suggestion
from myelosim.spec.model import Model
from myelosim.spec.scale import from_scale, slope

Array = NDArray[np.float64]
STEP = 1e-5


def information(question: Question, prior: Any) -> Question:
    """Return the question with the information that ``prior`` holds.

    Parameters
    ----------
    prior : Fit, Design, Model, pandas.DataFrame or "model"
        See :func:`myelosim.designing.evaluate.evaluate_design`.

    Raises
    ------
    SpecError
        It is none of these, has no covariance, or names nothing that is estimated here.
    """
    if isinstance(prior, str) and prior == "model":
        found = _of_model(question)
    elif isinstance(prior, Model):
        found = _of_model(replace(question, model=prior))
    elif isinstance(prior, Fit):
        found = of_fit(prior)
    elif isinstance(prior, Design):
        found = prior.fim
    elif isinstance(prior, pd.DataFrame):
        found = prior
    else:
        raise SpecError(
            f'prior: a {type(prior).__name__} holds no information; give a fit, a design, a model, a table, or "model"'
        )
    names = [str(name) for name in found.columns]
    if list(map(str, found.index)) != names or not np.allclose(found, found.T, rtol=1e-6, atol=1e-12, equal_nan=False):
        raise SpecError("prior: is no symmetric table whose rows are named as its columns")
    if not set(names) & set(question.names):
        first = names[0] if names else ""
        raise SpecError(f"prior: nothing in it is estimated here{suggestion(first, question.names)}")
    own = _marginal(found, [name for name in question.names if name in names])
    total = own.reindex(index=question.names, columns=question.names, fill_value=0.0).to_numpy(float)
    return replace(question, prior=total if question.prior is None else question.prior + total)


def of_fit(fit: Fit) -> pd.DataFrame:
    """Return the information of a fit's data in natural units, omegas and terms of errors as variances.

    The fit's covariance is that of a vector (thetas on their scales, omegas' factors, terms' logarithms); it is carried over by the
    derivatives of what the vector stands for.
    """
    if fit.covariance is None or not np.all(np.isfinite(fit.covariance)):
        raise SpecError("prior: the fit has no covariance matrix; fit again with covariance='r' or 'sandwich'")
    x, problem = fit.x, fit.problem
    steps = np.eye(len(x)) * STEP
    by = np.array(
        [(natural(problem, x + step) - natural(problem, x - step)) / (2.0 * STEP) for step in steps]
    )  # (vector, natural)
    covariance = by.T @ fit.covariance @ by
    names = Question(problem.model, problem.estimation).names
    size = np.sqrt(np.diag(covariance))
    inverse = np.linalg.pinv(covariance / np.outer(size, size), rcond=1e-10, hermitian=True) / np.outer(size, size)
    return pd.DataFrame(inverse, index=list(names), columns=list(names))


def natural(problem: Problem, x: Array) -> Array:
    """Return what a fit's vector says of what is estimated, in natural units and the order of labels, variances as such."""
    point, est = problem.parameters.unpack(x), problem.estimation
    theta = [float(from_scale(value, one.scale)) for value, one in zip(point.beta, est.thetas, strict=True)]
    omega = [
        own[i, j] for one, own in ((est.omega, point.omega), (est.occasion, point.occasion)) for i, j in entries(one)
    ]
    return np.array([*theta, *omega, *(point.sigma[k] ** 2 for k, one in enumerate(est.sigmas) if one.free)])


def _of_model(question: Question) -> pd.DataFrame:
    """Return the information in the standard errors of the model's parameters, correlations of these among them."""
    model = question.model
    names = [
        one.name
        for one in question.estimation.thetas
        if one.name in model.parameters and model.parameters[one.name].se > 0
    ]
    if not names:
        raise SpecError("prior: no parameter that is estimated has a standard error in the model; leave prior out")
    of = model.parameters
    correlation = np.eye(len(names))
    for (first, second), value in model.error_correlation.items():
        if first in names and second in names:
            i, j = names.index(first), names.index(second)
            correlation[i, j] = correlation[j, i] = value
    size = np.array([slope(of[name].value, of[name].scale) / of[name].se for name in names])
    return pd.DataFrame(np.linalg.inv(correlation) * np.outer(size, size), index=names, columns=names)


def _marginal(found: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the information about some parameters, the others being unknown."""
    inside = found.loc[list(names), list(names)].to_numpy(float)
    others = [name for name in found.columns if name not in names]
    if others:
        across, outside = found.loc[list(names), others].to_numpy(float), found.loc[others, others].to_numpy(float)
        inside = inside - across @ np.linalg.pinv(outside, hermitian=True) @ across.T
    return pd.DataFrame(inside, index=list(names), columns=list(names))
