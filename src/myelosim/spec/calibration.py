"""Reported incidences, and the scenario in which a model is held against them."""

from __future__ import annotations

import os
from dataclasses import dataclass

from myelosim.errors import SpecError
from myelosim.spec.document import Table, read_toml, suggestion
from myelosim.spec.library import files, find
from myelosim.spec.load import header
from myelosim.spec.scenario import Scenario
from myelosim.spec.scenarios import read_scenario

USES = ("fit", "holdout", "report")
ENDPOINTS = ("grade", "onset", "held", "return", "auc_ratio", "cmax_ratio", "cmin_ratio")
PERCENT = ("grade", "held")


@dataclass(frozen=True, slots=True)
class Target:
    """A number that somebody reported.

    ``endpoint`` is one of `ENDPOINTS`: the percentage of subjects whose worst observed grade is at least ``grade`` and worse
    than at baseline; the median day of the first such visit among those who have one; the percentage with a dose held; the
    median days from the last dose to 90 % of the true baseline; or, of the typical subject at steady state, AUC, Cmax or Cmin
    in the first of ``arms`` over that in the second. ``arms`` are those pooled in equal shares, all with drug if empty. ``n`` is
    the number of patients behind a percentage, 0 if unknown. ``use`` is "fit", "holdout" or "report".
    """

    id: str
    what: str
    endpoint: str
    value: float
    use: str
    source: str
    lineage: str = ""
    grade: int = 3
    n: int = 0
    arms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Calibration:
    """Targets, and the scenario under whose definition they are computed; ``none`` is its arm without drug, if any."""

    name: str
    title: str
    source: str
    statement: str
    scenario: Scenario
    targets: tuple[Target, ...]
    none: str = ""


def load_calibration(name: str | os.PathLike[str]) -> Calibration:
    """Load a calibration by name or path.

    Raises
    ------
    SpecError
        The file is not found, or something in it cannot be; all that is wrong with it is reported together.
    """
    path = find(name, ("calibration",))
    if path is None:
        raise SpecError(f"no calibration '{name}'{suggestion(str(name), files('calibration'))}")
    table = read_toml(path)
    header(table, "calibration")
    title, source, statement = table.name("title"), table.text("source"), table.text("statement")
    held = table.table("scenario", required=True)
    table.findings.check()
    assert held is not None
    held.data = {"format": 1, "title": title, **held.data}
    scenario = read_scenario(held, path.stem)
    arms = [arm.name for arm in scenario.arms]
    targets = tuple(_target(one, arms) for one in table.tables("target"))
    none = table.text("none", "", allowed=["", *arms])
    table.finish()
    table.findings.check()
    return Calibration(path.stem, title, source, statement, scenario, targets, none)


def _target(table: Table, arms: list[str]) -> Target:
    endpoint = table.text("endpoint", allowed=ENDPOINTS)
    most = 100.0 if endpoint in PERCENT else 1e6
    target = Target(
        id=table.name("id"), what=table.name("what"), endpoint=endpoint, value=table.number("value", low=0.0, high=most),
        use=table.text("use", allowed=USES), source=table.text("source"), lineage=table.text("lineage", ""),
        grade=table.integer("grade", 3, low=1, high=4), n=table.integer("n", 0), arms=table.texts("arms"),
    )  # fmt: skip
    for arm in target.arms:
        if arm not in arms:
            table.fail("arms", f"no arm '{arm}'{suggestion(arm, arms)}")
    if endpoint in ("grade", "onset", "return") and not target.lineage:
        table.fail(None, "'lineage' is missing; say whose grade, onset or return it is")
    if endpoint.endswith("ratio") and len(target.arms) != 2:
        table.fail("arms", "a ratio is of two arms")
    table.finish()
    return target
