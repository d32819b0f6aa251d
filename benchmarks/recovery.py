"""Whether a fit finds what was put in: ``python -m benchmarks.recovery --replicates 200 --processes 2``.

Each replicate draws the typical values from the priors of ``scenarios/pilots/rat_28day.toml``, simulates 12 rats with 6 visits,
fits them with these priors, and writes one line: truth, estimates and intervals. A second call goes on where the first ended.
A replicate that could not be fitted is a line too, and counts as one that does not cover.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scipy import stats

import myelosim as ms
from myelosim.random import normals
from myelosim.spec.fits import load_fit
from myelosim.spec.model import Model

FIT = Path(__file__).resolve().parents[1] / "scenarios" / "pilots" / "rat_28day.toml"
DRUG = "asciminib_illustrative_rodent"
DOSES = ("none", *(f"{DRUG} {dose} mg/kg QD d1-28" for dose in (10, 30, 100)))
RATS, VISITS, DAYS = 3, (0, 3, 7, 14, 21, 28), 28  # rats in each group
OBSERVED = {"neutrophil": "neutrophil", "platelet": "platelet", "erythroid": "hemoglobin"}
LIMIT = 0.2  # of quantification of neutrophils, 10^9/L
LEVEL = 0.9
COVERED, BIASED = (0.83, 0.97), 0.05  # the bars

Record = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """What a line depends on, besides its replicate; lines of another job are not gone on with."""

    seed: int
    lineages: tuple[str, ...]
    method: str
    intervals: str


@dataclass(frozen=True)
class Plan:
    """The model that truths vary around, and what is believed of its typical values: name -> (mean, sd of the logarithm)."""

    model: Model
    priors: Mapping[str, tuple[float, float]]


def plan(lineages: Sequence[str]) -> Plan:
    """Read priors for some lineages, and take the model's etas of them as independent and those of kinetics away."""
    said = load_fit(FIT)
    model = said.model
    own = [name for name in model.parameters if any(part in lineages for part in name.split("."))]
    still = {name: {"omega_sd": 0.0} for name, p in model.parameters.items() if p.omega_sd > 0 and name not in own}
    model = replace(model, correlation={}).replace(still)
    believed = {name: prior for name, prior in said.estimate["priors"].items() if name in own}
    means = model.replace({name: prior["mean"] for name, prior in believed.items()})
    return Plan(model, {name: (means.parameters[name].value, p["sd_log"]) for name, p in believed.items()})


def truth(known: Plan, seed: int, replicate: int) -> dict[str, float]:
    """Draw typical values from their priors."""
    drawn = {}
    for name, (mean, sd) in known.priors.items():
        z = normals(seed, "uncertainty", replicate + 1, 1, name)[replicate, 0]
        drawn[name] = float(mean * np.exp(sd * z))
    return drawn


def study(known: Plan, true: Mapping[str, float], lineages: Sequence[str], seed: int, replicate: int) -> pd.DataFrame:
    """Simulate 12 rats as the rows of a fit; nobody is in two replicates."""
    model, groups = known.model.replace(dict(true)), []
    for k, dose in enumerate(DOSES):
        rats = ms.Population(RATS, seed=seed, first=RATS * (len(DOSES) * replicate + k))
        ds = ms.simulate(model, dose, days=DAYS, population=rats, visits=list(VISITS), threads=1)
        rows = ms.to_events(ds)
        groups.append(rows.assign(ID=rows["ID"] + RATS * k))
    rows = pd.concat(groups, ignore_index=True).drop(columns=["CMT", "YTYPE"])
    rows = rows[(rows["EVID"] != 0) | rows["DVID"].isin([OBSERVED[name] for name in lineages])]
    below = (rows["DVID"] == "neutrophil") & (rows["DV"] < LIMIT)
    return rows.assign(DV=rows["DV"].mask(below, LIMIT), CENS=below.astype(int)).reset_index(drop=True)


