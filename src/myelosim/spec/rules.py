"""The rules of a scenario: its own ``[rule.NAME]`` tables, and sets of rules that ship."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from myelosim import units
from myelosim.errors import SpecError
from myelosim.spec import clauses
from myelosim.spec.document import Table, read_toml, suggestion
from myelosim.spec.levels import read_ladders, with_levels
from myelosim.spec.library import files, find
from myelosim.spec.literal import found
from myelosim.spec.load import header
from myelosim.spec.model import Model
from myelosim.spec.rule import RECOVERS, RELEASES, Action, Give, Rule, Transfuse
from myelosim.spec.sensible import conflicts, sensible
from myelosim.spec.setting import Setting

T = TypeVar("T")

FREQUENCIES = {"daily": 1.0, "every other day": 2.0, "3 times a week": 7 / 3, "twice weekly": 3.5, "weekly": 7.0}
STUDY_DRUG = "drug"  # in a rule: the drug that the arm is about
SUPPORT = "G-CSF"  # in a rest: every supportive drug of the model, of which there may be none
KEYS = (
    "when", "do", "until", "recover", "then", "within", "later", "levels", "below", "from", "most", "gap", "rest", "visits",
    "turnaround", "precedence", "source", "species", "warnings",
)  # fmt: skip


def rule_tables(table: Table, names: Sequence[str], own: Mapping[str, Table]) -> dict[str, Table]:
    """Return the tables of the rules an arm names: the scenario's own, or all of a shipped set's."""
    out: dict[str, Table] = {}
    for name in names:
        if name in own:
            out[name] = own[name]
            continue
        try:
            path = find(name, ("rules",))
            if path is None:
                raise SpecError(f"no rule '{name}'{suggestion(name, [*own, *files('rules')])}")
            shipped = read_toml(path)
            header(shipped, "rules")
            shipped.name("title")
            common = {key: shipped.data[key] for key in ("source", "warnings") if key in shipped.data}
            shipped.known += common
            inside = shipped.children("rule")
            for inner, one in inside.items():
                out[path.stem if len(inside) == 1 else f"{path.stem}.{inner}"] = one.over(
                    Table(common, (), shipped.findings)
                )
            shipped.finish()
            shipped.findings.check()
        except SpecError as error:
            table.fail("rules", str(error))
    return out


def read_rules(table: Table, tables: Mapping[str, Table], setting: Setting) -> tuple[Rule, ...]:
    """Read the rules of an arm, but those for other species; what is wrong is noted in each, or in ``table``."""
    species = setting.model.subjects.species
    meant = {name: one.texts("species") for name, one in tables.items()}
    mine = [name for name, which in meant.items() if not which or species in which]
    for stem in {name.partition(".")[0] for name in tables} - {name.partition(".")[0] for name in mine}:
        which = sorted({one for name, own in meant.items() if name.partition(".")[0] == stem for one in own})
        table.fail("rules", f"'{stem}' is for {', '.join(which)}, and the model is of {species or 'no species'}")
    read = [rule for name in mine if (rule := read_rule(name, tables[name], setting)) is not None]
    for why in conflicts(read):
        table.fail("rules", why)
    for apart in {id(one.findings): one.findings for one in tables.values()}.values():  # of files of their own
        for message in apart.messages if apart is not table.findings else ():
            table.findings.add((*table.path, *(("rules",) if table.path else ())), message)
    return tuple(read)


def read_rule(name: str, table: Table, setting: Setting) -> Rule | None:
    """Read a rule for an arm; None, with findings, if something in it cannot be."""
    before = len(table.findings.messages)
    drugs = [*setting.model.drugs, *([STUDY_DRUG] if setting.study_drug else [])]
    when = _understood(table, "when", clauses.condition)
    do = _each(table, "do", lambda text: _named(clauses.actions(text, drugs), setting))
    until = _understood(table, "until", clauses.condition) if "until" in table.data else None
    recover = _each(table, "recover", lambda text: _one_of(text, RECOVERS)) if "recover" in table.data else ("named",)
    then = _each(table, "then", lambda text: _one_of(text, RELEASES)) if "then" in table.data else ("resume",)
    within = _hours(table, "within") if "within" in table.data else None
    later = _each(table, "later", lambda text: _one_of(text, RELEASES)) if "later" in table.data else ()
    below = table.text("below", "stop", allowed=["stop", "stay"])
    since, cycle = _from(table)
    rest, rest_drugs = _rest(table, setting.model)
    visits = _frequency(table) if "visits" in table.data else None
    most = table.integer("most", low=1, high=1000) if "most" in table.data else None
    precedence = table.integer("precedence", low=1, high=1000) if "precedence" in table.data else None
    gap = _hours(table, "gap") if "gap" in table.data else 0.0
    turnaround = _hours(table, "turnaround") if "turnaround" in table.data else setting.turnaround
    source = table.text("source", "")
    warnings = table.texts("warnings")
    ladders = read_ladders(table)
    table.finish(KEYS)
    if when is None or len(table.findings.messages) > before:
        return None
    rule = Rule(
        name=name, when=when, do=do, until=until, recover=recover, then=then, within=within, later=later, below=below,
        cycle=cycle, since=since, most=most, gap=gap, rest_drugs=rest_drugs, rest=rest, visits=visits, turnaround=turnaround,
        precedence=precedence, source=source, warnings=warnings, text={key: str(value) for key, value in table.data.items()},
    )  # fmt: skip
    rule = with_levels(table, rule, ladders, setting.regimen, setting.model)
    sensible(table, rule, setting)
    return rule if len(table.findings.messages) == before else None


def _understood(table: Table, key: str, read: Callable[[str], T]) -> T | None:
    text = table.text(key)
    if table.data.get(key) == "":
        table.fail(key, f"is empty; write e.g. {clauses.CONDITION_FORM}")
    if not text:
        return None
    try:
        return read(text)
    except ValueError as error:
        table.fail(key, str(error))
        return None


def _each(table: Table, key: str, read: Callable[[str], T]) -> tuple[T, ...]:
    """Read a text, or a list of them, one for each occurrence."""
    if key == "do" and key not in table.data:
        table.fail(None, f"'do' is missing; write {clauses.ACTION_FORM}")
    out = []
    for text in table.texts(key):
        try:
            out.append(read(text))
        except ValueError as error:
            table.fail(key, str(error))
    if key in table.data and table.data[key] == []:
        table.fail(key, "is empty; give one entry for each occurrence, the last for all later ones")
    return tuple(out)


def _one_of(text: str, allowed: Sequence[str]) -> str:
    if text not in allowed:
        raise ValueError(f"{found(text)} is not known{suggestion(text, allowed)}")
    return text


LONGEST_TURNAROUND = 24.0 * 30


def _hours(table: Table, key: str) -> float:
    if isinstance(table.data[key], int | float):
        table.fail(key, f'{found(table.data[key])} has no unit; write e.g. "14 d"')
        return 0.0
    return table.quantity(
        key, "h", low=0.0, high=LONGEST_TURNAROUND if key == "turnaround" else 24.0 * 3660, example="14 d"
    )


def _from(table: Table) -> tuple[float, int]:
    text = table.text("from", "")
    if not text:
        return 0.0, 1
    match = re.fullmatch(r"cycle ([1-9]\d{0,3})|d([1-9]\d{0,4})", text)
    if match is None:
        table.fail("from", f'{found(text)} is not understood; write "cycle 2" or "d29"')
        return 0.0, 1
    return (0.0, int(match[1])) if match[1] else (24.0 * (int(match[2]) - 1), 1)


def _rest(table: Table, model: Model) -> tuple[float, tuple[str, ...]]:
    text = table.text("rest", "")
    if not text:
        return 0.0, ()
    time, after, drug = text.partition(" after ")
    try:
        if not after:
            raise ValueError(f'{found(text)} is not understood; write e.g. "48 h after {SUPPORT}"')
        hours = units.parse(time, "h")
        if not 0 < hours <= 24.0 * 365:
            raise ValueError(f"{found(time)} is no rest; write e.g. 48 h")
    except ValueError as error:
        table.fail("rest", str(error))
        return 0.0, ()
    if drug == SUPPORT:
        return hours, tuple(name for name, one in model.drugs.items() if one.supportive)
    if drug not in model.drugs:
        table.fail("rest", f"the model has no drug {found(drug)}{suggestion(drug, [*model.drugs, SUPPORT])}")
    return hours, (drug,)


def _frequency(table: Table) -> float | None:
    text = table.text("visits")
    every = re.fullmatch(r"q([1-9]\d?)d", text)
    if every is None and text not in FREQUENCIES:
        table.fail("visits", f"{found(text)} is not understood{suggestion(text, [*FREQUENCIES, 'q2d'])}")
        return None
    return float(every[1]) if every else FREQUENCIES[text]


def _named(actions: tuple[Action, ...], setting: Setting) -> tuple[Action, ...]:
    own = setting.study_drug
    if not own:
        return actions
    return tuple(
        dataclasses.replace(a, drug=own) if not isinstance(a, Give | Transfuse) and a.drug == STUDY_DRUG else a
        for a in actions
    )
