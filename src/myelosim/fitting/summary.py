"""A fit in plain text: what was found, how sure, and what speaks against it."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from myelosim.data.study import ABOVE, BELOW
from myelosim.fitting.warning import AGAINST
from myelosim.spec.reach import reach
from myelosim.spec.scale import from_scale
from myelosim.writing import columns

if TYPE_CHECKING:
    from myelosim.fitting.result import Fit

METHODS = {
    "fo": "FO", "foce": "FOCE without interaction", "focei": "FOCE with interaction", "laplace": "Laplace",
    "agq": "adaptive Gauss-Hermite quadrature", "importance": "importance sampling", "saem": "SAEM", "nuts": "NUTS",
}  # fmt: skip
COVARIANCES = {"sandwich": "R^-1 S R^-1", "r": "R^-1", "s": "S^-1"}
WIDTH = 118
NONE = "-"
SAME = 0.1  # of the objective

Row = Sequence[str]


def summary(fit: Fit) -> str:
    """Return what a fit found as text: objective, estimates, how the search went, warnings, and what was taken for granted."""
    parts = [
        _head(fit), _thetas(fit), _etas(fit), _sigmas(fit), _search(fit), _warnings(fit), _assumed(fit),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def constant(fit: Fit) -> float:
    """Return n log(2 pi), by which the objective and -2 log L differ; values beyond a limit have no part in it."""
    censored = fit.study.observations.censored
    counted = int(np.count_nonzero((censored != BELOW) & (censored != ABOVE)))
    return counted * math.log(2.0 * math.pi)


def _head(fit: Fit) -> str:
    study, seen = fit.study, fit.study.observations
    who = int(np.unique(seen.subject).size)
    each = ", ".join(f"{int((seen.observable == name).sum())} of {name}" for name in study.observables)
    below = int((seen.censored == BELOW).sum())
    limits = (
        f", {below} of them below a limit of quantification ({fit.problem.estimation.blq.upper()})" if below else ""
    )
    prior = fit.problem.prior(fit.point)[0]
    believed = f"; {prior:.4f} of it are the priors'" if any(t.prior for t in fit.problem.estimation.thetas) else ""
    found = "evaluated, not searched for" if not fit.searched else "converged" if fit.converged else "NOT CONVERGED"
    why = f" ({_against(fit)})" if not fit.converged and fit.searched else ""
    return "\n".join(
        [
            fit.problem.model.title,
            f"{METHODS.get(fit.method, fit.method)}: {found}{why}",
            f"Data: {len(seen)} observations of {who} subjects: {each}{limits}",
            f"Objective: {fit.objective:.4f}{believed}; with n log(2 pi) {fit.objective + constant(fit):.4f}",
        ]
    )


def _against(fit: Fit) -> str:
    """Say why a fit is not converged."""
    codes = [one.code for one in fit.warnings if one.code in AGAINST and one.code != "not_converged"]
    stopped = fit.why if any(one.code == "not_converged" for one in fit.warnings) else ""
    said = [stopped, *(f"see the warning on {code}" for code in dict.fromkeys(codes))]
    return "; ".join(filter(None, said)) or fit.why


def _thetas(fit: Fit) -> str:
    table = fit.table
    own = table[table["kind"] == "theta"].set_index("name")
    level = 100.0 * table.attrs["level"]
    rows = [["", "estimate", "unit", "RSE %", f"{level:g} % interval", "prior"]]
    for theta in fit.problem.estimation.thetas:
        one = own.loc[theta.name]
        prior = NONE
        if theta.prior is not None:
            spread = f"sd {number(theta.prior[1])} on the {theta.scale} scale"
            prior = f"{number(float(from_scale(theta.prior[0], theta.scale)))}, {spread}"
        rows.append(
            [theta.name, number(one["estimate"], 4), theta.unit if theta.unit != "1" else "", number(one["rse"]),
             _between(one["low"], one["high"]), prior]
        )  # fmt: skip
    return aligned("Typical values", rows, left=(0, 2, 5)) if len(rows) > 1 else ""


def _etas(fit: Fit) -> str:
    table, estimation = fit.table, fit.problem.estimation
    own = table.set_index(["name", "scale"])
    shrunk = fit.shrinkage["sd"]
    rows = [["", "variance", "sd", "RSE % of variance", "shrinkage %"]]
    for kind, omega, values in (
        ("omega", estimation.omega, fit.omega),
        ("occasion", estimation.occasion, fit.occasion),
    ):
        for k, name in enumerate(omega.names):
            variance = float(values.iloc[k, k])
            key = (f"{kind} {name}", "variance")
            rse = number(own.loc[key, "rse"]) if key in own.index else "fixed"
            share = f"{100.0 * shrunk[name]:.0f}" if kind == "omega" and np.isfinite(shrunk[name]) else NONE
            called = name if kind == "omega" else f"{name}, between occasions"
            rows.append([called, number(variance, 4), number(math.sqrt(variance)), rse, share])
        for i, first in enumerate(omega.names):
            for j in range(i):
                covariance = float(values.iloc[i, j])
                if covariance == 0.0:
                    continue
                sizes = math.sqrt(values.iloc[i, i] * values.iloc[j, j])
                rows.append(
                    [f"{omega.names[j]} with {first}", number(covariance, 4), f"r {covariance / sizes:.2f}", "", ""]
                )
    return aligned("Differences between subjects", rows) if len(rows) > 1 else ""


def _sigmas(fit: Fit) -> str:
    own = fit.table[fit.table["kind"] == "sigma"].set_index("name")
    rows = [["", "sd", "unit", "RSE %"]]
    for sigma, value in zip(fit.problem.estimation.sigmas, fit.point.sigma, strict=True):
        known = sigma.name in own.index
        unit = str(own.loc[sigma.name, "unit"]) if known else ""
        rse = number(own.loc[sigma.name, "rse"]) if known else "fixed"
        rows.append([sigma.name, number(float(value), 4), unit if unit != "1" else "", rse])
    return aligned("Residual errors", rows, left=(0, 2)) if len(rows) > 1 else ""


def _search(fit: Fit) -> str:
    lines = []
    if fit.uncertainty is not None:
        kind = COVARIANCES.get(fit.uncertainty.kind, fit.uncertainty.kind)
        lines.append(f"Covariance: {kind}; condition number of the correlations {fit.uncertainty.condition:.3g}")
    elif fit.searched:
        lines.append("Covariance: not asked for, so no estimate has a standard error")
    if len(fit.starts):
        ends = fit.starts["objective"].to_numpy(float)
        near = int((ends < np.nanmin(ends) + SAME).sum())
        lines.append(f"Starts: {near} of {len(ends)} within {SAME:g} of the lowest, from {_listed(np.sort(ends))}")
    lines.append(f"Seed {fit.seed}; {fit.seconds:.1f} s")
    return "\n".join(lines)


def _listed(ends: np.ndarray, most: int = 5) -> str:
    shown = [
        f"{end:.3f}" if np.isfinite(end) else "none" for end in (ends if ends.size <= most else [ends[0], ends[-1]])
    ]
    return (", " if ends.size <= most else " to ").join(shown)


def _warnings(fit: Fit) -> str:
    if not fit.warnings:
        return "No warnings."
    lines = [
        line
        for one in fit.warnings
        for line in textwrap.wrap(str(one), WIDTH - 2, initial_indent="! ", subsequent_indent="    ")
    ]
    return "\n".join([f"Warnings: {len(fit.warnings)}", *lines])


def _assumed(fit: Fit) -> str:
    """Say which values the fit rests on without having looked at them."""
    model, estimation = fit.problem.model, fit.problem.estimation
    free = {theta.name for theta in estimation.thetas}
    read = reach(model, fit.study.observables, fit.study.dosed).all
    held = [name for name in model.parameters if name in read and name not in free and name not in fit.study.values]
    assumed = [name for name in held if model.parameters[name].evidence == "assumed"]
    parts = [f"{len(held)} parameters were held where the model has them, {len(assumed)} of these are assumed"]
    if fit.study.values:
        parts.append(f"taken from the data: {', '.join(fit.study.values)}")
    still = {name for name, one in model.parameters.items() if one.omega_sd > 0 and name in held} - {
        *estimation.omega.names, *estimation.occasion.names
    }  # fmt: skip
    if still:
        parts.append(f"taken as the same in all subjects: {', '.join(sorted(still))}")
    lines = [f"Taken for granted: {'; '.join(parts)}."]
    lines += [f"Assumed: {', '.join(assumed)}."] if assumed else []
    return "\n".join(line for text in lines for line in textwrap.wrap(text, WIDTH, subsequent_indent="  "))


def _between(low: float, high: float) -> str:
    return f"{number(low)} to {number(high)}" if np.isfinite([low, high]).all() else NONE


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, "-" for none.

    Examples
    --------
    >>> number(123.456), number(0.0123456, 4), number(float("nan")), number(2.5e7)
    ('123', '0.01235', '-', '2.5e+07')
    """
    if not np.isfinite(value):
        return NONE
    size = 0 if value == 0 else math.floor(math.log10(abs(value)))
    if not -4 <= size < 6:
        return f"{value:.{digits}g}"
    return f"{value:.{max(0, digits - 1 - size)}f}"


def aligned(title: str, rows: Sequence[Row], left: Sequence[int] = (0,)) -> str:
    """Return rows as a table, the first the headings; columns in ``left`` are left-aligned."""
    above = len(title) > max(len(row[0]) for row in rows)
    lines = columns(rows if above else [[title, *rows[0][1:]], *rows[1:]], left)
    return "\n".join([title, *lines] if above else lines)
