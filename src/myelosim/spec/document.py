"""Read TOML tables key by key, collecting everything that is wrong before complaining once."""

from __future__ import annotations

import difflib
import math
import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from myelosim import units
from myelosim.errors import SpecError
from myelosim.spec.lines import Path, line_of, scan

_MISSING: Any = object()


class Findings:
    """What is wrong with one source, each finding with its place; raised together."""

    def __init__(self, source: str, lines: Mapping[Path, int] | None = None, folder: FilePath | None = None) -> None:
        self.source = source
        self.folder = folder or FilePath()  # what paths in the source are relative to
        self.lines = lines or {}
        self.titles: dict[Path, str] = {}
        self.messages: list[str] = []

    def add(self, path: Path, message: str) -> None:
        """Note that ``message`` holds of the key at ``path``."""
        where = self.where(path)
        self.messages.append(": ".join(part for part in (self.source, where, message) if part))

    def where(self, path: Path) -> str:
        """Return a key path in words, with its line if known."""
        words, start = "", 0
        for length in range(len(path), 0, -1):
            if path[:length] in self.titles:
                words, start = self.titles[path[:length]], length
                break
        for part in path[start:]:
            words += f"[{part + 1}]" if isinstance(part, int) else f"{'.' if words else ''}{part}"
        line = line_of(self.lines, path)
        return f"{words} (line {line})" if line else words

    def check(self) -> None:
        """Raise :class:`SpecError` if anything was found."""
        if self.messages:
            raise SpecError("\n".join(dict.fromkeys(self.messages)))


def names_in(data: Any, *keys: str) -> list[str]:
    """Return the keys of a table nested in others, nothing where there is no such table."""
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return list(data) if isinstance(data, Mapping) else []


