"""Rules given in Python: tables, names of shipped sets, values, or functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from myelosim.grading import Table as Grades
from myelosim.spec.document import Findings, Table
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen
from myelosim.spec.rule import Conduct, Rule
from myelosim.spec.rules import Setting, conflicts, read_rule, rule_tables


def followed_rules(
    rules: Any, model: Model, regimen: Regimen, grading: Grades, conduct: Conduct
) -> tuple[Rule | Callable[..., None], ...]:
    """Return what is to be followed.

    Parameters
    ----------
    rules : mapping, sequence or str
        Name -> the keys of a scenario's ``[rule.NAME]``; or names of shipped sets, rules that are read, and callables.

    Raises
    ------
    SpecError
        A rule cannot be, or rules contradict each other.
    """
    setting = Setting(model, regimen, grading, tuple(conduct.signs), conduct.turnaround)
    findings = Findings("rules")
    root = Table({}, (), findings)
    out: list[Rule | Callable[..., None]] = []
    own = {name: Table(keys, (name,), findings) for name, keys in rules.items()} if isinstance(rules, Mapping) else {}
    for rule in list(own) if own else [rules] if isinstance(rules, str) else list(rules):
        if not isinstance(rule, str):
            out.append(rule)
            continue
        for name, table in rule_tables(root, [rule], own).items():
            read = read_rule(name, table, setting)
            out += [] if read is None else [read]
    for why in conflicts([rule for rule in out if isinstance(rule, Rule)]):
        root.fail(None, why)
    findings.check()
    return tuple(out)
