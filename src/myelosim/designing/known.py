"""Information that is there before a study: of an earlier fit or design, or of the model's own standard errors."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from myelosim.designing.design import Design
from myelosim.designing.question import Question
from myelosim.errors import SpecError
from myelosim.fitting import Fit
from myelosim.fitting.save import ABOUT, INFORMATION
from myelosim.spec.document import shown, suggestion
from myelosim.spec.library import load_model
from myelosim.spec.model import Model
from myelosim.spec.scale import slope

FAR = 0.05  # of what was found, by which a value is another one
WIDER = 0.2  # of a variance that was found, by which it is another one
NO_COVARIANCE = "the fit has no covariance matrix; fit again with covariance='r' or 'sandwich'"


@dataclass(frozen=True)
class Earlier:
    """What an earlier study told: its information, named; the typical values it found, and which of them it had beliefs about.

    ``variances`` are those of etas and of errors that it found. ``doubt`` says why it may not be believed, where anything does.
    """

    information: pd.DataFrame
    theta: Mapping[str, float]
    believed: frozenset[str] = frozenset()
    doubt: str = ""
    variances: Mapping[str, float] = field(default_factory=dict)


def information(question: Question, prior: Any) -> Question:
    """Return the question with the information that ``prior`` holds, and what is to be said of that.

    What is not estimated here counts as unknown. Beliefs about a theta that the earlier study had, too, count once.

    Parameters
    ----------
    prior : Fit, Design, Model, pandas.DataFrame, "model", or the path of a fit's folder or of a model
        See :func:`myelosim.designing.evaluate.evaluate_design`.

    Raises
    ------
    SpecError
        It is none of these, has no covariance, or names nothing that is estimated here.
    """
    earlier = _earlier(question, prior)
    found = earlier.information
    names = [str(name) for name in found.columns]
    if list(map(str, found.index)) != names or not np.allclose(found, found.T, rtol=1e-6, atol=1e-12, equal_nan=False):
        raise SpecError("prior: is no symmetric table whose rows are named as its columns")
    size = np.sqrt(np.abs(np.diag(found))) + 1e-300
    if np.linalg.eigvalsh(found.to_numpy(float) / np.outer(size, size))[0] < -1e-6:
        raise SpecError("prior: is no information, as it has a negative eigenvalue; give an inverse covariance")
    if not set(names) & set(question.names):
        first = names[0] if names else ""
        raise SpecError(f"prior: nothing in it is estimated here{suggestion(first, question.names)}")
    own = _marginal(found, [name for name in question.names if name in names])
    total = own.reindex(index=question.names, columns=question.names, fill_value=0.0).to_numpy(float)
    thetas = tuple(
        replace(one, prior=None) if one.name in earlier.believed else one for one in question.estimation.thetas
    )
    return replace(
        question, prior=total if question.prior is None else question.prior + total, doubts=tuple(_doubts(question, earlier)),
        estimation=replace(question.estimation, thetas=thetas),
    )  # fmt: skip


def _earlier(question: Question, prior: Any) -> Earlier:
    """Return what an earlier study told, whatever it is given as."""
    if isinstance(prior, str) and prior == "model":
        return replace(_of_model(question, question.model), theta={})
    if isinstance(prior, Model):
        return _of_model(question, prior)
    if isinstance(prior, Fit):
        if prior.information is None:
            raise SpecError(f"prior: {NO_COVARIANCE}")
        believed = frozenset(one.name for one in prior.problem.estimation.thetas if one.prior is not None)
        doubt = "" if prior.converged else prior.why or "?"
        return Earlier(prior.information, prior.theta, believed, doubt, _variances(prior.table))
    if isinstance(prior, Design):
        thetas = prior.question.estimation.thetas
        believed = frozenset(one.name for one in thetas if one.prior is not None)
        variances = dict(zip(prior.names[len(thetas) :], prior.question.values[len(thetas) :].tolist(), strict=True))
        return Earlier(prior.fim, {one.name: one.start for one in thetas}, believed, variances=variances)
    if isinstance(prior, pd.DataFrame):
        return Earlier(prior, {})
    if isinstance(prior, str | os.PathLike):
        return _of_path(question, Path(prior))
    raise SpecError(
        f"prior: a {type(prior).__name__} holds no information; give a fit or its folder, a design, a model, a table, or "
        '"model"'
    )


def _of_path(question: Question, path: Path) -> Earlier:
    """Return what the folder of a fit holds, or the standard errors of a model's file."""
    about = path / ABOUT
    if not about.is_file():
        try:
            return _of_model(question, load_model(path / "model.toml" if path.is_dir() else path))
        except SpecError as error:
            if not path.exists():
                raise SpecError(
                    f'prior: there is no folder {shown(path)}; give that of a fit, as results/NAME, a model\'s file, or "model"'
                ) from None
            raise SpecError(str(error) if str(error).startswith("prior") else f"prior: {error}") from None
    table = path / INFORMATION
    if not table.is_file():
        raise SpecError(f"prior: {shown(path)}: {NO_COVARIANCE}")
    try:
        said, held = json.loads(about.read_text(encoding="utf-8")), pd.read_csv(table, index_col=0).astype(float)
        estimates = pd.read_csv(path / "estimates.csv")
        thetas = estimates[estimates["kind"] == "theta"]
        theta = dict(zip(thetas["name"], thetas["estimate"].astype(float), strict=True))
        doubt = "" if said["converged"] else str(said["why"]) or "?"
        return Earlier(held, theta, frozenset(said["priors"]), doubt, _variances(estimates))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SpecError(f"prior: {shown(path)} is no whole folder of a fit ({error}); save the fit again") from None


