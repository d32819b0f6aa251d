"""Tables from files and frames, each cell as it was written."""

from __future__ import annotations

import csv
import hashlib
import io
from itertools import takewhile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from myelosim.data import files, values
from myelosim.data.check import FILE, Ledger
from myelosim.data.settings import Sheet
from myelosim.errors import DataError
from myelosim.spec.document import shown


def load(data: Any, ledger: Ledger) -> tuple[list[Sheet], str]:
    """Return tables and the SHA-256 of what they were read from.

    Parameters
    ----------
    data : pandas.DataFrame, str, Path or list of them
        Frames, files, or a folder with SAS transport or Dataset-JSON files.
    ledger : Ledger
        Where left-out lines are noted, and the names of the files put.

    Raises
    ------
    DataError
        There is no such file, or it holds no table.
    """
    parts = [one for part in (data if isinstance(data, list | tuple) else [data]) for one in _opened(part)]
    if not parts:
        raise DataError("data: there is nothing to read; give a table or a file")
    sheets, total = [], hashlib.sha256()
    for file, part in enumerate(parts):
        sheet, digest = _one(part, ledger, file)
        names = [str(name) for name in sheet.frame.columns]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise DataError(
                f"{sheet.name}: column {', '.join(map(repr, twice))} is there twice; give each its own name"
            )
        ledger.files.append(sheet.name)
        sheets.append(sheet)
        total.update(digest)
    return sheets, total.hexdigest() if len(parts) > 1 else digest.hex()


def _opened(data: Any) -> list[Any]:
    """Return the files of a folder that may be domains, or what was given."""
    if not isinstance(data, str | Path) or not Path(data).is_dir():
        return [data]
    names = ("lb", "ex", "pc", "adlb", "adpc")
    found = [path for path in sorted(Path(data).iterdir()) if path.stem.lower() in names]
    found = [path for path in found if path.suffix.lower() in (*files.TRANSPORT, *files.JSON)]
    if not found:
        raise DataError(
            f"{shown(Path(data))}: a folder without lb, ex, pc, adlb or adpc as .xpt or .json; name the files"
        )
    return sorted(found, key=lambda path: path.stem.lower() in ("ex", "pc", "adpc"))


def _one(data: Any, ledger: Ledger, file: int) -> tuple[Sheet, bytes]:
    if isinstance(data, pd.DataFrame):
        if len(data) == 0:
            raise DataError("data: the table has no rows; give some")
        held = data.reset_index(drop=True)
        held.columns = pd.Index([str(column) for column in data.columns])
        text = held.to_csv(index=False).encode()
        return Sheet(held, _numbers(held, file), f"table {file + 1}" if file else "data"), hashlib.sha256(text).digest()
    if not isinstance(data, str | Path):
        raise DataError(f"data: {type(data).__name__} is no table; give a pandas.DataFrame or the path of a file")
    path, name = Path(data), shown(Path(data))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error.strerror}") from None
    kind = path.suffix.lower()
    if kind in files.EXCEL:
        frame = files.excel(content, name)
    elif kind in files.TRANSPORT:
        frame = files.transport(path, name)
    elif kind in files.JSON:
        frame = files.dataset_json(content, name)
    else:
        return _delimited(content, name, ledger, file), hashlib.sha256(content).digest()
    return Sheet(frame, _numbers(frame, file), name), hashlib.sha256(content).digest()


def _numbers(frame: pd.DataFrame, file: int) -> np.ndarray:
    return np.arange(1, len(frame) + 1) + file * FILE


def _delimited(content: bytes, name: str, ledger: Ledger, file: int) -> Sheet:
    """Read text with one row a line, all cells as text."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(f"{name}: is not text in UTF-8; save it as CSV in UTF-8") from None
    header, rows = _table(_uncommented(text), name)
    frame = pd.DataFrame(rows, columns=header, dtype=str)
    numbers = _numbers(frame, file)
    first = frame.iloc[:, 0].str.strip()
    comments = first.str.startswith("#") | ((first == "C") & (header[0].upper() in ("C", "ID")))
    for number in numbers[comments.to_numpy()].tolist():
        ledger.note(number, "", "comment", "dropped: the first cell marks it as a comment")
    return Sheet(frame[~comments].reset_index(drop=True), numbers[~comments.to_numpy()], name)


def _uncommented(text: str) -> str:
    """Blank the lines before the header that begin with #.

    The header may itself begin with it, as NONMEM has it where IGNORE=#: where a line with a number follows, which is no header,
    it is the line with # that has as many cells.
    """
    lines = text.splitlines(keepends=True)
    written = [k for k, line in enumerate(lines) if line.strip()]
    above = list(takewhile(lambda k: lines[k].lstrip().startswith("#"), written))
    if not above:
        return text
    below = lines[written[len(above)]] if len(above) < len(written) else ""
    mark = _mark(below)
    cells = below.split(mark or None)
    found = [values.number(cell) for cell in cells]
    if not cells or any(value is not None and value == value for value in found):
        above.remove(min(above, key=lambda k: abs(len(lines[k].split(mark or None)) - len(cells))))
    for k in above:
        lines[k] = "\n"
    return "".join(lines)


def _mark(line: str) -> str:
    """Return what parts a line's cells, "" for blanks."""
    return next((mark for mark in ("\t", ";", ",") if mark in line), "")


def _table(text: str, name: str) -> tuple[list[str], list[list[str]]]:
    """Return the header, and the cells of every line that is not blank, as many as the header has.

    Cells that are missing at the end of a line are empty; empty ones too many are none.
    """
    first = next((line for line in text.splitlines() if line.strip()), "")
    if not first:
        raise DataError(f"{name}: is empty; give a header and rows")
    mark = _mark(first)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=mark, skipinitialspace=True) if mark else None
    header: list[str] = []
    rows: list[list[str]] = []
    each = (line.split() for line in text.splitlines()) if lines is None else lines
    try:
        for number, cells in enumerate(each, start=1):
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [cell.strip().lstrip("#") or f"column {k}" for k, cell in enumerate(cells, start=1)]
                continue
            if any(cell.strip() for cell in cells[len(header) :]) and not cells[0].startswith("#"):
                line = number if lines is None else lines.line_num
                raise DataError(
                    f"{name}: row {len(rows) + 1} (line {line}): has {len(cells)} cells, and the header {len(header)}; give "
                    "every line as many, and put text that holds the separator in quotes"
                )
            rows.append([*cells, *[""] * (len(header) - len(cells))][: len(header)])
    except csv.Error as error:
        raise DataError(f"{name}: row {len(rows) + 1}: cannot be read ({error}); save it as CSV") from None
    if not rows:
        raise DataError(f"{name}: has a header and no rows; give some")
    return header, rows