def fitted(known: Plan, rows: pd.DataFrame, method: str) -> Any:
    """Fit with the priors from their means, everything else at what it is."""
    priors = {name: {"mean": mean, "sd_log": sd} for name, (mean, sd) in known.priors.items()}
    return ms.fit(known.model, rows, method=method, free=list(priors), priors=priors, starts=1, threads=1)


def variances(fit: Any, names: Iterable[str]) -> dict[str, float]:
    """Return the variances of etas, from a mapping, a nested one or a table."""
    entries = {name: fit.omega[name] for name in names}
    return {name: float(one if np.isscalar(one) else one[name]) for name, one in entries.items()}


def bounds(fit: Any, intervals: str) -> dict[str, tuple[float, float]]:
    """Return name -> interval of every theta."""
    settings = {"method": "profile", "adjusted": True} if intervals == "adjusted" else {"method": intervals}
    table = fit.intervals(**settings, level=LEVEL, parameters=list(fit.theta))
    return {name: (float(table.loc[name, "low"]), float(table.loc[name, "high"])) for name in fit.theta}


def replicated(job: Job, replicate: int) -> Record:
    """Do one replicate."""
    warnings.simplefilter("ignore", ms.MyelosimWarning)
    known, began = plan(job.lineages), time.perf_counter()
    true = truth(known, job.seed, replicate)
    rows = study(known, true, job.lineages, job.seed, replicate)
    varying = {name: p.omega_sd**2 for name, p in known.model.parameters.items() if p.omega_sd > 0}
    record: Record = {
        "job": asdict(job), "replicate": replicate, "version": ms.__version__, "truth": true, "omega_truth": varying,
        "below": int(rows["CENS"].sum()),
    }  # fmt: skip
    try:
        fit = fitted(known, rows, job.method)
        record |= {
            "estimate": {name: float(fit.theta[name]) for name in true},
            "warnings": [str(w) for w in fit.warnings],
        }
        record["omega"] = variances(fit, varying)
        record["interval"] = bounds(fit, job.intervals)
    except Exception as error:  # whatever it is, it is that replicate's result, and 199 others wait
        record["error"] = f"{type(error).__name__}: {error}"
    return record | {"seconds": round(time.perf_counter() - began, 2)}


def kept(path: Path, job: Any) -> dict[int, Record]:
    """Return the lines that are there, and take away one that a killed process left unfinished."""
    if not path.exists():
        return {}
    lines = path.read_bytes().splitlines(keepends=True)
    if lines and not lines[-1].endswith(b"\n"):
        path.write_bytes(b"".join(lines := lines[:-1]))
    records = [json.loads(line) for line in lines]
    own = json.loads(json.dumps(asdict(job)))
    if other := next((one["job"] for one in records if one["job"] != own), None):
        raise SystemExit(f"{path} holds replicates of {other}; choose another file with --out")
    return {record["replicate"]: record for record in records}


def done(job: Any, wanted: Sequence[int], processes: int, work: Callable[[Any, int], Record]) -> Iterator[Record]:
    """Yield records as they are ready."""
    if processes == 1:
        yield from (work(job, replicate) for replicate in wanted)
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            for future in as_completed([pool.submit(work, job, replicate) for replicate in wanted]):
                yield future.result()
        finally:
            pool.shutdown(cancel_futures=True)


def run(
    job: Any, replicates: int, path: Path, processes: int = 1, work: Callable[[Any, int], Record] = replicated
) -> list[Record]:
    """Do the replicates that a file does not hold yet, a line each as it is ready; return all that were asked for."""
    records = kept(path, job)
    wanted = [replicate for replicate in range(replicates) if replicate not in records]
    with path.open("a", encoding="utf-8") as file:
        for record in track(done(job, wanted, processes, work), "replicates", total=len(wanted)):
            file.write(json.dumps(record) + "\n")
            file.flush()
            os.fsync(file.fileno())
            records[record["replicate"]] = record
    return [records[replicate] for replicate in range(replicates)]


