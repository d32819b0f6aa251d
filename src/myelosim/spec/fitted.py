"""A model with what a fit found: a model file like any other."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from myelosim.errors import SpecError
from myelosim.spec import check
from myelosim.spec.check import MOST_CV
from myelosim.spec.coefficients import named
from myelosim.spec.estimation import Estimation
from myelosim.spec.model import Model, Parameter, Residual
from myelosim.spec.reach import reach

LEAST = 1e-8  # smallest eigenvalue of a correlation matrix that a model file holds

Pairs = dict[tuple[str, str], float]


def fitted(
    model: Model,
    estimation: Estimation,
    *,
    theta: Sequence[float],
    omega: Any,
    sigma: Sequence[float],
    source: str,
    occasion: Any = None,
    covariance: Any = None,
    given: Collection[str] = (),
    dosed: Collection[str] | None = None,
) -> Model:
    """Return the model that a fit found.

    Values, variabilities, residual errors and coefficients of covariates are the estimates; evidence is "fitted". Standard errors
    and their correlations come from the covariance of the thetas; those of coefficients and variances have no place in a model.
    What the observations depend on and has no eta does not vary any more, since the fit took it as the same in all.

    Parameters
    ----------
    model : Model
        As :func:`myelosim.spec.estimate.estimation` returned it.
    estimation : Estimation
        What was estimated.
    theta : sequence of float (theta)
        Estimates in the parameters' units.
    omega, occasion : array (eta, eta)
        Variances and covariances between subjects and between occasions; without the second, those of the estimation.
    sigma : sequence of float (sigma)
        Terms of the residual errors.
    source : str
        What the values rest on: hash of the data, method, number of subjects; see :func:`said`.
    covariance : array (theta or more, theta or more), optional
        Of the thetas on their scales, which come first.
    given : collection of str
        Parameters that data columns gave; they go on varying as the model says.
    dosed : collection of str, optional
        Drugs that anyone was given; what belongs to others stays as it is. Default: all.

    Raises
    ------
    SpecError
        The estimates make a model that cannot be trusted: a feedback past its limit of stability, say.
    """
    about: list[str] = []
    parameters = dict(model.parameters)
    _typical(model, estimation, theta, source, parameters, about)
    errors = _errors(model, estimation, covariance, parameters, about)
    may_vary = _may_vary(model, estimation, given, dosed)
    varying = _varying(model, estimation, np.asarray(omega, dtype=float), may_vary, parameters)
    between = estimation.occasion.start if occasion is None else np.asarray(occasion, dtype=float)
    for name, variance in zip(estimation.occasion.names, np.diagonal(between), strict=True):
        parameters[name] = replace(parameters[name], occasion_sd=math.sqrt(max(float(variance), 0.0)))
    unsure = {name for name, one in parameters.items() if one.se > 0}
    new = replace(
        model,
        title=model.title if model.title.endswith(", fitted") else f"{model.title}, fitted",
        source=f"{source}; {model.source}",
        parameters=parameters,
        correlation=varying,
        error_correlation={pair: value for pair, value in errors.items() if set(pair) <= unsure},
        residual={**model.residual, **_residual(estimation, sigma)},
        warnings=(*model.warnings, *about),
        expected=(),  # numbers of another model
    )
    wrong = [f"model {model.name}, fitted: {name}: {sentence}" for name, sentence in check.problems(new)]
    if wrong:
        raise SpecError("\n".join(wrong))
    return new


def said(method: str, data_hash: str, subjects: int, observations: int) -> str:
    """Return the source of fitted values.

    Examples
    --------
    >>> said("focei", "a" * 64, 45, 523)
    'fitted by focei to 523 observations of 45 subjects, data SHA-256 aaaaaaaaaaaaaaaa'
    """
    return f"fitted by {method} to {observations} observations of {subjects} subjects, data SHA-256 {data_hash[:16]}"


def _typical(
    model: Model,
    estimation: Estimation,
    theta: Sequence[float],
    source: str,
    parameters: dict[str, Parameter],
    about: list[str],
) -> None:
    """Put in the estimates of parameters and coefficients."""
    for one, number in zip(estimation.thetas, theta, strict=True):
        value = float(number)
        if one.name not in parameters:
            (coefficient,) = named(model, one.name)
            old = parameters[coefficient.parameter]
            relation = {**old.covariates[coefficient.covariate], coefficient.key: value}
            covariates = {**old.covariates, coefficient.covariate: relation}
            parameters[coefficient.parameter] = replace(old, covariates=covariates)
            continue
        old = parameters[one.name]
        floor, ceiling = old.floor, old.ceiling
        if (floor is not None and value < floor) or (ceiling is not None and value > ceiling):
            about.append(f"{one.name} was fitted outside its floor or ceiling, which are taken away.")
            floor = ceiling = None
        parameters[one.name] = replace(
            old, value=value, evidence="fitted", source=source, floor=floor, ceiling=ceiling, prior=None, se=0.0
        )


def _errors(
    model: Model, estimation: Estimation, covariance: Any, parameters: dict[str, Parameter], about: list[str]
) -> Pairs:
    """Put in standard errors, and return how the errors are correlated."""
    estimated = {one.name for one in estimation.thetas}
    kept = {pair: value for pair, value in model.error_correlation.items() if not estimated & set(pair)}
    if covariance is None:
        return kept
    places = [i for i, one in enumerate(estimation.thetas) if one.name in parameters]
    names = [estimation.thetas[i].name for i in places]
    matrix = np.asarray(covariance, dtype=float)[np.ix_(places, places)]
    for name, variance in zip(names, np.diagonal(matrix).tolist(), strict=True):
        se = math.sqrt(variance) if variance > 0 else 0.0
        if parameters[name].scale != "identity" and not se <= MOST_CV:
            about.append(f"{name} is hardly known from the data: its standard error is {se:g}, taken as {MOST_CV}.")
            se = float(MOST_CV)
        parameters[name] = replace(parameters[name], se=se)
    pairs, near = _correlations(names, matrix)
    if near:
        about.append(
            "The errors of the fitted values nearly depend on each other; their correlations are lowered a little."
        )
    return kept | pairs


def _varying(
    model: Model, estimation: Estimation, omega: np.ndarray, may_vary: Collection[str], parameters: dict[str, Parameter]
) -> Pairs:
    """Put in the variabilities, and return how the etas are correlated."""
    names = estimation.omega.names
    for name, variance in zip(names, np.diagonal(omega).tolist(), strict=True):
        parameters[name] = replace(parameters[name], omega_sd=math.sqrt(max(variance, 0.0)))
    for name, old in model.parameters.items():
        if name not in names and name not in may_vary and old.omega_sd > 0:
            parameters[name] = replace(parameters[name], omega_sd=0.0)
    kept = {pair: value for pair, value in model.correlation.items() if not set(pair) & set(names)}
    pairs = kept | _correlations(names, omega)[0]
    return {pair: value for pair, value in pairs.items() if all(parameters[name].omega_sd > 0 for name in pair)}


def _may_vary(
    model: Model, estimation: Estimation, given: Collection[str], dosed: Collection[str] | None
) -> frozenset[str]:
    """Return the parameters of which the fit took nothing for granted: given by row, or of nothing that it saw."""
    spoken = reach(model, tuple(estimation.residual), dosed)
    supportive = {drug.name for drug in model.drugs.values() if drug.supportive}
    aside = {name for name in spoken.all if name.partition(".")[0] in supportive} - set(spoken.own)
    return frozenset({*given, *aside, *(name for name in model.parameters if name not in spoken.all)})


def _correlations(names: Sequence[str], matrix: np.ndarray) -> tuple[Pairs, bool]:
    """Return the correlations of a covariance matrix that are not zero, and whether it was too near to singular to be kept."""
    diagonal = np.diagonal(matrix)
    known = [i for i in range(len(names)) if diagonal[i] > 0]
    sd = np.sqrt(diagonal[known])
    correlation = matrix[np.ix_(known, known)] / np.outer(sd, sd)
    least = float(np.linalg.eigvalsh(correlation)[0]) if known else 1.0
    if near := least < LEAST:
        correlation = correlation * ((1.0 - LEAST) / (1.0 - least))
    return {
        (names[known[i]], names[known[j]]): float(correlation[i, j])
        for i in range(len(known))
        for j in range(i + 1, len(known))
        if correlation[i, j] != 0.0
    }, near


def _residual(estimation: Estimation, sigma: Sequence[float]) -> Mapping[str, Residual]:
    """Return the residual errors with the estimates of their terms."""
    values = {one.name: float(value) for one, value in zip(estimation.sigmas, sigma, strict=True)}
    return {
        name: Residual(one.kind, {term: values.get(f"{name}.{term}", old) for term, old in one.sigma.items()})
        for name, one in estimation.residual.items()
    }
