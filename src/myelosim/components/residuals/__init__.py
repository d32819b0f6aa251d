"""The residuals components by name."""

from __future__ import annotations

from types import ModuleType

KINDS: dict[str, ModuleType] = {}
