"""Read TOML tables key by key, collecting everything that is wrong before complaining once."""

from __future__ import annotations

import difflib
import math
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path as FilePath
from typing import Any

from myelosim import units
from myelosim.errors import SpecError
from myelosim.spec.lines import Path, line_of, scan
from myelosim.spec.literal import found

_MISSING: Any = object()

# What would act on a terminal or a file instead of being shown: control, line and bidirectional characters.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_SPACING = re.compile("[\t\n]")

_MOST = 2**63 - 1
SYNONYMS = {"hemoglobin": "erythroid", "erythroid": "hemoglobin"}


class Findings:
    """What is wrong with one source, each finding with its place; raised together."""

    def __init__(self, source: str, lines: Mapping[Path, int] | None = None, folder: FilePath | None = None) -> None:
        self.source = source
        self.folder = folder or FilePath()  # what paths in the source are relative to
        self.lines = lines or {}
        self.titles: dict[Path, str] = {}
        self.messages: list[str] = []
        self.closed: set[Path] = set()

    def add(self, path: Path, message: str, *, only: bool = False) -> None:
        """Note that ``message`` holds of the key at ``path``; with ``only``, nothing more is said of that key."""
        if path in self.closed:
            return
        if only:
            self.closed.add(path)
        where = self.where(path)
        text = ": ".join(part for part in (self.source, where, message) if part)
        self.messages.append(_CONTROL.sub(lambda m: f"\\u{ord(m[0]):04x}", text))

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
    """Return ``"; did you mean 'x'? Known: ..."`` for a word that is not among the allowed ones.

    Examples
    --------
    >>> suggestion("drawz", ["draw", "draws"])
    "; did you mean 'draws'? Known: draw, draws"
    """
    names = sorted({str(name) for name in allowed})
    other = SYNONYMS.get(word)
    if other in names:
        return f"; the lineage is 'erythroid', and what is observed of it is 'hemoglobin': write '{other}' here"
    lower = {name.lower(): name for name in names}
    close = closest(str(word).lower(), lower)
    shown = ", ".join(names) if len(names) <= 12 or not close else ""
    if close:
        return f"; did you mean '{lower[close]}'?" + (f" Known: {shown}" if shown and len(names) > 1 else "")
    return f"; known: {shown}" if shown else ""


