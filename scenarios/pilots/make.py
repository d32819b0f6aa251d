"""Simulate the pilot studies in this folder and write them with their truth: ``python scenarios/pilots/make.py``.

Everything is drawn from counter-keyed streams named by a study's seed, so the same version writes the same bytes.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import myelosim as ms
from myelosim.population import draw
from myelosim.random import normals, uniforms
from myelosim.spec.model import Model
from myelosim.spec.rule import Conduct

HERE = Path(__file__).resolve().parent
COLUMNS = ("ID", "TIME", "AMT", "RATE", "II", "ADDL", "EVID", "DRUG", "DV", "DVID", "MDV", "CENS", "LIMIT", "WEIGHT")
NOT_DATA = "# Simulated, not data: no animal and no patient stands behind a number. Written by make.py; do not edit.\n"


@dataclass(frozen=True)
class Person:
    """One animal or patient: what is planned, the elapsed days of its visits, and its weight (kg)."""

    name: str
    dose: str
    visits: Sequence[float]
    days: float
    weight: float


@dataclass(frozen=True)
class Pilot:
    """A study, and the values it is simulated with where they are not the library's.

    ``limit`` is an observable's lower limit of quantification, in 10^9/L.
    """

    name: str
    title: str
    model: Mapping[str, str]
    true: Mapping[str, float]
    seed: int
    people: Sequence[Person]
    limit: Mapping[str, float]
    rules: Any = ()
    missed: float = 0.0  # probability that a dose is not taken

    @property
    def library(self) -> Model:
        """The model as it ships."""
        about = dict(self.model)
        return ms.load_model(about.pop("drug"), **about)

    @property
    def truth(self) -> Model:
        """The model that the study is simulated with."""
        return self.library.replace(self.true, source="truth of a simulated study")


def weights(seed: int, size: int, mean: float, cv: float, decimals: int) -> list[float]:
    """Return log-normal body weights (kg), rounded as a scale shows them."""
    z = normals(seed, "eta", size, 1, "weight")[:, 0]
    return np.round(mean * np.exp(cv * z), decimals).tolist()


def rats(seed: int) -> list[Person]:
    """Return four groups of four males, visits and doses for 28 days."""
    groups = ("none", *(f"asciminib_illustrative_rodent {dose} mg/kg QD d1-28" for dose in (10, 30, 100)))
    weight = weights(seed, 16, 0.26, 0.05, 3)
    return [
        Person(f"{1 + k // 4}{1 + k % 4:02d}", groups[k // 4], (0, 3, 7, 14, 21, 28), 28, weight[k]) for k in range(16)
    ]


def monkeys(seed: int) -> list[Person]:
    """Return two animals on vehicle, three at one dose and two at a high one, for 14 days."""
    doses = ["none"] * 2 + ["cemsidomide 50 ug QD d1-14"] * 3 + ["cemsidomide 250 ug QD d1-14"] * 2
    group = [1, 1, 2, 2, 2, 3, 3]
    weight = weights(seed, len(group), 3.8, 0.12, 1)
    return [
        Person(f"{group[k]}{1 + group[:k].count(group[k]):02d}", dose, (0, 3, 5, 7, 10, 14), 17, weight[k])
        for k, dose in enumerate(doses)
    ]


def patients(seed: int) -> list[Person]:
    """Return five cohorts, seen weekly within a day of the plan and at times not at all, for two or three cycles."""
    cohorts = [
        (3, "25 ug QD d1-14"), (4, "50 ug QD d1-14"), (5, "75 ug QD d1-14"), (6, "100 ug QD d1-14"), (6, "62.5 ug QD d1-21"),
    ]  # fmt: skip
    plans = [plan for size, plan in cohorts for _ in range(size)]
    size, weight = len(plans), weights(seed, len(plans), 76.0, 0.18, 1)
    leaves = uniforms(seed, "dropout", size, 1, "after two cycles")[:, 0] < 0.3
    absent = uniforms(seed, "dropout", size, 13, "visit") < 0.07
    shift = np.floor(3.0 * uniforms(seed, "dropout", size, 13, "window")) - 1.0
    people = []
    for k, plan in enumerate(plans):
        weeks = range(9 if leaves[k] else 13)
        firm = [week % 4 == 0 for week in weeks]  # on the first day of a cycle nobody is seen early, late or not at all
        visits = [7 * w + (0 if firm[w] else int(shift[k, w])) for w in weeks if firm[w] or not absent[k, w]]
        dose = f"cemsidomide {plan} q28d x{len(weeks) // 4}"
        people.append(Person(str(1001 + k), dose, visits, 7.0 * (len(weeks) - 1), weight[k]))
    return people


def pilots() -> tuple[Pilot, ...]:
    """Return the studies.

    Each has the first seed with what it is to show: a rat below the limit of quantification; one monkey, and no other, that is
    rescued and falls below it; one patient, and no other, with platelets transfused.
    """
    rat, monkey, patient = 1, 66, 3
    return (
        Pilot(
            "rat_28day", "Illustrative 28-day rat study, three lineages", seed=rat, people=rats(rat),
            model={"drug": "asciminib_illustrative_rodent", "species": "rat", "variant": "sprague_dawley"},
            true={
                "neutrophil.baseline": 1.7, "neutrophil.mtt": 58.0, "asciminib_illustrative_rodent.neutrophil.ec50": 3300.0,
                "platelet.baseline": 920.0, "platelet.mtt": 70.0, "asciminib_illustrative_rodent.platelet.ec50": 2200.0,
                "erythroid.baseline": 14.9, "asciminib_illustrative_rodent.erythroid.ec50": 2800.0,
            },
            limit={"neutrophil": 0.2},
        ),
        Pilot(
            "cynomolgus_14day", "Cemsidomide in cynomolgus monkeys, one of them rescued", seed=monkey, people=monkeys(monkey),
            model={"drug": "cemsidomide", "species": "cynomolgus", "gcsf": "filgrastim"},
            true={
                "neutrophil.baseline": 3.4, "cemsidomide.neutrophil.ec50": 0.36, "platelet.baseline": 420.0,
                "platelet.mtt": 92.0, "cemsidomide.platelet.ec50": 0.55, "erythroid.baseline": 12.6,
                "cemsidomide.erythroid.ec50": 0.45,
            },
            limit={"neutrophil": 0.2},
            rules={
                "rescue": {
                    "when": "neutrophil < 0.5", "do": "give filgrastim 5 ug/kg sc QD", "visits": "daily",
                    "until": "neutrophil > 1.5 for 2 consecutive days",
                },
            },
        ),
        Pilot(
            "phase1_rrmm", "Cemsidomide in relapsed myeloma, a phase 1 of 24 patients", seed=patient, people=patients(patient),
            model={"drug": "cemsidomide", "species": "human", "variant": "rrmm"},
            true={
                "neutrophil.baseline": 3.0, "cemsidomide.neutrophil.ec50": 0.55, "platelet.baseline": 165.0,
                "platelet.mtt": 142.0, "cemsidomide.platelet.ec50": 0.36, "erythroid.baseline": 10.6,
                "cemsidomide.erythroid.ec50": 0.45,
            },
            limit={"neutrophil": 0.1, "platelet": 5.0},
            rules={
                "hold": {
                    "when": "neutrophil < 1.0 or platelet < 50", "do": "hold cemsidomide",
                    "until": "neutrophil >= 1.0 and platelet >= 50", "then": "resume",
                },
                "platelets": {"when": "platelet < 25", "do": "transfuse 1 unit of platelets", "gap": "2 d"},
            },
            missed=0.02,
        ),
    )  # fmt: skip


def simulated(pilot: Pilot) -> pd.DataFrame:
    """Return the rows of a study, each person simulated under its own plan and visits."""
    model, every = pilot.truth, []
    conduct = Conduct(missed=pilot.missed)
    for k, person in enumerate(pilot.people):
        one = ms.Population(1, seed=pilot.seed, first=k, covariates={"weight": person.weight})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ms.MyelosimWarning)
            ds = ms.simulate(
                model, person.dose, days=person.days, population=one, visits=list(person.visits), rules=pilot.rules,
                conduct=conduct, threads=1,
            )  # fmt: skip
        rows = pd.concat([ms.to_events(ds), transfusions(ds)], ignore_index=True)
        every.append(rows.assign(ID=person.name, WEIGHT=person.weight))
    return censored(pd.concat(every, ignore_index=True), pilot.limit)


def transfusions(ds: Any) -> pd.DataFrame:
    """Return what was transfused, in units, as doses of the lineage."""
    ds = ds.isel(dose=(ds["dose_kind"] == "transfusion").to_numpy())
    rows = pd.DataFrame({"TIME": 24.0 * ds["dose_time"].to_numpy(), "AMT": ds["dose_given"].to_numpy()[0]})
    rows = rows.assign(DRUG=ds["dose_drug"].to_numpy(), DVID="", EVID=1, MDV=1, RATE=0.0)
    return rows[rows["AMT"] > 0]


def censored(rows: pd.DataFrame, limit: Mapping[str, float]) -> pd.DataFrame:
    """Put the limit where less was seen: CENS 1, DV the limit of quantification, LIMIT the least it can be."""
    least = rows["DVID"].map(limit).astype(float)
    below = rows["DV"] < least
    return rows.assign(DV=rows["DV"].mask(below, least), CENS=below.astype(int), LIMIT=np.where(below, 0.0, np.nan))


def long(rows: pd.DataFrame) -> pd.DataFrame:
    """Return NONMEM's rows as text: equal doses in a row as one with II and ADDL, a dose after an observation of its hour."""
    seen = rows[rows["EVID"] == 0].assign(AMT=np.nan, RATE=np.nan)
    order = {name: k for k, name in enumerate(rows["ID"].unique())}
    table = pd.concat([seen, courses(rows[rows["EVID"] != 0])], ignore_index=True)
    table = table.assign(_order=table["ID"].map(order)).sort_values(["_order", "TIME", "EVID"], kind="stable")
    table.loc[table["EVID"] != 0, ["CENS"]] = 0
    return pd.DataFrame({name: [shown(value) for value in table[name]] for name in COLUMNS})


