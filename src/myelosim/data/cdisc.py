"""SEND's LB, EX and PC domains and ADaM's ADLB and ADPC, as rows of NONMEM's items."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pandas as pd

from myelosim.data.analytes import analyte
from myelosim.data.check import Ledger
from myelosim.data.columns import Columns
from myelosim.data.observables import units_of
from myelosim.data.settings import Settings, Sheet
from myelosim.data.values import cells, label, number, result
from myelosim.spec.model import Model

BLOOD = ("", "WHOLE BLOOD", "BLOOD", "PLASMA", "SERUM")
NOTHING_GIVEN = ("placebo", "vehicle", "control", "saline", "sham")
FREQUENCY = {"ONCE": 0.0, "QD": 24.0, "BID": 12.0, "TID": 8.0, "QID": 6.0, "QOD": 48.0, "Q2D": 48.0, "QW": 168.0, "Q2W": 336.0,
             "Q3W": 504.0, "Q4W": 672.0}  # fmt: skip
HOURLY = re.compile(r"Q(\d+)(H|D|W)")
ISO = re.compile(r"P(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:\d+S)?)?")


def domain(sheet: Sheet) -> str:
    """Return which domain or analysis dataset a table is; empty for none that is known."""
    names = {str(name).upper() for name in sheet.frame.columns}
    for key, needs in {"LB": {"LBTESTCD"}, "PC": {"PCTESTCD"}, "EX": {"EXDOSE"}, "AD": {"PARAMCD", "AVAL"}}.items():
        if needs <= names:
            return key
    return ""


def items(sheet: Sheet, model: Model, settings: Settings, ledger: Ledger) -> tuple[Sheet, Columns]:
    """Return a domain's rows with NONMEM's items; dates stay dates, results as they were reported."""
    frame = sheet.frame.rename(columns=lambda name: str(name).upper())
    reader = _Domain(frame, sheet, ledger)
    kind = domain(sheet)
    made = {"LB": _findings, "PC": _findings, "EX": _exposure, "AD": _analysis}[kind](reader, kind, model, settings)
    table = pd.DataFrame([one for _, one in made], columns=list(dict.fromkeys(key for _, one in made for key in one)))
    columns = Columns(items={name: name for name in table.columns})
    rows = np.array([sheet.rows[place] for place, _ in made], int)
    return Sheet(table, rows, sheet.name), columns


class _Domain:
    """A domain's cells by name, and where findings go."""

    def __init__(self, frame: pd.DataFrame, sheet: Sheet, ledger: Ledger) -> None:
        self.columns = {str(name): cells(frame[name]) for name in frame.columns}
        self.rows, self.ledger, self.size = sheet.rows, ledger, len(frame)
        self.who = "USUBJID" if "USUBJID" in self.columns else "SUBJID"

    def text(self, name: str, place: int) -> str:
        return label(self.columns[name][place]) if name in self.columns else ""

    def cell(self, name: str, place: int) -> Any:
        return self.columns[name][place] if name in self.columns else ""

    def note(self, place: int, column: str, found: str, done: str) -> None:
        self.ledger.note(int(self.rows[place]), column, found, done, self.text(self.who, place))

    def moment(self, place: int, dates: tuple[str, ...], days: tuple[str, ...]) -> dict[str, Any]:
        """Return a row's DATE, else its study DAY."""
        for name, item in [*((name, "DATE") for name in dates), *((name, "DAY") for name in days)]:
            if item == "DATE" and any(_there(cell) for cell in self.columns.get(name, ())):
                return {"DATE": self.cell(name, place)}
            if item == "DAY" and name in self.columns:
                return {"DAY": self.cell(name, place)}
        return {}


def _there(cell: Any) -> bool:
    return not (cell == "" or cell != cell)


def _findings(reader: _Domain, kind: str, model: Model, settings: Settings) -> list[tuple[int, dict[str, Any]]]:
    """Return the results of LB or PC: the standardized number, where there is none what was reported."""
    out = []
    for place in range(reader.size):
        test = reader.text(f"{kind}TESTCD", place)
        if reader.text(f"{kind}STAT", place).upper() == "NOT DONE":
            reader.note(place, f"{kind}STAT", f"{test} not done", "dropped: there is no result")
            continue
        if reader.text(f"{kind}EXCLFL", place).upper() == "Y":
            reader.note(place, f"{kind}EXCLFL", f"{test} excluded", "dropped: the data say so")
            continue
        where = reader.text(f"{kind}SPEC", place)
        if where.upper() not in BLOOD:
            reader.note(place, f"{kind}SPEC", f"{test} of {where.lower()}", "dropped: it is not of blood")
            continue
        value, unit = _standard(reader, kind, place)
        time = reader.moment(place, (f"{kind}DTC",), (f"{kind}DY", "VISITDY", f"{kind}NOMDY"))
        out.append((place, {"ID": reader.cell(reader.who, place), **time, "DVID": _test(test, model, settings), "DV": value,
                            "UNIT": unit, "LLOQ": reader.cell(f"{kind}LLOQ", place)}))  # fmt: skip
    return out


def _standard(reader: _Domain, kind: str, place: int) -> tuple[Any, str]:
    standard = reader.cell(f"{kind}STRESN", place)
    unit = reader.text(f"{kind}STRESU", place)
    if _there(standard):
        return standard, unit
    character = reader.text(f"{kind}STRESC", place)
    if character and result(character) is not None:
        return character, unit or reader.text(f"{kind}ORRESU", place)
    return reader.cell(f"{kind}ORRES", place), reader.text(f"{kind}ORRESU", place)