def is_number(value: Any) -> bool:
    """Tell a number that a float can hold from everything else; true and false are none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, float) or abs(value) < 10**300


def suggestion(word: str, allowed: Iterable[str]) -> str:
    """Return ``"; did you mean 'x'? Known: ..."`` for a word that is not among the allowed ones."""
    names = sorted({str(name) for name in allowed})
    lower = {name.lower(): name for name in names}
    close = difflib.get_close_matches(str(word).lower(), lower, n=1, cutoff=0.6)
    shown = ", ".join(names) if len(names) <= 12 or not close else ""
    if close:
        return f"; did you mean '{lower[close[0]]}'?" + (f" Known: {shown}" if shown and len(names) > 1 else "")
    return f"; known: {shown}" if shown else ""


class Table:
    """A TOML table being read; what no one asked for is reported by :meth:`finish`."""

    def __init__(
        self, data: Mapping[str, Any], path: Path, findings: Findings, origins: Mapping[str, Table] | None = None
    ) -> None:
        self.data = data
        self.path = path
        self.findings = findings
        self.origins = dict(origins or {})  # keys that came from a table underneath
        self.known: list[str] = []

    def over(self, base: Table | None) -> Table:
        """Return this table laid over another: its keys win, and each key is reported where it stands."""
        if base is None:
            return self
        origins = {key: base.origins.get(key, base) for key in base.data if key not in self.data}
        return Table({**base.data, **self.data}, self.path, self.findings, {**origins, **self.origins})

    def fail(self, key: str | int | None, message: str) -> None:
        """Note that something is wrong with ``key``, or with the whole table."""
        if key is None:
            self.findings.add(self.path, message)
        else:
            where = self.origins.get(str(key), self)
            where.findings.add((*where.path, key), message)

    def raw(self, key: str, default: Any = _MISSING, *, what: str = "a value") -> Any:
        """Return what stands at ``key``, or the default."""
        self.known.append(key)
        if key in self.data:
            return self.data[key]
        if default is _MISSING:
            self.fail(None, f"'{key}' is missing; give {what}")
            return None
        return default

    def text(self, key: str, default: Any = _MISSING, *, allowed: Iterable[str] | None = None) -> str:
        """Return a string, one of ``allowed`` if given."""
        names = None if allowed is None else list(allowed)
        value = self.raw(key, default, what="one of " + ", ".join(names) if names else "a text")
        if value is default or value is None:
            return "" if default is _MISSING or value is None else str(value)
        if not isinstance(value, str):
            self.fail(key, f"{value!r} is not a text; write it in quotes")
            return ""
        if names is not None and value not in names:
            self.fail(key, f"'{value}' is not known{suggestion(value, names)}")
        return value

    def boolean(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.raw(key, default)
        if not isinstance(value, bool):
            self.fail(key, f"{value!r} is neither true nor false")
            return default
        return value

    def number(self, key: str, default: Any = _MISSING, *, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number within ``low``..``high``."""
        value = self.raw(key, default, what="a number")
        if value is default or value is None:
            return math.nan if value is None or value is _MISSING else float(value)
        if not is_number(value):
            self.fail(key, f"{value!r} is not a number")
        elif not math.isfinite(value):
            self.fail(key, f"{value!r} is not a finite number")
        elif not low <= value <= high:
            self.fail(key, f"{value:g} is out of bounds; it must be {_range(low, high)}")
        else:
            return float(value)
        return math.nan

    def integer(self, key: str, default: Any = _MISSING, *, low: int = 0) -> int:
        """Return a whole number, at least ``low``."""
        value = self.raw(key, default, what="a whole number")
        if isinstance(value, bool) or not isinstance(value, int):
            if value is not None:
                self.fail(key, f"{value!r} is not a whole number")
            return low
        if value < low:
            self.fail(key, f"{value} is too small; it must be {low} or more")
        return value

    def quantity(
        self, key: str, unit: str, default: Any = _MISSING, *, low: float = -math.inf, molar_mass: float | None = None
    ) -> float:
        """Return a quantity such as ``"90 h"`` in ``unit``; a plain number is in ``unit`` already."""
        value = self.raw(key, default, what=f"a quantity in {unit}")
        if value is None or (value is default and not isinstance(value, str)):
            return math.nan if value is None else value
        if not (isinstance(value, str) or is_number(value)):
            self.fail(key, f"{value!r} is not a quantity in {unit}")
            return math.nan
        try:
            number = units.parse(value, unit, molar_mass)
        except ValueError as error:
            self.fail(key, str(error))
            return math.nan
        if number < low:
            self.fail(key, f"{value!r} is out of bounds; it must be {low:g} {unit} or more")
        return number

    def table(self, key: str, *, required: bool = False) -> Table | None:
        """Return a table, or None where there is none."""
        value = self.raw(key, _MISSING if required else None, what="a table")
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.fail(key, f"{value!r} is not a table")
            return None
        where = self.origins.get(key, self)
        return Table(value, (*where.path, key), where.findings)

    def children(self, key: str) -> dict[str, Table]:
        """Return the tables inside the table at ``key`` by name."""
        outer = self.table(key)
        if outer is None:
            return {}
        return {name: inner for name in outer.data if (inner := outer.table(name)) is not None}

    def tables(self, key: str) -> list[Table]:
        """Return an array of tables."""
        value = self.raw(key, [])
        if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(v, Mapping) for v in value):
            self.fail(key, f"expected entries headed [[{key}]]")
            return []
        return [Table(entry, (*self.path, key, i), self.findings) for i, entry in enumerate(value)]

    def texts(self, key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
        """Return a list of strings; a single string counts as a list of one."""
        value = self.raw(key, list(default))
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, Sequence) or not all(isinstance(v, str) for v in values):
            self.fail(key, f"{value!r} is not a list of texts")
            return ()
        return tuple(values)

    def rest(self) -> list[str]:
        """Return the keys that no one asked for yet, and count them as known."""
        keys = [key for key in self.data if key not in self.known]
        self.known.extend(keys)
        return keys

    def finish(self, also: Iterable[str] = ()) -> None:
        """Report every key that no one asked for."""
        allowed = [*self.known, *also]
        for key in self.data:
            if key not in allowed:
                self.fail(key, f"unknown key '{key}'{suggestion(key, allowed)}")


def shown(path: str | os.PathLike[str]) -> str:
    """Return a path as a message shows it: relative to the current folder where it is inside."""
    full = FilePath(path)
    try:
        return str(full.resolve().relative_to(FilePath.cwd().resolve()))
    except ValueError:
        return str(full)


def read_toml(path: str | os.PathLike[str]) -> Table:
    """Read a TOML file.

    Raises
    ------
    SpecError
        The file cannot be read or is not TOML; the message says on which line.
    """
    try:
        text = FilePath(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SpecError(f"{shown(path)}: cannot be read: {error}") from None
    return parse_toml(text, shown(path), FilePath(path).parent)


def parse_toml(text: str, source: str, folder: FilePath | None = None) -> Table:
    """Read TOML from a string; ``source`` is what messages call it, ``folder`` what its paths are relative to."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{source}: not valid TOML: {error}") from None
    return Table(data, (), Findings(source, scan(text), folder))


def _range(low: float, high: float) -> str:
    if math.isinf(high):
        return f"{low:g} or more"
    return f"{high:g} or less" if math.isinf(low) else f"between {low:g} and {high:g}"
