"""Compare dose schedules: the job."""

from __future__ import annotations

from myelosim.comparison.compare import compare
from myelosim.comparison.days import days_table, monitoring_days
from myelosim.comparison.save import save
from myelosim.comparison.table import outline, summary

__all__ = ["compare", "days_table", "monitoring_days", "outline", "save", "summary"]
