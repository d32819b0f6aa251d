"""On which line of a TOML file a key stands; the standard reader does not say."""

from __future__ import annotations

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_DOTTED = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_HEADER = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]\]?")
_ENTRY = re.compile(rf"\s*({_DOTTED})\s*=")
_TOKEN = re.compile(r'"""|\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}]')


def scan(text: str) -> dict[Path, int]:
    r"""Return key path -> line number (from 1) of tables, array entries and keys of a valid TOML text.

    Keys inside an inline table are found at the line of the key that holds it.

    Examples
    --------
    >>> scan('a = 1\n[b.c]\nd = 2\n')[("b", "c", "d")]
    3
    """
    found: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    depth, quote = 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if depth == 0 and not quote:
            header, entry = _HEADER.match(line), _ENTRY.match(line)
            if header:
                table = _indexed(_split(header[2]), counts, fresh=header[1] == "[[")
                _note(found, (), table, number)
                continue
            if entry:
                _note(found, table, _split(entry[1]), number)
        depth, quote = _after(line, depth, quote)
    return found


def line_of(found: Mapping[Path, int], path: Path) -> int | None:
    """Return the line of a key path, or of the nearest thing around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in found:
            return found[path[:length]]
    return None


def _note(found: dict[Path, int], table: Path, path: Path, number: int) -> None:
    """Note a path, and every table that it opens on the way, where they are first seen."""
    for length in range(1, len(path) + 1):
        found.setdefault(table + path[:length], number)


def _split(dotted: str) -> Path:
    return tuple(part[1:-1] if part[0] in "\"'" else part for part in re.findall(_KEY, dotted))


def _indexed(path: Path, counts: dict[Path, int], *, fresh: bool) -> Path:
    """Insert the index of the current entry after every array of tables on the way."""
    out: Path = ()
    for place, part in enumerate(path):
        out = (*out, part)
        if place == len(path) - 1 and fresh:
            counts[out] = counts.get(out, -1) + 1
        if out in counts:
            out = (*out, counts[out])
    return out


def _after(line: str, depth: int, quote: str) -> tuple[int, str]:
    """Return bracket depth and open multi-line quote at the end of a line."""
    position = 0
    while True:
        if quote:
            end = line.find(quote, position)
            if end < 0:
                return depth, quote
            position, quote = end + 3, ""
        match = _TOKEN.search(line, position)
        if match is None:
            return depth, quote
        token, position = match[0], match.end()
        if token in ('"""', "'''"):
            quote = token
        elif token in "[{":
            depth += 1
        elif token in "]}":
            depth -= 1
