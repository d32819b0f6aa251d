"""Run a sweep: blocks on an executor, into a store, until all are there."""

from __future__ import annotations

import itertools
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import xarray as xr

from myelosim.errors import MyelosimWarning, SpecError
from myelosim.spec.sweep import Sweep
from myelosim.spec.sweeps import load_sweep
from myelosim.sweeping import block
from myelosim.sweeping.block import Block, blocks
from myelosim.sweeping.store import CELLS, UNDOSED, Store
from myelosim.sweeping.summary import collected

AHEAD = 64  # blocks handed to an executor beyond those it has finished

Told = Callable[[str, float], None]


def sweep(
    source: Sweep | str | os.PathLike[str] | Mapping[str, Any],
    *,
    folder: str | os.PathLike[str] | None = None,
    executor: Executor | None = None,
    threads: int | None = None,
    progress: Told | None = None,
    overwrite: bool = False,
) -> xr.Dataset:
    """Simulate a scenario's arm over a grid of doses, schedules, species and whatever else may vary.

    All cells draw the same subjects; who falls below a floor under a cell's values is drawn anew there. Endpoints go to
    a store on disk block by block: a sweep needs little memory, whatever its size, and goes on where it was when it is
    called again.

    Parameters
    ----------
    source : Sweep, str, path or mapping
        A sweep, its name or file, or what a file would say.
    folder : path, optional
        Where the store ``subjects.zarr`` is, or is begun. Default: a temporary one that is lost at the end.
    executor : concurrent.futures.Executor, optional
        What runs the blocks: of processes, or ``dask.distributed``'s ``Client.get_executor()``. Its workers must see ``folder``.
    threads : int, optional
        Without an executor: threads to use; the result does not depend on it.
    progress : callable, optional
        Called with what is being done and the fraction done.
    overwrite : bool
        Begin anew where the folder holds the subjects of another sweep.

    Returns
    -------
    xarray.Dataset
        One dim per axis, then ``lineage``. Shares of subjects, each with ``_low`` and ``_high``, 95 % for their number:
        ``p_grade3``, ``p_grade4`` (worst true grade), ``p_grade3_seen``, ``p_grade4_seen`` (worst grade seen at visits) and
        ``at_baseline`` (grade 3 or worse at time zero). ``nadir`` and ``nadir_day`` [..., quantile], with the bounds of the median;
        means ``days_grade3``, ``dose_intensity``, ``rescue_days``; ``subjects`` and ``failed``: how many. ``p_grade3_undosed`` ...:
        the same without any drug, along the axes on which that depends. With a limit: ``p_limit``, and along the other axes
        ``highest_dose``, the highest whose upper bound is under it, or "none". ``dose_matters`` [lineage]: whether the model
        makes an effect on it depend on the dose.

    Raises
    ------
    SpecError
        The sweep is not found or says something that cannot be, or the folder holds another one.

    Examples
    --------
    >>> import myelosim as ms
    >>> ds = ms.sweep({"scenario": {"title": "Doses", "model": "generic_oral_2cmt_friberg", "days": 28,
    ...     "population": {"size": 40}, "arm": [{"name": "one", "dose": "drug 40 mg BID d1-14"}]},
    ...     "axis": {"dose": ["10 mg", "40 mg", "80 mg"]}})
    >>> ds.p_grade3.sizes["dose"], bool((ds.p_grade3.diff("dose") >= 0).all())
    (3, True)
    """
    held = source if isinstance(source, Sweep) else load_sweep(source)
    place = nullcontext(str(folder)) if folder is not None else tempfile.TemporaryDirectory(prefix="myelosim-sweep-")
    with place as where:
        filling = Filling(held, Path(where), overwrite=overwrite)
        filling.run(executor=executor, threads=threads, progress=progress)
        result = filling.collect(progress)
    for text in str(result.attrs["warnings"]).splitlines():
        warnings.warn(text, MyelosimWarning, stacklevel=2)
    return result


class Filling:
    """A sweep and the store that is being filled with it."""

    def __init__(self, held: Sweep, folder: Path, *, overwrite: bool = False) -> None:
        self.sweep = held
        self.store = Store.of(held, folder, overwrite=overwrite)
        self.began = time.perf_counter()

    def missing(self) -> list[Block]:
        """Return the blocks that are not there yet."""
        there = {group: self.store.finished(group) for group in (CELLS, UNDOSED)}
        return [task for task in blocks(self.sweep) if not there[task.group][(*task.cell.index, task.number)]]

    def run(
        self,
        *,
        executor: Executor | None = None,
        threads: int | None = None,
        shard: tuple[int, int] = (1, 1),
        progress: Told | None = None,
    ) -> None:
        """Simulate what is missing; of ``shard`` (k, n) every n-th block, from the k-th on."""
        told = progress or (lambda what, done: None)
        k, n = shard
        mine = set(itertools.islice(((t.group, t.cell.index, t.number) for t in blocks(self.sweep)), k - 1, None, n))
        tasks = [task for task in self.missing() if (task.group, task.cell.index, task.number) in mine]
        total, left = len(mine), len(tasks)
        told(f"block {total - left} of {total}", (total - left) / max(total, 1))
        with _pool(executor, threads) as pool:
            for done, _ in enumerate(_finished(pool, self.store.path.resolve(), tasks), start=total - left + 1):
                told(f"block {done} of {total}", done / total)

    def collect(self, progress: Told | None = None) -> xr.Dataset:
        """Reduce the subjects of all cells.

        Raises
        ------
        SpecError
            Some are missing.
        """
        left, told = len(self.missing()), progress or (lambda what, done: None)
        if left:
            total = sum(1 for _ in blocks(self.sweep))
            raise SpecError(
                f"{self.store.path}: {left} of {total} blocks are missing; run the other shards, or all without --shard"
            )
        result = collected(self.sweep, self.store, told)
        result.attrs["seconds"] = f"in all {time.perf_counter() - self.began:.2f} s"
        return result


@contextmanager
def _pool(executor: Executor | None, threads: int | None) -> Iterator[Executor]:
    """Give the executor, or one of threads that forgets what it has not begun when something goes wrong."""
    if executor is not None:
        yield executor
        return
    own = ThreadPoolExecutor(threads or os.cpu_count() or 1)
    try:
        yield own
    finally:
        own.shutdown(cancel_futures=True)


def _finished(pool: Executor, path: Path, tasks: list[Block]) -> Iterator[None]:
    """Yield as often as a block is done, a bounded number of them in flight."""
    waiting, flying = iter(tasks), set[Future[None]]()
    try:
        flying |= {pool.submit(block.run, path, task) for task in itertools.islice(waiting, AHEAD)}
        while flying:
            done, flying = wait(flying, return_when=FIRST_COMPLETED)
            for one in done:
                one.result()
                yield
            flying |= {pool.submit(block.run, path, task) for task in itertools.islice(waiting, len(done))}
    finally:
        for one in flying:
            one.cancel()
