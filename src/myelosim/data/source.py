"""Tables from files and frames, each cell as it was written."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from myelosim.data.check import Ledger
from myelosim.data.settings import Sheet
from myelosim.errors import DataError
from myelosim.spec.document import shown

TEXT = (".csv", ".tsv", ".txt", ".dat", ".tab", ".prn")


def load(data: Any, ledger: Ledger) -> tuple[Sheet, str]:
    """Return a table and the SHA-256 of what it was read from.

    Parameters
    ----------
    data : pandas.DataFrame, str or Path
        A frame, or a file.
    ledger : Ledger
        Where left-out lines are noted.

    Raises
    ------
    DataError
        There is no such file, or it holds no table.
    """
    if isinstance(data, pd.DataFrame):
        if len(data) == 0:
            raise DataError("data: the table has no rows")
        text = data.to_csv(index=False).encode()
        return Sheet(data.reset_index(drop=True), np.arange(1, len(data) + 1), "data"), hashlib.sha256(text).hexdigest()
    if not isinstance(data, str | Path):
        raise DataError(f"data: {type(data).__name__} is no table; give a pandas.DataFrame or the path of a file")
    path = Path(data)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    sheet = _delimited(content, shown(path), ledger)
    return sheet, hashlib.sha256(content).hexdigest()


def _delimited(content: bytes, name: str, ledger: Ledger) -> Sheet:
    """Read text with one row a line, all cells as text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{name}: is not text in UTF-8; save it as CSV in UTF-8") from None
    lines = text.splitlines()
    if not any(line.strip() for line in lines):
        raise DataError(f"{name}: is empty")
    header = next(line for line in lines if line.strip())
    separator = next((mark for mark in ("\t", ";", ",") if mark in header), r"\s+")
    try:
        frame = pd.read_csv(
            io.StringIO(text), sep=separator, dtype=str, keep_default_na=False, skipinitialspace=True,
            engine="python" if separator == r"\s+" else "c", index_col=False,
        )  # fmt: skip
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        raise DataError(f"{name}: {str(error).strip()}; give every line as many cells as the header has") from None
    if len(frame) == 0:
        raise DataError(f"{name}: has a header and no rows")
    frame.columns = [str(column).strip().lstrip("#") for column in frame.columns]
    numbers = np.arange(1, len(frame) + 1)
    first = frame.iloc[:, 0].fillna("").str.strip()
    comments = first.str.startswith("#") | ((first == "C") & (frame.columns[0].upper() in ("C", "ID")))
    for number in numbers[comments.to_numpy()].tolist():
        ledger.note(number, "", "comment", "dropped: the first cell marks it as a comment")
    return Sheet(frame[~comments].reset_index(drop=True), numbers[~comments.to_numpy()], name)
