"""A study from rows of NONMEM's items, which every other layout is turned into."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

from myelosim.data import by_row, doses, observations
from myelosim.data.check import Ledger, summary
from myelosim.data.columns import Columns
from myelosim.data.concentrations import measured
from myelosim.data.doses import Given
from myelosim.data.observations import Seen
from myelosim.data.rows import Rows, read_rows
from myelosim.data.settings import Settings, Sheet
from myelosim.data.study import BELOW, Check, Study
from myelosim.spec.model import Model


def study(sheet: Sheet, columns: Columns, model: Model, settings: Settings, ledger: Ledger) -> Study:
    """Read rows of NONMEM's items.

    Parameters
    ----------
    sheet : Sheet
        The rows, in order of time within a subject, TIME in hours.
    columns : Columns
        What its columns are.
    model : Model
        Whose drugs, lineages, parameters and covariates the rows speak of.
    settings : Settings
        How to read them.
    ledger : Ledger
        What was found so far, to which is added.

    Raises
    ------
    DataError
        All that is wrong, with rows and remedies.
    """
    rows = read_rows(sheet, columns, settings, ledger)
    given = doses.given(rows, model, settings, ledger)
    seen = observations.seen(rows, model, settings, ledger)
    tables, rules, given, seen = measured(rows, model, settings, given, seen, ledger)
    values = by_row.parameters(rows, model, settings, ledger)
    covariates = by_row.covariates(rows, model, settings, ledger)
    occasion, starts = by_row.occasions(rows, ledger)
    by_row.deaths(rows, given, seen, ledger)
    _without(rows, seen, ledger)
    _uninformative(given, tables, seen, model, ledger)
    kept = observations.arranged(seen, given, rows, occasion, ledger)
    ledger.check()
    events = [
        sorted((one for one in given if one.subject == who), key=lambda one: one.event.time) for who in _all(rows)
    ]
    return Study(
        subjects=rows.subjects, observations=kept, doses=tuple(tuple(one.event for one in own) for own in events),
        values=values, covariates=covariates, tables=tables, interpolation=rules, occasions=starts,
        check=_check(rows, given, seen, ledger), source=sheet.name,
    )  # fmt: skip


def _all(rows: Rows) -> range:
    return range(len(rows.subjects))


def _without(rows: Rows, seen: Sequence[Seen], ledger: Ledger) -> None:
    """Report subjects of whom nothing was observed."""
    some = {one.subject for one in seen}
    for who, name in enumerate(rows.subjects):
        if who not in some:
            first = int(rows.number[np.flatnonzero(rows.who == who)[0]])
            ledger.doubtful(
                first, "ID", "no observation", "kept: tells nothing, and is counted",
                f"take subject {name} out, or read without strict, where it is kept",
            )  # fmt: skip


def _uninformative(given: Sequence[Given], tables: object, seen: Sequence[Seen], model: Model, ledger: Ledger) -> None:
    """Report observables of which no value was measured, and data without a dose."""
    if model.drugs and not given and not tables:
        ledger.note(0, "AMT", "no row is a dose", "every subject is taken as untreated; the data tell of no effect")
    for name in dict.fromkeys(one.observable for one in seen):
        own = [one.censored for one in seen if one.observable == name]
        if all(one == BELOW for one in own):
            said = f"every value of {name} is below its limit ({len(own)} of {len(own)})"
            ledger.note(0, "DV", said, "kept as censored: they tell how low it is at most")


def _check(rows: Rows, given: Sequence[Given], seen: Sequence[Seen], ledger: Ledger) -> Check:
    observed = pd.DataFrame({
        "subject": [one.subject for one in seen], "observable": [one.observable for one in seen],
        "censored": [one.censored for one in seen],
    })  # fmt: skip
    counts = [Counter(_called(one) for one in given if one.subject == who) for who in _all(rows)]
    hours = [(float(own.min()), float(own.max())) for who in _all(rows) for own in [rows.hour[rows.who == who]]]
    noted = ledger.table()
    unused = Counter(noted.loc[noted["done"].str.startswith(("dropped", "not an observation")), "subject"].tolist())
    return Check(summary(rows.subjects, observed, counts, unused, hours), noted)


def _called(one: Given) -> str:
    return one.event.drug if one.event.is_dose else f"{one.event.kind} {one.event.drug}"
