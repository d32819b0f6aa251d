"""Compare dose schedules: the job."""

from __future__ import annotations

from myelosim.comparison.compare import compare
from myelosim.comparison.save import check_folder, save
from myelosim.comparison.table import outline, summary

__all__ = ["check_folder", "compare", "outline", "save", "summary"]
