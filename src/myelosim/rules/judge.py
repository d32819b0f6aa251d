"""Conditions over visits: a judge remembers since when each of them has held."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from myelosim.rules.look import Bools, Floats, Look
from myelosim.spec.rule import Compare, Condition, Either, Every, Lasting, Sign, leaves

OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
SLACK = 1e-6  # hours
DECIMALS = 9  # of baselines and of shares of them: a count that is back at its baseline must be seen so


class Judge:
    """One condition, for all subjects.

    Parameters
    ----------
    condition : Condition
        What is judged.
    size : int
        Number of subjects.
    """

    def __init__(self, condition: Condition, size: int) -> None:
        self.condition = condition
        self._since: dict[Lasting, Floats] = {}
        self._times: dict[Lasting, Floats] = {}
        self._told: dict[Lasting, Bools] = {}  # at this visit: a condition may say the same thing twice
        for term in _lasting(condition):
            self._since[term], self._times[term] = np.full(size, np.nan), np.zeros(size)

    def forget(self, who: Bools) -> None:
        """Count visits and days anew for these subjects."""
        for term in self._since:
            self._since[term][who], self._times[term][who] = np.nan, 0.0

    def holds(self, look: Look, asked: Mapping[str, Bools] | None = None) -> Bools:
        """Tell for whom the condition holds at this visit (subject); nobody who is not there.

        With ``asked``, what it says of a lineage is taken as met where that lineage is not asked about.
        """
        self._told = {}
        return look.there & self._holds(self.condition, look, asked or {})

    def of(self, look: Look) -> dict[str, Bools]:
        """Tell which lineages meet a comparison of the condition (lineage coordinate -> subject)."""
        out: dict[str, Bools] = {}
        for leaf in leaves(self.condition):
            if isinstance(leaf, Compare):
                met = look.there & _compared(leaf, look)
                out[leaf.lineage] = out.get(leaf.lineage, np.zeros(look.size, bool)) | met
        return out

    def _holds(self, term: Condition, look: Look, asked: Mapping[str, Bools]) -> Bools:
        if isinstance(term, Every):
            return np.asarray(np.all([self._holds(one, look, asked) for one in term.terms], axis=0))
        if isinstance(term, Either):
            return np.asarray(np.any([self._holds(one, look, asked) for one in term.terms], axis=0))
        if isinstance(term, Lasting):
            if term not in self._told:
                self._told[term] = self._lasts(term, look, asked)
            return self._told[term]
        if isinstance(term, Sign):
            return look.signs[term.name]
        met = _compared(term, look)
        return met | ~asked[term.lineage] if term.lineage in asked else met

    def _lasts(self, term: Lasting, look: Look, asked: Mapping[str, Bools]) -> Bools:
        now, since, times = self._holds(term.term, look, asked), self._since[term], self._times[term]
        since[look.there & ~now] = np.nan
        since[look.there & now & np.isnan(since)] = look.hour
        times[look.there] = np.where(now, times + 1.0, 0.0)[look.there]
        if term.unit == "visits":
            return np.asarray(now & (times >= term.number))
        return np.asarray(now & (look.hour - since >= 24.0 * (term.number - 1) - SLACK))


def _compared(leaf: Compare, look: Look) -> Bools:
    if leaf.of == "grade":
        grade = look.grade[leaf.lineage]
        return np.asarray(OPERATORS[leaf.operator](grade, leaf.value) & (grade >= 0))
    value = look.observed[leaf.lineage]
    if leaf.of == "baseline":
        value = np.round(value / look.baseline[leaf.lineage], DECIMALS)
    return np.asarray(OPERATORS[leaf.operator](value, leaf.value))  # of NaN nothing holds


def _lasting(condition: Condition) -> list[Lasting]:
    if isinstance(condition, Lasting):
        return [condition, *_lasting(condition.term)]
    if isinstance(condition, Every | Either):
        return [found for term in condition.terms for found in _lasting(term)]
    return []
