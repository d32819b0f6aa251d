"""Subjects: from typical values and variability to individual parameters."""

from __future__ import annotations

from myelosim.population.histograms import virtual_patients
from myelosim.population.individuals import ATTEMPTS, Population, covariates, draw, from_frame
from myelosim.population.uncertain import redrawn

__all__ = ["ATTEMPTS", "Population", "covariates", "draw", "from_frame", "redrawn", "virtual_patients"]
