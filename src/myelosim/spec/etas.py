"""Variances and covariances of etas: what a fit begins with, and which of them it estimates."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from myelosim.spec.check import MOST_OMEGA
from myelosim.spec.document import Findings, is_number, suggestion
from myelosim.spec.estimation import Omega
from myelosim.spec.lines import Path
from myelosim.spec.literal import found
from myelosim.spec.model import Model
from myelosim.spec.named import parameter_name
from myelosim.spec.reach import Reach
from myelosim.spec.scale import on_scale

_ENTRY = {"variance", "fixed"}
COVARIANCES = (
    'for covariances give {"a": {"a": 0.1, "b": 0.02}, "b": 0.04} or (["a", "b"], [[0.1, 0.02], [0.02, 0.04]])'
)
NONE = Omega((), np.zeros((0, 0)), np.zeros((0, 0), dtype=bool))


@dataclass(frozen=True)
class Known:
    """What etas are asked of: the model, what observations speak of, and what data columns give.

    ``undosed`` are the parameters that observations would speak of, were every drug of the model given.
    """

    model: Model
    reach: Reach
    given: Collection[str]
    undosed: Collection[str] = ()

    def silent(self, name: str) -> str:
        """Return why observations tell nothing of a parameter, empty if they do."""
        if name in self.reach.all:
            return ""
        drug = name.partition(".")[0]
        if name in self.undosed and drug in self.model.drugs:
            return f"belongs to {drug}, of which the data hold no dose; add the doses, or leave it out"
        return "changes nothing that is observed; leave it out"


def usual_omega(known: Known) -> Omega:
    """Return the model's own etas of everything that the observations depend on and no data column gives.

    Those of the kinetics of a drug without concentrations stay as they are, since nothing tells their variance from that of the
    effect; a supportive drug without concentrations has none.
    """
    model, own = known.model, set(known.reach.own)
    supportive = {drug.name for drug in model.drugs.values() if drug.supportive}
    names = tuple(
        name
        for name, parameter in model.parameters.items()
        if parameter.omega_sd > 0
        and name in (known.reach.own if name.partition(".")[0] in supportive else known.reach.all)
        and name not in known.given
    )
    sd = np.array([model.parameters[name].omega_sd for name in names])
    correlation = correlations(names, model.correlation)
    moves = np.array([name in own for name in names], dtype=bool)
    return Omega(names, correlation * np.outer(sd, sd), (correlation != 0) & np.outer(moves, moves))


def correlations(names: Sequence[str], pairs: Mapping[tuple[str, str], float]) -> np.ndarray:
    """Return the matrix of the correlations that pairs of some names have."""
    matrix = np.eye(len(names))
    for (first, second), value in pairs.items():
        if first in names and second in names:
            i, j = names.index(first), names.index(second)
            matrix[i, j] = matrix[j, i] = value
    return matrix


def read_omega(known: Known, omega: Any, findings: Findings, argument: str = "omega") -> Omega:
    """Read variances, and covariances, as an argument gives them.

    Parameters
    ----------
    known : Known
        What may vary.
    omega : mapping, pandas.DataFrame or (names, matrix)
        Name -> variance, or ``{"variance": 0.04, "fixed": True}``; or name -> mapping of names, for covariances. In a
        matrix the covariances that are not zero (nor missing) are estimated.
    findings : Findings
        Where to say what is wrong.
    argument : str
        What the argument is called.
    """
    table = _rows(omega, findings, argument)
    names: dict[str, str] = {}
    for name in table:
        full = _varying(known, name, findings, (argument, str(name)))
        if full in names.values():
            findings.add((argument, str(name)), f"is {full}, which is given twice")
        elif full is not None:
            names[name] = full
    order = list(names.values())
    start, free = np.zeros((len(order), len(order))), np.zeros((len(order), len(order)), dtype=bool)
    for row, (name, full) in enumerate(names.items()):
        for other, entry in table[name].items():
            path = (argument, name) if other == name else (argument, name, str(other))
            column = _column(known, other, names, findings, path)
            if column is None:
                continue
            value, fixed = read_variance(entry, findings, path)
            if column == row:
                check_variance(known.model, full, value, findings, path)
            elif start[column, row] and start[column, row] != value:
                findings.add(path, f"{value:g} is not the {start[column, row]:g} given for the same pair before")
            start[row, column] = start[column, row] = value
            free[row, column] = free[column, row] = not fixed
        if name not in table[name]:
            findings.add((argument, name), "has covariances and no variance; add its own to them")
    diagonal = free.diagonal()
    free = free & np.outer(diagonal, diagonal)
    made = Omega(tuple(order), start, free)
    if order and not findings.messages and np.linalg.eigvalsh(start)[0] <= 1e-12 * start.diagonal().min():
        findings.add((argument,), _together(order, start))
    return made


def _together(names: Sequence[str], matrix: np.ndarray) -> str:
    """Say which covariances are too large: those of a pair, or else of all whose eigenvector is that of the least eigenvalue."""
    sd = np.sqrt(matrix.diagonal())
    correlation = matrix / np.outer(sd, sd)
    i, j = divmod(int(np.argmax(np.abs(np.triu(correlation, 1)))), len(names))
    if abs(correlation[i, j]) >= 1.0:
        return (
            f"the covariance of {names[i]} and {names[j]}, {matrix[i, j]:g}, is too large for their variances; it must be "
            f"less than {sd[i] * sd[j]:g}"
        )
    weight = np.abs(np.linalg.eigh(correlation)[1][:, 0])
    which = [name for name, one in zip(names, weight, strict=True) if one > 0.1]
    return f"the covariances of {', '.join(which)} cannot hold together; make them smaller"


def read_iov(known: Known, iov: Any, findings: Findings) -> Omega:
    """Read the variances between the occasions of a subject: name -> variance, without covariances; "model" for its own."""
    if isinstance(iov, str) and iov == "model":
        every = known.model.parameters.items()
        iov = {name: one.occasion_sd**2 for name, one in every if one.occasion_sd > 0 and name in known.reach.own}
        iov = {name: variance for name, variance in iov.items() if name not in known.given}
    made = read_omega(known, iov, findings, "iov")
    if np.any(made.start != np.diag(made.start.diagonal())):
        findings.add(("iov",), "has covariances; between occasions give one variance a parameter")
    return made


def _rows(omega: Any, findings: Findings, argument: str) -> dict[str, dict[str, Any]]:
    """Return every form as name -> {name -> entry}."""
    if isinstance(omega, Mapping):
        for name in [name for name in omega if not isinstance(name, str)]:
            findings.add((argument,), f"{found(name)} is not the name of a parameter; {COVARIANCES}")
        omega = {name: entry for name, entry in omega.items() if isinstance(name, str)}
        return {
            name: dict(entry) if isinstance(entry, Mapping) and not set(entry) <= _ENTRY else {name: entry}
            for name, entry in omega.items()
        }
    if hasattr(omega, "columns") and hasattr(omega, "to_numpy"):
        names, matrix = list(omega.columns), omega.to_numpy()
        if list(omega.index) != names:
            findings.add((argument,), "is a table whose rows are not called as its columns; give both the same names")
            return {}
    elif isinstance(omega, tuple | list) and len(omega) == 2:
        names, matrix = list(omega[0]), np.asarray(omega[1], dtype=float)
    else:
        findings.add((argument,), f"{found(omega)} is neither name -> variance nor (names, matrix); give one of them")
        return {}
    matrix = np.where(np.isfinite(matrix), matrix, 0.0)
    if matrix.shape != (len(names), len(names)) or not np.allclose(matrix, matrix.T, rtol=1e-9, atol=0.0):
        findings.add((argument,), f"is no symmetric matrix of the {len(names)} names; give a row and a column for each")
        return {}
    return {
        name: {other: float(matrix[i, j]) for j, other in enumerate(names) if i == j or matrix[i, j] != 0.0}
        for i, name in enumerate(names)
    }


def _varying(known: Known, name: Any, findings: Findings, path: Path) -> str | None:
    """Return the full name of a parameter that can have an eta."""
    full = parameter_name(known.model, name, findings, path)
    if full is None:
        return None
    parameter = known.model.parameters[full]
    if full in known.given:
        findings.add(path, "is given by a data column, subject by subject; leave it out here, or the column out there")
    elif sentence := known.silent(full):
        findings.add(path, sentence)
    elif not on_scale(parameter.value, parameter.scale):
        findings.add(path, f"{parameter.value:g} cannot vary on the {parameter.scale} scale; change its value or scale")
    else:
        return full
    return None


def _column(known: Known, name: Any, names: Mapping[str, str], findings: Findings, path: Path) -> int | None:
    """Return the place of an eta in the order of all."""
    if name in names:
        return list(names.values()).index(names[name])
    full = parameter_name(known.model, name, findings, path)
    if full in names.values():
        return list(names.values()).index(str(full))
    if full is not None:
        findings.add(path, f"has no variance of its own{suggestion(str(name), names)}")
    return None


def read_variance(entry: Any, findings: Findings, path: Path) -> tuple[float, bool]:
    """Read a variance: a number, or a mapping that says whether it is fixed, too."""
    said = entry if isinstance(entry, Mapping) else {"variance": entry}
    value: Any = said.get("variance")
    fixed = said.get("fixed", False)
    if isinstance(value, np.generic):
        value = value.item()
    if not set(said) <= _ENTRY or not isinstance(fixed, bool) or not is_number(value) or not math.isfinite(value):
        findings.add(path, f"{found(entry)} is not a variance; give a number, or {{ variance = 0.04, fixed = true }}")
        return math.nan, fixed is True
    return float(value), fixed


def check_variance(model: Model, name: str, value: float, findings: Findings, path: Path) -> None:
    """Note a variance that no eta can have."""
    if value <= 0:
        findings.add(path, f"{value:g} is not a variance; it must be above 0 (leave {name} out to have no eta)")
    elif model.parameters[name].scale != "identity" and value > MOST_OMEGA**2:
        findings.add(path, f"{value:g} cannot be meant; it must be at most {MOST_OMEGA**2:.2f} (a cv of 10)")
