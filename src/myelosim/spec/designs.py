"""Design files into :class:`~myelosim.spec.design.Design`."""

from __future__ import annotations

import dataclasses
import math
import os
from collections.abc import Mapping
from typing import Any

from myelosim.errors import SpecError
from myelosim.spec.arms import read_set
from myelosim.spec.chosen import chosen_model
from myelosim.spec.design import (
    CRITERIA,
    DECISIONS,
    FIMS,
    LINEARIZATIONS,
    WEEK,
    Alternative,
    Decision,
    Design,
    Front,
    Limits,
    OpenGroup,
    Robust,
)
from myelosim.spec.design_groups import read_elapsed, read_groups, read_usual
from myelosim.spec.document import Findings, Table, is_number, read_toml, shown, suggestion
from myelosim.spec.dosing import prescribed
from myelosim.spec.estimate import estimation
from myelosim.spec.estimate_entries import read_estimate
from myelosim.spec.grading import grade_limits, load_grading, usual_grading
from myelosim.spec.library import files, find
from myelosim.spec.literal import found
from myelosim.spec.load import header
from myelosim.spec.model import Model, observable
from myelosim.spec.named import parameter_name
from myelosim.spec.scatter import observed_unit

FOLDERS = ("designs", "scenarios")


def load_design(source: str | os.PathLike[str] | Mapping[str, Any]) -> Design:
    """Load a design by name, by path, or from a mapping that says what a file would.

    Raises
    ------
    SpecError
        The file is not found, or something in it cannot be; all that is wrong with it is reported together.

    Examples
    --------
    >>> held = load_design("cemsidomide_mouse")
    >>> held.criterion, held.groups[0].structure
    ('D', 'alternating')
    """
    if isinstance(source, Mapping):
        return read_design(Table(source, (), Findings("design")), "design")
    path = find(source, FOLDERS)
    if path is None:
        raise SpecError(f"no design '{source}'{suggestion(str(source), files('designs'))}")
    return dataclasses.replace(read_design(read_toml(path), path.stem), path=str(path.resolve()))


def read_design(table: Table, name: str) -> Design:
    """Read a design; raise everything that is wrong with it at once."""
    header(table, "design")
    name, title, text = table.name("name", name), table.name("title", ""), table.text("text", "")
    load, model = chosen_model(table)
    changed = table.table("set")
    if model is not None and changed is not None:
        model, values = read_set(changed, model)
        load = {**load, "set": values}
    model, estimate = read_estimate(table, model)
    draw, limited, loss = _blood(table)
    groups = read_groups(table, model, read_usual(table, model, draw))
    limits = _limits(table, limited)
    criterion = table.text("criterion", "D", allowed=CRITERIA)
    robust, decision = _robust(table, model, criterion), _decision(table, model, criterion)
    interest = _interest(table, criterion)
    fim = table.text("fim", "reduced", allowed=FIMS)
    linearization = table.text("linearization", "fo", allowed=LINEARIZATIONS)
    lloq, prior = _lloq(table, model, groups), _prior(table)
    alternatives = _alternatives(table)
    windows, front, seed = _windows(table), _front(table), table.integer("seed", 1)
    table.finish()
    table.findings.check()
    assert model is not None
    interest = _estimated(table, model, groups, estimate, interest)
    return Design(
        name=name, title=title or name, load=load, model=model, groups=groups, limits=limits, criterion=criterion,
        interest=interest, estimate=estimate, fim=fim, linearization=linearization, lloq=lloq, blood_loss=loss, prior=prior,
        robust=robust, decision=decision, alternatives=alternatives, windows=windows, front=front, seed=seed,
        text=text,
    )  # fmt: skip


def _blood(table: Table) -> tuple[float | None, str, bool]:
    """Read ``blood``: the volume of a draw, whether the species' limits hold, and whether drawn blood is missing afterwards."""
    held = table.table("blood")
    if held is None:
        return None, "species", False
    draw = held.quantity("draw", "mL", low=0.0, high=1000.0, example="0.5 mL") if "draw" in held.data else None
    limits, loss = held.text("limits", "species", allowed=["species", "none"]), held.boolean("loss", False)
    held.finish(("draw",))
    return draw, limits, loss


