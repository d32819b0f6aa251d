"""The engine: numba lives here and only here."""

from __future__ import annotations

from myelosim.engine.run import Run, Track, run

__all__ = ["Run", "Track", "run"]
