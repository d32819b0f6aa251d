"""What was given, row by row: drugs, transfusions, blood drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from myelosim.data.check import Ledger
from myelosim.data.observables import lineage_of, named, units_of
from myelosim.data.rows import Rows
from myelosim.data.settings import Settings
from myelosim.data.values import cells, nearest, number
from myelosim.errors import SpecError
from myelosim.spec.document import suggestion
from myelosim.spec.dosing import resolve
from myelosim.spec.events import event as read_event
from myelosim.spec.model import Model
from myelosim.spec.regimen import DoseEvent, Regimen

ITEMS = ("TIME", "AMT", "RATE", "II", "ADDL", "SS", "EVID", "CMT", "UNIT", "DRUG", "ROUTE")
BLOOD = ("blood", "draw")
UNITS = ("unit", "units", "u", "u.")
NEAR = 1e-6  # h
ROUTES = {
    "oral": ("oral", "po", "p.o", "gavage"),
    "iv": ("iv", "i.v", "intravenous"),
    "sc": ("sc", "s.c", "subcutaneous"),
}


@dataclass(frozen=True)
class Given:
    """An event and the place of its row."""

    place: int
    subject: int
    event: DoseEvent


def given(rows: Rows, model: Model, settings: Settings, ledger: Ledger) -> list[Given]:
    """Read every row that gives something, in the order of the file."""
    items = {name: cells(rows.column(name)) for name in ITEMS if rows.has(name)}
    unit = settings.units.get("AMT", "")
    usual = settings.drug or _usual(model)
    out = []
    for place, row_number in enumerate(rows.number.tolist()):
        row: dict[str, Any] = {name: column[place] for name, column in items.items()} | {"TIME": rows.hour[place]}
        try:
            named_as, kind, drug = _what(str(row.get("DRUG") or ""), usual, model)
            row["DRUG"] = named_as or drug
            if kind == "transfusion" and str(row.get("UNIT", "")).strip().lower() in UNITS:
                row["UNIT"] = ""
            one = read_event(_in_hours(row, rows.hours), row_number, drug)
            if one is None or one.kind == "other":
                continue
            if named_as:
                raise SpecError(
                    f"DRUG '{named_as}' is neither a drug nor a lineage of model {model.name}{suggestion(named_as, model.drugs)}"
                )
            if kind == "dose":
                one = replace(one, route=_route(row.get("ROUTE")))
                one = one if one.unit or not unit else replace(one, unit=unit)
                one = resolve(Regimen((one,)), model).events[0]
            else:
                one = _cells_or_blood(one, kind, drug, model)
        except SpecError as error:
            _refused(rows, place, str(error), ledger)
            continue
        out.append(Given(place, int(rows.who[place]), one))
    _conflicts(rows, out, ledger)
    return out


def _usual(model: Model) -> str | None:
    names = [name for name, drug in model.drugs.items() if not drug.supportive] or list(model.drugs)
    return names[0] if len(names) == 1 else None


def _what(text: str, usual: str | None, model: Model) -> tuple[str, str, str | None]:
    """Return a name that is not known, the kind of event, and the drug or lineage."""
    if not text:
        return "", "dose", usual
    if drug := nearest(text, list(model.drugs)):
        return "", "dose", drug
    if lineage := named(text, {name: "" for name in units_of(model) if name not in model.drugs}):
        return "", "transfusion", lineage_of(lineage)
    if text.lower() in BLOOD:
        return "", "draw", "blood"
    return text, "dose", None


def _route(cell: Any) -> str:
    text = str(cell or "").strip().lower()
    for route, words in ROUTES.items():
        if text.startswith(words):
            return route
    if text not in ("", "nan"):
        raise SpecError(f"ROUTE '{cell}' is not known; known: {', '.join(ROUTES)}")
    return ""


def _in_hours(row: dict[str, Any], hours: float) -> dict[str, Any]:
    """Return a row whose interval and rate count in hours."""
    if hours == 1.0:
        return row
    for name in ("II", "RATE"):
        value = number(row.get(name))
        if value is not None and value > 0:  # negative ones are codes, or wrong
            row[name] = value * hours if name == "II" else value / hours
    return row


def _cells_or_blood(one: DoseEvent, kind: str, name: str | None, model: Model) -> DoseEvent:
    if one.kind != "dose" or one.duration or one.steady_state:
        raise SpecError(f"a {kind} is one EVID 1 without RATE and SS")
    if kind == "transfusion":
        if model.lineages[str(name)].structure.get("transfused") != "yes":
            raise SpecError(
                f"the model does not say what a transfusion of {name} does; its lineage needs "
                'transfused = "yes", unit_rise and donor_survival'
            )
        if one.unit:
            raise SpecError(f"a transfusion is counted in units of cells, not in '{one.unit}'; leave UNIT out")
    elif one.unit or not one.amount < 1:
        raise SpecError("AMT of blood drawn is the fraction of the blood, below 1 and without UNIT")
    return replace(one, drug=str(name), kind=kind, channel="", route="")


def _refused(rows: Rows, place: int, sentence: str, ledger: Ledger) -> None:
    """Note why a row gives nothing, unless it is the time, which is known."""
    row = int(rows.number[place])
    if not np.isnan(rows.hour[place]):
        ledger.wrong(row, "", None, sentence.removeprefix(f"events: row {row}: "))


def singles(event: DoseEvent, last: float) -> Iterator[float]:
    """Yield the hours at which an event gives something, up to the last one of interest."""
    for one in Regimen((event,)).expand(last):
        yield one.time


def _conflicts(rows: Rows, all_given: list[Given], ledger: Ledger) -> None:
    """Refuse what is given twice at one hour: it would add up, and is more likely a slip."""
    seen: dict[tuple[Any, ...], Given] = {}
    last = float(np.nanmax(rows.hour, initial=0.0))
    for one in all_given:
        event = one.event
        for hour in singles(event, last):
            key = one.subject, event.drug, event.channel, event.kind, round(hour / NEAR)
            before = seen.setdefault(key, one)
            if before is one:
                continue
            row, other = int(rows.number[one.place]), int(rows.number[before.place])
            same = (event.amount, event.duration, event.unit) == (
                before.event.amount, before.event.duration, before.event.unit,
            )  # fmt: skip
            ledger.wrong(
                row, "AMT", None,
                f"{event.drug} is given {'again' if same else f'as {event.amount:g}'} at {hour:g} h, where row {other} gives "
                f"{before.event.amount:g}; take one row out, or write their sum in one",
            )  # fmt: skip
            break
