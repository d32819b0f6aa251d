"""A fit in the shape of NONMEM's tables ``.ext`` and ``.phi``, for tools that read these.

Thetas are in their units, omegas variances and covariances, sigmas the variances of terms (squares of what this package calls
sigma). Rows of ``.ext`` are told apart by iteration: -1000000000 the estimates, -1000000001 their standard errors,
-1000000002 eigenvalues and -1000000003 the condition number of the correlations of the estimates, -1000000004 omegas and
sigmas as standard deviations and correlations, -1000000005 the standard errors of these, -1000000006 what is held (1).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from myelosim.fitting.objective import Linearized

if TYPE_CHECKING:
    from myelosim.fitting.result import Fit

FINAL, ERRORS, VALUES, CONDITION, SPREADS, SPREAD_ERRORS, HELD = (-1000000000 - k for k in range(7))
UNKNOWN = 1e10  # standard error of what is not estimated
GOALS = {
    "foce": "First Order Conditional Estimation", "focei": "First Order Conditional Estimation with Interaction",
    "importance": "Objective Function Evaluation by Importance Sampling",
    "saem": "Stochastic Approximation Expectation-Maximization",
}  # fmt: skip


def ext(fit: Fit) -> str:
    """Return the estimates as an ``.ext`` table."""
    columns = list(_columns(fit))
    rows = {
        FINAL: [value for _, value, *_ in columns],
        ERRORS: [error for _, _, error, *_ in columns],
        SPREADS: [spread for *_, spread, _, _ in columns],
        SPREAD_ERRORS: [error for *_, error, _ in columns],
        HELD: [held for *_, held in columns],
    }
    found = fit.uncertainty
    if found is not None:
        values = np.linalg.eigvalsh(np.nan_to_num(found.correlation))
        padded = np.zeros(len(columns))
        padded[: values.size] = values[: len(columns)]
        rows[VALUES] = padded.tolist()
        rows[CONDITION] = [found.condition, *values[[0, -1]], *([0.0] * len(columns))][: len(columns)]
    else:
        rows.pop(ERRORS)
        rows.pop(SPREAD_ERRORS)
    lines = [_title(fit), _line("ITERATION", *(name for name, *_ in columns), "OBJ")]
    for key in sorted(rows, reverse=True):
        lines.append(_line(key, *rows[key], f"{fit.objective if key == FINAL else 0.0:.8f}"))
    return "\n".join(lines) + "\n"


def phi(fit: Fit) -> str:
    """Return the etas of those observed, and their conditional covariances, as a ``.phi`` table."""
    problem, etas = fit.problem, fit.b.shape[1]
    value = Linearized(problem, fit.method != "foce", fit.b.copy()).value(fit.x)
    spread = np.linalg.inv(value.modes.information)
    pairs = [(i, j) for i in range(etas) for j in range(i + 1)]
    names = [*(f"ETA({k + 1})" for k in range(etas)), *(f"ETC({i + 1},{j + 1})" for i, j in pairs)]
    lines = [_title(fit), _line("SUBJECT_NO", "ID", *names, "OBJ")]
    for number, who in enumerate(np.unique(fit.study.observations.subject).tolist(), start=1):
        own = [spread[who, i, j] for i, j in pairs]
        lines.append(
            _line(number, _numeric(fit.study.subjects[who], number), *fit.b[who], *own, f"{value.each[who]:.8f}")
        )
    return "\n".join(lines) + "\n"


def legend(fit: Fit) -> dict[str, str]:
    """Return what NONMEM's names of columns stand for."""
    estimation = fit.problem.estimation
    random = fit.problem.predictor.mixed.random_names
    return {
        **{f"THETA{k}": theta.name for k, theta in enumerate(estimation.thetas, start=1)},
        **{f"ETA({k})": name for k, name in enumerate(random, start=1)},
        **{f"SIGMA({k},{k})": f"{sigma.name}, squared" for k, sigma in enumerate(estimation.sigmas, start=1)},
    }


def _columns(fit: Fit) -> Iterator[tuple[str, float, float, float, float, float]]:
    """Yield name, value, its error, value as a standard deviation or correlation, its error, and whether it is held."""
    estimation, table = fit.problem.estimation, fit.table.set_index(["name", "scale"])["se"]
    errors = {key: float(value) if np.isfinite(value) else UNKNOWN for key, value in table.items()}
    for k, theta in enumerate(estimation.thetas, start=1):
        value, error = fit.theta[theta.name], errors[theta.name, theta.scale]
        yield f"THETA{k}", value, error, value, error, 0.0
    for i, (sigma, value) in enumerate(zip(estimation.sigmas, fit.point.sigma.tolist(), strict=True), start=1):
        for j in range(1, i):
            yield f"SIGMA({i},{j})", 0.0, UNKNOWN, 0.0, UNKNOWN, 1.0
        error = errors.get((sigma.name, sigma.scale), UNKNOWN)
        squared = 2.0 * value * error if error < UNKNOWN else UNKNOWN
        yield f"SIGMA({i},{i})", value * value, squared, value, error, float(not sigma.free)
    for i, first in enumerate(estimation.omega.names):
        for j, second in enumerate(estimation.omega.names[: i + 1]):
            value = float(fit.point.omega[i, j])
            own = f"omega {first}" if i == j else f"omega {first}, {second}"
            kinds = ("variance", "sd") if i == j else ("covariance", "correlation")
            size = np.sqrt(fit.point.omega[i, i] * fit.point.omega[j, j])
            spread = np.sqrt(value) if i == j else value / size if size > 0 else 0.0
            error, other = (errors.get((own, kind), UNKNOWN) for kind in kinds)
            yield f"OMEGA({i + 1},{j + 1})", value, error, float(spread), other, float(not estimation.omega.free[i, j])


def _title(fit: Fit) -> str:
    goal = GOALS.get(fit.method, fit.method)
    return (
        f"TABLE NO.     1: {goal}: Goal Function=MINIMUM VALUE OF OBJECTIVE FUNCTION: Problem=1 Subproblem=0 "
        "Superproblem1=0 Iteration1=0 Superproblem2=0 Iteration2=0"
    )


def _line(*cells: object) -> str:
    return "".join(f" {_cell(cell):<13}" for cell in cells).rstrip()


def _cell(cell: object) -> str:
    return f"{cell:.6E}" if isinstance(cell, float) else str(cell)


def _numeric(name: str, number: int) -> str:
    try:
        float(name)
    except ValueError:
        return str(number)
    return name
