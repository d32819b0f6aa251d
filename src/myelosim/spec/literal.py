"""Values as TOML writes them: in files, and in messages about files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

LONGEST = 80  # characters of what was found that a message shows


def literal(value: Any) -> str:
    """Return a value as TOML; a float keeps every bit.

    Examples
    --------
    >>> literal({"a": [True, 1.5], "b c": "x"})
    '{ a = [true, 1.5], "b c" = "x" }'
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value) if isinstance(value, int) else repr(float(value))
    if isinstance(value, str):
        return '"' + "".join(_escaped(c) for c in value) + '"'
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key_literal(key)} = {literal(item)}" for key, item in value.items() if item is not None)
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    return str(value)


def key_literal(key: str) -> str:
    """Return a key as TOML, in quotes where it needs them."""
    plain = key and all(c.isascii() and (c.isalnum() or c in "_-") for c in key)
    return key if plain else literal(key)


def found(value: Any) -> str:
    """Return a value as a message quotes it, cut short where it is long.

    Examples
    --------
    >>> found("90 h"), found(True), found([1, "x"])
    ("'90 h'", 'true', '[1, "x"]')
    >>> found(10**400)
    'a whole number of 401 digits'
    """
    if isinstance(value, int) and abs(value) >= 10**20:
        return f"a whole number of {int(math.log10(abs(value))) + 1} digits"
    try:
        text = _quoted(value) if isinstance(value, str) else literal(value)
    except RecursionError:
        return "a value nested too deeply"
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 20]}... ({len(text)} characters)"


def _quoted(text: str) -> str:
    """Return a text in single quotes as it is written, but for what is no character to look at."""
    return "'" + "".join(c if c in '"\\' else _escaped(c) for c in text) + "'"


def _escaped(c: str) -> str:
    named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    if c in named:
        return named[c]
    return f"\\u{ord(c):04x}" if ord(c) < 32 or ord(c) == 127 else c
