"""Samples of the joint posterior by the no-U-turn sampler, through nutpie; what is kept is a DataTree in ArviZ's layout.

References: Hoffman and Gelman, J Mach Learn Res 2014;15:1593-623; Vehtari et al., Bayesian Anal 2021;16:667-718 (R-hat and
effective sample size).
"""

from __future__ import annotations

import importlib
import os
import warnings as python_warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from myelosim.errors import ConvergenceError, SpecError
from myelosim.fitting.approach import approach
from myelosim.fitting.covariance import Covariance, condition_number
from myelosim.fitting.density import Believed, Density, believed, determined, log_likelihood
from myelosim.fitting.objective import Linearized
from myelosim.fitting.problem import Problem
from myelosim.fitting.result import Fit
from myelosim.fitting.warning import FitWarning
from myelosim.random import normals
from myelosim.results import provenance
from myelosim.spec.scale import from_scale

DRAWS, TUNE, CHAINS = 500, 500, 4
APART = 0.5  # of about a standard deviation of the posterior: how far from each other chains begin
FARTHEST = 2.0  # of these from the priors' means, at most
MOST_RHAT, FEWEST = 1.01, 100  # effective samples a chain
STATS = {
    "diverging": "diverging", "energy": "energy", "depth": "tree_depth", "n_steps": "n_steps", "step_size": "step_size",
    "mean_tree_accept": "acceptance_rate", "logp": "lp",
}  # fmt: skip
Sampled = dict[str, np.ndarray]


def nuts(problem: Problem, *, seed: int, draws: int = DRAWS, tune: int = TUNE, chains: int = CHAINS) -> Fit:
    """Sample thetas, omegas, errors and every subject's etas.

    Parameters
    ----------
    problem : Problem
        What is estimated; priors of what has none are those of :mod:`myelosim.fitting.density`.
    seed : int
        Of the chains.
    draws, tune, chains : int
        Draws kept of each chain, draws before them, and chains.

    Returns
    -------
    Fit
        At the posterior means of the vector, with ``posterior`` and the posterior's covariance; its objective is that of FOCE-I
        there.

    Raises
    ------
    SpecError
        nutpie is not there.
    ConvergenceError
        Sampling could not begin.
    """
    density, start = _start(problem)
    sampled = _sample(density, start, seed, draws, tune, chains)
    tree = _tree(problem, density.believed, sampled, seed)
    x = sampled["x"].reshape(-1, problem.parameters.size)
    b = sampled["b"].reshape(len(x), problem.subjects, -1).mean(axis=0)
    middle = x.mean(axis=0)
    value = Linearized(problem, b=b).value(middle)
    matrix = np.atleast_2d(np.cov(x.T)) if len(middle) else np.zeros((0, 0))
    said = _warnings(tree, density.believed)
    information = np.linalg.pinv(matrix)
    converged = not any(one.code in ("divergences", "rhat") for one in said)
    return Fit(
        problem, "nuts", value.total, middle, b, converged, "" if converged else "the chains have not come to agree", said,
        uncertainty=Covariance("posterior", matrix, information, information, condition_number(matrix)), seed=seed,
        options={"draws": draws, "tune": tune, "chains": chains}, posterior=tree,
    )  # fmt: skip


def _needed(module: str) -> Any:
    try:
        with python_warnings.catch_warnings():
            python_warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except ImportError:
        raise SpecError(
            'method "nuts" needs nutpie and arviz; install them with: pip install "myelosim[bayes]"'
        ) from None


