"""Measured concentrations that stand in for kinetics: a table with a declared interpolation."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from myelosim import units
from myelosim.spec.document import Table, is_number, shown
from myelosim.spec.literal import found
from myelosim.spec.model import Model

MOST = 1e12
INTERPOLATIONS = ("previous", "next", "linear")
AFTER = ("zero", "last")
KEYS = ("table", "times", "values", "unit", "time_unit", "interpolation", "after")


def read_concentrations(table: Table, unit: str, molar_mass: float | None = None) -> Mapping[str, Any] | None:
    """Read ``table = "file.csv"``, or ``times`` and ``values``, with ``interpolation``.

    ``unit`` (of the concentrations; the drug's own if it does not say) and ``time_unit`` (hours if it does not) are
    optional. A file has the columns ``time`` and ``concentration``; its path is relative to the file that names it.
    Times begin at 0 and increase. ``after`` says what follows the last time: "zero", or that the "last" value holds.

    Returns
    -------
    mapping or None
        ``times`` (h), ``values`` (in ``unit``), ``interpolation`` and, where it is said, ``after``; None, with findings,
        where it cannot be.
    """
    before = len(table.findings.messages)
    interpolation = table.text("interpolation", allowed=INTERPOLATIONS)
    after = table.text("after", allowed=AFTER) if "after" in table.data else ""
    written, time_unit = table.text("unit", unit), table.text("time_unit", "h")
    if "table" in table.data:
        file = table.text("table")
        times, values = _from_file(table, file) if file else ([], [])
        for key in ("times", "values"):
            if key in table.data:
                table.raw(key)
                table.fail(key, "is given beside a file; give one or the other")
    else:
        table.known.append("table")
        times, values = _numbers(table, "times"), _numbers(table, "values")
    if len(table.findings.messages) > before:
        return None
    try:
        hours = tuple(units.convert(time, time_unit, "h") for time in times)
        held = tuple(units.convert(value, written, unit, molar_mass) for value in values)
    except ValueError as error:
        table.fail(None, str(error))
        return None
    wrong = problem(hours, held)
    if wrong:
        table.fail("table" if "table" in table.data else "times", wrong)
        return None
    return {"times": hours, "values": held, "interpolation": interpolation} | ({"after": after} if after else {})


def unsaid(model: Model, horizon: float) -> str:
    """Return why a table of the model ends too early for a horizon (h); empty where none does."""
    for name, drug in model.drugs.items():
        held = drug.table
        if held is None or "after" in held or held["values"][-1] == 0 or not held["times"][-1] < horizon:
            continue
        return (
            f"{name}: the table ends at {held['times'][-1]:g} h with {held['values'][-1]:g} {drug.concentration_unit}, before the "
            f'horizon of {horizon / 24:g} days; give a last value of 0, or say what follows: after = "zero", or "last" to hold it'
        )
    return ""


def _numbers(table: Table, key: str) -> list[float]:
    value = table.raw(key, what='a list of numbers, or table = "file.csv"')
    if value is None:
        return []
    if not isinstance(value, list) or not all(map(is_number, value)):
        table.fail(key, f"{found(value)} is not a list of numbers")
        return []
    return [float(v) for v in value]


def _from_file(table: Table, name: str) -> tuple[list[float], list[float]]:
    path = table.findings.folder / name
    times, values = [], []
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            columns = [str(column).strip().lower() for column in reader.fieldnames or ()]
            if sorted(columns) != ["concentration", "time"]:
                more = [name for name in columns if name not in ("time", "concentration")]
                has = ", ".join(columns) or "none"
                what = f"found: {has}"
                if {"time", "concentration"} <= set(columns):
                    what = f"take out {', '.join(more) if more else 'the second of the same name'}"
                table.fail("table", f"{shown(path)}: needs the columns time and concentration, and no other; {what}")
                return [], []
            reader.fieldnames = columns
            for row in reader:
                times.append(float(row["time"]))
                values.append(float(row["concentration"]))
    except OSError as error:
        table.fail("table", f"{shown(path)}: cannot be read: {error.strerror}")
    except (UnicodeDecodeError, csv.Error):
        table.fail("table", f"{shown(path)}: is not a table in UTF-8 text; save it as CSV in UTF-8")
    except (TypeError, ValueError):
        table.fail("table", f"{shown(path)}: line {len(values) + 2} does not hold two numbers")
    return times, values


def problem(times: tuple[float, ...], values: tuple[float, ...]) -> str:
    """Return why times (h) and concentrations are no course of an exposure; empty if they are."""
    if len(times) != len(values):
        return f"{len(times)} times and {len(values)} concentrations; give one concentration per time"
    if not times:
        return "there are no concentrations; give at least one"
    if not all(map(math.isfinite, (*times, *values))):
        return "there are values that are not finite numbers; leave out what was not measured"
    if times[0] != 0.0:
        return f"the first time is {times[0]:g} h; begin at 0, so that nothing has to be guessed"
    for before, after in pairwise(times):
        if after <= before:
            return f"the times do not increase after {before:g} h; sort them, one concentration per time"
    if min(values) < 0:
        return f"a concentration is negative ({min(values):g}); it must be 0 or more"
    if times[-1] > units.limits("h")[1]:
        return f"the last time, {times[-1]:g} h, cannot be meant; it must be at most {units.limits('h')[1]:g} h"
    if max(values) > MOST:
        return f"a concentration of {max(values):g} cannot be meant; it must be at most {MOST:g}"
    return ""
