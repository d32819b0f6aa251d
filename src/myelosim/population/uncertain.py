"""Typical values moved by their own errors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from myelosim.errors import SpecError
from myelosim.population.individuals import ATTEMPTS, individual, mixing
from myelosim.random import normals
from myelosim.spec.check import problems
from myelosim.spec.model import Model


def redrawn(model: Model, seed: int, draw: int) -> Model:
    """Return the model with its values moved by their errors.

    Parameters
    ----------
    model : Model
        Standard errors ``se`` of its parameters' values on their scales, and the correlations of these errors.
    seed : int
        The population's.
    draw : int
        Number of the draw, from 0.

    Raises
    ------
    SpecError
        No draw of many gives a model that can be trusted.
    """
    unsure = [name for name, parameter in model.parameters.items() if parameter.se > 0]
    mixes = mixing(unsure, model.error_correlation)
    for attempt in range(ATTEMPTS):
        z = {name: normals(seed, "uncertainty", draw + 1, 1, name, attempt)[draw, 0] for name in unsure}
        moved = {}
        for name in unsure:
            parameter = model.parameters[name]
            eta = parameter.se * sum(weight * z[other] for other, weight in mixes[name])
            moved[name] = replace(
                parameter, value=float(individual(name, parameter, parameter.value, np.array([eta]))[0])
            )
        changed = replace(model, parameters={**model.parameters, **moved})
        if not any(problems(changed)):
            return changed
    raise SpecError(
        f"{model.name}: none of {ATTEMPTS} draws of its parameters' errors gives a model that can be trusted; lower se"
    )
