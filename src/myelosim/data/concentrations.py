"""Measured concentrations that drive a model, by a rule between them that was asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from myelosim import units
from myelosim.data.check import Ledger
from myelosim.data.doses import Given
from myelosim.data.observations import Seen
from myelosim.data.rows import Rows
from myelosim.data.settings import Settings
from myelosim.data.study import BELOW
from myelosim.data.values import cells, nearest, result
from myelosim.spec.concentrations import INTERPOLATIONS, problem
from myelosim.spec.document import suggestion
from myelosim.spec.model import Model

Table = tuple[np.ndarray, np.ndarray]
RULE = (
    'say how to read it between the rows: interpolation = "previous", "next" or "linear"; there is no default, since the '
    "nadir depends on it"
)


def measured(
    rows: Rows, model: Model, settings: Settings, given: list[Given], seen: list[Seen], ledger: Ledger
) -> tuple[dict[str, tuple[Table, ...]], dict[str, str], list[Given], list[Seen]]:
    """Return each subject's table of every drug that has one, the rules between, and the doses and observations that remain.

    A table is a column named after the drug or, where an interpolation is given for a drug without a column, the rows that
    observe it.
    """
    rules = _rules(rows, model, settings, seen, ledger)
    tables: dict[str, tuple[Table, ...]] = {}
    for name in rules:
        points = (
            _column(rows, name, model, settings, ledger)
            if name in rows.columns.concentrations
            else _observed(seen, name)
        )
        tables[name] = _tables(rows, name, points, model, ledger)
    for one in given:
        if one.event.drug in tables:
            row, what = int(rows.number[one.place]), f"dose of {one.event.drug}"
            ledger.note(row, "AMT", what, "not used: its concentrations are given")
    rest = [one for one in given if one.event.drug not in tables]
    return tables, rules, rest, [one for one in seen if one.observable not in tables]


def _rules(rows: Rows, model: Model, settings: Settings, seen: Sequence[Seen], ledger: Ledger) -> dict[str, str]:
    """Return the rule of every drug whose concentrations drive the model."""
    said = settings.interpolation
    columns = rows.columns.concentrations
    if isinstance(said, Mapping):
        asked = {}
        for key, rule in said.items():
            drug = nearest(str(key), list(model.drugs))
            if drug is None:
                ledger.wrong(
                    0, "interpolation", str(key), f"is no drug of the model{suggestion(str(key), model.drugs)}"
                )
            else:
                asked[drug] = str(rule)
    else:
        observed = list(dict.fromkeys(one.observable for one in seen if one.observable in model.drugs))
        asked = dict.fromkeys(columns or observed, str(said)) if said is not None else {}
        if said is not None and not asked:
            ledger.wrong(
                0, "interpolation", str(said), "is for a column of concentrations named after a drug; there is none"
            )
    for name, column in columns.items():
        if name not in asked:
            ledger.wrong(0, column, None, f"holds concentrations of {name}; {RULE}")
    for rule in asked.values():
        if rule not in INTERPOLATIONS:
            ledger.wrong(0, "interpolation", rule, f"is not known{suggestion(rule, INTERPOLATIONS)}")
    return {name: rule for name, rule in asked.items() if rule in INTERPOLATIONS}


Point = tuple[int, int, float, float]  # place, subject, hour, concentration


def _column(rows: Rows, name: str, model: Model, settings: Settings, ledger: Ledger) -> list[Point]:
    column, drug, points = rows.columns.concentrations[name], model.drugs[name], []
    try:
        factor = units.convert(
            1.0, settings.units.get(name, drug.concentration_unit), drug.concentration_unit, drug.molar_mass
        )
    except ValueError as error:
        ledger.wrong(0, "units", None, f"{name}: {error}")
        return []
    for place, cell in enumerate(cells(rows.frame[column])):
        read, row = result(cell), int(rows.number[place])
        if read is None:
            ledger.wrong(row, column, str(cell), "is not a concentration; write a number, or . for none")
        elif read[1] == BELOW:
            ledger.note(row, column, str(cell), "taken as 0 between the measured ones")
            points.append((place, int(rows.who[place]), float(rows.hour[place]), 0.0))
        elif read[1]:
            ledger.wrong(row, column, str(cell), "is above a limit; give the concentration itself")
        elif read[0] == read[0]:
            points.append((place, int(rows.who[place]), float(rows.hour[place]), read[0] * factor))
    return points


def _observed(seen: Sequence[Seen], name: str) -> list[Point]:
    own = [one for one in seen if one.observable == name]
    return [(one.place, one.subject, one.hour, 0.0 if one.censored == BELOW else one.value) for one in own]


def _tables(rows: Rows, name: str, points: Sequence[Point], model: Model, ledger: Ledger) -> tuple[Table, ...]:
    out = []
    for who, subject in enumerate(rows.subjects):
        held: dict[float, float] = {}
        for place, owner, hour, value in points:
            if owner != who:
                continue
            if held.setdefault(hour, value) != value:
                said = f"is not the {held[hour]:g} of the same hour; keep one concentration"
                ledger.wrong(int(rows.number[place]), name, value, said)
        hours, values = list(held), list(held.values())
        if sentence := problem(tuple(hours), tuple(values)):
            ledger.wrong(
                int(rows.number[np.flatnonzero(rows.who == who)[0]]), name, None, f"subject {subject}: {sentence}"
            )
        elif values[-1] > 0:
            unit = model.drugs[name].concentration_unit
            ledger.note(0, name, f"ends at {hours[-1]:g} h with {values[-1]:g} {unit}", "held from there on", subject)
        out.append((np.array(hours), np.array(values)))
    return tuple(out)
