"""What was seen, row by row: of what, how much, below or above a limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from myelosim import units
from myelosim.data.check import Ledger
from myelosim.data.doses import NEAR, Given, singles
from myelosim.data.observables import lineage_of, named, units_of
from myelosim.data.rows import Rows
from myelosim.data.settings import Settings
from myelosim.data.study import ABOVE, BELOW, MEASURED, Observations
from myelosim.data.values import cells, number, result
from myelosim.spec.check import count_limits
from myelosim.spec.document import is_number, suggestion
from myelosim.spec.model import Model

UNLIKE = 50.0  # times the model's baseline at which counts are taken to be in another unit


@dataclass(frozen=True)
class Seen:
    """One observation; ``hour`` as the file says, before the first dose perhaps below 0."""

    place: int
    subject: int
    hour: float
    observable: str
    value: float
    censored: int


def seen(rows: Rows, model: Model, settings: Settings, ledger: Ledger) -> list[Seen]:
    """Read every row that observes something, in the order of the file."""
    evid, amount = rows.numbers("EVID", Ledger("")), rows.numbers("AMT", ledger, 0.0)
    evid = np.where(np.isnan(evid), (amount > 0).astype(float), evid)
    looked = evid == 0
    negative = looked & (amount < 0)
    for place in np.flatnonzero(negative).tolist():
        ledger.wrong(
            rows.number[place], rows.columns.shown("AMT"), float(amount[place]), "is negative; it must be 0 or more"
        )
    looked &= ~negative
    unused = looked & (rows.numbers("MDV", ledger, 0.0) != 0)
    for place in np.flatnonzero(unused).tolist():
        ledger.note(int(rows.number[place]), "MDV", "1 without a dose", "not an observation")
    places = np.flatnonzero(looked & ~unused & (rows.who >= 0) & ~np.isnan(rows.hour)).tolist()
    if places and not rows.has("DV"):
        ledger.wrong(
            0, "DV", None, 'there is no such column; say which it is: columns = { DV = "..." } (--column DV=...)'
        )
        return []
    what = _what(rows, places, model, settings, ledger)
    reader = _Results(rows, model, settings, ledger)
    out = [one for place in places if place in what and (one := reader.read(place, what[place])) is not None]
    _unlike(out, rows, model, settings, ledger)
    return out


def _what(rows: Rows, places: Sequence[int], model: Model, settings: Settings, ledger: Ledger) -> dict[int, str]:
    """Return the observable of each row that observes something."""
    names = units_of(model)
    numbered = _numbered(settings, names, ledger)
    item = next((item for item in ("DVID", "YTYPE", "CMT") if rows.has(item) and (item != "CMT" or numbered)), "")
    counts = [name for name in names if name not in model.drugs]
    usual = counts if counts else list(names)
    if not item:
        if len(usual) == 1:
            if len(names) > 1 and places:
                ledger.note(0, "DVID", "no such column", f"every observation is taken to be of {usual[0]}")
            return dict.fromkeys(places, usual[0])
        ledger.wrong(0, "DVID", None, f"there is no such column; say by row what is observed: {', '.join(names)}")
        return {}
    out, texts, shown = {}, rows.text(item), rows.columns.shown(item)
    for place in places:
        text = texts[place]
        name = numbered.get(text) or named(text, names)
        if name:
            out[place] = name
        elif not text and len(names) == 1:
            out[place] = next(iter(names))
        elif number(text or "x") is not None:
            ledger.wrong(
                int(rows.number[place]), shown, text,
                f"is a number; say what it stands for: observables = {{ {text} = \"{usual[0] if usual else ''}\" }}",
            )  # fmt: skip
        else:
            said = f"is not observed of model {model.name}{suggestion(text, names)}" if text else "is missing"
            ledger.wrong(int(rows.number[place]), shown, text or None, said)
    return out


def _numbered(settings: Settings, names: Mapping[str, str], ledger: Ledger) -> dict[str, str]:
    out = {}
    for key, name in settings.observables.items():
        known = named(str(name), names)
        if known is None:
            ledger.wrong(0, "observables", str(name), f"is not observed of the model{suggestion(str(name), names)}")
        else:
            out[str(key)] = known
    return out


class _Results:
    """Reads results: text or number, censoring columns, units, limits of quantification."""

    def __init__(self, rows: Rows, model: Model, settings: Settings, ledger: Ledger) -> None:
        self.rows, self.model, self.settings, self.ledger = rows, model, settings, ledger
        self.names = units_of(model)
        self.cells = {item: cells(rows.column(item)) for item in ("DV", "UNIT") if rows.has(item)}
        self.flags = {item: rows.numbers(item, ledger) for item in ("CENS", "BLQ", "LLOQ", "LIMIT")}

    def read(self, place: int, name: str) -> Seen | None:
        """Return the observation of a row, None where it holds none."""
        row, cell = int(self.rows.number[place]), self.cells["DV"][place]
        read = result(cell)
        if read is None:
            self.ledger.wrong(
                row, self.rows.columns.shown("DV"), str(cell), 'is not a result; write a number, "<0.1", or . for none'
            )
            return None
        unit = str(self.cells["UNIT"][place] if "UNIT" in self.cells else "") or self.settings.units.get(
            name, self.names[name]
        )
        try:
            factor = self._factor(unit, name)
            limit = self._limit(place, name, factor)
        except ValueError as error:
            self.ledger.wrong(row, "UNIT" if "UNIT" in self.cells else "units", None, f"{name}: {error}")
            return None
        value, censored = self._censored(place, read[0] * factor, read[1], limit)
        if np.isnan(value):
            if censored == MEASURED:
                self.ledger.note(row, "DV", "nothing", "dropped: there is no result")
            else:
                self.ledger.wrong(
                    row, "DV", None, f"is beyond a limit that is not named; give lloq = {{ {name} = ... }}"
                )
            return None
        if value < 0 or (value == 0 and censored):
            self.ledger.wrong(
                row, "DV", cell, "is not possible; a count or concentration is not negative, a limit above 0"
            )
            return None
        if name not in self.model.drugs and value > (most := count_limits(lineage_of(name))[1]):
            self.ledger.wrong(
                row, "DV", cell,
                f"{unit} cannot be meant: {name} is at most {most:g} {self.names[name]}; say the unit: "
                f'units = {{ {name} = "..." }}',
            )  # fmt: skip
            return None
        if censored:
            self.ledger.note(row, "DV", f"{'below' if censored == BELOW else 'above'} {value:g}", "kept as censored")
        elif value == 0:
            self.ledger.note(row, "DV", "0", "kept as measured; if it is below a limit, give lloq")
        return Seen(place, int(self.rows.who[place]), float(self.rows.hour[place]), name, value, censored)

    def _factor(self, unit: str, name: str) -> float:
        drug = self.model.drugs.get(name)
        return units.convert(1.0, unit, self.names[name], drug.molar_mass if drug else None)

    def _limit(self, place: int, name: str, factor: float) -> float:
        """Return the limit of quantification of a row in the canonical unit, NaN where none is known."""
        own = self.flags["LLOQ"][place]
        if not np.isnan(own):
            return float(own * factor)
        held = self.settings.lloq
        held = held.get(name) if isinstance(held, Mapping) else held
        if held is None:
            return np.nan
        if isinstance(held, str):
            drug = self.model.drugs.get(name)
            return units.parse(held, self.names[name], drug.molar_mass if drug else None)
        if not (is_number(held) and held > 0):
            raise ValueError(f"lloq {held!r} is not a limit; give a number above 0, or a quantity as text")
        return float(held) * factor

    def _censored(self, place: int, value: float, censored: int, limit: float) -> tuple[float, int]:
        """Return the value, or the limit it is beyond, and which of the two."""
        row = int(self.rows.number[place])
        sign, blq = self.flags["CENS"][place], self.flags["BLQ"][place]
        if sign not in (0, 1, -1) and not np.isnan(sign):
            self.ledger.wrong(row, "CENS", float(sign), "is not known; 1 is below DV, -1 above it, 0 measured")
        if blq not in (0, 1) and not np.isnan(blq):
            self.ledger.wrong(row, "BLQ", float(blq), "is not known; 1 is below the limit, 0 measured")
        if sign == -1:
            return value, ABOVE
        if sign == 1 or blq == 1:
            if self.flags["LIMIT"][place] > 0:
                self.ledger.note(row, "LIMIT", f"{self.flags['LIMIT'][place]:g}", "not used: taken as below DV only")
            given = value if value > 0 and np.isnan(self.flags["LLOQ"][place]) else limit
            return given if given == given else limit, BELOW
        if censored == BELOW and np.isnan(value):
            return limit, BELOW
        if censored == MEASURED and value < limit:
            return limit, BELOW
        return value, censored


def _unlike(all_seen: Sequence[Seen], rows: Rows, model: Model, settings: Settings, ledger: Ledger) -> None:
    """Refuse first counts that are far from the model's baseline, as those in another unit are."""
    for name in dict.fromkeys(one.observable for one in all_seen):
        parameter = model.parameters.get(f"{lineage_of(name)}.baseline")
        if name in model.drugs or parameter is None:
            continue
        first: dict[int, float] = {}
        for one in sorted((one for one in all_seen if one.observable == name), key=lambda one: one.hour):
            first.setdefault(one.subject, one.value)
        middle = float(np.median(list(first.values())))
        if parameter.value / UNLIKE <= middle <= parameter.value * UNLIKE:
            continue
        unit = units_of(model)[name]
        said = f"{name} is {middle:.3g} {unit} in the middle of the first values, and {parameter.value:g} in the model"
        if name in settings.units or rows.has("UNIT"):
            ledger.note(0, "DV", said, "kept: its unit is stated")
        else:
            ledger.wrong(0, "DV", None, f'{said}; say the unit of the data: units = {{ {name} = "..." }}')