def courses(doses: pd.DataFrame) -> pd.DataFrame:
    """Return dose rows with those that follow each other at one interval and amount drawn together."""
    together = []
    for _, one in doses.groupby(["ID", "DRUG"], sort=False):
        for run in runs(one["TIME"].to_numpy(float), one["AMT"].to_numpy(float)):
            first = one.iloc[run[0]].to_dict()
            more = len(run) - 1
            interval = float(one["TIME"].iloc[run[1]]) - first["TIME"] if more else np.nan
            together.append(first | {"II": interval, "ADDL": more or np.nan})
    return pd.DataFrame(together)


def runs(times: np.ndarray, amounts: np.ndarray) -> Iterator[list[int]]:
    """Yield the places of doses of one amount at one interval."""
    run: list[int] = [0]
    for before, now in pairwise(range(len(times))):
        interval = times[run[1]] - times[run[0]] if len(run) > 1 else times[now] - times[before]
        if amounts[now] == amounts[before] and times[now] - times[before] == interval and interval <= 24.0:
            run.append(now)
        else:
            yield run
            run = [now]
    yield run


def shown(value: Any) -> str:
    """Return a cell: a number as short as it is, a dot for nothing."""
    if isinstance(value, str):
        return value or "."
    return "." if pd.isna(value) else f"{round(float(value), 9):.10g}"


