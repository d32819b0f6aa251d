"""What is to be expected of one subject, given its counts so far."""

from __future__ import annotations

from myelosim.fitting.forecast.run import forecast

__all__ = ["forecast"]
