"""One arm of a scenario: run and reduced."""

from __future__ import annotations

from myelosim.trial.arm import Trial, run_arm

__all__ = ["Trial", "run_arm"]
