"""Which rules make no sense: what they wait for never comes, never ends, or contradicts another rule."""

from __future__ import annotations

import math
from collections.abc import Sequence

from myelosim.spec.check import MOST_COUNT
from myelosim.spec.document import Table, suggestion
from myelosim.spec.model import observable
from myelosim.spec.possible import impossible
from myelosim.spec.rule import Compare, Condition, Delay, Give, Hold, Rule, Sign, Transfuse, leaves
from myelosim.spec.setting import Setting

NEEDS = {
    "then": "until", "recover": "until", "within": "later", "later": "within", "rest": "until", "visits": "until",
    "below": "levels",
}  # fmt: skip
HELD = ("then", "within", "later")


def sensible(table: Table, rule: Rule, setting: Setting) -> None:
    """Note what can never happen, or never end."""
    known = [observable(name) for name in setting.model.lineages]
    for key, condition in (("when", rule.when), ("until", rule.until)):
        if condition is not None:
            _checked(table, key, condition, known, setting)
    for key, need in NEEDS.items():
        if key in table.data and need not in table.data:
            table.fail(key, f"says nothing without '{need}'; add it, or leave '{key}' out")
    held = [a for a in rule.actions if isinstance(a, Hold | Delay)]
    lasting = [*held, *(a for a in rule.actions if isinstance(a, Give) and a.event.count is None)]
    if lasting and rule.until is None:
        table.fail(None, "'until' is missing: what is held, delayed or given again and again must end somewhere")
    if rule.until is not None and not lasting and rule.visits is None:
        table.fail(
            "until", "nothing lasts until then: the rule neither holds, delays, gives again and again nor adds visits"
        )
    for key in HELD:
        if key in table.data and not held:
            table.fail(key, "is about a drug that was held or delayed, and the rule does neither")
    for action in rule.actions:
        _done(table, action, rule, setting)
    if "triggered" in rule.recover and rule.until is not None:
        begun = {leaf.lineage for leaf in leaves(rule.when) if isinstance(leaf, Compare)}
        named = {leaf.lineage for leaf in leaves(rule.until) if isinstance(leaf, Compare)}
        if missing := sorted(begun - named):
            table.fail("until", f"says nothing of {', '.join(missing)}, which may begin the rule and must recover")
    _in_time(table, rule, setting)


def _done(table: Table, action: object, rule: Rule, setting: Setting) -> None:
    if isinstance(action, Transfuse):
        own = {observable(name): one for name, one in setting.model.lineages.items()}.get(action.lineage)
        if own is None or own.structure.get("transfused") != "yes":
            need = 'transfused = "yes", unit_rise and donor_survival'
            table.fail(
                "do", f"the model does not say what a transfusion of {action.lineage} does; its lineage needs {need}"
            )
    elif isinstance(action, Give):
        if action.drug in rule.withheld:
            table.fail("do", f"both gives and withholds {action.drug}; make two rules of it, each with a precedence")
    elif setting.regimen.events and getattr(action, "drug", "") not in setting.regimen.drugs:
        drug, verb = getattr(action, "drug", ""), type(action).__name__.lower()
        table.fail("do", f"the arm is not dosed with {drug}, so that there is nothing to {verb}")


def _in_time(table: Table, rule: Rule, setting: Setting) -> None:
    cycles = len(setting.regimen.starts(24.0 * setting.days))
    if rule.since > 24.0 * setting.days:
        table.fail("from", f"begins after the horizon of {setting.days:g} days")
    if setting.regimen.events and rule.cycle > max(cycles, 1):
        said = f"has {cycles} cycle{'s' * (cycles != 1)} within {setting.days:g} days"
        table.fail("from", f'the arm {said}, so that the rule never begins; write a day, from = "d29", or leave it out')
    if any(isinstance(a, Delay) for a in rule.actions) and setting.regimen.events and cycles < 2:
        table.fail("do", "there is no later cycle to delay; the arm's dose needs cycles, as in d1-14 q28d x4")


def _checked(table: Table, key: str, condition: Condition, known: Sequence[str], setting: Setting) -> None:
    for leaf in leaves(condition):
        if isinstance(leaf, Compare) and leaf.lineage not in known:
            table.fail(key, f"the model has no lineage '{leaf.lineage}'{suggestion(leaf.lineage, known)}")
            return
        own = (
            "erythroid" if isinstance(leaf, Compare) and leaf.lineage == "hemoglobin" else getattr(leaf, "lineage", "")
        )
        if isinstance(leaf, Compare) and leaf.of == "count" and leaf.value > MOST_COUNT.get(own, math.inf):
            unit = "g/dL" if own == "erythroid" else "10^9/L"
            table.fail(
                key,
                f"{leaf.lineage} {leaf.operator} {leaf.value:g} {unit} cannot be meant; write the unit, e.g. 1000 /uL",
            )
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
