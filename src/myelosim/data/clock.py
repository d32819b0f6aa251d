"""Hours since the first dose, from hours, days, study days or dates."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from myelosim.data.check import Ledger
from myelosim.data.columns import Columns
from myelosim.data.settings import Settings, Sheet
from myelosim.data.values import cells, labels, number, numbers

DATED = re.compile(r"\d{4}-\d{2}(-\d{2})?([T ]\d{2}(:\d{2}){1,2}(\.\d+)?)?")
CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?")
OTHERS = ("DATE", "DAY", "START")
WHOLE = 10  # characters of a date without a time of day


def timed(sheet: Sheet, columns: Columns, settings: Settings, ledger: Ledger) -> tuple[Sheet, Columns]:
    """Return the rows with TIME in hours, and what their columns are.

    TIME is a number in the stated unit, or a date with or without time of day; DATE is a date to which TIME is the time of day;
    DAY a study day, 1 that of the first dose and none 0. Dates count from the subject's first dose (else from START, else from
    its first row); one without a time of day is that many whole days after it, and stands before doses of its hour.
    """
    frame = sheet.frame.copy()
    if "TIME" not in frame.columns and "DATE" not in frame.columns and "DAY" in frame.columns:
        frame["TIME"] = _study_days(sheet, ledger)
    elif "DATE" in frame.columns or _dated(frame, "TIME"):
        frame["TIME"] = _since_dose(sheet, ledger)
    elif "TIME" in frame.columns:
        frame["TIME"] = _hours(sheet, settings, ledger)
    kept = {item: column for item, column in columns.items.items() if item not in OTHERS}
    kept |= {"TIME": "TIME"} if "TIME" in frame.columns else {}
    frame = frame.drop(columns=[name for name in OTHERS if name in frame])
    return Sheet(frame, sheet.rows, sheet.name), replace(columns, items=kept)


def _hours(sheet: Sheet, settings: Settings, ledger: Ledger) -> np.ndarray:
    values, odd = numbers(sheet.frame["TIME"])
    for place, cell in odd:
        ledger.wrong(sheet.rows[place], "TIME", str(cell), "is neither a number nor a date as 2026-03-01T08:30")
    return values * settings.hours


def _study_days(sheet: Sheet, ledger: Ledger) -> np.ndarray:
    days, odd = numbers(sheet.frame["DAY"])
    for place, cell in odd:
        ledger.wrong(sheet.rows[place], "DAY", str(cell), "is not a study day; give 1 for the day of the first dose")
    for place in np.flatnonzero(days == 0).tolist():
        said = "0 is no study day: the day before day 1 is day -1; give elapsed days as TIME"
        ledger.wrong(sheet.rows[place], "DAY", None, said)
    return np.where(days > 0, days - 1, days) * 24.0


def _dated(frame: pd.DataFrame, item: str) -> bool:
    if item not in frame.columns:
        return False
    if pd.api.types.is_datetime64_any_dtype(frame[item]):
        return True
    return any(isinstance(cell, pd.Timestamp) or DATED.fullmatch(str(cell)) for cell in cells(frame[item]))


def _since_dose(sheet: Sheet, ledger: Ledger) -> np.ndarray:
    frame = sheet.frame
    item = "DATE" if "DATE" in frame.columns else "TIME"
    when, whole = _moments(sheet, item, ledger)
    who = np.array(labels(frame["ID"]), dtype=str) if "ID" in frame.columns else np.full(len(frame), "")
    dosed = np.nan_to_num(numbers(frame["AMT"])[0]) > 0 if "AMT" in frame.columns else np.zeros(len(frame), bool)
    begun = pd.to_datetime(frame["START"], errors="coerce", format="ISO8601") if "START" in frame.columns else None
    out, days_only = np.full(len(frame), np.nan), whole.copy()
    for name in dict.fromkeys(who.tolist()):
        own = np.flatnonzero((who == name) & when.notna().to_numpy())
        if not own.size:
            continue
        given = own[dosed[own]]
        if given.size or begun is None or begun.iloc[own].isna().all():
            if not given.size:
                ledger.note(0, "TIME", f"no dose of subject {name}", "its hours count from its first row", name)
            place = int((given if given.size else own)[np.argmin(when.iloc[given if given.size else own])])
            first, undated = when.iloc[place], bool(whole[place])
        else:
            first = begun.iloc[own].min()
            undated = first == first.normalize()
        days_only[own] |= undated
        elapsed = (when.iloc[own] - first).dt.total_seconds().to_numpy() / 3600.0
        dates = (when.iloc[own].dt.normalize() - first.normalize()).dt.total_seconds().to_numpy() / 3600.0
        out[own] = np.where(days_only[own], dates, elapsed)
    if days_only.any():
        place = int(np.flatnonzero(days_only)[0])
        said = f"{int(days_only.sum())} rows whose date, or that of the first dose, has no time of day"
        ledger.note(int(sheet.rows[place]), item, said, "whole days after the first dose")
    return out


def _moments(sheet: Sheet, item: str, ledger: Ledger) -> tuple[pd.Series, np.ndarray]:
    """Return each row's moment, and whether it is a date only; so are moments that are all at midnight."""
    frame = sheet.frame
    days = cells(frame[item])
    hours: list[Any] = cells(frame["TIME"]) if item == "DATE" and "TIME" in frame.columns else [""] * len(frame)
    moments, whole = [], np.zeros(len(frame), bool)
    for place, (day, hour) in enumerate(zip(days, hours, strict=True)):
        moment, whole[place] = _moment(day, hour, item, int(sheet.rows[place]), ledger)
        moments.append(moment)
    when = pd.Series(pd.to_datetime(pd.Series(moments, dtype="datetime64[ns]")))
    midnight = bool((when.dropna() == when.dropna().dt.normalize()).all())
    return when, whole | midnight


def _moment(day: Any, hour: Any, item: str, row: int, ledger: Ledger) -> tuple[Any, bool]:
    """Return a moment, or none with a finding, and whether it is a date only."""
    if isinstance(day, pd.Timestamp):
        text = day.isoformat()
    elif hasattr(day, "isoformat"):
        text = str(day.isoformat())
    else:
        text = str(day).strip()
    if item == "DATE" and hour not in ("", None) and hour == hour:
        if not CLOCK.fullmatch(str(hour)):
            ledger.wrong(row, "TIME", str(hour), "is no time of day as 08:30, to go with the DATE")
            return None, False
        text = f"{text[:WHOLE]}T{str(hour).zfill(5)}"
    if not text or text == "nan":
        return None, False
    if not DATED.fullmatch(text) or number(text) is not None or len(text) < WHOLE:
        ledger.wrong(row, item, text, "is not a whole date; write it as 2026-03-01 or 2026-03-01T08:30")
        return None, False
    try:
        return pd.Timestamp(text).to_datetime64(), len(text) == WHOLE
    except ValueError:
        ledger.wrong(row, item, text, "is no date that there is; write it as 2026-03-01 or 2026-03-01T08:30")
        return None, False
