"""Decisions at visits: rules act on what a clinic sees, on all subjects at once, between the engine's legs."""

from __future__ import annotations

from myelosim.rules.clinic import Calendar, Clinic, Decider
from myelosim.rules.log import Log
from myelosim.rules.look import Look
from myelosim.rules.orders import Orders

__all__ = ["Calendar", "Clinic", "Decider", "Log", "Look", "Orders"]
