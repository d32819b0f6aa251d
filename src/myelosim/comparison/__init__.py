"""Compare dose schedules: the job."""

from __future__ import annotations

from myelosim.comparison.compare import compare
from myelosim.comparison.save import save
from myelosim.comparison.table import outline, summary

__all__ = ["compare", "outline", "save", "summary"]
