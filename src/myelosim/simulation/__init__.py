"""Simulation: the one place where spec, engine and xarray meet."""

from __future__ import annotations

from myelosim.simulation.rows import to_events
from myelosim.simulation.sensitivity import sensitivity
from myelosim.simulation.simulate import Simulated, simulate, simulated

__all__ = ["Simulated", "sensitivity", "simulate", "simulated", "to_events"]
