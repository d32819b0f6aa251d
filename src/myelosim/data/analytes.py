"""What laboratories call the counts that a model has."""

from __future__ import annotations

import re
from collections.abc import Mapping

from myelosim import units
from myelosim.data.observables import named

NEUTROPHIL_SHARE, BAND_SHARE = "neutrophil %", "band %"
NAMES = {
    "neutrophil": (
        "anc", "neut", "neuts", "neu", "ne", "neutro", "neutrophil", "neutrophils", "neutrophilcount", "absneut", "neutabs",
        "neutrophilsabs", "neutrophilsabsolute", "absoluteneutrophils", "absoluteneutrophilcount", "neut#", "neu#", "ne#",
        "neutrophils#",
    ),
    "platelet": ("plt", "plat", "plts", "platelet", "platelets", "plateletcount", "thrombocytes"),
    "hemoglobin": ("hgb", "hb", "hemoglobin", "haemoglobin"),
    "leukocyte": (
        "wbc", "leuk", "leuc", "leukocyte", "leukocytes", "leucocytes", "whitebloodcells", "whitebloodcellcount", "wbccount",
    ),
    NEUTROPHIL_SHARE: (
        "neut%", "neu%", "ne%", "neutrophil%", "neutrophils%", "%neut", "%neutrophils", "neutle", "pctneut", "neutpct",
        "neutrophilsleukocytes",
    ),
    BAND_SHARE: ("band%", "bands%", "%bands", "neutble", "bandle", "bandspct", "neutrophilsbandformleukocytes"),
}  # fmt: skip
_CALLED = {name: analyte for analyte, names in NAMES.items() for name in names}
_UNIT = re.compile(r"(.+?)\s*[(\[]([^()\[\]]+)[)\]]\s*")


def analyte(text: str, names: Mapping[str, str], stated: Mapping[str, str] | None = None) -> str | None:
    """Return what a laboratory's name stands for: an observable, a share of the leukocytes, or None.

    Parameters
    ----------
    text : str
        As in the data.
    names : mapping
        The model's observables.
    stated : mapping, optional
        Names of the data -> observable, as the caller says.

    Examples
    --------
    >>> analyte("PLT", {}), analyte("Neutrophils (%)", {}), analyte("ALT", {})
    ('platelet', 'neutrophil %', None)
    """
    if stated and text in stated:
        return stated[text]
    return named(text, names) or _CALLED.get(re.sub(r"[^a-z%#]", "", text.lower()))


def with_unit(header: str) -> tuple[str, str]:
    """Split a column's header into name and unit, which is empty where none is written.

    Examples
    --------
    >>> with_unit("PLT (10^3/uL)"), with_unit("Neutrophils (abs)")
    (('PLT', '10^3/uL'), ('Neutrophils (abs)', ''))
    """
    match = _UNIT.fullmatch(header.strip())
    if match is None:
        return header.strip(), ""
    try:
        units.dimension(match[2])
    except ValueError:
        return header.strip(), ""
    return (header.strip() if match[2].strip() == "%" else match[1].strip()), match[2].strip()
