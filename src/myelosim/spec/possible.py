"""Which conditions no blood count can ever meet."""

from __future__ import annotations

import math
from collections.abc import Sequence

from myelosim.grading import GRADES, Table
from myelosim.spec.rule import Compare, Condition, Either, Every, Lasting


def impossible(condition: Condition, table: Table) -> str:
    """Return why a condition can never be met, empty if it may be.

    Parameters
    ----------
    condition : Condition
        Of a rule.
    table : grading.Table
        What gives the grades.

    Examples
    --------
    >>> impossible(Compare("neutrophil", "count", "<", 0.0), Table("none", {}))
    'a count is never under 0'
    """
    if isinstance(condition, Compare):
        return _alone(condition, table)
    if isinstance(condition, Lasting):
        return impossible(condition.term, table)
    if isinstance(condition, Either):
        each = [impossible(term, table) for term in condition.terms]
        return each[0] if all(each) else ""
    if isinstance(condition, Every):
        return next((why for term in condition.terms if (why := impossible(term, table))), "") or _together(
            condition.terms
        )
    return ""


def _alone(leaf: Compare, table: Table) -> str:
    low, strict = leaf.value, leaf.operator in ("<", ">")
    if leaf.operator in ("<", "<=") and (low < 0 or (low == 0 and strict)):
        return f"a {'grade' if leaf.of == 'grade' else 'count'} is never under 0"
    if leaf.of != "grade":
        return ""
    if leaf.lineage not in table.bounds:
        return f"{table.name} does not grade {leaf.lineage}"
    worst = max((g for g in GRADES if table.bounds[leaf.lineage].has(g)), default=0)
    if leaf.operator in (">", ">=") and (worst < low or (worst == low and strict)):
        return f"the worst grade that {table.name} has a number for is {worst} for {leaf.lineage}"
    return ""


def _together(terms: Sequence[Condition]) -> str:
    bounds: dict[tuple[str, str], tuple[float, bool, float, bool]] = {}
    for leaf in (term for term in terms if isinstance(term, Compare)):
        key = leaf.lineage, leaf.of
        low, open_low, high, open_high = bounds.get(key, (-math.inf, False, math.inf, False))
        strict = leaf.operator in ("<", ">")
        if leaf.operator in (">", ">=") and (leaf.value, strict) > (low, open_low):
            low, open_low = leaf.value, strict
        if leaf.operator in ("<", "<=") and (leaf.value, not strict) < (high, not open_high):
            high, open_high = leaf.value, strict
        bounds[key] = low, open_low, high, open_high
        if low > high or (low == high and (open_low or open_high)):
            return f"{leaf.lineage} cannot be over {low:g} and under {high:g} at once"
    return ""
