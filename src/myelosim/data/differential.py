"""Absolute neutrophils from the leukocytes and their differential."""

from __future__ import annotations

import math

import pandas as pd

from myelosim.data.analytes import BAND_SHARE, NEUTROPHIL_SHARE
from myelosim.data.check import Ledger
from myelosim.data.study import ABOVE, BELOW, MEASURED
from myelosim.data.values import result

SHARES = (NEUTROPHIL_SHARE, BAND_SHARE)


def absolute(results: pd.DataFrame, wanted: bool, ledger: Ledger) -> pd.DataFrame:
    """Return results without shares of leukocytes, and neutrophils made of them where there is no count.

    ``results`` has ID, TIME, ANALYTE, DV, UNIT and ROW. Neutrophils are leukocytes times the sum of the shares of segmented and
    band forms; where one of the factors is below a limit, so is the product.
    """
    shares = results["ANALYTE"].isin(SHARES)
    if not shares.any():
        return results
    rest = results[~shares]
    if not wanted:
        return rest
    keys = ["ID", "TIME"]
    direct = set(map(tuple, rest.loc[rest["ANALYTE"] == "neutrophil", keys].astype(str).to_numpy().tolist()))
    banded = (results["ANALYTE"] == BAND_SHARE).any()
    made = []
    for _, own in results.groupby([results[key].astype(str) for key in keys], sort=False):
        row = own[own["ANALYTE"] == NEUTROPHIL_SHARE]
        if row.empty or tuple(row.iloc[0][keys].astype(str)) in direct:
            continue
        new = _product(own, row.iloc[0], banded, ledger)
        if new is not None:
            made.append(new)
    if not made:
        return rest
    ledger.note(0, "neutrophil", f"{len(made)} made", "leukocytes x (% neutrophils + % bands)")
    return pd.concat([rest, pd.DataFrame(made)], ignore_index=True)


def _product(own: pd.DataFrame, row: pd.Series, banded: bool, ledger: Ledger) -> pd.Series | None:
    number = int(row["ROW"])
    cells = own[own["ANALYTE"] == "leukocyte"]
    if cells.empty:
        ledger.note(number, NEUTROPHIL_SHARE, "no leukocytes at that time", "dropped: there is nothing to multiply")
        return None
    bands = own[own["ANALYTE"] == BAND_SHARE]
    parts = [_share(row, ledger), _share(bands.iloc[0], ledger) if len(bands) else (0.0, MEASURED)]
    if banded and (not len(bands) or math.isnan(parts[1][0])):
        ledger.note(number, BAND_SHARE, "none reported", "taken as 0")
        parts[1] = 0.0, MEASURED
    count = result(cells.iloc[0]["DV"])
    share = parts[0][0] + parts[1][0]
    if count is None or math.isnan(count[0]) or math.isnan(share) or ABOVE in (count[1], parts[0][1], parts[1][1]):
        ledger.note(
            number, "neutrophil", "a factor is missing or above a limit", "dropped: not the product of two numbers"
        )
        return None
    if share > 1.0 + 1e-9:
        ledger.wrong(number, NEUTROPHIL_SHARE, share * 100, "% of the leukocytes are more than all; correct the shares")
        return None
    below = BELOW in (count[1], parts[0][1], parts[1][1])
    new = cells.iloc[0].copy()
    new["ANALYTE"], new["ROW"] = "neutrophil", row["ROW"]
    new["DV"] = f"<{count[0] * share!r}" if below and share > 0 else repr(count[0] * share)
    return new


def _share(row: pd.Series, ledger: Ledger) -> tuple[float, int]:
    """Return a share of the leukocytes as a fraction; it is in percent unless its unit is 1."""
    read = result(row["DV"])
    if read is None:
        ledger.wrong(
            int(row["ROW"]), str(row["ANALYTE"]), str(row["DV"]), "is not a percentage; write a number, or . for none"
        )
        return math.nan, MEASURED
    unit = str(row["UNIT"] or "%")
    if unit not in ("%", "1"):
        ledger.wrong(int(row["ROW"]), str(row["ANALYTE"]), unit, "is no unit of a share; it is % or 1")
    return read[0] * (0.01 if unit == "%" else 1.0), read[1]
