"""Models held to numbers: those their files expect, and reported incidences."""

from __future__ import annotations

from myelosim.validation.incidence import Reported, reported, table
from myelosim.validation.published import Check, check, validate

__all__ = ["Check", "Reported", "check", "reported", "table", "validate"]
