"""Tables in other files than text: Excel, SAS transport, Dataset-JSON."""

from __future__ import annotations

import importlib
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd

from myelosim.errors import DataError

EXCEL = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")
TRANSPORT = (".xpt",)
JSON = (".json", ".ndjson")


def needed(package: str, what: str) -> Any:
    """Return an optional package, or say how to get it."""
    try:
        return importlib.import_module(package)
    except ImportError:
        raise DataError(f"{what} needs the package {package.replace('_', '-')}; pip install 'myelosim[io]'") from None


def excel(content: bytes, name: str) -> pd.DataFrame:
    """Return the first sheet of a workbook, cells as they are; the header is its first row."""
    needed("python_calamine", f"{name}: reading Excel")
    try:
        raw = pd.read_excel(io.BytesIO(content), engine="calamine", header=None, dtype=object)
    except Exception as error:
        raise DataError(f"{name}: is no workbook that can be read ({error}); save it as .xlsx or CSV") from None
    if len(raw) < 2:
        raise DataError(f"{name}: its first sheet has no rows below a header; put the table on it")
    header = ["" if pd.isna(cell) else str(cell).strip() for cell in raw.iloc[0]]
    frame = raw.iloc[1:].reset_index(drop=True)
    frame.columns = pd.Index(header)
    return frame.loc[:, [bool(cell) for cell in header]]


def transport(path: Path, name: str) -> pd.DataFrame:
    """Return the dataset of a SAS transport file, by pyreadstat, or by pandas where that is not there."""
    try:
        reader = importlib.import_module("pyreadstat")
    except ImportError:
        try:
            return pd.read_sas(path, format="xport", encoding="utf-8")
        except Exception as error:
            raise DataError(
                f"{name}: is no SAS transport file that pandas reads ({error}); save it as XPORT version 5"
            ) from None
    try:
        frame, _ = reader.read_xport(str(path))
    except Exception as error:
        raise DataError(f"{name}: is no SAS transport file that can be read ({error}); save it as .xpt") from None
    return frame


def dataset_json(content: bytes, name: str) -> pd.DataFrame:
    """Return the dataset of a Dataset-JSON v1.1 file, or of its form with one row a line (NDJSON)."""
    try:
        text = content.decode("utf-8-sig")
        lines = [line for line in text.splitlines() if line.strip()]
        try:
            held = json.loads(text)
            rows = held["rows"]
        except json.JSONDecodeError:
            held, rows = json.loads(lines[0]), [json.loads(line) for line in lines[1:]]
        columns = [str(column["name"]) for column in held["columns"]]
        version = str(held["datasetJSONVersion"])
    except (KeyError, TypeError, ValueError, IndexError):
        raise DataError(f"{name}: is not Dataset-JSON v1.1; give datasetJSONVersion, columns and rows") from None
    if not version.startswith("1.1"):
        raise DataError(f"{name}: is Dataset-JSON {version}; save it as v1.1")
    if not rows:
        raise DataError(f"{name}: has no rows; give a table that has")
    if any(not isinstance(row, list) or len(row) != len(columns) for row in rows):
        raise DataError(f"{name}: has rows that are no lists of {len(columns)} values; give one per column")
    return pd.DataFrame(rows, columns=columns)
