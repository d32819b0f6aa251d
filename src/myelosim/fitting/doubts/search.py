"""Whether the optimum is one, and the best."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from myelosim.fitting.doubts.evidence import Evidence
from myelosim.fitting.warning import FitWarning

SAME = 0.1  # of the objective: optima this near are one
LEFT = 0.01  # of the objective that a step may still gain
STILL = 1e-6  # Newton decrement of a subject's etas


def not_converged(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of a search that ended before an optimum."""
    fit = seen.fit
    if len(fit.starts) and not fit.starts.loc[fit.starts["objective"].idxmin(), "converged"]:
        yield FitWarning(
            "not_converged",
            f"the search stopped at {fit.objective:.4f}: {fit.why}; fit again from these estimates (the fitted model is a "
            "start), estimate less, or give priors",
        )


def gradient(seen: Evidence) -> Iterator[FitWarning]:
    """Warn where the objective still falls."""
    gain, name = seen.left
    if seen.fit.searched and not gain < LEFT:
        yield FitWarning(
            "gradient",
            f"the gradient is not zero: a further step would gain {gain:.2g} of the objective, most of it by {name}; "
            "fit again from these estimates, or lower tolerance",
        )


def inner(seen: Evidence) -> Iterator[FitWarning]:
    """Warn where the etas are not at their modes, so that the objective is not what it is called."""
    if seen.value is None:
        return
    left = seen.value.modes.left
    bad = [seen.fit.study.subjects[k] for k in np.flatnonzero(~(left <= STILL))]
    if bad:
        yield FitWarning(
            "inner",
            f"the etas of {len(bad)} of {len(left)} subjects are not at their mode ({_named(bad)}); look at these subjects' "
            "rows, and lower tolerance",
        )
    differs = seen.value.total - seen.fit.objective
    if not abs(differs) < LEFT:
        yield FitWarning(
            "inner",
            f"found anew from the same estimates the objective is {seen.value.total:.4f}, not {seen.fit.objective:.4f}: some "
            "subjects' etas have several modes; look at individual fits, and lower tolerance",
        )


def local_optimum(seen: Evidence) -> Iterator[FitWarning]:
    """Warn of a better optimum than that beside the start, of several, and of one that nobody looked beyond."""
    if not len(seen.fit.starts):
        return
    ends = seen.fit.starts["objective"].to_numpy(float)
    arrived = seen.fit.starts["converged"].to_numpy(bool)
    best = float(np.nanmin(ends))
    near = ends < best + SAME
    if ends.size == 1:
        yield FitWarning(
            "one_start",
            "one start only: nothing says that this is not a local optimum; give more starts, 8 say",
        )
        return
    if not near[0]:
        what = "a local optimum" if arrived[0] else "no optimum"
        yield FitWarning(
            "better_optimum",
            f"from the start that was given the search ends at {ends[0]:.4f}, {what}; elsewhere it found {best:.4f}, "
            f"{ends[0] - best:.4g} lower, which is reported. A fit that only started there would be wrong",
        )
    others = np.sort(ends[arrived & ~near])
    if near.sum() == 1:
        yield FitWarning(
            "local_optimum",
            f"one of {ends.size} starts reached {best:.4f} and no other came within {SAME:g}: it may be a local optimum; "
            "give more starts, or estimate less",
        )
    elif others.size:
        yield FitWarning(
            "local_optima",
            f"{near.sum()} of {ends.size} starts reached {best:.4f}, {others.size} ended in a local optimum "
            f"({others[0]:.4f} the best of them); look at the figure of starts",
        )


def _named(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
