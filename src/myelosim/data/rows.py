"""Rows of a table of NONMEM's items: whose they are and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from myelosim.data.check import Ledger
from myelosim.data.columns import Columns
from myelosim.data.settings import Settings, Sheet
from myelosim.data.values import labels, numbers

LONGEST = 1e6  # h


@dataclass
class Rows:
    """A table's rows in the order of the file.

    ``number`` is a row's in the file, ``who`` an index into ``subjects``, ``hour`` NaN where the row has no time. ``hours`` is
    how many hours there are in the file's unit of time, in which intervals and rates are.
    """

    frame: pd.DataFrame
    columns: Columns
    number: np.ndarray
    who: np.ndarray
    subjects: tuple[str, ...]
    hour: np.ndarray
    hours: float

    def __len__(self) -> int:
        return len(self.number)

    def has(self, item: str) -> bool:
        """Tell whether the table has an item."""
        return item in self.columns.items

    def column(self, item: str) -> pd.Series:
        """Return the column of an item."""
        return self.frame[self.columns.items[item]]

    def numbers(self, item: str, ledger: Ledger, default: float = np.nan) -> np.ndarray:
        """Return an item as numbers, ``default`` where there are none."""
        if not self.has(item):
            return np.full(len(self), default)
        out = self.read(self.columns.items[item], self.columns.shown(item), ledger)
        return np.where(np.isnan(out), default, out)

    def read(self, column: str, shown: str, ledger: Ledger) -> np.ndarray:
        """Return a column as numbers, NaN where there are none."""
        out, odd = numbers(self.frame[column])
        for place, cell in odd:
            ledger.wrong(self.number[place], shown, cell, "is not a number; correct it, or write . for none")
        return out

    def text(self, item: str) -> list[str]:
        """Return an item as text, empty where there is none."""
        return labels(self.column(item)) if self.has(item) else [""] * len(self)


def read_rows(sheet: Sheet, columns: Columns, settings: Settings, ledger: Ledger) -> Rows:
    """Tell whose rows are and when; what has neither subject nor time is noted as wrong."""
    number = np.asarray(sheet.rows, int)
    for item in ("ID", "TIME"):
        if item not in columns.items:
            said = (
                f'say which of {", ".join(settings.there)} it is: columns = {{ {item} = "..." }} (--column {item}=...)'
            )
            ledger.wrong(0, item, None, f"there is no such column; {said}")
    if not {"ID", "TIME"} <= set(columns.items):
        ledger.check()
    names = labels(sheet.frame[columns.items["ID"]])
    subjects = tuple(dict.fromkeys(name for name in names if name))
    places = {name: i for i, name in enumerate(subjects)}
    for row, name in zip(number.tolist(), names, strict=True):
        if name:
            ledger.who[row] = name
        else:
            ledger.wrong(row, columns.shown("ID"), None, "is missing; say whose the row is, or take it out")
    who = np.array([places.get(name, -1) for name in names], int)
    rows = Rows(sheet.frame, columns, number, who, subjects, np.zeros(0), settings.hours)
    rows.hour = rows.numbers("TIME", ledger)
    _in_order(rows, ledger)
    return rows


def _in_order(rows: Rows, ledger: Ledger) -> None:
    """Refuse rows without a time, beyond all times, or going back in time."""
    reset = np.isin(rows.numbers("EVID", Ledger("")), (3, 4))
    latest = np.full(len(rows.subjects), -np.inf)
    said = {
        row for (column, _), found in ledger.errors.items() if column in ("TIME", "DATE", "DAY") for row, _ in found
    }
    shown = rows.columns.shown("TIME")
    for place, (who, hour) in enumerate(zip(rows.who.tolist(), rows.hour.tolist(), strict=True)):
        if hour != hour:
            if int(rows.number[place]) not in said:
                ledger.wrong(rows.number[place], shown, None, "is missing; give it, or take the row out")
        elif abs(hour) > LONGEST:
            ledger.wrong(rows.number[place], shown, hour, f"h cannot be meant; it must be at most {LONGEST:g} h")
        elif who >= 0 and hour < latest[who]:
            remedy = (
                "count on from the first dose instead of beginning anew at a reset" if reset[place] else "sort the rows"
            )
            ledger.wrong(
                rows.number[place], shown, None, f"goes back within a subject; {remedy}, or give each its own ID"
            )
        elif who >= 0:
            latest[who] = hour
