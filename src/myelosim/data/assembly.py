"""Several tables as one: results and doses of the same subjects, in order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from myelosim.data.check import FILE, Ledger
from myelosim.data.columns import Columns
from myelosim.data.settings import Sheet
from myelosim.data.values import labels, numbers
from myelosim.errors import SpecError
from myelosim.spec.dosing import prescribed
from myelosim.spec.model import Model
from myelosim.spec.regimen import DoseEvent

DOSED = ("AMT", "DRUG", "UNIT", "ROUTE", "RATE", "CMT", "EVID")


def joined(parts: Sequence[tuple[Sheet, Columns, bool]]) -> tuple[Sheet, Columns]:
    """Return the rows of all tables; what one table has no column for is missing in its rows."""
    if len(parts) == 1:
        return parts[0][0], parts[0][1]
    columns = Columns()
    for _, own, _ in parts:
        for name in ("items", "parameters", "covariates", "concentrations", "named"):
            getattr(columns, name).update(getattr(own, name))
    frames = [sheet.frame.astype(object).where(sheet.frame.notna(), "") for sheet, _, _ in parts]
    for frame, (_, own, _) in zip(frames, parts, strict=True):
        if "EVID" not in own.items and "EVID" in columns.items and "AMT" in own.items:
            frame["EVID"] = np.where(np.nan_to_num(numbers(frame["AMT"])[0]) > 0, 1.0, 0.0)
    whole = pd.concat(frames, ignore_index=True).fillna("")
    rows = np.concatenate([sheet.rows for sheet, _, _ in parts])
    return Sheet(whole, rows, parts[0][0].name), columns


def ordered(sheet: Sheet, ledger: Ledger) -> Sheet:
    """Return rows by subject, in order of first appearance, and time; results before the doses of their hour."""
    frame = sheet.frame
    names = labels(frame["ID"]) if "ID" in frame else [""] * len(frame)
    first = {name: i for i, name in enumerate(dict.fromkeys(names))}
    hour = numbers(frame["TIME"])[0] if "TIME" in frame else np.zeros(len(frame))
    kind = np.nan_to_num(numbers(frame["EVID"])[0]) if "EVID" in frame else np.zeros(len(frame))
    order = np.lexsort([np.arange(len(frame)), kind, hour, np.array([first[name] for name in names])])
    given = {
        (name, one) for name, one, which in zip(names, hour.tolist(), kind.tolist(), strict=True) if which in (1, 3, 4)
    }
    at_dose = [
        (name, one) in given and which == 0
        for name, one, which in zip(names, hour.tolist(), kind.tolist(), strict=True)
    ]
    if any(at_dose):
        first_row = int(sheet.rows[at_dose.index(True)])
        ledger.note(first_row, "TIME", f"{sum(at_dose)} results at the hour of a dose", "taken to be before it")
    return Sheet(frame.iloc[order].reset_index(drop=True), sheet.rows[order], sheet.name)


def by_group(
    sheet: Sheet, columns: Columns, doses: Mapping[str, str], model: Model, ledger: Ledger
) -> tuple[Sheet, Columns]:
    """Return the rows with the doses of each subject's group, from hour 0 on, up to its last row."""
    frame = sheet.frame
    names = labels(frame["ID"]) if "ID" in frame else []
    groups = labels(frame["GROUP"]) if "GROUP" in frame else [""] * len(frame)
    said = {str(group): text for group, text in doses.items()}
    hours = numbers(frame["TIME"])[0] if "TIME" in frame else np.zeros(len(frame))
    events: dict[tuple[str, float], tuple[DoseEvent, ...]] = {}
    made: list[dict[str, Any]] = []
    rows: list[int] = []
    for name in dict.fromkeys(names):
        own = [place for place, one in enumerate(names) if one == name]
        of = list(dict.fromkeys(groups[place] for place in own if groups[place])) or [""]
        if len(of) > 1 or of[0] not in said:
            known = ", ".join(repr(group) for group in said)
            what = "is in several groups" if len(of) > 1 else "is a group whose doses are not said"
            ledger.wrong(int(sheet.rows[own[0]]), "GROUP", " and ".join(of), f"{what}; doses has {known}")
            continue
        last = float(np.nanmax(hours[own], initial=0.0))
        try:
            if (of[0], last) not in events:
                events[of[0], last] = prescribed(said[of[0]], model).expand(last)
        except SpecError as error:
            ledger.wrong(0, "doses", of[0] or None, str(error))
            continue
        for event in events[of[0], last]:
            made.append({
                "ID": name, "TIME": event.time, "AMT": event.amount, "DRUG": event.drug, "UNIT": event.unit, "ROUTE": event.route,
                "RATE": event.amount / event.duration if event.duration else 0.0, "CMT": event.channel, "EVID": 1.0,
            })  # fmt: skip
            rows.append(len(ledger.files) * FILE + len(rows) + 1)
    ledger.files.append("doses")
    old = frame.drop(columns="GROUP", errors="ignore").astype(object)
    if "EVID" not in old:
        old["EVID"] = 0.0
    both = pd.concat(
        [old.where(old.notna(), ""), pd.DataFrame(made, columns=["ID", "TIME", *DOSED], dtype=object)],
        ignore_index=True,
    ).fillna("")
    items = {name: name for name in DOSED}
    merged = Columns(
        {**columns.items, **items}, columns.parameters, columns.covariates, columns.concentrations, {}, columns.named
    )
    return Sheet(both, np.concatenate([sheet.rows, np.array(rows, int)]), sheet.name), merged
