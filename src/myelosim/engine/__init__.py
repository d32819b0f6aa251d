"""The engine: numba lives here and only here."""

from __future__ import annotations

from myelosim.engine.run import Run, Running, Track, run

__all__ = ["Run", "Running", "Track", "run"]