def closest(word: str, names: Iterable[str]) -> str:
    """Return the most alike name, of nearly equal ones that of the same length; empty if none is alike."""
    alike = {name: difflib.SequenceMatcher(None, name, word).ratio() for name in names}
    near = [name for name, ratio in alike.items() if ratio >= max(0.6, max(alike.values()) - 0.1)]
    return max(near, key=lambda name: (len(name) == len(word), alike[name]), default="")


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
        """Note that something is wrong with ``key``, of which only the first is kept, or with the whole table."""
        if key is None:
            self.findings.add(self.path, message)
        else:
            where = self.origins.get(str(key), self)
            where.findings.add((*where.path, key), message, only=True)

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
            self.fail(key, f"{found(value)} is not a text; write it in quotes")
            return ""
        if not self._shows(key, value):
            return ""
        if names is not None and value not in names:
            self.fail(key, f"{found(value)} is not known{suggestion(value, names)}")
        return value

    def name(self, key: str, default: Any = _MISSING) -> str:
        """Return a name or title: a text of one line, and not an empty one."""
        value = self.text(key, default)
        if isinstance(self.data.get(key), str) and not self.data[key].strip():
            self.fail(key, "is empty; give it a text")
        elif _SPACING.search(value):
            self.fail(key, f"{found(value)} has a line break or a tab in it; write it on one line")
        return value

    def _shows(self, key: str, value: str) -> bool:
        """Refuse a text with characters that cannot be shown or stored."""
        odd = _CONTROL.search(value)
        if odd:
            self.fail(key, f"contains the control character U+{ord(odd[0]):04X}; take it out")
        return odd is None

    def boolean(self, key: str, default: bool) -> bool:
        """Return true or false."""
        value = self.raw(key, default)
        if not isinstance(value, bool):
            self.fail(key, f"{found(value)} is neither true nor false")
            return default
        return value

    def number(self, key: str, default: Any = _MISSING, *, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number within ``low``..``high``."""
        value = self.raw(key, default, what="a number")
        if value is default or value is None:
            return math.nan if value is None or value is _MISSING else float(value)
        if not is_number(value):
            self.fail(key, f"{found(value)} is not a number")
        elif not math.isfinite(value):
            self.fail(key, f"{found(value)} is not a finite number")
        elif not low <= value <= high:
            self.fail(key, f"{value:g} is out of bounds; it must be {_range(low, high)}")
        else:
            return float(value)
        return math.nan

    def integer(self, key: str, default: Any = _MISSING, *, low: int = 0, high: int = _MOST) -> int:
        """Return a whole number within ``low``..``high``."""
        value = self.raw(key, default, what="a whole number")
        if isinstance(value, bool) or not isinstance(value, int):
            if value is not None:
                self.fail(key, f"{found(value)} is not a whole number; it must be {low} or more")
            return low
        if value < low:
            self.fail(key, f"{found(value)} is too small; it must be {low} or more")
        elif value > high:
            self.fail(key, f"{found(value)} is too large; it must be at most {high}")
        return value

    def quantity(
        self,
        key: str,
        unit: str,
        default: Any = _MISSING,
        *,
        low: float = -math.inf,
        high: float = math.inf,
        example: str = "",
        molar_mass: float | None = None,
    ) -> float:
        """Return a quantity such as ``"90 h"`` in ``unit``, within ``low``..``high``; nan, with a finding, if it is none.

        A plain number is in ``unit`` already.
        """
        value = self.raw(key, default, what=f"a quantity in {unit}")
        if value is None or (value is default and not isinstance(value, str)):
            return math.nan if value is None else value
        if not (isinstance(value, str) or is_number(value)):
            self.fail(key, f"{found(value)} is not a quantity in {unit}")
            return math.nan
        if isinstance(value, str) and not self._shows(key, value):
            return math.nan
        try:
            number = units.parse(value, unit, molar_mass)
        except ValueError as error:
            self.fail(key, str(error))
            return math.nan
        if not low <= number <= high:
            hint = f'; write e.g. "{example}"' if example else ""
            self.fail(key, f"{found(value)} is out of bounds; it must be {_range(low, high)} {unit}{hint}")
            return math.nan
        return number

    def table(self, key: str, *, required: bool = False) -> Table | None:
        """Return a table, or None where there is none."""
        value = self.raw(key, _MISSING if required else None, what="a table")
        if value is None:
            return None
        if not isinstance(value, Mapping):
            self.fail(key, f"{found(value)} is not a table")
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
            self.fail(key, f"{found(value)} is not a list of texts")
            return ()
        return tuple(value for value in values if self._shows(key, value))

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
    """Read a TOML file in UTF-8, with or without a byte order mark.

    Raises
    ------
    SpecError
        The file cannot be read or is not TOML; the message says on which line.
    """
    try:
        text = FilePath(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SpecError(f"{shown(path)}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise SpecError(f"{shown(path)}: is not text in UTF-8; save it as UTF-8")
    return parse_toml(text, shown(path), FilePath(path).parent)


def parse_toml(text: str, source: str, folder: FilePath | None = None) -> Table:
    """Read TOML from a string; ``source`` is what messages call it, ``folder`` what its paths are relative to."""
    try:
        data = tomllib.loads(text)
    except RecursionError:
        raise SpecError(f"{source}: not valid TOML: brackets are nested too deeply") from None
    except ValueError as error:
        raise SpecError(f"{source}: {_no_toml(text, str(error))}") from None
    return Table(data, (), Findings(source, scan(text), folder))


def _no_toml(text: str, error: str) -> str:
    """Say where a text stops being TOML, with the line as it is written, and what to do about it."""
    place = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)", error)
    lines = text.splitlines() or [""]
    number = len(lines) if place is None or place[1] is None else int(place[1])
    line = lines[min(number, len(lines)) - 1].strip()
    what = error if place is None else error[: place.start()]
    if "4300 digits" in error:
        return "not valid TOML: a number has more digits than can be read; shorten it"
    remedy = next((do for sign, do in _REMEDIES.items() if sign in what), _USUAL)
    return f"line {number}: {found(line)} is not valid TOML; {remedy}"


_USUAL = 'write one key = value a line: a text in "quotes", a number without a unit, a list in [ ]'
_REMEDIES = {
    "Cannot overwrite": "the key is there twice: keep one of them",
    "twice": "the heading is there twice: put what belongs to it under one of them",
    "declaration": "write a heading as [name], or [[name]] where there may be several, on a line of its own",
    "Unclosed": "close every [ with a ]",
    "key part": "{ } must be closed on the line on which it is opened; a key has letters, digits, _ and -",
    "Unescaped": "in double quotes write two backslashes for one, or use 'single quotes'",
    "string": "end a text with the quote it began with, on the same line",
    "Illegal character": "take out control characters, and end a text with its quote on the same line",
}


def _range(low: float, high: float) -> str:
    if math.isinf(high):
        return f"{low:g} or more"
    return f"{high:g} or less" if math.isinf(low) else f"between {low:g} and {high:g}"
