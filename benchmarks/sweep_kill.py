"""A large sweep, once undisturbed and once killed again and again: ``python -m benchmarks.sweep_kill``.

Prints subject-arms per second and the most memory any process took, and fails where a bit differs.
"""

from __future__ import annotations

import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer
import xarray as xr

SWEEP = """\
format = 1
title = "Many subjects under many doses"
block = {block}
[scenario]
title = "One arm"
model = "generic_oral_2cmt_friberg"
days = 56
visits = "d1 weekly"
population = {{ size = {subjects} }}
arm = [{{ name = "one", dose = "drug 40 mg BID d1-28" }}]
[axis]
dose = [{doses}]
schedule = ["BID d1-7", "BID d1-14", "BID d1-21", "BID d1-28", "QD d1-28"]
[limit]
lineage = "neutrophil"
probability = 0.33
"""


def main(
    subject_arms: Annotated[int, typer.Option(help="Subjects times cells.")] = 1_000_000,
    cells: Annotated[int, typer.Option(help="A multiple of five.")] = 100,
    block: int = 10_000,
    kills: int = 10,
    threads: int = 2,
    seed: Annotated[int, typer.Option(help="When the processes are killed.")] = 1,
) -> None:
    """Run a sweep twice and compare."""
    with tempfile.TemporaryDirectory() as held:
        place = Path(held)
        doses = ", ".join(f'"{2 * k} mg"' for k in range(1, cells // 5 + 1))
        (place / "many.toml").write_text(SWEEP.format(block=block, subjects=subject_arms // cells, doses=doses))
        began = time.perf_counter()
        _ended(_start(place, "whole", threads).wait())
        took = time.perf_counter() - began
        most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
        print(
            f"{subject_arms:,} subject-arms in {took:.1f} s, {subject_arms / took:,.0f} a second; at most {most:.2f} GB"
        )
        done = _killed(place, threads, kills, took, random.Random(seed))
        if _stored(place / "whole") != _stored(place / "killed"):
            raise SystemExit("the stores differ")
        first, second = (xr.load_dataset(place / name / "result.nc", engine="h5netcdf") for name in ("whole", "killed"))
        xr.testing.assert_identical(first.drop_attrs(), second.drop_attrs())
        print(f"killed {done} times and resumed: the same bits")


def _start(place: Path, out: str, threads: int) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "myelosim",
        "sweep",
        "many.toml",
        "--no-figure",
        "--out",
        out,
        "--threads",
        str(threads),
    ]
    return subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL)


def _killed(place: Path, threads: int, kills: int, took: float, chance: random.Random) -> int:
    """Let processes live for random times, together about a whole run and its beginnings; return how many were killed."""
    for done in range(kills):
        process = _start(place, "killed", threads)
        try:
            _ended(process.wait(timeout=chance.uniform(0.0, 2.0 * (3.0 + 0.7 * took / kills))))
            return done
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    _ended(_start(place, "killed", threads).wait())
    return kills


def _ended(code: int) -> None:
    if code:
        raise SystemExit("a run failed")


def _stored(folder: Path) -> dict[str, bytes]:
    store = folder / "subjects.zarr"
    return {str(path.relative_to(store)): path.read_bytes() for path in store.rglob("*") if path.is_file()}


if __name__ == "__main__":
    typer.run(main)
