"""What each column of a table is: an item, a parameter, a covariate, a concentration, or nothing that is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

from myelosim.data.analytes import analyte, with_unit
from myelosim.data.check import Ledger
from myelosim.data.observables import units_of
from myelosim.data.settings import Settings, Sheet
from myelosim.data.values import nearest
from myelosim.errors import SpecError
from myelosim.spec.change import full_name
from myelosim.spec.document import suggestion
from myelosim.spec.model import Model

ITEMS = (
    "ID", "TIME", "AMT", "RATE", "II", "ADDL", "SS", "EVID", "CMT", "DRUG", "UNIT", "DV", "MDV", "DVID", "YTYPE", "CENS",
    "LIMIT", "BLQ", "LLOQ", "OCC", "DEATH", "ROUTE",
)  # fmt: skip
STATED = ("DATE", "DAY", "START", "GROUP")  # items that a column is only where the caller says so
USUAL = {"wt": "weight", "bw": "weight", "bwt": "weight", "wgt": "weight", "bsa": "surface", "gender": "sex"}


@dataclass
class Columns:
    """Columns of a table by what they are, each with its name in the table; ``named`` holds what the file calls an item.

    ``analytes`` maps a column of results to what was measured and the unit in its header.
    """

    items: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    covariates: dict[str, str] = field(default_factory=dict)
    concentrations: dict[str, str] = field(default_factory=dict)
    analytes: dict[str, tuple[str, str]] = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)

    def shown(self, item: str) -> str:
        """Return an item with its name in the file where that is another."""
        column = self.named.get(item, item)
        return item if column.strip().upper() == item else f"{item} ('{column}')"


def covariates_of(model: Model) -> list[str]:
    """Return the covariates that a model knows or uses."""
    used = {name for parameter in model.parameters.values() for name in parameter.covariates}
    return sorted({*model.subjects.covariates, *used})


def sort_columns(sheet: Sheet, model: Model, settings: Settings, ledger: Ledger) -> Columns:
    """Tell what each column is; what nothing uses is noted."""
    out = Columns()
    asked = _asked(sheet, settings, ledger)
    stated = {name.lower(): name for names in asked.values() for name in names}
    wide = is_wide(sheet, settings)
    for column in map(str, sheet.frame.columns):
        for name in asked.get(column, [column]):
            group, key = _meaning(name, model, stated=column in asked, wide=wide)
            if column not in asked and key.lower() in stated:
                ledger.note(
                    0, column, "", f"column not used: {key} is column '{settings.columns[stated[key.lower()]]}'"
                )
            elif group == "":
                _unused(column, name if column in asked else "", model, ledger)
            elif group == "analytes":
                before = next((other for other, (what, _) in out.analytes.items() if what == key), None)
                if before is not None:
                    said = f"is {key}, and so is column '{before}'; take one out, or say which by columns"
                    ledger.wrong(0, column, None, said)
                out.analytes[column] = key, with_unit(column)[1]
            else:
                into = getattr(out, group)
                if key in into:
                    said = f"is {key}, and so is column '{into[key]}'; keep one, or say which by columns"
                    ledger.wrong(0, column, None, said)
                into.setdefault(key, column)
    for drug in [name for name in out.concentrations if wide and not _drives(name, settings)]:
        column = out.concentrations.pop(drug)
        out.analytes[column] = drug, with_unit(column)[1]
    out.named = dict(out.items)
    return out


def is_wide(sheet: Sheet, settings: Settings) -> bool:
    """Tell a table with a column per analyte from one with a column DV."""
    return "DV" not in {str(column).strip().upper() for column in [*sheet.frame.columns, *settings.columns]}


def _drives(drug: str, settings: Settings) -> bool:
    rule = settings.interpolation
    return drug in rule if isinstance(rule, Mapping) else rule is not None


def _unused(column: str, stated: str, model: Model, ledger: Ledger) -> None:
    known = covariates_of(model)
    if stated:
        names = [*ITEMS, *STATED, *model.parameters, *known, *model.drugs]
        ledger.wrong(0, column, stated, f"is not what a column can be{suggestion(stated, names)}")
        return
    hint = USUAL.get(column.strip().lower(), "")
    said = (
        f'; if it is the {hint}, say columns = {{ {hint} = "{column}" }} (--column {hint}={column})'
        if hint in known
        else ""
    )
    ledger.note(0, column, "", f"column not used{said}")


def canonical(sheet: Sheet, columns: Columns) -> tuple[Sheet, Columns]:
    """Return the table with its items under their own names, without what is not used."""
    frame = sheet.frame
    held = {item: frame[column] for item, column in columns.items.items()}
    others = [
        *columns.parameters.values(),
        *columns.covariates.values(),
        *columns.concentrations.values(),
        *columns.analytes,
    ]
    held |= {f"{name} " if name in held else name: frame[name] for name in others}
    renamed = replace(
        columns, items={item: item for item in columns.items},
        parameters=_apart(columns.parameters, columns.items), covariates=_apart(columns.covariates, columns.items),
        concentrations=_apart(columns.concentrations, columns.items),
        analytes={f"{name} " if name in columns.items else name: what for name, what in columns.analytes.items()},
    )  # fmt: skip
    return Sheet(pd.DataFrame(held), sheet.rows, sheet.name), renamed


def _apart(names: Mapping[str, str], items: Mapping[str, str]) -> dict[str, str]:
    """Return columns that have the name of an item with a space after it."""
    return {key: f"{column} " if column in items else column for key, column in names.items()}


def _asked(sheet: Sheet, settings: Settings, ledger: Ledger) -> dict[str, list[str]]:
    """Return column of the table -> what the caller says it is."""
    asked: dict[str, list[str]] = {}
    there = [str(column) for column in sheet.frame.columns]
    for name, column in settings.columns.items():
        found = column if column in there else nearest(str(column), there)
        if found is not None:
            asked.setdefault(found, []).append(name)
        elif nearest(str(column), settings.there) is None:
            said = f"is asked for as {name} and is not there{suggestion(str(column), settings.there)}"
            ledger.wrong(0, "columns", str(column), said)
    return asked


def _meaning(name: str, model: Model, *, stated: bool, wide: bool) -> tuple[str, str]:
    if stated and name in model.drugs:  # which may be called "drug"
        return "concentrations", name
    if name.strip().upper() in ITEMS:
        return "items", name.strip().upper()
    if stated and name.strip().upper() in STATED:
        return "items", name.strip().upper()
    if wide and (found := analyte(with_unit(name)[0], units_of(model))) and found not in model.drugs:
        return "analytes", found
    if covariate := nearest(name.strip(), covariates_of(model)):
        return "covariates", covariate
    if drug := nearest(with_unit(name)[0], list(model.drugs)):
        return "concentrations", drug
    if "." not in name:
        return "", ""
    lower = {full.lower(): full for full in model.parameters}
    try:
        return "parameters", lower.get(name.strip().lower()) or full_name(model, name.strip())
    except SpecError:
        return "", ""