def _sample(density: Density, start: np.ndarray, seed: int, draws: int, tune: int, chains: int) -> Sampled:
    """Run the chains, each in a thread with a problem of its own; return (chain, draw, ...).

    They move on axes on which the curvature at the start is one, so that correlations between thetas and etas cost nothing.
    """
    nutpie, compiled = _needed("nutpie"), _needed("nutpie.compiled_pyfunc")
    problem, failed = density.problem, []
    whitening = np.linalg.inv(np.linalg.cholesky(density.curvature(start))).T

    def own() -> Density:
        return Density(replace(problem, threads=1), density.centered)

    def logp_of() -> Callable[..., tuple[float, np.ndarray]]:
        mine = own()

        def logp(q: np.ndarray, **_: Any) -> tuple[float, np.ndarray]:
            try:
                value, gradient = mine.value(start + whitening @ q)
            except Exception as error:  # the sampler's threads must not die of it
                failed.append(error)
                return -np.inf, np.zeros(len(q))
            return value, whitening.T @ gradient

        return logp

    def expand_of(*_: Any) -> Callable[..., Sampled]:
        mine = own()

        def expand(q: np.ndarray, **_: Any) -> Sampled:
            state = mine.state(start + whitening @ q)
            return {"x": state.x.copy(), "b": state.b.ravel(), "f": state.f, "loss": state.loss}

        return expand

    def begin(number: int) -> np.ndarray:
        return np.asarray(APART * normals(seed, "search", 1, len(start), "nuts", float(number % 2**31))[0])

    sizes = {"x": problem.parameters.size, "b": problem.subjects * problem.predictor.mixed.random}
    sizes |= dict.fromkeys(("f", "loss"), len(problem.study.observations))
    kinds = [np.dtype("float64")] * len(sizes)
    shapes = [(n,) for n in sizes.values()]
    model = compiled.from_pyfunc(
        density.size, logp_of, expand_of, kinds, shapes, list(sizes), make_initial_point_fn=begin
    )
    with python_warnings.catch_warnings():
        python_warnings.simplefilter("ignore")
        try:
            trace = nutpie.sample(
                model, draws=draws, tune=tune, chains=chains, cores=min(chains, problem.threads or os.cpu_count() or 1),
                seed=seed, progress_bar=False, save_warmup=False, low_rank_modified_mass_matrix=True,
            )  # fmt: skip
        except RuntimeError as error:
            raise ConvergenceError(
                f"nuts: sampling could not begin ({error}); try another start, or narrower priors"
            ) from None
    if failed:
        raise failed[0]
    out = {name: np.asarray(trace.posterior[name]) for name in sizes}
    return out | {name: np.asarray(trace.sample_stats[theirs]) for theirs, name in STATS.items()}


def _start(problem: Problem) -> tuple[Density, np.ndarray]:
    """Return where chains begin: near the optimum, as far as the priors let it; effects that are known there are centered."""
    priors = believed(problem)
    x, _ = approach(problem, problem.parameters.pack(problem.parameters.start))
    x = np.clip(x, priors.mean - FARTHEST * priors.sd, priors.mean + FARTHEST * priors.sd)
    modes = Linearized(problem).value(x).modes
    known = np.all(np.isfinite(modes.information), axis=(1, 2))
    covariance = problem.covariance(problem.parameters.unpack(x))
    centered = determined(covariance, modes.information[known]) if known.any() else np.zeros(len(covariance), bool)
    density = Density(problem, centered)
    return density, density.join(x, np.where(np.isfinite(modes.b), modes.b, 0.0))


