"""Residual errors as programs: the traced density and information of a component, and their derivatives.

For a variable v (the prediction f, the prediction ``at`` which scatter is evaluated, a term) the programs give
d loss/dv, d2 loss/(df dv) and d weight/dv under the keys (v, "loss"), (v, "loss_f") and (v, "weight").
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from myelosim.components.contract import Values
from myelosim.components.residuals import KINDS
from myelosim.components.residuals.normal import HALF_LOG_TWO_PI
from myelosim.engine.trace import Node, Program, Tape, gradient
from myelosim.fitting import tail

__all__ = ["Traced", "fixed", "trace"]


@dataclass(frozen=True)
class Traced:
    """The programs of one kind; each takes ``y``, ``f``, ``at`` and the terms by name."""

    variables: tuple[str, ...]
    variance: float  # of a standardized value
    log_below: Callable[[Any], Any]
    below: Callable[[Any], tuple[Any, Any, Any, Any]]
    density: Program
    measured: Program
    position: Program
    limit: Program

    def loss(self, leaves: Mapping[str, Any], sign: int) -> Any:
        """Return the loss; ``sign`` is 1 for values under the limit y, -1 for those over it, 0 for measured ones."""
        if not sign:
            return self.density(leaves)["loss"]
        return -self.log_below(sign * self.position(leaves)["z"])

    def rows(self, leaves: Mapping[str, Any], sign: int) -> dict[Any, Any]:
        """Return loss, weight and the derivatives of both."""
        if not sign:
            return self.measured(leaves)
        z: dict[Any, Any] = {name: sign * value for name, value in self.limit(leaves).items()}
        value, first, second, third = self.below(z["z"])
        told = np.maximum(-second, 0.0) if np.isrealobj(second) else -second
        found: dict[Any, Any] = {"loss": -value, "weight": told * z["f", 1] ** 2}
        for v in self.variables:
            found[v, "loss"] = -first * z[v, 1]
            found[v, "loss_f"] = -second * z["f", 1] * z[v, 1] - first * z[v, 2]
            bend = np.where(told == 0.0, 0.0, -third) * z["f", 1] * z[v, 1]
            found[v, "weight"] = z["f", 1] * (bend + 2.0 * told * z[v, 2])
        return found


def fixed(kind: str) -> tuple[str, ...]:
    """Return the terms of a kind that nothing has a derivative by."""
    names: tuple[str, ...] = getattr(KINDS[kind], "FIXED", ())
    return names


@functools.lru_cache(maxsize=256)
def trace(kind: str, chosen: tuple[float, ...], wanted: tuple[str, ...], frozen: bool) -> Traced:
    """Return the programs of a kind of residual error.

    Parameters
    ----------
    kind : str
        Name of the component.
    chosen : tuple of float
        Values of its fixed terms.
    wanted : tuple of str
        Terms and ``at`` by which derivatives are wanted.
    frozen : bool
        Whether the scatter is that at another prediction.
    """
    module, tape = KINDS[kind], Tape()
    leaf = {name: tape.leaf(name, 0, True) for name in ("y", "f", "at", *(one.name for one in module.TERMS))}
    p = Values(**{**leaf, **dict(zip(fixed(kind), chosen, strict=True))})
    at = leaf["at"] if frozen else None
    variables = ("f", *wanted)

    loss = -HALF_LOG_TWO_PI - module.log_density(leaf["y"], leaf["f"], p, at)
    weight = module.information(leaf["f"], p, at)
    z = module.standardized(leaf["y"], leaf["f"], p, at)
    loss_f, z_f = gradient([loss, z], leaf["f"])
    measured: dict[Any, Node] = {"loss": loss, "weight": weight}
    limit: dict[Any, Node] = {"z": z}
    for v in variables:
        quantities = gradient([loss, loss_f, weight, z, z_f], leaf[v])
        measured.update({(v, name): one for name, one in zip(("loss", "loss_f", "weight"), quantities, strict=False)})
        limit[v, 1], limit[v, 2] = quantities[3:]
    variance, log_below, below = 1.0, tail.log_normal_below, tail.normal_below
    if module.DISTRIBUTION == "student":
        (df,) = chosen
        variance = df / (df - 2.0)
        log_below, below = (functools.partial(one, df=df) for one in (tail.log_student_below, tail.student_below))
    programs = (Program(one) for one in ({"loss": loss}, measured, {"z": z}, limit))
    return Traced(variables, variance, log_below, below, *programs)
