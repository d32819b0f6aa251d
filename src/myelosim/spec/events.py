"""Dose events as NONMEM's items, both ways."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from myelosim import units
from myelosim.errors import SpecError
from myelosim.spec.document import suggestion
from myelosim.spec.regimen import DoseEvent, Regimen

if TYPE_CHECKING:
    import pandas as pd

ITEMS = ("ID", "TIME", "AMT", "RATE", "II", "ADDL", "SS", "EVID", "CMT", "DRUG", "UNIT", "DV", "MDV", "YTYPE", "DVID")
MOST_DOSES = 100_000  # of one row: hourly for eleven years
KINDS = {1: "dose", 2: "other", 3: "reset", 4: "reset_dose"}


def from_events(frame: pd.DataFrame, drug: str | None) -> Regimen:
    """Read event rows; see :meth:`myelosim.spec.regimen.Regimen.from_events`."""
    columns = _columns(frame)
    if "DRUG" not in columns and drug is None:
        raise SpecError('events: whose doses are these? give drug="..." or a DRUG column')
    if "ID" in columns and frame[columns["ID"]].nunique() > 1:
        one = columns["ID"]
        raise SpecError(
            f"events: column '{one}' names several subjects; give the rows of one, e.g. "
            f"frame[frame[{str(one)!r}] == {frame[one].tolist()[0]!r}]"
        )
    rows = [{name: row[column] for name, column in columns.items()} for _, row in frame.iterrows()]
    events = [one for number, row in enumerate(rows, 1) if (one := event(row, number, drug)) is not None]
    return Regimen(tuple(events), text=f"{len(events)} event{'s' if len(events) != 1 else ''} from a table")


def _columns(frame: pd.DataFrame) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for column in frame.columns:
        name = str(column).strip().upper()
        if name not in ITEMS:
            raise SpecError(f"events: column '{column}' is not an event item{suggestion(name, ITEMS)}; leave it out")
        if name in columns:
            raise SpecError(f"events: column {name} is there twice")
        columns[name] = column
    for name in ("TIME", "AMT"):
        if name not in columns:
            raise SpecError(f"events: there is no column {name}; needed are TIME and AMT")
    return columns


def event(row: Mapping[str, Any], number: int, drug: str | None) -> DoseEvent | None:
    """Return the event of a row with NONMEM's items, None for an observation.

    Parameters
    ----------
    row : mapping
        Item -> what stands there.
    number : int
        Of the row, for messages.
    drug : str or None
        What is dosed where the row has no DRUG.

    Raises
    ------
    SpecError
        ``events: row <number>: `` and what is wrong.
    """

    def item(name: str, default: float = 0.0) -> float:
        return _number(row.get(name), name, number, default)

    time, amount = item("TIME", math.nan), item("AMT")
    evid = _whole(item("EVID", 1.0 if amount > 0 else 0.0), "EVID", number, (0, 1, 2, 3, 4))
    name = _text(row.get("DRUG")) or drug
    if evid == 0:
        if amount > 0:
            raise SpecError(f"events: row {number}: AMT {amount:g} on an observation (EVID 0); write EVID 1")
        return None
    if name is None:
        raise SpecError(f'events: row {number}: no DRUG; name it, or give drug="..."')
    if not (math.isfinite(time) and time >= 0):
        raise SpecError(f"events: row {number}: TIME {row.get('TIME')} is not a time; give hours from 0 on")
    if amount < 0:
        raise SpecError(f"events: row {number}: AMT {amount:g} is negative; it must be 0 or more")
    steady = _whole(item("SS"), "SS", number, (0, 1, 2))
    if steady == 2:
        raise SpecError(
            f"events: row {number}: SS 2 adds a steady state to what is there, which holds for linear kinetics only; "
            "give SS 1, or the earlier doses themselves"
        )
    interval, more = item("II"), _whole(item("ADDL"), "ADDL", number, None)
    if interval < 0 or more < 0:
        raise SpecError(f"events: row {number}: II {interval:g}, ADDL {more}: neither may be negative")
    if more >= MOST_DOSES:
        raise SpecError(f"events: row {number}: ADDL {more} cannot be meant; it must be below {MOST_DOSES}")
    if (more or steady) and not interval > 0:
        raise SpecError(f"events: row {number}: {'ADDL' if more else 'SS'} needs an interval; give II above 0")
    duration, modelled = _duration(item("RATE"), amount, bool(steady), number)
    return DoseEvent(
        drug=name, time=time, amount=amount, unit=_unit(row.get("UNIT"), number), duration=duration,
        channel=_channel(row.get("CMT"), number), interval=interval if more or steady else 0.0, count=more + 1,
        steady_state=bool(steady), kind=KINDS[evid], modelled=modelled,
    )  # fmt: skip


def _duration(rate: float, amount: float, steady: bool, number: int) -> tuple[float, bool]:
    if rate == -2:
        return 0.0, True
    if rate == -1:
        raise SpecError(
            f"events: row {number}: RATE -1 (a modelled rate) is not supported; RATE -2 is a modelled duration"
        )
    if rate < 0:
        raise SpecError(f"events: row {number}: RATE {rate:g} is not a rate; give 0, an amount per hour, or -2")
    if rate > 0 and amount == 0 and steady:
        raise SpecError(f"events: row {number}: a steady-state infusion without end (AMT 0) is not supported; give AMT")
    return (amount / rate if rate > 0 else 0.0), False


def missing(value: Any) -> bool:
    """Tell whether an item says nothing: a dot, an empty text, None or not a number."""
    return value is None or (isinstance(value, str) and value.strip() in ("", ".")) or value != value


def _number(value: Any, name: str, number: int, default: float) -> float:
    if missing(value):
        return default
    try:
        out = float(value)
    except (TypeError, ValueError):
        raise SpecError(f"events: row {number}: {name} '{value}' is not a number") from None
    if not math.isfinite(out):
        raise SpecError(f"events: row {number}: {name} {value} is not a finite number")
    return out


def _whole(value: float, name: str, number: int, allowed: tuple[int, ...] | None) -> int:
    if value != int(value) or (allowed is not None and int(value) not in allowed):
        which = "a whole number" if allowed is None else ", ".join(map(str, allowed))
        raise SpecError(f"events: row {number}: {name} {value:g} is not known; allowed: {which}")
    return int(value)


def _text(value: Any) -> str:
    return "" if missing(value) else str(value).strip()


def _channel(value: Any, number: int) -> str:
    """Return a compartment by name, or by number from 1; empty for the default one."""
    text = _text(value)
    try:
        place = float(text)
    except ValueError:
        return text.lower()
    if place != int(place) or place < 0:
        raise SpecError(f"events: row {number}: CMT {text} is not a compartment; give its name or its number from 1")
    return str(int(place)) if place else ""


def _unit(value: Any, number: int) -> str:
    text = _text(value)
    if text:
        try:
            units.split_dose(text)
        except ValueError as error:
            raise SpecError(f"events: row {number}: {error}") from None
    return text


def to_events(regimen: Regimen, horizon: float | None) -> pd.DataFrame:
    """Return a regimen as rows; see :meth:`myelosim.spec.regimen.Regimen.to_events`."""
    import pandas as pd

    codes = {kind: code for code, kind in KINDS.items()}
    rows: list[dict[str, Any]] = []
    for event in regimen.events:
        count = event.count
        if count is None:
            if horizon is None:
                raise SpecError(f"{event.drug} is given until the horizon; say which: to_events(horizon=...) in hours")
            count = len(Regimen((event,)).expand(horizon))
        if count:
            rate = -2.0 if event.modelled else event.amount / event.duration if event.duration else 0.0
            rows.append(
                {
                    "TIME": event.time,
                    "AMT": event.amount,
                    "RATE": rate,
                    "II": event.interval,
                    "ADDL": count - 1,
                    "SS": int(event.steady_state),
                    "EVID": codes[event.kind],
                    "CMT": event.channel or ".",
                    "DRUG": event.drug,
                    "UNIT": event.unit or ".",
                }
            )
    rows.sort(key=lambda row: row["TIME"])
    frame = pd.DataFrame(rows, columns=["TIME", "AMT", "RATE", "II", "ADDL", "SS", "EVID", "CMT", "DRUG", "UNIT"])
    return frame if any(event.unit for event in regimen.events) else frame.drop(columns="UNIT")
