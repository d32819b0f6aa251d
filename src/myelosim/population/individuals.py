"""Subjects: from typical values and variability to individual parameters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from myelosim.components.contract import Declared
from myelosim.errors import DataError, SpecError
from myelosim.random import normals
from myelosim.spec.change import full_name
from myelosim.spec.check import factor_problem, value_problem
from myelosim.spec.declared import of_model as declared_of
from myelosim.spec.document import is_number
from myelosim.spec.literal import found
from myelosim.spec.model import Model, Parameter
from myelosim.spec.subjects import covariate_limits

__all__ = ["ATTEMPTS", "Population", "covariates", "draw", "from_frame", "individual", "mixing"]

ATTEMPTS = 1000

Values = dict[str, Any]
"""Name to a float (the same for everybody) or an array with one value per subject."""


@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """Subjects of a seed: 0..size-1, or from ``first`` on.

    Parameters
    ----------
    size : int
        How many, at least one. A subject is the same in every population of the same seed.
    seed : int
        Names the draw.
    covariates : mapping, optional
        Covariate -> one value for all, or one per subject. What is not given is the model's typical subject.
    first : int
        Who the first one is: a part of a larger population.

    Examples
    --------
    >>> Population(100, seed=1).size
    100
    """

    size: int
    seed: int = 0
    covariates: Mapping[str, Any] = field(default_factory=dict)
    first: int = 0

    def __post_init__(self) -> None:
        for name, value, low in (("size", self.size, 1), ("seed", self.seed, 0), ("first", self.first, 0)):
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= value < 2**64:
                raise SpecError(f"population: {name} = {found(value)} is not a whole number from {low} to 2^64 - 1")
        checked = {name: _column(name, value, self.size) for name, value in (self.covariates or {}).items()}
        object.__setattr__(self, "covariates", checked)


def covariates(model: Model, population: Population, pad: int = 0) -> Values:
    """Give every covariate of the model or the population: a float or text for all, or an array (size + pad).

    Subjects beyond ``size`` repeat the population's first ones.
    """
    every: Values = dict(model.subjects.covariates)
    for name, value in population.covariates.items():
        every[name] = np.resize(value, population.size + pad) if isinstance(value, np.ndarray) else value
    return every


def draw(model: Model, population: Population, pad: int = 0) -> Values:
    """Draw individual parameters.

    A typical value moves with its covariates and then by its eta: ``value * exp(eta)`` on the log scale,
    ``expit(logit(value) + eta)`` on the logit scale, ``value + eta`` on the identity scale. Each parameter has its own
    stream, so that another parameter's variability changes nothing here; correlated parameters mix theirs. A subject
    outside the floor or ceiling of any parameter gets a new set of all its etas, unless it is to be clipped.

    Parameters
    ----------
    model : Model
        Values, standard deviations, bounds, covariate relations and correlations.
    population : Population
        Who.
    pad : int
        Further subjects to fill a group of lanes: those that a larger population would hold next.

    Returns
    -------
    dict
        Parameter name -> float where all subjects share it, else array (size + pad), in the parameter's unit.

    Raises
    ------
    SpecError
        If the correlations are impossible, a covariate is missing, or subjects stay outside the bounds.
    """
    size = population.size + pad
    about = covariates(model, population, pad)
    typical = {name: _typical(name, parameter, about) for name, parameter in model.parameters.items()}
    varying = [name for name, parameter in model.parameters.items() if parameter.omega_sd > 0]
    mixes = mixing(varying, model.correlation)
    values: Values = dict(typical)
    rows = np.arange(size)
    for attempt in range(ATTEMPTS):
        etas = _etas(population.seed, varying, mixes, attempt, population.first + rows)
        for name in varying:
            parameter = model.parameters[name]
            middle = typical[name][rows] if isinstance(typical[name], np.ndarray) else typical[name]
            drawn = individual(name, parameter, middle, parameter.omega_sd * etas[name])
            if attempt == 0:
                values[name] = drawn
            else:
                values[name][rows] = drawn
        rows = rows[_outside(model, values, rows)]
        if rows.size == 0:
            return _clipped(model, values)
    raise SpecError(_never_inside(model, values, int(rows[0]), population.first))


def from_frame(model: Model, frame: pd.DataFrame) -> Values:
    """Read individuals from a table: one row a subject, parameters and covariates as columns.

    What has no column is the model's typical value, moved by the row's covariates; the table's own values are taken as
    they are, inside or outside floors, if the model itself could have them.

    Parameters
    ----------
    model : Model
        Whose parameters the columns name, in full or by an alias (``drug.ec50``).
    frame : pandas.DataFrame
        Numbers in the parameters' units.

    Returns
    -------
    dict
        As from `draw`.

    Raises
    ------
    DataError
        If a column is unknown or double, or a value is missing, not a number or out of the parameter's bounds.
    """
    if len(frame) == 0:
        raise DataError("individuals: the table has no rows; give one row per subject")
    given, about = _columns(model, frame)
    every = {**model.subjects.covariates, **about}
    where = "row {row}, column {covariate}"
    try:
        values = {name: _typical(name, p, every, where) for name, p in model.parameters.items() if name not in given}
    except SpecError as error:
        raise DataError(f"individuals: {error}") from None
    return {name: given.get(name, values.get(name)) for name in model.parameters}


def _column(name: str, value: Any, size: int) -> Any:
    """Return a covariate as a scalar or as an array (size) of floats or text."""
    if isinstance(value, str):
        return value
    if np.ndim(value) == 0 and not (is_number(value) and _possible(name, value)):
        raise SpecError(
            f"population: covariate {name} = {found(value)} is not possible; give a number in the model's unit, or text"
        )
    if np.ndim(value) == 0:
        return float(value)
    column = np.array(value)
    if column.shape != (size,):
        raise SpecError(
            f"population: covariate {name} has shape {column.shape}; give one value, or one per subject ({size})"
        )
    if column.dtype.kind in "iufb":
        column = column.astype(np.float64)
        if not np.all(np.isfinite(column)):
            raise SpecError(f"population: covariate {name} of subject {int(np.argmin(np.isfinite(column)))} is missing")
        if not np.all(good := _possible(name, column)):
            row = int(np.argmin(good))
            raise SpecError(f"population: covariate {name} of subject {row}, {column[row]:g}, is not possible")
    return column


def _possible(name: str, values: Any) -> Any:
    """Tell which values a covariate can have."""
    low, high = covariate_limits(name)
    return (low <= values) & (values <= high)


def _typical(name: str, parameter: Parameter, about: Mapping[str, Any], where: str = "subject {row}") -> Any:
    """Return the typical value, a float or one per subject, under the covariates."""
    value: Any = float(parameter.value)
    for covariate, relation in parameter.covariates.items():
        if covariate not in about:
            raise SpecError(
                f"{name} depends on {covariate}, which neither the model nor the population gives; "
                f"add it to the model's covariates or write Population(..., covariates={{'{covariate}': ...}})"
            )
        times = np.atleast_1d(factor(name, covariate, relation, about[covariate]))
        for row in dict.fromkeys((int(times.argmin()), int(times.argmax()))):
            own = np.atleast_1d(about[covariate])[row].item() if np.ndim(about[covariate]) else about[covariate]
            if sentence := factor_problem(covariate, own, float(times[row])):
                raise SpecError(f"{where.format(row=row, covariate=covariate)}: {name} {sentence}")
        value = value * (times if np.ndim(about[covariate]) else float(times[0]))
    return value


def factor(name: str, covariate: str, relation: Mapping[str, float], x: Any) -> Any:
    """Return what a covariate multiplies a parameter by, for one subject or an array of them."""
    if "exponent" in relation:
        return (x / relation["reference"]) ** relation["exponent"]
    if "slope" in relation:
        return 1.0 + relation["slope"] * (x - relation["reference"])
    unknown = sorted(set(np.atleast_1d(x).tolist()) - set(relation))
    if unknown:
        raise SpecError(f"{name}: {covariate} {unknown[0]!r} has no factor; known: {', '.join(map(str, relation))}")
    if isinstance(x, np.ndarray):
        return np.array([relation[category] for category in x.tolist()], dtype=np.float64)
    return float(relation[x])


def mixing(varying: list[str], pairs: Mapping[tuple[str, str], float]) -> dict[str, list[tuple[str, float]]]:
    """Return, per varying parameter, the weights of the independent streams it is made of."""
    correlation = np.eye(len(varying))
    for (first, second), value in pairs.items():
        for name in (first, second):
            if name not in varying:
                raise SpecError(
                    f"correlation between {first} and {second}: {name} does not vary, or is not a parameter"
                )
        i, j = varying.index(first), varying.index(second)
        correlation[i, j] = correlation[j, i] = value
    try:
        lower = np.linalg.cholesky(correlation)
    except np.linalg.LinAlgError:
        least = float(np.linalg.eigvalsh(correlation)[0])
        names = sorted({name for pair in pairs for name in pair})
        raise SpecError(
            f"the correlations of {', '.join(names)} cannot hold together "
            f"(smallest eigenvalue {least:.3g}); make them smaller or add the missing ones"
        ) from None
    return {
        name: [(varying[j], float(lower[i, j])) for j in range(i + 1) if lower[i, j] != 0.0]
        for i, name in enumerate(varying)
    }


def _etas(
    seed: int,
    varying: list[str],
    mixes: dict[str, list[tuple[str, float]]],
    attempt: int,
    rows: NDArray[np.intp],
) -> dict[str, NDArray[np.float64]]:
    """Return standardized etas of some subjects; a matrix product would make their bits depend on the size."""
    needed = int(rows[-1]) + 1 if rows.size else 0
    z = {name: normals(seed, "eta", needed, 1, name, attempt, rows=rows)[:, 0] for name in varying}
    return {name: sum((weight * z[other] for other, weight in parts), 0.0 * z[name]) for name, parts in mixes.items()}


def individual(name: str, parameter: Parameter, typical: Any, eta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return values moved from the typical one by etas, on the parameter's scale."""
    if parameter.scale == "log":
        return np.asarray(typical * np.exp(eta))
    if parameter.scale == "identity":
        return np.asarray(typical + eta)
    if parameter.scale == "logit":
        if not np.all((typical > 0) & (typical < 1)):
            raise SpecError(
                f"{name}: varies on the logit scale, so its value must lie between 0 and 1, not {parameter.value:g}"
            )
        return np.asarray(1.0 / (1.0 + np.exp(-eta) * (1.0 - typical) / typical))
    raise SpecError(f"{name}: scale {parameter.scale!r} is not known; use 'log', 'logit' or 'identity'")


