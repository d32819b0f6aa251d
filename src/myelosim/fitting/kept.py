"""Searches on disk: what a fit has found so far, whatever ends it."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from myelosim.data.observables import units_of
from myelosim.errors import SpecError
from myelosim.fitting import quantities
from myelosim.fitting.problem import Problem
from myelosim.fitting.search import Objective, Search, begin
from myelosim.spec.digest import spec_hash
from myelosim.writing import written

EVERY = 2.0  # seconds between two writings
HESSIAN = "hessian"


class Kept:
    """A file that follows searches: those that ended, and where the one that goes on is.

    Parameters
    ----------
    path : Path
        An ``.npz`` file; it is there from the first iteration on, and whole at any time.
    resume : bool
        Go on from what it holds. Otherwise it is begun anew.

    Raises
    ------
    SpecError
        There is nothing to go on from.
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        if resume and not path.is_file():
            raise SpecError(f"{path}: there is nothing to go on from; leave --resume out")
        self.path, self.resume = path, resume
        self.ended: list[dict[str, Any]] = []
        self.going: dict[str, Any] | None = None
        self.key = ""
        self.problem: Problem | None = None
        self.last = -np.inf

    def open(self, problem: Problem, about: Mapping[str, Any]) -> None:
        """Begin, or read what is there, of a fit of ``problem`` that ``about`` tells from others.

        Raises
        ------
        SpecError
            What is there is no fit to go on from, or of another one.
        """
        self.problem = problem
        self.key, self.ended, self.going = spec_hash(dict(about)), [], None
        if not self.resume:
            return
        try:
            with np.load(self.path, allow_pickle=False) as held:
                said = json.loads(str(held["about"]))
                every = [
                    {**one, **{k: held[f"{i}/{k}"] for k in one["arrays"]}} for i, one in enumerate(said["searches"])
                ]
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            raise SpecError(f"{self.path}: is no fit to go on from; leave --resume out to begin anew") from None
        if said["key"] != self.key:
            raise SpecError(
                f"{self.path}: is of other data, another model or other settings, or of another version; leave --resume out to "
                "begin anew"
            )
        self.ended = [one for one in every if one["ended"]]
        self.going = next((one for one in every if not one["ended"]), None)

    def done(self, make: Callable[..., Objective]) -> list[Search]:
        """Return the searches that ended."""
        return [_search(one, make)[1] for one in self.ended]

    def begun(self, make: Callable[..., Objective]) -> tuple[Objective, Search] | None:
        """Return the search that was going on, and its objective; None where there was none."""
        if self.going is None:
            return None
        found, self.going = _search(self.going, make), None
        return found

    def follow(self, search: Search) -> None:
        """Note where a search is; now and then it is written."""
        self.going = _state(search, ended=False)
        if time.monotonic() - self.last > EVERY:
            self.write()

    def end(self, search: Search) -> None:
        """Note that a search ended."""
        self.ended.append(_state(search, ended=True))
        self.going = None
        self.write()

    def write(self) -> None:
        """Write all of it."""
        every = [*self.ended, *([self.going] if self.going is not None else [])]
        if not every:
            return
        arrays = {f"{i}/{k}": one[k] for i, one in enumerate(every) for k in one["arrays"]}
        plain = [{k: v for k, v in one.items() if k not in one["arrays"]} for one in every]
        about = json.dumps({"key": self.key, "searches": plain})
        written(self.path, lambda draft: np.savez(draft, about=np.array(about), **arrays))
        self.last = time.monotonic()

    def best(self) -> tuple[float, pd.DataFrame] | None:
        """Return the lowest objective so far, and the estimates there: see :attr:`myelosim.fitting.Fit.table`."""
        every = [*self.ended, *([self.going] if self.going is not None else [])]
        found = [(float(one["total"]), one["x"]) for one in every if np.isfinite(one["total"])]
        if not found or self.problem is None:
            return None
        total, x = min(found, key=lambda one: one[0])
        parameters = self.problem.parameters
        reported = quantities.quantities(parameters, units_of(self.problem.model))
        return total, quantities.table(reported, parameters, x, None, 0.9)[
            ["name", "kind", "estimate", "unit", "scale"]
        ]


def _state(search: Search, *, ended: bool) -> dict[str, Any]:
    return {
        "ended": ended, "converged": search.converged, "why": search.why, "radius": search.radius,
        "total": float(search.value.total), "x": search.x.copy(), "b": search.value.modes.b.copy(),
        HESSIAN: search.hessian.copy(), "history": np.array(search.history, float).reshape(-1, 3),
        "arrays": ["x", "b", HESSIAN, "history"],
    }  # fmt: skip


def _search(held: Mapping[str, Any], make: Callable[..., Objective]) -> tuple[Objective, Search]:
    """Take a search up again: values and gradient are found anew, what it learned is as it was."""
    objective = make(b=held["b"].copy())
    search = begin(objective, held["x"])
    search.hessian, search.radius = held[HESSIAN], float(held["radius"])
    search.history = [tuple(row) for row in held["history"].tolist()]
    search.converged, search.why = bool(held["converged"]), str(held["why"])
    return objective, search
