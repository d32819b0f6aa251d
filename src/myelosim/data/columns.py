"""What each column of a table is: an item, a parameter, a covariate, a concentration, or nothing that is used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from myelosim.data.check import Ledger
from myelosim.data.settings import Settings, Sheet
from myelosim.data.values import nearest
from myelosim.errors import SpecError
from myelosim.spec.change import full_name
from myelosim.spec.document import suggestion
from myelosim.spec.model import Model

ITEMS = (
    "ID", "TIME", "AMT", "RATE", "II", "ADDL", "SS", "EVID", "CMT", "DRUG", "UNIT", "DV", "MDV", "DVID", "YTYPE", "CENS",
    "LIMIT", "BLQ", "LLOQ", "OCC", "DEATH",
)  # fmt: skip
USUAL = {"wt": "weight", "bw": "weight", "bwt": "weight", "wgt": "weight", "bsa": "surface", "gender": "sex"}


@dataclass
class Columns:
    """Columns of a table by what they are, each with its name in the file."""

    items: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    covariates: dict[str, str] = field(default_factory=dict)
    concentrations: dict[str, str] = field(default_factory=dict)

    def shown(self, item: str) -> str:
        """Return an item with its name in the file where that is another."""
        column = self.items.get(item, item)
        return item if column.strip().upper() == item else f"{item} ('{column}')"


def covariates_of(model: Model) -> list[str]:
    """Return the covariates that a model knows or uses."""
    used = {name for parameter in model.parameters.values() for name in parameter.covariates}
    return sorted({*model.subjects.covariates, *used})


def sort_columns(sheet: Sheet, model: Model, settings: Settings, ledger: Ledger) -> Columns:
    """Tell what each column is; what nothing uses is noted."""
    out = Columns()
    asked = _asked(sheet, settings.columns, ledger)
    stated = {name.lower(): name for name in settings.columns}
    for column in map(str, sheet.frame.columns):
        for name in asked.get(column, [column]):
            group, key = _meaning(name, model, stated=column in asked)
            if column not in asked and key.lower() in stated:
                ledger.note(
                    0, column, "", f"column not used: {key} is column '{settings.columns[stated[key.lower()]]}'"
                )
                continue
            if group == "":
                hint = USUAL.get(column.strip().lower(), "")
                known = covariates_of(model)
                said = f"; if it is the {hint}, say columns={{'{hint}': '{column}'}}" if hint in known else ""
                if column in asked:
                    names = [*ITEMS, *model.parameters, *known, *model.drugs]
                    ledger.wrong(0, column, name, f"is not what a column can be{suggestion(name, names)}")
                else:
                    ledger.note(0, column, "", f"column not used{said}")
                continue
            into = getattr(out, group)
            if key in into:
                ledger.wrong(
                    0, column, None, f"is {key}, and so is column '{into[key]}'; keep one, or say which by columns"
                )
            into.setdefault(key, column)
    return out


def _asked(sheet: Sheet, columns: Mapping[str, str], ledger: Ledger) -> dict[str, list[str]]:
    """Return column of the file -> what the caller says it is."""
    asked: dict[str, list[str]] = {}
    there = [str(column) for column in sheet.frame.columns]
    for name, column in columns.items():
        found = column if column in there else nearest(str(column), there)
        if found is None:
            ledger.wrong(
                0, "columns", str(column), f"is asked for as {name} and is not there{suggestion(str(column), there)}"
            )
        else:
            asked.setdefault(found, []).append(name)
    return asked


def _meaning(name: str, model: Model, *, stated: bool) -> tuple[str, str]:
    if stated and name in model.drugs:  # which may be called "drug"
        return "concentrations", name
    if name.strip().upper() in ITEMS:
        return "items", name.strip().upper()
    if covariate := nearest(name.strip(), covariates_of(model)):
        return "covariates", covariate
    if drug := nearest(name.strip(), list(model.drugs)):
        return "concentrations", drug
    if "." not in name:
        return "", ""
    lower = {full.lower(): full for full in model.parameters}
    try:
        return "parameters", lower.get(name.strip().lower()) or full_name(model, name.strip())
    except SpecError:
        return "", ""