def _variances(table: pd.DataFrame) -> dict[str, float]:
    """Return variances of etas and errors of a table of estimates, called as in an information matrix."""
    power = np.where(table["kind"] == "sigma", 2, 1)
    own = table.assign(value=table["estimate"] ** power)[(table["kind"] == "sigma") | (table["scale"] == "variance")]
    return dict(zip(own["name"].str.replace("occasion ", "iov "), own["value"].astype(float), strict=True))


def _doubts(question: Question, earlier: Earlier) -> Iterator[str]:
    """Say where an earlier study does not fit to what is asked now."""
    if earlier.doubt:
        yield f"the fit did not converge ({earlier.doubt}): its covariance, and so its information, may be far off; fit again"
    every = dict(zip(question.names, question.values.tolist(), strict=True))
    now = {one.name: every[one.name] for one in question.estimation.thetas}
    far = [
        f"{name} {every[name]:.4g}, found {value:.4g}{unit}"
        for found, least, unit in ((earlier.theta, FAR, ""), (earlier.variances, WIDER, " (variances)"))
        for name, value in found.items() if name in every and abs(every[name] - value) > least * abs(value)
    ]  # fmt: skip
    if far:
        yield (
            f"the values here are not those that were found ({', '.join(far)}); design for the model of the fit (fit.model, or "
            "model.toml in its folder)"
        )
    about = {_owner(name) for name in earlier.theta}
    fixed = [name for name in now if earlier.theta and name not in earlier.theta and _owner(name) in about]
    if fixed:
        yield (
            f"{', '.join(fixed)}: taken as known then, and estimated now; what the earlier study said of the others is too sure, "
            "since it went by that"
        )


def _owner(name: str) -> str:
    """Return whose a parameter is: the lineage, or the drug where it is kinetic."""
    return name.rpartition(".")[0].rpartition(".")[2]


def _of_model(question: Question, model: Model) -> Earlier:
    """Return the information in the standard errors of a model's parameters, correlations of these among them."""
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
    inverse = np.linalg.inv(correlation) * np.outer(size, size)
    return Earlier(pd.DataFrame(inverse, index=names, columns=names), {name: of[name].value for name in names})


def _marginal(found: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return the information about some parameters, the others being unknown."""
    inside = found.loc[list(names), list(names)].to_numpy(float)
    others = [name for name in found.columns if name not in names]
    if others:
        across, outside = found.loc[list(names), others].to_numpy(float), found.loc[others, others].to_numpy(float)
        inside = inside - across @ np.linalg.pinv(outside, hermitian=True) @ across.T
    return pd.DataFrame(inside, index=list(names), columns=list(names))
