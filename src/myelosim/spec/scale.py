"""The scales on which parameters vary, are estimated and are uncertain."""

from __future__ import annotations

from typing import Any

import numpy as np


def to_scale(value: Any, scale: str) -> Any:
    """Return a value, or an array of them, on its scale: "log", "logit" or "identity".

    Examples
    --------
    >>> float(to_scale(0.5, "logit")), float(to_scale(1.0, "log")), to_scale(3.0, "identity")
    (0.0, 0.0, 3.0)
    """
    if scale == "log":
        return np.log(value)
    return np.log(value) - np.log1p(-np.asarray(value)) if scale == "logit" else value


def from_scale(x: Any, scale: str) -> Any:
    """Return the value, or the array of them, that stands at ``x`` on its scale.

    Examples
    --------
    >>> float(from_scale(0.0, "logit")), float(from_scale(0.0, "log")), from_scale(3.0, "identity")
    (0.5, 1.0, 3.0)
    """
    if scale == "log":
        return np.exp(x)
    return 1.0 / (1.0 + np.exp(-np.asarray(x))) if scale == "logit" else x


def on_scale(value: float, scale: str) -> bool:
    """Tell whether a value has a finite place on its scale.

    Examples
    --------
    >>> on_scale(0.0, "log"), on_scale(1.0, "logit"), on_scale(-2.0, "identity")
    (False, False, True)
    """
    return scale == "identity" or (value > 0 if scale == "log" else 0 < value < 1)


def slope(value: float, scale: str) -> float:
    """Return by how much a place on the scale moves when the value moves by one.

    Examples
    --------
    >>> slope(4.0, "log"), slope(0.5, "logit")
    (0.25, 4.0)
    """
    if scale == "log":
        return 1.0 / value
    return 1.0 / (value * (1.0 - value)) if scale == "logit" else 1.0
