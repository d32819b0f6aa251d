"""What an analyzer exports, a column per analyte or a row per result, as rows of NONMEM's items."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from myelosim.data.analytes import BAND_SHARE, NEUTROPHIL_SHARE, analyte
from myelosim.data.check import Ledger
from myelosim.data.columns import Columns
from myelosim.data.differential import absolute
from myelosim.data.observables import units_of
from myelosim.data.settings import Settings, Sheet
from myelosim.data.values import cells, labels, number, numbers, result
from myelosim.errors import DataError
from myelosim.spec.model import Model

DOSES = ("AMT", "RATE", "II", "ADDL", "SS", "EVID", "CMT", "DRUG", "ROUTE")


def is_laboratory(sheet: Sheet, columns: Columns) -> bool:
    """Tell an analyzer's table from one of NONMEM's items, where doses, EVID or MDV are beside DV, or DVID is a number."""
    if columns.analytes or "DVID" not in columns.items:
        return bool(columns.analytes)
    texts = labels(sheet.frame["DVID"])
    return not {"AMT", "EVID", "MDV"} & set(columns.items) and any(number(text) is None for text in texts)


def items(sheet: Sheet, columns: Columns, model: Model, settings: Settings, ledger: Ledger) -> tuple[Sheet, Columns]:
    """Return one row per result the model has a use for, beside the rows' doses, covariates and parameters.

    Results of what the model has not are dropped, and counted by what they are of.
    """
    results = _wide(sheet, columns, settings) if columns.analytes else _long(sheet, model, settings)
    names = units_of(model)
    results = absolute(results, "neutrophil" in names, ledger)
    known = results["ANALYTE"].isin(list(names))
    for name, own in results[~known].groupby("ANALYTE", sort=False):
        ledger.note(0, str(name), f"{len(own)} results", f"dropped: model {model.name} has no {name}")
    kept = results[known].rename(columns={"ANALYTE": "DVID"})
    if kept.empty and not results.empty:
        said = f'columns = {{ {next(iter(names))} = "..." }} (--column {next(iter(names))}=...)'
        ledger.wrong(0, "", None, f"holds no result of {', '.join(names)}; say which column is which: {said}")
    frame = sheet.frame.drop(columns=list(columns.analytes))
    place = {int(row): i for i, row in enumerate(sheet.rows)}
    observed = frame.iloc[[place[int(row)] for row in kept["ROW"]]].reset_index(drop=True)
    observed = observed.drop(columns=[name for name in DOSES if name in observed]).assign(
        **{name: kept[name].to_numpy() for name in ("DV", "DVID", "UNIT")}, EVID=0.0, ROW=kept["ROW"].to_numpy()
    )
    dosed = np.nan_to_num(numbers(frame["AMT"])[0]) != 0 if "AMT" in frame else np.zeros(len(frame), bool)
    bare = ~np.isin(sheet.rows, results["ROW"].to_numpy()) & ~dosed
    for row in sheet.rows[bare].tolist():
        ledger.note(row, "", "nothing", "dropped: there is neither a result nor a dose")
    alone = dosed | bare
    others = frame[alone].assign(ROW=sheet.rows[alone], EVID=np.where(dosed[alone], 1.0, 2.0), DV="", DVID="")
    joined = pd.concat([observed, others], ignore_index=True)
    columns = replace(
        columns, items={**columns.items, **{name: name for name in ("DV", "DVID", "UNIT", "EVID")}}, analytes={}
    )
    return Sheet(joined.drop(columns="ROW"), joined["ROW"].to_numpy(int), sheet.name), columns


def _wide(sheet: Sheet, columns: Columns, settings: Settings) -> pd.DataFrame:
    parts = []
    for column, (name, written) in columns.analytes.items():
        found = cells(sheet.frame[column])
        unit = settings.units.get(name) or settings.units.get(column.strip()) or written
        unit = unit or ("%" if name in (NEUTROPHIL_SHARE, BAND_SHARE) else "")
        parts.append(_results(sheet, [name] * len(found), found, [unit] * len(found)))
    return pd.concat(parts, ignore_index=True)


def _long(sheet: Sheet, model: Model, settings: Settings) -> pd.DataFrame:
    if "DV" not in sheet.frame:
        raise DataError(
            f'{sheet.name}: there is no column DV with the results; say which it is: columns = {{ DV = "..." }} (--column DV=...); '
            f"there are: {', '.join(map(str, sheet.frame.columns))}"
        )
    stated = {str(key): name for key, name in settings.observables.items()}
    names = units_of(model)
    texts = labels(sheet.frame["DVID"])
    found = [analyte(text, names, stated) or text for text in texts]
    written = labels(sheet.frame["UNIT"]) if "UNIT" in sheet.frame else [""] * len(found)
    units = [own or settings.units.get(name, "") for own, name in zip(written, found, strict=True)]
    return _results(sheet, found, cells(sheet.frame["DV"]), units)


def _results(sheet: Sheet, names: list[str], found: list[object], units: list[str]) -> pd.DataFrame:
    """Return the results that are there; a number stays one, a text that is none is told later."""
    text = [repr(cell) if isinstance(cell, float) else str(cell) for cell in found]
    frame = pd.DataFrame({
        "ID": sheet.frame.get("ID", ""), "TIME": _moments(sheet.frame), "ANALYTE": names, "DV": text,
        "UNIT": units, "ROW": sheet.rows,
    })  # fmt: skip
    there = [(read := result(cell)) is None or read[1] != 0 or read[0] == read[0] for cell in found]
    return frame[there]


def _moments(frame: pd.DataFrame) -> pd.Series:
    """Return what tells draws of a subject apart."""
    held = [frame[name].astype(str) for name in ("DATE", "DAY", "TIME") if name in frame]
    return sum(held[1:], held[0]) if held else pd.Series("", index=frame.index)