def judged(records: Sequence[Record]) -> pd.DataFrame:
    """Return coverage with its exact 95 % interval, and bias with its standard error, by theta.

    Bias is the mean of estimate / truth - 1 over the replicates that have an estimate; coverage is over all.
    """
    out = {}
    for name in records[0]["truth"]:
        held = [one for one in records if "interval" in one]
        inside = sum(low <= one["truth"][name] <= high for one in held for low, high in [one["interval"][name]])
        exact = stats.binomtest(inside, len(records)).proportion_ci(0.95, "exact")
        error = np.array([one["estimate"][name] / one["truth"][name] - 1 for one in records if "estimate" in one])
        n = max(len(error), 1)
        out[name] = {
            "covered": inside / len(records), "from": exact.low, "to": exact.high,
            "bias": error.mean() if len(error) else np.nan, "se": error.std(ddof=1) / np.sqrt(n) if n > 1 else np.nan,
            "rmse": np.sqrt(np.mean(error**2)) if len(error) else np.nan,
        }  # fmt: skip
    return pd.DataFrame(out).T


def missed(verdict: pd.DataFrame) -> list[str]:
    """Return which bars are not met."""
    low, high = COVERED
    said = [f"{n}: covered {c:.1%}" for n, c in verdict["covered"].items() if not low <= c <= high]
    sure = verdict["bias"][[str(name).endswith((".baseline", ".mtt")) for name in verdict.index]]
    return said + [f"{name}: biased by {bias:+.1%}" for name, bias in sure.items() if not abs(bias) < BIASED]


def printed(records: Sequence[Record]) -> None:
    """Print the verdict, and the omegas beside it."""
    verdict, console = judged(records), Console(width=120)
    table = Table(
        "theta", f"{LEVEL:.0%} interval covers", "95 % of it", "bias", "se", "rmse", title=f"{len(records)} studies"
    )
    for name, row in verdict.iterrows():
        cells = [f"{row[key]:.1%}" for key in ("covered", "bias", "se", "rmse")]
        table.add_row(str(name), cells[0], f"{row['from']:.1%} to {row['to']:.1%}", *cells[1:])
    console.print(table)
    omegas = Table("omega (variance)", "true", "5 %", "median", "95 %")
    for name, true in records[0]["omega_truth"].items():
        every = [one["omega"][name] for one in records if "omega" in one]
        quantiles = np.quantile(every, [0.05, 0.5, 0.95]) if every else [np.nan] * 3
        omegas.add_row(name, f"{true:.4g}", *(f"{q:.4g}" for q in quantiles))
    console.print(omegas)
    failed = [one["error"] for one in records if "error" in one]
    warned = sum(bool(one.get("warnings")) for one in records)
    console.print(
        f"{len(failed)} could not be fitted, {warned} with warnings, {sum(r['seconds'] for r in records):.0f} s in all"
    )
    for text in [*dict.fromkeys(failed)][:5]:
        console.print(f"  {text}", markup=False)
    bars = missed(verdict)
    console.print("Every bar is met." if not bars else "Not met: " + "; ".join(bars))


def main(
    replicates: int = 200,
    seed: int = 1,
    processes: int = 1,
    out: Annotated[Path, typer.Option(help="Lines are added here; what is there is not done again.")] = Path(
        "recovery.jsonl"
    ),
    lineage: Annotated[list[str] | None, typer.Option(help="neutrophil, platelet, erythroid; all by default.")] = None,
    method: str = "focei",
    intervals: Annotated[str, typer.Option(help="profile, adjusted (a profile) or sir.")] = "adjusted",
) -> None:
    """Simulate pilot studies with known truths, fit them, and say how often the intervals hold the truth."""
    lineages = tuple(lineage or OBSERVED)
    if unknown := sorted(set(lineages) - set(OBSERVED)):
        raise typer.BadParameter(f"'{unknown[0]}' is not a lineage; known: {', '.join(OBSERVED)}")
    if "fit" not in dir(ms):
        raise SystemExit("this version of myelosim has no fit")
    printed(run(Job(seed, lineages, method, intervals), replicates, out, processes))


if __name__ == "__main__":
    typer.run(main)