def _test(code: str, model: Model, settings: Settings) -> str:
    stated = {str(key): name for key, name in settings.observables.items()}
    return analyte(code, units_of(model), stated) or code


def _exposure(reader: _Domain, kind: str, model: Model, settings: Settings) -> list[tuple[int, dict[str, Any]]]:
    """Return the doses of EX; a record from one date to another holds a dose at each interval of its frequency."""
    out = []
    names = {label(cell).lower() for cell in reader.columns.get("EXTRT", [])}
    others = {name for name in names if name and not name.startswith(NOTHING_GIVEN)}
    for place in range(reader.size):
        amount, text = number(reader.cell("EXDOSE", place)), reader.text("EXTRT", place)
        row: dict[str, Any] = {"ID": reader.cell(reader.who, place)}
        row |= reader.moment(place, ("EXSTDTC",), ("EXSTDY", "VISITDY"))
        if text.lower().startswith(NOTHING_GIVEN) or amount == 0:
            reader.note(place, "EXTRT", f"{text} {amount or 0:g}", "no dose of a drug")
            out.append((place, {**row, "EVID": 2}))
            continue
        drug = settings.observables.get(text) or (
            text if text.lower() in {name.lower() for name in model.drugs} else ""
        )
        if not drug and len(others) == 1:
            reader.note(place, "EXTRT", text, "taken to be the model's drug")
        row |= {
            "AMT": reader.cell("EXDOSE", place), "UNIT": reader.text("EXDOSU", place), "ROUTE": reader.text("EXROUTE", place),
            "DRUG": drug or ("" if len(others) == 1 else text), "EVID": 1,
        }  # fmt: skip
        row |= _repeats(reader, place, amount or math.nan)
        out.append((place, row))
    return out


def _repeats(reader: _Domain, place: int, amount: float) -> dict[str, Any]:
    """Return interval and further doses, or the rate of an infusion, of a record."""
    begin, end = (_moment(reader, place, name) for name in ("EXSTDTC", "EXENDTC"))
    span = math.nan if begin is None or end is None else (end - begin).total_seconds() / 3600.0
    if math.isnan(span):
        days = [number(reader.cell(name, place)) for name in ("EXSTDY", "EXENDY")]
        span = (days[1] - days[0]) * 24.0 if None not in days else math.nan  # type: ignore[operator]
    duration = _duration(reader.text("EXDUR", place))
    often = _interval(reader.text("EXDOSFRQ", place))
    if math.isnan(span) or span <= 0 or often == 0:
        return {"RATE": amount / duration} if duration else {}
    if often is None:
        if span < 24.0 and reader.text("EXROUTE", place).upper().startswith("INTRAVENOUS"):
            return {"RATE": amount / span}
        if span >= 24.0:
            said = "is a frequency of doses from EXSTDTC to EXENDTC that is not known; give QD, BID, Q12H, Q3W, or a record a dose"
            reader.ledger.wrong(int(reader.rows[place]), "EXDOSFRQ", reader.text("EXDOSFRQ", place), said)
        return {}
    last = span + (24.0 - 1e-6 if len(reader.text("EXENDTC", place)) <= 10 else 1e-6)
    repeats = {"II": often, "ADDL": int(last // often)}
    return repeats | ({"RATE": amount / duration} if duration else {})


def _moment(reader: _Domain, place: int, name: str) -> pd.Timestamp | None:
    moment = pd.to_datetime(reader.text(name, place), errors="coerce")
    return None if pd.isna(moment) else pd.Timestamp(moment)


def _interval(text: str) -> float | None:
    """Return hours between doses, 0 for one only, None where that is not known."""
    word = text.strip().upper()
    match = HOURLY.fullmatch(word)
    if match:
        return float(match[1]) * {"H": 1.0, "D": 24.0, "W": 168.0}[match[2]]
    return FREQUENCY.get(word)


def _duration(text: str) -> float:
    """Return the hours of an ISO 8601 duration, 0 for none."""
    match = ISO.fullmatch(text.strip()) if text else None
    if match is None:
        return 0.0
    days, hours, minutes = (float(part or 0.0) for part in match.groups())
    return days * 24.0 + hours + minutes / 60.0


def _analysis(reader: _Domain, kind: str, model: Model, settings: Settings) -> list[tuple[int, dict[str, Any]]]:
    """Return the results of ADLB or ADPC; values that were derived or imputed are dropped."""
    out = []
    for place in range(reader.size):
        code, derived = reader.text("PARAMCD", place), reader.text("DTYPE", place)
        if derived:
            reader.note(place, "DTYPE", f"{code} {derived}", "dropped: it was derived, not measured")
            continue
        name = _test(code, model, settings)
        said = reader.text("AVALC", place)
        read = result(said) if said else None
        value = said if read is not None and read[1] else reader.cell("AVAL", place)
        if not _there(value) and read is not None:
            value = said
        row = {"ID": reader.cell(reader.who, place), "DVID": name, "DV": value, "UNIT": _unit(reader, place)}
        if "AFRLT" in reader.columns:
            row["TIME"] = reader.cell("AFRLT", place)
        else:
            row |= reader.moment(place, ("ADTM", "ADT"), ("ADY",))
            row |= {
                "START": next((reader.cell(one, place) for one in ("TRTSDTM", "TRTSDT") if one in reader.columns), "")
            }
        out.append((place, row | {"LLOQ": reader.cell("ALLOQ", place)}))
    return out


def _unit(reader: _Domain, place: int) -> str:
    """Return AVALU, or the unit in parentheses at the end of PARAM."""
    match = re.search(r"\(([^()]+)\)\s*$", reader.text("PARAM", place))
    return reader.text("AVALU", place) or (match[1] if match else "")