def _tree(problem: Problem, priors: Believed, sampled: Sampled, seed: int) -> xr.DataTree:
    """Return posterior, sample_stats, observed_data, log_likelihood and posterior_predictive."""
    est, seen = problem.estimation, problem.study.observations
    chains, draws, _ = sampled["x"].shape
    coords: dict[str, Any] = {"chain": np.arange(chains), "draw": np.arange(draws)}
    points = [[problem.parameters.unpack(x) for x in chain] for chain in sampled["x"]]
    both = ("chain", "draw")
    theta = np.array([[p.beta for p in chain] for chain in points]).reshape(chains, draws, -1)
    for k, one in enumerate(est.thetas):
        theta[..., k] = from_scale(theta[..., k], one.scale)
    eta = sampled["b"].reshape(chains, draws, problem.subjects, -1)
    parameters: dict[str, Any] = {
        "theta": ((*both, "parameter"), theta),
        "omega": ((*both, "eta", "eta_other"), np.array([[p.omega for p in chain] for chain in points])),
        "sigma": ((*both, "term"), np.array([[p.sigma for p in chain] for chain in points]).reshape(chains, draws, -1)),
        "b": ((*both, "subject", "eta"), eta[..., : len(est.omega.names)]),
    }
    named = {
        "parameter": [t.name for t in est.thetas], "eta": list(est.omega.names), "eta_other": list(est.omega.names),
        "term": [s.name for s in est.sigmas], "subject": list(problem.study.subjects),
    }  # fmt: skip
    if len(est.occasion.names):
        parameters["occasion_omega"] = (
            (*both, "occasion_eta", "occasion_eta_other"), np.array([[p.occasion for p in chain] for chain in points])
        )  # fmt: skip
        named |= {"occasion_eta": list(est.occasion.names), "occasion_eta_other": list(est.occasion.names)}
    about = {
        "observation": seen.row, "observable": ("observation", seen.observable.astype(str)),
        "time": ("observation", seen.time), "of": ("observation", np.array(problem.study.subjects)[seen.subject]),
        "censored": ("observation", seen.censored),
    }  # fmt: skip
    rows = (*both, "observation")
    z = normals(seed, "noise", chains * draws, max(len(seen), 1), "nuts")[:, : len(seen)].reshape(sampled["f"].shape)
    again = np.stack([
        np.stack([problem.likelihood.simulate(sampled["f"][c, d], points[c][d].sigma, z[c, d]) for d in range(draws)])
        for c in range(chains)
    ])  # fmt: skip
    attrs = provenance(problem.model.spec_hash, seed, problem.tolerance, problem.model.assumed, problem.model.warnings)
    attrs |= {"inference_library": "nutpie", "data": problem.study.digest, "priors": _told(problem, priors)}
    groups = {
        "posterior": xr.Dataset(parameters, {**coords, **named}, attrs),
        "sample_stats": xr.Dataset({name: (both, sampled[name]) for name in STATS.values()}, coords),
        "observed_data": xr.Dataset({"observed": ("observation", seen.value.astype(float))}, about),
        "log_likelihood": xr.Dataset(
            {"observed": (rows, log_likelihood(problem, sampled["loss"]))}, {**coords, **about}
        ),
        "posterior_predictive": xr.Dataset({"observed": (rows, again)}, {**coords, **about}),
    }
    return xr.DataTree.from_dict({f"/{name}": one for name, one in groups.items()})


def _told(problem: Problem, priors: Believed) -> str:
    """Say every prior: name, mean and standard deviation on its scale."""
    each = zip(problem.parameters.names, priors.mean, priors.sd, strict=True)
    return "; ".join(f"{name}: normal({mean:.4g}, {sd:.3g})" for name, mean, sd in each)


def _warnings(tree: xr.DataTree, priors: Believed) -> tuple[FitWarning, ...]:
    """Return what speaks against the samples."""
    said = []

    def warn(code: str, text: str) -> None:
        said.append(FitWarning(code, text))

    if priors.usual:
        warn(
            "usual prior",
            f"{', '.join(priors.usual)} have no prior; a weak normal around the start was taken, with a standard deviation of "
            "half the way to the end of the range; state priors to be sure of what they do",
        )
    diverging = int(tree["sample_stats"]["diverging"].sum())
    if diverging:
        warn("divergences", f"{diverging} draws diverged: parts of the posterior may be missing; narrow the priors")
    chosen = [name for name in ("theta", "omega", "sigma") if tree["posterior"][name].size]
    own = tree["posterior"].to_dataset()[chosen]
    chains, draws = own.sizes["chain"], own.sizes["draw"]
    if draws < 4:
        warn("draws", f"{draws} draws a chain are too few to tell whether chains agree; take more")
        return tuple(said)
    arviz = _needed("arviz")
    with python_warnings.catch_warnings(), np.errstate(all="ignore"):
        python_warnings.simplefilter("ignore")
        rhat = _extreme(arviz.rhat(own), np.nanmax) if chains > 1 else np.nan
        effective = _extreme(arviz.ess(own), np.nanmin)
    tree["sample_stats"].attrs.update({"rhat": rhat, "effective_samples": effective})
    if chains < 2:
        warn("chains", "one chain alone cannot show that it has converged; take two or more")
    elif rhat > MOST_RHAT:
        warn("rhat", f"R-hat reaches {rhat:.3f}: the chains have not come to agree; take more draws")
    if effective < FEWEST * chains:
        warn("effective samples", f"{effective:.0f} effective samples only; take more draws before quoting tails")
    return tuple(said)


def _extreme(result: Any, of: Callable[[Any], Any]) -> float:
    """Return the largest or smallest number of all variables; what is fixed has none."""
    values = np.concatenate([np.ravel(result[name].to_numpy()) for name in result.data_vars])
    return float(of(values)) if np.any(np.isfinite(values)) else float("nan")