def arranged(
    all_seen: Sequence[Seen], all_given: Sequence[Given], rows: Rows, occasion: Sequence[int], ledger: Ledger
) -> Observations:
    """Return observations by subject, time and order in the file; those before hour 0 are those of a baseline, at hour 0."""
    timed: list[Seen] = []
    for one in all_seen:
        if one.hour < 0:
            ledger.note(int(rows.number[one.place]), "TIME", f"{one.hour:g} h", "predicted at hour 0, before any dose")
        timed.append(replace(one, hour=max(one.hour, 0.0)))
    _repeated(all_seen, rows, ledger)
    after = _after(timed, all_given)
    order = sorted(range(len(timed)), key=lambda i: (timed[i].subject, timed[i].hour, all_seen[i].hour, timed[i].place))
    kept = [timed[i] for i in order]
    return Observations(
        row=np.array([rows.number[one.place] for one in kept], int), subject=np.array([one.subject for one in kept], int),
        time=np.array([one.hour for one in kept], float), observable=np.array([one.observable for one in kept], str),
        value=np.array([one.value for one in kept], float), censored=np.array([one.censored for one in kept], int),
        after=after[order], occasion=np.array([occasion[one.place] for one in kept], int),
    )  # fmt: skip


def _repeated(all_seen: Sequence[Seen], rows: Rows, ledger: Ledger) -> None:
    before: dict[tuple[int, str, int], Seen] = {}
    for one in all_seen:
        other = before.setdefault((one.subject, one.observable, round(one.hour / NEAR)), one)
        if other is not one:
            ledger.doubtful(
                int(rows.number[one.place]), "DV",
                f"{one.observable} at {one.hour:g} h again, as in row {rows.number[other.place]}",
                "kept: both rows count", "take one row out, or read without strict, where both count",
            )  # fmt: skip


def _after(all_seen: Sequence[Seen], all_given: Sequence[Given]) -> np.ndarray:
    """Tell which observations are listed after what is given at their hour, or have nothing given there."""
    last = max((one.hour for one in all_seen), default=0.0)
    listed: dict[tuple[int, int], list[tuple[int, str]]] = {}
    for one in all_given:
        for hour in singles(one.event, last):
            listed.setdefault((one.subject, round(hour / NEAR)), []).append((one.place, one.event.drug))
    out = []
    for seen_one in all_seen:
        here = listed.get((seen_one.subject, round(seen_one.hour / NEAR)), [])
        own = [place for place, drug in here if drug == seen_one.observable] or [place for place, _ in here]
        out.append(not own or min(own) < seen_one.place)
    return np.array(out, bool)
