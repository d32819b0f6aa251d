"""A course of hand-made or computed curves, without an engine."""

import numpy as np
from scipy.optimize import brentq

from myelosim.endpoints import Course, Track, levels, windows
from myelosim.grading import Bounds, Table

CTCAE = Table(
    "ctcae_v5",
    {
        "neutrophil": Bounds(("lln", 1.5, 1.0, 0.5)),
        "platelet": Bounds(("lln", 75.0, 50.0, 25.0)),
        "hemoglobin": Bounds(("lln", 10.0, 8.0, None)),
    },
)


def watch(curves, named, spans, step=0.5):
    """Follow curves (functions of hours) as an engine would: exact crossings, minima to grid resolution."""
    start, horizon = spans[0]
    grid = np.arange(start, horizon + step / 2, step)
    found, minimum, minimum_time = [], [], []
    for i, curve in enumerate(curves):
        found.append([])
        for level in named.values():
            limit = level[i if len(level) > 1 else 0]
            side = curve(grid) < limit
            change = np.nonzero(side[1:] != side[:-1])[0]
            found[-1].append([brentq(lambda t, c=curve, x=limit: c(t) - x, grid[k], grid[k + 1]) for k in change])
        minimum.append([])
        minimum_time.append([])
        for low, high in spans:
            inside = np.linspace(low, high, 20001)
            values = curve(inside)
            minimum[-1].append(values.min())
            minimum_time[-1].append(inside[values.argmin()])
    width = max(len(times) for subject in found for times in subject)
    crossing = np.full((len(curves), len(named), width), np.nan)
    for i, subject in enumerate(found):
        for j, times in enumerate(subject):
            crossing[i, j, : len(times)] = times
    limits = np.stack(np.broadcast_arrays(*named.values(), np.empty(len(curves)))[:-1], axis=1)
    below = np.array([[c(np.array(start)) < x for x in row] for c, row in zip(curves, limits, strict=True)])
    return Track(np.array(minimum), np.array(minimum_time), crossing, below)


def make(
    curves, days, observed=None, *, horizon=28.0, cycles=(), lineage="neutrophil", table=CTCAE, lln=2.0, extra=None
):
    """Build a course from curves; visits on elapsed days see the truth unless told otherwise."""
    baseline = np.array([float(curve(np.array(0.0))) for curve in curves])
    named = levels(lineage, table, baseline, lln, extra=extra)
    spans = windows(0.0, 24.0 * horizon, tuple(24.0 * day for day in cycles))
    hours = 24.0 * np.asarray(days, dtype=float)
    count = np.array([[float(curve(np.array(t))) for t in hours] for curve in curves]).reshape(len(curves), len(hours))
    seen = count if observed is None else np.asarray(observed, dtype=float)
    track = watch(curves, {k: np.nan_to_num(v) for k, v in named.items()}, spans)
    return Course(lineage, table, track, named, spans, baseline, hours, count, seen, lln)


def through(days, values):
    """Return the curve that joins values on elapsed days by straight lines."""
    return lambda t: np.interp(np.asarray(t) / 24.0, days, values)
