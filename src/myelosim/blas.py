"""Threads of the linear algebra below NumPy: for matrices as small as ours they would only wait for each other."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def unthreaded(work: Callable[P, R]) -> Callable[P, R]:
    """Do work with one BLAS thread; the engine's own threads are not BLAS's.

    Where other processes are busy, threads that wait for each other made the search for five days among 28 take up to ten times
    as long.
    """

    @wraps(work)
    def alone(*args: P.args, **kwargs: P.kwargs) -> R:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1, user_api="blas"):
            return work(*args, **kwargs)

    return alone
