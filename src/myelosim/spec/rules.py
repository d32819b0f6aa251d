"""The rules of a scenario: its own ``[rule.NAME]`` tables, and sets of rules that ship."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from myelosim import grading, units
from myelosim.errors import SpecError
from myelosim.spec import clauses
from myelosim.spec.document import Table, read_toml, suggestion
from myelosim.spec.dosing import dose_factor
from myelosim.spec.library import files, find
from myelosim.spec.literal import found
from myelosim.spec.load import header
from myelosim.spec.model import Model, observable
from myelosim.spec.possible import impossible
from myelosim.spec.regimen import DoseEvent, Regimen
from myelosim.spec.rule import (
    RECOVERS,
    RELEASES,
    Action,
    Compare,
    Condition,
    Delay,
    Give,
    Hold,
    Reduce,
    Rule,
    Sign,
    Transfuse,
    leaves,
)

T = TypeVar("T")

FREQUENCIES = {"daily": 1.0, "every other day": 2.0, "3 times a week": 7 / 3, "twice weekly": 3.5, "weekly": 7.0}
STUDY_DRUG = "drug"  # in a rule: the drug that the arm is about
KEYS = (
    "when", "do", "until", "recover", "then", "within", "later", "levels", "below", "from", "most", "gap", "rest", "visits",
    "turnaround", "precedence", "source",
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Setting:
    """What a rule is read for: who is dosed with what, how counts are graded, which signs there are, and the usual turnaround."""

    model: Model
    regimen: Regimen
    grading: grading.Table
    signs: Sequence[str]
    turnaround: float


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
            for key in ("title", "source", "visits", "warnings", "name"):
                shipped.known.append(key)
            out |= {f"{path.stem}.{inner}": one for inner, one in shipped.children("rule").items()}
            shipped.finish()
            shipped.findings.check()
        except SpecError as error:
            table.fail("rules", str(error))
    return out


def read_rule(name: str, table: Table, setting: Setting) -> Rule | None:
    """Read a rule for an arm; None, with findings, if something in it cannot be."""
    before = len(table.findings.messages)
    drugs = [*setting.model.drugs, *([STUDY_DRUG] if _study_drug(setting) else [])]
    when = _understood(table, "when", clauses.condition)
    do = _each(table, "do", lambda text: _named(clauses.actions(text, drugs), setting))
    until = _understood(table, "until", clauses.condition) if "until" in table.data else None
    recover = _each(table, "recover", lambda text: _one_of(text, RECOVERS)) if "recover" in table.data else ("named",)
    then = _each(table, "then", lambda text: _one_of(text, RELEASES)) if "then" in table.data else ("resume",)
    within = _hours(table, "within") if "within" in table.data else None
    later = _each(table, "later", lambda text: _one_of(text, RELEASES)) if "later" in table.data else ()
    below = table.text("below", "stop", allowed=["stop", "stay"])
    since, cycle = _from(table)
    rest, rest_drug = _rest(table, setting.model)
    visits = _frequency(table) if "visits" in table.data else None
    most = table.integer("most", low=1, high=1000) if "most" in table.data else None
    precedence = table.integer("precedence", low=1, high=1000) if "precedence" in table.data else None
    gap = _hours(table, "gap") if "gap" in table.data else 0.0
    turnaround = _hours(table, "turnaround") if "turnaround" in table.data else setting.turnaround
    source = table.text("source", "")
    texts = table.texts("levels")
    table.finish(KEYS)
    if when is None or len(table.findings.messages) > before:
        return None
    rule = Rule(
        name=name, when=when, do=do, until=until, recover=recover, then=then, within=within, later=later, below=below,
        cycle=cycle, since=since, most=most, gap=gap, rest_drug=rest_drug, rest=rest, visits=visits, turnaround=turnaround,
        precedence=precedence, source=source, text={key: str(value) for key, value in table.data.items()},
    )  # fmt: skip
    rule = _with_levels(table, rule, texts, setting)
    _sensible(table, rule, setting)
    return rule if len(table.findings.messages) == before else None


def _understood(table: Table, key: str, read: Callable[[str], T]) -> T | None:
    text = table.text(key)
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


def _hours(table: Table, key: str) -> float:
    return table.quantity(key, "h", low=0.0, high=24.0 * 3660, example="14 d")


def _from(table: Table) -> tuple[float, int]:
    text = table.text("from", "")
    if not text:
        return 0.0, 1
    match = re.fullmatch(r"cycle ([1-9]\d{0,3})|d([1-9]\d{0,4})", text)
    if match is None:
        table.fail("from", f'{found(text)} is not understood; write "cycle 2" or "d29"')
        return 0.0, 1
    return (0.0, int(match[1])) if match[1] else (24.0 * (int(match[2]) - 1), 1)


def _rest(table: Table, model: Model) -> tuple[float, str]:
    text = table.text("rest", "")
    if not text:
        return 0.0, ""
    time, after, drug = text.partition(" after ")
    try:
        if not after:
            raise ValueError(f'{found(text)} is not understood; write e.g. "48 h after filgrastim"')
        hours = units.parse(time, "h")
        if not 0 < hours <= 24.0 * 365:
            raise ValueError(f"{found(time)} is no rest; write e.g. 48 h")
    except ValueError as error:
        table.fail("rest", str(error))
        return 0.0, ""
    if drug not in model.drugs:
        table.fail("rest", f"the model has no drug {found(drug)}{suggestion(drug, model.drugs)}")
    return hours, drug


def _frequency(table: Table) -> float | None:
    text = table.text("visits")
    every = re.fullmatch(r"q([1-9]\d?)d", text)
    if every is None and text not in FREQUENCIES:
        table.fail("visits", f"{found(text)} is not understood{suggestion(text, [*FREQUENCIES, 'q2d'])}")
        return None
    return float(every[1]) if every else FREQUENCIES[text]


def _study_drug(setting: Setting) -> str:
    """Return the drug that an arm is about, where that is one: dosed, and no G-CSF."""
    dosed = [drug for drug in setting.regimen.drugs if not setting.model.drugs[drug].supportive]
    return dosed[0] if len(dosed) == 1 and STUDY_DRUG not in setting.model.drugs else ""


def _named(actions: tuple[Action, ...], setting: Setting) -> tuple[Action, ...]:
    own = _study_drug(setting)
    if not own:
        return actions
    return tuple(
        dataclasses.replace(a, drug=own) if not isinstance(a, Give | Transfuse) and a.drug == STUDY_DRUG else a
        for a in actions
    )


def _with_levels(table: Table, rule: Rule, texts: Sequence[str], setting: Setting) -> Rule:
    """Turn levels into fractions of the arm's planned dose."""
    down = any(text == "resume one level down" for text in (*rule.then, *rule.later))
    if (down or any(isinstance(a, Reduce) for a in rule.actions)) and not texts:
        table.fail(None, 'speaks of a level down but has no levels; add e.g. levels = ["100 %", "75 %", "50 %"]')
    if not texts:
        return rule
    held = [a.drug for a in rule.actions if isinstance(a, Hold | Delay | Reduce)]
    if len(set(held)) != 1:
        table.fail("levels", "levels need one drug that the rule holds or reduces")
        return rule
    planned = {(e.amount, e.unit) for e in setting.regimen.events if e.drug == held[0]}
    try:
        fractions = _fractions(texts, held[0], planned, setting.model)
    except ValueError as error:
        table.fail("levels", str(error))
        return rule
    return dataclasses.replace(rule, levels=fractions, level_names=tuple(texts)[-len(fractions) :])


