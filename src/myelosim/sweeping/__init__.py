"""Sweep over doses, schedules, species and parameters: the job."""

from __future__ import annotations

from myelosim.sweeping.run import Filling, sweep
from myelosim.sweeping.save import save
from myelosim.sweeping.table import highest, outline

__all__ = ["Filling", "highest", "outline", "save", "sweep"]