def analyzer(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a laboratory's sheet: a row a draw in the analyzer's units, ``<`` before a limit, and one for an animal's doses."""
    seen = rows[rows["EVID"] == 0]
    less = np.where(seen["CENS"] == 1, "<", "")
    value = np.where(seen["DVID"] == "hemoglobin", 10.0 * seen["DV"], seen["DV"])  # g/L
    seen = seen.assign(cell=[sign + shown(one) for sign, one in zip(less, value, strict=True)])
    draws = seen.pivot(index=["ID", "TIME", "WEIGHT"], columns="DVID", values="cell").reset_index()
    draws = draws.rename(columns={"neutrophil": "NEUT", "platelet": "PLT", "hemoglobin": "HGB"})
    doses = courses(rows[rows["EVID"] != 0]).rename(columns={"AMT": "Dose", "ADDL": "Further"})
    sheet = pd.concat([draws, doses.assign(Every=doses["II"] / 24.0)], ignore_index=True)
    sheet = sheet.sort_values(["ID", "TIME"], kind="stable").assign(Day=lambda table: table["TIME"] / 24.0)
    sheet = sheet.rename(columns={"ID": "Animal", "WEIGHT": "BW"})
    columns = ("Animal", "BW", "Day", "NEUT", "PLT", "HGB", "Dose", "Every", "Further")
    return pd.DataFrame({name: [shown(value) for value in sheet[name]] for name in columns}).replace(".", "")


def truth(pilot: Pilot) -> str:
    """Return what is true of a study: typical values, variances of etas, standard deviations of errors."""
    model, library = pilot.truth, pilot.library
    source = ", ".join(f'{key} = "{value}"' for key, value in pilot.model.items())
    lines = [
        NOT_DATA + "format = 1", 'kind = "truth"', f'title = "{pilot.title}"', f"model = {{ {source} }}",
        f'myelosim = "{ms.__version__}"', f"seed = {pilot.seed}",
        f"subjects = {len(pilot.people)}", "",
        "# Typical values; library is what ships, where the truth differs from it.", "[theta]",
    ]  # fmt: skip
    for name, parameter in model.parameters.items():
        shipped = library.parameters[name].value
        differs = "" if shipped == parameter.value else f", library = {shipped!r}"
        lines.append(f'"{name}" = {{ value = {parameter.value!r}, unit = "{parameter.unit}"{differs} }}')
    lines += ["", "# Variances of the etas, on the logarithm.", "[omega]"]
    lines += [f'"{n}" = {p.omega_sd**2:.6g}' for n, p in model.parameters.items() if p.omega_sd > 0]
    for (first, second), value in model.correlation.items():
        lines += ["", "[[correlation]]", f'between = ["{first}", "{second}"]', f"value = {value!r}"]
    lines += ["", "# Standard deviations of the residual error.", "[sigma]"]
    seen = {"neutrophil", "platelet", "hemoglobin"}
    lines += [f'"{n}.{t}" = {v!r}' for n, r in model.residual.items() if n in seen for t, v in r.sigma.items()]
    lines += ["", "# What is below is censored, 10^9/L.", "[limit_of_quantification]"]
    lines += [f"{name} = {value!r}" for name, value in pilot.limit.items()]
    return "\n".join(lines) + "\n"


def individuals(pilot: Pilot) -> pd.DataFrame:
    """Return each person's own parameters, those that are not the same for all."""
    model, size = pilot.truth, len(pilot.people)
    weight = np.array([person.weight for person in pilot.people])
    values = draw(model, ms.Population(size, seed=pilot.seed, covariates={"weight": weight}))
    own = {name: value[:size] for name, value in values.items() if isinstance(value, np.ndarray)}
    frame = pd.DataFrame({"ID": [person.name for person in pilot.people], "dose": [p.dose for p in pilot.people]})
    return frame.assign(**{name: [f"{one:.6g}" for one in value] for name, value in own.items()})


def files(pilot: Pilot) -> dict[str, str]:
    """Return everything that is written of a study: path in this folder -> text."""
    rows = simulated(pilot)
    out = {
        f"{pilot.name}.csv": long(rows).to_csv(index=False, lineterminator="\n"),
        f"truth/{pilot.name}.toml": truth(pilot),
        f"truth/{pilot.name}_individuals.csv": individuals(pilot).to_csv(index=False, lineterminator="\n"),
    }
    if pilot.name == "rat_28day":
        out["rat_28day_analyzer.csv"] = analyzer(rows).to_csv(index=False, lineterminator="\n")
    return out


def main() -> None:
    """Write the studies into this folder."""
    for pilot in pilots():
        for name, text in files(pilot).items():
            path = HERE / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
            print(path.relative_to(HERE), file=sys.stderr)


if __name__ == "__main__":
    main()