def _fractions(texts: Sequence[str], drug: str, planned: set[tuple[float, str]], model: Model) -> tuple[float, ...]:
    percent = [text.strip().endswith("%") for text in texts]
    if all(percent):
        values = [float(text.strip().rstrip("%")) / 100.0 for text in texts]
        current = 1.0
    else:
        if len(planned) != 1:
            if not planned:
                return (1.0,)
            raise ValueError(f"{drug} is planned at several doses; give the levels in percent of the planned dose")
        ((amount, unit),) = planned
        values = [_amount(text, drug, model) for text in texts]
        current = amount * dose_factor(DoseEvent(drug, 0.0, amount, unit), model)[0]
    if any(not 0 <= low < high for high, low in pairwise(values)):
        raise ValueError(f"{', '.join(texts)} do not fall from level to level")
    near = [i for i, value in enumerate(values) if abs(value - current) <= 1e-9 * max(value, current)]
    if not near:
        said = "100 %" if all(percent) else " ".join(str(part) for part in next(iter(planned))).strip()
        raise ValueError(f"{', '.join(texts)} do not hold the planned dose of {drug}, {said}; add it")
    return tuple(value / values[near[0]] for value in values[near[0] :])


def _amount(text: str, drug: str, model: Model) -> float:
    event = Regimen.parse(f"{drug} {text}").events[0]
    return event.amount * dose_factor(event, model)[0]


