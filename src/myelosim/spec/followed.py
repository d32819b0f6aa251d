"""Rules given in Python: tables, names of shipped sets, values, or functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from myelosim.grading import Table as Grades
from myelosim.spec.document import Findings, Table
from myelosim.spec.model import Model
from myelosim.spec.regimen import Regimen
from myelosim.spec.rule import Conduct, Rule
from myelosim.spec.rules import read_rules, rule_tables
from myelosim.spec.sensible import conflicts
from myelosim.spec.setting import Setting


def followed_rules(
    rules: Any, model: Model, regimen: Regimen, days: float, grading: Grades, conduct: Conduct
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
    setting = Setting(model, regimen, days, grading, tuple(conduct.signs), conduct.turnaround)
    findings = Findings("rules")
    root = Table({}, (), findings)
    own = {name: Table(keys, (name,), findings) for name, keys in rules.items()} if isinstance(rules, Mapping) else {}
    listed = list(own) if own else [rules] if isinstance(rules, str) else list(rules)
    tables = rule_tables(root, [rule for rule in listed if isinstance(rule, str)], own)
    read = read_rules(root, tables, setting)
    values = [rule for rule in listed if not isinstance(rule, str)]
    for why in conflicts([*read, *(rule for rule in values if isinstance(rule, Rule))]) if values else ():
        root.fail(None, why)
    findings.check()
    return (*read, *values)