def _bounds(parameter: Parameter) -> tuple[float, float]:
    low = -np.inf if parameter.floor is None else parameter.floor
    return low, np.inf if parameter.ceiling is None else parameter.ceiling


def _bounded(model: Model) -> dict[str, tuple[float, float]]:
    return {
        name: _bounds(parameter)
        for name, parameter in model.parameters.items()
        if (parameter.floor is not None or parameter.ceiling is not None) and not parameter.clip
    }


def _outside(model: Model, values: Values, rows: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Return which of the rows have a parameter outside its bounds that a new draw can bring inside."""
    outside = np.zeros(rows.size, dtype=bool)
    for name, (low, high) in _bounded(model).items():
        value = values[name][rows] if isinstance(values[name], np.ndarray) else values[name]
        beyond = np.broadcast_to((value < low) | (value > high), rows.shape)
        if model.parameters[name].omega_sd <= 0 and np.any(beyond):
            raise SpecError(_never_inside(model, values, int(rows[np.argmax(beyond)])))
        outside |= beyond
    return outside


def _clipped(model: Model, values: Values) -> Values:
    for name, parameter in model.parameters.items():
        if parameter.clip:
            clipped = np.clip(values[name], *_bounds(parameter))
            values[name] = clipped if isinstance(values[name], np.ndarray) else float(clipped)
    return values


def _never_inside(model: Model, values: Values, row: int, first: int = 0) -> str:
    worst = []
    for name, (low, high) in _bounded(model).items():
        value = values[name][row] if isinstance(values[name], np.ndarray) else values[name]
        if not low <= value <= high:
            worst.append(f"{name} = {value:.4g} (allowed {low:g} to {high:g})")
    return (
        f"subject {first + row} is outside the bounds after {ATTEMPTS} draws, or has no variability to leave them: "
        f"{', '.join(worst)}; move floor or ceiling away from the typical value"
    )


def _columns(model: Model, frame: pd.DataFrame) -> tuple[Values, Values]:
    """Return what a table says of parameters and of covariates."""
    given: Values = {}
    about: Values = {}
    asked = declared_of(model)
    for column in frame.columns:
        name = _name(model, str(column))
        into = given if name in model.parameters else about
        if name in into:
            raise DataError(f"individuals: two columns give {name}; keep one")
        if _is_text(model, name):
            present, into[name] = frame[column].notna().to_numpy(), frame[column].to_numpy(dtype=str)
        else:
            into[name] = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64)
            present = np.isfinite(into[name])
        if not np.all(present):
            row = int(np.argmin(present))
            raise DataError(
                f"individuals: row {row}, column {column}: {found(frame[column].iloc[row])} is not a value; "
                "every subject needs one there"
            )
        if name in asked:
            _in_bounds(name, str(column), into[name], asked[name])
        elif not _is_text(model, name) and not np.all(good := _possible(name, into[name])):
            row = int(np.argmin(good))
            raise DataError(f"individuals: row {row}, column {column}: {into[name][row]:g} is not possible")
    return given, about


def _in_bounds(name: str, column: str, values: NDArray[np.float64], asked: Declared) -> None:
    """Refuse individual values that the model itself could not have; its bounds are intervals, so that extremes tell."""
    nearest = np.where(values == 0.0, np.inf, np.abs(values))
    for row in map(int, (values.argmin(), values.argmax(), nearest.argmin())):
        if sentence := value_problem(name, float(values[row]), asked):
            raise DataError(f"individuals: row {row}, column {column}: {sentence}")


def _is_text(model: Model, name: str) -> bool:
    relations = [parameter.covariates.get(name) for parameter in model.parameters.values()]
    categorical = any(relation is not None and "reference" not in relation for relation in relations)
    return categorical or isinstance(model.subjects.covariates.get(name), str)


def _name(model: Model, column: str) -> str:
    """Return the parameter or covariate that a column means."""
    used = {name for parameter in model.parameters.values() for name in parameter.covariates}
    if column in model.parameters or column in model.subjects.covariates or column in used:
        return column
    try:
        return full_name(model, column)
    except SpecError as error:
        about = sorted({*model.subjects.covariates, *used})
        also = f"; covariates: {', '.join(about)}" if about else ""
        raise DataError(f"individuals: column '{column}': {error}{also}") from None
