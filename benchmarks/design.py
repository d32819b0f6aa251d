"""What designs promise and keep: ``python -m benchmarks.design --replicates 200 --processes 2``.

Four parts, chosen by ``--part``: "speed" (one information matrix, all 98,280 choices of 5 days among 28, the search for the best),
"warfarin" (PopED's determinants), "verify" (studies by the warfarin design and by one of neutrophils are simulated and fitted) and
"decision": studies of 20 subjects with 5 visits, whose days are the seeds', D-optimal, or best for P(grade >= 3); each is fitted,
and the share of a population that reaches grade 3 is predicted from the fit. Each replicate is a line of a file in ``--out``; a
second call goes on where the first ended.
"""

from __future__ import annotations

import time
import timeit
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer
from rich.console import Console

import myelosim as ms
from benchmarks.recovery import run
from myelosim.designing.decision import predict
from myelosim.designing.design import Design
from myelosim.designing.predicted import criterion
from myelosim.designing.verify import judged, replicated
from myelosim.information import Fisher
from myelosim.spec.design import Decision, Group, Sampling
from myelosim.spec.model import Model

PARTS = ("speed", "warfarin", "verify", "decision")
CANDIDATES, VISITS, SEEDS, SUBJECTS = tuple(range(1, 29)), 5, (3, 5, 7, 10, 14), 20
OFTEN = (0.0, 3.0, 5.0, 7.0, 10.0, 12.0, 14.0, 17.0, 21.0, 28.0)
DOSE, DAYS, PREDICTED = "drug 55 mg BID d1-7", 28, 2000
FRIBERG = {
    "drug.ka": 1.0, "drug.cl": 6.3, "drug.vc": 60.0, "drug.q": 4.0, "drug.vp": 50.0, "neutrophil.baseline": 5.0,
    "neutrophil.mtt": 110.0, "neutrophil.gamma": 0.17, "drug.neutrophil.slope": 0.35,
}  # fmt: skip
ASKED: Mapping[str, Any] = {
    "subjects": SUBJECTS, "lineages": ["neutrophil"],
    "parameters": ["neutrophil.baseline", "neutrophil.mtt", "neutrophil.gamma", "drug.neutrophil.slope"],
    "omega": {"neutrophil.baseline": 0.16, "neutrophil.mtt": 0.04, "drug.neutrophil.slope": 0.2025},
    "sigma": {"neutrophil.proportional": 0.2},
}  # fmt: skip
DECIDING = {  # feedback as it is known, counts as scattered as in patients under docetaxel
    **ASKED, "parameters": ["neutrophil.baseline", "neutrophil.mtt", "drug.neutrophil.slope"],
    "sigma": {"neutrophil.proportional": 0.42},
}  # fmt: skip
DETERMINANTS = {"reduced": 5.996147e22, "full": 1.220371e24}
AGAIN = 2000  # times that replicates are drawn with replacement, for intervals

Record = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """What a line depends on, besides its replicate."""

    seed: int
    design: str
    days: tuple[float, ...]
    method: str


def friberg() -> Model:
    """Return the chain whose grade 3 is to be predicted."""
    return ms.load_model("generic_oral_2cmt_friberg").replace(FRIBERG)


def warfarin(fim: str = "reduced") -> Design:
    """Return the warfarin design of Nyberg et al. (Br J Clin Pharmacol 2015;79:6-17)."""
    model = ms.load_model("generic_oral_1cmt").replace({"drug.cl": 0.15, "drug.vc": 8.0, "drug.ka": 1.0})
    return ms.evaluate_design(
        model, "drug 70 mg once", times=[0.5, 1, 2, 6, 24, 36, 72, 120], subjects=32, observe=["drug"],
        parameters=["drug.cl", "drug.vc", "drug.ka"], omega={"drug.cl": 0.07, "drug.vc": 0.02, "drug.ka": 0.6},
        sigma={"drug.proportional": 0.1}, fim=fim, threads=1,
    )  # fmt: skip


