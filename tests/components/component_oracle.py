"""Plain reference solutions that the component tests compare with."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from myelosim.components.contract import Values

GREEK = {"log": 0.7, "logit": 0.4, "identity": 0.5}


def some_values(declared, **given):
    """Return defaults where declared, else something plausible, as a component would receive it."""
    values = {d.name: GREEK[d.scale] if d.default is None else d.default for d in declared}
    return Values(**{**values, **given})


def unperturbed(sites):
    """Return the site factors without drug."""
    return Values(**dict.fromkeys(sites, 1.0))


def mode_profile(module, p, structure, channel, times):
    """Return the concentration after a unit dose, from the component's modes."""
    rates, weights = module.modes(p, structure)
    return sum(w * np.exp(-r * np.asarray(times)) for r, w in zip(rates, weights[channel], strict=True))


def matrix_profile(matrix, entry, volume, times):
    """Return the concentration in the second compartment after a unit dose, by matrix exponential."""
    return np.array([expm(matrix * t)[1, entry] / volume for t in times])


def solve(rhs, start, times, method="DOP853", tolerance=1e-10, breaks=()):
    """Integrate over the times, starting afresh at each break; return states (time, state)."""
    edges = sorted({times[0], times[-1], *(b for b in breaks if times[0] < b < times[-1])})
    out = np.empty((len(times), len(start)))
    y = np.asarray(start, dtype=float)
    for low, high in itertools.pairwise(edges):
        inside = (times >= low) & (times <= high)
        points = np.unique(np.concatenate([[low], times[inside], [high]]))
        found = solve_ivp(rhs, (low, high), y, method=method, t_eval=points, rtol=tolerance, atol=tolerance * 1e-3)
        assert found.success, found.message
        out[inside] = found.y.T[np.isin(points, times[inside])]
        y = found.y[:, -1]
    return out
