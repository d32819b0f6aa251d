"""Counter-keyed random streams: the same draw for the same subject, whatever else is drawn.

A stream is named by a seed, a purpose and labels. Its numbers are laid out subject by subject, so the first subjects of
a large population are those of a small one, and no stream moves another. Nothing here keeps a state.
"""

from __future__ import annotations

import hashlib
import json
import math
import numbers
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

__all__ = ["PURPOSES", "evenly", "normals", "uniforms"]

PURPOSES = (
    "eta",  # differences between subjects
    "occasion",  # differences within a subject between occasions
    "noise",  # residual error of an observation
    "histogram",  # subjects drawn from published marginal distributions
    "dropout",
    "uncertainty",  # parameters drawn from their estimation error
    "resample",
    "search",  # starting points of an optimization
    "posterior",  # random effects of a subject, given its data
)

WORDS = 4  # that one step of the generator's counter gives

Label = str | int | float


def uniforms(
    seed: int, purpose: str, size: int, width: int, *labels: Label, rows: NDArray[np.intp] | None = None
) -> NDArray[np.float64]:
    """Draw standard uniforms, strictly between 0 and 1.

    Parameters
    ----------
    seed : int
        0 to 2**64 - 1.
    purpose : str
        One of `PURPOSES`.
    size, width : int
        Subjects, and numbers per subject.
    *labels : str, int or float
        What else names the stream: a parameter, a lineage, a day. Numbers count to the sixth decimal, so a day that
        went through hours and back is the same day.
    rows : array of int, optional
        Give only these subjects (each in 0..size-1).

    Returns
    -------
    numpy.ndarray
        (size, width), or (len(rows), width). Row ``i`` does not depend on ``size`` or ``rows``; it does on ``width``.

    Raises
    ------
    ValueError
        If the purpose is unknown, or seed, size, width or a label is not what it must be.

    Examples
    --------
    >>> one, two = uniforms(1, "eta", 1, 2), uniforms(1, "eta", 9, 2)
    >>> bool((one == two[:1]).all())
    True
    """
    _check(seed, purpose, size, width)
    low, high = (0, size) if rows is None or not rows.size else (int(rows.min()), int(rows.max()) + 1)
    blocks, skipped = divmod(low * width, WORDS)  # what comes before the first row wanted is not computed
    bits = np.random.Philox(key=np.array([seed, _word(purpose, labels)], dtype=np.uint64), counter=blocks)
    raw = bits.random_raw(skipped + (high - low) * width)[skipped:].reshape(high - low, width)
    if rows is not None:
        raw = raw[rows - low]
    # 52 bits: with 53, the half added to the largest would round up and give exactly 1.
    return np.asarray(((raw >> np.uint64(12)).astype(np.float64) + 0.5) * 2.0**-52)


def normals(
    seed: int, purpose: str, size: int, width: int, *labels: Label, rows: NDArray[np.intp] | None = None
) -> NDArray[np.float64]:
    """Draw standard normals; arguments, shape and errors as for `uniforms`.

    Examples
    --------
    >>> normals(1, "noise", 3, 1, "neutrophil", 7).shape
    (3, 1)
    """
    return np.asarray(ndtri(uniforms(seed, purpose, size, width, *labels, rows=rows)), dtype=np.float64)


def evenly(seed: int, size: int, width: int, *labels: int) -> NDArray[np.float64]:
    """Return numbers strictly between 0 and 1 (size, width) that cover all there are evenly: a scrambled Sobol sequence.

    Examples
    --------
    >>> bool(abs(evenly(1, 64, 2).mean() - 0.5) < 0.01)
    True
    """
    from scipy.stats import qmc

    sequence = qmc.Sobol(max(width, 1), rng=np.random.default_rng([seed, *labels]))
    drawn = sequence.random(1 << (max(size, 1) - 1).bit_length())[:size, :width]
    return np.asarray(np.clip(drawn, 2.0**-31, 1.0 - 2.0**-31))


def _word(purpose: str, labels: tuple[Label, ...]) -> int:
    text = json.dumps([purpose, *(_canonical(label) for label in labels)], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def _canonical(label: Any) -> str:
    if isinstance(label, str):
        return f"s{label}"
    if isinstance(label, numbers.Real) and not isinstance(label, bool | np.bool_) and math.isfinite(label):
        return f"n{round(float(label), 6) + 0.0:.6f}"
    raise ValueError(f"{label!r} cannot label a random stream; use text or a finite number")


def _check(seed: int, purpose: str, size: int, width: int) -> None:
    if purpose not in PURPOSES:
        raise ValueError(f"{purpose!r} is not a purpose of random numbers; known: {', '.join(PURPOSES)}")
    for name, value, low, high in (("seed", seed, 0, 2**64), ("size", size, 0, 2**48), ("width", width, 1, 2**16)):
        if not isinstance(value, numbers.Integral) or isinstance(value, bool) or not low <= value < high:
            raise ValueError(
                f"{name} of a random stream is {value!r}; it must be a whole number from {low} to {high - 1}"
            )