@cache
def designed(name: str, days: tuple[float, ...]) -> Design:
    """Return the design of a job."""
    if name == "warfarin":
        return warfarin()
    if name == "neutrophils":
        asked = {**ASKED, "subjects": 2 * SUBJECTS, "linearization": "foce"}
        return ms.evaluate_design(friberg(), DOSE, days=list(days), **asked, threads=1)
    return ms.evaluate_design(friberg(), DOSE, days=list(days), **DECIDING, threads=1)


def decision() -> Decision:
    """Return what is to be predicted."""
    return Decision("risk", "neutrophil", ms.Regimen.parse(DOSE), DAYS, subjects=PREDICTED)


def share(design: Design, values: Sequence[float]) -> float:
    """Return the share of subjects who reach grade 3 with these parameters and variances; the normals are always the same."""
    found = dict(zip(design.names, values, strict=True))
    omega = {name.removeprefix("omega "): value for name, value in found.items() if name.startswith("omega ")}
    model = friberg().replace({name: {"omega_sd": 0.0} for name, p in friberg().parameters.items() if p.omega_sd > 0})
    thetas = {name: {"value": found[name]} for name in DECIDING["parameters"]}
    for name, variance in omega.items():
        thetas[name]["omega_sd"] = float(np.sqrt(variance))
    people = ms.Population(PREDICTED, seed=1)
    ds = ms.simulate(model.replace(thetas), DOSE, days=DAYS, population=people, threads=1)
    return float((ds["worst_grade"].sel(lineage="neutrophil") >= 3).mean())


def work(job: Job, replicate: int) -> Record:
    """Do one replicate."""
    warnings.simplefilter("ignore", ms.MyelosimWarning)
    design, began = designed(job.design, tuple(job.days)), time.perf_counter()
    record = {"job": {**vars(job), "days": list(job.days)}} | replicated(design, job.method, job.seed, replicate)
    if "estimate" in record and job.design not in ("warfarin", "neutrophils"):
        try:
            record["share"] = share(design, record["estimate"])
        except ms.MyelosimError as error:
            record["error"] = f"{type(error).__name__}: {error}"
    return record | {"seconds": round(time.perf_counter() - began, 2)}


def speed(console: Console) -> None:
    """Time one matrix, all choices of days, and the search."""
    model, regimen = friberg(), ms.Regimen.parse("drug 40 mg once")
    every = Group("all", regimen, SUBJECTS, (Sampling(("neutrophil",), tuple(map(float, CANDIDATES))),))
    question = ms.evaluate_design(model, regimen, days=list(SEEDS), **ASKED).question
    began = time.perf_counter()
    (found,) = question.sensitivities([every])
    simulated, fisher = time.perf_counter() - began, Fisher(found)
    one = np.isin(CANDIDATES, SEEDS)[None].astype(float)
    each = min(timeit.repeat(lambda: fisher(one), number=500, repeat=5)) / 500
    console.print(
        f"28 candidate days simulated in {1e3 * simulated:.1f} ms; one information matrix {1e6 * each:.0f} us"
    )
    days = {}
    for how in ("exact", "exchange"):
        began = time.perf_counter()
        best = ms.optimize_design(model, regimen, candidate_days=CANDIDATES, visits=VISITS, search=how, **ASKED)
        seconds, days[how] = time.perf_counter() - began, [f"{day:g}" for day in best.days]
        console.print(f"{how}: days {', '.join(days[how])} of {best.found['looked']} designs in {seconds:.2f} s")
    console.print("both are the same" if days["exact"] == days["exchange"] else "NOT the same")


def chosen() -> dict[str, tuple[float, ...]]:
    """Return the days that are compared, by name."""
    model, question = friberg(), designed("seeds", tuple(map(float, SEEDS))).question
    found = {"seeds": tuple(map(float, SEEDS))}
    for name, by in (("D-optimal", "D"), ("for the decision", criterion(predict(question, decision())))):
        best = ms.optimize_design(
            model, DOSE, candidate_days=CANDIDATES, visits=VISITS, criterion=by, search="exact", **DECIDING
        )
        found[name] = tuple(float(day) for day in best.days)
    return found


