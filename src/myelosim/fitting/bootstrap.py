"""The bootstrap: fits of studies like the one at hand.

The case bootstrap draws subjects with replacement; the parametric one simulates the same subjects from the fitted model and
censors what is under a limit. Each replicate is searched from the estimates on. Replicate k is the same whichever others are
made, so a folder that holds some is gone on with. References: Efron and Tibshirani, An introduction to the bootstrap, 1993;
Thai, Mentré, Holford, Veyrat-Follet and Comets, J Pharmacokinet Pharmacodyn 2014;41:15-33.
"""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from myelosim.data.resample import observed, resampled
from myelosim.data.study import ABOVE, BELOW, MEASURED, Study
from myelosim.errors import ConvergenceError, MyelosimError, SpecError
from myelosim.fitting.checked import factor
from myelosim.fitting.fit import METHODS
from myelosim.fitting.point import Point
from myelosim.fitting.problem import Problem
from myelosim.fitting.result import Fit
from myelosim.fitting.search import Search, begin, minimize
from myelosim.random import normals, uniforms
from myelosim.spec.fit import BOOTSTRAPS

REPLICATES = 200
ENOUGH = 1e-3  # of the objective that a search may leave

Record = dict[str, Any]


@dataclass(frozen=True)
class Bootstrap:
    """Vectors (replicate, parameter) of the replicates that were fitted, and why the others were not."""

    x: np.ndarray
    objective: np.ndarray
    failed: dict[int, str] = field(default_factory=dict)

    @property
    def why(self) -> dict[str, int]:
        """Reasons of failures, with how often each came."""
        return dict(Counter(self.failed.values()))


def bootstrap(
    fit: Fit, kind: str = "case", replicates: int = REPLICATES, seed: int = 1, *, strata: Sequence[Hashable] | None = None,
    folder: str | os.PathLike[str] | None = None, processes: int = 1, tell: Callable[[int, int], None] | None = None,
) -> Bootstrap:  # fmt: skip
    """Fit studies like the one that was fitted.

    Parameters
    ----------
    fit : Fit
        By a method that minimizes an objective, as focei.
    kind : {"case", "parametric"}
        Draw subjects again, or simulate them.
    replicates : int
        How many.
    seed : int
        Of the draws.
    strata : sequence, optional
        A label of each subject; of each label as many are drawn as there are (a dose group, say).
    folder : path, optional
        Where each replicate is written as soon as it is ready, and from where those that are there are taken.
    processes : int
        How many work side by side; one thread each if there are several.
    tell : callable, optional
        Called with the number of replicates that are ready and of all.

    Raises
    ------
    SpecError
        ``kind`` is not known, the method has no bootstrap, or the folder holds replicates of another fit.
    ConvergenceError
        No replicate could be fitted.
    """
    if kind not in BOOTSTRAPS:
        raise SpecError(f"bootstrap: '{kind}' is not known; allowed: {', '.join(BOOTSTRAPS)}")
    if fit.method not in METHODS:
        raise SpecError(f"bootstrap: of a fit by {fit.method} there is none; fit by focei")
    path = None if folder is None else Path(folder) / "bootstrap.jsonl"
    job = _job(fit, kind, seed, strata)
    records = {} if path is None else _kept(path, job)
    wanted = [k for k in range(replicates) if k not in records]
    work = partial(_replicate, fit, kind, seed, _groups(fit.study, strata), 1 if processes > 1 else fit.problem.threads)
    for record in done(work, wanted, processes):
        records[record["replicate"]] = record
        if path is not None:
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")
        if tell is not None:
            tell(len(records), replicates)
    own = [records[k] for k in range(replicates)]
    good = [one for one in own if "x" in one]
    failed = {one["replicate"]: one["error"] for one in own if "error" in one}
    if not good:
        raise ConvergenceError(f"bootstrap: none of {replicates} replicates could be fitted; first: {own[0]['error']}")
    return Bootstrap(np.array([one["x"] for one in good]), np.array([one["objective"] for one in good]), failed)