def _sensible(table: Table, rule: Rule, setting: Setting) -> None:
    """Refuse what can never happen, or never end."""
    known = [observable(name) for name in setting.model.lineages]
    for key, condition in (("when", rule.when), ("until", rule.until)):
        if condition is not None:
            _checked(table, key, condition, known, setting)
    lasting = [
        a for a in rule.actions if isinstance(a, Hold | Delay) or (isinstance(a, Give) and a.event.count is None)
    ]
    if lasting and rule.until is None:
        table.fail(None, "'until' is missing: what is held, delayed or given again and again must end somewhere")
    if rule.until is None and rule.visits is not None:
        table.fail("visits", "more visits need an 'until' at which they end")
    if rule.until is not None and not lasting and rule.visits is None:
        table.fail(
            "until", "nothing lasts until then: the rule neither holds, delays, gives again and again nor adds visits"
        )
    for action in rule.actions:
        if isinstance(action, Transfuse):
            own = {observable(name): one for name, one in setting.model.lineages.items()}.get(action.lineage)
            if own is None or own.structure.get("transfused") != "yes":
                need = 'transfused = "yes", unit_rise and donor_survival'
                table.fail(
                    "do",
                    f"the model does not say what a transfusion of {action.lineage} does; its lineage needs {need}",
                )
        elif isinstance(action, Hold | Delay) and setting.regimen.events and action.drug not in setting.regimen.drugs:
            table.fail("do", f"the arm is not dosed with {action.drug}, so that there is nothing to hold")
    if "triggered" in rule.recover and rule.until is not None:
        begun = {leaf.lineage for leaf in leaves(rule.when) if isinstance(leaf, Compare)}
        named = {leaf.lineage for leaf in leaves(rule.until) if isinstance(leaf, Compare)}
        if missing := sorted(begun - named):
            table.fail("until", f"says nothing of {', '.join(missing)}, which may begin the rule and must recover")


def _checked(table: Table, key: str, condition: Condition, known: Sequence[str], setting: Setting) -> None:
    for leaf in leaves(condition):
        if isinstance(leaf, Compare) and leaf.lineage not in known:
            table.fail(key, f"the model has no lineage '{leaf.lineage}'{suggestion(leaf.lineage, known)}")
            return
        if isinstance(leaf, Sign) and leaf.name not in setting.signs:
            hint = f"{suggestion(leaf.name, setting.signs)}; add [conduct.signs.{leaf.name}]"
            table.fail(key, f"no sign '{leaf.name}' is declared{hint}")
            return
    why = impossible(condition, setting.grading)
    if why:
        table.fail(key, f"can never be met: {why}")


def conflicts(rules: Sequence[Rule]) -> list[str]:
    """Return in what rules of one arm contradict each other, where no precedence says which is followed."""
    out = []
    for i, first in enumerate(rules):
        for second in rules[i + 1 :]:
            clear = (
                first.precedence is not None and second.precedence is not None and first.precedence != second.precedence
            )
            why = _conflict(first, second)
            if why and not clear:
                out.append(
                    f"'{first.name}' and '{second.name}' {why}; give each a precedence, the smaller number is followed"
                )
    return out


def _conflict(first: Rule, second: Rule) -> str:
    withheld = [first.withheld, second.withheld]
    given = [{a.drug for a in rule.actions if isinstance(a, Give)} for rule in (first, second)]
    both = withheld[0] & withheld[1]
    if both and first.levels and second.levels and first.levels != second.levels:
        return f"have different levels of {sorted(both)[0]}"
    if against := (withheld[0] & given[1]) | (withheld[1] & given[0]):
        return f"give and withhold {sorted(against)[0]}"
    if twice := given[0] & given[1]:
        return f"both give {sorted(twice)[0]}"
    return ""
