"""The engine: numba lives here and only here."""

from __future__ import annotations

from myelosim.engine.cohort import Cohort
from myelosim.engine.itinerary import Person
from myelosim.engine.run import Run, Running, Track, run

__all__ = ["Cohort", "Person", "Run", "Running", "Track", "run"]