def simulated(problem: Problem, point: Point, z: np.ndarray, noise: np.ndarray) -> Study:
    """Return the study that a point would have given.

    A value is censored where it is beyond a limit: the row's own if it was censored, else the widest of its observable's.

    Parameters
    ----------
    problem : Problem
        Whose subjects are simulated.
    point : Point
        With which parameters.
    z : array (subject, effect)
        Standard normal; the random effects.
    noise : array (row)
        Standard normal; the residual errors.
    """
    study = problem.study
    seen = study.observations
    b = z @ factor(problem.covariance(point)).T
    value = problem.likelihood.simulate(problem.predictor.predict(point.beta, b), point.sigma, noise)
    censored = np.full(len(seen), MEASURED)
    for mark, widest, beyond in ((BELOW, np.max, np.less), (ABOVE, np.min, np.greater)):
        for name in study.observables:
            rows, marked = seen.observable == name, (seen.observable == name) & (seen.censored == mark)
            if not np.any(marked):
                continue
            limit = np.where(marked, seen.value, widest(seen.value[marked]))
            out = rows & beyond(value, limit)
            value, censored = np.where(out, limit, value), np.where(out, mark, censored)
    return observed(study, value, censored)


def _replicate(fit: Fit, kind: str, seed: int, groups: list[np.ndarray], threads: int | None, k: int) -> Record:
    """Return a replicate as what is written of it."""
    problem, study = fit.problem, fit.study
    try:
        if kind == "case":
            picked = [
                own[(uniforms(seed, "resample", 1, len(own), "case", g, k)[0] * len(own)).astype(int)]
                for g, own in enumerate(groups)
            ]
            new = resampled(study, np.sort(np.concatenate(picked)).tolist())
        else:
            effects = problem.predictor.mixed.random
            z = normals(seed, "resample", len(study.subjects), max(effects, 1), "etas", k)[:, :effects]
            noise = normals(seed, "resample", len(study.observations), 1, "errors", k)[:, 0]
            new = simulated(problem, fit.point, z, noise)
        again = Problem(problem.model, new, problem.estimation, problem.tolerance, threads)
        search = searched(again, fit.method, fit.x, fit.options)
    except (MyelosimError, np.linalg.LinAlgError) as error:
        return {"replicate": k, "error": f"{type(error).__name__}: {error}"}
    if not (search.converged and np.isfinite(search.value.total)):
        return {"replicate": k, "error": search.why}
    return {"replicate": k, "x": search.x.tolist(), "objective": search.value.total}


def searched(problem: Problem, method: str, x: np.ndarray, options: Mapping[str, int] | None = None) -> Search:
    """Search from a vector on."""
    objective = METHODS[method](problem, **(options or {}))
    return minimize(objective, begin(objective, x), enough=ENOUGH)


def _groups(study: Study, strata: Sequence[Hashable] | None) -> list[np.ndarray]:
    """Return the subjects of each stratum that have observations; the others tell of nothing."""
    subjects = np.unique(study.observations.subject)
    if strata is None:
        return [subjects]
    if len(strata) != len(study.subjects):
        raise SpecError(f"bootstrap: strata has {len(strata)} labels for {len(study.subjects)} subjects; give one each")
    labels = [strata[k] for k in subjects]
    return [subjects[[one == label for one in labels]] for label in dict.fromkeys(labels)]


def _job(fit: Fit, kind: str, seed: int, strata: Sequence[Hashable] | None) -> Record:
    """Return what a replicate depends on besides its number."""
    names = list(fit.problem.parameters.names)
    text = json.dumps([fit.study.digest, fit.method, names, fit.x.tolist(), list(map(str, strata or ()))])
    return {"kind": kind, "seed": seed, "fit": hashlib.sha256(text.encode()).hexdigest()}


def _kept(path: Path, job: Record) -> dict[int, Record]:
    """Return the replicates that a folder holds, without a line that was left unfinished; begin it if it is new."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(job) + "\n", encoding="utf-8")
        return {}
    lines = path.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        path.write_bytes(b"".join(lines := lines[:-1]))
    if not lines or json.loads(lines[0]) != job:
        raise SpecError(f"{path}: holds replicates of another fit, kind or seed; choose another folder")
    return {record["replicate"]: record for record in map(json.loads, lines[1:])}


def done(work: Callable[[int], Record], wanted: list[int], processes: int) -> Iterator[Record]:
    """Yield replicates as they are ready."""
    if processes == 1 or len(wanted) < 2:
        yield from map(work, wanted)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            for future in as_completed([pool.submit(work, k) for k in wanted]):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)
