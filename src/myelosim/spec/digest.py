"""One short name for everything a value says."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any


def canonical(value: Any) -> Any:
    """Return a value as plain lists, numbers, texts and mappings with sorted keys."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        compared = [field.name for field in dataclasses.fields(value) if field.compare]
        return {"": type(value).__name__, **{name: canonical(getattr(value, name)) for name in compared}}
    if isinstance(value, Mapping):
        return {"/".join(key) if isinstance(key, tuple) else str(key): canonical(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [canonical(item) for item in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value)
    return str(value)


def spec_hash(value: Any) -> str:
    """Return the SHA-256, in hexadecimal, of a frozen value.

    Two values that are equal have the same hash, in every process and on every machine.

    Examples
    --------
    >>> spec_hash({"a": 1.0, "b": 2}) == spec_hash({"b": 2, "a": 1.0})
    True
    """
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
