"""A quantity that a decision rests on, and how it moves with everything that is estimated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from myelosim.designing.criterion import Criterion
from myelosim.information import spread
from myelosim.spec.scale import from_scale, on_scale, slope, to_scale

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Predicted:
    """A prediction, and its gradient by the parameters ``names`` of an information matrix.

    ``scale`` is the one on which its error is taken to be normal in intervals. ``noise`` is the standard error that ``value``
    has because subjects are drawn, ``gradient_noise`` (parameter) that of the gradient; more subjects make them smaller.
    """

    what: str
    unit: str
    names: tuple[str, ...]
    value: float
    gradient: Array
    scale: str = "identity"
    noise: float = 0.0
    gradient_noise: Array | None = None

    def error(self, fim: Array) -> float:
        """Return the expected standard error, by the delta method, under an information matrix (parameter, parameter).

        It is infinite where the prediction depends on what is not determined.

        Examples
        --------
        >>> one = Predicted("nadir", "10^9/L", ("a", "b"), 2.0, np.array([1.0, 0.0]), "log")
        >>> one.error(np.diag([100.0, 0.0]))
        0.1
        >>> tuple(round(end, 2) for end in one.interval(np.diag([100.0, 0.0])))
        (1.81, 2.21)
        """
        return spread(np.asarray(fim, float), self.gradient)

    def interval(self, fim: Array, level: float = 0.95) -> tuple[float, float]:
        """Return the ends of the interval that is expected around the value."""
        error = self.error(fim)
        if not on_scale(self.value, self.scale):
            return (float("nan"), float("nan"))
        half = float(ndtri(0.5 + level / 2)) * error * slope(self.value, self.scale)
        middle = to_scale(self.value, self.scale)
        with np.errstate(over="ignore"):
            return tuple(float(from_scale(middle + sign * half, self.scale)) for sign in (-1, 1))  # type: ignore[return-value]


@dataclass(frozen=True)
class Deciding(Criterion):
    """A criterion by what is decided, which is ``about``."""

    about: Predicted | None = None


def criterion(predicted: Predicted) -> Deciding:
    """Return the criterion by which designs make the variance of a prediction small, on its ``scale``.

    The score is one over that variance. A parameter on which the prediction does not depend may be undetermined.
    """
    gradient = predicted.gradient * slope(predicted.value, predicted.scale)
    return Deciding(predicted.what, weights=np.outer(gradient, gradient)[None], about=predicted)
