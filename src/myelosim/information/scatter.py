"""How an observation scatters, as a variance about the prediction and its slopes.

A residual error is normal (or Student's) on some scale t(y), with a standard deviation sd there. Divided by the slope of t at the
prediction, that scale is the observation's own near the prediction, and everything here is on it: the *working* scale.
The derivatives are those of the component's own density, by complex steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr, ndtr

from myelosim.components.contract import Values
from myelosim.components.residuals import KINDS
from myelosim.spec.model import Residual

Array = NDArray[np.float64]

COMPLEX = 1e-25
STEP = 1e-4  # of the prediction
FLOOR = 1e-30  # predictions nearer to zero count as this
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(21)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


@dataclass(frozen=True)
class Scatter:
    """What one observation's error looks like from its prediction (row).

    ``variance`` on the working scale, ``by_prediction`` its derivative by the prediction, ``by_term`` (row, term) those by
    the squares of terms, and ``bend`` by how much the working scale's slope changes with the prediction, as a fraction of it.
    A Student's error counts with the variance of a normal one that tells as much of the prediction, and its derivatives are such
    that they tell as much of the size of the error: (df + 1)/(df + 3) and df/(df + 3) of what a normal one would.
    """

    variance: Array
    by_prediction: Array
    by_term: Array
    bend: Array


def scatter(residual: Residual, terms: tuple[str, ...], predictions: ArrayLike) -> Scatter:
    """Return how observations scatter around predictions (row).

    Parameters
    ----------
    residual : Residual
        Kind and values of the terms.
    terms : tuple of str
        Those by whose squares derivatives are wanted.
    predictions : array (row)
        In the observable's unit.

    Examples
    --------
    >>> found = scatter(Residual("proportional", {"proportional": 0.2}), ("proportional",), [5.0])
    >>> found.variance, found.by_prediction, found.by_term
    (array([1.]), array([0.4]), array([[25.]]))
    """
    module, sigma = KINDS[residual.kind], {name: float(value) for name, value in residual.sigma.items()}
    f: Array = np.maximum(np.asarray(predictions, float), FLOOR)

    def slope(at: Array) -> Array:
        """Return by how many standard deviations a prediction's rise moves an observation that lies on it."""
        z = module.standardized(at, at + 1j * COMPLEX * at, Values(**sigma))
        return np.asarray(-z.imag / (COMPLEX * at))

    def growth(**moved: Any) -> Array:
        """Return the derivative of the logarithm of the standard deviation by what has an imaginary part."""
        p = Values(**{**sigma, **{name: value for name, value in moved.items() if name != "f"}})
        density = module.log_density(f, moved.get("f", f), p)
        return np.asarray(-np.broadcast_to(density, f.shape).imag / COMPLEX)

    steep = slope(f)
    student, df = module.DISTRIBUTION == "student", sigma.get("df", np.inf)
    tells, sizes = ((df + 1.0) / (df + 3.0), np.sqrt(df / (df + 3.0))) if student else (1.0, 1.0)
    variance = 1.0 / (tells * steep * steep)
    wider = growth(f=f * (1.0 + 1j * COMPLEX)) / f
    steeper = (slope(f * (1.0 + STEP)) - slope(f * (1.0 - STEP))) / (2.0 * STEP * f * steep)
    by_term = np.empty((len(f), len(terms)))
    for k, name in enumerate(terms):
        by_term[:, k] = sizes * variance * growth(**{name: sigma[name] + 1j * COMPLEX}) / sigma[name]
    return Scatter(variance, 2.0 * sizes * wider * variance, by_term, steeper + wider)


def retained(
    residual: Residual, predictions: ArrayLike, spread: ArrayLike, limit: float, *, counted: bool = True
) -> tuple[Array, Array]:
    """Return the shares of their information that observations keep where values under a limit are known only as such.

    The first is that of the prediction, the second that of the size of the error. For a normal error they are, with z the limit
    in standard deviations from the prediction, p and P the normal density and distribution,

        1 - P(z) + z p(z) + p(z)^2/P(z)  and  1 - P(z) + (z + z^3) p(z)/2 + z^2 p(z)^2/(2 P(z)):

    the information of a censored observation over that of an uncensored one, averaged over subjects.

    Parameters
    ----------
    residual : Residual
        Kind and values of the terms.
    predictions : array (row)
        Of the typical subject.
    spread : array (row)
        Standard deviation of the logarithm of subjects' predictions.
    limit : float
        Of quantification, in the observable's unit.
    counted : bool
        Whether values under the limit count by their chance ("m3"); else they are left out ("m1").

    References
    ----------
    Beal, J Pharmacokinet Pharmacodyn 2001;28:481-504; Vong, Ueckert, Nyberg and Hooker, PAGE 21 (2012) Abstr 2578.

    Examples
    --------
    >>> residual = Residual("additive", {"additive": 1.0})
    >>> [part.round(3) for part in retained(residual, [5.0], [0.0], 5.0)]
    [array([0.818]), array([0.5])]
    >>> retained(residual, [5.0], [0.0], 5.0, counted=False)[0]
    array([0.5])
    """
    module, f = KINDS[residual.kind], np.maximum(np.asarray(predictions, float), FLOOR)
    each = f[:, None] * np.exp(np.asarray(spread, float)[:, None] * NODES)
    p = Values(**{name: float(value) for name, value in residual.sigma.items()})
    z = np.clip(module.standardized(np.full_like(each, limit), each, p), -37.0, 37.0)
    of_mean = of_size = ndtr(-z)
    if counted:
        density = np.exp(-0.5 * z * z) / np.sqrt(2.0 * np.pi)
        known = np.exp(-z * z - log_ndtr(z)) / (2.0 * np.pi)
        of_mean, of_size = of_mean + z * density + known, of_size + 0.5 * (z + z**3) * density + 0.5 * z * z * known
    return np.clip(of_mean, 0.0, 1.0) @ WEIGHTS, np.clip(of_size, 0.0, 1.0) @ WEIGHTS
