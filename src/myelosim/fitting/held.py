"""An objective with some of its parameters held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from myelosim.fitting.objective import Linearized
from myelosim.fitting.search import Around, begin, minimize

ITERATIONS = 40


@dataclass
class Held(Around):
    """An objective as a function of the ``free`` entries of its vector, the others being held as in ``full``.

    With ``looking`` other modes than those that lead here are looked for.
    """

    full: np.ndarray
    free: np.ndarray
    looking: bool = False

    def value(self, x: np.ndarray) -> Any:
        """Return the objective where the free parameters are ``x``."""
        full = self.full.copy()
        full[self.free] = x
        return self.objective.value(full)

    def fresh(self, value: Any) -> Any:
        """Return the value, found anew if modes are looked for."""
        return self.objective.fresh(value) if self.looking else value

    def slope(self, value: Any) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the gradient by the free parameters, and their Hessian where there is one."""
        gradient, hessian = self.objective.slope(value)
        return gradient[self.free], None if hessian is None else hessian[np.ix_(self.free, self.free)]


def cost_of_holding(
    objective: Linearized, x: np.ndarray, values: Mapping[int, float], also: Sequence[int] = (), *, enough: float
) -> float:
    """Return by how much the objective is higher where parameters are held, what priors say of these left out.

    Parameters
    ----------
    objective : Linearized
        The objective.
    x : array (parameter)
        Its optimum.
    values : mapping
        Entry of ``x`` -> what it is held at; ``also`` are held where they are.
    enough : float
        A cost below which the others are not estimated again.
    """
    problem = objective.problem
    own = Linearized(problem, objective.interaction, None if objective.b is None else objective.b.copy())

    def data(total: float, vector: np.ndarray) -> float:
        return total - sum(
            float((vector[k] - theta.prior[0]) / theta.prior[1]) ** 2
            for k, theta in enumerate(problem.estimation.thetas) if k in values and theta.prior is not None
        )  # fmt: skip

    before = data(own.value(x).total, x)
    full = x.copy()
    full[list(values)] = list(values.values())
    free = np.setdiff1d(np.arange(len(x)), [*values, *also])
    held = Held(own, full, free, looking=True)
    first = held.value(full[free])
    cost = data(first.total, full) - before
    if cost < enough or not free.size or not np.isfinite(cost):
        return float(cost)
    found = minimize(held, begin(held, full[free]), iterations=ITERATIONS)
    return float(data(found.value.total, full) - before)
