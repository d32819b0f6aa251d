"""Rules given in Python: tables, names of shipped sets, values, or functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from myelosim.errors import SpecError
from myelosim.grading import Table as Grades
from myelosim.spec.document import Findings, Table
from myelosim.spec.literal import found
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
    if not isinstance(rules, Mapping | Sequence):
        raise SpecError(
            f"rules: {found(str(rules))} are none; give a mapping of name to keys, names of shipped sets, or a list"
        )
    named = rules if isinstance(rules, Mapping) else {}
    own = {name: Table(keys, (name,), findings) for name, keys in named.items() if isinstance(keys, Mapping)}
    given = (
        [rules] if isinstance(rules, str) else [name if name in own else named[name] for name in named] or list(rules)
    )
    listed = [rule for rule in given if isinstance(rule, str | Rule) or callable(rule)]
    if len(listed) < len(given) or any(isinstance(one, str) for name, one in named.items() if name not in own):
        raise SpecError("rules: each is its keys, a function, or in a list the name of a shipped set")
    tables = rule_tables(root, [rule for rule in listed if isinstance(rule, str)], own)
    read = read_rules(root, tables, setting)
    values = [rule for rule in listed if not isinstance(rule, str)]
    for why in conflicts([*read, *(rule for rule in values if isinstance(rule, Rule))]) if values else ():
        root.fail(None, why)
    findings.check()
    return (*read, *values)