def compared(jobs: Sequence[Job], records: Sequence[Sequence[Record]]) -> pd.DataFrame:
    """Return errors of the predicted share by design, in percentage points, of the replicates that all designs could fit.

    ``low`` and ``high`` hold 95 % of the root mean square errors of replicates drawn again; ``worse`` is the share of these
    in which the design's was above that of the last design.
    """
    good = [k for k in range(len(records[0])) if all("share" in own[k] for own in records)]
    truth = share(designed(jobs[0].design, jobs[0].days), records[0][0]["truth"])
    wrong = 100.0 * np.array([[own[k]["share"] - truth for k in good] for own in records])
    drawn = np.random.default_rng(1).integers(0, len(good), (AGAIN, len(good)))
    again = np.sqrt(np.mean(wrong[:, drawn] ** 2, axis=2))
    rows = {}
    for k, (job, own) in enumerate(zip(jobs, records, strict=True)):
        design = designed(job.design, job.days)
        low, high = np.quantile(again[k], [0.025, 0.975])
        rows[job.design] = {
            "days": " ".join(f"{day:g}" for day in job.days), "expected": 100 * predict(design.question, decision()).error(
                design.information
            ), "rmse": np.sqrt(np.mean(wrong[k] ** 2)), "low": low, "high": high, "bias": wrong[k].mean(),
            "worse": np.mean(again[k] > again[-1]), "failed": sum("error" in one for one in own),
        }  # fmt: skip
    table = pd.DataFrame(rows).T
    table.attrs |= {"truth": truth, "used": len(good)}
    return table


def decided(console: Console, seed: int, method: str, replicates: int, processes: int, out: Path) -> None:
    """Do and print the experiment with decisions."""
    jobs = [Job(seed, name, days, method) for name, days in chosen().items()]
    records = [run(job, replicates, out / f"{job.design.replace(' ', '_')}.jsonl", processes, work) for job in jobs]
    table = compared(jobs, records)
    console.print(
        f"P(grade >= 3) after {DOSE}: {100 * table.attrs['truth']:.1f} %; errors in percentage points over "
        f"{table.attrs['used']} replicates"
    )
    console.print(table.to_string(float_format="{:.2f}".format), markup=False)
    for job, own in zip(jobs, records, strict=True):
        verified(console, job, own)


def verified(console: Console, job: Job, records: list[Record]) -> None:
    """Print what a design promised and what came of it."""
    table = judged(designed(job.design, job.days), records)
    console.print(
        f"\n{job.design}: {table.fitted.iloc[0]} fitted, {table.failed.iloc[0]} failed {table.attrs['why'] or ''}"
    )
    console.print(table.drop(columns=["fitted", "failed"]).to_string(float_format="{:.4g}".format), markup=False)


def main(
    replicates: int = 200,
    seed: int = 1,
    processes: int = 1,
    out: Annotated[Path, typer.Option(help="A folder; lines are added there, what is there is not done again.")] = Path(
        "design_benchmark"
    ),
    part: Annotated[list[str] | None, typer.Option(help=f"{', '.join(PARTS)}; all by default.")] = None,
    method: str = "focei",
) -> None:
    """Time designs, compare them with PopED, and see by simulation whether they keep what they promise."""
    parts, console = part or list(PARTS), Console(width=140)
    if unknown := sorted(set(parts) - set(PARTS)):
        raise typer.BadParameter(f"'{unknown[0]}' is not a part; known: {', '.join(PARTS)}")
    out.mkdir(parents=True, exist_ok=True)
    if "speed" in parts:
        speed(console)
    if "warfarin" in parts:
        for fim, known in DETERMINANTS.items():
            found = float(np.linalg.det(warfarin(fim).information))
            console.print(f"warfarin, {fim}: determinant {found:.6e}, PopED {known:.6e}")
    if "verify" in parts:
        for job in (Job(seed, "warfarin", (), method), Job(seed, "neutrophils", OFTEN, method)):
            verified(console, job, run(job, replicates, out / f"{job.design}.jsonl", processes, work))
    if "decision" in parts:
        decided(console, seed, method, replicates, processes, out)


if __name__ == "__main__":
    typer.run(main)
