"""Values by row: parameters and covariates that change within a subject."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from myelosim.data.study import Course


def course(hours: Sequence[float], values: Sequence[Any], *, previous: bool = False) -> Course:
    """Return the course of one subject's rows, in order of time.

    By default a row's value holds from the row before up to and including its own hour (next observation carried backward); with
    ``previous`` from its own hour up to the next row. The first is there from the beginning, the last stays. Of rows of the
    same hour, each holds until the next: for no time, but for the first of them going backward and the last going forward.

    Parameters
    ----------
    hours : list of float
        Not decreasing; at least one.
    values : list of float or str
        One per hour.

    Returns
    -------
    Course
        ``starts[0]`` is 0 and not to be waited for; equal values in a row are one.

    Examples
    --------
    >>> one = course([0, 24, 48], [471.0, 471.0, 506.0])
    >>> one.starts, one.values, one.closed
    (array([ 0., 24.]), array([471., 506.]), True)
    >>> course([0, 24, 48], [471.0, 471.0, 506.0], previous=True).starts
    array([ 0., 48.])
    """
    ends = np.array([*hours[1:], np.inf] if previous else [*hours[:-1], np.inf], float)
    begins = np.array(hours if previous else [-np.inf, *hours[:-1]], float)
    lasting = (ends > begins) & ((ends > 0) if previous else (ends >= 0))
    lasting[-1] = True
    starts: list[float] = []
    kept: list[Any] = []
    for place in np.flatnonzero(lasting).tolist():
        if not kept or values[place] != kept[-1]:
            starts.append(max(float(begins[place]), 0.0) if kept else 0.0)
            kept.append(values[place])
    return Course(np.array(starts), np.array(kept, dtype=str if isinstance(kept[0], str) else float), not previous)
