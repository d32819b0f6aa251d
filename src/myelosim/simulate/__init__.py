"""Simulation: the one place where spec, engine and xarray meet."""

from __future__ import annotations

from myelosim.simulate.rows import to_events
from myelosim.simulate.sensitivity import sensitivity
from myelosim.simulate.simulation import simulate

__all__ = ["sensitivity", "simulate", "to_events"]
