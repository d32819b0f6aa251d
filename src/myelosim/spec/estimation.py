"""What a fit estimates, from where, and what is believed of it beforehand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from myelosim.spec.model import Residual


@dataclass(frozen=True)
class Theta:
    """A fixed effect that is estimated: a parameter's typical value, or the coefficient of a covariate.

    ``name`` is the parameter's full name, or ``<parameter>.<covariate>`` (and ``.<category>``) for a coefficient. ``start``,
    ``low`` and ``high`` (where further starts are drawn between) are in ``unit``; the search itself is on ``scale`` ("log",
    "logit" or "identity"). ``prior`` is mean and standard deviation of a normal on that scale.
    """

    name: str
    start: float
    unit: str
    scale: str
    low: float
    high: float
    prior: tuple[float, float] | None = None


@dataclass(frozen=True)
class Omega:
    """Variances and covariances of etas: ``start`` (eta, eta), and which entries are ``free``."""

    names: tuple[str, ...]
    start: np.ndarray
    free: np.ndarray


@dataclass(frozen=True)
class Sigma:
    """A term of the residual error; ``name`` is ``<observable>.<term>``."""

    name: str
    start: float
    scale: str
    free: bool = True


@dataclass(frozen=True)
class Estimation:
    """Everything a fit estimates.

    ``omega`` are etas between subjects, ``occasion`` those between occasions of a subject. ``residual`` maps an observable to its
    error model, ``blq`` is "m3" or "m1".
    """

    thetas: tuple[Theta, ...]
    omega: Omega
    occasion: Omega
    sigmas: tuple[Sigma, ...]
    residual: Mapping[str, Residual]
    blq: str = "m3"