def _limits(table: Table, blood: str) -> Limits:
    """Read the calendar's and the study's limits."""
    gap = table.quantity("gap", "d", 0.0, low=0.0, high=3650.0, example="2 d")
    weekdays, first_day = table.boolean("weekdays", False), table.text("first_day", "monday", allowed=WEEK)
    if "first_day" in table.data and not weekdays:
        table.fail("first_day", "says nothing without weekdays = true")
    made: dict[str, Any] = {}
    if (held := table.table("limits")) is not None:
        for key in ("capacity", "subjects"):
            if key in held.data:
                made[key] = held.integer(key, low=1)
        if "budget" in held.data:
            made["budget"] = held.number("budget", low=0.0)
        held.finish(("capacity", "subjects", "budget"))
    cost = table.table("cost")
    if cost is not None:
        made |= {key: cost.number(key, 0.0, low=0.0) for key in ("per_subject", "per_draw", "per_day")}
        cost.finish()
    elif "budget" in made:
        table.fail("limits", "a budget needs [cost], with per_subject, per_draw or per_day")
    return Limits(gap, weekdays, first_day, blood, **made)


def _robust(table: Table, model: Model | None, criterion: str) -> Robust | None:
    held = table.table("robust")
    if held is None:
        if criterion in ("ED", "maximin"):
            table.fail("criterion", f"'{criterion}' needs [robust] uncertain = {{ \"neutrophil.mtt\" = 0.2 }}, say")
        return None
    uncertain: dict[str, float] = {}
    inner = held.table("uncertain", required=True)
    for key in inner.data if inner is not None else ():
        assert inner is not None
        sd = inner.number(key, low=1e-6, high=10.0)
        full = None if model is None else parameter_name(model, key, inner.findings, (*inner.path, key))
        if full is not None:
            uncertain[full] = sd
    draws = held.integer("draws", 16, low=2, high=1000)
    held.finish()
    return Robust(uncertain, draws)


def _decision(table: Table, model: Model | None, criterion: str) -> Decision | None:
    held = table.table("decision")
    if held is None:
        if criterion in DECISIONS:
            table.fail("criterion", f"'{criterion}' needs [decision], with lineage, dose and days")
        return None
    what = held.text("what", criterion if criterion in DECISIONS else "nadir", allowed=DECISIONS)
    if criterion in DECISIONS and what != criterion:
        held.fail("what", f"'{what}' is not the criterion, '{criterion}'; leave it out")
    lineage, days = held.text("lineage"), held.quantity("days", "d", 28.0, low=0.1, high=3650.0)
    grade, limit = held.integer("grade", 3, low=1, high=4), held.number("limit", 0.33, low=1e-3, high=0.999)
    species = "" if model is None else model.subjects.species
    grading = held.text("grading", usual_grading(species))
    subjects, texts = held.integer("subjects", 2000, low=8, high=1_000_000), held.texts("dose")
    held.finish()
    if model is None:
        return None
    known = [observable(name) for name in model.lineages]
    if lineage and observable(lineage) not in known:
        held.fail("lineage", f"the model has no lineage '{lineage}'{suggestion(lineage, known)}")
        return None
    key = "dose"
    try:
        regimen, key = prescribed(list(texts), model), "grading"
        if what in ("risk", "dose") and lineage and 1 <= grade <= 4:
            border = grade_limits(model, load_grading(grading), observable(lineage))[grade - 1]
            if math.isnan(border):
                held.fail("grade", f"the table {grading} has no number for grade {grade} of {lineage}")
    except SpecError as error:
        held.fail(key, str(error).removeprefix("dose "))
        return None
    return Decision(what, observable(lineage), regimen, days, grade, limit, grading, subjects)


def _interest(table: Table, criterion: str) -> tuple[str, ...]:
    """Read what "Ds" is about."""
    names = table.texts("interest")
    if criterion == "Ds" and not names:
        table.fail("criterion", "'Ds' needs interest, the parameters it is about")
    if names and criterion != "Ds":
        table.fail("interest", f"belongs to criterion = \"Ds\"; with '{criterion}' leave it out")
    return names


def _lloq(table: Table, model: Model | None, groups: tuple[OpenGroup, ...]) -> dict[str, float]:
    held = table.table("lloq")
    if held is None or model is None:
        return {}
    looked = sorted({name for group in groups for one in group.samplings for name in one.observe})
    made = {}
    for key in held.data:
        if key not in looked:
            held.fail(key, f"'{key}' is not looked at{suggestion(key, looked)}")
        else:
            made[key] = held.quantity(key, observed_unit(model, key), low=1e-12)
    return made


def _prior(table: Table) -> str:
    """Read "model", or where a fit is: its folder or its model, relative to the file."""
    text = table.text("prior", "")
    if text in ("", "model"):
        return text
    path = table.findings.folder / text
    if not path.exists():
        table.fail("prior", f'{shown(path)} is not there; give "model", or the folder of a fit relative to this file')
    return str(path)


def _alternatives(table: Table) -> tuple[Alternative, ...]:
    made: list[Alternative] = []
    for entry in table.tables("alternative"):
        name = entry.name("name")
        if not entry.data.get("days"):
            entry.fail(None, "'days' is missing or empty; give e.g. days = [3, 5, 7, 10, 14]")
        days = read_elapsed(entry, "days")
        entry.finish()
        if name == "proposed" or any(one.name == name for one in made):
            entry.fail("name", f"another design is called '{name}'; give each its own name")
        made.append(Alternative(name, days))
    return tuple(made)


def _windows(table: Table) -> float | None:
    value = table.raw("windows", 0.9)
    if value is False:
        return None
    if not is_number(value) or not 0 < value < 1:
        table.fail("windows", f"{found(value)} is neither an efficiency between 0 and 1, such as 0.9, nor false")
    return float(value) if is_number(value) else None


def _front(table: Table) -> Front | None:
    """Read what more visits and subjects should buy; whether names of ``wanted`` are estimated is seen where that is known."""
    held = table.table("front")
    if held is None:
        return None
    wanted, numbers = held.raw("wanted", None), held.raw("numbers", [])
    if wanted is not None and not is_number(wanted) and not isinstance(wanted, Mapping):
        held.fail("wanted", f"{found(wanted)} is neither a percentage nor a table of them, such as {{ mtt = 20 }}")
    if not isinstance(numbers, list) or not all(type(n) is int and n > 0 for n in numbers):
        held.fail("numbers", f"{found(numbers)} is no list of numbers of subjects, such as [12, 24]")
    held.finish()
    named = dict(wanted) if isinstance(wanted, Mapping) else wanted
    return Front(named, tuple(numbers) if isinstance(numbers, list) else ())


def _estimated(
    table: Table, model: Model, groups: tuple[OpenGroup, ...], estimate: Mapping[str, Any], interest: tuple[str, ...]
) -> tuple[str, ...]:
    """Refuse an estimation that cannot be, as a fit of the study would; return what interests, by full names."""
    looked = list(dict.fromkeys(name for group in groups for one in group.samplings for name in one.observe))
    dosed = {drug for group in groups for regimen in group.regimens for drug in regimen.dosed}
    try:
        started, asked = estimation(model, looked, dosed=dosed, **estimate)
    except SpecError as error:
        source = table.findings.source
        raise SpecError("\n".join(f"{source}: {line}" for line in str(error).splitlines())) from None
    known = [theta.name for theta in asked.thetas] + [sigma.name for sigma in asked.sigmas if sigma.free]
    known += [f"omega {name}" for name in asked.omega.names] + [f"iov {name}" for name in asked.occasion.names]
    full = [name if name in known else parameter_name(started, name, Findings(""), ()) or name for name in interest]
    for name in full:
        if name not in known:
            table.fail("interest", f"'{name}' is not estimated{suggestion(name, known)}")
    table.findings.check()
    return tuple(full)
